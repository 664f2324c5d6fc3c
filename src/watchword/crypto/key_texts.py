"""Keys as files and environments hold them: PEM in whatever became of its lines, OpenSSH's forms, DER, certificates.

Imported when the first such key is read, never before: it loads OpenSSL's asymmetric half. No message holds anything of a key.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple, NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, PublicFormat, load_der_private_key, load_der_public_key, load_pem_private_key, load_pem_public_key,
    load_ssh_private_key, load_ssh_public_key,
)  # fmt: skip

from watchword.core.rejection import ConfigurationError
from watchword.crypto.public_spellings import looks_like_a_key_file

__all__ = ["Pair", "read_certificate", "read_der", "read_pem", "write_pem"]

Pair = tuple[Any, Any]
"""OpenSSL's public and private key; the second is None for a public key."""

_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_CERTIFICATES: Final = frozenset((b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"))
_OPENSSH: Final = b"OPENSSH PRIVATE KEY"
_PRIVATE: Final = frozenset(
    (b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY", b"DSA PRIVATE KEY", _OPENSSH)
)
_PUBLIC: Final = frozenset((b"PUBLIC KEY", b"RSA PUBLIC KEY"))
_ESCAPES: Final = ((b"\\r", b""), (b"\\n", b"\n"))
_SSH_LINE: Final = re.compile(rb"(?:ssh|ecdsa-sha2|sk-ssh|sk-ecdsa)-[\w.@-]++\s++AAAA")


class _Block(NamedTuple):
    label: bytes
    body: bytes

    @property
    def encrypted(self) -> bool:
        return self.label == b"ENCRYPTED PRIVATE KEY" or b"ENCRYPTED" in self.body

    def pem(self) -> bytes:
        """The block in lines as RFC 7468 §2 has them: they may have become one, by way of an environment."""
        if b":" in self.body:  # the head of an old encrypted key (RFC 1421 §4.6)
            body = self.body.strip()
        else:
            octets = b"".join(self.body.split())
            body = b"\n".join(octets[start : start + 64] for start in range(0, len(octets), 64))
        return b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (self.label, body, self.label)


def read_pem(text: bytes, password: bytes | None = None) -> Pair:
    r"""The one key in a text: in PEM (RFC 7468, PKCS #1, PKCS #8, SEC 1), or in one of OpenSSH's two forms.

    Line ends may be spelt as "\n", or be lost, and quotes may be around it, as in files of settings. Certificates may be there
    too, if one of them is the key's, and so may the public half of a private key.

    Raises:
        ConfigurationError: no key or several, encrypted and no password, or not by this one; what it is instead is said.
    """
    given = text
    text = _in_lines(given)
    if _SSH_LINE.match(text):
        return _read_ssh_line(text), None
    blocks = [_Block(label, body) for label, body in _BLOCK.findall(text)]
    keys = [_read_block(block, password) for block in blocks if block.label in _PRIVATE | _PUBLIC]
    if not keys:
        _name(text, blocks, given)
    if password is not None and not any(private is not None for _, private in keys):
        raise ConfigurationError("this is a public key, which is not encrypted: leave password= out")
    spelt = {_spki(public) for public, _ in keys}
    if len(spelt) > 1:
        raise ConfigurationError(f"this text holds {len(spelt)} keys: give the one that is meant")
    certificates = [block.pem() for block in blocks if block.label in _CERTIFICATES]
    if certificates and not any(_key_of(each) in spelt for each in certificates):
        raise ConfigurationError("the certificates beside this key belong to another one")
    return next((pair for pair in keys if pair[1] is not None), keys[0])


def _in_lines(text: bytes) -> bytes:
    text = text.removeprefix(b"\xef\xbb\xbf").strip().strip(b"\"'").strip()
    for escape, octets in _ESCAPES:
        text = text.replace(escape, octets)
    return text.strip()


def _read_block(block: _Block, password: bytes | None) -> Pair:
    if block.label in _PUBLIC:
        return _loaded(load_pem_public_key, block.pem(), "public key"), None
    load = load_ssh_private_key if block.label == _OPENSSH else load_pem_private_key
    private = _decrypted(load, block.pem(), password, "PEM", encrypted=block.encrypted)
    if private is None:
        _no_pem()
    return private.public_key(), private


def _decrypted(load: Any, octets: bytes, password: bytes | None, form: str, *, encrypted: bool) -> Any:
    """What `load` makes of a private key; None: it is none."""
    try:
        return load(octets, password)
    except TypeError:  # what cryptography says where a password is missing, or one too many
        if password is None:
            raise ConfigurationError(
                f"this {form} is encrypted: give its password=, or decrypt it first with `openssl pkey`"
            ) from None
        raise ConfigurationError(f"this {form} is not encrypted: leave password= out") from None
    except UnsupportedAlgorithm as error:
        if "bcrypt" in str(error):
            raise ConfigurationError("an encrypted key of OpenSSH needs the package bcrypt: install it") from None
        return None
    except ValueError:
        if encrypted or password is not None:
            raise ConfigurationError(f"this {form} does not open with this password=, or is damaged") from None
        return None


def _loaded(load: Any, octets: bytes, what: str) -> Any:
    try:
        return load(octets)
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(f"this is no PEM of a {what} that can be read") from None


def _read_ssh_line(line: bytes) -> Any:
    """The public key in a line of OpenSSH (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4)."""
    if b"-cert-v0" in line.split()[0]:
        raise ConfigurationError("this is a certificate of OpenSSH, not a key: give the public key that it certifies")
    try:
        return load_ssh_public_key(line)
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError("this is no public key of OpenSSH that can be read") from None


def _name(text: bytes, blocks: list[_Block], given: bytes) -> NoReturn:
    """Says what a text is that holds no key.

    Raises:
        ConfigurationError: always.
    """
    if b"-----BEGIN CERTIFICATE-----" in text or any(block.label in _CERTIFICATES for block in blocks):
        raise ConfigurationError("this PEM is a certificate: Key.from_certificate takes its public key")
    if blocks and not any(block.label in _PRIVATE | _PUBLIC for block in blocks):
        label = blocks[0].label.decode("ascii").strip()[:40]
        raise ConfigurationError(f"this is a {label}, and no key that can be read: give the key in PEM")
    if text[:1] in (b"{", b"["):
        raise ConfigurationError(
            "this is JSON: parse it, and read a JWK with Key.from_jwk, a set with KeySet.from_jwks"
        )
    if text.startswith(b"---- BEGIN SSH2"):
        raise ConfigurationError("this is a public key in SSH2's form: convert it, with `ssh-keygen -i -f`")
    if text.startswith(b"PuTTY-User-Key-File"):
        raise ConfigurationError("this is a key of PuTTY: convert it, with `puttygen -O private-openssh`")
    if b"-----" not in text and looks_like_a_key_file(given):  # binary DER may end in octets that text is stripped of
        raise ConfigurationError(
            "this is a key, and no PEM: DER is read by Key.from_der, and what is wrapped in base64 or hex is decoded first"
        )
    _no_pem()


def _no_pem() -> NoReturn:
    raise ConfigurationError("this is no PEM of a key: it starts with -----BEGIN PUBLIC KEY----- or the like") from None


def _spki(public: Any) -> bytes:
    octets: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return octets


def _key_of(certificate: bytes) -> bytes:
    """The public key of a certificate in PEM; b"" if there is none that can be read."""
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 -- few read certificates

    try:
        return _spki(load_pem_x509_certificate(certificate).public_key())
    except (ValueError, UnsupportedAlgorithm):
        return b""


def read_der(der: bytes, password: bytes | None = None) -> Pair:
    """The key in DER: SubjectPublicKeyInfo, PKCS #1, PKCS #8 or SEC 1.

    Raises:
        ConfigurationError: not such a structure, encrypted and no password, or not by this one.
    """
    private = _decrypted(load_der_private_key, der, password, "DER", encrypted=False) if _may_be_private(der) else None
    if private is not None:
        return private.public_key(), private
    try:
        public = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        if _is_certificate(der):
            raise ConfigurationError(
                "this is no DER of a key, but a certificate: Key.from_certificate takes its public key"
            ) from None
        raise ConfigurationError("this is no DER of a key; a PEM is read by Key.from_pem") from None
    if password is not None:
        raise ConfigurationError("this is a public key, which is not encrypted: leave password= out")
    return public, None


def _may_be_private(der: bytes) -> bool:
    """Whether this isn't a public key: a password may have been given for one, and no private key opens as that."""
    try:
        load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return not _is_certificate(der)
    return False


def _is_certificate(der: bytes) -> bool:
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 -- few read certificates

    try:
        load_der_x509_certificate(der)
    except ValueError:
        return False
    return True


def read_certificate(certificate: bytes) -> Any:
    """The public key of an X.509 certificate (RFC 5280 §4.1.2.7), in PEM or DER; nothing else in it is looked at.

    Raises:
        ConfigurationError: not one certificate.
    """
    from cryptography.x509 import (  # noqa: PLC0415 -- few read certificates
        load_der_x509_certificate, load_pem_x509_certificate,
    )  # fmt: skip

    try:
        if b"-----BEGIN" in certificate:
            found = [
                load_pem_x509_certificate(_Block(label, body).pem())
                for label, body in _BLOCK.findall(_in_lines(certificate))
                if label in _CERTIFICATES
            ]
        else:
            found = [load_der_x509_certificate(certificate)]
        keys = [each.public_key() for each in found]
    except (ValueError, UnsupportedAlgorithm):
        keys = []
    if not keys:
        raise ConfigurationError("this is no X.509 certificate; a key is read by Key.from_pem or from_der")
    if len(keys) > 1:
        raise ConfigurationError(f"these are {len(keys)} certificates: pass the one whose key is meant")
    return keys[0]


def write_pem(public: Any, private: Any, *, traditional: bool = False) -> bytes:
    """A key in PEM, not encrypted: the private half unless it is None.

    Args:
        public: OpenSSL's public key.
        private: its private one, or None.
        traditional: in its own structure (PKCS #1, RFC 8017 §A.1; SEC 1, RFC 5915) instead of the one for all (SubjectPublicKeyInfo,
            RFC 5280 §4.1; PKCS #8, RFC 5958).
    """
    if private is None:
        public_form = PublicFormat.PKCS1 if traditional else PublicFormat.SubjectPublicKeyInfo
        pem: bytes = public.public_bytes(Encoding.PEM, public_form)
    else:
        private_form = PrivateFormat.TraditionalOpenSSL if traditional else PrivateFormat.PKCS8
        pem = private.private_bytes(Encoding.PEM, private_form, NoEncryption())
    return pem
