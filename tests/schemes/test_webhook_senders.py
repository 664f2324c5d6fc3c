"""What holds for every sender of webhooks: both halves, each part tampered with, time, replay, another secret, explanations."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from hypothesis import given
from hypothesis import strategies as st
from tests.webhook_senders import NOW, SENDERS, Sender, ecdsa_pair, ed25519_pair
from watchword import (
    AsyncGuard, ConfigurationError, Guard, Policy, Reason, Rejected, Request, Response, WebhookAuth, WebhookProfile,
    WebhookVerifier, explain,
)  # fmt: skip
from watchword.crypto.digests import compare
from watchword.transport.flow import ClientContext, run
from watchword.core.io import once
from watchword.core.records import Once, Outcome, Write
from watchword.effects import Received, Send
from watchword.schemes.webhooks import PROFILES
from watchword.schemes.webhooks.times import TIME_FORMATS
from watchword.stores import MemoryStore

pytestmark = pytest.mark.sweep

URL = "https://hooks.example/in?x=1"
EVERY = pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)
SIGNING = [sender for sender in SENDERS.values() if not sender.row.covers_nothing]
EVERY_SIGNING = pytest.mark.parametrize("sender", SIGNING, ids=[sender.profile for sender in SIGNING])
TIMED = [sender for sender in SENDERS.values() if sender.row.timed]
TOKEN = SENDERS["gitlab-unsigned-token"]


def delivered(sender: Sender, *, secret: str | None = None, now: float = NOW, method: str = "POST") -> Request:
    """The request as the sender's client sends it."""
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    context = ClientContext(lambda: sender.body, now=lambda: now, random=bytes)
    asked = Request(method, "https", "hooks.example", "/in?x=1", sender.headers)
    run(WebhookAuth(secret or sender.signing, sender.row), asked, send, context)
    return sent[0]


def guarded(verifier: WebhookVerifier, now: float = NOW) -> Guard:
    store = MemoryStore(clock=lambda: now) if verifier.kinds else None
    return Guard([verifier], store, policy=Policy(clock=lambda: now))


def receiver(sender: Sender) -> WebhookVerifier:
    return WebhookVerifier(sender.verifying, sender.row, clock=lambda: NOW)


def reason_of(call: Callable[[], Any]) -> Reason:
    with pytest.raises(Rejected) as caught:
        call()
    return caught.value.reason


@EVERY
def test_what_the_sender_signs_the_receiver_accepts_in_both_guards(sender: Sender) -> None:
    request = delivered(sender)
    verifier = WebhookVerifier(sender.verifying, sender.profile, subject="partner", scopes=frozenset({"in"}))
    who = guarded(verifier).verify(request, sender.body)
    assert (who.subject, who.scheme, who.scopes, who.rotated) == ("partner", "webhook", frozenset({"in"}), False)
    guard = AsyncGuard.of(guarded(verifier))
    assert asyncio.run(guard.verify(request, sender.body)).subject == "partner"


@EVERY
def test_what_the_sender_signs_the_plain_verify_accepts(sender: Sender) -> None:
    fields = WebhookAuth(sender.signing, sender.profile).sign(
        sender.body, message_id="m", now=NOW, url=URL, content_type=sender.headers["Content-Type"]
    )
    who = receiver(sender).verify({**fields, **sender.headers}, sender.body, url=URL)
    assert who.subject == sender.profile
    assert who.claims.get("timestamp") == (NOW if sender.row.timed else None)


def tampered(request: Request, body: bytes, sender: Sender) -> Iterator[tuple[str, Request, bytes]]:
    """Each part that the sender covers, changed."""
    row = sender.row
    later = TIME_FORMATS[row.time_format].write(NOW + 1).encode()
    before = TIME_FORMATS[row.time_format].write(NOW).encode()
    if "body" in row.covers:
        yield "body", request, body.replace(b"1", b"2", 1)
        yield "body", request, body + (b"&x=1" if "form" in row.parts else b" ")
        yield "body", request, b""
    if row.timestamp:
        yield "timestamp", request.with_headers(((row.timestamp.encode(), later),)), body
    if row.timestamp_prefix:
        (field,) = request.values(row.signature.encode())
        yield "timestamp", request.with_headers(((row.signature.encode(), field.replace(before, later)),)), body
    if row.timestamp_member:
        yield "timestamp", request, body.replace(before, later)
    if "id" in row.covers:
        yield "id", request.with_headers(((row.id.encode(), b"msg_other"),)), body
    if "url" in row.covers:
        for authority, target in (("hooks.example", "/in?x=2"), ("other.example", "/in?x=1")):
            yield "url", Request("POST", "https", authority, target, request.headers), body
    if "method" in row.covers:
        yield "method", Request("PUT", "https", "hooks.example", "/in?x=1", request.headers), body


