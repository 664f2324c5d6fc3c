"""Where credentials are in a request: a field, a scheme word in Authorization, or a parameter of the query."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["SUBPROTOCOL", "Address", "has_parameter"]

SUBPROTOCOL: Final = b"sec-websocket-protocol"
"""The field that offers the subprotocols of a WebSocket (RFC 6455 §11.3.4)."""


class Address(NamedTuple):
    """Where a verifier's credentials arrive: a field (lower case) and, in Authorization, the scheme word (lower case).

    A field of several members, as cookies are, has them in one that begins with `member`: `__Host-token=`.

    With `query` they arrive in the request target instead, in the parameter of exactly that name, octet for octet as
    it is sent; such an address has no field.

    >>> Address(word="aws4-hmac-sha256").place, Address.in_query(b"X-Amz-Signature").place
    (b'authorization', b'?X-Amz-Signature')
    """

    field: bytes = b"authorization"
    word: str = ""
    query: bytes = b""
    member: bytes = b""

    @classmethod
    def in_query(cls, name: bytes) -> Address:
        """The query parameter `name`."""
        return cls(b"", "", name)

    @property
    def place(self) -> bytes:
        """The field (and its member), or "?" and the parameter; credentials in one place can be told apart by their word only."""
        if self.query:
            return b"?" + self.query
        return self.field + b" " + self.member if self.member else self.field


def has_parameter(query: bytes, name: bytes) -> bool:
    """Whether `query` has a parameter whose name is exactly `name`, with or without a value.

    >>> has_parameter(b"a=1&sig=2", b"sig"), has_parameter(b"a=sig=2", b"sig")
    (True, False)
    """
    if name not in query:  # nearly always, and quickly told
        return False
    return any(pair.partition(b"=")[0] == name for pair in query.split(b"&"))
