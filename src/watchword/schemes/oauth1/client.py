"""The client half: signs requests (RFC 5849 §3.1, §3.4, §3.5), with a token that it has or gets by asking the owner."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from watchword.schemes.sending import refuse_cleartext
from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.effects import Context, Flow, Send
from watchword.schemes.sending import unsendable
from watchword.schemes.client_half import ClientHalf, need_text
from watchword.crypto.digests import digest
from watchword.crypto.public_spellings import refuse_key_files
from watchword.schemes.oauth1.credentials import (
    Method, load_rsa, method_named, signing_key, without_signature,
)  # fmt: skip
from watchword.schemes.oauth1.three_legged import OAuth1AccessToken, OAuth1Endpoints, obtain
from watchword.schemes.oauth1.encoding import (
    Origins, Pairs, base_string, base_uri, escape, form_pairs, header_pairs, header_value, is_form, octets_text,
)  # fmt: skip

__all__ = ["PLACEMENTS", "OAuth1Auth", "Signed", "Signer", "private_rsa", "refuse_shown_secrets"]

MAX_ORIGINS: Final = 16
"""Servers whose scheme and authority are kept in their normal form."""
PLACEMENTS: Final = ("header", "query", "form")
_PRINTABLE: Final = re.compile(r"[ -~]*")


class Signed(NamedTuple):
    """A request with its credentials; `body` is None unless they are in it."""

    request: Request
    body: bytes | None


class Signer:
    """Client credentials and one token, prepared.

    Args:
        method: the signature method.
        client_key: the client's name.
        client_secret: its secret; "" where there is none.
        rsa: what `private_rsa` gives.
        token: the token and its secret, either of which may be "".
    """

    __slots__ = ("_fixed", "_method", "_origins", "_sign")

    def __init__(
        self, method: Method, client_key: str, client_secret: str, rsa: Any, token: OAuth1AccessToken | None
    ) -> None:
        self._method = method
        self._origins = Origins(MAX_ORIGINS)
        fixed = {"oauth_version": "1.0", "oauth_signature_method": method.name, "oauth_consumer_key": client_key}
        if token is not None and token.value:
            fixed["oauth_token"] = token.value
        self._fixed = [(name, escape(octets_text(value))) for name, value in fixed.items()]
        secret = signing_key(client_secret, "" if token is None else token.secret)
        mac = method.mac
        self._sign: Callable[[bytes], bytes]
        if method.kind == "hmac":
            self._sign = lambda data: b2a_base64(mac(secret, data), newline=False)
        elif method.kind == "rsa":
            make = rsa.signer
            self._sign = lambda data: b2a_base64(make(data), newline=False)
        else:
            self._sign = lambda _: secret

    def parameters(self, request: Request, timestamp: str, nonce: str, extra: Pairs, covered: Pairs) -> Pairs:
        """The protocol parameters, signature last, encoded; `covered` are the request's own."""
        own = [("oauth_nonce", nonce), ("oauth_timestamp", timestamp), *self._fixed, *extra]
        uri = self._origins.uri(request)
        self._origins.learn(request, uri)
        signature = self._sign(base_string(request.method, uri, own + covered)).decode()
        if self._method.kind == "plaintext":
            signature = escape(signature)
        else:  # base64 has but these three to encode
            signature = signature.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        own.append(("oauth_signature", signature))
        return own

    def signed(
        self,
        request: Request,
        content: Callable[[], bytes],
        moment: tuple[str, str],
        *,
        placement: str = "header",
        realm: str | None = None,
        body_hash: bool = False,
        extra: Pairs | None = None,
    ) -> Signed:
        """The request with its credentials.

        Args:
            request: as it shall be sent.
            content: gives its body; called if the body is a form, or covered by `body_hash`.
            moment: timestamp and nonce, encoded.
            placement: one of `PLACEMENTS`.
            realm: named in the header.
            body_hash: cover a body that is no form by `oauth_body_hash`.
            extra: further parameters of the protocol, encoded.

        Raises:
            ConfigurationError: no form to put credentials into, or parameters of OAuth in the request already.
            Rejected: a target that can't be signed.
        """
        form = is_form(request)
        body = content() if form or body_hash else b""
        extra = list(extra or ())
        if placement == "query":
            request = _retargeted(request, _without_protocol(request.query or b""))
        elif placement == "form":
            if not form:
                raise ConfigurationError("placement='form' is for requests whose body is a form (RFC 5849 §3.5.2)")
            body = _without_protocol(body)
        if body and not form and body_hash:
            hashed = b2a_base64(digest(self._method.hash, body), newline=False).decode()
            extra.append(("oauth_body_hash", escape(hashed)))
        covered = _parameters_of(request, body if form else b"")
        own = self.parameters(request, *moment, extra, covered)
        if placement == "header":
            return Signed(request.with_headers(((b"authorization", header_value(realm, own)),)), None)
        encoded = "&".join([f"{name}={value}" for name, value in own]).encode()
        if placement == "query":
            return Signed(_retargeted(request, b"&".join(filter(None, (request.query, encoded)))), None)
        return Signed(request, b"&".join(filter(None, (body, encoded))))


