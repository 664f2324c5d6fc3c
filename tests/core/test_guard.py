"""The guard rule: who is asked, what is final, what optional lets through. Each test asks both guards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.fakes import NOTE, AwaitedStore, FakeStore, FakeVerifier, Note, RoutableFake, ask, get
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.message import Request
from watchword.core.plan import Limits
from watchword.core.records import Put
from watchword.core.rejection import ConfigurationError, Reason, Rejected


def two() -> list[FakeVerifier]:
    return [FakeVerifier("alpha", rank=1), FakeVerifier("beta", rank=0)]


# ---- dispatch --------------------------------------------------------------------------------------------------------


def test_genuine_credentials_are_admitted_with_the_identity_that_the_verifier_made():
    answer = ask(two(), get(authorization="alpha alice"))
    assert (answer.subject, answer.scheme, answer.reason) == ("alice", "alpha", None)


def test_only_the_verifier_whose_scheme_word_is_in_authorization_reads_the_request():
    assert ask(two(), get(authorization="beta bob")).trace == ("beta read", "beta decide")


@pytest.mark.parametrize("word", ["alpha", "ALPHA", "Alpha", "aLpHa"])
def test_the_scheme_word_is_matched_in_any_case(word):
    assert ask(two(), get(authorization=f"{word} alice")).subject == "alice"


def test_no_credentials_get_the_challenges_of_all_verifiers_in_order_of_rank():
    answer = ask(two(), get())
    assert (answer.reason, answer.status) == (Reason.NO_CREDENTIALS, 401)
    assert answer.lines == (b'Beta realm="protected"', b'Alpha realm="protected"')


def test_a_wrong_claim_is_final_and_never_falls_through_to_the_next_verifier():
    other = FakeVerifier("other", field=b"x-other")
    answer = ask([FakeVerifier("alpha"), other], get(authorization="alpha wrong"))
    assert (answer.reason, answer.trace) == (Reason.WRONG_SECRET, ("alpha read", "alpha decide"))


def test_the_refusing_verifier_says_its_error_and_the_others_offer_fresh_challenges():
    answer = ask(two(), get(authorization="alpha wrong"))
    assert answer.lines == (b'Beta realm="protected"', b'Alpha realm="protected", error="wrong_secret"')


def test_credentials_of_two_schemes_are_ambiguous_although_both_are_genuine():
    both = [FakeVerifier("alpha"), FakeVerifier("other", field=b"x-other")]
    answer = ask(both, get(("X-Other", "bob"), authorization="alpha alice"))
    assert (answer.reason, answer.status, answer.lines) == (Reason.AMBIGUOUS, 400, ())
    assert "alpha decide" not in answer.trace


def test_a_field_that_its_verifier_does_not_claim_is_no_second_credential():
    both = [FakeVerifier("alpha"), FakeVerifier("other", field=b"x-other")]
    assert ask(both, get(("X-Other", "unclaimed"), authorization="alpha alice")).subject == "alice"


def test_malformed_credentials_are_refused_by_their_verifier():
    answer = ask(two(), get(authorization="alpha malformed"))
    assert answer.reason is Reason.MALFORMED_CREDENTIALS
    assert answer.lines[1] == b'Alpha realm="protected", error="malformed_credentials"'
    assert answer.verdicts[0].scheme == "alpha"


@pytest.mark.parametrize("value", ["gamma x", "", "alphaalice", "alpha\tx", ",", "alpha, beta x"])
@pytest.mark.parametrize("optional", [False, True])
def test_a_scheme_that_nobody_speaks_is_refused_also_where_credentials_are_optional(value, optional):
    answer = ask(two(), get(authorization=value), optional=optional)
    assert (answer.reason, answer.status) == (Reason.UNSUPPORTED_SCHEME, 401)
    assert len(answer.lines) == 2


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize(
    "values", [("alpha a", "alpha a"), ("alpha a", "beta b"), ("alpha a", "gamma c"), ("", "alpha a"), ("alpha a", "")]
)
def test_two_authorization_lines_are_a_bad_request_before_any_verifier(values, optional):
    answer = ask(two(), get(*(("Authorization", value) for value in values)), optional=optional)
    assert (answer.reason, answer.status, answer.trace) == (Reason.MALFORMED_REQUEST, 400, ())


@pytest.mark.parametrize("hosts", [("a", "a"), ("a", "b"), ("a,b",)])
def test_two_hosts_are_a_bad_request(hosts):
    answer = ask(two(), get(*(("Host", host) for host in hosts), authorization="alpha alice"))
    assert (answer.reason, answer.status, answer.trace) == (Reason.MALFORMED_REQUEST, 400, ())


# ---- optional --------------------------------------------------------------------------------------------------------


def test_without_credentials_an_optional_request_is_anonymous():
    answer = ask(two(), get(), optional=True)
    assert (answer.subject, answer.reason, answer.status) == (None, None, 0)
    assert (answer.verdicts[0].reason, answer.verdicts[0].subject) == (None, None)


@pytest.mark.parametrize("token", ["wrong", "malformed", "unclaimed", "stale"])
def test_optional_never_accepts_credentials_that_are_not_good(token):
    assert ask(two(), get(authorization=f"alpha {token}"), optional=True).status == 401


def test_an_authorization_that_its_own_verifier_does_not_claim_is_refused_beside_good_credentials_too():
    both = [FakeVerifier("alpha"), FakeVerifier("other", field=b"x-other")]
    answer = ask(both, get(("X-Other", "bob"), authorization="alpha unclaimed"), optional=True)
    assert answer.reason is Reason.UNSUPPORTED_SCHEME


def test_a_field_that_nobody_claims_leaves_an_optional_request_anonymous_and_a_demanding_one_without_credentials():
    other = FakeVerifier("other", field=b"x-other")
    assert ask(other, get(("X-Other", "unclaimed")), optional=True).status == 0
    assert ask(other, get(("X-Other", "unclaimed"))).reason is Reason.NO_CREDENTIALS


@given(st.binary(max_size=40), st.booleans())
def test_any_octets_in_authorization_give_an_identity_or_a_rejection(value, optional):
    request = Request("GET", "https", "api.example", "/", [(b"authorization", value)])
    try:
        identity = Guard([FakeVerifier("alpha"), AnyToken()]).admit(request, lambda: b"", optional=optional).identity
    except Rejected as rejected:
        answered = rejected.refusal
    else:
        answered = identity
    assert answered is not None


class AnyToken(FakeVerifier):
    def __init__(self):
        super().__init__("beta")

    def read(self, request):
        raise Rejected(Reason.MALFORMED_CREDENTIALS)


# ---- limits and early data -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["Authorization", "X-Other"])
def test_a_field_over_its_limit_is_refused_unread_and_one_at_its_limit_is_not(field):
    verifiers = [FakeVerifier("alpha"), FakeVerifier("other", field=b"x-other")]
    for size, reason in ((60, None), (61, Reason.HEADER_TOO_LARGE)):
        value = "alpha ".ljust(size, "a")
        answer = ask(verifiers, get((field, value)), limits=Limits(field=60))
        assert (answer.reason, bool(answer.trace)) == (reason, reason is None)
        assert answer.status == (431 if reason else 0)


def test_an_unrelated_field_may_be_large():
    assert ask(two(), get(("X-Any", "a" * 500), authorization="alpha a"), limits=Limits(field=60)).subject == "a"


@pytest.mark.parametrize(("single_use", "status"), [(False, 425), (True, 0)])
def test_early_data_is_refused_unless_the_scheme_is_single_use(single_use, status):
    verifier = FakeVerifier("alpha", single_use=single_use)
    answer = ask(verifier, get(("Early-Data", "1"), authorization="alpha a"))
    assert (answer.status, "alpha decide" in answer.trace) == (status, single_use)


# ---- challenges ------------------------------------------------------------------------------------------------------


def test_every_challenge_begins_with_the_guards_one_realm():
    verifiers = [FakeVerifier("alpha", realm="orders"), FakeVerifier("beta", params=(("a", "1"), ("realm", "orders")))]
    answer = ask(verifiers, get())
    assert answer.lines == (b'Alpha realm="orders"', b'Beta realm="orders", a="1"')


def test_a_challenge_of_one_token_keeps_it_and_gets_no_realm(monkeypatch):
    from watchword.core.answer import Challenge
    from watchword.core.scheme import Refusal

    verifier = FakeVerifier("alpha")
    verifier.refuse = lambda *_: Refusal(401, [Challenge("Negotiate", token68="abc=")])  # type: ignore[method-assign]
    assert ask(verifier, get()).lines == (b"Negotiate abc=",)


def test_a_proxy_reads_proxy_authorization_and_challenges_with_407():
    answer = ask(two(), get(("Proxy-Authorization", "alpha alice"), ("Authorization", "gamma x")), proxy=True)
    assert answer.subject == "alice"
    refused = ask(two(), get(authorization="alpha alice"), proxy=True)
    assert (refused.reason, refused.status) == (Reason.NO_CREDENTIALS, 407)


def test_a_proxys_refusal_goes_out_as_proxy_authenticate():
    with pytest.raises(Rejected) as caught:
        Guard(two(), proxy=True).verify(get())
    response = caught.value.refusal.response()
    assert response.status == 407
    assert len(response.values(b"proxy-authenticate")) == 2
    assert not response.values(b"www-authenticate")


def test_a_refusal_is_never_cached_and_has_no_body():
    with pytest.raises(Rejected) as caught:
        Guard(two()).verify(get())
    response = caught.value.refusal.response()
    assert response.values(b"cache-control") == [b"no-store"]
    assert response.values(b"content-length") == [b"0"]


# ---- the public URL --------------------------------------------------------------------------------------------------


def test_the_public_url_policy_comes_first_and_its_rejection_is_final():
    def refuse(request):
        raise Rejected(Reason.TARGET_REFUSED, "a backslash", where="@target")

    answer = ask(two(), get(authorization="alpha alice"), public_url=refuse)
    assert (answer.reason, answer.status, answer.trace) == (Reason.TARGET_REFUSED, 400, ())


# ---- observe ---------------------------------------------------------------------------------------------------------


def test_every_decision_is_reported_once_with_who_and_why_and_no_secret():
    accepted = ask(two(), get(authorization="alpha alice")).verdicts
    refused = ask(two(), get(authorization="alpha wrong")).verdicts
    assert [(v.reason, v.status, v.scheme, v.subject) for v in accepted] == [(None, 0, "alpha", "alice")]
    assert [(v.reason, v.status, v.scheme, v.subject) for v in refused] == [(Reason.WRONG_SECRET, 401, "alpha", None)]
    assert (refused[0].detail, refused[0].where) == ("it is not", "alpha")


def test_an_observer_that_fails_lets_nobody_in():
    def fail(verdict):
        raise RuntimeError("the log is full")

    with pytest.raises(RuntimeError):
        Guard(two(), observe=fail).verify(get(authorization="alpha alice"))


# ---- refusals of the application -------------------------------------------------------------------------------------


def test_an_anonymous_request_lacks_credentials_and_gets_every_challenge():
    guard = Guard(two())
    rejected = guard.admit(get(), lambda: b"", optional=True).missing_scopes(())
    assert rejected is not None
    assert rejected.reason is Reason.NO_CREDENTIALS
    assert len(guard.refuse(rejected).challenges) == 2


def test_a_missing_scope_is_403_by_the_verifier_that_admitted():
    guard = Guard([FakeVerifier("alpha", scopes=frozenset({"read"})), FakeVerifier("beta")])
    admitted = guard.admit(get(authorization="alpha alice"), lambda: b"")
    assert admitted.missing_scopes(["read"]) is None
    assert admitted.missing_scopes([]) is None
    rejected = admitted.missing_scopes(["read", "write"])
    assert rejected is not None
    assert rejected.rejection.scopes == ("read", "write")
    refusal = guard.refuse(rejected)
    assert refusal.status == 403
    assert [challenge.encode() for challenge in refusal.challenges] == [
        b'Alpha realm="protected", error="insufficient_scope"'
    ]


def test_an_application_refusal_with_the_store_down_is_503():
    verifier = FakeVerifier("alpha", kinds=(Note,), always_needed=(NOTE,))
    refusal = Guard([verifier], FakeStore(down="fetch")).refuse(Rejected(Reason.NO_CREDENTIALS))
    assert refusal.status == 503


# ---- construction ----------------------------------------------------------------------------------------------------


class NotesOnly(FakeStore):
    kinds = frozenset({Note})


class NothingHeld(FakeStore):
    kinds = frozenset()


@pytest.mark.parametrize("guard", [Guard, AsyncGuard])
@pytest.mark.parametrize(
    ("verifiers", "store", "mend"),
    [
        ([], None, "at least one verifier"),
        ([FakeVerifier("a", realm="x"), FakeVerifier("b", realm="y")], None, "one realm"),
        ([FakeVerifier("a"), FakeVerifier("a")], None, "two verifiers would claim every 'a' request"),
        ([FakeVerifier("a", field=b"x"), FakeVerifier("b", field=b"x")], None, "two verifiers would claim"),
        ([FakeVerifier("a"), RoutableFake("a", routes=("x",))], None, "two verifiers would claim"),
        ([FakeVerifier("a", kinds=(Note,))], None, "needs a store"),
        ([FakeVerifier("a", kinds=(Note,))], NothingHeld(), "Note records, which NothingHeld does not hold"),
    ],
)
def test_parts_that_do_not_fit_are_a_configuration_error_that_says_the_mend(guard, verifiers, store, mend):
    with pytest.raises(ConfigurationError, match=mend):
        guard(verifiers, store)


def test_a_store_that_holds_what_is_needed_is_taken():
    assert Guard([FakeVerifier("a", kinds=(Note,))], NotesOnly())


def test_a_guard_with_an_awaited_store_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="AsyncStore"):
        Guard([FakeVerifier("a")], AwaitedStore())  # type: ignore[arg-type]


def test_an_async_guard_is_derived_from_a_guard_with_the_same_plan():
    guard = Guard(two())
    derived = AsyncGuard.of(guard)
    assert derived.plan is guard.plan
    assert AsyncGuard.of(derived) is derived


def test_a_challenges_writes_are_committed_before_the_refusal_goes_out():
    def make(kind):
        put = Put(NOTE, Note("key"), if_version=0)
        verifier = FakeVerifier("a", kinds=(Note,), always_needed=(NOTE,), refusal_writes=lambda found: [put])
        return [verifier], kind()

    assert ask(make, get()).commits == ((Put(NOTE, Note("key"), if_version=0),),)
