"""What an issuer has for clients that act for people: codes by a browser, codes for devices, refresh tokens that rotate.

Written for itself: nothing here comes from `watchword.oauth`, so that a mistake made there isn't made here too.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import parse_qsl, unquote_plus, urlencode

import msgspec

from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.crypto import jose
from watchword.crypto.digests import compare, digest
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.keys import Key, KeySet
from watchword.schemes.jwt import JWTVerifier
from watchword.testing.misbehaviour import Reply

__all__ = ["IssuerGrants", "Settings"]

_JSON: Final = (b"content-type", b"application/json")
_DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_LIFE: Final = 600.0
_LOOPBACK_PORT: Final = re.compile(r"^(http://127\.0\.0\.1):[0-9]+(?=/)")
_HASHES: Final = {"256": "sha-256", "384": "sha-384", "512": "sha-512"}

Form = Mapping[str, str]


@dataclass
class Settings:
    """How an issuer treats those who log in; a test changes it as it goes.

    Args:
        person: who logs in.
        denies: the person says no.
        rotates: each refresh gives a new refresh token, and using an old one ends the whole log-in.
        grace: an old one is taken once more, for whoever has not got the answer.
        lifetime: seconds for which access tokens are good.
        id_claims: claims of ID tokens instead of the usual ones; None as a value leaves one out.
        device_answers: errors for the next questions of a device, in order.
        device_interval: seconds between two of them.
        callback: parameters of the callback instead of the usual ones; None as a value leaves one out.
        answer: members of token answers instead of the usual ones, likewise.
    """

    person: str = "alice"
    denies: bool = False
    rotates: bool = True
    grace: bool = False
    lifetime: float = 300.0
    id_claims: dict[str, object] = field(default_factory=dict)
    device_answers: list[str] = field(default_factory=list)
    device_interval: int = 5
    callback: dict[str, str | None] = field(default_factory=dict)
    answer: dict[str, object] = field(default_factory=dict)


class _Client(NamedTuple):
    secret: str | None
    key: Key | None
    redirect_uris: tuple[str, ...]


class _Asked(NamedTuple):
    """What somebody has agreed to, until the client comes for it."""

    client_id: str
    person: str
    scope: str
    resource: str
    redirect_uri: str = ""
    challenge: str = ""
    nonce: str = ""
    until: float = 0.0


@dataclass
class _Family:
    """All refresh tokens of one log-in."""

    asked: _Asked
    current: str = ""
    previous: str = ""
    ended: bool = False


class _Issuing(Protocol):
    url: str

    @property
    def clock(self) -> Callable[[], float]: ...
    @property
    def signing_key(self) -> Key: ...
    @property
    def token_url(self) -> str: ...
    @property
    def token(self) -> Callable[..., str]: ...


class _Refused(Exception):
    def __init__(self, error: str, status: int = 400, description: str = "") -> None:
        super().__init__(error)
        self.error, self.status, self.description = error, status, description


class IssuerGrants:
    """The endpoints for it, of one issuer.

    Args:
        issuer: whose they are.
        random: its random octets.
    """

    def __init__(self, issuer: _Issuing, random: Callable[[int], bytes]) -> None:
        self.settings = Settings()
        self.refreshed: list[str] = []
        """The clients whose tokens were refreshed, in order."""
        self.ended: list[str] = []
        """The people whose log-in was ended, because an old refresh token came."""
        self.revoked: list[str] = []
        """The tokens that were given back."""
        self._issuer, self._random = issuer, random
        self._clients: dict[str, _Client] = {}
        self._codes: dict[str, _Asked] = {}
        self._devices: dict[str, _Asked] = {}
        self._families: dict[str, _Family] = {}
        self._seen: set[str] = set()

    def add_client(self, client_id: str, secret: str | None, key: Key | None, redirect_uris: tuple[str, ...]) -> None:
        self._clients[client_id] = _Client(secret, key, redirect_uris)

    def takes(self, form: Form) -> bool:
        """Whether a token request is for these grants; the rest is for a token endpoint of client credentials."""
        return form.get("grant_type") != "client_credentials" or "client_assertion" in form

    # ---- endpoints -------------------------------------------------------------------------------------------------------

    def authorize(self, request: Request, name: str | None) -> Reply:
        """Sends the browser back at once, as if somebody had logged in and said yes. `name`: who the callback says it is."""
        asked = dict(parse_qsl((request.query or b"").decode("latin-1"), keep_blank_values=True))
        client = self._clients.get(asked.get("client_id", ""))
        if client is None or not _is_registered(asked.get("redirect_uri", ""), client.redirect_uris):
            return Reply(400, ((b"content-type", b"text/html"),), b"<h1>unknown client or redirect_uri</h1>")
        given: dict[str, str | None] = {"state": asked.get("state"), "iss": name}
        if (
            asked.get("response_type") != "code"
            or asked.get("code_challenge_method") != "S256"
            or not asked.get("code_challenge")
        ):
            given |= {"error": "invalid_request", "error_description": "PKCE by S256 is demanded"}
        elif self.settings.denies:
            given |= {"error": "access_denied", "error_description": "alice has said no"}
        else:
            code = self._random(16).hex()
            self._codes[code] = _Asked(
                asked["client_id"], self.settings.person, asked.get("scope", ""), asked.get("resource", ""),
                asked["redirect_uri"], asked["code_challenge"], asked.get("nonce", ""), self._issuer.clock() + _LIFE,
            )  # fmt: skip
            given["code"] = code
        given |= self.settings.callback
        query = urlencode({key: value for key, value in given.items() if value is not None})
        mark = "&" if "?" in asked["redirect_uri"] else "?"
        return Reply(302, ((b"location", f"{asked['redirect_uri']}{mark}{query}".encode()),), b"")

    def token(self, request: Request, form: Form, name: str) -> Reply:
        """The token endpoint."""
        try:
            client_id = self._client_of(request, form)
            kind = form.get("grant_type")
            if kind == "client_credentials":
                return self._issued(
                    _Asked(client_id, client_id, form.get("scope", ""), form.get("resource", "")), name, None
                )
            if kind == "authorization_code":
                return self._by_code(client_id, form, name)
            if kind == "refresh_token":
                return self._by_refresh_token(client_id, form, name)
            if kind == _DEVICE:
                return self._by_device_code(client_id, form, name)
            raise _Refused("unsupported_grant_type")
        except _Refused as refused:
            return _error(refused)

    def device(self, request: Request, form: Form) -> Reply:
        """The device authorization endpoint."""
        try:
            client_id = self._client_of(request, form)
        except _Refused as refused:
            return _error(refused)
        code, shown = self._random(16).hex(), self._random(4).hex().upper()
        until = self._issuer.clock() + _LIFE
        self._devices[code] = _Asked(
            client_id, self.settings.person, form.get("scope", ""), form.get("resource", ""), until=until
        )
        page = f"{self._issuer.url}/enter"
        return _object(200, {
            "device_code": code, "user_code": shown, "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={shown}", "expires_in": int(_LIFE),
            "interval": self.settings.device_interval,
        })  # fmt: skip

    def revoke(self, request: Request, form: Form) -> Reply:
        """The revocation endpoint."""
        try:
            self._client_of(request, form)
        except _Refused as refused:
            return _error(refused)
        self.revoked.append(form.get("token", ""))
        family = self._families.get(form.get("token", ""))
        if family is not None:
            family.ended = True
        return Reply(200, (), b"")

    # ---- who asks --------------------------------------------------------------------------------------------------------

    def _client_of(self, request: Request, form: Form) -> str:
        lines = request.values(b"authorization")
        if lines:
            word, _, pair = lines[0].partition(b" ")
            name, _, secret = b64decode(pair).decode().partition(":") if word.lower() == b"basic" else ("", "", "")
            client_id, given = unquote_plus(name), unquote_plus(secret)
        else:
            client_id, given = form.get("client_id", ""), form.get("client_secret", "")
        client = self._clients.get(client_id)
        if client is None:
            raise _Refused("invalid_client", 401, "this client is unknown")
        if "client_assertion" in form:
            self._check_assertion(client_id, client, form["client_assertion"])
        elif client.key is not None or not compare((client.secret or "").encode(), given.encode()):
            raise _Refused("invalid_client", 401, f"wrong secret {given}")  # some do repeat it
        return client_id

    def _check_assertion(self, client_id: str, client: _Client, assertion: str) -> None:
        key = client.key or Key.from_secret(client.secret or "", algorithm="HS256")
        verifier = JWTVerifier(
            KeySet([key]),
            issuer=client_id,
            audience=[self._issuer.url, self._issuer.token_url],
            required=["exp", "jti", "aud"],
        )
        try:
            claims: Any = verifier.verify_at(assertion, self._issuer.clock()).claims
        except Rejected as rejected:
            raise _Refused("invalid_client", 401, str(rejected)) from None
        if claims["sub"] != client_id or claims["jti"] in self._seen:
            raise _Refused("invalid_client", 401, "not the client's own, or used before")
        self._seen.add(claims["jti"])

    # ---- grants ------------------------------------------------------------------------------------------------------------

    def _by_code(self, client_id: str, form: Form, name: str) -> Reply:
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = b64url_encode(digest("sha-256", form.get("code_verifier", "").encode())).decode()
        if asked is None or (asked.client_id, asked.redirect_uri) != (client_id, form.get("redirect_uri")):
            raise _Refused("invalid_grant", description="no such code for this client and redirect_uri")
        if asked.challenge != challenge or self._issuer.clock() > asked.until:
            raise _Refused("invalid_grant", description="the code_verifier is not that of the code, or it is too late")
        return self._issued(asked, name, _Family(asked))

    def _by_refresh_token(self, client_id: str, form: Form, name: str) -> Reply:
        given = form.get("refresh_token", "")
        family = self._families.get(given)
        if family is None or family.ended or family.asked.client_id != client_id:
            raise _Refused("invalid_grant", description="no such refresh token")
        if self.settings.rotates and given != family.current and not (self.settings.grace and given == family.previous):
            family.ended = True
            self.ended.append(family.asked.person)
            raise _Refused("invalid_grant", description="it was used before, so the log-in is ended")
        self.refreshed.append(client_id)
        return self._issued(family.asked, name, family)

    def _by_device_code(self, client_id: str, form: Form, name: str) -> Reply:
        asked = self._devices.get(form.get("device_code", ""))
        if asked is None or asked.client_id != client_id:
            raise _Refused("invalid_grant")
        if self._issuer.clock() > asked.until:
            raise _Refused("expired_token")
        if self.settings.device_answers:
            raise _Refused(self.settings.device_answers.pop(0))
        if self.settings.denies:
            raise _Refused("access_denied")
        del self._devices[form["device_code"]]
        return self._issued(asked, name, _Family(asked))

    def _issued(self, asked: _Asked, name: str, family: _Family | None) -> Reply:
        options: dict[str, Any] = {"audience": asked.resource} if asked.resource else {}
        scopes = asked.scope.split()
        token = self._issuer.token(
            asked.person,
            scopes=scopes,
            client_id=asked.client_id,
            lifetime=self.settings.lifetime,
            claims={"iss": name},
            **options,
        )
        members: dict[str, object] = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(self.settings.lifetime),
        }
        if family is not None:
            if self.settings.rotates or not family.current:
                family.previous, family.current = family.current, self._random(24).hex()
                self._families[family.current] = family
                members["refresh_token"] = family.current
            if "openid" in scopes:
                members["id_token"] = self._id_token(asked, name, token)
        members |= self.settings.answer
        return _object(200, {key: value for key, value in members.items() if value is not None})

    def _id_token(self, asked: _Asked, name: str, token: str) -> str:
        now, key = int(self._issuer.clock()), self._issuer.signing_key
        hashed = digest(_HASHES.get(key.algorithm[-3:], "sha-512"), token.encode())
        claims: dict[str, object] = {
            "iss": name, "sub": asked.person, "aud": asked.client_id, "iat": now, "exp": now + 300, "auth_time": now,
            "at_hash": b64url_encode(hashed[: len(hashed) // 2]).decode(), "nonce": asked.nonce or None,
            **self.settings.id_claims,
        }  # fmt: skip
        kept = {claim: value for claim, value in claims.items() if value is not None}
        return jose.sign(msgspec.json.encode(kept), key, header={"typ": "JWT"})


def _is_registered(uri: str, registered: tuple[str, ...]) -> bool:
    """Letter by letter; of a loopback address any port is that which was registered (RFC 8252 §7.3)."""
    return uri in registered or _LOOPBACK_PORT.sub(r"\1", uri) in registered


def form_of(request: Request, body: bytes) -> Form:
    """The parameters of a form; the last one, where one is there twice."""
    kinds = request.values(b"content-type")
    if request.method != "POST" or not kinds or not kinds[0].startswith(b"application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))


def check_client(secret: str | None, key: Key | None) -> None:
    """Nothing, if a client may prove itself so.

    Raises:
        ConfigurationError: by two things at once.
    """
    if secret and key is not None:
        raise ConfigurationError("a client has a secret or a key, or neither")


def _object(status: int, members: Mapping[str, object]) -> Reply:
    return Reply(status, (_JSON, (b"cache-control", b"no-store")), msgspec.json.encode(members))


def _error(refused: _Refused) -> Reply:
    more = {"error_description": refused.description} if refused.description else {}
    return _object(refused.status, {"error": refused.error, **more})
