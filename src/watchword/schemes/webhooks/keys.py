"""The secrets of webhooks: shared ones, the Ed25519 keys of Standard Webhooks v1a, and the public keys of other senders.

Specification: Standard Webhooks 1.0.0, "Signature scheme": `whsec_`, `whsk_` and `whpk_`, each before base64.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, unhexlify
from collections.abc import Callable, Sequence
from typing import Final

from watchword.core.rejection import ConfigurationError, Rejected
from watchword.crypto.digests import keyed_hmac
from watchword.crypto.keys import Key
from watchword.crypto.public_spellings import refuse_key_files
from watchword.schemes.webhooks.profiles import WebhookProfile

__all__ = ["Secret", "Secrets", "mac_of", "read_secrets"]

MINIMUM: Final = 24
"""Octets of a shared secret of Standard Webhooks."""
_SEED: Final = 32
_SIGNATURE: Final = 64
"""Octets of a signature by Ed25519 or, as r || s, by ECDSA with P-256."""
# What stands before the 32 octets of an Ed25519 key in PKCS #8 and SubjectPublicKeyInfo (RFC 8410 §7 and §4).
_PRIVATE_DER: Final = bytes.fromhex("302e020100300506032b657004220420")
_PUBLIC_DER: Final = bytes.fromhex("302a300506032b6570032100")

Secrets = str | bytes | Sequence[str | bytes]


class Secret:
    """One secret, prepared: `mac(content)` for a shared one, `key` for a key pair's; the other is None.

    `octets` are what a shared one is, `given` as it was given, for `explain`. `der` says that the key's signatures are in DER.
    """

    __slots__ = ("der", "given", "key", "mac", "octets")

    def __init__(
        self,
        given: bytes,
        octets: bytes,
        mac: Callable[[bytes], bytes] | None,
        key: Key | None = None,
        *,
        der: bool = False,
    ) -> None:
        self.given = given
        self.octets = octets
        self.mac = mac
        self.key = key
        self.der = der

    def sign(self, content: bytes) -> bytes:
        """The MAC of `content`, or the key's signature."""
        if self.key is None:
            return self.mac(content) if self.mac is not None else b""
        signature = self.key.sign(content)
        if self.der:
            from watchword.crypto import ecdsa_der  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

            return ecdsa_der.to_der(signature)
        return signature

    def fits(self, content: bytes, signature: bytes) -> bool:
        """Whether this is the key's signature of `content`."""
        octets = self.octets_of(signature)
        if self.key is None or len(octets) != _SIGNATURE:
            return False
        try:
            self.key.verifier(content, octets)
        except (ValueError, Rejected):
            return False
        return True

    def octets_of(self, signature: bytes) -> bytes:
        """A signature as JWS has it: r and s, where it came in DER; b"" for what is no DER."""
        if not self.der:
            return signature
        from watchword.crypto import ecdsa_der  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

        try:
            return ecdsa_der.from_der(signature, _SIGNATURE)
        except ValueError:
            return b""

    def __repr__(self) -> str:
        return "Secret(shared)" if self.key is None else f"Secret({'private' if self.key.can_sign else 'public'} key)"


def read_secrets(secrets: Secrets, profile: WebhookProfile, *, signing: bool) -> tuple[Secret, ...]:
    """The secrets in the order given: the first is the current one.

    Raises:
        ConfigurationError: none, an empty one, or one that is not of the profile's kind. The message holds nothing of it.
    """
    listed: Sequence[object] = secrets if isinstance(secrets, (list, tuple)) else [secrets]
    if not listed:
        raise ConfigurationError("there is no secret: whoever sends the webhooks shows one when the endpoint is added")
    read = tuple(_read(secret, profile, signing) for secret in listed)
    if len({secret.given for secret in read}) < len(read):
        raise ConfigurationError("the same secret was given twice")
    return read


