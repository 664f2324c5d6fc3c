"""HTTP Archive 1.2 (HAR): what browsers, proxies and API clients save of the requests that they sent."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any, Final

from watchword.cli.raw_request import MAX_FIELDS, Capture, UnusableRequest, length_of

__all__ = ["parse_har"]

_URL: Final = re.compile(r"(https?)://(?:[^/?#@]*@)?([^/?#]+)([^#]*)(?:#.*)?", re.IGNORECASE | re.DOTALL)
_LONG: Final = re.compile(r"[^/]{17,}")
_KINDS: Final[Mapping[type, str]] = {dict: "an object", list: "a list", str: "a text"}
MAX_LISTED: Final = 20
"""Entries that are listed where one has to be chosen."""
REFUSED: Final = (401, 403, 407)
_BARE: Final = (
    "the request has neither Authorization nor Cookie: browsers leave both out of what they save, unless they are told to keep "
    "sensitive data"
)


def parse_har(data: bytes, entry: int | None, url: str | None) -> Capture:
    r"""The chosen request: by its number from 1, by (a part of) its URL, or else the only one, or the only one that was refused.

    Pseudo fields of HTTP/2 (RFC 9113 §8.3.1), which some browsers list as fields, are read as the target and the authority.

    Raises:
        UnusableRequest: naming line and column, or the member.

    >>> text = b'{"log": {"version": "1.2", "entries": [{"request": {"method": "GET", "url": "https://api.example/a", "headers": []}}]}}'
    >>> capture = parse_har(text, None, None)
    >>> capture.scheme, capture.target, capture.headers
    ('https', b'/a', [(b'host', b'api.example')])
    """
    log = _member(_loaded(data), "log", dict, "log")
    version = log.get("version")
    if version not in ("1.1", "1.2"):
        raise UnusableRequest("log.version is not 1.2")
    entries = _member(log, "entries", list, "log.entries")
    at = _chosen(entries, entry, url)
    return _capture(_request(entries, at), f"log.entries[{at}].request")


def _loaded(data: bytes) -> Mapping[str, Any]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise UnusableRequest("this octet is not UTF-8", line, column) from None
    try:
        archive = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnusableRequest(f"this is not JSON: {error.msg}", error.lineno, error.colno) from None
    except (RecursionError, ValueError):  # nested too deeply; a number of too many digits
        raise UnusableRequest("this JSON is nested too deeply, or has a number that is too long") from None
    if not isinstance(archive, dict):
        raise UnusableRequest("this is not a JSON object", 1, 1)
    return archive


def _member(members: Mapping[str, Any], name: str, kind: type, path: str) -> Any:
    value = members.get(name)
    if not isinstance(value, kind):
        raise UnusableRequest(f"{path} is not {_KINDS[kind]}")
    return value


def _request(entries: Sequence[Any], at: int) -> Mapping[str, Any]:
    entry, path = entries[at], f"log.entries[{at}]"
    if not isinstance(entry, dict):
        raise UnusableRequest(f"{path} is not an object")
    request: Mapping[str, Any] = _member(entry, "request", dict, f"{path}.request")
    return request


# ---- which one -----------------------------------------------------------------------------------------------------------


def _chosen(entries: Sequence[Any], entry: int | None, url: str | None) -> int:
    if entry is not None:
        if not 1 <= entry <= len(entries):
            raise UnusableRequest(f"--entry {entry}: there are {len(entries)} entries, counted from 1")
        return entry - 1
    among = [at for at in range(len(entries)) if url is None or url in _url_of(entries[at])]
    exact = [at for at in among if _url_of(entries[at]) == url]
    among = exact or among
    if not among:
        raise UnusableRequest("there is no entry in it" if url is None else "--url: no entry has such a URL")
    if len(among) > 1:
        among = [at for at in among if _status_of(entries[at]) in REFUSED] or among
    if len(among) > 1:
        listed = "".join(f"\n  {at + 1}: {_shown(entries[at])}" for at in among[:MAX_LISTED])
        more = "\n  …" if len(among) > MAX_LISTED else ""
        raise UnusableRequest(f"choose one of {len(among)} entries by --entry or --url:{listed}{more}")
    return among[0]


def _url_of(entry: Any) -> str:
    request = entry.get("request") if isinstance(entry, dict) else None
    url = request.get("url") if isinstance(request, dict) else None
    return url if isinstance(url, str) else ""


def _status_of(entry: Any) -> object:
    response = entry.get("response") if isinstance(entry, dict) else None
    return response.get("status") if isinstance(response, dict) else None


def _shown(entry: Any) -> str:
    """Method, origin and path: the query may hold secrets, and so may a long part of a path."""
    match = _URL.match(_url_of(entry))
    if match is None:
        return "?"
    path = _LONG.sub(lambda part: f"…({len(part[0])} characters)", match[3].partition("?")[0])
    status = _status_of(entry)
    method = str(entry["request"].get("method"))[:16]
    text = f"{method} {match[1]}://{match[2]}{path}" + (f" {status}" if isinstance(status, int) else "")
    return "".join(char if char.isprintable() else "?" for char in text)[:200]


# ---- the request ---------------------------------------------------------------------------------------------------------


def _capture(request: Mapping[str, Any], path: str) -> Capture:
    method = _member(request, "method", str, f"{path}.method")
    match = _URL.fullmatch(_member(request, "url", str, f"{path}.url"))
    if match is None:
        raise UnusableRequest(f"{path}.url is not a URL of http or https")
    pseudo, headers = _fields(_member(request, "headers", list, f"{path}.headers"), f"{path}.headers")
    target = pseudo.get(b":path") or _octets(match[3] if match[3][:1] == "/" else "/" + match[3])
    if not any(name == b"host" for name, _ in headers):
        headers.insert(0, (b"host", pseudo.get(b":authority") or _octets(match[2])))
    body, size = _body(request, headers, path)
    names = {name for name, _ in headers}
    note = "" if names & {b"authorization", b"cookie"} else _BARE
    return Capture(method, target, headers, body, match[1].lower(), size, note)


def _fields(listed: Sequence[Any], path: str) -> tuple[dict[bytes, bytes], list[tuple[bytes, bytes]]]:
    if len(listed) > MAX_FIELDS:
        raise UnusableRequest(f"{path} has more than {MAX_FIELDS} fields")
    pseudo: dict[bytes, bytes] = {}
    fields: list[tuple[bytes, bytes]] = []
    for at, field in enumerate(listed):
        if not isinstance(field, dict):
            raise UnusableRequest(f"{path}[{at}] is not an object")
        name = _octets(_member(field, "name", str, f"{path}[{at}].name")).lower()
        value = _octets(_member(field, "value", str, f"{path}[{at}].value")).strip(b" \t")
        if name[:1] == b":":
            pseudo[name] = value
        else:
            fields.append((name, value))
    return pseudo, fields


def _body(
    request: Mapping[str, Any], headers: Sequence[tuple[bytes, bytes]], path: str
) -> tuple[bytes | None, int | None]:
    """The octets, if the text can only mean these; None where there was a body, and it can't be told."""
    said = length_of(headers)
    length = said if said is not None else request.get("bodySize")
    size = length if isinstance(length, int) and not isinstance(length, bool) and length > 0 else None
    post = request.get("postData")
    text = post.get("text") if isinstance(post, dict) else None
    if not isinstance(post, dict) or not isinstance(text, str) or (not text and post.get("params")):
        return (None, size) if size or (isinstance(post, dict) and post.get("params")) else (b"", None)
    if "base64" in (post.get("encoding"), post.get("_encoding")):
        try:
            return b64decode("".join(text.split()), validate=True), size
        except ValueError:
            raise UnusableRequest(f"{path}.postData.text is not base64") from None
    for charset in ("utf-8", "latin-1"):
        try:
            octets = text.encode(charset)
        except UnicodeEncodeError:
            continue
        if size is None or len(octets) == size:
            return octets, size
    return None, size


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