class OAuth1Auth(ClientHalf):
    """Signs every request anew: method, URL, form or body, time and a nonce.

    With `token` it signs on behalf of the token's owner; without one by itself; with `endpoints` it gets a token first: a
    person is asked once, through the adapter's `ask`, and the token is kept in the adapter's `store`.

    Args:
        client_key: the client's name, `oauth_consumer_key`.
        client_secret: its secret, for HMAC and PLAINTEXT.
        token: the token's name, `oauth_token`.
        token_secret: its secret.
        signature_method: "HMAC-SHA256"; "HMAC-SHA512", "RSA-SHA256", "RSA-SHA512", or for servers that know nothing better
            "HMAC-SHA1" and "RSA-SHA1".
        rsa_key: the private key as PEM, for the RSA methods.
        placement: where credentials go (§3.5): "header", "query", or "form" (of requests that are one).
        realm: named in the header; it isn't covered (§3.5.1).
        body_hash: cover bodies that are no forms by `oauth_body_hash`. A server that doesn't know it covers it all the same.
        endpoints: where to get a token.
        account: whose token it is, where one token store keeps those of several people.
        allow_plaintext: for the signature method "PLAINTEXT", which sends the secrets themselves.
        allow_cleartext: send secrets over http to hosts other than loopback: PLAINTEXT, and tokens as they are issued.

    Raises:
        ConfigurationError: arguments that don't fit together.

    >>> OAuth1Auth("dpf43f3p2l4k3l03", "kd94hf93k423kf44", token="nnch734d00sl2jdk", token_secret="pfkkdhi9sl3r4s00")
    OAuth1Auth('dpf43f3p2l4k3l03', token='nnch734d00sl2jdk', signature_method='HMAC-SHA256')
    """

    __slots__ = (
        "__weakref__", "_account", "_allow_cleartext", "_body_hash", "_client_key", "_client_secret", "_endpoints", "_method",
        "_placement", "_realm", "_rsa", "_signer", "_token",
    )  # fmt: skip

    def __init__(
        self,
        client_key: str,
        client_secret: str = "",
        *,
        token: str | None = None,
        token_secret: str = "",
        signature_method: str = "HMAC-SHA256",
        rsa_key: str | bytes | None = None,
        placement: str = "header",
        realm: str | None = None,
        body_hash: bool = True,
        endpoints: OAuth1Endpoints | None = None,
        account: str = "",
        allow_plaintext: bool = False,
        allow_cleartext: bool = False,
    ) -> None:
        need_text("the client key", client_key)
        need_text("the client's secret", client_secret)
        if token is not None:
            need_text("the token", token)
            need_text("the token's secret", token_secret)
        self._method = method = method_named(signature_method, allow_plaintext=allow_plaintext)
        _check(client_key, token, placement, realm, endpoints)
        refuse_shown_secrets(method, placement)
        self._client_key = client_key
        for secret in (client_secret, token_secret):
            refuse_key_files(secret.encode("utf-8", "surrogatepass"))
        self._client_secret = client_secret
        self._rsa = _rsa_key(method, rsa_key, client_secret)
        self._placement = placement
        self._realm = realm
        self._body_hash = body_hash and method.kind != "plaintext"
        self._endpoints = endpoints
        self._account = account
        self._allow_cleartext = allow_cleartext
        self._token = None if token is None else OAuth1AccessToken(token, token_secret)
        self._signer = None if endpoints is not None else self._signer_of(self._token)
        if endpoints is not None:
            endpoints.check(allow_cleartext)

    def __repr__(self) -> str:
        token = None if self._token is None else self._token.value
        return f"OAuth1Auth({self._client_key!r}, token={token!r}, signature_method={self._method.name!r})"

    @property
    def token(self) -> OAuth1AccessToken | None:
        """The token in use; None before it was got, or without one."""
        return self._token

    @property
    def token_key(self) -> tuple[str, str]:
        """Whose token it is, in the key of its record: the client and the account."""
        return self._client_key, self._account

    def flow(self, request: Request, context: Context) -> Flow:
        """One Send, signed; before the first one those that get a token, if there are endpoints."""
        if self._signer is None:
            assert self._endpoints is not None
            yield from obtain(self, self._endpoints, context)
        assert self._signer is not None
        signed = self._sign(request, context, self._signer)
        yield Send(signed.request, content=signed.body)

    def sign(self, request: Request, context: Context) -> Signed:
        """The request with credentials in it, and its body if they are there.

        Args:
            request: as it shall be sent.
            context: its clock, randomness and body; `watchword.transport.flow.ClientContext(lambda: body)` is one.

        Raises:
            ConfigurationError: no token yet, no form to put credentials into, parameters of OAuth in the request already, or a
                target that can't be signed.
        """
        if self._signer is None:
            raise ConfigurationError("there is no token yet: send a request through an adapter, which asks for one")
        try:
            return self._sign(request, context, self._signer)
        except Rejected as rejected:
            raise unsendable(rejected) from None

    def use(self, token: OAuth1AccessToken) -> None:
        """Signs with this token from now on."""
        self._token, self._signer = token, self._signer_of(token)

    def sign_post(self, request: Request, context: Context, token: OAuth1AccessToken | None, extra: Pairs) -> Request:
        """A request of the dance's own: no body, credentials in the header.

        Args:
            request: without a body.
            context: its clock and randomness.
            token: the temporary credentials, if there are any yet.
            extra: `oauth_callback` or `oauth_verifier`, encoded.
        """
        refuse_cleartext(request, self._allow_cleartext)  # its answer holds secrets (§2.1)
        return self._signer_of(token).signed(request, bytes, _moment(context), realm=self._realm, extra=extra).request

    def _signer_of(self, token: OAuth1AccessToken | None) -> Signer:
        return Signer(self._method, self._client_key, self._client_secret, self._rsa, token)

    def _sign(self, request: Request, context: Context, signer: Signer) -> Signed:
        if self._method.kind == "plaintext":
            refuse_cleartext(request, self._allow_cleartext)
        return signer.signed(
            request,
            context.body,
            _moment(context),
            placement=self._placement,
            realm=self._realm,
            body_hash=self._body_hash,
        )

    def canonical(self, request: Request, body: bytes = b"") -> str:
        """The base string that the credentials of `request` cover, to compare with the server's (§3.4.1).

        Args:
            request: as it was sent, credentials in it.
            body: likewise.

        Raises:
            ConfigurationError: it carries no such credentials.
        """
        try:
            own: Pairs = []
            if self._placement == "header":
                fields = [value for value in request.values(b"authorization") if value[:5].lower() == b"oauth"]
                own = header_pairs(fields[0]) if fields else []
            query = form_pairs(request.query or b"", "query")
            pairs = [*own, *query, *(form_pairs(body, "body") if is_form(request) else [])]
            if all(name != "oauth_signature" for name, _ in pairs):
                raise ConfigurationError(f"the request carries no oauth_signature in its {self._placement}")
            return base_string(request.method, base_uri(request), without_signature(pairs)).decode()
        except Rejected as rejected:
            raise ConfigurationError(f"the request carries no credentials that can be read: {rejected}") from None


