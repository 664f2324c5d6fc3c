"""DPoP proofs (RFC 9449 §4): a JWT for one request, signed by the key that it carries itself.

This is the one place where a key that came with the credentials is used. It is believed to nobody by itself: the access token
names it (`cnf.jkt`, §6.1), and the issuer has signed that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec.json

from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto import jose
from watchword.crypto.algorithms import ALGORITHMS
from watchword.crypto.digests import digest
from watchword.crypto.encoding import b64url_encode, has_lone_surrogate
from watchword.crypto.keys import Key, check_key
from watchword.fields.target import HTTP_SCHEMES, split_target
from watchword.schemes.jwt.checks import numeric_date, read_claims

__all__ = [
    "MAX_PROOF", "PROOF_ALGORITHMS", "TYPE", "PresentedProof", "ath_of", "is_nonce", "key_in", "make_proof", "public_jwk",
    "read_proof", "resource_of", "url_of",
]  # fmt: skip

TYPE: Final = "dpop+jwt"
MAX_PROOF: Final = 8 * 1024
"""Octets of the longest proof that is looked at; one with the largest RSA key has about 3,000."""

PROOF_ALGORITHMS: Final = tuple(row.name for row in ALGORITHMS if row.family != "HMAC")
"""A shared secret proves nothing of who has it (RFC 9449 §4.2), so these are the asymmetric ones."""

_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_OF_THE_KEY: Final = ("kty", "crv", "x", "y", "n", "e")
# NQCHAR = %x21 / %x23-5B / %x5D-7E                                                          (RFC 9449 §8.1, RFC 6749 A)
_NONCE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,512}")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def public_jwk(key: Key) -> dict[str, str]:
    """The members of a proof's `jwk`: what makes the key, and no name of it.

    Raises:
        ConfigurationError: the key can't sign proofs.
    """
    check_key(key)
    if key.algorithm not in PROOF_ALGORITHMS or not key.can_sign:
        raise ConfigurationError(
            'a proof is signed by a private key: Key.generate("ES256"); a shared secret proves nothing of who has it'
        )
    return {name: value for name, value in key.to_jwk().items() if name in _OF_THE_KEY}


def make_proof(
    key: Key, method: str, url: str, *, jti: str, now: float, token: str | None = None, nonce: str | None = None
) -> str:
    """A proof for one request (RFC 9449 §4.2).

    Args:
        key: the client's private key.
        method: the request's.
        url: the request's, without query and fragment.
        jti: a text that no other proof of this key has: 96 random bits or more.
        now: seconds since the epoch.
        token: the access token that goes along; None for a request to a token endpoint, which has none yet.
        nonce: what the server said last in `DPoP-Nonce`.

    Raises:
        ConfigurationError: the key can't sign proofs.

    >>> proof = make_proof(Key.generate("ES256"), "GET", "https://api.example/orders", jti="-BwC3ESc6acc2lTc", now=1562262616)
    >>> read_proof(proof.encode()).claims["htu"]
    'https://api.example/orders'
    """
    claims: dict[str, object] = {"jti": jti, "htm": method, "htu": url, "iat": int(now)}
    if token is not None:
        claims["ath"] = ath_of(token.encode())
    if nonce is not None:
        claims["nonce"] = nonce
    return jose.sign(msgspec.json.encode(claims), key, header={"typ": TYPE, "jwk": public_jwk(key)})


def ath_of(token: bytes) -> str:
    """The hash of an access token, in a proof's `ath` (RFC 9449 §4.2)."""
    return b64url_encode(digest("sha-256", token)).decode()


def is_nonce(value: str) -> bool:
    """Whether a server's nonce is one by its grammar (RFC 9449 §8.1), and of a length that is remembered."""
    return _NONCE.fullmatch(value) is not None


def url_of(request: Request) -> str:
    """What a proof for this request says in `htu`: its URL without the query (RFC 9449 §4.2, RFC 9110 §7.1).

    Its target was let through by `check_target`.

    >>> url_of(Request("GET", "wss", "api.example", "/feed?page=2")), url_of(Request("OPTIONS", "https", "api.example", "*"))
    ('https://api.example/feed', 'https://api.example')
    """
    path = request.path.decode("ascii")
    origin = f"{HTTP_SCHEMES.get(request.scheme, request.scheme)}://{request.authority}"
    if path[:1] == "/":
        return origin + path
    return origin if path == "*" or request.method == "CONNECT" else path


