"""Attacks of somebody who has seen a genuine request pass: sends it again, or changes it and keeps its signature."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

from watchword.testing.attacks.credentials import Sign, is_client_half
from watchword.testing.attacks.outcome import NotTried
from watchword.testing.attacks.repeatable import Nature
from watchword.testing.attacks.signing import Signed
from watchword.testing.attacks.trial import Trial

__all__ = ["replay", "stale", "tampered"]

ONCE = (
    "Remember each nonce, or each signature, until its time is over, in one step that also tests it, and in a store that all workers share: "
    "HMACVerifier, SignatureVerifier and WebhookVerifier do."
)
BY_DESIGN = "The scheme isn't single-use by itself. Say single_use=False if that is what you want, or have the server remember signatures."
COVER = "Sign the method, the path with its query, Host and a digest of the body, and compare all of them: HMACVerifier and SignatureVerifier do."


def _signatures(trial: Trial) -> Iterator[tuple[Sign, Signed, Nature]]:
    """The ways in that are signatures over a request.

    Raises:
        NotTried: none is.
    """
    found = False
    for way, signed, _ in trial.each_genuine():
        nature = trial.nature(way, signed)
        if not nature.bearer:
            found = True
            yield way, signed, nature
    if not found:
        raise NotTried("the credentials sign nothing of the request: whoever sees them can send them with anything")


def replay(trial: Trial) -> None:
    """The very same signed request a second time; then with another nonce, time or name beside the old signature."""
    single = trial.credentials.single_use
    if single is False:
        raise NotTried("the credentials aren't single-use (single_use=False)")
    why = "Whoever has seen a request pass can have it done again."
    done = False
    for way, _, nature in _signatures(trial):
        weak = nature.single_use is False and single is None
        captured = trial.signed(way)
        if not trial.let_in(trial.send(captured.request, captured.body)):
            raise NotTried("a second genuine request is refused")
        done = True
        trial.attempt("the same request again", captured.request, captured.body, again=True, weak=weak, why=why,
                      write=BY_DESIGN if weak else ONCE)  # fmt: skip
        elsewhere = captured.changed(peer=trial.stranger())
        trial.attempt(
            "the same request from another address", elsewhere.request, captured.body, again=True, why=why, write=ONCE
        )
        for tried, changed in _renewed(captured):
            trial.attempt(
                tried,
                changed.request,
                changed.body,
                again=True,
                why=f"{why} What makes it unique isn't under the signature.",
                write=ONCE,
            )
    if not done:
        raise NotTried("no signature could be sent a second time")


def _renewed(captured: Signed) -> Iterator[tuple[str, Signed]]:
    """The captured request with one of its fields renewed, alone and as a second line before or after the old one."""
    for name in captured.fields:
        value = captured.request.values(name)[0]
        label = name.decode("latin-1")
        for tried, other in respelled(value):
            yield f"again with {label} {tried}", captured.with_field(name, other)
        for other in _others(value):
            yield f"again with another {label}", captured.with_field(name, other)
            lines = tuple(captured.request.headers)
            yield f"again with a second {label} after the first", captured.changed(headers=(*lines, (name, other)))
            yield f"again with a second {label} before the first", captured.changed(headers=((name, other), *lines))


HEX = re.compile(rb"(?<![0-9A-Za-z+/_-])(?:[0-9a-f]{32,}|[0-9A-F]{32,})(?![0-9A-Za-z+/_=-])")
BASE64 = re.compile(rb"(?<![0-9A-Za-z+/_-])([0-9A-Za-z+/_-]{20,})(={0,2})(?![0-9A-Za-z+/_=-])")
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def respelled(value: bytes) -> list[tuple[str, bytes]]:
    """A field with the same signature spelled otherwise: a server that remembers texts and compares octets takes it for another one.

    >>> respelled(b"v1=" + b"0a" * 16)[0]
    ('in the other case', b'v1=0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A')
    """
    found = [
        ("in the other case", HEX.sub(lambda match: match[0].swapcase(), value)),
        ("with its padding changed", BASE64.sub(_padded, value)),
        ("in the other alphabet", BASE64.sub(lambda match: match[0].translate(OTHER), value)),
        ("with its unused bits set", BASE64.sub(_last_bits, value)),
    ]
    return [(tried, other) for tried, other in found if other != value]


OTHER = bytes.maketrans(b"+/-_", b"-_+/")


def _padded(match: re.Match[bytes]) -> bytes:
    if HEX.fullmatch(match[0]):
        return match[0]
    return match[1] if match[2] else match[1] + b"=" * (-len(match[1]) % 4)


def _last_bits(match: re.Match[bytes]) -> bytes:
    """Base64 of octets that are no multiple of three leaves bits of its last letter unused (RFC 4648 §3.5)."""
    place = ALPHABET.find(match[1][-1:])
    unused = {2: 15, 3: 3}.get(len(match[1]) % 4, 0)
    if not unused or HEX.fullmatch(match[0]) or place < 0 or place & unused or place + 1 >= len(ALPHABET):
        return match[0]
    return match[1][:-1] + ALPHABET[place + 1 : place + 2] + match[2]


def _others(value: bytes) -> list[bytes]:
    text = value.decode("latin-1")
    if text.isdigit():
        return [str(int(text) + 1).encode(), str(int(text) + 5).encode()]
    if 8 <= len(text) <= 64 and all(letter in "0123456789abcdefABCDEF-" for letter in text):
        return [text.translate(str.maketrans("0123456789abcdef", "123456789abcdef0")).encode()]
    return [value + b"x", value.swapcase()] if len(text) <= 64 else []


def stale(trial: Trial) -> None:
    """A request that was signed a day ago, and one that was signed for tomorrow."""
    done = False
    why = "Whoever finds an old request, in a log for instance, can still send it."
    write = "Sign the time, and refuse what is older than some minutes: HMACVerifier(max_age=…) and its like do."
    for way, _, nature in _signatures(trial):
        if nature.challenged or trial.credentials.single_use is False:
            continue
        seed = time.time_ns()
        for tried, ago in (("signed a day ago", 86400.0), ("signed for tomorrow", -86400.0)):
            seed += 2
            then = time.time() - ago
            once, before, again = (_written(trial.signed(way, at=(at, seed))) for at in (then, then - ago, then))
            if once == before or (once != again and not is_client_half(way)):
                break  # it holds no time, or a clock or counter of its own that went on meanwhile
            old = trial.signed(way, at=(then, seed + 1))
            done = True
            trial.attempt(tried, old.request, old.body, why=why, write=write)
    if not done:
        raise NotTried(
            "the credentials hold no time, or the function that signs has it from a clock that can't be set back: time.time, time.time_ns and datetime can"
        )


def _written(signed: Signed) -> tuple[object, ...]:
    return (signed.request.headers, signed.request.target, signed.body)


def tampered(trial: Trial) -> None:
    """A signed request whose body, query, path, method or host was changed on the way."""
    reasons = []
    for way, signed, nature in _signatures(trial):
        covers = nature.covers if trial.credentials.covers is None else trial.credentials.covers
        if covers is None:
            reasons.append(
                "it can't be found out what the signature covers: say covers=['method', 'path', 'query', 'body']"
            )
            continue
        for part, tried, changed in _changes(trial, way, signed):
            if part in covers:
                if part in ("path", "method") and _is_open(trial, changed):
                    continue
                trial.attempt(tried, changed.request, changed.body, anywhere=part in ("path", "method"),
                              why=f"The {part} isn't what was signed: whoever stands between can change it.", write=COVER)  # fmt: skip
        missing = [part for part in ("method", "path", "query", "body") if part not in covers]
        if missing and not covers:
            reasons.append("the signature covers nothing of the request")
    if trial.tried == 0:
        raise NotTried(
            "; ".join(dict.fromkeys(reasons)) or "the signature covers none of the parts that can be changed here"
        )


def _changes(trial: Trial, way: Sign, signed: Signed) -> Iterator[tuple[str, str, Signed]]:
    """Each change with the part that it concerns, made of a fresh request: none of them was sent before."""

    def fresh() -> Signed:
        return trial.signed(way)

    path, mark, query = signed.request.target.partition(b"?")
    for more in (b"watchword=1", b"admin=true"):
        yield "query", "the query longer", fresh().changed(target=path + b"?" + (query + b"&" if query else b"") + more)
    if query and not signed.in_target:
        yield "query", "the query removed", fresh().changed(target=path)
    if signed.plain_body and not signed.in_body:
        yield from (("body", tried, changed) for tried, changed in _bodies(fresh))
    elif trial.route.method in ("POST", "PUT", "PATCH", "DELETE"):
        yield "body", "a body added", fresh().changed(body=b'{"watchword":1}')
    for other in trial.target.routes:
        if (
            other.path != trial.route.path
            and other.method == trial.route.method
            and not trial.credentials.is_public(other)
            and not other.framework
        ):
            yield (
                "path",
                f"sent to {other.path}",
                fresh().changed(target=other.example(trial.credentials.parameters).encode() + mark + query),
            )
    if trial.path != trial.route.path:
        example = trial.route.example(
            {**trial.credentials.parameters, **dict.fromkeys(_parameters(trial.route.path), "2")}
        )
        yield "path", "another value in the path", fresh().changed(target=example.encode() + mark + query)
    for route in trial.target.routes:
        if route.path == trial.route.path and route.method not in (trial.route.method, "WEBSOCKET"):
            yield "method", f"the method changed to {route.method}", fresh().changed(method=route.method)
    yield "host", "sent to another host", fresh().changed(authority="attacker.example")
    for name in (b"x-forwarded-host", b"x-original-host", b"forwarded"):
        own = trial.credentials.authority.encode()
        moved = fresh().changed(authority="attacker.example")
        yield (
            "host",
            f"sent to another host, with {name.decode()}",
            moved.with_field(name, b"host=" + own if name == b"forwarded" else own),
        )


def _is_open(trial: Trial, changed: Signed) -> bool:
    """Whether the other route lets in anybody: then it is attacked by itself."""
    plain = Signed(changed.plain, changed.plain_body, changed.plain, changed.plain_body)
    there = plain.changed(method=changed.request.method, target=changed.request.target)
    return trial.let_in(trial.send(there.request, there.body))


def _parameters(path: str) -> list[str]:
    from watchword.testing.attacks.routes import PLACE  # noqa: PLC0415

    names = []
    for match in PLACE.finditer(path):
        first, _, second = (match[1] if match[1] is not None else match[2]).partition(":")
        names.append(first if match[1] is not None else second or first)
    return names


def _bodies(fresh: Callable[[], Signed]) -> Iterator[tuple[str, Signed]]:
    for tried, change in (
        ("a space after the body", lambda body: body + b" "),
        ("a member added to the body", lambda body: body.replace(b"{", b'{"watchword":1,', 1).replace(b",}", b"}")),
        ("another body", lambda _: b'{"watchword":1}'),
        ("no body", lambda _: b""),
    ):
        signed = fresh()
        if (changed := change(signed.body)) != signed.body:
            yield tried, signed.changed(body=changed)
    signed = fresh()
    chunked = signed.with_field(b"transfer-encoding", b"chunked")
    yield "another body in chunks", chunked.changed(body=b'{"watchword":1}')
