"""Standard Webhooks v1: every published case is verified, those that are valid are made, and the behaviours are ours."""

from __future__ import annotations

from typing import Any

import pytest

from watchword import ConfigurationError, Reason, Rejected, WebhookAuth, WebhookVerifier

from .conftest import load

SUITE = load("standard-webhooks", "vectors.json")
FIRST = SUITE["cases"][0]


def headers_of(case: dict[str, Any]) -> dict[str, str]:
    return {
        "webhook-id": case["id"],
        "webhook-timestamp": str(case["timestamp"]),
        "webhook-signature": case["signature_header"],
    }


def verified(
    case: dict[str, Any], headers: dict[str, str], secret: str | None = None, late: float = 0
) -> Reason | None:
    verifier = WebhookVerifier(secret or case["secret"])
    try:
        verifier.verify_at(headers, case["payload"].encode(), case["timestamp"] + late)
    except Rejected as rejected:
        return rejected.reason
    return None


def test_the_suite_is_whole() -> None:
    assert len(SUITE["cases"]) == 5
    assert len(SUITE["behaviour"]) == 6


@pytest.mark.parametrize("case", SUITE["cases"], ids=lambda case: case["source"])
def test_published_cases(case: dict[str, Any]) -> None:
    assert verified(case, headers_of(case)) is (None if case["valid"] else Reason.WRONG_SIGNATURE)
    made = WebhookAuth(case["secret"]).sign(case["payload"].encode(), message_id=case["id"], now=case["timestamp"])
    assert (made["webhook-signature"] in case["signature_header"].split(" ")) is case["valid"]


def test_secrets_verify_with_and_without_their_prefix() -> None:
    bare = FIRST["secret"].removeprefix("whsec_")
    assert verified(FIRST, headers_of(FIRST), bare) is verified(FIRST, headers_of(FIRST)) is None


@pytest.mark.parametrize("secret", ["", "whsec_"])
def test_an_empty_secret_is_an_error(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="empty"):
        WebhookVerifier(secret)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_field_is_refused(missing: str) -> None:
    headers = {name: value for name, value in headers_of(FIRST).items() if name != missing}
    expected = Reason.NO_CREDENTIALS if missing == "webhook-signature" else Reason.MALFORMED_CREDENTIALS
    assert verified(FIRST, headers) is expected


def test_a_time_that_is_none_is_refused() -> None:
    assert verified(FIRST, {**headers_of(FIRST), "webhook-timestamp": "hello"}) is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize(
    # The very second at which an age ends is over for every scheme (`Freshness`); the libraries take it still.
    ("late", "reason"),
    [(299.5, None), (-300, None), (301, Reason.EXPIRED), (-301, Reason.NOT_YET_VALID)],
)
def test_five_minutes_are_inside(late: float, reason: Reason | None) -> None:
    assert verified(FIRST, headers_of(FIRST), late=late) is reason


def test_names_are_matched_without_case() -> None:
    assert verified(FIRST, {name.upper(): value for name, value in headers_of(FIRST).items()}) is None
