"""What an application knows of an opaque token: `RegisteredToken`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from watchword.core.rejection import ConfigurationError

__all__ = ["RegisteredToken"]


@dataclass(frozen=True, slots=True)
class RegisteredToken:
    """Whose an opaque token is: what a look-up gives to `TokenVerifier`, and what a store keeps at `Ref(RegisteredToken, (name,))`.

    Args:
        subject: whose requests it proves.
        scopes: what they may do.
        expires: from then on it is refused, in seconds since the epoch; None: never.
        disabled: it is refused, whatever else is said of it.
        secret: the token as it was stored, where it is stored so: it is compared in constant time.
        digest: its SHA-256, in hexadecimal digits, where that is stored: it is compared in constant time.
        claims: all else that is to be known of its holder: `Identity.claims`.

    Raises:
        ConfigurationError: no subject, or something else than is said here.

    >>> RegisteredToken("alice", scopes=("read",), secret="open sesame")
    RegisteredToken(subject='alice', scopes=('read',), expires=None, disabled=False)
    """

    sensitive: ClassVar[bool] = True

    subject: str
    scopes: tuple[str, ...] = ()
    expires: float | None = None
    disabled: bool = False
    secret: str | None = field(default=None, repr=False)
    digest: str | None = field(default=None, repr=False)
    claims: Mapping[str, object] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not _is_text(self.subject) or not self.subject:
            raise ConfigurationError("RegisteredToken(subject=…) is a text, and not an empty one: str(user.id)")
        if _is_text(self.scopes) or not all(map(_is_text, self.scopes)):
            raise ConfigurationError('RegisteredToken(scopes=…) is a tuple of texts: ("read", "write")')
        if not isinstance(self.expires, int | float | None):
            raise ConfigurationError("RegisteredToken(expires=…) is in seconds since the epoch: when.timestamp()")
        for name, value in (("secret", self.secret), ("digest", self.digest)):
            if not isinstance(value, str | None):
                raise ConfigurationError(f"RegisteredToken({name}=…) is a text or None")


def _is_text(value: object) -> bool:
    return isinstance(value, str)
