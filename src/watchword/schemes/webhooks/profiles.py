"""How webhooks are signed, sender by sender: one row each, for one engine.

A row says what is signed, under which fields it travels and how it is written. Whoever else signs webhooks is described by a
row of your own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from watchword.core.rejection import ConfigurationError
from watchword.schemes.webhooks.times import TIME_FORMATS

__all__ = ["PROFILES", "WebhookProfile", "profile_named"]

MACS: Final = ("sha1", "sha256", "sha384", "sha512")
PUBLIC_KEY_ALGORITHMS: Final = ("ed25519", "ecdsa-p256-sha256")
"""As RFC 9421 §6.2.2 names them. Signatures by ECDSA are written in DER (RFC 3279 §2.2.3)."""
TOKEN: Final = "token"
ENCODINGS: Final = ("hex", "base64")
SECRETS: Final = ("text", "whsec", "hex", "base64")
PUBLIC_KEYS: Final = ("hex", "base64", "der")
PARTS: Final = ("id", "timestamp", "body", "url", "form", "method")
_FIELD: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 §5.6.2
_PART: Final = re.compile(r"\{([a-z]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookProfile:
    """How one sender signs its webhooks.

    Args:
        name: what it is called; `Identity.subject` unless the verifier is told another.
        signature: the field that carries the signature.
        content: what is signed, of {id}, {timestamp}, {body}, {method}, {url} and {form}: the last is the names and values of a
            form, sorted, without anything between them; nothing for another body.
        algorithm: of the HMAC: "sha256", "sha384", "sha512", or "sha1" where the sender knows nothing better; of a signature
            with a private key: "ed25519" or "ecdsa-p256-sha256"; "token": nothing is signed, the field carries the secret.
        encoding: how the signature is written: "hex" (a MAC's in lower case) or "base64".
        prefix: what stands before it.
        separator: what stands between several signatures; "": there is always one.
        public_prefix: what stands before a signature by Ed25519; "": there are none.
        id: the field that names the message; "": none does. What borders on {id} in the content may be in no id. An id that is
            not in the content may be absent.
        timestamp: the field that says when it was sent; "": none does.
        timestamp_prefix: or what stands before that time in the signature's field, where it is one of its items.
        timestamp_member: or the member of the JSON object in the body that says it, where the body alone is signed.
        time_format: how that time is written: "seconds" or "milliseconds" since the epoch, or "rfc3339", which is ISO 8601.
        secret: how secrets are given: "text" (their UTF-8 is the key), "hex", "base64" or "whsec" (base64 of 24 octets at least,
            as Standard Webhooks has it). How public keys are: "hex" or "base64" of the 32 octets of Ed25519 (a private key is
            given likewise), or "der" (base64 of a SubjectPublicKeyInfo, or of PKCS #8); PEM is read whatever it says.
        body_digest: the query parameter that is the SHA-256 of a body which is no form, in hexadecimal digits.
        ports: the URL may have been signed with its port (the default one included) or without.
        url_decoded: the characters that the sender signs as themselves where the URL has them percent-encoded.
        alias: another first word for the names of the fields, up to their first "-".

    Raises:
        ConfigurationError: the row can't be meant.

    >>> WebhookProfile(name="mine", signature="x-signature", content="{timestamp}.{body}", timestamp="x-timestamp").encoding
    'hex'
    """

    name: str
    signature: str
    content: str = "{body}"
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    separator: str = ""
    public_prefix: str = ""
    id: str = ""
    timestamp: str = ""
    timestamp_prefix: str = ""
    timestamp_member: str = ""
    time_format: str = "seconds"
    secret: str = "text"
    body_digest: str = ""
    ports: bool = False
    url_decoded: str = ""
    alias: str = ""

    def __post_init__(self) -> None:
        for field in filter(None, (self.signature, self.id, self.timestamp, self.alias)):
            if not _FIELD.fullmatch(field):
                raise ConfigurationError(f"{field!r} is no field name in lower case (RFC 9110 §5.1)")
        named = [field for field in (self.signature, self.id, self.timestamp) if field]
        if not self.signature or len(set(named)) < len(named):
            raise ConfigurationError("signature=, id= and timestamp= name fields of their own")
        for value, known, what in (
            (self.algorithm, (*MACS, *PUBLIC_KEY_ALGORITHMS, TOKEN), "algorithm"), (self.encoding, ENCODINGS, "encoding"),
            (self.secret, PUBLIC_KEYS if self.has_public_keys else SECRETS, "secret"),
            (self.time_format, tuple(TIME_FORMATS), "time_format"),
        ):  # fmt: skip
            if value not in known:
                raise ConfigurationError(f"{what} is one of {', '.join(known)}, not {value!r}")
        if self.has_public_keys and (self.public_prefix or (self.algorithm != "ed25519" and self.secret != "der")):
            raise ConfigurationError(
                'public_prefix= is for Ed25519 beside a MAC; a key of ECDSA is given in DER, secret="der"'
            )
        if self.covers_nothing:
            self._check_token()
        else:
            self._check_content()
        if sum(map(bool, (self.timestamp, self.timestamp_prefix, self.timestamp_member))) > 1:
            raise ConfigurationError(
                "the time is in a field of its own, timestamp=, in the signature's or in the body: choose one"
            )
        if (self.timestamp_prefix or self.public_prefix) and not self.separator:
            raise ConfigurationError("a signature field with several items needs separator=")
        if (self.timestamp_prefix or self.public_prefix) and not self.prefix:
            raise ConfigurationError("among several items prefix= has to tell the signatures from the rest")
        starts = [start for start in (self.prefix, self.public_prefix, self.timestamp_prefix) if start]
        if any(one != other and one.startswith(other) for one in starts for other in starts) or len(set(starts)) < len(
            starts
        ):
            raise ConfigurationError("prefix=, public_prefix= and timestamp_prefix= begin differently")
        if not f"{self.prefix}{self.separator}{self.public_prefix}{self.timestamp_prefix}".isascii():
            raise ConfigurationError("prefixes and the separator are ASCII")

    def _check_token(self) -> None:
        if any((
            self.content, self.prefix, self.separator, self.public_prefix, self.id, self.timestamp, self.timestamp_prefix,
            self.timestamp_member, self.secret != "text",
        )):  # fmt: skip
            raise ConfigurationError(
                'a token says nothing of what is sent: content is "", and there is no prefix, id or time'
            )

    def _check_content(self) -> None:
        parts = self.parts
        if unknown := set(parts) - set(PARTS):
            raise ConfigurationError(f"content is made of {{{'}, {'.join(PARTS)}}}, not {sorted(unknown)}")
        if "{" in (rest := _PART.sub("", self.content)) or "}" in rest:
            raise ConfigurationError("content has a brace that encloses no name")
        if len(set(parts)) < len(parts):
            raise ConfigurationError("content names each part once")
        if not {"body", "form"}.intersection(parts):
            raise ConfigurationError("content has to cover what is sent: it needs {body} or {form}")
        if "form" in parts and not self.body_digest:
            raise ConfigurationError("body_digest= has to say what covers a body that is no form")
        if "timestamp" in parts and not (self.timestamp or self.timestamp_prefix):
            raise ConfigurationError("content has a {timestamp}: say where it is, timestamp= or timestamp_prefix=")
        if (self.timestamp or self.timestamp_prefix) and "timestamp" not in parts:
            raise ConfigurationError(
                "a time that is not signed says nothing: put {timestamp} into content, or leave it out"
            )
        if self.timestamp_member and self.content != "{body}":
            raise ConfigurationError("timestamp_member= is for content that is {body} alone")
        if self.url_decoded and ("url" not in parts or not self.url_decoded.isascii() or "%" in self.url_decoded):
            raise ConfigurationError("url_decoded= names ASCII characters of a {url}, without %")
        if "id" in parts and not self.id:
            raise ConfigurationError("content has an {id}: say which field it is, id=")
        if "id" in parts and any(
            f"{{{part}}}{{id}}" in self.content or f"{{id}}{{{part}}}" in self.content for part in PARTS
        ):
            raise ConfigurationError(
                "content has nothing between {id} and what is beside it, so octets could move from one to the other"
            )

    @property
    def parts(self) -> tuple[str, ...]:
        """What the content is made of, in order."""
        return tuple(_PART.findall(self.content))

    @property
    def literals(self) -> tuple[str, ...]:
        """What stands before, between and after the parts."""
        return tuple(_PART.split(self.content)[::2])

    @property
    def id_borders(self) -> str:
        """The characters that tell where the id in the content begins and ends; no id may have them."""
        before, _, after = self.content.partition("{id}")
        return (before[-1:] if "{" in before else "") + (after[:1] if "{" in after else "")

    @property
    def timed(self) -> bool:
        """Whether the time is signed, so that a delivery grows old."""
        return "timestamp" in self.parts or bool(self.timestamp_member)

    @property
    def has_public_keys(self) -> bool:
        """Whether every signature is made with a private key and verified with the public one."""
        return self.algorithm in PUBLIC_KEY_ALGORITHMS

    @property
    def covers_nothing(self) -> bool:
        """Whether nothing of the delivery is signed: whoever knows the token sends whatever it likes."""
        return self.algorithm == TOKEN

    @property
    def covers(self) -> tuple[str, ...]:
        """What of a delivery can't be changed: of "id", "timestamp", "body", "method", "url"; empty for a token."""
        named = {"body" if part == "form" else part for part in self.parts} | ({"timestamp"} if self.timed else set())
        return tuple(part for part in PARTS if part in named)


_STANDARD: Final = WebhookProfile(
    name="standard",
    signature="webhook-signature",
    content="{id}.{timestamp}.{body}",
    encoding="base64",
    prefix="v1,",
    separator=" ",
    public_prefix="v1a,",
    id="webhook-id",
    timestamp="webhook-timestamp",
    secret="whsec",  # noqa: S106 -- how secrets are written, no secret
    alias="svix",
)

PROFILES: Final[Mapping[str, WebhookProfile]] = MappingProxyType({
    row.name: row
    for row in (
        _STANDARD,
        WebhookProfile(name="github", signature="x-hub-signature-256", prefix="sha256=", id="x-github-delivery"),
        WebhookProfile(
            name="stripe", signature="stripe-signature", content="{timestamp}.{body}", prefix="v1=", separator=",",
            timestamp_prefix="t=",
        ),
        WebhookProfile(
            name="slack", signature="x-slack-signature", content="v0:{timestamp}:{body}", prefix="v0=",
            timestamp="x-slack-request-timestamp",
        ),
        WebhookProfile(
            name="shopify", signature="x-shopify-hmac-sha256", encoding="base64", id="x-shopify-webhook-id",
        ),
        WebhookProfile(
            name="twilio", signature="x-twilio-signature", content="{url}{form}", algorithm="sha1", encoding="base64",
            body_digest="bodySHA256", ports=True,
        ),
        replace(
            _STANDARD, name="svix", signature="svix-signature", id="svix-id", timestamp="svix-timestamp", alias="webhook",
        ),
        WebhookProfile(
            name="discord", signature="x-signature-ed25519", content="{timestamp}{body}", algorithm="ed25519",
            timestamp="x-signature-timestamp", secret="hex",  # noqa: S106
        ),
        WebhookProfile(
            name="sendgrid", signature="x-twilio-email-event-webhook-signature", content="{timestamp}{body}",
            algorithm="ecdsa-p256-sha256", encoding="base64", timestamp="x-twilio-email-event-webhook-timestamp",
            secret="der",  # noqa: S106
        ),
        WebhookProfile(
            name="zoom", signature="x-zm-signature", content="v0:{timestamp}:{body}", prefix="v0=",
            timestamp="x-zm-request-timestamp",
        ),
        WebhookProfile(
            name="paddle", signature="paddle-signature", content="{timestamp}:{body}", prefix="h1=", separator=";",
            timestamp_prefix="ts=",
        ),
        WebhookProfile(
            name="hubspot", signature="x-hubspot-signature-v3", content="{method}{url}{body}{timestamp}", encoding="base64",
            timestamp="x-hubspot-request-timestamp", time_format="milliseconds", url_decoded=":/?@!$'()*,;",
        ),
        WebhookProfile(
            name="linear", signature="linear-signature", timestamp_member="webhookTimestamp", time_format="milliseconds",
        ),
        WebhookProfile(name="line", signature="x-line-signature", encoding="base64"),
        WebhookProfile(
            name="square", signature="x-square-hmacsha256-signature", content="{url}{body}", encoding="base64",
        ),
        WebhookProfile(
            name="adyen", signature="hmacsignature", encoding="base64", secret="hex",  # noqa: S106
        ),
        WebhookProfile(name="gitlab-unsigned-token", signature="x-gitlab-token", content="", algorithm=TOKEN),
    )
})  # fmt: skip
"""The senders that are known by name. `covers` says of each what it signs: not all sign a time, and GitLab's token signs nothing."""


def profile_named(profile: str | WebhookProfile) -> WebhookProfile:
    """The row of that name, or the row itself.

    Raises:
        ConfigurationError: there is none.
    """
    if isinstance(profile, WebhookProfile):
        return profile
    row = PROFILES.get(str(profile))
    if row is None:
        raise ConfigurationError(
            f"there is no profile {profile!r}: use one of {', '.join(PROFILES)}, or a WebhookProfile of your own"
        )
    return row
