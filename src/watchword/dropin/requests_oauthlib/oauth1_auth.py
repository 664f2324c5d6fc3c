"""`OAuth1`: signs requests of requests (RFC 5849 §3)."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import requests
import requests.auth

from watchword.clients._exchange import octets, url_of
from watchword.clients.requests import adapt
from watchword.core.message import Request
from watchword.dropin.requests_oauthlib._bearer import over_tls
from watchword.dropin.requests_oauthlib.oauth1_client import (
    SIGNATURE_HMAC, SIGNATURE_PLAINTEXT, SIGNATURE_TYPE_AUTH_HEADER, SIGNATURE_TYPE_BODY, Client, octets_of,
)  # fmt: skip
from watchword.effects import Context, Flow, Send
from watchword.schemes.client_half import ClientHalf
from watchword.schemes.oauth1.encoding import FORM, is_form

__all__ = ["OAuth1"]

CONTENT_TYPE_FORM_URLENCODED: Final = FORM.decode()
_FORM_LIKE: Final = re.compile(rb"(?:[A-Za-z0-9_.\-=&;:+~,*@!()/?'$]|%[0-9A-Fa-f]{2})++")


class OAuth1(requests.auth.AuthBase):
    """Signs every request anew, also after a redirect within the origin; to another origin nothing goes along.

    Args:
        client_key: the client's name.
        client_secret: its secret.
        resource_owner_key: the token.
        resource_owner_secret: its secret.
        callback_uri: where the owner is sent back to.
        signature_method: "HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512" or "PLAINTEXT".
        signature_type: where credentials go, "AUTH_HEADER", "QUERY" or "BODY".
        rsa_key: the private key as PEM, for the RSA methods.
        verifier: the code that proves that the owner agreed.
        decoding: URL, fields and body of the signed request become octets of this encoding; None: they stay text.
        client_class: a class to sign with, instead of `client_class` of the class.
        force_include_body: cover bodies that are no forms by `oauth_body_hash`.
        allow_cleartext: send PLAINTEXT, which is the secrets themselves, over http to hosts other than loopback.
        kwargs: as `Client` has them.

    >>> auth = OAuth1("printer", "kd94hf93k423kf44", decoding=None)
    >>> requests.Request("GET", "https://photos.example/", auth=auth).prepare().headers["Authorization"][:18]
    'OAuth oauth_nonce='
    """

    client_class: ClassVar[Any] = Client

    def __init__(
        self,
        client_key: str | bytes,
        client_secret: str | bytes | None = None,
        resource_owner_key: str | bytes | None = None,
        resource_owner_secret: str | bytes | None = None,
        callback_uri: str | bytes | None = None,
        signature_method: str = SIGNATURE_HMAC,
        signature_type: str = SIGNATURE_TYPE_AUTH_HEADER,
        rsa_key: str | bytes | None = None,
        verifier: str | bytes | None = None,
        decoding: str | None = "utf-8",
        client_class: Any = None,
        force_include_body: bool = False,
        *,
        allow_cleartext: bool = False,
        **kwargs: Any,
    ) -> None:
        self.force_include_body = force_include_body
        self.allow_cleartext = allow_cleartext
        kind = type(self).client_class if client_class is None else client_class
        self.client: Any = kind(
            client_key, client_secret, resource_owner_key, resource_owner_secret, callback_uri, signature_method,
            str(signature_type).upper(), rsa_key, verifier, decoding=decoding, **kwargs,
        )  # fmt: skip
        self._adapted = adapt(_Signing(self))

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Signs the request.

        Raises:
            ConfigurationError: credentials that don't fit together, or a request that can't be signed.
            InsecureTransportError: PLAINTEXT over http.
        """
        decoding = getattr(self.client, "decoding", None)
        if self._sends_form(r):
            r.headers["Content-Type"] = CONTENT_TYPE_FORM_URLENCODED
            if decoding and isinstance(r.body, str):
                r.body = r.body.encode(decoding)
        r = self._adapted(r)
        for name, value in list(r.headers.items()):
            if decoding and isinstance(value, str):
                r.headers[name] = value.encode(decoding)  # type: ignore[assignment]  # as requests-oauthlib leaves them
        return r

    def _sends_form(self, r: requests.PreparedRequest) -> bool:
        """Whether the body is a form: its type says so, or nobody says otherwise and it looks like one."""
        kind = octets(r.headers.get("Content-Type", ""))
        if kind:
            return FORM in kind.lower()
        if self.client.signature_type == SIGNATURE_TYPE_BODY:
            return True
        return isinstance(r.body, (str, bytes)) and _FORM_LIKE.fullmatch(octets_of(r.body)) is not None


class _Signing(ClientHalf):
    """The flow: one request, as the client signs it."""

    def __init__(self, owner: OAuth1) -> None:
        self._owner = owner

    def flow(self, request: Request, context: Context) -> Flow:
        client = self._owner.client
        if client.signature_method == SIGNATURE_PLAINTEXT:
            over_tls(request, allow_cleartext=self._owner.allow_cleartext)
        covered = is_form(request) or self._owner.force_include_body
        body = context.body() if covered else None
        fields = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in request.headers}
        url, signed, content = client.sign(url_of(request), request.method, body, fields)
        parts = urlsplit(octets(url).decode())
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = tuple((octets(name).lower(), octets(value)) for name, value in signed.items())
        made = request.with_headers(lines).seen_as(request.scheme, request.authority, target.encode(), request.peer)
        content = None if content is None else octets_of(content)
        yield Send(made, content=None if content == body else content)
