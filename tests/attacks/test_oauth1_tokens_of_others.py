"""A token is its client's alone, and what is unknown is answered like what is wrong, for the same work."""

from __future__ import annotations


import pytest

from tests.counting import calls
from tests.schemes.oauth1_world import (
    EVERY, SECRET, TOKEN, TOKEN_SECRET, auth, changed, guard, reason, rsa_pair, signed, store,
)  # fmt: skip
from watchword import Guard, OAuth1Auth, Reason, Rejected, Request


def test_another_client_can_t_use_a_token_even_if_it_has_its_secret() -> None:
    records = store()
    records.add_oauth1_client("other", secret="other secret")
    stolen = OAuth1Auth("other", "other secret", token=TOKEN, token_secret=TOKEN_SECRET)
    assert reason(guard(records), signed(stolen)[0]) is Reason.UNKNOWN_KEY
    records.add_oauth1_client("other", public_key=rsa_pair()[1])
    by_rsa = OAuth1Auth("other", signature_method="RSA-SHA256", rsa_key=rsa_pair()[0], token=TOKEN)
    assert reason(guard(records), signed(by_rsa)[0]) is Reason.UNKNOWN_KEY


def test_a_token_that_is_taken_out_of_a_request_does_not_leave_the_client() -> None:
    """Else what was signed for a user would be done in the client's own name."""
    request, _ = signed(auth())
    value = request.values(b"authorization")[0].replace(f'oauth_token="{TOKEN}", '.encode(), b"")
    assert reason(guard(), request.with_headers(((b"authorization", value),))) is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize("name", ["ORDERS-APP", "orders-app ", "orders%2Dapp\u0301", "orders\u2010app"])
def test_keys_that_look_alike_are_others(name: str) -> None:
    assert reason(guard(), signed(OAuth1Auth(name, SECRET))[0]) is Reason.UNKNOWN_KEY


def answer(judge: Guard, request: Request) -> tuple[int, list[bytes]]:
    with pytest.raises(Rejected) as caught:
        judge.verify(request)
    assert caught.value.refusal is not None
    response = caught.value.refusal.response()
    return response.status, response.values(b"www-authenticate")


def strangers(method: str) -> list[Request]:
    """A known client with a wrong secret, an unknown client, an unknown token, a token of another client."""
    who = [
        auth("guess", signature_method=method), OAuth1Auth("nobody", "guess", **keyed(method)),
        auth("guess", token="nothing", signature_method=method), auth("guess", token="foreign", signature_method=method),
    ]  # fmt: skip
    requests = [signed(each)[0] for each in who]
    return [changed(request, method="PUT") for request in requests]


def keyed(method: str) -> dict[str, str]:
    return {"signature_method": method} | ({"rsa_key": rsa_pair()[0]} if method.startswith("RSA") else {})


@pytest.mark.parametrize("method", EVERY)
def test_the_unknown_get_the_octets_that_the_wrong_get(method: str) -> None:
    records = store(rsa=True)
    records.add_oauth1_client("other", secret="other secret")
    records.add_oauth1_token("foreign", "x", client_key="other", subject="carol")
    judge = guard(records, methods=EVERY)
    answers = [answer(judge, request) for request in strangers(method)]
    assert all(each == answers[0] for each in answers)


@pytest.mark.parametrize("method", ["HMAC-SHA256", "RSA-SHA256"])
@pytest.mark.parametrize("signed_before", [False, True])
def test_the_unknown_cost_what_the_wrong_cost(method: str, signed_before: bool) -> None:
    """Nobody skips the primitive, and the rest of the work is about the same."""
    records = store(rsa=True)
    judge = guard(records, methods=EVERY)
    if signed_before:
        judge.verify(signed(auth(signature_method=method))[0])
    known, unknown, *_ = strangers(method)
    for request in (known, unknown):  # the first ones load modules
        reason(judge, request)
    usual, other = calls(lambda: reason(judge, known)), calls(lambda: reason(judge, unknown))
    primitive = {"HMAC-SHA256": "hmac_digest", "RSA-SHA256": "verify"}[method]
    assert usual[primitive] == other[primitive] > 0
    assert 0.8 < other.total() / usual.total() < 1.25