@EVERY_SIGNING
def test_no_part_that_the_sender_covers_can_be_changed(sender: Sender) -> None:
    request, seen = delivered(sender), set()
    for part, changed, body in tampered(request, sender.body, sender):
        seen.add(part)
        reason = reason_of(lambda changed=changed, body=body: guarded(receiver(sender)).verify(changed, body))  # type: ignore[misc]
        assert reason in (Reason.WRONG_SIGNATURE, Reason.NOT_COVERED), part
    assert seen == set(sender.row.covers)


@EVERY_SIGNING
def test_no_character_of_the_signature_can_be_changed(sender: Sender) -> None:
    name = sender.row.signature.encode()
    (field,) = delivered(sender).values(name)
    prefix = sender.row.prefix.encode()
    start = field.index(prefix) + len(prefix)
    places = range(start, len(field.rstrip(b"=")), 7)
    assert len(places) >= 4
    for place in places:
        other = b"0" if field[place : place + 1] != b"0" else b"1"
        forged = field[:place] + other + field[place + 1 :]
        request = delivered(sender).with_headers(((name, forged),))
        assert reason_of(lambda: guarded(receiver(sender)).verify(request, sender.body)) is Reason.WRONG_SIGNATURE  # noqa: B023


@EVERY
def test_what_somebody_else_signs_is_refused(sender: Sender) -> None:
    request = delivered(sender, secret=sender.stranger)
    assert reason_of(lambda: guarded(receiver(sender)).verify(request, sender.body)) is Reason.WRONG_SIGNATURE


@EVERY
def test_without_its_field_nothing_is_presented(sender: Sender) -> None:
    assert reason_of(lambda: receiver(sender).verify({}, sender.body, url=URL)) is Reason.NO_CREDENTIALS


@pytest.mark.parametrize("sender", TIMED, ids=[sender.profile for sender in TIMED])
@pytest.mark.parametrize(("later", "reason"), [(301, Reason.EXPIRED), (-301, Reason.NOT_YET_VALID)])
def test_a_time_that_is_off_is_refused_in_a_guard(sender: Sender, later: float, reason: Reason) -> None:
    request = delivered(sender)
    guard = guarded(receiver(sender), NOW + later)
    assert reason_of(lambda: guard.verify(request, sender.body)) is reason
    checks = explain(request, guard, sender.body).causes
    assert [check.name for check in checks] == ["time"]


@pytest.mark.parametrize("sender", TIMED, ids=[sender.profile for sender in TIMED])
def test_a_delivery_of_a_sender_that_signs_the_time_is_good_once(sender: Sender) -> None:
    request = delivered(sender)
    guard = guarded(receiver(sender))
    assert guard.verify(request, sender.body).subject == sender.profile
    assert reason_of(lambda: guard.verify(request, sender.body)) is Reason.REPLAYED


REMEMBERED = [sender for sender in SENDERS.values() if sender.row.timed or sender.row.id]


@pytest.mark.parametrize("sender", REMEMBERED, ids=[sender.profile for sender in REMEMBERED])
def test_a_delivery_whose_handler_failed_is_accepted_again(sender: Sender) -> None:
    guard, request = guarded(receiver(sender)), delivered(sender)
    admission = guard.admit(request, once(sender.body))
    assert reason_of(lambda: guard.verify(request, sender.body)) is Reason.REPLAYED
    guard.take_back(admission)
    assert guard.verify(request, sender.body).subject == sender.profile


