"""The short way of Digest: read by shape, judged without a second MAC; whatever it does, the long way would have done."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.examples_of import examples
from tests.schemes.digest_world import PASSWORD, REALM, START, USER
from watchword import DigestVerifier, Rejected, Request, Response
from watchword.core.message import Peer
from watchword.core.records import Put, Ref
from watchword.core.scheme import NO_BODY, Decision, More
from watchword.schemes.digest import DigestSecret, ha1, request_memory
from watchword.schemes.digest.nonces import NONCE_KEY, NonceKey, make_nonce
from watchword.schemes.digest.request_memory import KnownClaim
from watchword.schemes.explaining import explainer_of
from watchword.stores import MemoryStore

KEY = NonceKey(bytes(range(32)))
OWNER = Ref(DigestSecret, ("SHA-256", REALM, USER))
NONCE = make_nonce(KEY, REALM, "SHA-256", START, bytes(12))
CNONCE = "MDEyMzQ1Njc4OWFi"

# How clients write it: the order of the parameters, which of them they quote, what else they send.
STYLES = {
    "ours": 'Digest username="{user}", realm="{realm}", uri="{uri}", algorithm=SHA-256, nonce="{nonce}", nc={nc}, '
    'cnonce="{cnonce}", qop=auth, response="{response}"',
    "curl": 'Digest username="{user}",realm="{realm}",nonce="{nonce}",uri="{uri}",cnonce="{cnonce}",nc={nc},'
    'algorithm=SHA-256,response="{response}",qop="auth"',
    "requests": 'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
    'algorithm="SHA-256", qop="auth", nc={nc}, cnonce="{cnonce}"',
    "odd": 'digest nc={nc} ,  RESPONSE = "{response}",extra="one, nc=00000007, two" ,, xnc=00000003, uri="{uri}", '
    'cnonce="{cnonce}", qop=auth, Nonce="{nonce}", realm="{realm}",userName="{user}", algorithm=sha-256, opaque="any"',
    "count in another parameter first": 'Digest xnc=00000001, username="{user}", realm="{realm}", nonce="{nonce}", '
    'uri="{uri}", response="{response}", algorithm=SHA-256, nc={nc}, qop=auth, cnonce="{cnonce}"',
    "quoted count": 'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
    'algorithm=SHA-256, nc="{nc}", qop=auth, cnonce="{cnonce}"',
    "token cnonce": 'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
    'algorithm=SHA-256, nc={nc}, qop=auth, cnonce={cnonce}',
}  # fmt: skip
SHORT = ("ours", "curl", "requests", "odd")


def written(style: str, count: int, *, uri: str = "/a?b=1", password: str = PASSWORD, **new: str) -> bytes:
    """Credentials with a count of their own."""
    given = {"user": USER, "realm": REALM, "nonce": NONCE, "nc": f"{count:08x}", "cnonce": CNONCE, "uri": uri, **new}
    a2 = hashlib.sha256(f"GET:{uri}".encode()).hexdigest()
    secret = ha1("SHA-256", USER, REALM, password)
    text = ":".join((secret, given["nonce"], given["nc"], given["cnonce"], "auth", a2))
    return STYLES[style].format(response=hashlib.sha256(text.encode()).hexdigest(), **given).encode("latin-1")


def request(value: bytes, target: str = "/a?b=1", authority: str = "api.example", exact: bool = True) -> Request:
    return Request("GET", "https", authority, target, [(b"authorization", value)], Peer("192.0.2.1"), exact)


def filled(record: DigestSecret | None = None, key: NonceKey = KEY) -> Any:
    store = MemoryStore()
    record = record or DigestSecret(ha1("SHA-256", USER, REALM, PASSWORD), ("read",))
    store.commit([Put(OWNER, record), Put(NONCE_KEY, key)])
    return store.fetch([OWNER, NONCE_KEY])


def acquainted(style: str = "ours", **options: Any) -> DigestVerifier:
    """A verifier that admitted a request of that style."""
    verifier = DigestVerifier(realm=REALM, **options)
    admit(verifier, request(written(style, 1)), START + 1)
    return verifier


def admit(verifier: DigestVerifier, asked: Request, now: float = START) -> None:
    """What a guard does with genuine credentials; what the verifier learns of them it learns at the end."""
    answer = verifier.read(asked).decide(filled(), NO_BODY, now, bytes)
    assert isinstance(answer, Decision)
    if answer.learn is not None:
        answer.learn()


def outcome(read: Any, asked: Request, found: Any, now: float) -> object:
    """All that a guard and a client can see of a verdict."""
    try:
        claim = read(asked)
        answer = claim.decide(found, NO_BODY, now, bytes)
    except Rejected as rejected:
        told = rejected.rejection
        return told.reason, told.detail, told.where, told.genuine, rejected.writes
    if isinstance(answer, More):
        return answer
    assert answer.seal is not None
    lines = answer.seal.headers(Response(200), None, now, bytes)
    who = answer.identity
    shown = (who.subject, who.scheme, who.key_id, who.scopes, dict(who.claims))
    rest = tuple(answer.writes), answer.notes, answer.response_headers, answer.stream, answer.seal.needs_body
    return shown, rest, lines, claim.needs, claim.guesses


def same(verifier: DigestVerifier, asked: Request, found: Any, now: float = START + 2) -> object:
    """The verdict, which is the long way's."""
    by_length = outcome(verifier.read_in_full, asked, found, now)
    assert outcome(verifier.read, asked, found, now) == by_length
    return by_length


