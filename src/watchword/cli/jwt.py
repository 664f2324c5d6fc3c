"""`watchword jwt`: looks into tokens, mints them, makes their keys and the key set to publish.

Keys and secrets are read from files or standard input, never from arguments, which other users of a host can see.
"""

from __future__ import annotations

import json as json_text
import time
from typing import Annotated, Any, Final

import msgspec
import typer

from watchword.cli.administration import Json, duration, moment, note, unusable
from watchword.cli.key_files import read_input, read_keys, read_signing_key, write_private
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.core.scheme import Check
from watchword.crypto import jose
from watchword.crypto.encoding import parse_leniently, parse_object
from watchword.crypto.keys import Key, KeySet
from watchword.schemes.jwt import JWTVerifier
from watchword.schemes.jwt.explanation import explain_jwt
from watchword.schemes.key_source import NO_KEYS

__all__ = ["jwt_commands"]

jwt_commands = typer.Typer(help="Look into JSON Web Tokens, mint them, make their keys.", no_args_is_help=True)

Algorithm = Annotated[str | None, typer.Option("--alg", help="what the key is for, where its file does not say: ES256")]
KeyFile = Annotated[str, typer.Option("--key", help="a file with a JWK, a PEM or a secret; - for standard input")]

# What another verifier may rightly accept: shown, but no fault of the token.
MATTERS_OF_POLICY: Final = frozenset({"typ", "cnf", "sub", "aud"})
KEY_CHECKS: Final = ("algorithm", "key id", "signature")
DATES: Final = ("exp", "nbf", "iat", "auth_time")


@jwt_commands.command("inspect")
def inspect(
    token: Annotated[str, typer.Argument(help="the token; - for standard input, which no other user can see")],
    key: Annotated[str | None, typer.Option("--key", help="verify with this JWK, PEM or secret file")] = None,
    jwks: Annotated[str | None, typer.Option("--jwks", help="verify with this JWK set")] = None,
    alg: Algorithm = None,
    issuer: Annotated[str | None, typer.Option(help="who must have issued it")] = None,
    audience: Annotated[str | None, typer.Option(help="for whom it must be meant")] = None,
    json: Json = False,
) -> None:
    """Decode a token, say what is wrong with it, and verify it if a key is given.

    Exit status: 0 verified and nothing is wrong, 1 something is wrong, 2 unusable input, 3 nothing is wrong, but no key
    was given and so nothing is proven.
    """
    if key is not None and jwks is not None:
        unusable("give --key or --jwks, not both")
    if token == "-" and "-" in (key, jwks):
        unusable("standard input can be the token or the key, not both")
    file = key if key is not None else jwks
    octets = _token(token)
    keys = None if file is None else read_keys(file, alg)
    found = _Inspection(octets, keys, issuer, audience, time.time())
    typer.echo(found.as_json() if json else found.as_text())
    raise typer.Exit(found.status)


@jwt_commands.command("mint")
def mint(
    key: KeyFile,
    claims: Annotated[str | None, typer.Option(help="a file with a JSON object; - for standard input")] = None,
    subject: Annotated[str | None, typer.Option("--sub", help="whom it is about")] = None,
    issuer: Annotated[str | None, typer.Option("--iss", help="who issues it")] = None,
    audience: Annotated[
        list[str] | None, typer.Option("--aud", help="for whom it is; may be given several times")
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(help="what it allows; may be given several times")] = None,
    lifetime: Annotated[str, typer.Option(help="for how long it is good: 5m, 1h, 30s")] = "5m",
    typ: Annotated[str, typer.Option(help="its type: JWT, at+jwt")] = "JWT",
    alg: Algorithm = None,
) -> None:
    """Sign a token and print it. `iat` and `exp` follow from the clock and --lifetime."""
    if key == claims == "-":
        unusable("standard input can be the key or the claims, not both")
    signer = read_signing_key(key, alg)
    members: dict[str, Any] = {} if claims is None else _claims(claims)
    given = {"iss": issuer, "sub": subject, "aud": audience[0] if audience and len(audience) == 1 else audience or None,
             "scope": " ".join(scope) if scope else None}  # fmt: skip
    members |= {name: value for name, value in given.items() if value is not None}
    if "exp" in members or "iat" in members:
        unusable("leave exp and iat out of the claims: they follow from --lifetime")
    seconds = duration("--lifetime", lifetime)
    if seconds <= 0:
        unusable("--lifetime is longer than nothing")
    now = int(time.time())
    try:
        typer.echo(
            jose.sign(
                msgspec.json.encode({**members, "iat": now, "exp": now + int(seconds)}), signer, header={"typ": typ}
            )
        )
    except ConfigurationError as error:
        unusable(str(error))


@jwt_commands.command("keygen")
def keygen(
    out: Annotated[str, typer.Argument(help="the file to make, readable by its owner only")],
    alg: Annotated[str, typer.Option("--alg", help="ES256, EdDSA, RS256, HS256, …")] = "ES256",
    kid: Annotated[str | None, typer.Option("--kid", help="its key id; by default its thumbprint (RFC 7638)")] = None,
) -> None:
    """Make a private key or a secret, as a JWK; print its public part, if it has one."""
    try:
        key = Key.generate(alg, key_id=kid)
        if kid is None and key.algorithm[:2] != "HS":  # of a secret, a thumbprint tells too much (RFC 7638 §7)
            key = Key.from_jwk({**key.to_jwk(private=True), "kid": key.thumbprint()})
        private = key.to_jwk(private=True)
    except ConfigurationError as error:
        unusable(str(error))
    write_private(out, json_text.dumps(private, indent=2).encode() + b"\n")
    if private["kty"] == "oct":
        note(f"a secret for {alg} is in {out}")
    else:
        typer.echo(json_text.dumps(key.to_jwk()))