class Noting(MemoryStore):
    """Keeps the ends of the marks that are written."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: NOW)
        self.ends: list[float] = []

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        self.ends += [write.until for write in writes if isinstance(write, Once)]
        return super().commit(writes)


@pytest.mark.parametrize("sender", TIMED, ids=[sender.profile for sender in TIMED])
def test_a_mark_lasts_as_long_as_the_time_that_the_sender_signed_is_good(sender: Sender) -> None:
    """The time may be ahead of ours, in a field or in the body."""
    ahead = sender._replace(body=sender.body.replace(b"1700000000000", b"1700000200000"))
    request, store = delivered(ahead, now=NOW + 200), Noting()
    verifier = WebhookVerifier(sender.verifying, sender.row, remember=0)
    Guard([verifier], store, policy=Policy(clock=lambda: NOW)).verify(request, ahead.body)
    assert store.ends == [NOW + 500]


@EVERY_SIGNING
def test_explain_names_the_body_that_was_changed_by_a_line_break(sender: Sender) -> None:
    if "form" in sender.row.parts:
        body = sender.body.replace(b"CA1", b"CA1%0A")
        assert not explain(delivered(sender), guarded(receiver(sender)), body).accepted
        return
    sent = sender._replace(body=sender.body + b"\n")
    cause = explain(delivered(sent), guarded(receiver(sender)), sender.body).causes[0]
    assert cause.component == "body"


@EVERY
def test_explain_says_that_the_signature_is_by_another_secret(sender: Sender) -> None:
    explanation = explain(delivered(sender, secret=sender.stranger), guarded(receiver(sender)), sender.body)
    assert not explanation.accepted
    assert explanation.causes[0].component == f"header {sender.row.signature}"
    for secret in (sender.verifying, sender.stranger):
        assert secret not in str(explanation)


@EVERY
def test_a_secret_that_was_copied_with_a_line_break_is_refused(sender: Sender) -> None:
    with pytest.raises(ConfigurationError):
        WebhookVerifier(sender.verifying + "\n", sender.row)


TEXTS = [sender for sender in SENDERS.values() if sender.row.secret == "text"]


@pytest.mark.parametrize("sender", TEXTS, ids=[sender.profile for sender in TEXTS])
def test_explain_names_a_secret_that_the_sender_has_in_another_spelling(sender: Sender) -> None:
    request = delivered(sender, secret=sender.signing.encode().hex())
    cause = explain(request, guarded(receiver(sender)), sender.body).causes[0]
    # Where the secret itself is sent, it is the field that has the other spelling.
    assert cause.component == ("x-gitlab-token" if sender.row.covers_nothing else "secret")
    assert "in hex" in f"{cause.mend} {cause.received}"


def test_explain_names_the_method_and_the_url_of_hubspot() -> None:
    sender = SENDERS["hubspot"]
    request = delivered(sender)
    put = Request("PUT", "https", "hooks.example", "/in?x=1", request.headers)
    assert explain(put, guarded(receiver(sender)), sender.body).causes[0].component == "@method"
    plain = Request("POST", "http", "hooks.example", "/in?x=1", request.headers)
    assert explain(plain, guarded(receiver(sender)), sender.body).causes[0].component == "@scheme"


# ---- ids -------------------------------------------------------------------------------------------------------------

GITHUB = {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}


def test_github_is_verified_without_the_id_that_it_does_not_sign() -> None:
    verifier = WebhookVerifier("It's a Secret to Everybody", "github")
    assert verifier.verify(GITHUB, b"Hello, World!").subject == "github"


def test_without_an_id_that_is_not_signed_the_body_stands_for_the_message() -> None:
    guard = guarded(WebhookVerifier("It's a Secret to Everybody", "github"))
    request = Request("POST", "https", "hooks.example", "/in", GITHUB)
    assert guard.verify(request, b"Hello, World!").subject == "github"
    assert reason_of(lambda: guard.verify(request, b"Hello, World!")) is Reason.REPLAYED


def test_an_id_that_is_not_signed_is_still_one() -> None:
    verifier = WebhookVerifier("It's a Secret to Everybody", "github")
    fields = {**GITHUB, "X-GitHub-Delivery": "a b"}
    assert reason_of(lambda: verifier.verify(fields, b"Hello, World!")) is Reason.MALFORMED_CREDENTIALS


@EVERY
def test_an_id_is_asked_for_only_where_the_sender_names_its_messages(sender: Sender) -> None:
    auth, kind = WebhookAuth(sender.signing, sender.profile), sender.headers["Content-Type"]
    if sender.row.id:
        with pytest.raises(ConfigurationError, match="message_id="):
            auth.sign(sender.body, now=NOW, url=URL, content_type=kind)
    else:
        assert auth.sign(sender.body, now=NOW, url=URL, content_type=kind)[sender.row.signature]


# ---- a token ---------------------------------------------------------------------------------------------------------


def test_who_covers_nothing_says_so_by_name() -> None:
    assert [name for name, row in PROFILES.items() if not row.covers] == ["gitlab-unsigned-token"]
    assert all(("token" in name) is (not row.covers) for name, row in PROFILES.items())


def test_a_token_lets_every_body_pass_every_time() -> None:
    guard = guarded(receiver(TOKEN))
    request = delivered(TOKEN)
    assert request.values(b"x-gitlab-token") == [TOKEN.signing.encode()]
    for body in (TOKEN.body, b"anything", b"anything"):
        assert guard.verify(request, body).claims == {}
    assert not receiver(TOKEN).single_use


@pytest.mark.parametrize(
    "token", ["", "a shared secre", "a shared secret ", "A shared secret", "x", "a shared secret" * 9]
)
def test_a_token_that_is_nearly_the_right_one_is_none(token: str) -> None:
    fields = {"X-Gitlab-Token": token}
    assert reason_of(lambda: receiver(TOKEN).verify(fields, b"")) is Reason.WRONG_SIGNATURE


def test_a_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def counted(one: bytes, other: bytes) -> bool:
        seen.append((one, other))
        return compare(one, other)

    monkeypatch.setattr("watchword.schemes.webhooks.engine.compare", counted)
    assert receiver(TOKEN).verify({"X-Gitlab-Token": TOKEN.signing}, b"").subject == TOKEN.profile
    assert seen == [(TOKEN.signing.encode(), TOKEN.signing.encode())]


def test_explain_shows_nothing_of_a_token() -> None:
    near = TOKEN.verifying[:-1] + "X"
    request = Request("POST", "https", "hooks.example", "/in", {"X-Gitlab-Token": near})
    text = str(explain(request, guarded(receiver(TOKEN)), b""))
    assert near[:6] not in text
    assert "changed at 1 of its" in text


def test_tokens_are_rotated_as_secrets_are() -> None:
    verifier = WebhookVerifier(["the new one", "the old one"], TOKEN.profile)
    assert [verifier.verify({"X-Gitlab-Token": f"the {age} one"}, b"").rotated for age in ("new", "old")] == [
        False,
        True,
    ]


# ---- keys ------------------------------------------------------------------------------------------------------------


def pem(number: int) -> tuple[str, str]:
    private = derive_private_key(number, SECP256R1())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), public.decode()


def test_a_key_may_be_given_in_pem() -> None:
    sender = SENDERS["sendgrid"]
    private, public = (text.strip() for text in pem(7))
    for signing, verifying in ((private, sender.verifying), (sender.signing, public)):
        fields = WebhookAuth(signing, "sendgrid").sign(sender.body, now=NOW)
        assert WebhookVerifier(verifying, "sendgrid").verify_at(fields, sender.body, NOW).subject == "sendgrid"


@pytest.mark.parametrize("profile", ["discord", "sendgrid"])
def test_keys_are_rotated_as_secrets_are(profile: str) -> None:
    pairs = (
        [ed25519_pair(bytes([n] * 32)) for n in (1, 2)] if profile == "discord" else [ecdsa_pair(n) for n in (21, 22)]
    )
    verifier = WebhookVerifier([public for _, public in pairs], profile)
    signed = [WebhookAuth(private, profile).sign(b"{}", now=NOW) for private, _ in pairs]
    assert [verifier.verify_at(fields, b"{}", NOW).rotated for fields in signed] == [False, True]


@pytest.mark.parametrize(
    ("profile", "secret"),
    [
        ("discord", ""), ("discord", "zz" * 32), ("discord", "00" * 31), ("discord", "00" * 32 + "\n"), ("discord", "no key"),
        ("sendgrid", ""), ("sendgrid", "AAAA"), ("sendgrid", "no key"), ("sendgrid", SENDERS["discord"].verifying),
        ("sendgrid", SENDERS["sendgrid"].signing), ("sendgrid", pem(7)[0].strip()), ("adyen", "no key"), ("adyen", ""), ("adyen", "abc"),
        ("gitlab-unsigned-token", ""), ("gitlab-unsigned-token", " x"), ("gitlab-unsigned-token", SENDERS["sendgrid"].verifying),
    ],
)  # fmt: skip
def test_a_receiver_without_a_good_key_is_not_made(profile: str, secret: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        WebhookVerifier(secret, profile)
    assert len(secret) < 4 or secret not in str(caught.value)


@pytest.mark.parametrize("secret", [SENDERS["sendgrid"].verifying, pem(7)[1].strip(), "AAAA"])
def test_a_sender_without_a_private_key_is_not_made(secret: str) -> None:
    with pytest.raises(ConfigurationError):
        WebhookAuth(secret, "sendgrid")


@pytest.mark.parametrize(
    ("hashes", "component", "said"),
    [(["sha512"], "header x-twilio-email-event-webhook-signature", "with the hash SHA512"), (["sha256", "sha256"], "signed content", "hashes it itself")],
)  # fmt: skip
def test_a_key_pair_that_signed_by_another_hash_or_a_hash_is_told(hashes: list[str], component: str, said: str) -> None:
    sender, name = SENDERS["sendgrid"], b"x-twilio-email-event-webhook-signature"
    request = delivered(sender)
    text = request.values(b"x-twilio-email-event-webhook-timestamp")[0] + sender.body
    for each in hashes[:-1]:
        text = hashlib.new(each, text).digest()
    chosen = SHA512() if hashes[-1] == "sha512" else SHA256()
    signature = base64.b64encode(derive_private_key(7, SECP256R1()).sign(text, ECDSA(chosen)))
    first = explain(request.with_headers(((name, signature),)), guarded(receiver(sender)), sender.body).causes[0]
    assert first.component == component
    assert said in first.mend


@pytest.mark.parametrize(
    ("body", "said"), [(b"[object Object]", "a placeholder"), (b'{"a": 1, "b": {"c', "ends early")]
)
def test_a_body_that_is_seen_to_be_none_is_told(body: bytes, said: str) -> None:
    sender = SENDERS["stripe"]
    first = explain(delivered(sender), guarded(receiver(sender)), body).causes[0]
    assert first.component == "body"
    assert said in first.mend


@pytest.mark.parametrize("profile", ["discord", "github"])
def test_what_is_in_any_field_is_not_taken_for_a_signature(profile: str) -> None:
    sender = SENDERS[profile]
    request = delivered(sender)
    kept = [pair for pair in request.headers if pair[0].decode() != sender.row.signature.lower()]
    bare = Request(request.method, request.scheme, request.authority, "/in?word=duquanor", [*kept, (b"content-type", b"application/json")])  # fmt: skip
    assert explain(bare, guarded(receiver(sender)), sender.body).causes[0].name == "no_credentials"


def test_only_strict_der_in_strict_base64_is_a_signature_by_ecdsa() -> None:
    sender, name = SENDERS["sendgrid"], "x-twilio-email-event-webhook-signature"
    fields = WebhookAuth(sender.signing, "sendgrid").sign(sender.body, now=NOW)
    genuine = base64.b64decode(fields[name])
    r, s = decode_dss_signature(genuine)
    assert WebhookVerifier(sender.verifying, "sendgrid").verify_at(fields, sender.body, NOW).subject == "sendgrid"
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for octets in (
        genuine + b"\0", genuine[:-1], b"", r.to_bytes(32) + s.to_bytes(32), encode_dss_signature(0, 0), encode_dss_signature(r, 0),
        encode_dss_signature(r, s + order), encode_dss_signature(r << 256, s), bytes.fromhex("30060201ff0201ff"), b"\x30\x80" + genuine[2:],
    ):  # fmt: skip
        forged = {**fields, name: base64.b64encode(octets).decode()}
        assert (
            reason_of(lambda: WebhookVerifier(sender.verifying, "sendgrid").verify_at(forged, sender.body, NOW))  # noqa: B023
            is Reason.WRONG_SIGNATURE
        )
    for text in (fields[name] + "\n", "!" + fields[name], fields[name] + "A"):
        forged = {**fields, name: text}
        with pytest.raises(Rejected):
            WebhookVerifier(sender.verifying, "sendgrid").verify_at(forged, sender.body, NOW)


def test_a_row_of_ones_own_may_have_keys_and_several_signatures() -> None:
    row = WebhookProfile(
        name="mine", signature="x-signature", content="{timestamp}.{body}", algorithm="ed25519", secret="base64", encoding="base64",
        timestamp_prefix="t=", prefix="ed=", separator=",",
    )  # fmt: skip
    pairs = [ed25519_pair(bytes([n] * 32)) for n in (1, 2)]
    private, public = (
        [base64.b64encode(bytes.fromhex(key)).decode() for key in keys] for keys in zip(*pairs, strict=True)
    )
    fields = WebhookAuth(list(private), row).sign(b"{}", now=NOW)
    assert fields["x-signature"].count("ed=") == 2
    for key in public:
        assert WebhookVerifier(key, row).verify_at(fields, b"{}", NOW).subject == "mine"


# ---- times -----------------------------------------------------------------------------------------------------------

MILLISECONDS = WebhookProfile(
    name="mine", signature="x-signature", content="{timestamp}.{body}", timestamp="x-time", time_format="milliseconds"
)
RFC3339 = replace(MILLISECONDS, time_format="rfc3339")


def signed_at(row: WebhookProfile, stamp: str) -> dict[str, str]:
    """A delivery whose time is written in any way, signed."""
    written = WebhookProfile(name="any", signature="x-signature", content=stamp.replace("{", "") + ".{body}")
    return {"x-time": stamp, **WebhookAuth("s", written).sign(b"{}", now=0)}


@pytest.mark.parametrize(
    ("row", "stamp", "sent"),
    [
        (MILLISECONDS, "1700000000123", 1700000000.123),
        (MILLISECONDS, "0", 0),
        (RFC3339, "2023-11-14T22:13:20Z", 1700000000),
        (RFC3339, "2023-11-14T22:13:20.5Z", 1700000000.5),
        (RFC3339, "2023-11-14T22:13:20.500000000Z", 1700000000.5),
        (RFC3339, "2023-11-15T00:13:20+02:00", 1700000000),
        (RFC3339, "2023-11-14T17:43:20-04:30", 1700000000),
    ],
)
def test_times_are_read_as_they_are_written(row: WebhookProfile, stamp: str, sent: float) -> None:
    who = WebhookVerifier("s", row).verify_at(signed_at(row, stamp), b"{}", sent)
    assert who.claims["timestamp"] == sent


@pytest.mark.parametrize(
    ("row", "stamp"),
    [
        *((MILLISECONDS, stamp) for stamp in ("", "-1", "01", "1.5", "1e3", "1" * 16, "x", "2023-11-14T22:13:20Z")),
        *(
            (RFC3339, stamp)
            for stamp in (
                "", "1700000000", "2023-02-30T00:00:00Z", "2023-11-14T24:00:00Z", "2023-11-14T22:13:60Z", "2023-11-14 22:13:20Z",
                "2023-11-14T22:13:20", "2023-11-14T22:13:20z", "20231114T221320Z", "2023-11-14T22:13Z", "2023-11-14T22:13:20+0200",
                "2023-11-14T22:13:20+24:00", "2023-11-14T22:13:20,5Z", "0000-01-01T00:00:00Z", "2023-W46-2T22:13:20Z",
            )
        ),
    ],
)  # fmt: skip
def test_what_is_no_time_is_malformed_and_explained(row: WebhookProfile, stamp: str) -> None:
    fields = signed_at(row, stamp)
    verifier = WebhookVerifier("s", row)
    assert reason_of(lambda: verifier.verify_at(fields, b"{}", NOW)) is Reason.MALFORMED_CREDENTIALS
    assert not explain(Request("POST", "https", "hooks.example", "/in", fields), guarded(verifier), b"{}").accepted


@pytest.mark.parametrize("row", [MILLISECONDS, RFC3339], ids=["milliseconds", "rfc3339"])
def test_the_sender_writes_the_time_as_the_receiver_reads_it(row: WebhookProfile) -> None:
    for now in (NOW, NOW + 0.25, 1.0, 253402300799.0):
        fields = WebhookAuth("s", row).sign(b"{}", now=now)
        who = WebhookVerifier("s", row).verify_at(fields, b"{}", now)
        assert abs(float(str(who.claims["timestamp"])) - now) < (1 if row is RFC3339 else 0.001)


@pytest.mark.parametrize("stamp", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_time_at_the_end_of_the_calendar_is_explained(stamp: str) -> None:
    fields = {**signed_at(RFC3339, stamp), "x-signature": "0" * 64}
    request = Request("POST", "https", "hooks.example", "/in", fields)
    explanation = explain(request, guarded(WebhookVerifier("s", RFC3339)), b"{}")
    assert {check.name for check in explanation.causes} == {"signature", "time"}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"no JSON", b'{"webhookTimestamp":"x"}', b'{"webhookTimestamp":null}', b'{"webhookTimestamp":true}',
        b'{"webhookTimestamp":[1700000000000]}', b'{"webhookTimestamp":-1}', '{"webhookTimestamp":"é"}'.encode(), b"\xff",
        b'{"webhookTimestamp":1700000000000,"webhookTimestamp":1700000000000}', b'{"webhookTimestamp":1700000000000.5}',
    ],
)  # fmt: skip
def test_a_body_that_says_no_time_is_refused_once_the_signature_fitted(body: bytes) -> None:
    sender = SENDERS["linear"]
    fields = WebhookAuth(sender.signing, "linear").sign(body, now=NOW)
    assert reason_of(lambda: receiver(sender).verify(fields, body)) is Reason.MALFORMED_CREDENTIALS
    request = Request("POST", "https", "hooks.example", "/in", fields)
    assert explain(request, guarded(receiver(sender)), body).causes[0].component == "body"
    forged = {"Linear-Signature": "0" * 64}
    assert reason_of(lambda: receiver(sender).verify(forged, body)) is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize("row", [MILLISECONDS, PROFILES["linear"]], ids=["in a field", "in the body"])
def test_explain_says_that_a_time_is_in_seconds_where_the_sender_writes_milliseconds(row: WebhookProfile) -> None:
    body = b'{"webhookTimestamp":1700000000}'
    fields = WebhookAuth("s", row).sign(body, now=NOW / 1000)
    request = Request("POST", "https", "hooks.example", "/in", fields)
    (cause,) = explain(request, guarded(WebhookVerifier("s", row)), body).causes
    assert (cause.name, cause.mend) == ("time", "the time is in seconds: this sender writes milliseconds")


# ---- the URL ---------------------------------------------------------------------------------------------------------


def test_a_body_with_half_of_a_surrogate_pair_says_its_time() -> None:
    """JSON.stringify writes one where somebody's text was cut in the middle of an emoji."""
    body = b'{"data":{"title":"party \\ud83c"},"webhookTimestamp":%d}' % (NOW * 1000)
    sender = SENDERS["linear"]
    fields = WebhookAuth(sender.signing, "linear").sign(body, now=NOW)
    assert WebhookVerifier(sender.verifying, "linear").verify_at(fields, body, NOW).claims["timestamp"] == NOW


