"""Webhooks: published examples, both halves of every profile, what may be handed over, rotation, the store."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, Guard, Identity, Policy, PublicURL, Reason, Rejected, Request
from watchword import Response, explain
from tests.webhook_senders import SENDERS
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received, Send
from watchword.schemes.explaining.elsewhere import MAX_DECISIONS, MAX_SPELLED
from watchword.schemes.explaining.search import DEAR, MAX_STEPS
from watchword.schemes.webhooks import PROFILES, WebhookAuth, WebhookProfile, WebhookVerifier
from watchword.schemes.webhooks.times import TIME_FORMATS
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
BODY = b'{"type":"invoice.paid","data":{"n":1}}'
FORM = b"CallSid=CA1&From=%2B1415&Text=a+b%20c"


class Case(NamedTuple):
    profile: str
    name: str
    secret: str
    headers: dict[str, str]
    body: bytes
    now: float
    url: str | None
    signing_key: str
    made: str
    """Why we can't make the same; "" if we do."""


def published() -> Iterator[Case]:
    for path in sorted((Path(__file__).parents[1] / "vectors" / "webhooks").glob("*.json")):
        data = json.loads(path.read_text("utf-8"))
        for case in data["cases"]:
            yield Case(
                data["profile"], case["name"], case["secret"], case["headers"], case["body"].encode(), case["now"],
                case.get("url"), case.get("signing_key", case["secret"]), case.get("made", ""),
            )  # fmt: skip


CASES = list(published())
EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.profile}: {case.name}")


def reason_of(call: Any) -> Reason:
    with pytest.raises(Rejected) as caught:
        call()
    return caught.value.reason


def delivered(
    auth: WebhookAuth, body: bytes = BODY, *, now: float = NOW, request: Request | None = None, random: int = 0
) -> Request:
    """The request as the sender's client sends it."""
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    context = ClientContext(lambda: body, now=lambda: now, random=lambda n: bytes([random] * n))
    asked = request or Request("POST", "https", "hooks.example", "/in", {"Content-Type": "application/json"})
    run(auth, asked, send, context)
    return sent[0]


def guarded(verifier: WebhookVerifier, now: float = NOW, **policy: Any) -> Guard:
    store = MemoryStore(clock=lambda: now) if verifier.kinds else None
    return Guard([verifier], store, policy=Policy(clock=lambda: now, **policy))


@EVERY
def test_published_examples_are_accepted(case: Case) -> None:
    verifier = WebhookVerifier(case.secret, case.profile, clock=lambda: case.now)
    assert verifier.verify(case.headers, case.body, url=case.url).subject == case.profile


@EVERY
def test_published_examples_with_another_body_are_refused(case: Case) -> None:
    verifier = WebhookVerifier(case.secret, case.profile, clock=lambda: case.now)
    changed = case.body[:-1] + bytes([case.body[-1] ^ 1])
    assert reason_of(lambda: verifier.verify(case.headers, changed, url=case.url)) in (
        Reason.WRONG_SIGNATURE,
        Reason.WRONG_BODY,
    )


def names_its_message(case: Case) -> bool:
    row = PROFILES[case.profile]
    return not row.id or row.id in {name.lower() for name in case.headers}


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not case.made and names_its_message(case)],
    ids=lambda case: f"{case.profile}: {case.name}",
)
def test_published_examples_are_made_byte_for_byte(case: Case) -> None:
    row = PROFILES[case.profile]
    lower = {name.lower(): value for name, value in case.headers.items()}
    made = WebhookAuth(case.signing_key, case.profile).sign(
        case.body,
        message_id=lower.get(row.id, "unused"),
        now=case.now,
        url=case.url,
        content_type=lower.get("content-type", ""),
    )
    assert made == {name: lower[name] for name in made}


def test_of_a_body_that_was_read_before_the_explanation_says_so() -> None:
    first = explain(delivered(WebhookAuth(SECRET)), guarded(WebhookVerifier(SECRET)), b"").causes[0]
    assert first.component == "header webhook-signature"
    assert "read it before the guard" in first.mend


def test_a_form_whose_media_type_was_lost_is_explained_by_that() -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    sent = delivered(
        WebhookAuth("12345", "twilio"), FORM, request=Request("POST", "https", "hooks.example", "/in", kind)
    )
    lost = Request(
        "POST", "https", "hooks.example", "/in", [pair for pair in sent.headers if pair[0] != b"content-type"]
    )
    verifier = WebhookVerifier("12345", "twilio")
    assert explain(lost, guarded(verifier), FORM).causes[0].component == "header content-type"