def _read(secret: object, profile: WebhookProfile, signing: bool) -> Secret:
    if secret is None:
        raise ConfigurationError("the secret is None: is the environment variable that holds it set?")
    if not isinstance(secret, (str, bytes)):
        raise ConfigurationError(f"a secret is text or octets, not {type(secret).__name__}")
    given = secret.encode("utf-8", "surrogateescape") if isinstance(secret, str) else secret
    if not given:
        raise ConfigurationError("the secret is empty: anyone could sign with it")
    if isinstance(secret, str) and secret != secret.strip():
        raise ConfigurationError("the secret begins or ends with white space, probably a line end: strip it")
    if profile.has_public_keys:
        return _key_pair(given, profile, signing)
    refuse_key_files(given)
    if profile.secret == "text" or isinstance(secret, bytes):
        if given.startswith((b"whsk_", b"whpk_")):
            raise ConfigurationError("this is an Ed25519 key of Standard Webhooks, and no shared secret")
        octets = given
    elif profile.secret != "whsec":
        octets = _decoded(given, f"{profile.name} shows its secrets in {profile.secret}", profile.secret)
        refuse_key_files(octets)
    elif secret.startswith(("whsk_", "whpk_")):
        return _asymmetric(given, profile, signing)
    elif secret.startswith(("v1,", "v1a,")):
        raise ConfigurationError('the secret has the name of a signature before it: leave out "v1," and give "whsec_…"')
    else:
        octets = _decoded(given.removeprefix(b"whsec_"), "a secret of Standard Webhooks is base64, after whsec_")
        refuse_key_files(octets)
    if profile.secret == "whsec" and len(octets) < MINIMUM:
        raise ConfigurationError(
            f"the secret has {len(octets)} octets, Standard Webhooks demands at least {MINIMUM} random ones"
        )
    return Secret(given, octets, mac_of(profile, octets))


def mac_of(profile: WebhookProfile, octets: bytes) -> Callable[[bytes], bytes]:
    """What makes a profile's MAC with this secret; of a token, the token itself."""
    return (lambda _: octets) if profile.covers_nothing else keyed_hmac(profile.algorithm, octets)[0]


def _key_pair(given: bytes, profile: WebhookProfile, signing: bool) -> Secret:
    """A key of a sender that signs with its private one."""
    ed25519 = profile.algorithm == "ed25519"
    algorithm = "EdDSA" if ed25519 else "ES256"
    if b"-----BEGIN " in given:
        key = Key.from_pem(given, algorithm=algorithm)
    elif profile.secret == "der":
        key = Key.from_der(_decoded(given, "the key is base64 of DER, or PEM"), algorithm=algorithm)
    else:
        octets = _decoded(given, f"{profile.name} shows its keys in {profile.secret}", profile.secret)
        if len(octets) != _SEED:
            raise ConfigurationError(f"an Ed25519 key has 32 octets, this one {len(octets)}")
        key = Key.from_der((_PRIVATE_DER if signing else _PUBLIC_DER) + octets, algorithm=algorithm)
    if key.can_sign and not signing:
        raise ConfigurationError("this is a private key, the sender's own: a receiver is given the public one")
    if signing and not key.can_sign:
        raise ConfigurationError("a public key can't sign: the sender needs the private one")
    return Secret(given, b"", None, key, der=not ed25519)


def _asymmetric(given: bytes, profile: WebhookProfile, signing: bool) -> Secret:
    if not profile.public_prefix:
        raise ConfigurationError(f"{profile.name} signs with shared secrets, this is a key of Standard Webhooks")
    private = given.startswith(b"whsk_")
    if private and not signing:
        raise ConfigurationError("whsk_ is the sender's own key: a receiver is given the public one, whpk_")
    if not private and signing:
        raise ConfigurationError("whpk_ can't sign: the sender needs the private key, whsk_")
    octets = _decoded(given[5:], "a key of Standard Webhooks is base64, after whsk_ or whpk_")
    seed, public = octets[:_SEED], octets[_SEED:]
    if len(octets) != _SEED and not (private and len(octets) == 2 * _SEED):
        raise ConfigurationError("an Ed25519 key has 32 octets, a private one with its public half 64")
    if not private:
        return Secret(given, b"", None, Key.from_der(_PUBLIC_DER + octets, algorithm="EdDSA"))
    key = Key.from_der(_PRIVATE_DER + seed, algorithm="EdDSA")
    if public:
        try:
            Key.from_der(_PUBLIC_DER + public, algorithm="EdDSA").verify(b"", key.sign(b""))
        except (Rejected, ConfigurationError):
            raise ConfigurationError("the two halves of this whsk_ key don't belong together") from None
    return Secret(given, b"", None, key)


def _decoded(text: bytes, message: str, spelling: str = "base64") -> bytes:
    if not text:
        raise ConfigurationError("the secret is empty: anyone could sign with it")
    try:
        if spelling == "hex":
            return unhexlify(text)
        return a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except Base64Error:
        raise ConfigurationError(message) from None