class PresentedProof(NamedTuple):
    """A proof taken apart, nothing of it verified.

    Args:
        head: the header's segment.
        header: the header's members.
        claims: the claims.
        signing_input: what was signed.
        signature: by whoever has the key in the header.
    """

    head: bytes
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signing_input: bytes
    signature: bytes

    def text(self, name: str) -> str:
        """A claim that has to be there, as a text.

        Raises:
            Rejected: MISSING_CLAIM or WRONG_CLAIM.
        """
        if name not in self.claims:
            raise Rejected(Reason.MISSING_CLAIM, "a proof has to have it (RFC 9449 §4.2)", where=f"dpop {name}")
        value = self.claims[name]
        if not isinstance(value, str) or not value:
            raise Rejected(Reason.WRONG_CLAIM, "it is a text (RFC 9449 §4.2)", where=f"dpop {name}")
        if has_lone_surrogate(value):
            detail = "it holds half of a surrogate pair (RFC 8259 §8.2)"
            raise Rejected(Reason.WRONG_CLAIM, detail, where=f"dpop {name}")
        return value

    def made(self) -> float:
        """When it was made, by its own account.

        Raises:
            Rejected: MISSING_CLAIM or WRONG_CLAIM.
        """
        if "iat" not in self.claims:
            raise Rejected(Reason.MISSING_CLAIM, "a proof has to have it (RFC 9449 §4.2)", where="dpop iat")
        try:
            return numeric_date("iat", self.claims["iat"])
        except Rejected as rejected:
            raise Rejected(rejected.reason, rejected.rejection.detail, where="dpop iat") from None

    def __repr__(self) -> str:
        return "PresentedProof(***)"  # until it ends, it may be used by whoever reads it first


def read_proof(value: bytes) -> PresentedProof:
    """A proof taken apart (RFC 9449 §4.3, items 2 and 3).

    Raises:
        Rejected: HEADER_TOO_LARGE, MALFORMED_CREDENTIALS or UNKNOWN_CRITICAL, at "dpop".
    """
    if len(value) > MAX_PROOF:
        raise Rejected(Reason.HEADER_TOO_LARGE, f"a proof of more than {MAX_PROOF} octets", where="dpop")
    try:
        head, body, tail, signing_input = jose.split(value, MAX_PROOF)
        header = jose.check_header(jose.read_header(head))
        claims = read_claims(jose.decode(body, "payload"))
        return PresentedProof(head, header, claims, signing_input, jose.decode(tail, "signature"))
    except Rejected as rejected:
        fault = rejected.rejection
        raise Rejected(fault.reason, f"{fault.where}: {fault.detail}", where="dpop") from None


def key_in(header: Mapping[str, Any], algorithms: Sequence[str]) -> Key:
    """The public key that a proof carries (RFC 9449 §4.3, items 5 and 7).

    Raises:
        Rejected: WRONG_ALGORITHM at "dpop alg"; MISSING_CLAIM or MALFORMED_CREDENTIALS at "dpop jwk": none, one with private
            members, or one that is not for that algorithm.
    """
    algorithm, jwk = header["alg"], header.get("jwk")
    if algorithm not in algorithms:
        detail = "not one of the asymmetric algorithms that proofs may have here"
        raise Rejected(Reason.WRONG_ALGORITHM, detail, where="dpop alg")
    if not isinstance(jwk, dict):
        raise Rejected(Reason.MISSING_CLAIM, "the header carries the public key (RFC 9449 §4.2)", where="dpop jwk")
    if any(name in jwk for name in _PRIVATE):
        raise Rejected(Reason.MALFORMED_CREDENTIALS, "a key with private members: it is known now", where="dpop jwk")
    try:
        return Key.from_jwk({name: jwk[name] for name in _OF_THE_KEY if name in jwk}, algorithm=algorithm)
    except ConfigurationError as error:
        raise Rejected(Reason.MALFORMED_CREDENTIALS, str(error), where="dpop jwk") from None


def resource_of(target: bytes, scheme: str, authority: str) -> tuple[str, str, bytes]:
    """A URL, or the target of a request, as `htu` is compared: without query and fragment, and normalised.

    By RFC 3986 §6.2.2.1 and §6.2.2.2 (case, and escapes of unreserved characters), and by §6.2.3 (default port, empty path).
    Dot segments stay, since servers don't agree on what they name.

    Raises:
        Rejected: TARGET_REFUSED, where the authority is not host or host:port.

    >>> resource_of(b"HTTPS://API.example:443/%7Ealice?a=b", "", "")
    ('https', 'api.example', b'/~alice')
    """
    bare = target.partition(b"#")[0].partition(b"?")[0]
    resource = split_target(bare, scheme, authority)
    return resource.scheme, resource.authority, _ESCAPE.sub(_unescaped, resource.path) or b"/"


def _unescaped(escape: re.Match[bytes]) -> bytes:
    octet = int(escape[1], 16)
    return bytes((octet,)) if octet in _UNRESERVED else escape[0].upper()