def test_v1a_is_made_and_verified_and_goes_along_with_v1() -> None:
    request = delivered(WebhookAuth([SECRET, PRIVATE]))
    (field,) = request.values(b"webhook-signature")
    assert [item.partition(b",")[0] for item in field.split(b" ")] == [b"v1", b"v1a"]
    for secret in (SECRET, PUBLIC, [OTHER, PUBLIC]):
        assert guarded(WebhookVerifier(secret)).verify(request, BODY).subject == "standard"


def test_a_key_of_ed25519_may_be_its_seed_alone() -> None:
    seed = "whsk_" + base64.b64encode(base64.b64decode(PRIVATE[5:])[:32]).decode()
    assert delivered(WebhookAuth(seed)).headers == delivered(WebhookAuth(PRIVATE)).headers


def test_during_a_rotation_the_identity_says_that_the_old_secret_was_used() -> None:
    new, old = delivered(WebhookAuth(SECRET)), delivered(WebhookAuth(OTHER))
    both = delivered(WebhookAuth([OTHER, SECRET]))
    verifier = WebhookVerifier([SECRET, OTHER])
    assert [guarded(verifier).verify(each, BODY).rotated for each in (new, old, both)] == [False, True, False]


def test_only_what_is_signed_becomes_a_claim() -> None:
    standard = guarded(WebhookVerifier(SECRET)).verify(delivered(WebhookAuth(SECRET)), BODY)
    assert standard.claims == {"id": "msg_" + "A" * 22, "timestamp": 1_700_000_000}
    github = guarded(WebhookVerifier("s", "github")).verify(delivered(WebhookAuth("s", "github")), BODY)
    assert github.claims == {}


def test_a_message_keeps_its_id_over_several_attempts() -> None:
    named = Request("POST", "https", "hooks.example", "/in", {"Webhook-Id": "msg_7"})
    request = delivered(WebhookAuth(SECRET), request=named)
    assert request.values(b"webhook-id") == [b"msg_7"]
    assert guarded(WebhookVerifier(SECRET)).verify(request, BODY).claims["id"] == "msg_7"


def test_the_names_of_svix_are_accepted_too() -> None:
    request = delivered(WebhookAuth(SECRET))
    renamed = [(name.replace(b"webhook-", b"svix-"), value) for name, value in request.headers]
    verifier = WebhookVerifier(SECRET, clock=lambda: NOW)
    assert verifier.verify(renamed, BODY).claims["id"] == "msg_" + "A" * 22
    again = Request("POST", "https", "hooks.example", "/in", renamed)
    assert guarded(verifier).verify(again, BODY).subject == "standard"


def test_of_both_families_the_standard_one_counts() -> None:
    request = delivered(WebhookAuth(SECRET))
    forged = [(b"svix-id", b"x"), (b"svix-timestamp", b"1"), (b"svix-signature", b"v1,AAAA")]
    verifier = WebhookVerifier(SECRET, clock=lambda: NOW)
    assert verifier.verify([*request.headers, *forged], BODY).subject == "standard"


# ---- what is handed over ---------------------------------------------------------------------------------------------


