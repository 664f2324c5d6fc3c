"""Bodies in chunks (`Content-Encoding: aws-chunked`): each chunk is signed, its signature covers the one before it.

As "Signature calculations for the Authorization header: transferring payload in multiple chunks" in the Amazon S3 API
Reference has it. The reader holds the last data back until the end has been proven: who has all of a body has a genuine one.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Generator
from typing import ClassVar, Final, NamedTuple

from watchword.core.rejection import Reason, Rejected
from watchword.crypto.digests import compare, hex_digest
from watchword.schemes.sigv4.access_key import Signing
from watchword.schemes.sigv4.canonical import EMPTY
from watchword.schemes.sigv4.checksums import ALGORITHMS, PREFIX, checksum

__all__ = ["MAX_CHUNK", "STREAMING", "ChunkedBody", "Form", "Seed", "encode", "encoded_length"]

MAX_CHUNK: Final = 16 * 1024 * 1024
"""Octets of one signed chunk, which is kept until its signature is checked."""
MAX_LINE: Final = 512
MAX_TRAILERS: Final = 16
TRAILER_SIGNATURE: Final = b"x-amz-trailer-signature"
PADDED: Final = 144
"""Characters to which an ECDSA signature is filled with "*", so that the length of a body is known before it is signed."""

_SIGNED_HEAD = re.compile(rb"([0-9A-Fa-f]{1,8});chunk-signature=((?:[0-9a-f]{2}){8,72})\**+")
_HEAD = re.compile(rb"([0-9A-Fa-f]{1,15})")
_TRAILER = re.compile(rb"([A-Za-z0-9\-]{1,64}):[ \t]*+([!-~]{1,256})[ \t]*+\n?")


Steps = Generator[None, None, None]


class Form(NamedTuple):
    """What x-amz-content-sha256 says of a body in chunks."""

    signed: bool
    ecdsa: bool
    trailer: bool


STREAMING: Final = {
    b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD": Form(True, False, False),
    b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": Form(True, False, True),
    b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD": Form(True, True, False),
    b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER": Form(True, True, True),
    b"STREAMING-UNSIGNED-PAYLOAD-TRAILER": Form(False, False, True),
}


class Seed(NamedTuple):
    """What the chunks' signatures go on from: the request's own."""

    algorithm: bytes
    timestamp: bytes
    scope: bytes
    signature: bytes
    signing: Signing

    def chunk(self, previous: bytes, data: bytes) -> bytes:
        """What the signature of a chunk covers."""
        return b"\n".join(
            (self.algorithm + b"-PAYLOAD", self.timestamp, self.scope, previous, EMPTY, hex_digest("sha-256", data))
        )

    def trailer(self, previous: bytes, lines: bytes) -> bytes:
        """What the signature of the trailers covers."""
        return b"\n".join(
            (self.algorithm + b"-TRAILER", self.timestamp, self.scope, previous, hex_digest("sha-256", lines))
        )


class ChunkedBody:
    """Checks such a body as it passes, and takes the chunks' frames off (`BodyStream`).

    Args:
        form: what the request says that the body is.
        seed: the request's signature, and the key.
        length: octets of data that the request says there are (x-amz-decoded-content-length).
        trailers: the trailers that the request names, in lower case (x-amz-trailer).
        max_chunk: octets of one signed chunk.
    """

    unframes: ClassVar[bool] = True

    def __init__(self, form: Form, seed: Seed, length: int, trailers: frozenset[bytes], max_chunk: int) -> None:
        self._form = form
        self._seed = seed
        self._length = length
        self._trailers = trailers
        self._max_chunk = max_chunk
        self._previous = seed.signature
        self._buffer = bytearray()
        self._steps = self._parse()
        self._out: list[bytes] = []
        self._passed = 0
        self._held = b""
        self._number = 0
        self._ended = False
        self._sums = {
            name: ALGORITHMS[name[len(PREFIX) :].decode("ascii")]()
            for name in trailers
            if name.startswith(PREFIX) and name[len(PREFIX) :].decode("ascii", "replace") in ALGORITHMS
        }
        next(self._steps)

    def feed(self, chunk: bytes, /) -> bytes:
        """What is proven by now, and may be read.

        Raises:
            Rejected: WRONG_SIGNATURE, WRONG_BODY, BODY_TOO_LARGE.
        """
        if chunk:
            self._buffer += chunk
            try:
                next(self._steps)
            except StopIteration:  # it was refused before
                raise self._wrong("what follows a part that was refused") from None
        return self._taken()

    def end(self) -> bytes:
        """The rest.

        Raises:
            Rejected: WRONG_BODY, the body is not complete.
        """
        if not self._ended:
            raise self._wrong("it ends before its last chunk and trailers have come")
        held, self._held = self._held, b""
        return self._taken() + held

    def _taken(self) -> bytes:
        data = b"".join(self._out)
        self._out.clear()
        return data

    # ---- the grammar: each step takes from the buffer, or yields until there is more --------------------------------

    def _parse(self) -> Steps:
        while True:
            self._number += 1
            line = yield from self._line()
            match = (_SIGNED_HEAD if self._form.signed else _HEAD).fullmatch(line)
            if match is None or (line.endswith(b"*") and not self._form.ecdsa):
                raise self._wrong("the line before the chunk does not follow its grammar")
            size = int(match[1], 16)
            if size > self._length - self._passed:
                raise self._wrong(f"it has more than the {self._length} octets that x-amz-decoded-content-length says")
            if self._form.signed:
                yield from self._signed(size, match[2])
            else:
                yield from self._unsigned(size)
            if size == 0:
                break
            if (yield from self._take(2)) != b"\r\n":
                raise self._wrong("the chunk does not end where it says")
        if self._passed != self._length:
            raise self._wrong(f"{self._passed} octets where x-amz-decoded-content-length says {self._length}")
        yield from self._end()
        self._ended = True
        while not self._buffer:
            yield
        self._ended = False  # what is held back stays so
        raise self._wrong("something follows the end")

    def _signed(self, size: int, signature: bytes) -> Steps:
        if size > self._max_chunk:
            raise Rejected(
                Reason.BODY_TOO_LARGE,
                f"a chunk of {size} octets where at most {self._max_chunk} are kept",
                where="body",
            )
        data = (yield from self._take(size)) if size else b""
        if not self._seed.signing.fits(self._seed.chunk(self._previous, data), signature):
            raise self._unproven(f"body chunk {self._number}", "the signature is of another chunk, or of another place")
        self._previous = signature
        self._pass(data)

    def _unsigned(self, size: int) -> Steps:
        """Nothing proves such data but the checksum at the end, so it passes as it comes."""
        while size:
            while not self._buffer:
                yield
            data = bytes(self._buffer[:size])
            del self._buffer[:size]
            size -= len(data)
            self._pass(data)

    def _pass(self, data: bytes) -> None:
        if not data:
            return
        self._passed += len(data)
        for each in self._sums.values():
            each.update(data)
        if self._passed < self._length:
            self._out.append(data)
        else:
            self._held = data

    def _end(self) -> Steps:
        """The trailers, up to the empty line."""
        lines = b""
        seen: dict[bytes, bytes] = {}
        while line := (yield from self._line()):
            match = _TRAILER.fullmatch(line)
            if match is None or not self._form.trailer or len(seen) > MAX_TRAILERS:
                raise self._wrong("what follows the last chunk is no trailer that the request announces")
            name = match[1].lower()
            if name in seen or TRAILER_SIGNATURE in seen:
                raise self._wrong("a trailer is there twice, or after their signature")
            seen[name] = match[2]
            if name != TRAILER_SIGNATURE:
                lines += name + b":" + match[2] + b"\n"
        if self._form.trailer:
            self._check_trailers(seen, lines)

    def _check_trailers(self, seen: dict[bytes, bytes], lines: bytes) -> None:
        signature = seen.pop(TRAILER_SIGNATURE, b"").rstrip(b"*")
        if self._form.signed and not self._fits_trailer(lines, signature):
            raise self._unproven("body trailer", "the signature is of other trailers, or missing")
        if seen.keys() != self._trailers:
            raise self._wrong("the trailers are not those that x-amz-trailer names")
        for name, each in self._sums.items():
            if not compare(b64encode(each.digest()), seen[name]):
                raise Rejected(Reason.WRONG_BODY, f"{name.decode()} is that of another body", where="body trailer")

    def _fits_trailer(self, lines: bytes, signature: bytes) -> bool:
        if re.fullmatch(rb"(?:[0-9a-f]{2}){8,72}", signature) is None:
            return False
        return self._seed.signing.fits(self._seed.trailer(self._previous, lines), signature)

    def _line(self) -> Generator[None, None, bytes]:
        """The octets up to the next line end."""
        searched = 0
        while (at := self._buffer.find(b"\r\n", searched)) < 0:
            if len(self._buffer) > MAX_LINE:
                raise self._wrong(f"a line of more than {MAX_LINE} octets")
            searched = max(0, len(self._buffer) - 1)
            yield
        if at > MAX_LINE:
            raise self._wrong(f"a line of more than {MAX_LINE} octets")
        line = bytes(self._buffer[:at])
        del self._buffer[: at + 2]
        return line

    def _take(self, size: int) -> Generator[None, None, bytes]:
        while len(self._buffer) < size:
            yield
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _wrong(self, detail: str) -> Rejected:
        return Rejected(Reason.WRONG_BODY, detail, where=f"body chunk {self._number}")

    def _unproven(self, where: str, detail: str) -> Rejected:
        return Rejected(Reason.WRONG_SIGNATURE, detail, where=where)


# ---- the other half --------------------------------------------------------------------------------------------------


def encode(form: Form, seed: Seed, data: bytes, size: int, trailer: str) -> bytes:
    """`data` in chunks of `size` octets, each signed if `form` says so, with the checksum `trailer` if it has one."""
    parts: list[bytes] = []
    previous = seed.signature
    for start in (*range(0, len(data), size), len(data)):
        piece = data[start : start + size]
        head = b"%x" % len(piece)
        if form.signed:
            previous = seed.signing.sign(seed.chunk(previous, piece))
            head += b";chunk-signature=" + _padded(previous, form)
        parts += [head, b"\r\n", piece, b"\r\n" if piece else b""]
    if form.trailer:
        line = PREFIX + trailer.encode() + b":" + checksum(trailer, data)
        parts += [line, b"\r\n"]
        if form.signed:
            signature = seed.signing.sign(seed.trailer(previous, line + b"\n"))
            parts += [TRAILER_SIGNATURE, b":", _padded(signature, form), b"\r\n"]
    return b"".join((*parts, b"\r\n"))


def _padded(signature: bytes, form: Form) -> bytes:
    return signature.ljust(PADDED, b"*") if form.ecdsa else signature


def encoded_length(form: Form, length: int, size: int, trailer: str) -> int:
    """Octets that `encode` makes of `length` octets; known before anything is signed."""
    signature = len(b";chunk-signature=") + (PADDED if form.ecdsa else 64) if form.signed else 0
    whole, rest = divmod(length, size)
    total = whole * (len(b"%x" % size) + signature + 4 + size) + 1 + signature + 4
    if rest:
        total += len(b"%x" % rest) + signature + 4 + rest
    if form.trailer:
        total += len(PREFIX) + len(trailer) + 1 + len(checksum(trailer, b"")) + 2
        if form.signed:
            total += len(TRAILER_SIGNATURE) + 1 + (PADDED if form.ecdsa else 64) + 2
    return total
