"""Webhooks that nobody with the secret has sent: each is a rejection of the right kind, and never another exception."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from tests.counting import steps
from tests.webhook_senders import SENDERS, Sender
from watchword import ConfigurationError, Reason, Rejected, WebhookAuth, WebhookVerifier
from watchword.schemes.webhooks import PROFILES

NOW = 1_700_000_000
SECRET = bytes(range(32))
OTHER = bytes(range(1, 33))
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
BODY = b'{"n":1}'
GENUINE = WebhookAuth(SECRET).sign(BODY, message_id="msg_1", now=NOW)
V1 = GENUINE["webhook-signature"]


def verdict(headers: dict[str, str], body: bytes = BODY, verifier: WebhookVerifier | None = None) -> Reason | None:
    try:
        (verifier or WebhookVerifier(SECRET)).verify_at(headers, body, NOW)
    except Rejected as rejected:
        assert base64.b64encode(SECRET).decode() not in str(rejected)
        return rejected.reason
    return None


def signed_as(signature: str) -> dict[str, str]:
    return {**GENUINE, "webhook-signature": signature}


def test_the_genuine_one_is_accepted() -> None:
    assert verdict(GENUINE) is None


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (V1.replace(",", ""), Reason.MALFORMED_CREDENTIALS),
        (V1[3:], Reason.MALFORMED_CREDENTIALS),
        ("v1", Reason.MALFORMED_CREDENTIALS),
        (",", Reason.MALFORMED_CREDENTIALS),
        ("", Reason.MALFORMED_CREDENTIALS),
        (" ", Reason.MALFORMED_CREDENTIALS),
        ("v2" + V1[2:], Reason.MALFORMED_CREDENTIALS),
        ("V1" + V1[2:], Reason.MALFORMED_CREDENTIALS),
        (V1.replace(",", ", "), Reason.WRONG_SIGNATURE),
        ("v1,", Reason.WRONG_SIGNATURE),
        ("v1,!!!!", Reason.WRONG_SIGNATURE),
        ("v1,é", Reason.WRONG_SIGNATURE),
        (V1.rstrip("="), Reason.WRONG_SIGNATURE),
        (V1 + "=", Reason.WRONG_SIGNATURE),
        (V1[:-2] + chr(ord(V1[-2]) + 1) + "=", Reason.WRONG_SIGNATURE),
        (V1 + "\x00", Reason.WRONG_SIGNATURE),
        (V1 + "," + V1, Reason.WRONG_SIGNATURE),
        ("v1," + hmac.digest(SECRET, b"msg_1.1700000000." + BODY, "sha256").hex(), Reason.WRONG_SIGNATURE),
        ("v1," + base64.b64encode(hashlib.sha256(BODY).digest()).decode(), Reason.WRONG_SIGNATURE),
        (WebhookAuth(OTHER).sign(BODY, message_id="msg_1", now=NOW)["webhook-signature"], Reason.WRONG_SIGNATURE),
    ],
)
def test_a_signature_that_is_none_is_refused(signature: str, reason: Reason) -> None:
    assert verdict(signed_as(signature)) is reason


def test_signatures_of_others_beside_it_do_no_harm_and_do_no_good() -> None:
    others = "v2,x v1,AAAA nonsense v1a,AAAA"
    assert verdict(signed_as(f"{others} {V1}")) is None
    assert verdict(signed_as(others)) is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize(
    "timestamp",
    ["NaN", "nan", "inf", "-inf", "Infinity", "1e9", "1700000000.0", "+1700000000", "-1", "01700000000", "1_700_000_000", "9" * 13,
     "9" * 5000, "", " 1700000000", "1700000000 ", "1700000000\n", "٠١٢", "0x10", "1700000000,1700000000"],
)  # fmt: skip
def test_a_time_that_is_no_number_of_seconds_is_refused(timestamp: str) -> None:
    """Even where its MAC fits: NaN is neither too old nor too new, wherever it is compared."""
    mac = hmac.digest(SECRET, b"msg_1." + timestamp.encode() + b"." + BODY, "sha256")
    headers = {**GENUINE, "webhook-timestamp": timestamp, "webhook-signature": "v1," + base64.b64encode(mac).decode()}
    assert verdict(headers) is Reason.MALFORMED_CREDENTIALS


def test_the_time_of_another_delivery_is_refused() -> None:
    assert verdict({**GENUINE, "webhook-timestamp": str(NOW + 1)}) is Reason.WRONG_SIGNATURE


def test_the_id_of_another_message_is_refused() -> None:
    assert verdict({**GENUINE, "webhook-id": "msg_2"}) is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize("message_id", ["a.b", ".", "", "a b", "a\n", "a\x00", "é", "x" * 257])
def test_an_id_that_could_be_read_in_two_ways_is_refused(message_id: str) -> None:
    mac = hmac.digest(SECRET, message_id.encode() + b".1700000000." + BODY, "sha256")
    headers = {**GENUINE, "webhook-id": message_id, "webhook-signature": "v1," + base64.b64encode(mac).decode()}
    assert verdict(headers) is Reason.MALFORMED_CREDENTIALS


def test_octets_do_not_move_between_id_time_and_body() -> None:
    """The content is one string; each other way to cut it has to be refused."""
    body = b"1700000000.7.{}"
    fields = WebhookAuth(SECRET).sign(body, message_id="1700000000", now=NOW)
    content = b"1700000000.1700000000." + body
    accepted = []
    for first in range(len(content)):
        for second in range(first + 1, len(content)):
            if content[first] == content[second] == ord("."):
                cut = {
                    "webhook-id": content[:first].decode(),
                    "webhook-timestamp": content[first + 1 : second].decode(),
                    "webhook-signature": fields["webhook-signature"],
                }
                if verdict(cut, content[second + 1 :]) is None:
                    accepted.append(content[second + 1 :])
    assert accepted == [body]


@pytest.mark.parametrize(
    "signature",
    [
        "v1a," + V1[3:],
        "v1," + WebhookAuth(PRIVATE).sign(BODY, message_id="msg_1", now=NOW)["webhook-signature"][4:],
        # An HMAC under the public key, which everybody knows (the confusion of RFC 8725 §2.1).
        "v1," + base64.b64encode(
            hmac.digest(base64.b64decode(PUBLIC[5:]), b"msg_1.1700000000." + BODY, "sha256")
        ).decode(),
        "v1a," + base64.b64encode(
            hmac.digest(base64.b64decode(PUBLIC[5:]), b"msg_1.1700000000." + BODY, "sha512")
        ).decode(),
        "v1a," + base64.b64encode(bytes(64)).decode(),
        "v1a,",
        "v1a,!!!!",
    ],
)  # fmt: skip
def test_a_secret_is_used_for_its_own_kind_of_signature_only(signature: str) -> None:
    refusals = {Reason.WRONG_SIGNATURE, Reason.WRONG_ALGORITHM}
    for secrets in (PUBLIC, [SECRET, PUBLIC]):
        assert verdict(signed_as(signature), verifier=WebhookVerifier(secrets)) in refusals
    assert verdict(signed_as(signature)) in refusals


def test_a_signature_of_the_other_kind_alone_is_named_so() -> None:
    asymmetric = WebhookAuth(PRIVATE).sign(BODY, message_id="msg_1", now=NOW)
    assert verdict(asymmetric) is Reason.WRONG_ALGORITHM
    assert verdict(GENUINE, verifier=WebhookVerifier(PUBLIC)) is Reason.WRONG_ALGORITHM


@pytest.mark.parametrize("secret", [None, "", b"", [], [""], "whsec_"])
@pytest.mark.parametrize("profile", PROFILES)
def test_an_endpoint_without_a_secret_is_not_an_open_one(profile: str, secret: object) -> None:
    row = PROFILES[profile]
    if secret == "whsec_" and row.secret == "text" and not row.has_public_keys:
        assert WebhookVerifier(secret, profile)  # a text like any other there
        return
    with pytest.raises(ConfigurationError):
        WebhookVerifier(secret, profile)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("profile", "field", "value"),
    [
        ("standard", "webhook-signature", "v1,AAAA " * 10_000),
        ("standard", "webhook-signature", "v1a,AAAA " * 10_000),
        ("standard", "webhook-signature", " " * 10_000_000),
        ("stripe", "stripe-signature", "t=1," + "v1=00," * 10_000),
        ("stripe", "stripe-signature", "t=1," * 10_000),
        ("stripe", "stripe-signature", "," * 10_000_000),
        ("github", "x-hub-signature-256", "sha256=" + "0" * 10_000_000),
        ("twilio", "x-twilio-signature", "A" * 10_000_000),
    ],
)
def test_a_field_of_any_length_costs_nothing(profile: str, field: str, value: str) -> None:
    verifier = WebhookVerifier([SECRET, OTHER], profile)
    headers = {**GENUINE, "x-github-delivery": "1", field: value}
    reasons: list[Reason] = []

    def verify() -> None:
        with pytest.raises(Rejected) as caught:
            verifier.verify_at(headers, BODY, NOW, url="https://hooks.example/")
        reasons.append(caught.value.reason)

    assert steps(verify) < 1000
    assert reasons[0] in (Reason.MALFORMED_CREDENTIALS, Reason.HEADER_TOO_LARGE)


@pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)
@pytest.mark.parametrize("value", ["A" * 10_000_000, "0" * 20_000, "ts=1;" * 10_000, "h1=00;" * 10_000, " " * 20_000])
def test_no_sender_has_a_field_whose_length_costs_anything(sender: Sender, value: str) -> None:
    verifier = WebhookVerifier(sender.verifying, sender.row)
    genuine = WebhookAuth(sender.signing, sender.row).sign(
        sender.body, now=NOW, message_id="1", url="https://hooks.example/", content_type=sender.headers["Content-Type"]
    )
    for field in genuine:
        headers = {**genuine, **sender.headers, field: value}

        def verify(headers: dict[str, str] = headers) -> None:
            with pytest.raises(Rejected):
                verifier.verify_at(headers, sender.body, NOW, url="https://hooks.example/")

        assert steps(verify) < 1000


def test_sixteen_signatures_are_read_and_no_more() -> None:
    assert verdict(signed_as(" ".join(["v1,AAAA"] * 15 + [V1]))) is None
    assert verdict(signed_as(" ".join(["v1,AAAA"] * 16 + [V1]))) is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("t=1700000000,t=1,v1={mac}", Reason.MALFORMED_CREDENTIALS),
        ("t=1,t=1700000000,v1={mac}", Reason.MALFORMED_CREDENTIALS),
        ("v1={mac}", Reason.MALFORMED_CREDENTIALS),
        ("t=,v1={mac}", Reason.MALFORMED_CREDENTIALS),
        ("t=nan,v1={mac}", Reason.MALFORMED_CREDENTIALS),
        ("t=1700000000", Reason.MALFORMED_CREDENTIALS),
        ("t=1700000000,v0={mac}", Reason.MALFORMED_CREDENTIALS),
        ("t=1700000000,v1={mac},v1=00", None),
        ("v0=00,v1={mac},t=1700000000", None),
        ("t=1700000000,v1={MAC}", Reason.WRONG_SIGNATURE),
        ("t=1700000001,v1={mac}", Reason.WRONG_SIGNATURE),
    ],
)
def test_the_items_of_stripes_field(field: str, reason: Reason | None) -> None:
    mac = hmac.digest(SECRET, b"1700000000." + BODY, "sha256").hex()
    headers = {"Stripe-Signature": field.format(mac=mac, MAC=mac.upper())}
    assert verdict(headers, verifier=WebhookVerifier(SECRET, "stripe")) is reason
