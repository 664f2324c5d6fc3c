"""`HTTPDigestAuth` of the drop-in: genuine clients get in, by each algorithm and qop, without a cookie."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from werkzeug.exceptions import ServiceUnavailable

from tests.attacks.flask_httpauth.programs import (
    PASSWORD, REALM, USER, app_of, challenge_of, credentials, digest_of,
)  # fmt: skip
from watchword import ConfigurationError, DigestAuth, Policy, PublicURL, StoreUnavailable
from watchword.core.attempts import AttemptPolicy, Window
from watchword.dropin import flask_httpauth as dropin
from watchword.dropin.flask_httpauth import HTTPDigestAuth
from watchword.stores import AsyncSQLStore, MemoryStore
from watchword.testing.flask import Client


def client_of(app: Any, password: str, **settings: Any) -> Any:
    """A test client that answers challenges by our own client half."""
    app.test_client_class = Client
    return app.test_client(auth=DigestAuth(USER, password, **settings))


@pytest.mark.parametrize("qop", ["auth", "auth-int", "auth,auth-int", ["auth"]])
@pytest.mark.parametrize("algorithm", ["md5", "MD5-sess", "SHA-256", "sha-256-sess", "SHA-512-256"])
def test_a_client_gets_in_by_every_algorithm_and_qop(algorithm: str, qop: Any) -> None:
    app = app_of(digest_of(dropin, algorithm=algorithm, qop=qop))
    client = client_of(app, PASSWORD)
    for number in range(3):
        assert client.post(f"/orders?id={number}", data="body").text == f"hello {USER} body"
    assert client_of(app, "wrong").get("/").status_code == 401


def test_the_server_proves_the_password_in_return() -> None:
    app = app_of(digest_of(dropin))
    assert client_of(app, PASSWORD, require_mutual=True).get("/").text == f"hello {USER}"


def test_the_challenge_is_spelled_as_flask_httpauth_spells_it() -> None:
    told = app_of(digest_of(dropin, realm='the "ring"')).test_client().get("/").headers["WWW-Authenticate"]
    before, nonce, opaque, algorithm, qop = told.split(",")
    assert before == 'Digest realm="the \\"ring\\""'
    assert (algorithm, qop) == ('algorithm="MD5"', 'qop="auth"')
    for value in (nonce, opaque):
        assert int(value.partition("=")[2].strip('"'), 16)
    old = app_of(digest_of(dropin, qop=None)).test_client().get("/").headers["WWW-Authenticate"]
    assert [part.partition("=")[0] for part in old.split(",")] == ["Digest realm", "nonce", "opaque"]


def test_settings_may_be_changed_until_the_first_request() -> None:
    auth = digest_of(dropin, qop=["foo", "bar"])
    assert (auth.qop, auth.algorithm) == (["foo", "bar"], "MD5")
    auth.qop, auth.algorithm, auth.realm = ["auth"], "SHA-256", "orders"
    client = app_of(auth).test_client()
    told = challenge_of(client.get("/"))
    assert (told["realm"], told["algorithm"]) == ("orders", "SHA-256")
    assert client.get("/", headers=credentials(told, hash_name="sha256")).text == f"hello {USER}"
    assert HTTPDigestAuth(algorithm="md5-SESS").algorithm == "MD5-Sess"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"algorithm": "SHA-1"}, "SHA-1"),
        ({"store": MemoryStore}, "SQLStore"),
        ({"store": 7}, "SQLStore"),
    ],
)
def test_a_wrong_setting_is_refused(settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HTTPDigestAuth(**settings)


def test_an_async_store_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not async"):
        HTTPDigestAuth(store=AsyncSQLStore("sqlite://"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"qop": ["foo"]}, "qop is a list"),
        ({"qop": None, "algorithm": "SHA-256"}, "RFC 2069"),
        ({"realm": "a\nb"}, "control characters"),
        ({"nonce_lifetime": -1}, "nonce_lifetime"),
    ],
)
def test_a_setting_that_fits_no_engine_is_refused_at_the_first_request(settings: Any, message: str) -> None:
    app = app_of(digest_of(dropin, **settings))
    app.testing = True
    with pytest.raises(ConfigurationError, match=message):
        app.test_client().get("/")


@pytest.mark.parametrize("make", ["nonce", "opaque"])
def test_values_that_nobody_verifies_are_refused(make: str) -> None:
    auth = digest_of(dropin)
    getattr(auth, f"generate_{make}")(lambda: "value")
    app = app_of(auth)
    app.testing = True
    with pytest.raises(ConfigurationError, match=f"needs verify_{make}"):
        app.test_client().get("/")


def test_a_hash_is_as_good_as_the_password() -> None:
    auth = HTTPDigestAuth(use_ha1_pw=True)
    stored = auth.generate_ha1(USER, PASSWORD)
    assert stored == hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
    auth.get_password({USER: stored}.get)
    client = app_of(auth).test_client()
    assert client.get("/", headers=credentials(challenge_of(client.get("/")))).text == f"hello {USER}"


def test_a_password_that_is_no_text_is_an_error() -> None:
    auth = HTTPDigestAuth()
    auth.get_password(lambda username: b"octets")
    app = app_of(auth)
    app.testing = True
    client = app.test_client()
    with pytest.raises(TypeError, match="text or None, not bytes"):
        client.get("/", headers=credentials(challenge_of(client.get("/"))))


def test_another_scheme_word_is_spoken_in_both_directions() -> None:
    client = app_of(digest_of(dropin, scheme="xDigest")).test_client()
    answer = client.get("/")
    assert answer.headers["WWW-Authenticate"].startswith("xDigest realm=")
    told = challenge_of(answer)
    told["realm"] = REALM
    value = credentials(told)["Authorization"]
    assert client.get("/", headers={"Authorization": value}).status_code == 401
    assert client.get("/", headers={"Authorization": f"x{value}"}).text == f"hello {USER}"


async def made() -> str:
    return "made here"


async def verified(value: str | None) -> bool:
    return value == "made here"


@pytest.mark.parametrize(
    ("make", "verify"),
    [(lambda: "made here", lambda value: value == "made here"), (made, verified)],
    ids=["plain", "async"],
)
def test_nonce_and_opaque_may_be_the_applications_own(make: Any, verify: Any) -> None:
    auth = digest_of(dropin)
    auth.generate_nonce(make)
    auth.verify_nonce(verify)
    auth.generate_opaque(make)
    auth.verify_opaque(verify)
    client = app_of(auth).test_client()
    told = challenge_of(client.get("/"))
    assert (told["nonce"], told["opaque"]) == ("made here", "made here")
    for number in range(1, 4):
        assert client.get("/", headers=credentials(told, nc=f"{number:08x}")).status_code == 200
    assert client.get("/", headers=credentials(told | {"nonce": "other"})).status_code == 401
    for opaque in ("other", None):
        assert client.get("/", headers=credentials(told, opaque=opaque, nc="0000000f")).status_code == 401


def test_a_nonce_of_the_applications_own_is_answered_where_no_challenge_was_sent_before() -> None:
    """Another worker has sent it; here there is no key yet, under which the uses of nonces are told apart."""
    auth = digest_of(dropin)
    auth.generate_nonce(lambda: "n1")
    auth.verify_nonce(lambda nonce: nonce == "n1")
    app = app_of(auth)
    app.secret_key = None
    client = app.test_client()
    refused = client.get("/", headers=credentials({"realm": REALM, "nonce": "n1"}))
    assert challenge_of(refused)["stale"] == "true"
    assert client.get("/", headers=credentials(challenge_of(refused))).status_code == 200


def test_an_application_may_ask_more_of_our_nonces() -> None:
    auth, seen = digest_of(dropin), []
    auth.verify_nonce(lambda nonce: seen.append(nonce) or len(seen) < 3)
    client = app_of(auth).test_client()
    told = challenge_of(client.get("/"))
    statuses = [client.get("/", headers=credentials(told, nc=f"{n:08x}")).status_code for n in (1, 2, 3)]
    assert (statuses, seen) == ([200, 200, 401], [told["nonce"]] * 3)


def test_verify_nonce_is_asked_once_though_the_request_is_judged_anew() -> None:
    """Two requests begin a session at once: one of them is judged again, and the nonce may be used up meanwhile."""
    auth = digest_of(dropin, algorithm="MD5-Sess")
    seen: list[str] = []
    auth.verify_nonce(lambda nonce: seen.append(nonce) or True)
    store = auth._state._kept
    real, first = store.commit, []

    def commit(writes: Any) -> Any:
        if len(writes) == 2 and not first:  # the mark of the use, and the first client nonce
            first.append(real([writes[1]]))
        return real(writes)

    auth._state.commit = commit
    client = app_of(auth).test_client()
    told = challenge_of(client.get("/"))
    session = hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
    ha1 = hashlib.md5(f"{session}:{told['nonce']}:c0ffee".encode()).hexdigest()
    assert client.get("/", headers=credentials(told, ha1=ha1)).status_code == 200
    assert (len(first), seen) == (1, [told["nonce"]])


def test_workers_know_each_others_nonces_by_the_secret_key() -> None:
    one, other, third = app_of(digest_of(dropin)), app_of(digest_of(dropin)), app_of(digest_of(dropin))
    third.secret_key = b"another application"
    told = challenge_of(one.test_client().get("/"))
    assert other.test_client().get("/", headers=credentials(told)).status_code == 200
    refused = third.test_client().get("/", headers=credentials(told))
    assert challenge_of(refused)["stale"] == "true"


def test_without_a_secret_key_the_store_has_the_key() -> None:
    store = MemoryStore()
    apps = [app_of(digest_of(dropin, store=store)), app_of(digest_of(dropin, store=store)), app_of(digest_of(dropin))]
    for app in apps:
        app.secret_key = None
    told = challenge_of(apps[0].test_client().get("/"))
    assert [app.test_client().get("/", headers=credentials(told)).status_code for app in apps[1:]] == [200, 401]
    told = challenge_of(apps[2].test_client().get("/"))
    assert apps[2].test_client().get("/", headers=credentials(told)).status_code == 200


def test_a_busy_client_is_never_challenged_again() -> None:
    now = [1_000_000.0]
    policy = Policy(clock=lambda: now[0], attempts=None)
    client = app_of(digest_of(dropin, store=MemoryStore(clock=lambda: now[0]), policy=policy)).test_client()
    told = challenge_of(client.get("/"))
    now[0] += 290
    said = client.get("/", headers=credentials(told)).headers["Authentication-Info"]
    after = said.partition('nextnonce="')[2].rstrip('"')
    now[0] += 200
    assert client.get("/", headers=credentials(told | {"nonce": after})).status_code == 200


def test_the_view_reads_the_body_that_auth_int_has_covered() -> None:
    auth = digest_of(dropin, qop="auth-int")
    client = app_of(auth).test_client()
    told = challenge_of(client.get("/"))
    fields = credentials(told, "POST", qop="auth-int", body="pay alice")
    assert client.post("/", headers=fields, data="pay mallory").status_code == 401
    fields = credentials(told, "POST", qop="auth-int", body="pay alice", nc="00000002")
    assert client.post("/", headers=fields, data="pay alice").text == f"hello {USER} pay alice"


def test_a_proxy_that_takes_a_prefix_away_is_told_of_by_a_policy() -> None:
    policy = Policy(public_url=PublicURL("http://localhost", prefix="/shop"), attempts=None)
    client = app_of(digest_of(dropin, policy=policy)).test_client()
    for uri, status in (("/shop/orders", 200), ("/orders", 401)):
        told = challenge_of(client.get("/orders"))
        assert client.get("/orders", headers=credentials(told, uri=uri)).status_code == status


def test_attempts_are_limited_where_a_policy_says_so() -> None:
    policy = Policy(attempts=AttemptPolicy(pair=[Window(2, 60)]))
    client = app_of(digest_of(dropin, policy=policy)).test_client()
    statuses = []
    for number in range(3):
        told = challenge_of(client.get("/"))
        answer = client.get("/", headers=credentials(told, password=f"guess {number}"))
        statuses.append(answer.status_code)
    assert statuses == [401, 401, 429]
    assert int(answer.headers["Retry-After"]) > 0
    assert "WWW-Authenticate" not in answer.headers
    anybody = app_of(digest_of(dropin)).test_client()
    for number in range(30):
        told = challenge_of(anybody.get("/"))
        assert anybody.get("/", headers=credentials(told, password=f"guess {number}")).status_code == 401


def test_a_store_that_does_not_answer_is_503_and_lets_nobody_in() -> None:
    class Down(MemoryStore):
        def fetch(self, refs: Any, /) -> Any:
            raise StoreUnavailable("down")

        commit = fetch

    client = app_of(digest_of(dropin, store=Down())).test_client()
    told = {"realm": REALM, "nonce": "0" * 72}
    assert client.get("/").status_code == 503
    assert client.get("/", headers=credentials(told)).status_code == 503
    auth = digest_of(dropin, store=Down())
    app = app_of(auth)
    app.secret_key = None
    with app.test_request_context(), pytest.raises(ServiceUnavailable):
        auth.get_nonce()


def test_an_optional_view_sees_who_has_logged_in_and_nobody_else() -> None:
    auth = digest_of(dropin)
    client, guarded = app_of(auth, optional=True).test_client(), app_of(auth).test_client()
    told = challenge_of(guarded.get("/"))
    assert client.get("/", headers=credentials(told)).text == f"hello {USER}"
    assert client.get("/", headers=credentials(told, nc="00000002", password="wrong")).text == "hello None"
    assert client.get("/").text == "hello None"


def test_an_optional_view_asks_a_client_again_whose_nonce_has_ended_so_that_nobody_is_logged_out_by_it() -> None:
    now = [1_000_000.0]
    policy = Policy(clock=lambda: now[0], attempts=None)
    auth = digest_of(dropin, store=MemoryStore(clock=lambda: now[0]), policy=policy)
    for served in (auth, dropin.MultiAuth(auth)):
        client = app_of(served, optional=True).test_client()
        told = challenge_of(app_of(auth).test_client().get("/"))
        now[0] += 301
        told = challenge_of(client.get("/", headers=credentials(told)))
        assert told["stale"] == "true"
        assert client.get("/", headers=credentials(told)).text == f"hello {USER}"


def test_a_hook_and_a_view_may_both_ask_of_the_same_request() -> None:
    auth = digest_of(dropin)
    auth.get_user_roles(lambda sent: {USER: "admin"}.get(sent.username))
    app = app_of(auth, role="admin")
    app.before_request(auth.login_required(lambda: None))
    client = app.test_client()
    told = challenge_of(client.get("/"))
    answer = client.get("/", headers=credentials(told))
    assert (answer.status_code, len(answer.headers.getlist("Authentication-Info"))) == (200, 1)
    assert client.get("/", headers=credentials(told)).status_code == 401


def test_what_was_proven_by_one_secret_is_not_proven_by_another() -> None:
    auth = digest_of(dropin)
    app = app_of(auth)
    fields = credentials(challenge_of(app.test_client().get("/")))
    with app.test_request_context(headers=fields):
        sent = auth.get_auth()
        assert [auth.authenticate(sent, stored) for stored in ("old", PASSWORD, PASSWORD, "new")] == [
            False,
            True,
            True,
            False,
        ]


def test_opaque_is_verified_for_every_request() -> None:
    auth, seen = digest_of(dropin), []
    auth.verify_opaque(lambda opaque: seen.append(opaque) or len(seen) < 3)
    client = app_of(auth).test_client()
    told = challenge_of(client.get("/"))
    statuses = [client.get("/", headers=credentials(told, nc=f"{n:08x}")).status_code for n in (1, 2, 3)]
    assert (statuses, seen) == ([200, 200, 401], [told["opaque"]] * 3)


def test_nonces_and_challenges_can_be_asked_for() -> None:
    auth = digest_of(dropin)
    app = app_of(auth)
    with app.test_request_context():
        assert auth.get_nonce() != auth.get_nonce()
        assert auth.authenticate_header().startswith("Digest realm=")
        assert auth.get_auth() is None
        assert repr(auth._state) == f"DigestState({auth._state._kept!r})"
