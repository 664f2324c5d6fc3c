"""Three legs to a token (RFC 5849 §2): temporary credentials, the owner's authorization, token credentials."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from watchword.schemes.sending import refuse_cleartext
from watchword.core.message import Request
from watchword.core.records import Put, Ref
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable, Rejected
from watchword.effects import Ask, Context, Effect, Hold, Load, Received, Release, Save, Send
from watchword.schemes.oauth1.encoding import Pairs, escape, form_pairs, octets_text, unescape, unescaped_text

__all__ = [
    "MAX_ANSWER", "OAuth1AccessToken", "OAuth1Endpoints", "answer_parameters", "callback_parameters", "obtain",
]  # fmt: skip

LEASE: Final = 600.0
"""Seconds that a person has."""
MAX_ANSWER: Final = 64 * 1024
MAX_VALUE: Final = 4096
OOB: Final = "oob"


@dataclass(frozen=True, slots=True)
class OAuth1AccessToken:
    """Token credentials as the server issued them (RFC 5849 §2.3); in the client's own store.

    Args:
        value: `oauth_token`.
        secret: `oauth_token_secret`.
    """

    sensitive: ClassVar[bool] = True

    value: str
    secret: str = field(default="", repr=False)


class OAuth1Endpoints(NamedTuple):
    """Where a token is to be had (RFC 5849 §2), as the server documents it.

    Args:
        temporary: the URL for temporary credentials (§2.1), "request token".
        authorize: the page where the owner agrees (§2.2).
        token: the URL for token credentials (§2.3), "access token".
        callback: where the owner is sent back to, or "oob": the page shows a code, which the owner types in.

    >>> OAuth1Endpoints("https://photos.example/initiate", "https://photos.example/authorize",
    ...                 "https://photos.example/token").callback
    'oob'
    """

    temporary: str
    authorize: str
    token: str
    callback: str = OOB

    def check(self, allow_cleartext: bool) -> None:
        """That these are URLs over TLS, or of loopback (§2.1: what they answer is secret). So is the callback: other programs
        may claim any scheme of their own, and read what comes back.

        Raises:
            ConfigurationError: they are not.
        """
        for name, url in zip(self._fields[:3], self[:3], strict=True):
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment or "@" in parts.netloc:
                raise ConfigurationError(f"{name} is an http(s) URL without user information and fragment")
            refuse_cleartext(_post(url), allow_cleartext)
        if self.callback != OOB:
            parts = urlsplit(self.callback)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment or "@" in parts.netloc:
                raise ConfigurationError(
                    'callback is an absolute https URL (http for loopback) without user information and fragment, or "oob"'
                )
            refuse_cleartext(_post(self.callback), allow_cleartext)  # the code comes back in it


class Client(Protocol):
    """What the dance asks of `OAuth1Auth`."""

    @property
    def token(self) -> OAuth1AccessToken | None: ...
    @property
    def token_key(self) -> tuple[str, str]: ...
    def use(self, token: OAuth1AccessToken) -> None: ...
    def sign_post(
        self, request: Request, context: Context, token: OAuth1AccessToken | None, extra: Pairs
    ) -> Request: ...


Steps = Generator[Effect, Any, OAuth1AccessToken]


def obtain(client: Client, endpoints: OAuth1Endpoints, context: Context) -> Steps:
    """The effects that get a token: from the store, or in three legs. One flow asks, the others wait for it.

    Raises:
        CredentialsUnavailable: the server refuses or answers something else, or the owner brings back nothing that fits.
        ConfigurationError: nobody can be asked: `adapt(auth, ask=…)`.
    """
    yield Hold("token", LEASE)
    token = client.token
    ref = Ref(OAuth1AccessToken, (endpoints.token, *client.token_key))
    if token is None and context.stored:
        found = yield Load((ref,))
        token = found.get(ref)
    if token is None:
        token = yield from _dance(client, endpoints, context)
        if context.stored:
            yield Save((Put(ref, token),))
    client.use(token)  # before the others go on, who else would ask again
    yield Release("token")
    return token


def _dance(client: Client, endpoints: OAuth1Endpoints, context: Context) -> Steps:
    answer = yield from _asked(client, endpoints.temporary, context, None, ("oauth_callback", endpoints.callback))
    temporary = _credentials(answer, "temporary credentials")
    if answer.get("oauth_callback_confirmed") != "true":
        # Whoever doesn't confirm it speaks OAuth 1.0, where another can have his own log-in finished (§2.1).
        raise CredentialsUnavailable("the server does not confirm the callback, so it does not speak OAuth 1.0a")
    mark = "&" if "?" in endpoints.authorize else "?"
    url = f"{endpoints.authorize}{mark}oauth_token={escape(octets_text(temporary.value))}"
    said = yield Ask("oauth1", url)
    code = _verifier(said, endpoints.callback, temporary)
    answer = yield from _asked(client, endpoints.token, context, temporary, ("oauth_verifier", code))
    return _credentials(answer, "token credentials")


def _asked(
    client: Client,
    url: str,
    context: Context,
    token: OAuth1AccessToken | None,
    extra: tuple[str, str],
) -> Generator[Effect, Any, dict[str, str]]:
    """The parameters of the answer to a signed POST without a body (§2.1, §2.3)."""
    name, value = extra
    post = _post(url)
    post = post.seen_as(post.scheme, post.authority, post.target, context.peer(post))
    signed = client.sign_post(post, context, token, [(name, escape(octets_text(value)))])
    received: Received = yield Send(signed, b"", want=True)
    status, body = received.response.status, received.body or b""
    if status != 200:
        raise CredentialsUnavailable(f"{urlsplit(url).hostname} answered {status} to a request for OAuth 1 credentials")
    return answer_parameters(body)


def answer_parameters(body: bytes) -> dict[str, str]:
    """The parameters of an answer with credentials (§2.1, §2.3).

    Raises:
        CredentialsUnavailable: it is too long, no form, or a parameter occurs twice.

    >>> answer_parameters(b"oauth_token=hh5s93j4&oauth_token_secret=hdhd0244&oauth_callback_confirmed=true")["oauth_token"]
    'hh5s93j4'
    """
    if len(body) > MAX_ANSWER:
        raise CredentialsUnavailable("the answer with OAuth 1 credentials is too long")
    parameters: dict[str, str] = {}
    try:
        for name, value in form_pairs(body.strip(), "body"):
            if name in parameters:
                raise CredentialsUnavailable("a parameter occurs twice in the answer with OAuth 1 credentials")
            parameters[name] = unescaped_text(value)
    except (Rejected, ValueError):
        raise CredentialsUnavailable("the answer with OAuth 1 credentials is no form in UTF-8") from None
    return parameters


def _credentials(answer: dict[str, str], what: str) -> OAuth1AccessToken:
    value, secret = answer.get("oauth_token", ""), answer.get("oauth_token_secret", "")
    if not value or not value.isprintable() or max(len(value), len(secret)) > MAX_VALUE:
        raise CredentialsUnavailable(f"the server's answer holds no {what}")
    return OAuth1AccessToken(value, secret)


def _verifier(said: object, callback: str, temporary: OAuth1AccessToken) -> str:
    """The code that proves that the owner agreed (§2.2): what the owner typed, or in the URL the owner was sent to."""
    text = said.strip() if isinstance(said, str) else ""
    if len(text) > MAX_VALUE:
        raise CredentialsUnavailable("what came back from the owner is too long")
    if callback == OOB:
        code = text
    else:
        if text.partition("?")[0] != callback.partition("?")[0]:
            raise CredentialsUnavailable("the owner was not sent back to the callback")
        code = callback_parameters(text, temporary.value).get("oauth_verifier", "")
    if not code or not code.isprintable():
        raise CredentialsUnavailable("the owner did not authorize the client: there is no oauth_verifier")
    return code


def callback_parameters(url: str, temporary: str | None) -> dict[str, str]:
    """The parameters of the URL that the owner was sent back to (§2.2).

    Args:
        url: all of it.
        temporary: the `oauth_token` of the temporary credentials that were asked for; None where nobody remembers.

    Raises:
        CredentialsUnavailable: they can't be read, one of OAuth's occurs twice, or they are about other credentials.

    >>> callback_parameters("https://printer.example/ready?oauth_token=hh5s93j4&oauth_verifier=hfdp7dh39", "hh5s93j4")
    {'oauth_token': 'hh5s93j4', 'oauth_verifier': 'hfdp7dh39'}
    """
    try:
        pairs = form_pairs(octets_text(url.partition("?")[2].partition("#")[0]).encode("latin-1"), "callback")
        named = [(unescape(name), unescaped_text(value)) for name, value in pairs]
    except (Rejected, ValueError):
        raise CredentialsUnavailable("the callback's parameters can't be read") from None
    protocol = [name for name, _ in named if name.startswith("oauth_")]
    if len(set(protocol)) < len(protocol):
        raise CredentialsUnavailable("a parameter of OAuth occurs twice in the callback")
    given = dict(named)
    if temporary is not None and given.get("oauth_token") != temporary:
        # Somebody else's: an attacker may have sent the owner here to finish the attacker's log-in.
        raise CredentialsUnavailable("the callback is about other temporary credentials")
    return given


def _post(url: str) -> Request:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Request("POST", parts.scheme, parts.netloc, target, ((b"accept", b"*/*"), (b"content-length", b"0")))
