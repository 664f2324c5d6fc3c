"""`explain` of Digest: the first failed check is why `decide` refused, and no secret is shown."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Callable

import pytest

from tests.schemes.digest_world import PASSWORD, REALM, USER, World, changed, params, request, to
from watchword import DigestAuth, Rejected, Request, explain
from watchword.schemes.digest import ha1
from watchword.schemes.digest.computation import (
    algorithm_named, hash_a1, hash_a2, octets_hash, response, session_key,
)  # fmt: skip

Spoil = Callable[[World], Request]

NAMES = ["format", "realm", "algorithm", "qop", "uri", "nonce", "nc", "user", "response"]


def test_a_genuine_request_passes_every_check_in_order() -> None:
    world = World("Guard")
    found = explain(world.signed("/a?b"), world.guard, at=world.now)
    assert found.accepted and found.identity is not None and found.identity.subject == USER
    assert [check.name for check in found.checks] == [*NAMES, "single use"]
    assert all(check.passed for check in found.checks)
    assert found.canonical == f"A1: {USER}:{REALM}:(password)\nA2: GET:/a?b"


@pytest.mark.parametrize(
    ("spoil", "first", "component"),
    [
        (lambda world: changed(world.signed(), realm="theirs"), "realm", "authorization realm"),
        (lambda world: changed(world.signed(), algorithm="MD5"), "algorithm", "authorization algorithm"),
        (lambda world: changed(world.signed(), algorithm="awezum"), "algorithm", "authorization algorithm"),
        (lambda world: changed(world.signed(), qop=None, nc=None, cnonce=None), "qop", "authorization qop"),
        (lambda world: to(world.signed("/a"), "/b"), "uri", "@path"),
        (lambda world: to(world.signed("/a?b"), "/a?c"), "uri", "@query"),
        (lambda world: changed(world.signed("/a"), uri="/b"), "uri", "authorization uri"),
        (lambda world: to(world.signed("/a%20b"), exact=False), "uri", "authorization uri"),
        (lambda world: changed(world.signed(), nonce="x" * 48), "nonce", "authorization nonce"),
        (lambda world: world.signed(auth=DigestAuth("nobody", "x")), "user", "authorization username"),
        (lambda world: to(world.signed(), method="DELETE"), "response", "@method"),
        (lambda world: world.signed(auth=DigestAuth(USER, "guess")), "response", "authorization response"),
    ],
)  # fmt: skip
def test_the_first_failed_check_is_the_reason(spoil: Spoil, first: str, component: str) -> None:
    world = World("Guard")
    asked = spoil(world)
    found = explain(asked, world.guard, at=world.now)
    verdict = world.judge(asked)
    assert isinstance(verdict, Rejected)
    assert not found.accepted and found.reason is verdict.reason
    assert (found.causes[0].name, found.causes[0].component) == (first, component)
    assert found.causes[0].mend
    assert [check.name for check in found.checks] == NAMES, "none is skipped after a failure"


@pytest.mark.parametrize(
    ("spell", "what"),
    [(lambda nonce: nonce.translate(str.maketrans("-_", "+/")), "another encoding"), (lambda nonce: urlsafe_b64decode(nonce).hex(), "in hex")],
)  # fmt: skip
def test_a_nonce_that_was_written_otherwise_is_told(spell: Callable[[str], str], what: str) -> None:
    world = World("Guard")
    while spell(nonce_of(asked := world.signed())) == nonce_of(asked):  # it has nothing that is written otherwise there
        world.now += 1
    spelled = spell(nonce_of(asked))
    first = explain(changed(asked, nonce=spelled), world.guard, at=world.now).causes[0]
    assert first.component == "authorization nonce"
    assert what in f"{first.mend} {first.received}", first


def nonce_of(asked: Request) -> str:
    return params(asked)["nonce"]


@pytest.mark.parametrize(("sent", "what"), [(USER.upper(), "in upper case"), (f"{USER} ", "a space at its end")])
def test_a_name_that_is_nearly_one_is_told(sent: str, what: str) -> None:
    world = World("Guard")
    first = explain(world.signed(auth=DigestAuth(sent, PASSWORD)), world.guard, at=world.now).causes[0]
    assert (first.name, first.expected) == ("user", USER)
    assert what in first.mend


def test_an_expired_nonce_is_told_with_its_age() -> None:
    world = World("Guard")
    asked = world.signed()
    world.now += 400
    (cause,) = explain(asked, world.guard, at=world.now).causes
    assert (cause.name, cause.received) == ("nonce", "made 400 s ago")


def test_a_replay_is_told_and_explaining_uses_nothing_up() -> None:
    world = World("Guard")
    asked = world.signed()
    assert explain(asked, world.guard, at=world.now).accepted
    world.verify(asked)
    (cause,) = explain(asked, world.guard, at=world.now).causes
    assert cause.name == "single use"


def test_no_secret_is_shown_nor_a_whole_response_that_would_be_accepted() -> None:
    world = World("Guard")
    asked = world.signed(auth=DigestAuth(USER, "guess"))
    text = str(explain(asked, world.guard, at=world.now)) + explain(asked, world.guard, at=world.now).to_json()
    secret = ha1("SHA-256", USER, REALM, PASSWORD)
    claim = world.verifier.read(asked)
    assert claim.algorithm is not None
    resource = hash_a2(claim.algorithm, b"GET", b"/")
    assert claim.expected(secret.encode(), resource).decode() not in text
    assert secret not in text and PASSWORD not in text and "guess" not in text
    assert params(asked)["response"] not in text


def test_a_request_without_credentials_has_that_as_its_cause() -> None:
    world = World("Guard")
    assert [check.name for check in explain(request(), world.guard, at=world.now).checks] == ["no_credentials"]


# ---- what a wrong response was made of ----

OFFERED = {"algorithms": ["SHA-256", "SHA-256-sess"], "qop": ["auth", "auth-int"]}


def forged(world: World, **wrong: bytes | None) -> Request:
    """A request whose response was made with something else than its parameters say."""
    signed = world.signed(
        "/a?b", "POST", DigestAuth(USER, PASSWORD, algorithms=["SHA-256"], auth_int="qop" not in wrong)
    )
    given = {name: value.encode("latin-1") for name, value in params(signed).items()}
    sha = algorithm_named("SHA-256")
    assert sha is not None
    key = hash_a1(sha, USER.encode(), REALM.encode(), PASSWORD.encode())
    if "bound" in wrong:
        key = session_key(sha, key, given["nonce"], given["cnonce"])
    body = octets_hash(sha, b"") if given["qop"] == b"auth-int" and "qop" not in wrong else None
    if wrong.get("qop") == b"auth-int":
        body = octets_hash(sha, b"")
    a2 = hash_a2(sha, wrong.get("method") or b"POST", wrong.get("uri") or given["uri"], body)
    parts = {name: wrong.get(name, given[name]) or b"" for name in ("nc", "cnonce", "qop")}
    return changed(
        signed, response=response(sha, key, given["nonce"], parts["nc"], parts["cnonce"], parts["qop"], a2).decode()
    )


@pytest.mark.parametrize(
    ("wrong", "component", "received"),
    [
        ({"method": b"PUT"}, "@method", "PUT"), ({"uri": b"/a"}, "authorization uri", "/a"),
        ({"uri": b"https://api.example/a?b"}, "authorization uri", "https://api.example/a?b"),
        ({"nc": b"1"}, "authorization nc", "1"), ({"qop": b"auth-int"}, "authorization qop", "auth-int"),
        ({"cnonce": b""}, "authorization cnonce", "an empty value"), ({"bound": b""}, "authorization algorithm", "A1 with a session"),
    ],
)  # fmt: skip
def test_the_part_that_was_hashed_otherwise_is_named(wrong: dict[str, bytes], component: str, received: str) -> None:
    world = World(**OFFERED)
    (cause,) = explain(forged(world, **wrong), world.guard, at=world.now).causes
    assert (cause.component, cause.received) == (component, received)


def test_a_client_that_hashes_an_empty_body_is_told() -> None:
    world = World(**OFFERED)
    (cause,) = explain(forged(world), world.guard, b"not empty", at=world.now).causes
    assert cause.component == "body"
    assert "an empty body" in cause.mend


def test_a_hashed_name_is_explained_by_the_name() -> None:
    world = World(userhash=True)
    found = explain(world.signed(), world.guard, at=world.now)
    assert found.accepted and found.canonical.startswith(f"A1: {USER}:{REALM}:(password)\n")
    (user,) = [check for check in found.checks if check.name == "user"]
    assert user.received == f"{USER!r}, hashed"
    unknown = explain(changed(world.signed(), username="ab" * 32), world.guard, at=world.now)
    assert unknown.causes[0].name == "user"


def test_the_body_s_hash_is_part_of_the_canonical_string() -> None:
    world = World(qop=["auth-int"])
    found = explain(world.signed("/", "POST", body=b"x"), world.guard, b"x", at=world.now)
    sha = algorithm_named("SHA-256")
    assert sha is not None
    assert found.accepted and found.canonical.endswith(f"A2: POST:/:{octets_hash(sha, b'x').decode()}")
