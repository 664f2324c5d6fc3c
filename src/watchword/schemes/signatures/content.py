"""The digest of a body that a signature covers (RFC 9421 §7.2.5, RFC 9530): expected, and checked at once or in passing."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Sequence
from typing import Final, NamedTuple

from watchword.core.message import Headers
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import Body, Digests, Hasher
from watchword.crypto.digests import compare, new
from watchword.fields.content_digest import ACTIVE, read_digests
from watchword.schemes.signatures.components import Component
from watchword.schemes.signatures.message import Fields
from watchword.schemes.signatures.policy import DIGEST_FIELDS

__all__ = [
    "CONTENT", "SHA256", "ContentCheck", "DigestStream", "Expected", "check_digests", "covered_digests", "digests_need", "expected_digests",
    "is_digest_of", "may_be_usual", "uncovered",
]  # fmt: skip

CONTENT: Final = ((b"content-digest", "content-digest", None),)
"""What is covered where it is all of Content-Digest and nothing else of that kind."""


class Expected(NamedTuple):
    """A digest that the body must have."""

    field: str
    algorithm: str
    value: bytes


CoveredDigest = tuple[bytes, str, str | None]


def covered_digests(components: Sequence[Component]) -> tuple[CoveredDigest, ...]:
    """The digest fields among covered components: name in octets, name, and the one member that is covered (`key`)."""
    return tuple(
        (component.name.encode("ascii"), component.name, component.param("key"))
        for component in components
        if component.name in DIGEST_FIELDS and not component.has("req") and not component.has("tr")
    )


def expected_digests(covered: Sequence[CoveredDigest], fields: Fields) -> tuple[Expected, ...]:
    """The digests of the covered fields; of a field that the message lacks none, which the signature base minds.

    Raises:
        Rejected: MALFORMED_CREDENTIALS: not a digest field. WRONG_ALGORITHM: only digests that nobody should rely on.
    """
    expected: list[Expected] = []
    for name, field, key in covered:
        value = fields.combined(name)
        if value is None:
            continue
        digests = read_digests([value], field)
        found = [Expected(field, algorithm, digests[algorithm]) for algorithm in digests if key in (None, algorithm)]
        if not found:
            detail = f"no covered digest is one of {', '.join(ACTIVE)} (RFC 9530 §5)"
            raise Rejected(Reason.WRONG_ALGORITHM, detail, where=field)
        expected += found
    return tuple(expected)


_NEEDS: Final = {
    frozenset({"sha-256"}): Digests(("sha-256",), new),
    frozenset({"sha-512"}): Digests(("sha-512",), new),
    frozenset({"sha-256", "sha-512"}): Digests(("sha-256", "sha-512"), new),
}
SHA256: Final = _NEEDS[frozenset({"sha-256"})]
_COMMA: Final = 0x2C  # as a number: looking for one octet as text takes ten times as long


def may_be_usual(value: bytes) -> bool:
    """Whether a Content-Digest of this value can hold one SHA-256 digest only; if it is malformed, that comes out later."""
    return value.startswith(b"sha-256=:") and _COMMA not in value


def is_digest_of(value: bytes, body: Body) -> bool:
    """Whether `value`, for which `may_be_usual`, is the canonical digest field of the body."""
    return compare(b"sha-256=:%b:" % b2a_base64(body.digest("sha-256"), newline=False), value)


def digests_need(expected: Sequence[Expected]) -> Digests:
    """What the guard has to compute while it reads the body."""
    return _NEEDS[frozenset(each.algorithm for each in expected)]


def check_digests(expected: Sequence[Expected], body: Body) -> None:
    """That the body has the digests.

    Raises:
        Rejected: WRONG_BODY.
    """
    for field, algorithm, value in expected:
        if not compare(body.digest(algorithm), value):
            raise _wrong(field)


class DigestStream:
    """Checks a body as it passes, holding back the last part that came until the digest of all is known.

    Whoever reads to the end so gets an error and not the end; what was read before is proven by nothing yet.
    """

    __slots__ = ("_expected", "_hashers", "_held")

    def __init__(self, expected: Sequence[Expected]) -> None:
        self._expected = expected
        self._hashers: dict[str, Hasher] = {each.algorithm: new(each.algorithm) for each in expected}
        self._held = b""

    def feed(self, chunk: bytes, /) -> bytes:
        """The part before this one.

        Raises:
            Rejected: NOT_COVERED: there is a body, of which no digest is covered.
        """
        if not chunk:
            return b""
        if not self._expected:
            raise uncovered()
        for hasher in self._hashers.values():
            hasher.update(chunk)
        held, self._held = self._held, chunk
        return held

    def end(self) -> bytes:
        """The last part.

        Raises:
            Rejected: WRONG_BODY.
        """
        for field, algorithm, value in self._expected:
            if not compare(self._hashers[algorithm].digest(), value):
                raise _wrong(field)
        held, self._held = self._held, b""
        return held


class ContentCheck:
    """Compares a request's body with its Content-Digest, for a seal that covers the latter (RFC 9530 §2).

    `settled` once they were compared, whatever came of it.
    """

    __slots__ = ("_headers", "_stream", "settled")

    def __init__(self, headers: Headers) -> None:
        self._headers = headers
        self._stream: DigestStream | None = None
        self.settled = False

    def feed(self, chunk: bytes, /) -> bytes:
        """The part before this one.

        Raises:
            Rejected: MALFORMED_CREDENTIALS or WRONG_ALGORITHM: there is no digest to compare it with.
        """
        return self._begun().feed(chunk)

    def end(self) -> bytes:
        """The last part.

        Raises:
            Rejected: WRONG_BODY, or as `feed`.
        """
        stream = self._begun()
        self.settled = True
        return stream.end()

    def _begun(self) -> DigestStream:
        if self._stream is None:
            try:
                self._stream = DigestStream(expected_digests(CONTENT, Fields(self._headers)))
            except Rejected:
                self.settled = True
                raise
        return self._stream


def uncovered() -> Rejected:
    """The refusal of a body that no covered digest speaks for."""
    return Rejected(Reason.NOT_COVERED, "there is a body, and no digest of it is covered", where="content-digest")


def _wrong(field: str) -> Rejected:
    return Rejected(Reason.WRONG_BODY, "the body does not have the digest that the request gives", where=field)
