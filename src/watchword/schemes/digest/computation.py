"""What both halves compute: H(A1), H(A2) and the response (RFC 7616 §3.4), and the record of the first.

Everything is octets: the parameters enter the hash as they are inside the quotes (RFC 7616 §3.4.1, `unq`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, NamedTuple

from watchword.core.rejection import ConfigurationError
from watchword.crypto.digests import digest, hex_digest

__all__ = [
    "ALGORITHMS", "Algorithm", "DigestSecret", "UserHash", "algorithm_named", "checked_algorithms", "ha1", "hash_a1",
    "hash_a2", "legacy_response", "normal", "octets_hash", "response", "session_key", "user_hash", "username_hash",
]  # fmt: skip


class Algorithm(NamedTuple):
    """A row of the table of RFC 7616 §3.2.

    Args:
        name: as it is written in challenges.
        hash: its name in `crypto.digests`.
        strength: more is stronger; a client never goes down.
        session: a "-sess" variant: A1 takes in the nonce and the client's first nonce (§3.4.2).
        size: hexadecimal digits of a response.
        base: the name without "-sess", under which secrets are kept.
    """

    name: str
    hash: str
    strength: int
    session: bool
    size: int
    base: str


ALGORITHMS: Final = (
    Algorithm("SHA-512-256", "sha-512-256", 3, False, 64, "SHA-512-256"),
    Algorithm("SHA-512-256-sess", "sha-512-256", 3, True, 64, "SHA-512-256"),
    Algorithm("SHA-256", "sha-256", 2, False, 64, "SHA-256"),
    Algorithm("SHA-256-sess", "sha-256", 2, True, 64, "SHA-256"),
    Algorithm("MD5", "md5", 1, False, 32, "MD5"),
    Algorithm("MD5-sess", "md5", 1, True, 32, "MD5"),
)
"""Strongest first; of two equals the one without a session first."""

_BY_NAME = {algorithm.name.lower(): algorithm for algorithm in ALGORITHMS}


def algorithm_named(name: str) -> Algorithm | None:
    """The algorithm of that name, in any case; None if it is unknown.

    >>> algorithm_named("sha-256").size
    64
    """
    return _BY_NAME.get(name.lower())


def checked_algorithms(names: Sequence[str]) -> tuple[Algorithm, ...]:
    """The algorithms that these names mean, strongest first, each once.

    Raises:
        ConfigurationError: none given, one unknown, or one that this host can't compute (MD5 under FIPS).
    """
    if isinstance(names, str):
        raise ConfigurationError(f"algorithms is a list: algorithms=[{names!r}]")
    wanted = set()
    for name in names:
        algorithm = algorithm_named(name)
        if algorithm is None:
            known = ", ".join(row.name for row in ALGORITHMS)
            raise ConfigurationError(f"no Digest algorithm is called {name!r}: choose among {known}")
        digest(algorithm.hash, b"")  # refused here, not at the first request
        wanted.add(algorithm)
    if not wanted:
        raise ConfigurationError("name at least one Digest algorithm, for example algorithms=['SHA-256']")
    return tuple(row for row in ALGORITHMS if row in wanted)


@dataclass(frozen=True, slots=True)
class DigestSecret:
    """A user's H(A1), at `Ref(DigestSecret, (algorithm, realm, username))`, the algorithm without "-sess".

    Who has it can answer challenges of its realm as well as with the password itself (RFC 7616 §5.2), so stores
    encrypt it.

    Args:
        ha1: lower-case hexadecimal digits, made by `ha1`.
        scopes: what the user may do.
        subject: who the user is to the application; None: the username.
        disabled: the right password is refused too, as if it were wrong.

    >>> DigestSecret(ha1("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life"))
    DigestSecret(scopes=(), subject=None, disabled=False)
    """

    sensitive: ClassVar[bool] = True

    ha1: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    subject: str | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class UserHash:
    """Whose username has this hash, at `Ref(UserHash, (algorithm, realm, user_hash(…)))`, the algorithm without "-sess".

    Args:
        username: the name itself, under which the `DigestSecret` is.
    """

    username: str


def ha1(algorithm: str, username: str, realm: str, password: str) -> str:
    """What a server keeps for a user: H(username ":" realm ":" password) (RFC 7616 §3.4.2), all as UTF-8.

    Username and password are brought into NFC first, as clients do whose server asks for UTF-8 (§4). A "-sess" algorithm starts from the same value as the one without.

    Args:
        algorithm: "MD5", "SHA-256", "SHA-512-256" or their "-sess" variants, in any case.
        username: as the user gives it.
        realm: the realm of the verifier.
        password: the password.

    Returns:
        Lower-case hexadecimal digits.

    Raises:
        ConfigurationError: the algorithm is unknown, this host can't compute it, or a text has no UTF-8 form.

    >>> ha1("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life")
    '939e7578ed9e3c518a452acee763bce9'
    """
    (known,) = checked_algorithms([algorithm])
    try:
        return hash_a1(known, normal(username).encode(), realm.encode(), normal(password).encode()).decode()
    except UnicodeEncodeError:
        raise ConfigurationError("username, realm or password holds half of a surrogate pair") from None


def normal(text: str) -> str:
    """Text in NFC, in which UTF-8 names and passwords are compared (RFC 7616 §4)."""
    if text.isascii():
        return text
    from unicodedata import normalize  # noqa: PLC0415 -- only for text outside ASCII

    return normalize("NFC", text)


def user_hash(algorithm: str, username: str, realm: str) -> str:
    """What a client with `userhash=true` sends instead of its username (RFC 7616 §3.4.4).

    Raises:
        ConfigurationError: as `ha1`.

    >>> user_hash("SHA-256", "Mufasa", "http-auth@example.org")[:16]
    'a947aad205e80e42'
    """
    (known,) = checked_algorithms([algorithm])
    try:
        return username_hash(known, normal(username).encode(), realm.encode()).decode()
    except UnicodeEncodeError:
        raise ConfigurationError("username or realm holds half of a surrogate pair") from None


def username_hash(algorithm: Algorithm, username: bytes, realm: bytes) -> bytes:
    """H(username ":" realm), hexadecimal (RFC 7616 §3.4.4)."""
    return octets_hash(algorithm, b"%b:%b" % (username, realm))


def hash_a1(algorithm: Algorithm, username: bytes, realm: bytes, password: bytes) -> bytes:
    """H(A1) without a session, hexadecimal (RFC 7616 §3.4.2)."""
    return octets_hash(algorithm, b"%b:%b:%b" % (username, realm, password))


def session_key(algorithm: Algorithm, ha1: bytes, nonce: bytes, cnonce: bytes) -> bytes:
    """H(A1) of a "-sess" algorithm: both are those of the first request of the session (RFC 7616 §3.4.2)."""
    return octets_hash(algorithm, b"%b:%b:%b" % (ha1, nonce, cnonce))


def hash_a2(algorithm: Algorithm, method: bytes, uri: bytes, body_hash: bytes | None = None) -> bytes:
    """H(A2), hexadecimal (RFC 7616 §3.4.3).

    Args:
        algorithm: the algorithm.
        method: b"" for what a server proves (§3.5).
        uri: as it is in the credentials.
        body_hash: for qop=auth-int the body's hash, hexadecimal; None: qop=auth.
    """
    a2 = b"%b:%b" % (method, uri) if body_hash is None else b"%b:%b:%b" % (method, uri, body_hash)
    return hex_digest(algorithm.hash, a2)


def response(algorithm: Algorithm, ha1: bytes, nonce: bytes, nc: bytes, cnonce: bytes, qop: bytes, ha2: bytes) -> bytes:
    """The response for a challenge with a qop, hexadecimal (RFC 7616 §3.4.1).

    >>> md5 = algorithm_named("MD5")
    >>> secret = hash_a1(md5, b"Mufasa", b"testrealm@host.com", b"Circle Of Life")
    >>> resource = hash_a2(md5, b"GET", b"/dir/index.html")
    >>> response(md5, secret, b"dcd98b7102dd2f0e8b11d0f600bfb0c093", b"00000001", b"0a4f113b", b"auth", resource)
    b'6629fae49393a05397450978507c4ef1'
    """
    return hex_digest(algorithm.hash, b"%b:%b:%b:%b:%b:%b" % (ha1, nonce, nc, cnonce, qop, ha2))


def legacy_response(algorithm: Algorithm, ha1: bytes, nonce: bytes, ha2: bytes) -> bytes:
    """The response for a challenge without a qop, hexadecimal (RFC 2069 §2.1.2; RFC 2617 §3.2.2.1)."""
    return octets_hash(algorithm, b"%b:%b:%b" % (ha1, nonce, ha2))


def octets_hash(algorithm: Algorithm, data: bytes) -> bytes:
    """H(data), hexadecimal."""
    return hex_digest(algorithm.hash, data)
