"""Attacks with JSON Web Tokens that nobody should believe (RFC 8725), in the place where the genuine token is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

from watchword.crypto.keys import Key
from watchword.testing.attacks.credentials import Sign
from watchword.testing.attacks.outcome import NotTried
from watchword.testing.attacks.signing import Signed
from watchword.testing.attacks.tokens import SHARED, Minter, public_keys, read, written, written_with_secret
from watchword.testing.attacks.trial import Trial

__all__ = [
    "another_issuer",
    "another_service",
    "confused_algorithm",
    "expired",
    "own_key",
    "unsigned",
    "without_end",
    "wrong_kind",
]

FORGED = "Nobody who has the issuer's key signed this token."
USE_A_LIST = "Verify with the algorithms and keys that you list, whatever the token's header says: JWTVerifier does; in PyJWT, decode(…, algorithms=[…])."
GUESSABLE = (
    "",
    "secret",
    "Secret",
    "password",
    "changeme",
    "change-me",
    "your-256-bit-secret",
    "jwt-secret",
    "key",
    "test",
    "dev",
    "null",
)
"""Secrets that everybody tries."""


@cache
def _rsa() -> Key:
    """The attacker's own RSA key; making one takes a while."""
    return Key.generate("RS256", key_id="attacker")


class _Genuine:
    """A genuine token and its place."""

    def __init__(self, trial: Trial, way: Sign, signed: Signed) -> None:
        self.trial = trial
        self.way = way
        self.signed = signed
        self.token = signed.token or b""
        self.header, self.claims = read(self.token)

    def mint(self, claims: dict[str, Any]) -> bytes:
        """A token that the issuer would have made of other claims."""
        return Minter(self.trial.credentials, self.way, self.header)(claims)

    def attempt(
        self, tried: str, token: bytes, *, why: str = FORGED, write: str = USE_A_LIST, weak: bool = False
    ) -> None:
        """Sends a token that must be refused, in the place of the genuine one."""
        fresh = self.trial.signed(self.way)
        forged = fresh.with_token(token)
        self.trial.attempt(
            tried, forged.changed(peer=self.trial.stranger()).request, forged.body, why=why, write=write, weak=weak
        )


def _each(trial: Trial) -> Iterator[_Genuine]:
    """The ways in that are tokens.

    Raises:
        NotTried: none is.
    """
    found = False
    for way, signed, _ in trial.each_genuine():
        if signed.token is not None:
            found = True
            yield _Genuine(trial, way, signed)
    if not found:
        raise NotTried("the credentials are no JSON Web Token")


def unsigned(trial: Trial) -> None:
    """`alg: none` in any spelling, no signature at all, another token's signature, claims changed under the old one."""
    for genuine in _each(trial):
        header, claims = genuine.header, genuine.claims
        signature = genuine.token.rpartition(b".")[2]
        for name in ("none", "None", "NONE", "nOnE", "", " none"):
            token = written({**header, "alg": name}, claims)
            genuine.attempt(f"alg {name!r} without a signature", token)
            genuine.attempt(f"alg {name!r} with the old signature", token + signature)
        bare = {name: value for name, value in header.items() if name != "alg"}
        genuine.attempt("no alg", written(bare, claims))
        genuine.attempt("the signature taken off", genuine.token.rpartition(b".")[0] + b".")
        genuine.attempt("a signature of zeros", written(header, claims, bytes(64)))
        genuine.attempt(
            "claims changed under the old signature", written(header, {**claims, "sub": "admin", "x": 1}) + signature
        )


def confused_algorithm(trial: Trial) -> None:
    """The public key used as a secret: HS256 in the header of a token whose issuer signs with a pair of keys."""
    for genuine in _each(trial):
        for secret in public_keys(trial.credentials, genuine.way, genuine.header):
            for algorithm in SHARED:
                token = written_with_secret({**genuine.header, "alg": algorithm}, genuine.claims, secret)
                genuine.attempt(f"{algorithm} with the public key ({len(secret)} octets) as its secret", token)


def own_key(trial: Trial) -> None:
    """A token that brings its own key or names one of the attacker's: jwk, jku, x5u, kid as a path or as SQL, secrets that everybody tries."""
    for genuine in _each(trial):
        header, claims = genuine.header, genuine.claims
        mine = Key.generate("EdDSA", key_id="attacker")
        own = {"alg": "EdDSA", "typ": header.get("typ", "JWT")}
        embedded = {**own, "jwk": mine.to_jwk()}
        genuine.attempt("its own key in jwk", written(embedded, claims, mine.sign))
        genuine.attempt(
            "its own key in jwk, under the issuer's kid",
            written({**embedded, "kid": header.get("kid", "")}, claims, mine.sign),
        )
        rsa = _rsa()
        genuine.attempt(
            "its own RSA key in jwk", written({**own, "alg": "RS256", "jwk": rsa.to_jwk()}, claims, rsa.sign)
        )
        shared = {"kty": "oct", "k": "YXR0YWNrZXI"}
        genuine.attempt(
            "its own secret in jwk", written_with_secret({**own, "alg": "HS256", "jwk": shared}, claims, b"attacker")
        )
        for place in ("jku", "x5u"):  # nobody listens there, and a guard does not look
            far = {**own, "kid": "attacker", place: "https://127.0.0.1:9/keys.json"}
            genuine.attempt(f"a key at an address of the attacker's ({place})", written(far, claims, mine.sign))
        for kid, secret in (
            ("../../../../../../dev/null", b""), ("/dev/null", b""), ("' UNION SELECT 'attacker' -- ", b"attacker"), ("", b""), ("none", b""),
            ("0", b""), ("../../../../../../proc/sys/kernel/randomize_va_space", b"2\n"), ("unknown-to-everybody", b""),
        ):  # fmt: skip
            genuine.attempt(
                f"kid {kid!r}", written_with_secret({"alg": "HS256", "typ": "JWT", "kid": kid}, claims, secret)
            )
        for guess in GUESSABLE:
            named = {**header, "alg": header["alg"] if header.get("alg") in SHARED else "HS256"}
            genuine.attempt(f"the secret {guess!r}", written_with_secret(named, claims, guess.encode()),
                            write="Make the secret by secrets.token_bytes(32), and keep it out of the source.")  # fmt: skip


