"""The authorization code grant with PKCE (RFC 6749 §4.1, RFC 7636): a person logs in at the issuer, in a browser."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from watchword.core.rejection import ConfigurationError, CredentialsUnavailable
from watchword.effects import Ask, Context
from watchword.crypto.digests import digest
from watchword.crypto.encoding import b64url_encode
from watchword.oauth.callback import code_in
from watchword.oauth.id_token import Expected, identified
from watchword.oauth.issuer import Issuer
from watchword.oauth.metadata import Metadata
from watchword.oauth.own_requests import own_url
from watchword.oauth.token_response import AccessToken

__all__ = ["AuthorizationCode", "Granted", "Login"]


class Login(msgspec.Struct, frozen=True):
    """A log-in that has begun: send the browser to `url`, and keep this in the person's session until it is back.

    It holds secrets, by which the answer is known to belong to it. Keep it where nobody but the server reads it, or encrypted;
    `to_text` and `from_text` are for that.

    Args:
        url: where the person logs in.
        issuer: whose it is.
        client_id: which client began it.
        redirect_uri: where the browser comes back to.
        state, verifier, nonce: the secrets.
    """

    url: str
    issuer: str
    client_id: str
    redirect_uri: str
    state: str
    verifier: str
    nonce: str | None = None

    def to_text(self) -> str:
        """It as JSON."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_text(cls, text: str) -> Login:
        """It from JSON.

        Raises:
            CredentialsUnavailable: it is none.

        >>> Login.from_text("{}")
        Traceback (most recent call last):
        ...
        watchword.core.rejection.CredentialsUnavailable: this is no log-in that has begun: begin it again
        """
        login = None
        try:
            login = msgspec.json.decode(text, type=cls)
        except ValueError:  # whose text may show it
            pass
        if login is None:
            raise CredentialsUnavailable("this is no log-in that has begun: begin it again")
        return login

    def __repr__(self) -> str:
        return f"Login(at {self.issuer!r})"


class Granted(NamedTuple):
    """What a log-in has brought.

    Args:
        token: the access token.
        claims: who has logged in, as the ID token says it; None without the scope `openid`.
    """

    token: AccessToken
    claims: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        return f"Granted(subject={self.token.subject!r})"


class AuthorizationCode:
    """The grant of programs that act for a person who has a browser: `OAuth2Auth(…, grant=AuthorizationCode("https://app.example/cb"))`.

    PKCE is always used, with S256. An issuer whose metadata doesn't offer that is refused (`code_challenge_methods_supported`).

    Args:
        redirect_uri: where the browser comes back to; registered at the issuer.
        max_age: seconds since the person has typed a password, at most; checked in the ID token.
        acr: authentication contexts, one of which is demanded; checked in the ID token.

    Raises:
        ConfigurationError: no URL, or `acr` is no list.

    >>> AuthorizationCode("https://app.example/callback")
    AuthorizationCode('https://app.example/callback')
    """

    __slots__ = ("_acr", "_max_age", "redirect_uri")

    def __init__(self, redirect_uri: str, *, max_age: float | None = None, acr: Sequence[str] = ()) -> None:
        if isinstance(acr, str):
            raise ConfigurationError(f"acr is a list: acr=[{acr!r}]")
        self.redirect_uri = own_url("redirect_uri", redirect_uri)
        self._max_age, self._acr = max_age, tuple(acr)

    def can_begin(self, context: Context) -> bool:
        """Whether there is somebody to ask: `adapt(auth, ask=…)`."""
        return context.asks

    def begin(self, context: Context, issuer: Issuer) -> Generator[Any, Any, AccessToken]:
        """The effects that have a person log in, and get a token for it.

        Raises:
            CredentialsUnavailable: nobody is there to be asked, or what came back is no answer to this log-in.
        """
        if not self.can_begin(context):
            raise CredentialsUnavailable(
                "nobody has logged in yet: carry out auth.begin_login(), send the browser to its url and carry out "
                "auth.finish_login(…); or pass adapt(auth, ask=…) in a program that a person runs"
            )
        login = yield from self.start(context, issuer)
        callback = yield Ask("authorize", login.url)
        if not isinstance(callback, str):
            raise ConfigurationError("ask gives the URL to which the browser was sent, a text")
        granted = yield from self.redeem(context, issuer, login, callback.strip())
        return granted.token

    def start(self, context: Context, issuer: Issuer) -> Generator[Any, Any, Login]:
        """The effects that begin a log-in.

        Raises:
            CredentialsUnavailable: the issuer has no such grant, or doesn't do PKCE by S256.
        """
        metadata = yield from issuer.metadata(context)
        endpoint = metadata.need("authorization_endpoint")
        _need_pkce(metadata)
        verifier, state = _random(context, 32), _random(context, 32)
        nonce = _random(context, 32) if issuer.is_openid else None
        challenge = b64url_encode(digest("sha-256", verifier.encode())).decode()
        form = [
            ("response_type", "code"), ("client_id", issuer.client.client_id), ("redirect_uri", self.redirect_uri),
            ("state", state), ("code_challenge", challenge), ("code_challenge_method", "S256"), *issuer.asked_for,
        ]  # fmt: skip
        form += [("nonce", nonce)] if nonce is not None else []
        form += [("max_age", f"{self._max_age:.0f}")] if self._max_age is not None else []
        form += [("acr_values", " ".join(self._acr))] if self._acr else []
        url = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(form)}"
        return Login(url, issuer.name, issuer.client.client_id, self.redirect_uri, state, verifier, nonce)

    def redeem(self, context: Context, issuer: Issuer, login: Login, callback: str) -> Generator[Any, Any, Granted]:
        """The effects that get a token for what the browser has brought back.

        Raises:
            CredentialsUnavailable: it is not the answer to this log-in, the issuer refuses, or the ID token is not good.
        """
        if (login.issuer, login.client_id) != (issuer.name, issuer.client.client_id):
            raise CredentialsUnavailable("this log-in began at another issuer, or for another client")
        metadata = yield from issuer.metadata(context)
        code = code_in(callback, redirect_uri=login.redirect_uri, state=login.state, metadata=metadata)
        form = (
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", login.redirect_uri),
            ("code_verifier", login.verifier), *issuer.resource_form(),
        )  # fmt: skip
        token, members = yield from issuer.token(context, form, (code, login.verifier))
        if not issuer.is_openid:
            return Granted(token)
        claims = yield from identified(context, issuer, members, Expected(login.nonce, self._max_age, self._acr))
        return Granted(replace(token, subject=claims["sub"]), claims)

    def __repr__(self) -> str:
        return f"AuthorizationCode({self.redirect_uri!r})"


def _need_pkce(metadata: Metadata) -> None:
    """Without PKCE a code that is stolen, or slipped into another's log-in, is good (RFC 9700 §2.1.1)."""
    methods = metadata.code_challenge_methods
    if methods is None or "S256" not in methods:
        said = "says nothing of PKCE" if methods is None else "offers no S256"
        raise CredentialsUnavailable(
            f"the metadata of {metadata.issuer} {said} (code_challenge_methods_supported), so no code is asked for there. If it does "
            "PKCE all the same, give metadata={…, 'code_challenge_methods_supported': ['S256']}"
        )


def _random(context: Context, octets: int) -> str:
    return b64url_encode(context.random(octets)).decode()