def _check(
    client_key: str, token: str | None, placement: str, realm: str | None, endpoints: OAuth1Endpoints | None
) -> None:
    if not client_key or not client_key.isprintable():
        raise ConfigurationError("the client key is empty, or can't be printed: OAuth1Auth('my-client', 'its secret')")
    if placement not in PLACEMENTS:
        raise ConfigurationError(f"placement is one of {', '.join(PLACEMENTS)}, not {placement!r}")
    if realm is not None and (placement != "header" or not _PRINTABLE.fullmatch(realm)):
        raise ConfigurationError("a realm is printable ASCII, and only the header names it")
    if token is not None and endpoints is not None:
        raise ConfigurationError("either give a token, or the endpoints where to get one")


def refuse_shown_secrets(method: Method, placement: str) -> None:
    """Refuses PLAINTEXT, whose signature is the secrets, outside the header.

    Raises:
        ConfigurationError: it would show them in URLs or forms.
    """
    if method.kind == "plaintext" and placement != "header":
        raise ConfigurationError(
            "PLAINTEXT shows the secrets: only placement='header' keeps them out of URLs and forms"
        )


def _rsa_key(method: Method, pem: str | bytes | None, secret: str) -> Any:
    if method.kind == "rsa":
        return private_rsa(method, pem)
    if pem is not None:
        raise ConfigurationError(f"{method.name} signs with secrets: drop rsa_key=, or name an RSA method")
    if not secret:
        raise ConfigurationError(f"{method.name} needs the client's secret: OAuth1Auth('my-client', 'its secret')")
    return None


