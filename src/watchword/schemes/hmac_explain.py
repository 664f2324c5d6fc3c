"""Why an HMAC request was refused: tries what usually goes wrong until the MAC fits, and so names the component."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from watchword.core.records import Found, Ref
from watchword.core.rejection import ConfigurationError
from watchword.core.scheme import Body, Check
from watchword.crypto.digests import compare
from watchword.crypto.keys import Key, RegisteredKey
from watchword.schemes import hmac_header as scheme

if TYPE_CHECKING:
    from watchword.schemes.hmac_header import HMACClaim

__all__ = ["explain_hmac"]

MAX_NAMES = 4
"""Forwarded hosts that are tried; each is tried with every method and target, and whoever sent them chose how many."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Guess(NamedTuple):
    """Something that may have gone wrong: a component as the client may have signed it."""

    component: str
    signed: str
    received: str
    mend: str
    canonical: bytes


def explain_hmac(claim: HMACClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """The canonical string that this request has, and every check."""
    params, verifier = claim.params, claim.verifier
    record = found.get(Ref(RegisteredKey, (params.key_id,)))
    checks = [
        Check("key id", record is not None, "authorization keyid", "a registered key id", params.key_id,
              "" if record else "register the key with store.add_key, or send the key id that was registered"),
        _mac(claim, record, body),
    ]  # fmt: skip
    actual = scheme.base64url(body.digest("sha-256"))
    fits = compare(actual.encode(), params.digest.encode())
    checks.append(
        Check("body", fits, "body", f"SHA-256 {params.digest}", f"SHA-256 {actual} of {len(body.data)} octets",
              "" if fits else _mend_body(params.digest, body.data))
    )  # fmt: skip
    age = now - int(params.timestamp)
    in_time = -verifier.skew <= age < verifier.max_age
    late = f"signed {age:.0f} s ago: sign anew for every request, and check both clocks"
    early = f"signed {-age:.0f} s in the future: check both clocks"
    checks.append(
        Check("time", in_time, "authorization timestamp", f"{now - verifier.max_age:.0f} to {now + verifier.skew:.0f}",
              params.timestamp, "" if in_time else late if age > 0 else early)
    )  # fmt: skip
    return claim.canonical().decode("utf-8", "backslashreplace"), checks


def _mac(claim: HMACClaim, record: RegisteredKey | None, body: Body) -> Check:
    received = f"{claim.params.mac[:6]}…"
    if record is None:
        return Check("mac", None, "mac", "", received, "the key is unknown")
    key = Key.from_secret(record.secret, algorithm=record.algorithm)
    expected = scheme.base64url(key.sign(claim.canonical()))
    if compare(expected.encode(), claim.params.mac.encode()):
        return Check("mac", True, "mac", f"{expected[:6]}…", received)
    for guess in _guesses(claim, body):
        if _fits(claim, key, guess.canonical):
            return Check("mac", False, guess.component, guess.signed, guess.received, guess.mend)
    for name, other in _other_keys(record):
        if _fits(claim, other, claim.canonical()):
            return Check(
                "mac",
                False,
                "key",
                "the registered secret",
                f"the secret {name}",
                f"the client signs with the secret {name}",
            )
    return Check(
        "mac", False, "mac", f"{expected[:6]}…", received,
        "none of the usual changes explains it: compare the canonical string with the client's, line by line, and the secret",
    )  # fmt: skip


def _fits(claim: HMACClaim, key: Key, covered: bytes) -> bool:
    return compare(scheme.base64url(key.sign(covered)).encode(), claim.params.mac.encode())


def _guesses(claim: HMACClaim, body: Body) -> Iterator[Guess]:
    """One component changed at a time, then pairs of method, authority and target."""
    request, params = claim.request, claim.params
    actual = scheme.base64url(body.digest("sha-256"))
    methods = [request.method, *(method for method in METHODS if method != request.method)]
    authorities = list(dict.fromkeys((request.authority, *_authorities(claim))))
    targets = list(dict.fromkeys((request.target, *_targets(request.target))))
    digests = list(dict.fromkeys((params.digest, actual)))
    combinations = sorted(
        product(range(len(methods)), range(len(authorities)), range(len(targets)), range(len(digests))),
        key=lambda indices: sum(index > 0 for index in indices),
    )
    for m, a, t, d in combinations:
        if not (m or a or t or d):
            continue
        covered = scheme.canonical(params._replace(digest=digests[d]), methods[m], authorities[a], targets[t])
        if m:
            yield Guess("@method", methods[m], request.method, "something changed the method on the way", covered)
        elif a:
            yield Guess("@authority", authorities[a], request.authority,
                        "a proxy rewrote Host: let it pass Host on, or tell the guard the public origin (PublicURL)",
                        covered)  # fmt: skip
        elif t:
            yield Guess("@target", targets[t].decode("latin-1"), request.target.decode("latin-1"),
                        "something rewrote the target: it is signed exactly as sent", covered)  # fmt: skip
        else:
            yield Guess("authorization digest", digests[d], params.digest, "the digest was changed on the way", covered)


def _authorities(claim: HMACClaim) -> Iterator[str]:
    authority = claim.request.authority
    host, colon, port = authority.rpartition(":")
    if colon and port.isdigit():
        yield host
    else:
        yield from (f"{authority}:{port}" for port in ("80", "443", "8000", "8080"))
    for name in (b"x-forwarded-host", b"x-original-host"):
        for value in claim.request.values(name)[:MAX_NAMES]:
            yield value.decode("latin-1").strip()
    yield from ("localhost", "127.0.0.1")


def _targets(target: bytes) -> Iterator[bytes]:
    path, mark, query = target.partition(b"?")
    yield path
    yield path.rstrip(b"/") + mark + query
    yield path + b"/" + mark + query
    yield unquote_to_bytes(path) + mark + query
    yield quote(path, safe="/%").encode() + mark + query
    yield quote(unquote_to_bytes(path), safe="/").encode() + mark + query
    if mark:
        yield path + mark + b"&".join(sorted(query.split(b"&")))
        yield path + mark + query.replace(b"+", b"%20")
        yield path + mark + query.replace(b"%20", b"+")
    segments = path.split(b"/")
    for cut in range(2, min(len(segments), 5)):
        yield b"/" + b"/".join(segments[cut:]) + mark + query


def _other_keys(record: RegisteredKey) -> Iterator[tuple[str, Key]]:
    """The secret in the wrong encoding."""
    secret = record.secret
    forms = [
        ("as hex text instead of its octets", secret.hex().encode()),
        ("as base64url text instead of its octets", scheme.base64url(secret).encode()),
        ("with a line break at its end", secret + b"\n"),
        ("without its last line break", secret.rstrip(b"\r\n")),
    ]
    try:
        forms.append(("decoded from hex", bytes.fromhex(secret.decode("ascii"))))
    except ValueError:
        pass
    try:
        text = secret.translate(bytes.maketrans(b"-_", b"+/"))
        forms.append(("decoded from base64", a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)))
    except Base64Error:
        pass
    for name, form in forms:
        if form != secret:
            try:
                yield name, Key.from_secret(form, algorithm=record.algorithm)
            except ConfigurationError:
                continue


def _mend_body(signed: str, data: bytes) -> str:
    from watchword.crypto.digests import digest  # noqa: PLC0415 -- only when asked why

    for what, other in (
        ("a line break was added at its end", data.rstrip(b"\r\n")),
        ("a line break was lost at its end", data + b"\n"),
        ("it was signed as an empty body", b""),
    ):
        if other != data and scheme.base64url(digest("sha-256", other)) == signed:
            return what
    return "the body changed after it was signed: sign exactly the octets that are sent"
