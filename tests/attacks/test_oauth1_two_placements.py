"""Credentials in two places are refused (RFC 5849 §3.5), and so are those in a place that nobody looks at."""

from __future__ import annotations

import pytest

from tests.schemes.oauth1_world import FORM, GET, NOW, auth, changed, guard, reason, signed, store
from watchword import Guard, JWTVerifier, Key, OAuth1Verifier, Policy, Reason

POST = changed(GET, method="POST", headers=FORM)


@pytest.mark.parametrize("name", ["oauth_token", "oauth%5Ftoken", "oauth_verifier", "oauth_x"])
def test_a_field_and_a_second_place(name: str) -> None:
    request, body = signed(auth(), POST, b"a=1")
    more = f"&{name}=other".encode()
    assert reason(guard(), changed(request, target=request.target + more), body) is Reason.AMBIGUOUS
    assert reason(guard(), request, body + more) is Reason.AMBIGUOUS
    assert guard().verify(request, body).subject == "alice"


def test_whole_credentials_of_two_signatures() -> None:
    inner, body = signed(auth(placement="query"), POST, b"a=1")
    value = signed(auth(), POST, b"a=1")[0].values(b"authorization")
    assert reason(guard(), inner.with_headers(((b"authorization", value[0]),)), body) is Reason.AMBIGUOUS
    form, body = signed(auth(placement="form"), POST, b"a=1")
    assert reason(guard(), form.with_headers(((b"authorization", value[0]),)), body) is Reason.AMBIGUOUS
    assert reason(guard(), changed(form, target=inner.target), body) is Reason.AMBIGUOUS


@pytest.mark.parametrize("placement", ["query", "form"])
def test_a_place_that_is_not_named_is_not_looked_at(placement: str) -> None:
    request, body = signed(auth(placement=placement), POST, b"a=1")
    only = guard(placements=("header",))
    assert reason(only, request, body) is Reason.NO_CREDENTIALS
    header, body = signed(auth(), POST, b"a=1")
    assert reason(guard(placements=(placement,)), header, body) is Reason.UNSUPPORTED_SCHEME


def test_a_signature_in_the_query_besides_another_scheme_s_token() -> None:
    key = Key.generate("HS256")
    both = Guard(
        [OAuth1Verifier(placements=("header", "query")), JWTVerifier(key)], store(), policy=Policy(clock=lambda: NOW)
    )
    request, _ = signed(auth(placement="query"))
    field = (b"authorization", b"Bearer x.y.z")
    assert reason(both, request.with_headers((field,))) in (Reason.AMBIGUOUS, Reason.MALFORMED_CREDENTIALS)