@pytest.mark.parametrize("style", STYLES)
def test_what_clients_write_is_read_the_short_way_from_the_second_request_on(style: str) -> None:
    verifier = acquainted(style)
    for nc in (2, 3, 0xABCDEF01):
        asked = request(written(style, nc))
        assert isinstance(verifier.read(asked), KnownClaim) is (style in SHORT)
        assert isinstance(same(verifier, asked, filled()), tuple)
    assert isinstance(verifier.read(request(written(style, 4, uri="/other"), "/other")), KnownClaim) is (style in SHORT)


@pytest.mark.parametrize("style", SHORT)
@pytest.mark.parametrize(
    "new",
    [
        {"nc": "00000000"}, {"nc": "0000000g"}, {"nc": "000000001"}, {"nc": "0000001"}, {"nc": "+0000001"},
        {"cnonce": ""}, {"cnonce": "\t"}, {"cnonce": "a\x00b"}, {"cnonce": "a\x7fb"}, {"cnonce": "\xe9"}, {"cnonce": 'a\\"b'},
        {"user": "mufasa"}, {"user": "nobody"}, {"user": "Mufas\\a"}, {"realm": "other"}, {"realm": "order\\s"},
        {"nonce": NONCE[:-1]}, {"nonce": make_nonce(KEY, REALM, "SHA-256", START, b"1" * 12)},
        {"nonce": make_nonce(KEY, REALM, "MD5", START, bytes(12))}, {"password": "wrong"}, {"uri": "/other"},
    ],
)  # fmt: skip
def test_what_is_not_as_usual_gets_the_long_ways_verdict(style: str, new: dict[str, Any]) -> None:
    same(acquainted(style), request(written(style, 2, **new)), filled())


@pytest.mark.parametrize(
    "asked",
    [
        request(written("ours", 2) + b'"junk'), request(written("ours", 2) + b'"'), request(written("ours", 2)[:-1]),
        request(written("ours", 2) + b", nc=00000003"), request(written("ours", 2), "/a?b=2"),
        request(written("ours", 2), authority="user@api.example"), request(written("ours", 2), authority="other.example"),
        request(written("ours", 2, uri="/%61"), "/%61"), request(written("ours", 2, uri="/%61"), "/%61", exact=False),
        request(written("ours", 2, uri="/a?%61"), "/a?%61", exact=False), request(written("ours", 2), exact=False),
        request(written("ours", 2, uri="/a\\b"), "/a\\b"), request(written("ours", 2, uri="/a#b"), "/a#b"),
        request(written("ours", 2, uri="/a b"), "/a b"), request(written("ours", 2, uri="*"), "*"),
        request(written("ours", 2, uri="https://api.example/a"), "https://api.example/a"),
        request(written("ours", 2, uri="/\xe9"), "/é"), request(b'"'), request(b""), request(b"Digest nc="),
    ],
)  # fmt: skip
def test_a_request_that_is_not_as_usual_gets_the_long_ways_verdict(asked: Request) -> None:
    same(acquainted(), asked, filled())


@pytest.mark.parametrize("now", [START - 61, START - 60, START, START + 299.9, START + 300, START + 9999])
def test_the_age_of_a_nonce_counts_in_both(now: float) -> None:
    same(acquainted(), request(written("ours", 2)), filled(), now)


def test_the_record_and_the_key_of_the_moment_count() -> None:
    verifier, asked = acquainted(), request(written("ours", 2))
    secret = ha1("SHA-256", USER, REALM, PASSWORD)
    accepted = same(verifier, asked, filled(DigestSecret(secret, ("write",), "king")))
    assert isinstance(accepted, tuple) and accepted[0][:2] == ("king", "digest")
    for found in (
        filled(DigestSecret(secret, disabled=True)),
        filled(DigestSecret(ha1("SHA-256", USER, REALM, "changed"))),
        filled(key=NonceKey(bytes(32))),
        MemoryStore().fetch([OWNER]),
    ):
        assert not isinstance(same(verifier, asked, found), Decision)
    assert same(verifier, asked, filled()) == same(acquainted(), asked, filled())


