"""What RFC 7616 has beyond the plain round trip, both halves against each other, through either guard."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tests.schemes.digest_world import GUARDS, PASSWORD, REALM, START, USER, World, ask, changed, params, request, to
from watchword import ConfigurationError, DigestAuth, DigestVerifier, Identity, Reason, Rejected, Request, Response
from watchword.core.records import Ref
from watchword.effects import Received, Send
from watchword.crypto import digests
from watchword.fields.auth_params import parse_auth_info
from watchword.schemes.digest import FirstCnonce, ServerUnproven, Unproven, UnprovenWarning, UserHash, user_hash
from watchword.schemes.digest.computation import (
    ALGORITHMS, algorithm_named, hash_a1, hash_a2, legacy_response, octets_hash, response, session_key,
)  # fmt: skip
from watchword.stores import MemoryStore

SESSIONS = [row.name for row in ALGORITHMS if row.session]


def reason(verdict: Identity | Rejected) -> Reason | None:
    return verdict.reason if isinstance(verdict, Rejected) else None


def info_of(world: World, signed: Request, body: bytes = b"") -> dict[str, str]:
    """What the server says in Authentication-Info."""
    _, lines = world.admit(signed, body)
    (value,) = [value for name, value in lines if name == b"authentication-info"]
    return parse_auth_info(value)


# ---- -sess ----


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("algorithm", SESSIONS)
def test_session_algorithms_work_in_both_halves(guard: str, algorithm: str) -> None:
    world = World(guard, algorithms=[algorithm])
    auth = DigestAuth(USER, PASSWORD, require_mutual=True)
    assert [world.get(auth, f"/{n}") for n in range(3)] == [200] * 3
    assert [params(sent)["algorithm"] for sent in world.sent[1:]] == [algorithm] * 3


def session_request(world: World, nonce: str, nc: str, cnonce: str, first: str) -> Request:
    """A request whose secret takes in `first`, and whose response `cnonce`."""
    sha = algorithm_named("SHA-256-sess")
    assert sha is not None
    key = session_key(
        sha, hash_a1(sha, USER.encode(), REALM.encode(), PASSWORD.encode()), nonce.encode(), first.encode()
    )
    proof = response(
        sha, key, nonce.encode(), nc.encode(), cnonce.encode(), b"auth", hash_a2(sha, b"GET", b"/")
    ).decode()
    return changed(world.signed(), nonce=nonce, nc=nc, cnonce=cnonce, response=proof)


@pytest.mark.parametrize("guard", GUARDS)
def test_the_first_cnonce_makes_the_secret_of_all_later_requests_and_the_current_one_is_accepted_too(
    guard: str,
) -> None:
    world = World(guard, algorithms=["SHA-256-sess"])
    nonce = params(world.signed())["nonce"]
    world.verify(session_request(world, nonce, "00000001", "one", "one"))
    ref = Ref(FirstCnonce, (nonce,))
    assert world.store.fetch([ref]).get(ref) == FirstCnonce("one")
    world.verify(session_request(world, nonce, "00000002", "two", "one"))  # RFC 7616 §3.4.2
    world.verify(session_request(world, nonce, "00000003", "three", "three"))  # what many clients do
    assert world.store.fetch([ref]).get(ref) == FirstCnonce("one"), "the first one stays"
    assert reason(world.judge(session_request(world, nonce, "00000004", "four", "three"))) is Reason.WRONG_SECRET


def test_explain_says_which_secret_was_used() -> None:
    from watchword import explain

    world = World(algorithms=["SHA-256-sess"])
    nonce = params(world.signed())["nonce"]
    world.verify(session_request(world, nonce, "00000001", "one", "one"))
    said = []
    for cnonce, first in (("two", "one"), ("two", "two")):
        found = explain(session_request(world, nonce, "00000002", cnonce, first), world.guard, at=world.now)
        assert found.accepted
        (check,) = [check for check in found.checks if check.name == "session"]
        said.append(check.received)
        assert found.canonical.startswith(f"A1: H({USER}:{REALM}:(password)):{nonce}:one\n")
    assert "first request" in said[0] and "this request's" in said[1]


def test_a_session_nonce_that_expired_is_stale_for_clients_of_either_kind() -> None:
    world = World(algorithms=["SHA-256-sess"])
    nonce = params(world.signed())["nonce"]
    world.verify(session_request(world, nonce, "00000001", "one", "one"))
    world.now += 400
    for first in ("one", "two"):
        assert reason(world.judge(session_request(world, nonce, "00000002", "two", first))) is Reason.STALE_NONCE


# ---- auth-int ----


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256-sess"])
def test_auth_int_covers_the_bodies_of_both_directions(guard: str, algorithm: str) -> None:
    world = World(guard, qop=("auth-int",), algorithms=[algorithm])
    auth = DigestAuth(USER, PASSWORD, require_mutual=True)
    for body in (b"", b"the body"):
        assert ask(auth, lambda effect, b=body: world.send(effect, b), request("/", "POST"), body=body).status == 200
    assert params(world.sent[-1])["qop"] == "auth-int"
    signed = world.signed("/", "POST", body=b"the body")
    assert reason(world.judge(signed, b"another")) is Reason.WRONG_SECRET
    assert isinstance(world.judge(signed, b"the body"), Identity)


def test_auth_int_is_chosen_only_where_it_is_asked_for_or_alone() -> None:
    both = World(qop=("auth", "auth-int"))
    assert params(both.signed())["qop"] == "auth"
    assert params(both.signed(auth=DigestAuth(USER, PASSWORD, auth_int=True)))["qop"] == "auth-int"
    assert both.challenge(both.judge(request())).count(b'qop="auth,auth-int"') == 1  # type: ignore[arg-type]
    only = World(qop=("auth-int",))
    assert params(only.signed())["qop"] == "auth-int"
    assert reason(only.judge(changed(only.signed(), qop="auth"))) is Reason.MALFORMED_CREDENTIALS


def test_an_answer_whose_body_was_changed_is_not_proven() -> None:
    world = World(qop=("auth-int",))

    def send(effect: Send) -> Received:
        received = world.send(effect)
        return received._replace(body=b"changed") if received.body else received

    with pytest.raises(ServerUnproven, match="wrong proof"):
        ask(DigestAuth(USER, PASSWORD, require_mutual=True), send, request())


def test_a_decoded_answer_is_no_proof_and_none_is_asked_for() -> None:
    world = World(qop=("auth-int",))

    def send(effect: Send) -> Received:
        received = world.send(effect)
        assert not effect.want or effect.request.values(b"accept-encoding") == [b"identity"]
        return Received(
            Response(received.response.status, (*received.response.headers, (b"content-encoding", b"gzip"))), b"x"
        )

    with pytest.raises(ServerUnproven, match="no proof"):
        ask(DigestAuth(USER, PASSWORD, require_mutual=True), send, request())


# ---- userhash and user names ----


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("name", [USER, "Jäsøn Doe"])
@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5-sess"])
def test_a_hashed_username_is_found(guard: str, name: str, algorithm: str) -> None:
    world = World(guard, userhash=True, algorithms=[algorithm])
    world.add(name, PASSWORD)
    assert world.get(DigestAuth(name, PASSWORD)) == 200
    sent = params(world.sent[-1])
    assert (sent["userhash"], sent["username"]) == ("true", user_hash(algorithm, name, REALM))
    identity = world.verdicts[-1]
    assert isinstance(identity, Identity) and identity.subject == name


def test_a_plain_username_is_accepted_where_hashes_are() -> None:
    world = World(userhash=True)
    plain = World(store=world.store)
    assert isinstance(world.judge(plain.signed()), Identity)


def test_add_user_writes_what_a_hashed_username_is_found_by() -> None:
    store = MemoryStore()
    store.add_user("Jäsøn", "one", realm=REALM, digest_algorithms=["SHA-256", "MD5-sess"])
    refs = [Ref(UserHash, (name, REALM, user_hash(name, "Jäsøn", REALM))) for name in ("SHA-256", "MD5")]
    assert [store.fetch([ref]).get(ref) for ref in refs] == [UserHash("Jäsøn")] * 2
    store.add_user("Jäsøn", "two", realm=REALM)
    assert [store.fetch([ref]).get(ref) for ref in refs] == [UserHash("Jäsøn"), None]


@pytest.mark.parametrize(
    ("given", "reason_of_it"),
    [
        ({"userhash": "yes"}, Reason.MALFORMED_CREDENTIALS), ({"username": "Mufasa"}, Reason.MALFORMED_CREDENTIALS),
        ({"username": "ab" * 32}, Reason.UNKNOWN_SUBJECT), ({"username*": "UTF-8''a"}, Reason.MALFORMED_CREDENTIALS),
        ({"username": None, "username*": "UTF-8''" + "ab" * 32}, Reason.MALFORMED_CREDENTIALS),
    ],
)  # fmt: skip
def test_a_hash_that_is_none_is_refused(given: dict[str, Any], reason_of_it: Reason) -> None:
    world = World(userhash=True)
    assert reason(world.judge(changed(world.signed(), **given))) is reason_of_it


def test_names_and_passwords_are_the_same_in_either_normal_form() -> None:
    world = World()
    world.add("J\u00e4son", "p\u00e4ss")
    assert world.get(DigestAuth("Ja\u0308son", "pa\u0308ss")) == 200


# ---- the challenge ----


def test_the_challenge_says_what_it_was_given() -> None:
    world = World(userhash=True, domain=("/a", "https://other.example/b"), opaque='o"p', qop=("auth-int", "auth"))
    refused = world.judge(request())
    assert isinstance(refused, Rejected)
    line = world.challenge(refused)
    for part in (
        b'domain="/a https://other.example/b"', b'opaque="o\\"p"', b'qop="auth,auth-int"', b"userhash=true", b"charset=UTF-8",
    ):  # fmt: skip
        assert part in line


def test_opaque_comes_back_or_stays_away_but_is_never_another() -> None:
    world = World(opaque="mine")
    signed = world.signed()
    assert params(signed)["opaque"] == "mine"
    assert reason(world.judge(changed(signed, opaque="yours"))) is Reason.MALFORMED_CREDENTIALS
    assert isinstance(world.judge(changed(signed, opaque=None)), Identity)


def test_a_host_without_md5_says_so_at_construction_and_its_client_passes_md5_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused() -> Any:
        raise ValueError("disabled for FIPS")

    monkeypatch.setitem(digests._HASHES, "md5", refused)
    with pytest.raises(ConfigurationError, match="FIPS"):
        DigestVerifier(realm=REALM, algorithms=["MD5"])
    with pytest.raises(ConfigurationError, match="FIPS"):
        DigestAuth(USER, PASSWORD, algorithms=["MD5"])
    answers = iter([Received(Response(401, {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'}))])
    assert ask(DigestAuth(USER, PASSWORD), lambda effect: next(answers), request()).status == 401


# ---- RFC 2069 ----


def legacy_request(world: World, target: str = "/") -> Request:
    signed = world.signed(target)
    md5 = algorithm_named("MD5")
    assert md5 is not None
    secret = hash_a1(md5, USER.encode(), REALM.encode(), PASSWORD.encode())
    nonce = params(signed)["nonce"]
    proof = legacy_response(md5, secret, nonce.encode(), hash_a2(md5, b"GET", target.encode())).decode()
    return changed(signed, qop=None, nc=None, cnonce=None, algorithm=None, response=proof)


@pytest.mark.parametrize("guard", GUARDS)
def test_rfc_2069_is_accepted_only_if_allowed_and_then_once(guard: str) -> None:
    strict, lenient = World(guard, algorithms=["MD5"]), World(guard, algorithms=["MD5"], allow_legacy_rfc2069=True)
    assert reason(strict.judge(legacy_request(strict))) is Reason.MALFORMED_CREDENTIALS
    signed = legacy_request(lenient)
    _, lines = lenient.admit(signed)
    assert not lines, "RFC 2069 has no proof of the server"
    again = lenient.judge(signed)
    assert reason(again) is Reason.REPLAYED and b"stale=true" in lenient.challenge(again)  # type: ignore[arg-type]
    other = to(legacy_request(lenient, "/a"), "/b")
    assert reason(lenient.judge(other)) is Reason.WRONG_TARGET


@pytest.mark.parametrize("options", [{"algorithms": ["MD5-sess"]}, {"algorithms": ["MD5"], "qop": ["auth-int"]}])
def test_rfc_2069_never_stands_in_for_what_it_does_not_know(options: dict[str, Any]) -> None:
    world = World(allow_legacy_rfc2069=True, **options)
    without = changed(world.signed(), qop=None, nc=None, cnonce=None)
    assert reason(world.judge(without)) is Reason.MALFORMED_CREDENTIALS


def test_the_client_answers_rfc_2069_only_if_allowed() -> None:
    def send(effect: Send) -> Received:
        sent.append(effect.request)
        asked = effect.request.values(b"authorization")
        return Received(Response(200 if asked else 401, {"WWW-Authenticate": 'Digest realm="r", nonce="n"'}))

    sent: list[Request] = []
    assert ask(DigestAuth(USER, PASSWORD), send, request()).status == 401
    assert ask(DigestAuth(USER, PASSWORD, allow_legacy_rfc2069=True), send, request()).status == 200
    assert not {"qop", "nc", "cnonce"} & params(sent[-1]).keys()


# ---- Authentication-Info ----


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("algorithm", [row.name for row in ALGORITHMS])
@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_the_server_proves_that_it_knows_the_password(guard: str, algorithm: str, qop: str) -> None:
    world = World(guard, algorithms=[algorithm], qop=[qop])
    signed = world.signed("/a?b")
    info, sent = info_of(world, signed), params(signed)
    assert {name: info[name] for name in ("cnonce", "nc", "qop")} == {
        name: sent[name] for name in ("cnonce", "nc", "qop")
    }
    row = algorithm_named(algorithm)
    assert row is not None
    key = hash_a1(row, USER.encode(), REALM.encode(), PASSWORD.encode())
    nonce, cnonce = sent["nonce"].encode(), sent["cnonce"].encode()
    if row.session:
        key = session_key(row, key, nonce, cnonce)
    a2 = hash_a2(row, b"", b"/a?b", octets_hash(row, world.answer) if qop == "auth-int" else None)
    assert info["rspauth"] == response(row, key, nonce, b"00000001", cnonce, qop.encode(), a2).decode()
    assert "nextnonce" not in info


def test_a_busy_client_is_challenged_once_and_never_again() -> None:
    world = World()
    auth = DigestAuth(USER, PASSWORD, require_mutual=True)
    while world.now < START + 2000:
        assert world.get(auth) == 200
        world.now += 60
    assert sum(isinstance(verdict, Rejected) for verdict in world.verdicts) == 1
    assert len({params(sent)["nonce"] for sent in world.sent[1:]}) > 5


def test_a_session_gets_no_next_nonce() -> None:
    world = World(algorithms=["SHA-256-sess"])
    signed = world.signed()
    world.now += 299
    assert "nextnonce" not in info_of(world, signed)


def test_the_client_of_a_session_goes_on_with_a_next_nonce_and_its_first_secret() -> None:
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        if len(sent) == 1:
            line = 'Digest realm="r", nonce="n1", algorithm=MD5-sess, qop="auth"'
            return Received(Response(401, {"WWW-Authenticate": line}))
        return Received(Response(200, {"Authentication-Info": 'nextnonce="n2"'}))

    auth = DigestAuth(USER, PASSWORD)
    ask(auth, send, request())
    ask(auth, send, request())
    first, second = params(sent[1]), params(sent[2])
    assert (second["nonce"], second["nc"]) == ("n2", "00000001")
    md5 = algorithm_named("MD5-sess")
    assert md5 is not None
    key = session_key(md5, hash_a1(md5, USER.encode(), b"r", PASSWORD.encode()), b"n1", first["cnonce"].encode())
    a2 = hash_a2(md5, b"GET", b"/")
    assert second["response"] == response(md5, key, b"n2", b"00000001", second["cnonce"].encode(), b"auth", a2).decode()


class Impostor:
    """Challenges, accepts anything, and says `info`."""

    def __init__(self, info: str | None, challenges: bool = True) -> None:
        self.info = info
        self.challenges = challenges

    def __call__(self, effect: Send) -> Received:
        if self.challenges and not effect.request.values(b"authorization"):
            line = 'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"'
            return Received(Response(401, {"WWW-Authenticate": line}))
        return Received(Response(200, {} if self.info is None else {"Authentication-Info": self.info}))


@pytest.mark.parametrize(
    ("info", "why"),
    [
        (None, "no proof"), ("", "no proof"), ('qop=auth, rspauth=""', "no proof"), ("rspauth", "no proof"),
        (f'rspauth="{"0" * 64}"', "a wrong proof"), ('rspauth="ä"', "a wrong proof"), ('rspauth="00", nextnonce="x"', "a wrong proof"),
    ],
)  # fmt: skip
def test_a_server_that_proves_nothing_is_reported_and_refused_on_demand(info: str | None, why: str) -> None:
    told: list[Unproven] = []
    assert ask(DigestAuth(USER, PASSWORD, on_unproven=told.append), Impostor(info), request()).status == 200
    assert told == [Unproven("https://api.example", "r", why)]
    auth = DigestAuth(USER, PASSWORD, require_mutual=True)
    with pytest.raises(ServerUnproven, match=why):
        ask(auth, Impostor(info), request())
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        ask(DigestAuth(USER, PASSWORD), Impostor(info), request())
    assert [one.category for one in warned] == ([UnprovenWarning] if why == "a wrong proof" else [])


def test_a_server_that_does_not_even_ask_is_refused_on_demand() -> None:
    with pytest.raises(ServerUnproven, match="asked for no credentials"):
        ask(DigestAuth(USER, PASSWORD, require_mutual=True), Impostor(None, challenges=False), request())


def test_a_next_nonce_beside_a_wrong_proof_is_not_believed() -> None:
    auth = DigestAuth(USER, PASSWORD, on_unproven=lambda unproven: None)
    impostor = Impostor('rspauth="00", nextnonce="chosen"')
    ask(auth, impostor, request())
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return impostor(effect)

    ask(auth, send, request())
    assert params(sent[0])["nonce"] == "n"


# ---- domain ----


def test_credentials_go_unasked_only_to_their_domain() -> None:
    world = World(domain=("/private", "https://other.example/also", "https://api.example/too"))
    auth = DigestAuth(USER, PASSWORD)
    for target in ("/private/a", "/public", "/private/b?c", "/too", "/public"):
        world.get(auth, target)
    unasked = [(sent.target.decode(), bool(sent.values(b"authorization"))) for sent in world.sent]
    assert unasked[:2] == [("/private/a", False), ("/private/a", True)]
    assert ("/private/b?c", True) in unasked and ("/private/b?c", False) not in unasked
    assert ("/too", True) in unasked and ("/too", False) not in unasked
    sent: list[Request] = []

    def elsewhere(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    ask(auth, elsewhere, Request("GET", "https", "other.example", "/also"))
    assert not sent[0].values(b"authorization"), "nothing goes unasked to another origin"


def test_a_domain_that_leaves_out_the_request_itself_is_passed_over() -> None:
    world = World(domain=("/elsewhere",))
    auth = DigestAuth(USER, PASSWORD)
    assert [world.get(auth, "/a"), world.get(auth, "/b")] == [200, 200]
    assert len(world.sent) == 3


def test_two_realms_of_one_origin_keep_a_session_each() -> None:
    worlds = {b"/a": World(realm="a", domain=("/a",)), b"/b": World(realm="b", domain=("/b",))}
    auth = DigestAuth(USER, PASSWORD)
    sent = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return worlds[effect.request.target[:2]].send(effect)

    for target in ("/a/1", "/b/1", "/a/2", "/b/2"):
        assert ask(auth, send, request(target)).status == 200
    assert len(sent) == 6


# ---- proxies ----


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("target", ["/a?b", "http://api.example/a", "*"])
def test_a_proxy_is_answered_and_proves_itself_in_fields_of_its_own(guard: str, target: str) -> None:
    world = World(guard, proxy=True)
    auth = DigestAuth(USER, PASSWORD, proxy=True, require_mutual=True)
    method = "OPTIONS" if target == "*" else "GET"
    asked = Request(method, "http", "api.example", target, {"Authorization": "Basic YTpi"})
    assert ask(auth, world.send, asked).status == 200
    sent = world.sent[-1]
    assert sent.values(b"authorization") == [b"Basic YTpi"], "the origin's stay as they are"
    assert sent.values(b"proxy-authorization")[0].startswith(b"Digest ")
    other = Request("GET", "http", "other.example", "/", ())
    assert ask(auth, world.send, other).status == 200
    assert len(world.sent) == 3, "all targets are of one proxy"


def test_connect_signs_its_authority() -> None:
    world = World(proxy=True)
    auth = DigestAuth(USER, PASSWORD, proxy=True)
    assert ask(auth, world.send, Request("CONNECT", "http", "api.example:443", "api.example:443")).status == 200
    assert b'uri="api.example:443"' in world.sent[-1].values(b"proxy-authorization")[0]
    moved = to(world.sent[-1], "other.example:443", authority="other.example:443")
    assert reason(world.judge(moved)) is Reason.WRONG_TARGET


def test_an_origin_s_401_is_no_matter_of_a_proxy_s_credentials() -> None:
    sent = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(401, {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'}))

    assert ask(DigestAuth(USER, PASSWORD, proxy=True), send, request()).status == 401
    assert len(sent) == 1
