"""How programs write a body, a text and octets otherwise than it was meant; used by every scheme of the second set."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Callable
from typing import Any

# Words for what happened to a body
WRITTEN = r"json|serial|stringif|re-?writ|written (anew|again|otherwise|differently|by|as|with)|writes|re-?format|parsed|pretty|compact"
OBJECT = r"object|array|list|to_?string|converted|stringif|parsed|placeholder|interpolat"
PARTLY = r"member|\bpart\b|lines|inner|only|alone|missing|cut|piece"
REPR = r"\bb'|repr|quot|bytes|python|marks"
PERCENT = r"percent|escap|url-?encod|encoded|decoded|unquoted|encodes|decodes"
SEPARATOR = r"separat|join|delimit|comma|colon|semicolon|\bdots?\b|space|blank|between|order"
ZONE = r"clock|seconds|hour|zone|future|past|\bold\b|expired|\blate\b|early|not yet|stale|delay|local"


def loads(body: bytes) -> Any:
    return json.loads(body)


def js(body: bytes) -> bytes:
    """JSON.stringify of JSON.parse: 10.50 is 10.5, and no blanks."""
    return json.dumps(loads(body), separators=(",", ":"), ensure_ascii=False).encode()


def python(body: bytes) -> bytes:
    return json.dumps(loads(body)).encode()


def php(body: bytes) -> bytes:
    """json_encode without flags: \\/ and \\u00eb."""
    return json.dumps(loads(body), separators=(",", ":")).replace("/", "\\/").encode()


def go(body: bytes) -> bytes:
    """encoding/json of a decoded map: sorted names, and \\u003c for <."""
    text = json.dumps(loads(body), separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode()


def rails(body: bytes) -> bytes:
    text = json.dumps(loads(body), separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode()


def ordered(body: bytes) -> bytes:
    return json.dumps(loads(body), separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()


def indented(body: bytes, by: int | str = 2, ends: str = "\n") -> bytes:
    return json.dumps(loads(body), indent=by, ensure_ascii=False).replace("\n", ends).encode()


def without_nulls(body: bytes) -> bytes:
    kept = {name: value for name, value in loads(body).items() if value is not None}
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False).encode()


def lines(body: bytes) -> bytes:
    """One member of the body, as JSON."""
    return json.dumps(loads(body)["lines"], separators=(",", ":"), ensure_ascii=False).encode()


def mojibake(octets: bytes) -> bytes:
    return octets.decode("latin-1").encode()


def latin(octets: bytes) -> bytes:
    return octets.decode().encode("latin-1", "replace")


def ascii_only(octets: bytes) -> bytes:
    return octets.decode().encode("ascii", "replace")


def short(octets: bytes) -> bytes:
    """As many octets as the text has characters: Content-Length of string.length."""
    return octets[: len(octets.decode())]


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def lenient(text: str) -> bytes:
    """Base64 as Node and PHP decode it: what isn't of the alphabet is passed over."""
    kept = "".join(c for c in text.replace("-", "+").replace("_", "/") if c.isalnum() or c in "+/")
    return base64.b64decode(kept[: len(kept) // 4 * 4])


def java_hex(octets: bytes) -> str:
    """Integer.toHexString of each signed byte."""
    return "".join(f"{octet if octet < 128 else octet + 0xFFFFFF00:x}" for octet in octets)


def comma_separated(octets: bytes) -> str:
    return ",".join(map(str, octets))


def dashed(octets: bytes) -> str:
    return octets.hex("-").upper()


def form(body: bytes) -> bytes:
    return b"payload=" + urllib.parse.quote_plus(body).encode()


def as_(change: Callable) -> Callable:
    """A step's hook that looks at the value alone."""
    return lambda value, world: change(value)


def form_to_json(body: bytes) -> bytes:
    return json.dumps(dict(urllib.parse.parse_qsl(body.decode()))).encode()