def test_other_options_of_the_verifier_count() -> None:
    style, other = "odd", 'opaque="any"'
    verifier = acquainted(style, opaque="any")
    assert isinstance(verifier.read(request(written(style, 2))), KnownClaim)
    same(verifier, request(written(style, 2).replace(other.encode(), b'opaque="other"')), filled())
    for options in ({"qop": ("auth", "auth-int")}, {"userhash": True}, {"allow_legacy_rfc2069": True}):
        same(acquainted(**options), request(written("ours", 2)), filled())


@examples(250)
@given(
    style=st.sampled_from(SHORT),
    place=st.integers(0, 400),
    cut=st.integers(0, 3),
    put=st.one_of(st.binary(max_size=3), st.sampled_from([b'"', b"\\", b", ", b"nc=", b'nc="', b" ", b"=", b'", x="'])),
    twice=st.booleans(),
)
@example(style="ours", place=400, cut=0, put=b'"x', twice=False)
def test_a_value_that_was_tampered_with_anywhere_gets_the_long_ways_verdict(
    style: str, place: int, cut: int, put: bytes, twice: bool
) -> None:
    verifier = VERIFIERS[style]
    value = written(style, 2)
    value = value[:place] + put + value[place + cut :]
    if twice:
        value = value[: place // 2] + put + value[place // 2 + cut :]
    same(verifier, request(value), FOUND)


VERIFIERS = {style: acquainted(style) for style in SHORT}
FOUND = filled()


def test_only_genuine_credentials_are_remembered() -> None:
    verifier = DigestVerifier(realm=REALM)
    for new in ({"password": "wrong"}, {"user": "nobody"}):
        with pytest.raises(Rejected):
            verifier.read(request(written("ours", 1, **new))).decide(filled(), NO_BODY, START, os.urandom)
    assert not verifier.memory._shapes and not verifier.memory._nonce_owners


def test_what_is_remembered_is_bounded_and_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_memory, "MAX_NONCES", 8)
    monkeypatch.setattr(request_memory, "MAX_SHAPES", 4)
    verifier = acquainted()
    for number in range(40):
        nonce = make_nonce(KEY, REALM, "SHA-256", START, b"%012d" % number)
        value = written("ours", 1, nonce=nonce) + b", x%d=1" % number
        admit(verifier, request(value))
        assert isinstance(verifier.read(request(value)), KnownClaim)
    assert len(verifier.memory._shapes) == 4 and len(verifier.memory._nonce_owners) == 8
    long = written("ours", 1) + b', x="' + b"x" * request_memory.MAX_VALUE + b'"'
    admit(verifier, request(long))
    assert len(verifier.memory._shapes) == 4 and not isinstance(verifier.read(request(long)), KnownClaim)
    claim = acquainted().read(request(written("ours", 2)))
    assert repr(claim) == "KnownClaim(username='Mufasa')"
    assert ha1("SHA-256", USER, REALM, PASSWORD) not in repr(claim._known)  # type: ignore[union-attr]


def test_credentials_that_are_judged_and_not_admitted_are_not_remembered() -> None:
    """As where a guard could not commit the count, or only explains."""
    verifier, asked = DigestVerifier(realm=REALM), request(written("ours", 1))
    answer = verifier.read(asked).decide(filled(), NO_BODY, START, bytes)
    assert isinstance(answer, Decision) and answer.learn is not None
    assert not verifier.memory._shapes and not verifier.memory._nonce_owners
    answer.learn()
    assert len(verifier.memory._shapes) == len(verifier.memory._nonce_owners) == 1


def test_two_users_of_one_nonce_take_turns() -> None:
    verifier, other = acquainted(), Ref(DigestSecret, ("SHA-256", REALM, "nobody"))
    store = MemoryStore()
    secret = DigestSecret(ha1("SHA-256", USER, REALM, PASSWORD))
    store.commit([Put(OWNER, secret), Put(other, DigestSecret("0" * 64)), Put(NONCE_KEY, KEY)])
    found = store.fetch([OWNER, other, NONCE_KEY])
    for user in (USER, "nobody", USER):
        same(verifier, request(written("ours", 5, user=user)), found)


def test_explain_says_what_it_says_of_any_credentials() -> None:
    verifier, asked = acquainted(), request(written("ours", 2, password="wrong"))
    claim = verifier.read(asked)
    assert isinstance(claim, KnownClaim) and not claim.slow(filled())
    known, full = explainer_of(verifier, claim), explainer_of(verifier, verifier.read_in_full(asked))
    assert known is not None and full is not None
    assert known(filled(), NO_BODY, START) == full(filled(), NO_BODY, START)
