"""What a browser brings back from an issuer (RFC 6749 §4.1.2), and from which issuer (RFC 9207).

Anybody can have a browser come here with anything. So state and issuer are looked at first. Until they are right, nothing of
what came is repeated, not even in an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from watchword.core.rejection import CredentialsUnavailable
from watchword.crypto.digests import compare
from watchword.oauth.metadata import Metadata
from watchword.oauth.token_response import refusal_of

__all__ = ["code_in"]

LONGEST = 16 * 1024
"""Characters of a callback that are looked at."""


def code_in(callback: str, *, redirect_uri: str, state: str, metadata: Metadata) -> str:
    """The authorization code in a callback.

    Args:
        callback: the URL to which the browser was sent.
        redirect_uri: the URL to which it was to be sent.
        state: that of this log-in.
        metadata: the issuer's.

    Raises:
        TokenRefused: the issuer answers with an error.
        CredentialsUnavailable: it is not the answer to this log-in, or not this issuer's.

    >>> issuer = Metadata("https://id.example", iss_in_callback=True)
    >>> url = "https://app.example/cb?code=abc&state=xyz&iss=https%3A%2F%2Fid.example"
    >>> code_in(url, redirect_uri="https://app.example/cb", state="xyz", metadata=issuer)
    'abc'
    """
    found = _parameters(callback, redirect_uri)
    if not compare(_octets(found.get("state", "")), state.encode()):
        raise CredentialsUnavailable(
            "the callback has not the state of this log-in: begin the log-in again, in this browser"
        )
    _check_issuer(found.get("iss"), metadata)
    if "error" in found:
        raise refusal_of(found, f"{metadata.issuer} sent the browser back", ())
    code = found.get("code", "")
    if not code:
        raise CredentialsUnavailable("the callback has no code")
    return code


def _parameters(callback: str, redirect_uri: str) -> Mapping[str, str]:
    """Those of the query, each there once (RFC 6749 §3.1), those of `redirect_uri` itself left out."""
    try:
        parts = urlsplit(callback if len(callback) <= LONGEST else "")
        pairs = parse_qsl(parts.query, keep_blank_values=True, errors="strict", max_num_fields=64)
    except ValueError:
        pairs, parts = [], urlsplit("")
    expected = urlsplit(redirect_uri)
    if parts.path != expected.path:  # host and scheme are those that a proxy has left of them
        raise CredentialsUnavailable("the callback is not for the redirect_uri of this log-in, or is no URL")
    for pair in parse_qsl(expected.query, keep_blank_values=True):
        if pair not in pairs:
            raise CredentialsUnavailable("the callback lacks what the query of redirect_uri has")
        pairs.remove(pair)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise CredentialsUnavailable("a parameter is twice in the callback")
    return found


def _check_issuer(iss: str | None, metadata: Metadata) -> None:
    """RFC 9207 §2.4: compared as texts, without any normalization.

    | the issuer says that it names itself | `iss` is there | |
    |---|---|---|
    | yes | yes | it must be this issuer |
    | yes | no | refused |
    | no | yes | it must be this issuer |
    | no | no | taken |
    """
    if iss is None and not metadata.iss_in_callback:
        return
    if iss is None:
        raise CredentialsUnavailable(
            f"the callback names no issuer, and {metadata.issuer} says that it does (RFC 9207)"
        )
    if iss != metadata.issuer:
        raise CredentialsUnavailable(f"the callback is not from {metadata.issuer}, where this log-in began (RFC 9207)")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "replace")