@pytest.mark.parametrize("now", [NOW * 1000, -1e18, float("inf"), float("nan")])
@pytest.mark.parametrize("time_format", list(TIME_FORMATS))
def test_a_time_that_can_not_be_written_is_not_signed(time_format: str, now: float) -> None:
    row = WebhookProfile(
        name="mine", signature="x-s", content="{timestamp}.{body}", timestamp="x-t", time_format=time_format
    )
    with pytest.raises(ConfigurationError):
        WebhookAuth("secret", row).sign(b"{}", now=now)


def test_hubspot_signs_the_url_with_some_escapes_decoded() -> None:
    """HubSpot, Validating requests, version 3: these characters are decoded in the URI before it is signed."""
    verifier = WebhookVerifier("s", "hubspot")
    encoded = "https://hooks.example/in%2Fbox?at=%40a%3a%2C&n=%20%C3%A9%25"
    decoded = "https://hooks.example/in/box?at=@a:,&n=%20%C3%A9%25"
    signed = WebhookAuth("s", "hubspot").sign(b"{}", now=NOW, url=encoded)
    assert signed == WebhookAuth("s", "hubspot").sign(b"{}", now=NOW, url=decoded)
    for url in (encoded, decoded):
        assert verifier.verify_at(signed, b"{}", NOW, url=url).subject == "hubspot"
    assert reason_of(lambda: verifier.verify_at(signed, b"{}", NOW, url=encoded + "x")) is Reason.WRONG_SIGNATURE
    with pytest.raises(ConfigurationError, match="url="):
        verifier.verify_at(signed, b"{}", NOW)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_the_method_is_covered_where_the_sender_signs_it(method: str) -> None:
    sender = SENDERS["hubspot"]
    request = delivered(sender, method=method)
    assert guarded(receiver(sender)).verify(request, sender.body).subject == "hubspot"
    fields = dict(request.headers)
    assert reason_of(lambda: receiver(sender).verify(fields, sender.body, url=URL)) is Reason.WRONG_SIGNATURE
    assert receiver(sender).verify(fields, sender.body, url=URL, method=method).subject == "hubspot"