@jwt_commands.command("jwks")
def jwks_of(
    files: Annotated[list[str], typer.Argument(help="files with keys; - for standard input")], alg: Algorithm = None
) -> None:
    """Print the JWK set to publish: the public parts of these keys, and never a secret."""
    try:
        keys = KeySet([key for file in files for key in read_keys(file, alg).keys])
    except ConfigurationError as error:
        unusable(str(error))
    published = keys.to_jwks()
    if hidden := len(keys) - len(published["keys"]):
        note(f"left out: {hidden} shared secret{'s' if hidden > 1 else ''}, which must not be published")
    typer.echo(json_text.dumps(published, indent=2))


def _token(text: str) -> bytes:
    octets = read_input("-") if text == "-" else text.encode("utf-8", "surrogateescape")
    octets = octets.strip()
    return octets[7:].lstrip() if octets[:7].lower() == b"bearer " else octets


def _claims(file: str) -> dict[str, Any]:
    try:
        return parse_object(read_input(file))
    except ValueError as error:
        unusable(f"{file}: {error}")


class _Inspection:
    """One token, looked into: what it says, and what is wrong with it."""

    def __init__(self, token: bytes, keys: KeySet | None, issuer: str | None, audience: str | None, now: float) -> None:
        self.now = now
        self.header, self.claims = _said(token, 0), _said(token, 1)
        named = None if self.claims is None else self.claims.get("aud")
        # Without --audience it is not judged: the verifier is told what the token says.
        meant = audience if audience is not None else named if _is_audience(named) else None
        verifier: JWTVerifier[Any] = JWTVerifier(keys or NO_KEYS, issuer=issuer, audience=meant)
        checks = explain_jwt(verifier, token, now)[1]
        policy = MATTERS_OF_POLICY - ({"aud"} if audience is not None else set())
        self.checks = [_softened(check, policy, keys is not None) for check in checks]
        self.proven = any(check.name == "signature" and check.passed is True for check in self.checks)
        self.wrong = [check for check in self.checks if check.passed is False]
        self.status = 1 if self.wrong else 0 if self.proven else 3

    @property
    def headline(self) -> str:
        """The verdict in a line."""
        if self.wrong:
            first = self.wrong[0]
            said = "verified, but refused" if self.proven else "NOT VERIFIED, and refused"
            return f"{said}: {first.name}" + (f": {first.mend}" if first.mend else "")
        return "verified: the signature is good" if self.proven else "NOT VERIFIED: no key was given, nothing is proven"

    def as_text(self) -> str:
        """For a person; what the token says is printed as JSON in ASCII, so that it can't play tricks on a terminal."""
        whose = "" if self.proven else " (unverified)"
        lines = [self.headline]
        for title, members in (("header", self.header), ("claims", self.claims)):
            lines.append(f"{title}{whose}:" if members is not None else f"{title}: can't be read")
            lines += [f"  {self._line(name, value)}" for name, value in (members or {}).items()]
        lines.append("checks:")
        for check in self.checks:
            mark = {True: "ok  ", False: "FAIL", None: "----"}[check.passed]
            tail = f": {check.mend}" if check.mend and check.passed is not True else ""
            lines.append(f"  {mark} {check.name}{tail}")
        return "\n".join(lines)

    def _line(self, name: str, value: object) -> str:
        text = f"{json_text.dumps(name)[1:-1]}: {json_text.dumps(value)}"
        if name not in DATES or type(value) not in (int, float) or not 0 <= value < 253_402_300_800:  # type: ignore[operator]
            return text
        away = value - self.now  # type: ignore[operator]
        return f"{text} ({moment(value)}, {'in ' if away >= 0 else ''}{abs(away):.0f} s{'' if away >= 0 else ' ago'})"  # type: ignore[arg-type]

    def as_json(self) -> str:
        """For a program: `claims` are there only if they are proven, else they are `unverified_claims`."""
        prefix = "" if self.proven else "unverified_"
        return json_text.dumps(
            {
                "signature_verified": self.proven,
                "wrong": [check.name for check in self.wrong],
                f"{prefix}header": self.header,
                f"{prefix}claims": self.claims,
                "checks": [check._asdict() for check in self.checks],
            }
        )


def _is_audience(value: object) -> bool:
    named = [value] if isinstance(value, str) else value
    return isinstance(named, list) and bool(named) and all(isinstance(name, str) and name for name in named)


def _said(token: bytes, segment: int) -> dict[str, Any] | None:
    try:
        return parse_leniently(jose.decode(jose.split(token)[segment], "segment"))
    except (Rejected, ValueError):
        return None


def _softened(check: Check, policy: frozenset[str] | set[str], keyed: bool) -> Check:
    """What depends on who verifies is no fault; without a key nothing can be said of key and signature."""
    if not keyed and check.name in KEY_CHECKS:
        return Check(check.name, None, check.component, mend="no key was given")
    return check._replace(passed=None) if check.passed is False and check.name in policy else check
