"""JSON Web Signatures in their compact form (RFC 7515 §7.1): `sign`, and `Compact` for verifying them all day.

The key decides the algorithm; the header must agree. Nothing that a header carries is trusted: `jwk`, `jku`, `x5u` and
`x5c` are never looked at, an unknown `crit` is refused (RFC 7515 §4.1.11, RFC 8725 §3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec.json

from watchword.structures.bounded import Bounded
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.encoding import (
    b64url_decode, b64url_encode, has_lone_surrogate, parse_leniently, parse_object,
)  # fmt: skip
from watchword.crypto.keys import Key, KeySet, check_key

__all__ = [
    "JWS", "MAX_TOKEN", "Compact", "Segments", "check_header", "decode", "prove", "read_header", "sign", "split",
]  # fmt: skip

MAX_TOKEN: Final = 16 * 1024
"""Octets of the longest token that is looked at, where nobody sets another limit."""

_UNENCODED: Final = re.compile(rb"[\x20-\x2d\x2f-\x7e]*").fullmatch
_DOT: Final = ord(".")
_MAX_KNOWN_HEADERS: Final = 256
_MAX_KNOWN_HEADER: Final = 1024


class JWS(NamedTuple):
    """A signature that was verified: the protected header, the payload, and the key that made it."""

    header: Mapping[str, Any]
    payload: bytes
    key: Key


class Segments(NamedTuple):
    """A token taken apart, nothing decoded."""

    header: bytes
    payload: bytes
    signature: bytes
    signing_input: bytes


def sign(
    payload: bytes,
    key: Key,
    *,
    header: Mapping[str, object] | None = None,
    detached: bool = False,
    b64: bool = True,
) -> str:
    """A compact JWS of `payload`.

    Args:
        payload: any octets.
        key: signs, and gives `alg` and `kid`.
        header: further protected header members.
        detached: leave the payload out; the verifier must be handed it (RFC 7515 appendix F).
        b64: False signs the payload as it is, not its base64url (RFC 7797). Not for JWT (§7); unless detached, the
            payload must then be visible ASCII without a dot (§5.2).

    Raises:
        ConfigurationError: a public key, or a header that contradicts the key or needs what is not built.

    >>> key = Key.from_secret(bytes(32), algorithm="HS256")
    >>> sign(b"hello", key, detached=True)
    'eyJhbGciOiJIUzI1NiJ9..xcI2hwWQPHudSy2xmoF2Y4FczYW88Ap7828_QMFablM'
    """
    check_key(key)
    members: dict[str, object] = {"alg": key.algorithm}
    if key.key_id is not None:
        members["kid"] = key.key_id
    for name, value in (header or {}).items():
        if name in ("crit", "b64") or members.setdefault(name, value) != value:
            raise ConfigurationError(f"the header member {name!r} is the key's to say, or not supported: leave it out")
    if not b64:
        members |= {"b64": False, "crit": ["b64"]}
        if not detached and not _UNENCODED(payload):
            raise ConfigurationError("a payload with a dot or other octets goes detached, or encoded (RFC 7797 §5.2)")
    head = b64url_encode(msgspec.json.encode(members))
    body = b64url_encode(payload) if b64 else payload
    signing_input = head + b"." + body
    signature = b64url_encode(key.sign(signing_input))
    return ((head + b"." if detached else signing_input) + b"." + signature).decode()


class Compact:
    """Verifies compact JWS with prepared keys; remembers the headers that it has seen on genuine tokens.

    Real tokens of one issuer share one protected header, so a known one is not decoded again. Only a good signature
    puts one in, and their number and size are bounded: nobody else can fill this memory.
    """

    __slots__ = ("_known", "keys", "max_token")

    def __init__(self, keys: KeySet, max_token: int = MAX_TOKEN) -> None:
        self.keys = keys
        self.max_token = max_token
        self._known: Bounded[bytes, tuple[Mapping[str, Any], tuple[Key, ...]]] = Bounded(_MAX_KNOWN_HEADERS)

    def open(self, token: str | bytes) -> tuple[Mapping[str, Any], bytes, Key]:
        """Header, payload and key of a genuine token (a plain tuple: this is the hot path).

        Raises:
            Rejected: HEADER_TOO_LARGE, MALFORMED_CREDENTIALS, UNKNOWN_CRITICAL, WRONG_ALGORITHM, UNKNOWN_KEY or
                WRONG_SIGNATURE.
        """
        head, body, tail, signing_input = split(token, self.max_token)
        known = self._known.get(head)
        if known is None:
            return self._open_unknown(head, body, tail, signing_input)
        header, keys = known
        try:
            signature, payload = b64url_decode(tail), b64url_decode(body)
        except ValueError:
            signature, payload = decode(tail, "signature"), decode(body, "payload")  # one of them says where
        if len(keys) != 1:
            return header, payload, prove(keys, signing_input, signature)
        (key,) = keys
        key.verifier(signing_input, signature)
        return header, payload, key

    def _open_unknown(
        self, head: bytes, body: bytes, tail: bytes, signing_input: bytes
    ) -> tuple[Mapping[str, Any], bytes, Key]:
        header = check_header(read_header(head))
        keys = self.keys.candidates(header["alg"], header.get("kid"))
        signature, payload = decode(tail, "signature"), decode(body, "payload")
        key = prove(keys, signing_input, signature)
        if len(head) <= _MAX_KNOWN_HEADER:
            self._known.put(head, (header, keys))
        return header, payload, key

    def __repr__(self) -> str:
        return f"Compact({self.keys!r})"


def split(token: str | bytes, max_token: int = MAX_TOKEN) -> Segments | tuple[bytes, bytes, bytes, bytes]:
    """The segments of a token (those of `Segments`, in a plain tuple), if it has `max_token` octets at most.

    Raises:
        Rejected: HEADER_TOO_LARGE or MALFORMED_CREDENTIALS.
    """
    if len(token) > max_token:
        raise Rejected(Reason.HEADER_TOO_LARGE, f"a token of more than {max_token} octets", where="token")
    if type(token) is bytes:
        octets = token
    else:
        try:
            octets = token.encode("ascii") if isinstance(token, str) else bytes(token)
        except ValueError:  # a UnicodeEncodeError, whose text would show the token
            octets = b""
    signing_input, _, tail = octets.rpartition(b".")
    head, dot, body = signing_input.partition(b".")
    if not dot or _DOT in body:
        raise Rejected(Reason.MALFORMED_CREDENTIALS, "not three segments of base64url (RFC 7515 §7.1)", where="token")
    return head, body, tail, signing_input


def read_header(segment: bytes) -> dict[str, Any]:
    """The members of a protected header, unverified and unchecked.

    Raises:
        Rejected: MALFORMED_CREDENTIALS.
    """
    octets = decode(segment, "header")
    try:
        return parse_object(octets)
    except ValueError as error:
        raise Rejected(Reason.MALFORMED_CREDENTIALS, _mistake(octets, error), where="header") from None


def _mistake(octets: bytes, error: ValueError) -> str:
    """What is wrong with a header that is no JSON object to us; a lone surrogate is, and its member is named."""
    try:
        members = parse_leniently(octets)
    except ValueError:
        return str(error)
    name = next((name for name, value in members.items() if has_lone_surrogate({name: value})), "")
    return f"the member {name[:32]!r} holds half of a surrogate pair (RFC 8259 §8.2)"


def check_header(header: dict[str, Any]) -> dict[str, Any]:
    """`header` if its members are of their types and none of them demands what we don't do (RFC 7515 §4.1).

    Raises:
        Rejected: MALFORMED_CREDENTIALS or UNKNOWN_CRITICAL.
    """
    if "crit" in header:  # no extension is supported, so every crit names an unknown one (RFC 7515 §4.1.11)
        raise Rejected(Reason.UNKNOWN_CRITICAL, "the header demands an extension that is not supported", where="crit")
    if header.get("b64", True) is not True:  # RFC 7797 §6: only together with crit
        raise Rejected(Reason.UNKNOWN_CRITICAL, "an unencoded payload is not supported", where="b64")
    for name in ("alg", "kid", "typ", "cty"):
        if name in header and not isinstance(header[name], str):
            raise Rejected(Reason.MALFORMED_CREDENTIALS, "this header member has to be a text", where=name)
    if "alg" not in header:
        raise Rejected(Reason.MALFORMED_CREDENTIALS, "the header names no algorithm", where="alg")
    return header


def decode(segment: bytes, where: str) -> bytes:
    """What a segment encodes.

    Raises:
        Rejected: MALFORMED_CREDENTIALS at `where`.
    """
    try:
        return b64url_decode(segment)
    except ValueError as error:
        raise Rejected(Reason.MALFORMED_CREDENTIALS, str(error), where=where) from None


def prove(keys: tuple[Key, ...], signing_input: bytes, signature: bytes) -> Key:
    """The first of `keys` (`KeySet.MAX_TRIES` at most) that made the signature.

    Raises:
        Rejected: WRONG_SIGNATURE.
    """
    for key in keys[:-1]:
        try:
            key.verifier(signing_input, signature)
        except Rejected:
            continue
        return key
    keys[-1].verifier(signing_input, signature)
    return keys[-1]