def test_a_row_of_ones_own_may_cover_the_method_without_the_url() -> None:
    row = WebhookProfile(name="mine", signature="x-signature", content="{method} {body}")
    fields = WebhookAuth("s", row).sign(b"{}", now=0, method="PATCH")
    assert WebhookVerifier("s", row).verify_at(fields, b"{}", 0, method="PATCH").subject == "mine"
    assert reason_of(lambda: WebhookVerifier("s", row).verify_at(fields, b"{}", 0)) is Reason.WRONG_SIGNATURE


# ---- every row that can be described ---------------------------------------------------------------------------------

FIELDS = {"id": "x-id", "timestamp": "x-time"}


@st.composite
def rows(draw: st.DrawFn) -> tuple[WebhookProfile, Sender]:
    """A row of every algorithm, encoding, time, and content with something between its parts; and a sender with its secrets."""
    algorithm = draw(st.sampled_from(["sha1", "sha256", "sha384", "sha512", "ed25519", "ecdsa-p256-sha256"]))
    public = {"ed25519": ["hex", "base64", "der"], "ecdsa-p256-sha256": ["der"]}.get(algorithm)
    parts = draw(st.permutations(["body", *draw(st.sets(st.sampled_from(["id", "timestamp", "url", "method"])))]))
    between = draw(st.sampled_from(["\x00", "\n", "|", ":%", "~~"]))
    several = draw(st.booleans())
    row = WebhookProfile(
        name="mine", signature="x-signature", content=between.join(f"{{{part}}}" for part in parts), algorithm=algorithm,
        encoding=draw(st.sampled_from(["hex", "base64"])), secret=draw(st.sampled_from(public or ["text", "hex", "base64"])),
        prefix=draw(st.sampled_from(["v9=", "sha=" if several else ""])), separator=";" if several else "",
        time_format=draw(st.sampled_from(list(TIME_FORMATS))), **{part: FIELDS[part] for part in parts if part in FIELDS},
    )  # fmt: skip
    secrets = SECRETS[algorithm if public else "mac"][row.secret]
    return row, Sender("mine", *secrets, draw(st.binary(min_size=1, max_size=40)), {})


