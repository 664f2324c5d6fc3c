"""Several verifiers of one wire scheme, routed by what the credentials say of themselves."""

from __future__ import annotations

import pytest

from tests.core.fakes import FakeVerifier, RoutableFake, ask, get
from watchword.core.guard import Guard
from watchword.core.rejection import ConfigurationError, Reason


def issuers() -> list[FakeVerifier]:
    return [
        RoutableFake("first", word="bearer", routes=("ann", "wrong")),
        RoutableFake("second", word="bearer", routes=("bob",)),
        FakeVerifier("basic"),
    ]


def test_each_token_goes_to_the_verifier_that_claims_it_and_to_no_other():
    answer = ask(issuers(), get(authorization="Bearer bob"))
    assert (answer.scheme, answer.trace) == ("second", ("second read", "second decide"))


def test_a_token_of_no_known_issuer_is_refused_as_such_with_one_bearer_challenge_that_says_so():
    answer = ask(issuers(), get(authorization="Bearer eve"))
    assert (answer.reason, answer.status, answer.trace) == (Reason.UNKNOWN_ISSUER, 401, ())
    assert answer.lines == (
        b'Bearer realm="protected", error="unknown_issuer"',
        b'Basic realm="protected"',
    )


def test_a_token_that_cannot_be_routed_is_refused_by_their_common_scheme():
    answer = ask(issuers(), get(authorization="Bearer malformed"))
    assert answer.reason is Reason.MALFORMED_CREDENTIALS
    assert answer.lines[0] == b'Bearer realm="protected", error="malformed_credentials"'


def test_a_wrong_token_gets_one_challenge_of_its_scheme_not_a_fresh_one_beside_it():
    answer = ask(issuers(), get(authorization="Bearer wrong"))
    assert answer.lines == (b'Bearer realm="protected", error="wrong_secret"', b'Basic realm="protected"')


def test_no_credentials_get_one_challenge_for_the_scheme_that_they_share():
    assert ask(issuers(), get()).lines == (b'Bearer realm="protected"', b'Basic realm="protected"')


@pytest.mark.parametrize(
    ("routes", "mend"), [((("a",), None), "give each JWTVerifier an issuer"), ((("a",), ("a",)), "would claim the")]
)
def test_verifiers_that_would_claim_the_same_token_are_a_configuration_error(routes, mend):
    with pytest.raises(ConfigurationError, match=mend):
        Guard([RoutableFake(f"v{n}", word="bearer", routes=route) for n, route in enumerate(routes)])
