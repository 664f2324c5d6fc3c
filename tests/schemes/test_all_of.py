"""`AllOf`: several proofs that are demanded together."""

from __future__ import annotations

import hashlib

import pytest

from tests.core.fakes import NOTE, FakeStore, FakeVerifier, Note, ask, get
from watchword.schemes.all_of import AllOf
from watchword.core.guard import Guard
from watchword.core.identity import Identity
from watchword.core.records import Once, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.scheme import STREAM, UNUSED, WHOLE, Address, Decision, Digests, More

BOTH = get(("X-Proof", "alice"), authorization="token alice")


def token(**options):
    return FakeVerifier("token", scopes=frozenset({"read", "write"}), **options)


def proof(**options):
    return FakeVerifier("proof", field=b"x-proof", **{"scopes": frozenset({"write", "pay"}), **options})


def test_all_parts_together_are_the_first_parts_identity_with_the_scopes_that_all_grant():
    answer = ask([AllOf(token(), proof())], BOTH)
    assert (answer.subject, answer.scheme, answer.scopes) == ("alice", "token", frozenset({"write"}))


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("request_", [get(authorization="token alice"), get(("X-Proof", "alice"))])
def test_a_missing_part_is_refused_also_where_credentials_are_optional(request_, optional):
    answer = ask([AllOf(token(), proof())], request_, optional=optional)
    assert (answer.reason, answer.status) == (Reason.BINDING_MISSING, 401)
    assert len(answer.lines) == 2


@pytest.mark.parametrize(("first", "second"), [("wrong", "alice"), ("alice", "wrong"), ("malformed", "alice")])
def test_one_wrong_part_is_enough_to_refuse(first, second):
    assert ask([AllOf(token(), proof())], get(("X-Proof", second), authorization=f"token {first}")).status == 401


def test_parts_of_two_subjects_are_refused():
    answer = ask([AllOf(token(), proof())], get(("X-Proof", "bob"), authorization="token alice"))
    assert answer.reason is Reason.BINDING_MISMATCH


def test_a_binding_of_ones_own_is_asked_with_all_identities():
    seen = []
    ask([AllOf(token(), proof(), bind=seen.extend)], get(("X-Proof", "bob"), authorization="token alice"))
    assert [identity.subject for identity in seen[:2]] == ["alice", "bob"]


def test_a_binding_that_rejects_is_final():
    def never(identities):
        raise Rejected(Reason.BINDING_MISMATCH, "never")

    assert ask([AllOf(token(), proof(), bind=never)], BOTH).reason is Reason.BINDING_MISMATCH


def test_nothing_presented_is_no_credentials_with_every_parts_challenge():
    answer = ask([AllOf(token(), proof())], get())
    assert (answer.reason, len(answer.lines)) == (Reason.NO_CREDENTIALS, 2)
    assert ask([AllOf(token(), proof())], get(), optional=True).status == 0


def test_the_parts_records_and_writes_are_one_fetch_and_one_commit():
    once = [Once((name,), 9e9) for name in "ab"]
    other = Ref(Note, ("other",))

    def make(kind):
        parts = [
            token(kinds=(Note,), needs=[NOTE], decision=lambda *_: Decision(Identity("alice", "token"), [once[0]])),
            proof(kinds=(Note,), needs=[other], decision=lambda *_: Decision(Identity("alice", "proof"), [once[1]])),
        ]
        return [AllOf(*parts)], kind()

    answer = ask(make, BOTH)
    assert (answer.fetched, answer.commits) == (((NOTE, other),), (tuple(once),))


def test_parts_that_each_need_more_records_twice_get_them():
    refs = [Ref(Note, (name,)) for name in "abcd"]

    def needing(first, second):
        def decide(found, body, now, random):
            for ref in (first, second):
                if found.get(ref) is None:
                    return More([ref])
            return Decision(Identity("alice", "any"))

        return decide

    def make(kind):
        parts = [token(kinds=(Note,), decision=needing(*refs[:2])), proof(kinds=(Note,), decision=needing(*refs[2:]))]
        return [AllOf(*parts)], kind({ref: Note("x") for ref in refs})

    answer = ask(make, BOTH)
    assert (answer.subject, answer.fetched) == ("alice", ((refs[0], refs[2]), (refs[1], refs[3])))


SHA = Digests(("sha-256",), lambda name: hashlib.sha256())


@pytest.mark.parametrize(
    ("needs", "data"),
    [
        ((UNUSED, UNUSED), None),
        ((UNUSED, WHOLE), b"hi"),
        ((WHOLE, SHA), b"hi"),
        ((STREAM, UNUSED), None),
        ((STREAM, WHOLE), b"hi"),
    ],
)
def test_the_body_is_read_as_the_neediest_part_wants_it(needs, data):
    answer = ask([AllOf(token(body=needs[0]), proof(body=needs[1]))], BOTH, [b"h", b"i"])
    assert (answer.subject, answer.body) == ("alice", data)


@pytest.mark.parametrize(("parts", "ambient"), [((True, True), True), ((True, False), False), ((False, True), False)])
def test_it_is_ambient_where_a_browser_sends_every_part_by_itself(parts, ambient):
    one, other = (FakeVerifier(name, field=name.encode(), ambient=part) for name, part in zip("ab", parts, strict=True))
    assert AllOf(one, other).ambient is ambient


def test_a_part_that_does_not_say_whether_it_is_ambient_counts_as_such():
    class Silent:
        scheme, single_use, rank, always_needed, realm, kinds = "silent", False, 1, (), None, ()
        addresses = (Address(b"x-silent"),)

        def read(self, request): ...
        def refuse(self, *_): ...

    assert AllOf(Silent(), FakeVerifier(field=b"x-fake", ambient=True)).ambient
    assert not AllOf(Silent(), FakeVerifier(field=b"x-fake", ambient=False)).ambient


def test_one_part_of_single_use_makes_all_of_it_single_use():
    verifier = AllOf(token(), proof(single_use=True))
    early = get(("Early-Data", "1"), ("X-Proof", "alice"), authorization="token alice")
    assert ask([verifier], early).subject == "alice"
    assert ask([AllOf(token(), proof())], early).reason is Reason.EARLY_DATA


@pytest.mark.parametrize(
    ("parts", "mend"),
    [
        ([token()], "two parts or more"),
        ([token(), FakeVerifier("basic")], "both read authorization"),
        ([token(realm="a"), proof(realm="b")], "different realms"),
    ],
)
def test_parts_that_cannot_come_together_are_a_configuration_error(parts, mend):
    with pytest.raises(ConfigurationError, match=mend):
        AllOf(*parts)


def test_a_part_that_needs_a_store_says_so_through_the_whole():
    with pytest.raises(ConfigurationError, match="AllOf needs a store"):
        Guard([AllOf(token(kinds=(Note,)), proof())])
    assert Guard([AllOf(token(kinds=(Note,)), proof())], FakeStore())
