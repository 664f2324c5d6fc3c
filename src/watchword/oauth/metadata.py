"""What an issuer says of itself: its endpoints, and what it is able to do (RFC 8414, OpenID Connect Discovery 1.0)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Context
from watchword.oauth.own_requests import get_object, object_of, taken_apart

__all__ = ["Metadata", "check_issuer", "discovering", "metadata_urls", "read_metadata"]

_ENDPOINTS: Final = (
    "authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "revocation_endpoint", "jwks_uri",
)  # fmt: skip


class Metadata(NamedTuple):
    """What is used of it. A URL that isn't there is None; lists that aren't there are None too, for absence has a meaning."""

    issuer: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    jwks_uri: str | None = None
    code_challenge_methods: tuple[str, ...] | None = None
    id_token_algorithms: tuple[str, ...] | None = None
    iss_in_callback: bool = False

    def need(self, endpoint: str) -> str:
        """The URL of an endpoint.

        Raises:
            CredentialsUnavailable: the issuer names none.
        """
        url: str | None = getattr(self, endpoint)
        if url is None:
            raise CredentialsUnavailable(f"the metadata of {self.issuer} names no {endpoint}: it has no such grant")
        return url


def metadata_urls(issuer: str) -> tuple[str, ...]:
    """Where its metadata may be. OpenID Connect appends to the issuer's path, RFC 8414 §3.1 goes before it.

    >>> for url in metadata_urls("https://id.example/tenants/7"):
    ...     print(url)
    https://id.example/tenants/7/.well-known/openid-configuration
    https://id.example/.well-known/oauth-authorization-server/tenants/7
    https://id.example/.well-known/openid-configuration/tenants/7
    """
    parts = urlsplit(issuer)
    path = parts.path.removesuffix("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    urls = (
        f"{origin}{path}/.well-known/openid-configuration",
        f"{origin}/.well-known/oauth-authorization-server{path}",
        f"{origin}/.well-known/openid-configuration{path}",
    )
    return tuple(dict.fromkeys(urls))


def discovering(context: Context, issuer: str) -> Generator[Any, Any, Metadata]:
    """The effects that find an issuer's metadata: at each of the places, until one doesn't answer that there is nothing.

    Raises:
        CredentialsUnavailable: it is at none of them, or it is another issuer's.
    """
    status = 0
    for url in metadata_urls(issuer):
        received = yield from get_object(context, url, issuer)
        status = received.response.status
        if status == 200:
            return read_metadata(object_of(received, f"the metadata of {issuer}"), issuer)
        if not 400 <= status < 500:
            break
    raise CredentialsUnavailable(
        f"{issuer} answered {status} where its metadata should be: is issuer= right, to the letter? If it publishes none, say "
        "metadata={'issuer': …, 'token_endpoint': …}"
    )


def check_issuer(members: Mapping[str, Any], issuer: str) -> None:
    """Nothing, if the metadata is this issuer's to the letter (RFC 8414 §3.3).

    Raises:
        CredentialsUnavailable: it names another issuer; which one isn't repeated.
    """
    if members.get("issuer") != issuer:
        raise CredentialsUnavailable(f"the metadata of {issuer} names another issuer: write it letter by letter")


def read_metadata(members: Mapping[str, Any], issuer: str) -> Metadata:
    """What is used of an issuer's metadata.

    Raises:
        CredentialsUnavailable: it is another issuer's, or names a URL that may not be asked.

    >>> read_metadata({"issuer": "https://id.example", "token_endpoint": "https://id.example/t"}, "https://id.example").token_endpoint
    'https://id.example/t'
    """
    check_issuer(members, issuer)
    urls = {name: _learnt_url(name, members.get(name), issuer) for name in _ENDPOINTS}
    return Metadata(
        issuer=issuer,
        code_challenge_methods=_texts(members.get("code_challenge_methods_supported")),
        id_token_algorithms=_texts(members.get("id_token_signing_alg_values_supported")),
        iss_in_callback=members.get("authorization_response_iss_parameter_supported") is True,
        **urls,
    )


def _learnt_url(name: str, value: object, issuer: str) -> str | None:
    """A URL that was learnt: https, or http where the issuer's own is. The driver judges the address to which it leads."""
    if value is None:
        return None
    parts = taken_apart(value)
    if parts is None or parts.scheme not in {"https", urlsplit(issuer).scheme}:
        raise CredentialsUnavailable(
            f"{name} in the metadata of {issuer} is no https URL without user information and fragment"
        )
    return str(value)


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    return tuple(text for text in value if isinstance(text, str))
