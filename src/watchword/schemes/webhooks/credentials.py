"""A webhook as it came in: the fields and the body that were handed over, and the signatures among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

from watchword.core.message import Headers
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.scheme import malformed
from watchword.schemes.webhooks.profiles import WebhookProfile
from watchword.schemes.webhooks.times import TIME_FORMATS

__all__ = ["MAX_SIGNATURES", "Layout", "PresentedCredentials", "octets_of", "raw_body"]

MAX_SIGNATURES: Final = 16
"""Items of a signature field: a sender has two or three secrets, and whoever forges one chooses how many are tried."""
MAX_FIELD: Final = 16 * 1024
_ID: Final = rb"[!-~]{1,256}+"

_RAW: Final = (
    "pass the body as the octets that came in, since JSON that was parsed and written again has another signature. "
    "Flask: request.get_data(); FastAPI and Starlette: await request.body(); Django: request.body; "
    "aiohttp: await request.read()"
)


class PresentedCredentials:
    """What the fields say, filled in by `Layout`: `macs` and `signatures` (by a private key) are those that may be genuine, without
    their prefixes; `sent` is the time in seconds since the epoch, 0 if no field says it.
    """

    __slots__ = ("content_type", "macs", "message_id", "sent", "signatures", "timestamp")

    message_id: bytes
    timestamp: bytes
    macs: list[bytes]
    signatures: Sequence[bytes]
    content_type: bytes
    sent: float

    @classmethod
    def of(
        cls, message_id: bytes, timestamp: bytes, macs: list[bytes], signatures: Sequence[bytes], content_type: bytes
    ) -> PresentedCredentials:
        """What such fields say. A call of this takes longer than to fill a new one in."""
        made = cls()
        made.message_id, made.timestamp, made.content_type = message_id, timestamp, content_type
        made.macs, made.signatures, made.sent = macs, signatures, 0
        return made


class Layout:
    """Where a profile's fields are and how they are written, prepared.

    `fields` are the names of the signature field, the usual one first.
    """

    __slots__ = (
        "_blank", "_families", "_format", "_head", "_id", "_id_needed", "_mark", "_prefix", "_public_keys", "_public_prefix",
        "_sent", "_separator", "_time_prefix", "_typed", "_wanted_octets", "_wanted_text", "fields",
    )  # fmt: skip

    def __init__(self, profile: WebhookProfile) -> None:
        names = (profile.signature, profile.id, profile.timestamp)
        self._families = [names]
        if profile.alias:
            self._families.append(tuple(_renamed(name, profile.alias) for name in names))  # type: ignore[arg-type] # three
        self.fields = [family[0].encode() for family in self._families]
        wanted = [name for family in self._families for name in family]
        self._typed = len(wanted) if "form" in profile.parts else -1
        if self._typed >= 0:
            wanted.append("content-type")
        self._blank: list[bytes | None] = [None] * len(wanted)
        self._wanted_text = {name: index for index, name in enumerate(wanted) if name}
        self._wanted_octets = {name.encode(): index for name, index in self._wanted_text.items()}
        self._prefix = profile.prefix.encode()
        self._public_prefix = profile.public_prefix.encode()
        self._time_prefix = profile.timestamp_prefix.encode()
        self._separator = profile.separator.encode()
        # One octet as a number, since looking for it as text takes ten times as long.
        self._mark: int | bytes = self._separator[0] if len(self._separator) == 1 else self._separator
        self._public_keys = profile.has_public_keys
        # An id that isn't signed proves nothing: without it a delivery is as good.
        self._id_needed = "id" in profile.parts
        self._id = re.compile(_signed_id(profile.id_borders) if self._id_needed else _ID)
        timed = profile.timestamp or profile.timestamp_prefix
        self._format = TIME_FORMATS[profile.time_format]
        self._sent = self._format.read if timed else _unsaid
        named = self._id.pattern if self._id_needed else b"(?:" + self._id.pattern + b")?"
        head = (named if profile.id else b"") + b"\n" + (self._format.pattern if timed else b"")
        self._head = re.compile(head).fullmatch

    def read(self, headers: Any) -> PresentedCredentials:
        """The signatures, id and time of a delivery.

        Args:
            headers: a mapping, or pairs, of names in any case to values.

        Raises:
            Rejected: NO_CREDENTIALS, MALFORMED_CREDENTIALS, HEADER_TOO_LARGE.
            ConfigurationError: `headers` are of another kind.
        """
        return self._delivery(self._pick(headers))

    def read_lines(self, lines: Headers) -> PresentedCredentials | None:
        """The same of field lines, their names in lower case; None if there is no signature field.

        Raises:
            Rejected: MALFORMED_CREDENTIALS, HEADER_TOO_LARGE.
        """
        found = self._blank.copy()
        get = self._wanted_octets.get
        for name, value in lines:
            index = get(name)
            if index is not None:
                if found[index] is not None:
                    raise malformed("the field is there twice", name.decode())
                found[index] = value
        if found[0] is None and (len(self._families) == 1 or found[3] is None):
            return None
        return self._delivery(found)

    def unsigned(self, message_id: str, stamp: str, content_type: str) -> PresentedCredentials:
        """A delivery to be signed; id and time are left out where the profile has none.

        Raises:
            Rejected: MALFORMED_CREDENTIALS, an id that can't be signed.
        """
        names = self._families[0]
        named = octets_of(message_id) if names[1] else b""
        timed = stamp.encode() if names[2] or self._time_prefix else b""
        if self._head(named + b"\n" + timed) is None:
            self._refuse(names, named, timed)
        return PresentedCredentials.of(named, timed, [], (), octets_of(content_type))

    def _delivery(self, values: list[bytes | None]) -> PresentedCredentials:
        names = self._families[0]
        signature, message_id, stamp = values[0], values[1], values[2]
        if signature is None:
            if len(self._families) > 1 and values[3] is not None:
                names = self._families[1]
                signature, message_id, stamp = values[3:6]
            if signature is None:
                raise Rejected(Reason.NO_CREDENTIALS, f"there is no {names[0]} field", where=names[0])
        prefix, separator = self._prefix, self._separator
        macs: list[bytes]
        signatures: Sequence[bytes] = ()
        if separator and (self._mark in signature or not signature.startswith(prefix)):
            said, macs, signatures = self._items(signature, names[0])
            if self._time_prefix:
                stamp = said
        elif signature.startswith(prefix) and len(signature) <= MAX_FIELD:
            macs = [signature[len(prefix) :]]
        else:
            _, macs, signatures = self._items(signature, names[0])
        if self._public_keys:
            macs, signatures = [], macs
        named, timed = message_id or b"", stamp or b""
        if self._head(named + b"\n" + timed) is None:
            self._refuse(names, message_id, stamp)
        delivery = PresentedCredentials()
        try:
            delivery.sent = self._sent(timed)
        except ValueError:  # 30 February
            self._refuse(names, message_id, stamp)
        delivery.message_id = named
        delivery.timestamp = timed
        delivery.macs = macs
        delivery.signatures = signatures
        delivery.content_type = b"" if self._typed < 0 else values[self._typed] or b""
        return delivery

    def _pick(self, headers: Any) -> list[bytes | None]:
        """The values of the fields that matter; none of them may come twice."""
        found = self._blank.copy()
        by_text, by_octets = self._wanted_text, self._wanted_octets
        for name, value in headers.items() if type(headers) is dict else _pairs(headers):
            if type(name) is str:
                index = by_text.get(name.lower())
            elif isinstance(name, (bytes, str)):
                index = by_octets.get(name.lower()) if isinstance(name, bytes) else by_text.get(name.lower())
            else:
                raise ConfigurationError(f"the name of a header is text, not {type(name).__name__}")
            if index is not None:
                if found[index] is not None:
                    where = name.decode() if isinstance(name, bytes) else name  # ASCII: it is one of those wanted
                    raise malformed("the field is there twice", where.lower())
                found[index] = value.encode() if type(value) is str and value.isascii() else _octets(value)
        return found

    def stamp(self, now: float) -> str:
        """A time, in seconds since the epoch, as the profile writes it.

        Raises:
            ConfigurationError: it is none, or in a year that can't be written, as milliseconds taken for seconds are.
        """
        try:
            return self._format.write(now)
        except (OverflowError, ValueError):
            raise ConfigurationError(f"now is a number of seconds since the epoch, not {now!r}") from None

    def _refuse(self, names: tuple[str, str, str], message_id: bytes | None, stamp: bytes | None) -> NoReturn:
        """Says what is wrong with the id or the time."""
        if names[1]:
            if message_id is None and self._id_needed:
                raise malformed("the field is missing", names[1])
            if message_id is not None and not self._id.fullmatch(message_id):
                raise malformed("1 to 256 visible ASCII characters, without what ends it where it is signed", names[1])
        where = names[2] or f"{names[0]} {self._time_prefix.decode()}"
        raise malformed("the time is missing" if stamp is None else f"not {self._format.words}", where)

    def _items(self, value: bytes, where: str) -> tuple[bytes | None, list[bytes], list[bytes]]:
        """The time, the MACs and the signatures in a signature field; items of other versions are passed over."""
        if len(value) > MAX_FIELD:
            detail = f"{len(value)} octets where at most {MAX_FIELD} are read"
            raise Rejected(Reason.HEADER_TOO_LARGE, detail, where=where)
        if not self._separator:
            items = [value]
        elif value.count(self._separator) >= MAX_SIGNATURES:
            raise malformed(f"more than {MAX_SIGNATURES} items", where)
        else:
            items = value.split(self._separator)
        stamp: bytes | None = None
        macs: list[bytes] = []
        signatures: list[bytes] = []
        for item in items:
            if item.startswith(self._prefix):
                macs.append(item[len(self._prefix) :])
            elif self._public_prefix and item.startswith(self._public_prefix):
                signatures.append(item[len(self._public_prefix) :])
            elif self._time_prefix and item.startswith(self._time_prefix):
                if stamp is not None:
                    raise malformed("two times", where)
                stamp = item[len(self._time_prefix) :]
        if not macs and not signatures:
            raise malformed(
                f"no signature is in the field: it has none that begins with {self._prefix.decode()!r}", where
            )
        return stamp, macs, signatures


def _signed_id(borders: str) -> bytes:
    """Ids without what stands beside them: with a dot in it, octets could move from the id into the time and the body, or
    back (Standard Webhooks, "Signature scheme").
    """
    octets = bytes(octet for octet in range(0x21, 0x7F) if chr(octet) not in borders)
    return b"[" + re.escape(octets) + b"]{1,256}+"


def _unsaid(_: bytes) -> float:
    return 0


def _renamed(name: str, alias: str) -> str:
    return name and alias + "-" + name.partition("-")[2]


def _pairs(headers: Any) -> Iterable[tuple[Any, Any]]:
    """Names and values, from a mapping (of any framework: `items` gives repeated fields repeatedly) or from pairs."""
    if isinstance(headers, (str, bytes)) or headers is None:
        raise ConfigurationError("headers are a mapping, or pairs, of names to values")
    pairs = headers.items() if hasattr(headers, "items") else headers
    try:
        return [(name, value) for name, value in pairs]
    except (TypeError, ValueError):
        raise ConfigurationError("headers are a mapping, or pairs, of names to values") from None


def octets_of(text: str) -> bytes:
    """UTF-8, with the octets that a framework could not decode; half of a surrogate pair is nothing that anybody signed."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _octets(value: object) -> bytes:
    if isinstance(value, str):
        return octets_of(value)
    if isinstance(value, bytes):
        return value
    raise ConfigurationError(f"the value of a header is text, not {type(value).__name__}")


def raw_body(body: Any) -> bytes:
    """The octets of a body as it came in.

    Raises:
        ConfigurationError: it was parsed or decoded; the message says how to get it in the usual frameworks.
    """
    if isinstance(body, bytes):
        return body
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body)
    kind = type(body).__name__
    if hasattr(body, "__await__"):
        getattr(body, "close", lambda: None)()  # a coroutine that nobody awaits is warned of
        raise ConfigurationError(f"the body is a {kind} that was not awaited: {_RAW}")
    what = (
        "parsed JSON or a form"
        if isinstance(body, (Mapping, list, tuple))
        else "decoded"
        if isinstance(body, str)
        else "no octets"
    )
    raise ConfigurationError(f"the body is {what} ({kind}): {_RAW}")