def _in_base64(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()


def _ed25519() -> dict[str, tuple[str, str, str]]:
    digits = (*ed25519_pair(bytes(range(32))), bytes(range(1, 33)).hex())
    one, two, three = digits
    prefix, public = "302e020100300506032b657004220420", "302a300506032b6570032100"  # RFC 8410 §7, §4
    der = (_in_base64(prefix + one), _in_base64(public + two), _in_base64(prefix + three))
    return {"hex": digits, "base64": (_in_base64(one), _in_base64(two), _in_base64(three)), "der": der}


SHARED, STRANGER = bytes(range(32)).hex(), bytes(range(1, 33)).hex()
SECRETS = {
    "mac": {
        "text": ("one secret", "one secret", "another"), "hex": (SHARED, SHARED, STRANGER),
        "base64": (_in_base64(SHARED), _in_base64(SHARED), _in_base64(STRANGER)),
    },
    "ed25519": _ed25519(),
    "ecdsa-p256-sha256": {"der": (*ecdsa_pair(7), ecdsa_pair(8)[0])},
}  # fmt: skip


@given(rows())
def test_what_a_row_describes_is_signed_and_verified_and_no_part_of_it_can_be_changed(
    described: tuple[WebhookProfile, Sender],
) -> None:
    row, sender = described
    verifier = WebhookVerifier(sender.verifying, row)
    fields = WebhookAuth(sender.signing, row).sign(sender.body, now=NOW, message_id="msg-1", url=URL, method="PUT")
    genuine = {"headers": fields, "body": sender.body, "now": NOW, "url": URL, "method": "PUT"}
    assert verifier.verify_at(**genuine).subject == "mine"  # type: ignore[arg-type]
    strangers = WebhookAuth(sender.stranger, row).sign(sender.body, now=NOW, message_id="msg-1", url=URL, method="PUT")
    changes: dict[str, dict[str, object]] = {
        "signature": {"headers": {**fields, "x-signature": strangers["x-signature"]}},
        "body": {"body": sender.body + b"!"},
        "url": {"url": URL + "1"},
        "method": {"method": "POST"},
        "id": {"headers": {**fields, "x-id": "msg-2"}},
        "timestamp": {"headers": {**fields, "x-time": TIME_FORMATS[row.time_format].write(NOW + 1)}},
    }
    for part in ("signature", *row.covers):
        with pytest.raises(Rejected) as caught:
            verifier.verify_at(**{**genuine, **changes[part]})  # type: ignore[arg-type]
        assert caught.value.reason is Reason.WRONG_SIGNATURE, part
