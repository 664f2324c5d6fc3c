"""A profile and its secrets, prepared for both halves."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64, hexlify
from collections.abc import Callable, Sequence
from typing import Final

from watchword.core.rejection import Rejected
from watchword.crypto.digests import compare
from watchword.crypto.keys import Key
from watchword.schemes.webhooks.content import Contents
from watchword.schemes.webhooks.credentials import PresentedCredentials, Layout
from watchword.schemes.webhooks.keys import Secrets, read_secrets
from watchword.schemes.webhooks.profiles import WebhookProfile, profile_named

__all__ = ["Engine", "base64", "hexadecimal"]

_ED25519: Final = 64


hexadecimal: Final[Callable[[bytes], bytes]] = hexlify
"""Lower-case digits."""


def base64(mac: bytes) -> bytes:
    """With padding, without a line end."""
    return b2a_base64(mac, newline=False)


class Engine:
    """What both halves prepare of a profile and its secrets."""

    __slots__ = ("contents", "encode", "layout", "profile", "secrets")

    def __init__(self, secrets: Secrets, profile: str | WebhookProfile, *, signing: bool) -> None:
        self.profile = profile_named(profile)
        self.secrets = read_secrets(secrets, self.profile, signing=signing)
        self.layout = Layout(self.profile)
        self.contents = Contents(self.profile)
        self.encode = hexadecimal if self.profile.encoding == "hex" else base64

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
                    if any(_verifies(secret.key, content, text) for text in delivery.signatures):
                        return index
            index += 1  # noqa: SIM113 -- enumerate takes longer, and mostly there is one secret
        return None


def _verifies(key: Key, content: bytes, text: bytes) -> bool:
    try:
        signature = a2b_base64(text, strict_mode=True)
        if len(signature) != _ED25519:
            return False
        key.verifier(content, signature)
    except (Base64Error, Rejected):
        return False
    return True
