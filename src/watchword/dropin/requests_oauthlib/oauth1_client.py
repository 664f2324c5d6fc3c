"""The client that signs for `OAuth1`: what oauthlib's `oauth1.Client` is, by the engine of `OAuth1Auth` (RFC 5849 §3.4)."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from watchword.clients._exchange import field_lines, octets
from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.crypto.public_spellings import refuse_key_files
from watchword.dropin.requests_oauthlib.errors import InsecureOAuthWarning
from watchword.schemes.client_half import need_text
from watchword.schemes.oauth1.client import Signer, private_rsa, refuse_shown_secrets
from watchword.schemes.oauth1.credentials import METHODS, Method, method_named
from watchword.schemes.oauth1.encoding import Pairs, escape, is_form, octets_text
from watchword.schemes.oauth1.three_legged import OAuth1AccessToken
from watchword.schemes.sending import unsendable
from watchword.structures.in_process import InProcess

__all__ = [
    "SIGNATURE_HMAC", "SIGNATURE_PLAINTEXT", "SIGNATURE_RSA", "SIGNATURE_TYPE_AUTH_HEADER", "SIGNATURE_TYPE_BODY",
    "SIGNATURE_TYPE_QUERY", "Client", "is_rsa", "octets_of",
]  # fmt: skip

SIGNATURE_HMAC: Final = "HMAC-SHA1"
SIGNATURE_RSA: Final = "RSA-SHA1"
SIGNATURE_PLAINTEXT: Final = "PLAINTEXT"
SIGNATURE_TYPE_AUTH_HEADER: Final = "AUTH_HEADER"
SIGNATURE_TYPE_QUERY: Final = "QUERY"
SIGNATURE_TYPE_BODY: Final = "BODY"
PLACEMENT_OF: Final = {
    SIGNATURE_TYPE_AUTH_HEADER: "header", SIGNATURE_TYPE_QUERY: "query", SIGNATURE_TYPE_BODY: "form",
}  # fmt: skip

Signed = tuple[Any, Any, Any]
"""URL, fields and body; octets where the client was made with `decoding`, else text."""


def is_rsa(signature_method: object) -> bool:
    """Whether this method signs with a private key, so that no secret is needed."""
    method = METHODS.get(str(signature_method))
    return method is not None and method.kind == "rsa"


class Client(InProcess):
    """Credentials, which may be set anew at any time, and `sign`.

    Args:
        client_key: the client's name, `oauth_consumer_key`.
        client_secret: its secret.
        resource_owner_key: the token, `oauth_token`.
        resource_owner_secret: its secret.
        callback_uri: where the owner is sent back to; sent as long as it is set.
        signature_method: one of `watchword.schemes.oauth1.credentials.METHODS`.
        signature_type: "AUTH_HEADER", "QUERY" or "BODY".
        rsa_key: the private key as PEM, for the RSA methods.
        verifier: the code that proves that the owner agreed; sent as long as it is set.
        realm: named in the header.
        encoding: of credentials that are octets.
        decoding: of what `sign` gives back; None: text.
        nonce: instead of a random one, for tests.
        timestamp: instead of the time, for tests.

    >>> Client("dpf43f3p2l4k3l03", "kd94hf93k423kf44")
    Client('dpf43f3p2l4k3l03', signature_method='HMAC-SHA1')
    """

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
        realm: str | None = None,
        encoding: str = "utf-8",
        decoding: str | None = None,
        nonce: str | None = None,
        timestamp: str | int | None = None,
    ) -> None:
        def text(value: str | bytes | None) -> Any:
            return value.decode(encoding) if isinstance(value, bytes) else value

        self.client_key = text(client_key)
        self.client_secret = text(client_secret)
        self.resource_owner_key = text(resource_owner_key)
        self.resource_owner_secret = text(resource_owner_secret)
        self.callback_uri = text(callback_uri)
        self.signature_method = signature_method
        self.signature_type = signature_type
        self.rsa_key = text(rsa_key)
        self.verifier = text(verifier)
        self.realm = realm
        self.encoding = encoding
        self.decoding = decoding
        self.nonce = nonce
        self.timestamp = timestamp
        self._prepared: tuple[str, Any, Any] | None = None

    def __repr__(self) -> str:
        return f"Client({self.client_key!r}, signature_method={self.signature_method!r})"

    def moment(self) -> tuple[str, str]:
        """Timestamp and nonce (§3.3)."""
        timestamp = str(int(time.time())) if self.timestamp is None else str(self.timestamp)
        return timestamp, os.urandom(15).hex() if self.nonce is None else str(self.nonce)

    def sign(
        self,
        uri: str,
        http_method: str = "GET",
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        realm: str | None = None,
    ) -> Signed:
        """The request with its credentials.

        Args:
            uri: the whole URL.
            http_method: its method.
            body: its body: a form, or else one that is covered by `oauth_body_hash`; None: it isn't covered.
            headers: its fields.
            realm: named in the header, instead of the client's.

        Raises:
            ConfigurationError: credentials that don't fit together, or a request that can't be signed.
        """
        parts, fields = urlsplit(uri), dict(headers or {})
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = next((str(value) for name, value in fields.items() if name.lower() == "host"), parts.netloc)
        request = Request(http_method, parts.scheme, host, target, field_lines(fields.items()))
        content = b"" if body is None else octets_of(body)
        timestamp, nonce = self.moment()
        try:
            signed = self._signer().signed(
                request,
                lambda: content,
                (escape(octets_text(timestamp)), escape(octets_text(nonce))),
                placement=self._placement(),
                realm=self.realm if realm is None else realm,
                body_hash=self._hashes(request, body),
                extra=self._extra(),
            )
        except Rejected as rejected:
            raise unsendable(rejected) from None
        line = signed.request.values(b"authorization")
        if self.signature_type == SIGNATURE_TYPE_AUTH_HEADER:
            fields = {name: value for name, value in fields.items() if name.lower() != "authorization"}
            fields["Authorization"] = line[0].decode("latin-1")
        url = f"{parts.scheme}://{parts.netloc}{signed.request.target.decode('latin-1')}"
        return self._decoded(url, fields, body if signed.body is None else signed.body)

    def _decoded(self, url: str, fields: dict[str, str], body: str | bytes | None) -> Signed:
        if self.decoding is None:
            return url, fields, body.decode("ascii") if isinstance(body, bytes) and body.isascii() else body
        named = {octets(name): octets(value) for name, value in fields.items()}
        return url.encode(self.decoding), named, body.encode(self.decoding) if isinstance(body, str) else body

    def _hashes(self, request: Request, body: object) -> bool:
        """Whether `oauth_body_hash` covers the body: where a type is said that is not that of a form."""
        plain = self.signature_method == SIGNATURE_PLAINTEXT
        return body is not None and not plain and bool(request.values(b"content-type")) and not is_form(request)

    def _extra(self) -> Pairs:
        extra = (("oauth_callback", self.callback_uri), ("oauth_verifier", getattr(self, "verifier", None)))
        return [(name, escape(octets_text(value))) for name, value in extra if value]

    def _placement(self) -> str:
        placement = PLACEMENT_OF.get(str(self.signature_type).upper())
        if placement is None:
            raise ConfigurationError(f"signature_type is one of {', '.join(PLACEMENT_OF)}")
        return placement

    def _signer(self) -> Signer:
        method = method_named(self.signature_method, allow_plaintext=True)
        refuse_shown_secrets(method, self._placement())
        need_text("client_key", self.client_key)
        secrets = (self.client_secret or "", self.resource_owner_secret or "")
        for what, secret in zip(("client_secret", "resource_owner_secret"), secrets, strict=True):
            need_text(what, secret)
            refuse_key_files(secret.encode("utf-8", "surrogatepass"))
        if method.kind != "rsa" and not any(secrets):
            warnings.warn(
                "this request is signed with no secret at all, as anybody can: pass client_secret=",
                InsecureOAuthWarning,
                stacklevel=2,
            )
        token = OAuth1AccessToken(self.resource_owner_key or "", secrets[1])
        return Signer(method, self.client_key, secrets[0], self._rsa(method), token)

    def _rsa(self, method: Method) -> Any:
        """The private key, which is prepared once."""
        if method.kind != "rsa":
            return None
        if self._prepared is None or self._prepared[:2] != (method.name, self.rsa_key):
            self._prepared = (method.name, self.rsa_key, private_rsa(method, self.rsa_key))
        return self._prepared[2]


def octets_of(body: str | bytes) -> bytes:
    """A body as it is sent."""
    return body.encode() if isinstance(body, str) else bytes(body)