def private_rsa(method: Method, pem: str | bytes | None) -> Any:
    """The private key in `pem`, for an RSA method.

    Raises:
        ConfigurationError: there is none, or it is public, encrypted or too small.
    """
    if pem is None:
        raise ConfigurationError(f"{method.name} needs a private key: rsa_key=Path('key.pem').read_text()")
    key = load_rsa(method, pem)
    if not getattr(key, "can_sign", key.signer is not None):
        raise ConfigurationError("rsa_key is a public key, which can't sign: load the private one")
    return key


def _moment(context: Context) -> tuple[str, str]:
    """Timestamp and nonce (§3.3): 30 letters and digits, which is what the strictest servers take."""
    return str(int(context.now())), context.random(15).hex()


def _retargeted(request: Request, query: bytes) -> Request:
    target = request.path + (b"?" + query if query else b"")
    return Request.raw(
        request.method, request.scheme, request.authority, target, request.headers, request.peer, request.exact
    )


def _without_protocol(encoded: bytes) -> bytes:
    """A query or form without the credentials that an earlier signature has left in it."""
    if b"oauth_" not in encoded:
        return encoded
    return b"&".join([part for part in encoded.split(b"&") if not part.startswith(b"oauth_")])


def _parameters_of(request: Request, form: bytes) -> Pairs:
    pairs = form_pairs(request.query, "query") if request.query else []
    if form:
        pairs += form_pairs(form, "body")
    for name, _ in pairs:
        if name[:6] == "oauth_":
            raise ConfigurationError(
                f"the request has a parameter {name!r} already: such names are the protocol's (RFC 5849 §3.1)"
            )
    return pairs