class Headers:
    """As frameworks have them: `items` gives a repeated field repeatedly."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def items(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)


SIGNED = {name.decode(): value.decode() for name, value in delivered(WebhookAuth(SECRET)).headers}


@pytest.mark.parametrize(
    "headers",
    [
        SIGNED,
        {name.title(): value for name, value in SIGNED.items()},
        {name.upper(): value for name, value in SIGNED.items()},
        list(SIGNED.items()),
        [(name.encode(), value.encode()) for name, value in SIGNED.items()],
        tuple(SIGNED.items()),
        Headers(list(SIGNED.items())),
        iter(SIGNED.items()),
    ],
    ids=["dict", "title", "upper", "pairs", "octets", "tuple", "framework", "iterator"],
)
def test_headers_of_any_usual_kind_are_read_in_any_case(headers: Any) -> None:
    assert WebhookVerifier(SECRET, clock=lambda: NOW).verify(headers, BODY).subject == "standard"


@pytest.mark.parametrize(
    "headers", [None, "webhook-id: x", b"", 7, ["webhook-id"], {"webhook-id": ["x"]}, {7: "x"}, [(1, 2, 3)]]
)
def test_headers_of_another_kind_are_a_configuration_error(headers: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"header"):
        WebhookVerifier(SECRET, clock=lambda: NOW).verify(headers, BODY)


@pytest.mark.parametrize("name", ["webhook-id", "Webhook-Timestamp", "WEBHOOK-SIGNATURE"])
def test_a_field_that_is_there_twice_is_refused(name: str) -> None:
    headers = [*SIGNED.items(), (name, SIGNED[name.lower()])]
    verifier = WebhookVerifier(SECRET, clock=lambda: NOW)
    assert reason_of(lambda: verifier.verify(headers, BODY)) is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("body", [bytearray(BODY), memoryview(BODY)])
def test_a_raw_body_may_be_any_octets(body: Any) -> None:
    assert WebhookVerifier(SECRET, clock=lambda: NOW).verify(SIGNED, body).subject == "standard"


@pytest.mark.parametrize("body", [json.loads(BODY), BODY.decode(), None, [1], 7, object()])
def test_a_parsed_body_is_a_configuration_error_that_says_how_to_get_it_raw(body: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        WebhookVerifier(SECRET, clock=lambda: NOW).verify(SIGNED, body)
    message = str(caught.value)
    for mend in ("request.get_data()", "await request.body()", "request.body", "await request.read()"):
        assert mend in message
    assert "invoice" not in message


def test_a_body_that_nobody_awaited_is_told_apart() -> None:
    async def body() -> bytes:
        return BODY

    with pytest.raises(ConfigurationError, match="not awaited"):
        WebhookVerifier(SECRET, clock=lambda: NOW).verify(SIGNED, body())  # type: ignore[arg-type]


def test_a_profile_that_covers_the_url_needs_it() -> None:
    verifier = WebhookVerifier("12345", "twilio", clock=lambda: NOW)
    with pytest.raises(ConfigurationError, match="url="):
        verifier.verify({"X-Twilio-Signature": "x"}, b"")


# ---- construction ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secrets",
    [
        None, "", b"", [], [None], "whsec_", ["", SECRET], "whsec_!!!", "whsec_AAAA", b"short", SECRET + "\n", [SECRET, SECRET], 7, [7],
        PRIVATE, "whpk_AAAA", "whpk_", "whpk_" + "A" * 88,
    ],
)  # fmt: skip
def test_a_receiver_without_a_good_secret_is_not_made(secrets: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        WebhookVerifier(secrets)
    assert SECRET[6:] not in str(caught.value)


@pytest.mark.parametrize("secrets", [None, "", [], PUBLIC, "whsk_" + "A" * 86 + "==", PRIVATE[:-4] + "AA=="])
def test_a_sender_without_a_good_secret_is_not_made(secrets: Any) -> None:
    with pytest.raises(ConfigurationError):
        WebhookAuth(secrets)


@pytest.mark.parametrize(("profile", "secret"), [("github", ""), ("stripe", None), ("slack", " x"), ("shopify", [])])
def test_no_profile_takes_an_empty_secret(profile: str, secret: Any) -> None:
    with pytest.raises(ConfigurationError):
        WebhookVerifier(secret, profile)


def test_a_secret_is_good_with_and_without_its_prefix_and_its_padding() -> None:
    for spelling in (SECRET, SECRET[6:], SECRET.rstrip("="), bytes(range(32))):
        assert WebhookVerifier(spelling, clock=lambda: NOW).verify(SIGNED, BODY).subject == "standard"


@pytest.mark.parametrize(
    "options",
    [
        {"tolerance": 0},
        {"tolerance": -1},
        {"tolerance": float("nan")},
        {"tolerance": float("inf")},
        {"remember": -1},
        {"profile": "gitlab"},
    ],
)
def test_options_that_make_no_sense_are_configuration_errors(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        WebhookVerifier(SECRET, **options)


def test_a_profile_of_one_signature_is_signed_with_one_secret() -> None:
    with pytest.raises(ConfigurationError, match="one secret"):
        WebhookAuth(["a", "b"], "github")


def test_a_key_of_ed25519_is_refused_where_the_profile_has_no_such_signatures() -> None:
    row = WebhookProfile(name="mine", signature="x-signature", secret="whsec")
    with pytest.raises(ConfigurationError, match="mine signs with shared secrets"):
        WebhookVerifier(PUBLIC, row)


def test_a_request_that_names_its_message_twice_is_not_signed() -> None:
    named = Request("POST", "https", "hooks.example", "/in", [("webhook-id", "a"), ("webhook-id", "b")])
    with pytest.raises(ConfigurationError, match="several webhook-id"):
        delivered(WebhookAuth(SECRET), request=named)


def test_nothing_shows_a_secret() -> None:
    verifier, auth = WebhookVerifier([SECRET, PUBLIC]), WebhookAuth([SECRET, PRIVATE])
    shown = repr(verifier) + repr(auth) + repr(verifier.engine.secrets) + repr(auth._engine.secrets)
    assert SECRET[6:] not in shown and PRIVATE[5:] not in shown and repr(bytes(range(32))) not in shown


# ---- profiles of one's own -------------------------------------------------------------------------------------------


def test_a_row_of_ones_own_is_enough_for_another_sender() -> None:
    row = WebhookProfile(
        name="acme", signature="x-acme-signature", content="acme:{id}:{timestamp}:100%:{body}", algorithm="sha512", encoding="hex",
        prefix="v2:", separator=";", id="x-acme-id", timestamp="x-acme-time",
    )  # fmt: skip
    request = delivered(WebhookAuth(["one", "two"], row))
    assert guarded(WebhookVerifier("two", row)).verify(request, BODY).subject == "acme"
    text = WebhookAuth(["one", "two"], row).canonical(request, BODY)
    assert text == f"acme:msg_{'A' * 22}:1700000000:100%:{BODY.decode()}"


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": ""},
        {"signature": "X-Signature"},
        {"signature": "x signature"},
        {"content": "{timestamp}"},
        {"content": "{body}{body}"},
        {"content": "{body}{date}"},
        {"content": "{body}{"},
        {"content": "{body}}"},
        {"content": "{timestamp}{body}"},
        {"content": "{id}{body}"},
        {"content": "{form}"},
        {"timestamp": "x-time"},
        {"algorithm": "md5"},
        {"encoding": "base32"},
        {"secret": "base32"},
        {"secret": "der"},
        {"time_format": "iso8601"},
        {"content": ""},
        {"algorithm": "token"},
        {"algorithm": "token", "content": "", "id": "x-id"},
        {"algorithm": "token", "content": "", "secret": "hex"},
        {"algorithm": "ed25519"},
        {"algorithm": "ed25519", "secret": "whsec"},
        {"algorithm": "ecdsa-p256-sha256", "secret": "hex"},
        {"algorithm": "ed25519", "secret": "hex", "separator": ",", "prefix": "v1=", "public_prefix": "v1a="},
        {"timestamp_member": "sent", "content": "v0:{body}"},
        {"timestamp_member": "sent", "timestamp": "x-t", "content": "{timestamp}{body}"},
        {"url_decoded": ":"},
        {"url_decoded": "%", "content": "{url}{body}"},
        {"url_decoded": "é", "content": "{url}{body}"},
        {"timestamp_prefix": "t="},
        {"public_prefix": "p="},
        {"separator": ",", "public_prefix": "p="},
        {"separator": ",", "prefix": "v1", "public_prefix": "v1a"},
        {"separator": ",", "prefix": "v1=", "public_prefix": "v1="},
        {"prefix": "é"},
        {"id": "x-signature"},
        {
            "content": "{timestamp}{body}",
            "timestamp": "x-t",
            "timestamp_prefix": "t=",
            "separator": ",",
            "prefix": "v=",
        },
    ],
)
def test_a_row_that_can_not_be_meant_is_a_configuration_error(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        WebhookProfile(**{"name": "mine", "signature": "x-signature", **changes})


# ---- time and store --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [row.name for row in PROFILES.values() if row.timed])
@pytest.mark.parametrize(
    ("late", "reason"),
    [
        (0, None), (299.5, None), (-300, None), (300, Reason.EXPIRED), (301, Reason.EXPIRED), (-300.5, Reason.NOT_YET_VALID),
        (-301, Reason.NOT_YET_VALID), (1e9, Reason.EXPIRED), (-1.6e9, Reason.NOT_YET_VALID),
    ],
)  # fmt: skip
def test_the_edges_of_the_tolerance(profile: str, late: float, reason: Reason | None) -> None:
    sender, url = SENDERS[profile], "https://hooks.example/in"
    headers = WebhookAuth(sender.signing, profile).sign(sender.body, message_id="m", now=NOW, url=url)
    verifier = WebhookVerifier(sender.verifying, profile)
    if reason is None:
        assert verifier.verify_at(headers, sender.body, NOW + late, url=url).subject == profile
    else:
        assert reason_of(lambda: verifier.verify_at(headers, sender.body, NOW + late, url=url)) is reason


@pytest.mark.parametrize("profile", [row.name for row in PROFILES.values() if row.timed or row.id])
def test_a_guard_accepts_a_message_once(profile: str) -> None:
    sender = SENDERS[profile]
    auth, body = WebhookAuth(sender.signing, profile), sender.body
    request = delivered(auth, body)
    guard = guarded(WebhookVerifier(sender.verifying, profile))
    assert guard.verify(request, body).subject == profile
    assert reason_of(lambda: guard.verify(request, body)) is Reason.REPLAYED
    other = delivered(auth, body + b" ", random=1)
    assert guard.verify(other, body + b" ").subject == profile


def test_another_attempt_with_the_same_id_is_the_same_message() -> None:
    guard = guarded(WebhookVerifier(SECRET))
    guard.verify(delivered(WebhookAuth(SECRET)), BODY)
    again = delivered(WebhookAuth(SECRET), now=NOW + 5)
    assert reason_of(lambda: guard.verify(again, BODY)) is Reason.REPLAYED


def test_of_a_message_with_two_signatures_neither_is_accepted_after_the_other() -> None:
    headers = WebhookAuth(["one", "two"], "stripe").sign(BODY, message_id="", now=NOW)
    time, first, second = headers["stripe-signature"].split(",")
    guard = guarded(WebhookVerifier(["one", "two"], "stripe"))
    requests = [
        Request("POST", "https", "hooks.example", "/in", {"Stripe-Signature": f"{time},{each}"})
        for each in (first, second)
    ]
    assert guard.verify(requests[0], BODY).subject == "stripe"
    assert reason_of(lambda: guard.verify(requests[1], BODY)) is Reason.REPLAYED


@pytest.mark.parametrize(
    ("remember", "sent", "until"), [(300, NOW, 300), (300, NOW + 200, 500), (3600, NOW, 3600), (0, NOW - 200, 100)]
)
def test_an_id_is_remembered_as_long_as_it_is_good_and_as_long_as_was_asked(
    remember: float, sent: float, until: float
) -> None:
    verifier = WebhookVerifier(SECRET, remember=remember)
    claim = verifier.read(delivered(WebhookAuth(SECRET), now=sent))
    assert claim is not None
    (write,) = claim.writes(b"", NOW)
    assert write.until == NOW + until


def test_a_verifier_that_remembers_nothing_needs_no_store() -> None:
    verifier = WebhookVerifier(SECRET, remember=None)
    guard = Guard([verifier], policy=Policy(clock=lambda: NOW))
    request = delivered(WebhookAuth(SECRET))
    assert [guard.verify(request, BODY).subject for _ in range(2)] == ["standard"] * 2
    assert (verifier.single_use, WebhookVerifier(SECRET).single_use) == (False, True)


def test_what_signs_no_time_is_not_called_single_use() -> None:
    for name, sender in SENDERS.items():
        assert WebhookVerifier(sender.verifying, name).single_use is sender.row.timed, name


def test_two_senders_may_use_the_same_id() -> None:
    store = MemoryStore(clock=lambda: NOW)
    one, two = WebhookVerifier(SECRET, subject="one"), WebhookVerifier(OTHER, subject="two")
    for verifier, secret in ((one, SECRET), (two, OTHER)):
        guard = Guard([verifier], store, policy=Policy(clock=lambda: NOW))
        assert guard.verify(delivered(WebhookAuth(secret)), BODY).subject == verifier.subject


def test_several_senders_share_a_guard_and_other_requests_pass_by() -> None:
    guard = Guard(
        [WebhookVerifier("s", "github"), WebhookVerifier("s", "stripe"), WebhookVerifier(SECRET)],
        MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW),
    )  # fmt: skip
    for profile, secret in (("github", "s"), ("stripe", "s"), ("standard", SECRET)):
        assert guard.verify(delivered(WebhookAuth(secret, profile)), BODY).subject == profile
    plain = Request("POST", "https", "hooks.example", "/in")
    assert reason_of(lambda: guard.verify(plain, BODY)) is Reason.NO_CREDENTIALS
    assert WebhookVerifier(SECRET).read(plain) is None


def test_a_refusal_has_no_challenge() -> None:
    request = delivered(WebhookAuth(OTHER))
    with pytest.raises(Rejected) as caught:
        guarded(WebhookVerifier(SECRET)).verify(request, BODY)
    assert caught.value.refusal is not None
    assert (caught.value.refusal.status, list(caught.value.refusal.challenges)) == (401, [])


# ---- the URL of Twilio -----------------------------------------------------------------------------------------------


def twilio(url: str, request: Request, **policy: Any) -> Identity[Any]:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    signed = WebhookAuth("12345", "twilio").sign(
        FORM, message_id="", now=NOW, url=url, content_type=form["Content-Type"]
    )
    headers = tuple(
        (name.encode(), value.encode()) for name, value in {**signed, "content-type": form["Content-Type"]}.items()
    )
    return guarded(WebhookVerifier("12345", "twilio"), **policy).verify(request.with_headers(headers), FORM)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://hooks.example/in?a=1", "hooks.example"),
        ("https://hooks.example:443/in?a=1", "hooks.example"),
        ("https://hooks.example/in?a=1", "hooks.example:443"),
        ("https://hooks.example/in?a=1", "hooks.example:8443"),
        ("https://hooks.example:8443/in?a=1", "hooks.example:8443"),
        ("https://[2001:db8::1]/in?a=1", "[2001:db8::1]:8443"),
    ],
)
def test_twilio_may_have_signed_the_url_with_its_port_or_without(url: str, authority: str) -> None:
    assert twilio(url, Request("POST", "https", authority, "/in?a=1")).subject == "twilio"


def test_behind_a_proxy_the_public_url_counts() -> None:
    public = PublicURL("https://hooks.example", prefix="/api")
    seen = Request("POST", "http", "app:8000", "/in?a=1")
    assert twilio("https://hooks.example/api/in?a=1", seen, public_url=public).subject == "twilio"
    assert reason_of(lambda: twilio("https://hooks.example/api/in?a=1", seen)) is Reason.WRONG_SIGNATURE


def test_a_url_that_the_server_rebuilt_is_not_guessed_at() -> None:
    inexact = Request("POST", "https", "hooks.example", "/a%2Fb", exact=False)
    assert reason_of(lambda: twilio("https://hooks.example/a%2Fb", inexact)) is Reason.TARGET_NOT_EXACT


# ---- the sender explains, and so does the receiver -------------------------------------------------------------------


def test_the_sender_shows_what_it_signed() -> None:
    auth = WebhookAuth(SECRET)
    assert auth.canonical(delivered(auth), BODY) == f"msg_{'A' * 22}.1700000000.{BODY.decode()}"
    with pytest.raises(ConfigurationError, match="no signature of standard"):
        auth.canonical(Request("POST", "https", "hooks.example", "/in"), BODY)


@pytest.mark.parametrize("message_id", ["", "a.b", "a b", "é", "\ud800", "x" * 257])
def test_an_id_that_can_not_be_signed_is_a_configuration_error(message_id: str) -> None:
    with pytest.raises(ConfigurationError):
        WebhookAuth(SECRET).sign(BODY, message_id=message_id, now=NOW)


def explained(
    request: Request, body: bytes, verifier: WebhookVerifier | None = None, at: float = NOW
) -> tuple[str, str]:
    explanation = explain(request, guarded(verifier or WebhookVerifier(SECRET), at), body)
    assert not explanation.accepted
    assert SECRET[6:] not in str(explanation) and bytes(range(32)).hex() not in str(explanation)
    first = explanation.causes[0]
    assert first.mend
    return first.component, first.mend


def test_explain_accepts_what_the_guard_accepts() -> None:
    explanation = explain(delivered(WebhookAuth(SECRET)), guarded(WebhookVerifier([OTHER, SECRET])), BODY)
    assert explanation.accepted
    assert explanation.canonical == f"msg_{'A' * 22}.1700000000.{BODY.decode()}"


def test_explain_finds_a_body_that_was_parsed_and_written_again() -> None:
    component, mend = explained(delivered(WebhookAuth(SECRET)), json.dumps(json.loads(BODY)).encode())
    assert component == "body"
    assert "octets" in mend


def test_explain_finds_a_lost_line_break() -> None:
    request = delivered(WebhookAuth(SECRET), BODY + b"\n")
    assert explained(request, BODY)[0] == "body"


@pytest.mark.parametrize(
    "sender",
    [WebhookAuth(SECRET.encode()), WebhookAuth(SECRET[6:].encode()), WebhookAuth(bytes(range(32)).hex().encode())],
    ids=["with the prefix, as text", "base64 as text", "hex as text"],
)
def test_explain_finds_a_secret_in_the_wrong_encoding(sender: WebhookAuth) -> None:
    assert explained(delivered(sender), BODY)[0] == "secret"


def test_explain_finds_a_clock_that_is_off() -> None:
    component, mend = explained(delivered(WebhookAuth(SECRET)), BODY, at=NOW + 3600)
    assert component == "header webhook-timestamp"
    assert "time zone" in mend


@pytest.mark.parametrize("profile", [row.name for row in PROFILES.values() if row.timed and not row.timestamp_member])
@pytest.mark.parametrize("away", [1, -7, 200])
def test_explain_finds_a_time_that_was_changed(profile: str, away: int) -> None:
    sender = SENDERS[profile]
    request = delivered(WebhookAuth(sender.signing, profile), sender.body)
    write = TIME_FORMATS[sender.row.time_format].write
    old, new = write(NOW).encode(), write(NOW + away).encode()
    changed = [(name, value.replace(old, new)) for name, value in request.headers]
    moved = Request("POST", "https", "hooks.example", "/in", changed)
    component, mend = explained(moved, sender.body, WebhookVerifier(sender.verifying, profile))
    assert component == f"header {sender.row.timestamp or sender.row.signature}"
    assert "changed" in mend


def test_explain_finds_a_signature_that_was_cut() -> None:
    request = delivered(WebhookAuth(SECRET))
    (field,) = request.values(b"webhook-signature")
    component, mend = explained(request.with_headers(((b"webhook-signature", field[:20]),)), BODY)
    assert component == "header webhook-signature"
    assert "it was cut to 17 of its 44 characters" in mend


def test_explain_tries_a_body_under_a_key_of_ed25519_too() -> None:
    request = delivered(WebhookAuth(PRIVATE), BODY + b"\n")
    assert explained(request, BODY, WebhookVerifier(PUBLIC))[0] == "body"


def test_explain_takes_no_longer_for_many_signatures_of_ed25519(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[bytes] = []
    verifier = WebhookVerifier([PUBLIC, SECRET])
    key = verifier.engine.secrets[0].key
    assert key is not None
    check = key.verifier

    def counted(content: bytes, signature: bytes) -> None:
        tried.append(signature)
        check(content, signature)

    monkeypatch.setattr(key, "verifier", counted)
    forged = " ".join("v1a," + base64.b64encode(bytes([number] * 64)).decode() for number in range(15))
    request = delivered(WebhookAuth(OTHER)).with_headers(((b"webhook-signature", forged.encode()),))
    assert not explain(request, guarded(verifier), json.dumps({"a": list(range(50))}).encode()).accepted
    spelled_otherwise = 15 * (MAX_DECISIONS + MAX_SPELLED)  # of the credentials, each decided on
    assert 1000 < len(tried) < MAX_STEPS // DEAR + spelled_otherwise


def test_explain_finds_the_other_kind_of_signature() -> None:
    component, mend = explained(delivered(WebhookAuth(PRIVATE)), BODY)
    assert component == "header webhook-signature"
    assert "whpk_" in mend


def test_explain_finds_the_scheme_that_a_proxy_changed() -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    asked = Request("POST", "https", "hooks.example", "/in", kind)
    request = delivered(WebhookAuth("12345", "twilio"), FORM, request=asked)
    seen = Request("POST", "http", "hooks.example", "/in", request.headers)
    assert explained(seen, FORM, WebhookVerifier("12345", "twilio"))[0] == "@scheme"


def test_explain_says_so_when_nothing_explains_it() -> None:
    stranger = "whsec_" + base64.b64encode(b"x" * 32).decode()
    component, mend = explained(delivered(WebhookAuth(stranger)), BODY)
    assert component == "header webhook-signature"
    assert "endpoint" in mend


def test_explain_survives_a_body_that_is_not_covered() -> None:
    asked = Request("POST", "https", "hooks.example", "/in")
    request = delivered(WebhookAuth("12345", "twilio"), b"", request=asked)
    assert explained(request, b"{}", WebhookVerifier("12345", "twilio"))[0] == "body"


# ---- anything at all -------------------------------------------------------------------------------------------------

FIELDS = sorted(
    {field for row in PROFILES.values() for field in (row.signature, row.id, row.timestamp) if field}
    | {"content-type", "svix-id"}
)
ITEM = st.sampled_from(
    [
        b"v1,",
        b"v1a,",
        b" ",
        b"t=",
        b"v1=",
        b"sha256=",
        b"1700000000",
        b"A" * 43 + b"=",
        b"application/x-www-form-urlencoded",
    ]
)


@given(
    profile=st.sampled_from(sorted(PROFILES)),
    headers=st.lists(
        st.tuples(
            st.sampled_from(FIELDS).map(str.encode), st.binary(max_size=40) | st.lists(ITEM, max_size=6).map(b"".join)
        ),
        max_size=6,
    ),
    body=st.binary(max_size=40),
    target=st.sampled_from(["/", "/a?b=c", "/?bodySHA256=00", "*", "/%2f?bodySHA256"]),
)
def test_whatever_comes_in_gives_a_rejection_and_nothing_else(
    profile: str, headers: list[tuple[bytes, bytes]], body: bytes, target: str
) -> None:
    verifier = WebhookVerifier(SENDERS[profile].verifying, profile)
    method = "OPTIONS" if target == "*" else "POST"
    request = Request(method, "https", "hooks.example", target, headers)
    with pytest.raises(Rejected):
        guarded(verifier).verify(request, body)
    assert not explain(request, guarded(verifier), body).accepted
    with pytest.raises(Rejected):
        verifier.verify_at(headers, body, NOW, url="https://hooks.example" + target)


def test_a_time_that_was_changed_after_signing_by_ed25519_is_named() -> None:
    sent = delivered(WebhookAuth(PRIVATE))
    later = sent.with_headers(((b"webhook-timestamp", b"%d" % (NOW + 60)),))
    cause = explain(later, guarded(WebhookVerifier(PUBLIC)), BODY).causes[0]
    assert (cause.component, cause.expected) == ("header webhook-timestamp", f"{NOW:.0f}")


TWILIO = WebhookVerifier("0123456789abcdef0123456789abcdef", profile="twilio")
TWILIO_URL = "https://api.example/hook"
CALL = {"From": "+49 170", "To": "+1555", "Body": "hi there"}


def signed_by_twilio(url: str, params: dict[str, str]) -> str:
    content = url + "".join(name + value for name, value in sorted(params.items()))
    return base64.b64encode(hmac.digest(b"0123456789abcdef0123456789abcdef", content.encode(), "sha1")).decode()


@pytest.mark.parametrize(
    ("target", "body", "signed_url", "signed", "component"),
    [
        ("/hook?a=1", json.dumps(CALL), "?a=1", CALL, "body"),
        ("/hook?a=1&b=2", urlencode(CALL), "", {**CALL, "a": "1", "b": "2"}, "@query"),
        ("/hook?a=1&b=2", urlencode(CALL), "?a=1&b=2", {**CALL, "a": "1", "b": "2"}, "@query"),
        (f"/hook?{urlencode(CALL)}", "", "", CALL, "@query"),
        (f"/hook?a=1&{urlencode(CALL)}", "", "?a=1", CALL, "@query"),
    ],
)
def test_a_form_whose_parameters_came_from_elsewhere_is_told(
    target: str, body: str, signed_url: str, signed: dict[str, str], component: str
) -> None:
    """A form that was sent as JSON or in the query, and a query that was signed as part of the form."""
    kind = "application/json" if body[:1] == "{" else "application/x-www-form-urlencoded"
    fields = {"Content-Type": kind, "X-Twilio-Signature": signed_by_twilio(TWILIO_URL + signed_url, signed)}
    first = explain(Request("POST", "https", "api.example", target, fields), guarded(TWILIO), body.encode()).causes[0]
    assert (first.name, first.component) == ("signature", component)
    assert "none of the usual changes" not in first.mend
