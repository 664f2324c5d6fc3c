"""A remedy for each reason, for `explain`, where the scheme itself does not know better."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from watchword.core.rejection import ConfigurationError, Reason
from watchword.core.scheme import Check
from watchword.fields.public_url import PublicURL

__all__ = ["CAUSES", "REMEDIES", "expected_instead", "page_of", "with_line"]

REMEDIES: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.NO_CREDENTIALS: "have the client authenticate; if it does, look for a proxy that takes the field away",
        Reason.UNSUPPORTED_SCHEME: "use a scheme that the guard has a verifier for, or give it one",
        Reason.AMBIGUOUS: "send the credentials of one scheme only",
        Reason.MALFORMED_REQUEST: "look for what makes such a request: a client, a proxy, an attack",
        Reason.HEADER_TOO_LARGE: "send less, or raise Limits(field=…)",
        Reason.BODY_TOO_LARGE: "send less, or raise Limits(body=…)",
        Reason.TARGET_TOO_LONG: "send less in the target, or raise Limits(target=…)",
        Reason.TOO_MANY_PARAMETERS: "send fewer query parameters, or raise Limits(parameters=…)",
        Reason.TARGET_REFUSED: "send a target that is a URI, and look for a proxy that decodes it",
        Reason.TARGET_NOT_EXACT: "have the server pass the target on as it came (RAW_URI, raw_path), or don't encode octets",
        Reason.EARLY_DATA: "send it again after the TLS handshake (RFC 8470)",
        Reason.TOO_MANY_ATTEMPTS: "wait, and look who guesses, or names so many agents",
        Reason.TOO_BUSY: "wait, and look who sends so many passwords, or names so many keys of other servers, at one time",
        Reason.MALFORMED_CREDENTIALS: "have the client follow the scheme's grammar, and look for what cuts or rewrites the field",
        Reason.UNKNOWN_SUBJECT: "add the user, or send the name of one",
        Reason.UNKNOWN_KEY: "register the key, or send the key id that was registered",
        Reason.UNKNOWN_ISSUER: "ask the right issuer, or give the guard a verifier for this one",
        Reason.UNKNOWN_NONCE: "answer a fresh challenge; workers share nonces if they share a store",
        Reason.UNKNOWN_CRITICAL: "leave out the critical extension, which this side does not understand",
        Reason.WRONG_ALGORITHM: "sign with the algorithm that the key is registered for",
        Reason.WRONG_SECRET: "send the right password or key",
        Reason.WRONG_SIGNATURE: "compare the canonical string with the client's, line by line, and then the keys",
        Reason.WRONG_REALM: "answer a challenge of this server: realms belong to servers",
        Reason.WRONG_TARGET: "sign the target exactly as it is sent",
        Reason.WRONG_BODY: "sign exactly the octets of the body that are sent",
        Reason.WRONG_TYPE: "send the kind of token that is asked for here",
        Reason.WRONG_AUDIENCE: "sign, or ask for a token, for this service",
        Reason.WRONG_CLAIM: "have the issuer put the right value in",
        Reason.MISSING_CLAIM: "have the issuer put it in",
        Reason.MISSING_COMPONENT: "have proxies pass on what the signature covers, or don't cover it",
        Reason.NOT_COVERED: "have the client cover it, or loosen the policy",
        Reason.EXPIRED: "make new credentials, and set both clocks",
        Reason.REVOKED: "make new credentials",
        Reason.DISABLED: "enable the user or client again",
        Reason.NOT_YET_VALID: "set both clocks",
        Reason.STALE_NONCE: "answer the challenge that says stale=true",
        Reason.REPLAYED: "make every request with a nonce, or a count, of its own",
        Reason.BINDING_MISSING: "send the proof that the credentials are bound to",
        Reason.BINDING_MISMATCH: "send credentials and proof of the same key",
        Reason.INSUFFICIENT_SCOPE: "ask for a token of wider scope",
        Reason.ORIGIN_REFUSED: "have the page of this origin send it, list the origin (InCookie(origins=…)), or set PublicURL; who is no "
        "browser sends Authorization",
    }
)


_EXPECTED: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.NO_CREDENTIALS: "credentials that a verifier of this guard reads",
        Reason.UNSUPPORTED_SCHEME: "credentials of a scheme that is spoken here",
        Reason.AMBIGUOUS: "credentials of one scheme, in one place",
        Reason.MALFORMED_CREDENTIALS: "credentials by the grammar of their scheme",
        Reason.MALFORMED_REQUEST: "a request by the grammar of HTTP",
        Reason.BINDING_MISSING: "the proof that goes with the credentials",
        Reason.BINDING_MISMATCH: "credentials and proof of one key",
        Reason.TOO_MANY_ATTEMPTS: "room for another attempt",
        Reason.EARLY_DATA: "credentials after the TLS handshake",
        Reason.ORIGIN_REFUSED: "Sec-Fetch-Site: same-origin, or without it an Origin of this service",
        Reason.REPLAYED: "credentials that were not used before",
    }
)


def expected_instead(reason: Reason) -> str:
    """What a genuine request has in the place of what was refused for `reason`, where nobody can say it better.

    >>> expected_instead(Reason.AMBIGUOUS), expected_instead(Reason.TARGET_TOO_LONG)
    ('credentials of one scheme, in one place', 'a value within the limits of the guard')
    """
    if reason in _EXPECTED:
        return _EXPECTED[reason]
    sizes = (Reason.HEADER_TOO_LARGE, Reason.BODY_TOO_LARGE, Reason.TARGET_TOO_LONG, Reason.TOO_MANY_PARAMETERS)
    return "a value within the limits of the guard" if reason in sizes else "the value of a genuine request"


def with_line(check: Check, scheme: str) -> str:
    """What to do about a check, with the line of code for a guard behind a proxy, if it is known: where one end of a path or all of Host is another.

    Args:
        check: one that failed.
        scheme: that of the request, as the server saw it.

    >>> with_line(Check("mac", False, "@path", "/v1/orders", "/orders", "tell the guard (PublicURL)"), "https")
    'tell the guard: Policy(public_url=PublicURL(prefix="/v1"))'
    """
    expected, received = check.expected, check.received
    if "tell the guard" not in check.mend or not expected or not received:
        return check.mend
    origin, prefix, strip = None, "", ""
    if check.component == "@authority":
        origin = f"{scheme}://{expected}"
    elif check.component == "@path" and expected.endswith(received):
        prefix = expected.removesuffix(received)
    elif check.component == "@path" and received.endswith(expected):
        strip = received.removesuffix(expected)
    try:
        PublicURL(origin, prefix=prefix, strip=strip)
    except ConfigurationError:
        return check.mend
    named = f'"{origin}"' if origin else f'prefix="{prefix}"' if prefix else f'strip="{strip}"'
    return check.mend.replace(" (PublicURL)", f": Policy(public_url=PublicURL({named}))")


CAUSES: Final = frozenset(
    {
        "access key", "algorithm", "attempts", "aud", "body", "chunks", "claims", "client", "cnf", "coverage", "credentials",
        "disabled", "enabled", "exp", "expires", "format", "grammar", "header", "iat", "iss", "jti", "key id", "key time", "mac", "method",
        "nbf", "nc", "nonce", "opaque", "parameters", "password", "payload", "place", "proof", "qop", "realm", "response", "revoked",
        "scheme word", "scope", "scope date", "secret", "session token", "signature", "single use", "sub", "subject", "time",
        "token", "token time", "typ", "uri", "user",
    }
)  # fmt: skip
"""Names of checks that can fail, each of which has its part of `docs/reference/causes.md`."""


def page_of(name: str, reason: Reason) -> str:
    """Where the documentation says what a failed check means, and what to do.

    A check of somebody's own verifier has no page of ours: then it is that of the reason.

    >>> page_of("key id", Reason.UNKNOWN_KEY), page_of("my own", Reason.WRONG_CLAIM)
    ('docs/reference/causes.md#key-id', 'docs/reference/reasons.md#wrong_claim')
    """
    if name in CAUSES:
        return f"docs/reference/causes.md#{name.replace(' ', '-')}"
    return f"docs/reference/reasons.md#{reason.value}"
