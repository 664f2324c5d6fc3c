"""Where credentials are in a request: a field, a scheme word in Authorization, or a parameter of the query."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Address", "has_parameter"]


class Address(NamedTuple):
    """Where a verifier's credentials arrive: a field (lower case) and, in Authorization, the scheme word (lower case).

    With `query` they arrive in the request target instead, in the parameter of exactly that name, octet for octet as
    it is sent; such an address has no field.

    >>> Address(word="aws4-hmac-sha256").place, Address.in_query(b"X-Amz-Signature").place
    (b'authorization', b'?X-Amz-Signature')
    """

    field: bytes = b"authorization"
    word: str = ""
    query: bytes = b""

    @classmethod
    def in_query(cls, name: bytes) -> Address:
        """The query parameter `name`."""
        return cls(b"", "", name)

    @property
    def place(self) -> bytes:
        """The field, or "?" and the parameter; credentials in one place can be told apart by their word only."""
        return b"?" + self.query if self.query else self.field


def has_parameter(query: bytes, name: bytes) -> bool:
    """Whether `query` has a parameter whose name is exactly `name`, with or without a value.

    >>> has_parameter(b"a=1&sig=2", b"sig"), has_parameter(b"a=sig=2", b"sig")
    (True, False)
    """
    if name not in query:  # nearly always, and quickly told
        return False
    return any(pair.partition(b"=")[0] == name for pair in query.split(b"&"))
