"""What is known of clients and tokens, the signature methods (RFC 5849 §3.4), and credentials as they were presented."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, NamedTuple, Protocol

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.scheme import malformed
from watchword.crypto.digests import hmac_sha256, hmac_sha512
from watchword.crypto.keys import Key
from watchword.crypto.public_spellings import refuse_key_files
from watchword.crypto.weak_sha1 import WeakRSAKey, weak_hmac_sha1
from watchword.schemes.oauth1.encoding import Pairs, escape, octets_text, unescape, unescaped_text

__all__ = [
    "METHODS", "STRONG", "Method", "OAuth1Client", "OAuth1Token", "PresentedCredentials", "RSAKey", "checked_methods", "load_rsa",
    "method_named", "plainly_presented", "read_presented", "signing_key", "without_signature",
]  # fmt: skip


# ---- records -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OAuth1Client:
    """A client's credentials (RFC 5849 §1.1), at `Ref(OAuth1Client, (client_key,))`.

    Args:
        subject: who it is when it signs without a token.
        secret: its shared secret, for HMAC and PLAINTEXT; "" refuses these.
        public_key: its RSA public key as PEM; "" refuses RSA.
        scopes: what it may do without a token.
        methods: the signature methods that it may use, of those that the verifier accepts; none: all of those.

    Raises:
        ConfigurationError: the secret is a public or private key, in any spelling.
    """

    sensitive: ClassVar[bool] = True

    subject: str
    secret: str = field(default="", repr=False)
    public_key: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        refuse_key_files(self.secret.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class OAuth1Token:
    """Token credentials (RFC 5849 §1.1), at `Ref(OAuth1Token, (token,))`.

    Args:
        client_key: the one client that may use it.
        subject: the resource owner.
        secret: its shared secret; "" only where the client signs by RSA, which doesn't use it.
        scopes: what the client may do on the owner's behalf.
        expires: from then on it is refused, in seconds since the epoch; None: never.

    Raises:
        ConfigurationError: the secret is a public or private key, in any spelling.
    """

    sensitive: ClassVar[bool] = True

    client_key: str
    subject: str
    secret: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ()
    expires: float | None = None

    def __post_init__(self) -> None:
        refuse_key_files(self.secret.encode("utf-8", "surrogatepass"))


# ---- signature methods -------------------------------------------------------------------------------------------------


class Method(NamedTuple):
    """A signature method.

    Args:
        name: as `oauth_signature_method` has it.
        kind: "hmac" (§3.4.2), "rsa" (§3.4.3) or "plaintext" (§3.4.4).
        hash: its hash, of the body hash as well; "" for PLAINTEXT.
        algorithm: JOSE's name of an RSA key for it; "" where there is none.
        mac: HMAC, (key, data) -> octets.
    """

    name: str
    kind: str
    hash: str = ""
    algorithm: str = ""
    mac: Callable[[bytes, bytes], bytes] = hmac_sha256


METHODS: Final[Mapping[str, Method]] = {
    method.name: method
    for method in (
        Method("HMAC-SHA1", "hmac", "sha-1", mac=weak_hmac_sha1),
        Method("HMAC-SHA256", "hmac", "sha-256", mac=hmac_sha256),
        Method("HMAC-SHA512", "hmac", "sha-512", mac=hmac_sha512),
        Method("RSA-SHA1", "rsa", "sha-1"),
        Method("RSA-SHA256", "rsa", "sha-256", "RS256"),
        Method("RSA-SHA512", "rsa", "sha-512", "RS512"),
        Method("PLAINTEXT", "plaintext"),
    )
}
STRONG: Final = ("HMAC-SHA256", "HMAC-SHA512", "RSA-SHA256", "RSA-SHA512")
"""What a verifier accepts unless it is told otherwise."""


def method_named(name: str, *, allow_plaintext: bool) -> Method:
    """The signature method of that name.

    Raises:
        ConfigurationError: there is none, or PLAINTEXT without `allow_plaintext`.
    """
    method = METHODS.get(name)
    if method is None:
        raise ConfigurationError(f"unknown signature method {str(name)[:32]!r}: choose one of {', '.join(METHODS)}")
    if method.kind == "plaintext" and not allow_plaintext:
        raise ConfigurationError(
            "PLAINTEXT sends the secrets themselves and covers nothing of the request: say allow_plaintext=True if the "
            "peer speaks nothing else"
        )
    return method


def checked_methods(names: Sequence[str], *, allow_plaintext: bool = False) -> frozenset[str]:
    """The names of signature methods to accept, PLAINTEXT with them if that is allowed.

    Raises:
        ConfigurationError: none, a text instead of a list, an unknown one, or PLAINTEXT by its name alone.
    """
    if isinstance(names, str):
        raise ConfigurationError(f"methods is a list: methods=({names!r},)")
    if not names and not allow_plaintext:
        raise ConfigurationError(f"methods is empty, so nobody is accepted: methods={STRONG!r}")
    known = {method_named(name, allow_plaintext=allow_plaintext).name for name in names}
    return frozenset(known | ({"PLAINTEXT"} if allow_plaintext else set()))


class RSAKey(Protocol):
    """An RSA key, prepared for one signature method."""

    @property
    def verifier(self) -> Callable[[bytes, bytes], None]: ...


def load_rsa(method: Method, pem: str | bytes) -> Key | WeakRSAKey:
    """The key in `pem`, for `method`: of 2048 bits or more, for RSA-SHA1 of 1024.

    Raises:
        ConfigurationError: not an RSA key, encrypted, or too small.
    """
    octets = pem.encode() if isinstance(pem, str) else pem
    return Key.from_pem(octets, algorithm=method.algorithm) if method.algorithm else WeakRSAKey(octets)


def signing_key(client_secret: str, token_secret: str) -> bytes:
    """The key of HMAC (§3.4.2), which is also the whole signature of PLAINTEXT (§3.4.4).

    >>> signing_key("djr9rjt0jd78jf88", "jjd99$tj88uiths3")
    b'djr9rjt0jd78jf88&jjd99%24tj88uiths3'
    """
    return f"{escape(octets_text(client_secret))}&{escape(octets_text(token_secret))}".encode()


# ---- as presented ------------------------------------------------------------------------------------------------------

_TIMESTAMP: Final = re.compile(r"[1-9][0-9]{0,11}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{27,86}={1,2}")
# The lengths of HMACs in base64.
_LENGTHS: Final = {"sha-1": 28, "sha-256": 44, "sha-512": 88}
_USUAL: Final = frozenset(
    ("oauth_consumer_key", "oauth_token", "oauth_signature_method", "oauth_timestamp", "oauth_nonce", "oauth_version",
     "oauth_signature")
)  # fmt: skip
MAX_KEY: Final = 255
MAX_TOKEN: Final = 1024
"""Characters; some servers put all that they know of a token into it."""


class PresentedCredentials:
    """The protocol parameters of a request (§3.1), checked against their grammar.

    `token` is "" where there is none, `body_hash` likewise; `timestamp` is 0 and `nonce` "" where PLAINTEXT has none.
    `signature` is its octets as ISO 8859-1, base64 unless the method is PLAINTEXT; `octets` what an RSA method's encodes.
    """

    __slots__ = ("body_hash", "client_key", "method", "nonce", "octets", "signature", "timestamp", "token")

    def __init__(
        self, client_key: str, token: str, method: Method, timestamp: int, nonce: str, signature: str, octets: bytes,
        body_hash: str,
    ) -> None:  # fmt: skip
        self.client_key = client_key
        self.token = token
        self.method = method
        self.timestamp = timestamp
        self.nonce = nonce
        self.signature = signature
        self.octets = octets
        self.body_hash = body_hash

    def __repr__(self) -> str:
        return f"PresentedCredentials(client_key={self.client_key!r}, method={self.method.name!r})"


def read_presented(pairs: Iterable[tuple[str, str]], accepted: frozenset[str]) -> PresentedCredentials:
    """The protocol parameters among `pairs`.

    Args:
        pairs: the parameters of the place where credentials are, encoded.
        accepted: the signature methods that the verifier accepts.

    Raises:
        Rejected: MALFORMED_CREDENTIALS, one is missing, occurs twice (§3.2), or is off its grammar; WRONG_ALGORITHM.
    """
    given: dict[str, str] = {}
    for name, value in pairs:
        if name[:6] == "oauth_":
            if name in given:
                raise malformed("the parameter occurs twice", name)
            given[name] = value
    method = METHODS.get(given.get("oauth_signature_method", ""))
    if "oauth_signature_method" not in given:
        raise malformed("the parameter is missing", "oauth_signature_method")
    if method is None or method.name not in accepted:
        raise Rejected(
            Reason.WRONG_ALGORITHM, f"accepted are {', '.join(sorted(accepted))}", where="oauth_signature_method"
        )
    if given.get("oauth_version", "1.0") != "1.0":
        raise malformed("the version is not 1.0", "oauth_version")
    timestamp, nonce = given.get("oauth_timestamp"), given.get("oauth_nonce")
    if method.kind != "plaintext" or timestamp is not None or nonce is not None:
        if timestamp is None or not _TIMESTAMP.fullmatch(timestamp):
            raise malformed(
                "not a positive number of seconds since 1970, of 12 decimal digits at most", "oauth_timestamp"
            )
        nonce = _text(given, "oauth_nonce", MAX_KEY)
    return PresentedCredentials(
        _text(given, "oauth_consumer_key", MAX_KEY),
        _text(given, "oauth_token", MAX_TOKEN) if given.get("oauth_token") else "",  # empty is none, as many send it
        method,
        int(timestamp or 0),
        nonce or "",
        *_signature(given, method),
        _body_hash(given, method),
    )


def plainly_presented(given: dict[str, str], accepted: frozenset[str]) -> PresentedCredentials | None:
    """The same of what `plain_header` gives, where all is as usual; leaves in `given` what is signed. None: `read_presented`."""
    get = given.get
    method = METHODS.get(get("oauth_signature_method", ""))
    client_key, nonce, timestamp = get("oauth_consumer_key"), get("oauth_nonce"), get("oauth_timestamp")
    if method is None or method.name not in accepted or not client_key or not nonce or not timestamp:
        return None
    if not _USUAL.issuperset(given) or get("oauth_version", "1.0") != "1.0":
        return None
    token, signature, octets = get("oauth_token", ""), get("oauth_signature", ""), b""
    signature = signature.replace("%3D", "=").replace("%2B", "+").replace("%2F", "/")
    if len(client_key) > MAX_KEY or len(nonce) > MAX_KEY or len(token) > MAX_TOKEN:
        return None
    if not timestamp.isdigit() or len(timestamp) > 12 or timestamp[0] == "0":
        return None
    if method.kind == "rsa":
        try:
            octets = a2b_base64(signature, strict_mode=True)
        except Base64Error:
            return None
    elif len(signature) != _LENGTHS.get(method.hash):  # whether it is base64 shows when it is compared
        return None
    del given["oauth_signature"]
    return PresentedCredentials(client_key, token, method, int(timestamp), nonce, signature, octets, "")


def _text(given: Mapping[str, str], name: str, longest: int) -> str:
    encoded = given.get(name)
    if not encoded:
        raise malformed("the parameter is missing or empty", name)
    try:
        text = unescaped_text(encoded) if "%" in encoded else encoded
    except ValueError:
        raise malformed("it is not UTF-8", name) from None
    if len(text) > longest or not text.isprintable():
        raise malformed(f"more than {longest} characters, or such as can't be printed", name)
    return text


def _signature(given: Mapping[str, str], method: Method) -> tuple[str, bytes]:
    if "oauth_signature" not in given:
        raise malformed("the parameter is missing", "oauth_signature")
    signature = unescape(given["oauth_signature"])
    if method.kind == "plaintext":
        return signature, b""
    try:
        return signature, a2b_base64(signature.encode("ascii"), strict_mode=True)
    except (Base64Error, UnicodeEncodeError):
        raise malformed("it is not base64", "oauth_signature") from None


def _body_hash(given: Mapping[str, str], method: Method) -> str:
    if "oauth_body_hash" not in given:
        return ""
    value = unescape(given["oauth_body_hash"])
    if method.kind == "plaintext" or not _BASE64.fullmatch(value):
        raise malformed("not the base64 of a hash, or of a method that has none", "oauth_body_hash")
    return value


def without_signature(pairs: Pairs) -> Pairs:
    """All parameters that a signature covers (§3.4.1.3.1)."""
    return [pair for pair in pairs if pair[0] != "oauth_signature"]
