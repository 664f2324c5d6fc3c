"""A profile and its secrets, prepared for both halves."""

from __future__ import annotations

from binascii import Error as DecodingError
from binascii import a2b_base64, b2a_base64, hexlify, unhexlify
from collections.abc import Callable, Sequence
from typing import Final

from watchword.crypto.digests import compare
from watchword.schemes.webhooks.content import Contents
from watchword.schemes.webhooks.credentials import PresentedCredentials, Layout
from watchword.schemes.webhooks.keys import Secret, Secrets, read_secrets
from watchword.schemes.webhooks.profiles import WebhookProfile, profile_named

__all__ = ["Engine", "base64", "hexadecimal"]

hexadecimal: Final[Callable[[bytes], bytes]] = hexlify
"""Lower-case digits."""


def base64(mac: bytes) -> bytes:
    """With padding, without a line end."""
    return b2a_base64(mac, newline=False)


class Engine:
    """What both halves prepare of a profile and its secrets."""

    __slots__ = ("_decode", "contents", "encode", "layout", "profile", "secrets")

    def __init__(self, secrets: Secrets, profile: str | WebhookProfile, *, signing: bool) -> None:
        self.profile = profile_named(profile)
        self.secrets = read_secrets(secrets, self.profile, signing=signing)
        self.layout = Layout(self.profile)
        self.contents = Contents(self.profile)
        self.encode: Callable[[bytes], bytes] = hexadecimal if self.profile.encoding == "hex" else base64
        if self.profile.covers_nothing:
            self.encode = bytes  # the token as it is
        self._decode = unhexlify if self.profile.encoding == "hex" else _strict_base64

    def matching(self, delivery: PresentedCredentials, contents: Sequence[bytes]) -> int | None:
        """Which of the secrets one of the signatures is by; None: by none of them. Signatures of another kind are not tried."""
        macs, encode, index = delivery.macs, self.encode, 0
        for secret in self.secrets:
            mac = secret.mac
            if mac is not None and macs:
                for content in contents:
                    expected = encode(mac(content))
                    for given in macs:
                        if compare(expected, given):
                            return index
            elif secret.key is not None:
                for content in contents:
                    if any(self._fits(secret, content, text) for text in delivery.signatures):
                        return index
            index += 1  # noqa: SIM113 -- enumerate takes longer, and mostly there is one secret
        return None

    def signed(self, delivery: PresentedCredentials, contents: Sequence[bytes]) -> bytes:
        """The candidate that one of the signatures is of; one of them is."""
        if len(contents) == 1:
            return contents[0]
        return next(content for content in contents if self.matching(delivery, (content,)) is not None)

    def _fits(self, secret: Secret, content: bytes, text: bytes) -> bool:
        return secret.fits(content, self.decode(text))

    def decode(self, text: bytes) -> bytes:
        """The octets of a signature; b"" for what is not in the profile's encoding."""
        try:
            return self._decode(text)
        except DecodingError:
            return b""


def _strict_base64(text: bytes) -> bytes:
    return a2b_base64(text, strict_mode=True)
