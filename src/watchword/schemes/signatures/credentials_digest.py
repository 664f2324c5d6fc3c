"""Which credentials an answer is for: a digest of them, under a key that the request brought along.

A signature that anybody can verify must not cover a password: somebody who gets hold of an answer could try passwords until one fits.
So the client sends 32 random octets, `Want-Credentials-Digest: hmac-sha-256=:…:`, and the server answers with the HMAC
(RFC 2104) of the credentials that it saw under that key, `Credentials-Digest: hmac-sha-256=:…:;fields="authorization cookie"`,
which its signature covers like any field. `fields` names all that it looked at, so that it speaks of those that were not there
too. The key is covered as well (`"want-credentials-digest";req`). So an answer alone tells nothing of the request by which a
guess could be tried, be it of a password, a cookie, a query or a body. Any verifier of RFC 9421 can verify the signature.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from watchword.core.message import Headers
from watchword.core.rejection import Reason, Rejected
from watchword.crypto.digests import compare, hmac_sha256
from watchword.fields.structured import (
    Item,
    StructuredFieldError,
    parse_dictionary,
    serialize_bare_item,
    serialize_dictionary,
)
from watchword.schemes.signatures.components import Component
from watchword.schemes.signatures.consequential import CREDENTIALS, check_covered

__all__ = [
    "ANSWER", "KEY_OCTETS", "WANTED", "check_credentials", "check_digest_covered", "credentials_digest", "wanting",
]  # fmt: skip

WANTED: Final = b"want-credentials-digest"
ANSWER: Final = b"credentials-digest"
KEY_OCTETS: Final = 32
_ALGORITHM: Final = "hmac-sha-256"
_LONGEST: Final = 512
_AROUND: Final = b" \t\r\n"


def wanting(key: bytes) -> bytes:
    """The value of Want-Credentials-Digest.

    >>> wanting(bytes(3))
    b'hmac-sha-256=:AAAA:'
    """
    return serialize_dictionary({_ALGORITHM: Item(key)}).encode("ascii")


def credentials_digest(request: Headers, names: Collection[bytes]) -> bytes | None:
    """The value of Credentials-Digest; None where the request doesn't ask for it, or not so that it could be answered.

    Args:
        request: the fields of the request.
        names: those that hold credentials.
    """
    key = _key(request)
    if key is None:
        return None
    listed = sorted(names)
    fields = b" ".join(listed).decode("ascii")
    return serialize_dictionary({_ALGORITHM: Item(_mac(key, request, listed), {"fields": fields})}).encode("ascii")


def check_credentials(request: Headers, answer: Headers) -> Collection[bytes]:
    """The fields of the request for whose values, or absence, the answer is. `check_digest_covered` says whether its own field is covered.

    Args:
        request: the fields of the request.
        answer: those of the answer.

    Raises:
        Rejected: NOT_COVERED, MALFORMED_CREDENTIALS; BINDING_MISMATCH: it is for others.
    """
    key = _key(request)
    if key is None:
        if any(name in CREDENTIALS for name, _ in request):
            raise _not_covered("the request did not ask for a digest of its credentials")
        return ()
    lines = [value for name, value in answer if name == ANSWER]
    if not lines:
        raise _not_covered("the answer does not say for which credentials it is")
    member = _member(lines)
    fields = None if member is None else member.params.get("fields")
    if member is None or not isinstance(member.value, bytes) or not isinstance(fields, str):
        raise Rejected(Reason.MALFORMED_CREDENTIALS, f"no {_ALGORITHM} with fields", where=ANSWER.decode())
    names = frozenset(fields.encode("ascii").split(b" "))
    missing = sorted(CREDENTIALS - names)
    if missing:
        raise _not_covered(f"the digest leaves out {missing[0].decode('ascii')}")
    if not compare(_mac(key, request, sorted(names)), member.value):
        raise Rejected(Reason.BINDING_MISMATCH, "the answer is for other credentials", where=ANSWER.decode())
    return names


def check_digest_covered(components: Sequence[Component], request: Headers, answer: Headers) -> None:
    """Whether a signature covers the digest and its key: both are sent openly, so anybody could make another digest.

    Args:
        components: what it covers.
        request: as for `check_credentials`.
        answer: as for `check_credentials`.

    Raises:
        Rejected: NOT_COVERED.
    """
    wanted = [line for line in request if line[0] == WANTED]
    check_covered(components, wanted, [line for line in answer if line[0] == ANSWER], ())


def _mac(key: bytes, request: Headers, names: Iterable[bytes]) -> bytes:
    """The HMAC of a line for each name, with the field's combined value in base64 if there is one."""
    return hmac_sha256(key, b"".join(_line(name, request) for name in names))


def _line(name: bytes, request: Headers) -> bytes:
    values = [value.strip(_AROUND) for field, value in request if field == name]
    if not values:
        return name + b"\n"
    # Cookies are split and joined on the way by a rule of their own (RFC 9113 §8.2.3).
    value = (b"; " if name == b"cookie" else b", ").join(values)
    return name + b": " + serialize_bare_item(value).encode("ascii") + b"\n"


def _key(request: Headers) -> bytes | None:
    lines = [value for name, value in request if name == WANTED]
    member = _member(lines) if lines and sum(map(len, lines)) <= _LONGEST else None
    if member is None or not isinstance(member.value, bytes) or len(member.value) != KEY_OCTETS:
        return None
    return member.value


def _member(lines: Collection[bytes]) -> Item | None:
    try:
        member = parse_dictionary(b", ".join(lines), unique=True, most=16).get(_ALGORITHM)
    except StructuredFieldError:
        return None
    return member if isinstance(member, Item) else None


def _not_covered(detail: str) -> Rejected:
    return Rejected(Reason.NOT_COVERED, detail, where=ANSWER.decode())
