"""Webhooks, both halves: `WebhookAuth` signs what is sent, `WebhookVerifier` verifies what comes in.

Standard Webhooks 1.0.0 ("Signature scheme", "Webhook headers") and the senders of `profiles`, by one engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, Literal, NoReturn

from watchword.core.identity import NO_SCOPES, Identity
from watchword.structures.in_process import InProcess
from watchword.core.message import Request
from watchword.core.records import Found, Once, Ref, Spent
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection
from watchword.core.scheme import WHOLE, Address, Body, BodyNeed, Decision, Random, Refusal
from watchword.effects import Context, Flow, Send
from watchword.schemes.client_half import ClientHalf
from watchword.crypto.digests import digest
from watchword.crypto.encoding import b64url_encode
from watchword.fields.target import check_exact, check_target
from watchword.schemes.freshness import RETENTION, Freshness
from watchword.schemes.mark_owners import owner_by_mac, owner_of_key
from watchword.schemes.webhooks.content import TimeInBody, url_of
from watchword.schemes.webhooks.credentials import PresentedCredentials, raw_body
from watchword.schemes.webhooks.engine import Engine
from watchword.schemes.webhooks.keys import Secret, Secrets
from watchword.schemes.webhooks.profiles import WebhookProfile

__all__ = ["WebhookAuth", "WebhookClaim", "WebhookVerifier"]


class WebhookVerifier(InProcess):
    """Verifies webhooks, by itself or in a guard. No endpoint is open for want of a secret: without one there is no verifier.

    In a guard each message is accepted once, where the sender names it or signs a time: it is known by its id (`webhook-id`, the
    delivery's id of GitHub and Shopify), and without one by what is signed. The plain `verify` remembers nothing. A
    delivery whose handler failed (an exception, or a status of 500 or above) may come again: the guard forgets it before the answer
    goes out.

    All of the secrets remember a message, whichever of them has signed it. So verifiers of one store that have a secret in common,
    the same profile and the same subject count as one endpoint, as those before and after a rotation do. Others are apart.

    Args:
        secrets: the secret that the sender shows, or several during a rotation: the current one first. Who is proven by
            another than the first is `rotated`. For Standard Webhooks "whsec_…", or "whpk_…" for Ed25519 (v1a); for Discord and
            SendGrid the public key.
        profile: "standard", a sender's name ("github", "stripe", "discord" …: `PROFILES` has them all), or a `WebhookProfile`.
        tolerance: seconds for which a webhook is good after its signed time, and by which that time may be ahead of ours.
        remember: seconds for which a guard knows a message's id at least, and always as long as its time is good.
            "verified": 300 seconds, and whatever becomes of the message once it is verified. None: it does not remember, the
            application does.
        subject: who sends them, for `Identity.subject`; None: the profile's name.
        scopes: what they may do.
        clock: seconds since the epoch, for the plain `verify`.

    Raises:
        ConfigurationError: no secret, an empty or unset one, an unknown profile, a tolerance that isn't positive and finite.

    >>> auth = WebhookAuth("whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    >>> headers = auth.sign(b'{"test": 2432232314}', message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", now=1614265330)
    >>> verifier = WebhookVerifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", clock=lambda: 1614265331)
    >>> verifier.verify(headers, b'{"test": 2432232314}').claims["id"]
    'msg_p5jXN8AQM9LWM0D4loKWxJek'
    """

    scheme: str = "webhook"
    described: str = "A webhook's signature over its body. Made anew for each request, which Swagger UI can't do."
    rank: int = 45
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None
    single_use: bool = True
    ambient: bool = False
    """Whether the same webhook is never handled twice with success; False for profiles that don't sign what would be needed."""

    def __init__(
        self,
        secrets: Secrets,
        profile: str | WebhookProfile = "standard",
        *,
        tolerance: float = 300,
        remember: float | Literal["verified"] | None = 300,
        subject: str | None = None,
        scopes: frozenset[str] = NO_SCOPES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.freshness = Freshness(tolerance, tolerance, "tolerance")
        self.gives_back = remember != "verified"
        seconds = RETENTION if remember == "verified" else remember
        if not (seconds is None or _is_span(seconds)):
            raise ConfigurationError(
                'remember is a number of seconds, "verified", or None to remember nothing: remember=300'
            )
        self.engine = Engine(secrets, profile, signing=False)
        row = self.engine.profile
        self.remember = seconds
        self.subject = row.name if subject is None else subject
        self.scopes = scopes
        self._clock = clock
        self._read, self._contents, self._matching = (
            self.engine.layout.read,
            self.engine.contents.of,
            self.engine.matching,
        )
        self._timed, self._named = row.timed, "id" in row.parts
        self._time_field = row.timestamp or row.signature
        self._time_in_body = TimeInBody(row) if row.timestamp_member else None
        self.once = seconds is not None and (bool(row.id) or row.timed)
        # What is not timed can be sent again for ever.
        self.single_use = self.once and row.timed
        self.kinds: Sequence[type] = (Spent,) if self.once else ()
        self.owners = tuple({_owner_of(secret): None for secret in self.engine.secrets})
        self.addresses: Sequence[Address] = tuple(Address(field) for field in self.engine.layout.fields)

    def __repr__(self) -> str:
        return f"WebhookVerifier(profile={self.engine.profile.name!r}, secrets={len(self.engine.secrets)})"

    def secrets(self) -> list[bytes]:
        """What no explanation may show."""
        return [
            octets for secret in self.engine.secrets if secret.key is None for octets in (secret.given, secret.octets)
        ]

    def verify(self, headers: Any, body: bytes, *, url: str | None = None, method: str = "POST") -> Identity[Any]:
        """Who sent this webhook, if it is genuine and fresh. Whether it came before is for a guard, or for you, to know:
        `claims["id"]` is the same for every attempt to deliver a message.

        Args:
            headers: the request's header fields: a mapping, a framework's headers, or pairs; case does not matter.
            body: the octets of the body as they came in, never parsed JSON.
            url: the URL as the sender has it, for profiles that cover it (Twilio, HubSpot, Square).
            method: the request's, for profiles that cover it (HubSpot).

        Raises:
            Rejected: why not.
            ConfigurationError: the body was parsed or decoded before; the message says how to get it raw.
        """
        octets = body if type(body) is bytes else raw_body(body)
        delivery = self._read(headers)
        return self.judge(delivery, self._contents(delivery, octets, url, method), self._clock())

    def verify_at(
        self, headers: Any, body: bytes, now: float, *, url: str | None = None, method: str = "POST"
    ) -> Identity[Any]:
        """`verify` at a given time, in seconds since the epoch; pure.

        Raises:
            Rejected, ConfigurationError: as `verify`.
        """
        octets = body if type(body) is bytes else raw_body(body)
        delivery = self._read(headers)
        return self.judge(delivery, self._contents(delivery, octets, url, method), now)

    def judge(self, delivery: PresentedCredentials, contents: Sequence[bytes], now: float) -> Identity[Any]:
        """Signature, then time: what is said about a time is said of a genuine webhook.

        Raises:
            Rejected: WRONG_SIGNATURE, WRONG_ALGORITHM, EXPIRED, NOT_YET_VALID; MALFORMED_CREDENTIALS, a time in the body that
                is none.
        """
        index = self._matching(delivery, contents)
        if index is None:
            self._refuse_signature(delivery)
        claims: dict[str, object] = {}
        if self._timed:
            sent = delivery.sent if self._time_in_body is None else self._time_in_body.of(contents[0])
            self.freshness.check(sent, now, self._time_field)
            claims["timestamp"] = sent
        if self._named:
            claims["id"] = delivery.message_id.decode()
        return Identity(self.subject, "webhook", None, self.scopes, claims, index > 0)

    def time_of(self, delivery: PresentedCredentials, contents: Sequence[bytes]) -> float:
        """When it was sent, in seconds since the epoch, as a field or the body says.

        Raises:
            Rejected: MALFORMED_CREDENTIALS, the body does not say it.
        """
        return delivery.sent if self._time_in_body is None else self._time_in_body.of(contents[0])

    def _refuse_signature(self, delivery: PresentedCredentials) -> NoReturn:
        where = self.engine.profile.signature
        kinds = {secret.key is None for secret in self.engine.secrets}
        if self.engine.profile.covers_nothing:
            raise Rejected(Reason.WRONG_SIGNATURE, "the token is none of those that are known", where=where)
        if kinds == {True} and not delivery.macs:
            raise Rejected(
                Reason.WRONG_ALGORITHM, "it is signed with Ed25519 alone, and no whpk_ key is known", where=where
            )
        if kinds == {False} and not delivery.signatures:
            raise Rejected(
                Reason.WRONG_ALGORITHM, "it is signed with a shared secret alone, and none is known", where=where
            )
        raise Rejected(Reason.WRONG_SIGNATURE, "no signature is of this message and one of the secrets", where=where)

    def read(self, request: Request) -> WebhookClaim | None:
        """The signatures, id and time of a request.

        Raises:
            Rejected: MALFORMED_CREDENTIALS, HEADER_TOO_LARGE; TARGET_REFUSED and TARGET_NOT_EXACT where the URL is covered.
        """
        delivery = self.engine.layout.read_lines(request.headers)
        if delivery is None:
            return None
        if self.engine.contents.url:
            check_target(request)
            if not request.exact:
                check_exact(request)
        return WebhookClaim(self, delivery, request)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """No challenge: no registered scheme asks for a webhook's signature."""
        return Refusal(rejection.reason.status)


class WebhookClaim:
    """A webhook that was presented, not yet verified."""

    __slots__ = ("delivery", "request", "verifier")

    needs: Sequence[Ref[Any]] = ()
    body: BodyNeed = WHOLE
    formless: bool = True
    """Nearly any text could be a signature: for `explain`, which looks for one everywhere."""

    def __init__(self, verifier: WebhookVerifier, delivery: PresentedCredentials, request: Request) -> None:
        self.verifier = verifier
        self.delivery = delivery
        self.request = request

    def slow(self, found: Found) -> bool:
        """Never: a MAC takes microseconds, and the signatures that are tried are few."""
        return False

    def contents(self, body: bytes) -> list[bytes]:
        """What the sender must have signed."""
        contents = self.verifier.engine.contents
        url = url_of(self.request) if contents.url else None
        return contents.of(self.delivery, body, url, self.request.method)

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision:
        """The verdict of the plain `verify`, and the id that is used up by it."""
        contents = self.contents(body.data)
        identity = self.verifier.judge(self.delivery, contents, now)
        # Which of the candidates comes first depends on the request as it came: on a port that nobody signed.
        marks = self.writes(self.verifier.engine.signed(self.delivery, contents), now)
        return Decision(identity, marks, provisional=marks if self.verifier.gives_back else ())

    def writes(self, content: bytes, now: float) -> Sequence[Once]:
        """Marks of the message's id, or of what stands for it, for as long as its time is good and longer if the verifier says so.

        One for each secret, in one commit: the message stays known when its secret is replaced, or another of its signatures shown.
        """
        verifier = self.verifier
        if not verifier.once or verifier.remember is None:
            return ()
        until = now + verifier.remember
        if verifier._timed:  # noqa: SLF001 -- our own
            until = max(until, verifier.time_of(self.delivery, (content,)) + verifier.freshness.retention)
        names = [self.delivery.message_id.decode()] if self.delivery.message_id else []
        # Without an id the content stands for the message, whichever of its signatures is presented; and beside an id that
        # isn't signed, so can be changed, where the content has its time.
        if not names or (verifier.single_use and not verifier._named):  # noqa: SLF001 -- our own
            names.append(b64url_encode(digest("sha-256", content)).decode())
        keys = [("webhook", verifier.engine.profile.name, verifier.subject, name) for name in names]
        return tuple([Once(key, until, owner) for key in keys for owner in verifier.owners])


def _is_span(seconds: object) -> bool:
    return isinstance(seconds, int | float) and isfinite(seconds) and seconds >= 0


def _owner_of(secret: Secret) -> str:
    if secret.mac is not None:
        return owner_by_mac(secret.mac)
    assert secret.key is not None
    return owner_of_key(secret.key)


class WebhookAuth(ClientHalf):
    """Signs webhooks, with every one of its secrets where the profile has room for several signatures.

    A request that names its message already (`webhook-id`) keeps that id: every attempt to deliver a message has the same one.

    Args:
        secrets: the receiver's secret, or several during a rotation. For Standard Webhooks "whsec_…", or "whsk_…" for
            Ed25519 (v1a); for Discord and SendGrid the private key.
        profile: as `WebhookVerifier`; those of other senders are for testing your own receivers.

    Raises:
        ConfigurationError: no secret, an empty or unset one, one that can't sign, several where one signature is sent.

    >>> auth = WebhookAuth(["whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    >>> auth.sign(b'{"test": 2432232314}', message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", now=1614265330)["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """

    __slots__ = ("__weakref__", "_engine")

    def __init__(self, secrets: Secrets, profile: str | WebhookProfile = "standard") -> None:
        self._engine = Engine(secrets, profile, signing=True)
        row = self._engine.profile
        if len(self._engine.secrets) > 1 and not row.separator:
            raise ConfigurationError(f"{row.name} sends one signature: sign with one secret")

    def __repr__(self) -> str:
        return f"WebhookAuth(profile={self._engine.profile.name!r}, secrets={len(self._engine.secrets)})"

    def sign(
        self,
        body: bytes,
        *,
        now: float,
        message_id: str = "",
        url: str | None = None,
        method: str = "POST",
        content_type: str = "",
    ) -> dict[str, str]:
        """The header fields to send with `body`; pure.

        Args:
            body: the octets that are sent.
            now: seconds since the epoch. Where the body says the time, it has to be in there already.
            message_id: the message's, for profiles that name it: visible ASCII without a dot, the same for every attempt.
            url: where it is sent, for profiles that cover it.
            method: by which it is sent, for profiles that cover it.
            content_type: of the body, for profiles that cover forms.

        Raises:
            ConfigurationError: no id where the profile names messages, or one that can't be signed; no URL where it is covered;
                a time that can't be written.
        """
        engine = self._engine
        row, stamp = engine.profile, engine.layout.stamp(now)
        if row.id and not message_id:
            raise ConfigurationError(f"{row.name} names its messages ({row.id}): pass message_id=")
        try:
            delivery = engine.layout.unsigned(message_id, stamp, content_type)
            content = engine.contents.of(delivery, body if type(body) is bytes else raw_body(body), url, method)[0]
        except Rejected as rejected:
            raise ConfigurationError(f"this can't be signed: {rejected}") from None
        items = [row.timestamp_prefix + stamp] if row.timestamp_prefix else []
        for secret in engine.secrets:
            prefix = row.prefix if secret.key is None or row.has_public_keys else row.public_prefix
            items.append(prefix + engine.encode(secret.sign(content)).decode())
        fields = {row.id: message_id} if row.id else {}
        if row.timestamp:
            fields[row.timestamp] = stamp
        fields[row.signature] = row.separator.join(items)
        return fields

    def flow(self, request: Request, context: Context) -> Flow:
        """One Send, signed.

        Raises:
            ConfigurationError: the request names its message by what can't be signed.
        """
        row = self._engine.profile
        given = request.values(row.id.encode()) if row.id else []
        if len(given) > 1:
            raise ConfigurationError(f"the request has several {row.id} fields")
        message_id = given[0].decode("latin-1") if given else _new_id(context.random(16), row.id_borders)
        kind = b"".join(request.values(b"content-type")[:1]).decode("latin-1")
        signed = self.sign(
            context.body(), now=context.now(), message_id=message_id, url=url_of(request), method=request.method,
            content_type=kind,
        )  # fmt: skip
        yield Send(request.with_headers(tuple((name.encode(), value.encode()) for name, value in signed.items())))

    def canonical(self, request: Request, body: bytes = b"") -> str:
        """What the signature of `request`, as it was sent, covers: to compare with what the receiver says.

        Raises:
            ConfigurationError: the request carries no such signature.
        """
        try:
            delivery = self._engine.layout.read(request.headers)
            content = self._engine.contents.of(delivery, body, url_of(request), request.method)[0]
        except Rejected as rejected:
            raise ConfigurationError(
                f"the request carries no signature of {self._engine.profile.name}: {rejected}"
            ) from None
        return content.decode("utf-8", "backslashreplace")


def _new_id(octets: bytes, borders: str) -> str:
    """A name for a message, without the characters that can't be in one."""
    usual = "msg_" + b64url_encode(octets).decode()
    return usual if not set(borders) & set(usual) else octets.hex()