def another_service(trial: Trial) -> None:
    """A genuine token of the same issuer for another service: another audience, none, or one that only resembles the right one (RFC 8725 §3.9)."""
    why = "The token was issued for another service; whoever runs that service, or steals a token there, gets in here."
    write = "Demand your own audience: JWTVerifier(key, audience='orders', …); in PyJWT, decode(…, audience='orders')."
    for genuine in _each(trial):
        audience = genuine.claims.get("aud")
        if not audience:
            raise NotTried("the genuine token names no audience (aud)")
        own = audience if isinstance(audience, str) else str(audience[0])
        others: list[object] = [
            "watchword-another-service",
            ["watchword-another-service"],
            f"{own}-evil",
            f"evil-{own}",
            own[:-1],
            own.swapcase(),
            "*",
            "",
            [],
        ]
        for other in others:
            if other not in (own, audience):
                genuine.attempt(f"aud {other!r}", genuine.mint({**genuine.claims, "aud": other}), why=why, write=write)
        without = {name: value for name, value in genuine.claims.items() if name != "aud"}
        genuine.attempt("no aud", genuine.mint(without), why=why, write=write)


def another_issuer(trial: Trial) -> None:
    """A token in which another issuer is named, or none, under a key that the app takes (RFC 8725 §3.8)."""
    why = "The token names another issuer; where several issuers or tenants share keys, each of them can speak for all."
    write = "Demand your issuer: JWTVerifier(key, issuer='https://id.example', …); in PyJWT, decode(…, issuer='https://id.example')."
    for genuine in _each(trial):
        issuer = genuine.claims.get("iss")
        if not isinstance(issuer, str) or not issuer:
            raise NotTried("the genuine token names no issuer (iss)")
        weak = genuine.header.get("alg") in SHARED  # a secret is one issuer's; published keys serve many tenants
        for other in (
            "https://attacker.example",
            f"{issuer}.attacker.example",
            f"https://attacker.example/?{issuer}",
            issuer[:-1],
            issuer[: len(issuer) // 2],
            [issuer, "x"],
        ):
            genuine.attempt(
                f"iss {other!r}", genuine.mint({**genuine.claims, "iss": other}), why=why, write=write, weak=weak
            )
        without = {name: value for name, value in genuine.claims.items() if name != "iss"}
        genuine.attempt("no iss", genuine.mint(without), why=why, write=write, weak=True)


def expired(trial: Trial) -> None:
    """A token whose time is over."""
    why = "The token ended; whoever finds an old one gets in."
    write = "Verify exp: JWTVerifier does; in PyJWT, don't switch verify_exp off."
    for genuine in _each(trial):
        now = int(time.time())
        for ago in (7 * 24 * 3600, 24 * 3600):
            times = {"iat": now - ago - 3600, "nbf": now - ago - 3600, "exp": now - ago}
            claims = {
                **genuine.claims,
                **{name: value for name, value in times.items() if name == "exp" or name in genuine.claims},
            }
            genuine.attempt(f"exp {ago // 3600} hours ago", genuine.mint(claims), why=why, write=write)


def without_end(trial: Trial) -> None:
    """A token without an end, and one that isn't good yet: they only matter where the issuer makes such tokens."""
    why = "Nothing makes tokens end, should the issuer ever forget it."
    write = "Demand exp: JWTVerifier(required=['exp'], …); in PyJWT, decode(…, options={'require': ['exp']})."
    for genuine in _each(trial):
        if "exp" not in genuine.claims:
            raise NotTried("the genuine token has no exp itself")
        without = {name: value for name, value in genuine.claims.items() if name != "exp"}
        genuine.attempt("no exp", genuine.mint(without), why=why, write=write, weak=True)
        later = {**genuine.claims, "nbf": int(time.time()) + 3600}
        genuine.attempt(
            "nbf in an hour", genuine.mint(later), why="The token isn't good yet.", write="Verify nbf.", weak=True
        )


def wrong_kind(trial: Trial) -> None:
    """An ID token, or a token of another kind by its typ, in the place of an access token (RFC 8725 §3.11, RFC 9068 §4)."""
    why = "The token was made to tell a client who has logged in, not to open an API."
    write = (
        "Demand the kind: OAuth2Verifier wants typ at+jwt (RFC 9068); JWTVerifier(typ=…) names the kinds that you take."
    )
    for genuine in _each(trial):
        extra = {"nonce": "n-0S6_WzA2Mj", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "auth_time": int(time.time())}
        claims = {**genuine.claims, **extra}
        for name in ("scope", "scp", "client_id"):
            claims.pop(name, None)
        genuine.attempt("an ID token's claims", genuine.mint(claims), why=why, write=write, weak=True)
