"""A webhook as it came in: the fields and the body that were handed over, and the signatures among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.scheme import malformed
from watchword.schemes.webhooks.profiles import WebhookProfile

__all__ = ["MAX_SIGNATURES", "Delivery", "Layout", "raw_body"]

MAX_SIGNATURES: Final = 16
"""Items of a signature field: a sender has two or three secrets, and whoever forges one chooses how many are tried."""
MAX_FIELD: Final = 16 * 1024
_ID: Final = re.compile(rb"[!-~]{1,256}")
# A dot would let octets move between the id, the time and the body (Standard Webhooks, "Signature scheme").
_SIGNED_ID: Final = re.compile(rb"[!-\-/-~]{1,256}")
_TIMESTAMP: Final = re.compile(rb"0|[1-9][0-9]{0,11}")

_RAW: Final = (
    "pass the body as the octets that came in, since JSON that was parsed and written again has another signature. "
    "Flask: request.get_data(); FastAPI and Starlette: await request.body(); Django: request.body; "
    "aiohttp: await request.read()"
)


class Delivery:
    """What the fields say: `macs` and `signatures` (by Ed25519) are those that may be genuine, without their prefixes."""

    __slots__ = ("content_type", "macs", "message_id", "signatures", "timestamp")

    def __init__(
        self,
        message_id: bytes,
        timestamp: bytes,
        macs: list[bytes],
        signatures: list[bytes],
        content_type: bytes,
    ) -> None:
        self.message_id = message_id
        self.timestamp = timestamp
        self.macs = macs
        self.signatures = signatures
        self.content_type = content_type


class Layout:
    """Where a profile's fields are and how they are written, prepared.

    `fields` are the names of the signature field, the usual one first.
    """

    __slots__ = (
        "_families", "_id", "_needs_type", "_prefix", "_public_prefix", "_separator", "_time_prefix", "_wanted_octets",
        "_wanted_text", "fields",
    )  # fmt: skip

    def __init__(self, profile: WebhookProfile) -> None:
        names = (profile.signature, profile.id, profile.timestamp)
        self._families = [names]
        if profile.alias:
            self._families.append(
                (
                    _renamed(names[0], profile.alias),
                    _renamed(names[1], profile.alias),
                    _renamed(names[2], profile.alias),
                )
            )
        self.fields = [family[0].encode() for family in self._families]
        self._needs_type = "form" in profile.parts
        wanted = [name for family in self._families for name in family]
        if self._needs_type:
            wanted.append("content-type")
        self._wanted_text = {name: index for index, name in enumerate(wanted) if name}
        self._wanted_octets = {name.encode(): index for name, index in self._wanted_text.items()}
        self._id = _SIGNED_ID if "id" in profile.parts else _ID
        self._prefix = profile.prefix.encode()
        self._public_prefix = profile.public_prefix.encode()
        self._time_prefix = profile.timestamp_prefix.encode()
        self._separator = profile.separator.encode()

    def names(self, family: int = 0) -> tuple[str, str, str]:
        """The fields of signature, id and time; "" where there is none."""
        return self._families[family]

    def read(self, headers: Any) -> Delivery:
        """The signatures, id and time of a delivery.

        Args:
            headers: a mapping, or pairs, of names in any case to values.

        Raises:
            Rejected: NO_CREDENTIALS, MALFORMED_CREDENTIALS, HEADER_TOO_LARGE.
            ConfigurationError: `headers` are of another kind.
        """
        values = self._pick(headers)
        base = 0
        if values[0] is None:
            base = next((3 * index for index in range(1, len(self._families)) if values[3 * index] is not None), 0)
        signature, message_id, timestamp = values[base : base + 3]
        names = self._families[base // 3]
        if signature is None:
            raise Rejected(Reason.NO_CREDENTIALS, f"there is no {names[0]} field", where=names[0])
        stamp, macs, signatures = self._items(signature, names[0])
        if names[2]:
            stamp = timestamp
        if names[2] or self._time_prefix:
            where = names[2] or f"{names[0]} {self._time_prefix.decode()}"
            if stamp is None:
                raise malformed("the time is missing", where)
            if not _TIMESTAMP.fullmatch(stamp):
                raise malformed("not a number of seconds since the epoch", where)
        if names[1]:
            if message_id is None:
                raise malformed("the field is missing", names[1])
            if not self._id.fullmatch(message_id):
                raise malformed("1 to 256 visible ASCII characters, without a dot where it is signed", names[1])
        return Delivery(
            message_id or b"", stamp or b"", macs, signatures, (values[-1] or b"") if self._needs_type else b""
        )

    def _pick(self, headers: Any) -> list[bytes | None]:
        """The values of the fields that matter; none of them may come twice."""
        found: list[bytes | None] = [None] * (3 * len(self._families) + self._needs_type)
        by_text, by_octets = self._wanted_text, self._wanted_octets
        for name, value in _pairs(headers):
            if type(name) is bytes:
                index = by_octets.get(name.lower())
            elif isinstance(name, str):
                index = by_text.get(name.lower())
            else:
                raise ConfigurationError(f"the name of a header is text, not {type(name).__name__}")
            if index is None:
                continue
            if found[index] is not None:
                raise malformed("the field is there twice", str(name.lower())[:64])
            found[index] = _octets(value)
        return found

    def _items(self, value: bytes, where: str) -> tuple[bytes | None, list[bytes], list[bytes]]:
        """The time, the MACs and the signatures in a signature field; items of other versions are passed over."""
        prefix, separator = self._prefix, self._separator
        if len(value) > MAX_FIELD:
            raise Rejected(
                Reason.HEADER_TOO_LARGE, f"{len(value)} octets where at most {MAX_FIELD} are read", where=where
            )
        if not separator or separator not in value:
            items = [value]
        elif value.count(separator) >= MAX_SIGNATURES:
            raise malformed(f"more than {MAX_SIGNATURES} items", where)
        else:
            items = value.split(separator)
        stamp: bytes | None = None
        macs: list[bytes] = []
        signatures: list[bytes] = []
        for item in items:
            if item.startswith(prefix):
                macs.append(item[len(prefix) :])
            elif self._public_prefix and item.startswith(self._public_prefix):
                signatures.append(item[len(self._public_prefix) :])
            elif self._time_prefix and item.startswith(self._time_prefix):
                if stamp is not None:
                    raise malformed("two times", where)
                stamp = item[len(self._time_prefix) :]
        if not macs and not signatures:
            expected = f"it has none that begins with {prefix.decode()!r}" if prefix else "it is empty"
            raise malformed(f"no signature is in the field: {expected}", where)
        return stamp, macs, signatures


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


def _octets(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
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
