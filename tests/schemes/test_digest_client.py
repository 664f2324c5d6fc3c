"""The client half against servers that are made up for the purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.schemes.digest_world import ask, context, params, request
from watchword import ConfigurationError, DigestAuth, Request, Response
from watchword.transport.flow import arun
from watchword.effects import Received, Send
from watchword.schemes.digest import client
from watchword.schemes.digest.computation import algorithm_named, hash_a1, hash_a2, response, session_key


class Server:
    """Answers with `script(n, request)` to the n-th request, or 200 for None."""

    def __init__(self, script: Callable[[int, Request], list[str] | int | None]) -> None:
        self.script = script
        self.sent: list[Request] = []

    def __call__(self, effect: Send) -> Received:
        self.sent.append(effect.request)
        answer = self.script(len(self.sent), effect.request)
        if answer is None:
            return Received(Response(200))
        if isinstance(answer, int):
            return Received(Response(answer))
        return Received(Response(401, [("WWW-Authenticate", line) for line in answer]))

    @property
    def credentials(self) -> list[dict[str, str] | None]:
        return [params(sent) if sent.values(b"authorization") else None for sent in self.sent]


def challenge(nonce: str = "n1", algorithm: str = "SHA-256", extra: str = "", realm: str = "r") -> str:
    return f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{extra}'


def always(*lines: str) -> Callable[[int, Request], list[str]]:
    return lambda n, asked: list(lines)


def once(*lines: str) -> Callable[[int, Request], list[str] | None]:
    return lambda n, asked: None if asked.values(b"authorization") else list(lines)


AUTH = ("Mufasa", "Circle of Life")


def test_nothing_is_sent_unasked() -> None:
    server = Server(lambda n, asked: None)
    assert ask(DigestAuth(*AUTH), server, request()).status == 200
    assert server.credentials == [None]


def test_a_401_for_ever_ends_after_one_answer() -> None:
    server = Server(always(challenge()))
    assert ask(DigestAuth(*AUTH), server, request()).status == 401
    assert len(server.sent) == 2


def test_new_nonces_for_ever_end_after_one_answer() -> None:
    server = Server(lambda n, asked: [challenge(f"n{n}")])
    assert ask(DigestAuth(*AUTH), server, request()).status == 401
    assert len(server.sent) == 2


def test_stale_for_ever_ends_after_two_answers() -> None:
    server = Server(lambda n, asked: [challenge(f"n{n}", extra=", stale=TRUE")])
    assert ask(DigestAuth(*AUTH), server, request()).status == 401
    assert len(server.sent) == 3


def test_stale_with_the_refused_nonce_is_not_answered() -> None:
    server = Server(always(challenge(extra=", stale=true")))
    assert ask(DigestAuth(*AUTH), server, request()).status == 401
    assert len(server.sent) == 2


def test_an_unasked_answer_that_is_refused_is_followed_by_two_more_at_most() -> None:
    auth = DigestAuth(*AUTH)
    ask(auth, Server(once(challenge())), request())
    server = Server(lambda n, asked: [challenge(f"m{n}", extra=", stale=true")])
    assert ask(auth, server, request()).status == 401
    assert len(server.sent) == 3


def test_a_server_that_forgot_its_nonce_without_saying_stale_is_answered_once() -> None:
    auth = DigestAuth(*AUTH)
    ask(auth, Server(once(challenge("old"))), request())
    server = Server(lambda n, asked: None if params(asked)["nonce"] == "new" else [challenge("new")])
    assert ask(auth, server, request()).status == 200
    assert [sent and sent["nonce"] for sent in server.credentials] == ["old", "new"]


class WEBrick:
    """WEBrick's Digest as it is set up by default: one nonce a second, and each nextnonce makes the secret of "-sess" anew."""

    def __init__(self, algorithm: str = "MD5-sess", changes_every: int = 3) -> None:
        self.algorithm = algorithm
        self.every = changes_every
        self.count = 0
        self.sent: list[Request] = []

    @property
    def nonce(self) -> str:
        return f"second-{self.count // self.every}"

    def __call__(self, effect: Send) -> Received:
        self.sent.append(effect.request)
        self.count += 1
        if effect.request.values(b"authorization"):
            given = params(effect.request)
            row = algorithm_named(self.algorithm)
            assert row is not None
            key = hash_a1(row, b"Mufasa", b"r", b"Circle of Life")
            nonce, cnonce = given["nonce"].encode(), given["cnonce"].encode()
            if row.session:
                key = session_key(row, key, nonce, cnonce)
            a2 = hash_a2(row, b"GET", given["uri"].encode(), None)
            expected = response(row, key, nonce, given["nc"].encode(), cnonce, b"auth", a2)
            if given["nonce"] == self.nonce and given["response"] == expected.decode():
                return Received(Response(200, {"Authentication-Info": f'nextnonce="{self.nonce}"'}))
        return Received(Response(401, {"WWW-Authenticate": challenge(self.nonce, self.algorithm)}))


@pytest.mark.parametrize("algorithm", ["MD5-sess", "SHA-256-sess", "MD5", "SHA-256"])
@pytest.mark.parametrize("changes_every", [3, 5, 7, 50])
def test_a_server_that_makes_the_secret_anew_with_each_nextnonce_is_answered_once_more(
    algorithm: str, changes_every: int
) -> None:
    server, auth = WEBrick(algorithm, changes_every), DigestAuth(*AUTH)
    assert [ask(auth, server, request(f"/{n}")).status for n in range(40)] == [200] * 40
    assert len(server.sent) <= 3 * 40


def test_with_a_password_that_was_right_before_a_repeated_nonce_is_answered_once() -> None:
    auth = DigestAuth(*AUTH)
    ask(auth, Server(once(challenge())), request())
    server = Server(always(challenge()))
    assert ask(auth, server, request()).status == 401
    assert [sent and sent["nonce"] for sent in server.credentials] == ["n1", "n1"]


def test_what_was_refused_is_not_sent_unasked_again() -> None:
    auth = DigestAuth(*AUTH)
    ask(auth, Server(once(challenge("old"))), request())
    server = Server(lambda n, asked: [challenge(f"m{n}")])
    assert ask(auth, server, request()).status == 401
    assert ask(auth, server, request()).status == 401
    assert [sent and sent["nonce"] for sent in server.credentials] == ["old", "m1", None, "m3"]


@pytest.mark.parametrize(
    "line",
    [
        'Basic realm="r"', "Digest", 'Digest realm="r", qop="auth"', challenge(algorithm="SHA-1"), challenge(algorithm="awezum"),
        'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth-conf"', 'Digest realm="r", nonce="n", algorithm=SHA-256',
        'Digest realm="r", nonce="n", qop=""', 'Digest realm="a\x01b", nonce="n", qop="auth"', "", ",,,", "Digest nonce",
    ],
)  # fmt: skip
def test_a_challenge_that_cannot_be_answered_is_the_caller_s_answer(line: str) -> None:
    server = Server(always(line))
    assert ask(DigestAuth(*AUTH), server, request()).status == 401
    assert len(server.sent) == 1


def test_a_401_without_a_challenge_is_the_caller_s_answer() -> None:
    server = Server(lambda n, asked: 401)
    assert ask(DigestAuth(*AUTH), server, request()).status == 401
    assert len(server.sent) == 1


def test_a_proxy_s_challenge_gets_no_answer_made_for_the_origin() -> None:
    sent = []

    def proxy(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(407, {"Proxy-Authenticate": challenge(), "WWW-Authenticate": challenge()}))

    assert ask(DigestAuth(*AUTH), proxy, request()).status == 407
    assert len(sent) == 1


@pytest.mark.parametrize("joined", [False, True])
def test_the_strongest_challenge_is_answered_wherever_it_stands(joined: bool) -> None:
    lines = [
        'Basic realm="r"',
        challenge("m", "MD5"),
        challenge("x", "awezum"),
        challenge("s", "sha-512-256"),
        challenge("t", "SHA-256"),
    ]
    server = Server(once(*([", ".join(lines)] if joined else lines)))
    assert ask(DigestAuth(*AUTH), server, request()).status == 200
    sent = server.credentials[1]
    assert sent is not None and (sent["nonce"], sent["algorithm"]) == ("s", "SHA-512-256")


@pytest.mark.parametrize("realm", ["r", "R", "r ", "", "another", "r\\\\"])
@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "md5"])
def test_an_origin_is_never_answered_with_less_than_it_accepted(realm: str, algorithm: str) -> None:
    auth = DigestAuth(*AUTH)
    ask(auth, Server(once(challenge("a", "SHA-256"))), request())
    weaker = Server(always(challenge("b", algorithm, ", stale=true", realm)))
    assert ask(auth, weaker, request()).status == 401
    assert [sent and sent["algorithm"] for sent in weaker.credentials] == ["SHA-256"]
    assert ask(auth, weaker, request("/elsewhere")).status == 401
    assert not any(sent and sent["algorithm"].upper() != "SHA-256" for sent in weaker.credentials)
    stronger = Server(once(challenge("c", "SHA-512-256")))
    assert ask(auth, stronger, request()).status == 200


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_strong_challenge_is_no_measure_before_an_answer_to_it_was_accepted(status: int) -> None:
    """Else whoever forges one challenge locks the user out of a server that knows MD5 alone."""
    auth = DigestAuth(*AUTH)
    forged = Server(lambda n, asked: [challenge("f", "SHA-512-256")] if n == 1 else status)
    assert ask(auth, forged, request()).status == status
    genuine = Server(lambda n, asked: None if "MD5" in str(asked.values(b"authorization")) else [challenge("g", "MD5")])
    assert ask(auth, genuine, request()).status == 200


def test_a_wrong_proof_is_no_measure() -> None:
    auth = DigestAuth(*AUTH, on_unproven=lambda unproven: None)

    def impostor(effect: Send) -> Received:
        if not effect.request.values(b"authorization"):
            return Received(Response(401, {"WWW-Authenticate": challenge("f", "SHA-512-256")}))
        return Received(Response(200, {"Authentication-Info": f'rspauth="{"0" * 64}"'}))

    assert ask(auth, impostor, request()).status == 200
    genuine = Server(lambda n, asked: None if "MD5" in str(asked.values(b"authorization")) else [challenge("g", "MD5")])
    assert ask(auth, genuine, request()).status == 200


def test_within_one_request_no_weaker_challenge_follows_a_stronger_one() -> None:
    server = Server(lambda n, asked: [challenge("a", "SHA-256"), challenge("b", "MD5", ", stale=true")][n > 1 :][:1])
    assert ask(DigestAuth(*AUTH), server, request()).status == 401
    assert [sent and sent["algorithm"] for sent in server.credentials] == [None, "SHA-256"]


def test_algorithms_that_are_named_are_answered_whatever_was_accepted_before() -> None:
    auth = DigestAuth(*AUTH, algorithms=["SHA-256", "MD5"])
    ask(auth, Server(once(challenge("a", "SHA-256"))), request())
    old_part = Server(lambda n, asked: None if n == 2 else [challenge("c", "MD5", realm="old part")])
    assert ask(auth, old_part, request("/old")).status == 200


def test_another_origin_has_a_measure_of_its_own() -> None:
    auth = DigestAuth(*AUTH)
    ask(auth, Server(once(challenge("a", "SHA-256"))), request())
    elsewhere = Request("GET", "https", "other.example", "/")
    server = Server(once(challenge("b", "MD5")))
    assert ask(auth, server, elsewhere).status == 200
    assert server.credentials[0] is None, "nothing goes unasked to another origin"


@pytest.mark.parametrize(
    "other", [("http", "api.example"), ("https", "api.example:8443"), ("https", "api.example.evil")]
)
def test_a_nonce_is_kept_per_origin(other: tuple[str, str]) -> None:
    auth = DigestAuth(*AUTH)
    ask(auth, Server(once(challenge())), request())
    server = Server(lambda n, asked: None)
    ask(auth, server, Request("GET", *other, "/"))
    assert server.credentials == [None]


def test_opaque_comes_back_as_it_came_and_only_if_it_came() -> None:
    server = Server(once('Digest realm="a \\"b\\", c", nonce="n\\\\", opaque="o, \\"p", qop="auth"'))
    assert ask(DigestAuth('q"uote', "x"), server, request()).status == 200
    sent = server.credentials[1]
    assert sent is not None
    assert (sent["username"], sent["realm"], sent["nonce"], sent["opaque"]) == ('q"uote', 'a "b", c', "n\\", 'o, "p')
    assert "algorithm" not in sent
    plain = Server(once(challenge()))
    ask(DigestAuth(*AUTH), plain, request())
    assert "opaque" not in (plain.credentials[1] or {})


@pytest.mark.parametrize(
    ("extra", "username", "password", "charset"),
    [
        (", charset=UTF-8", "Jäsøn", "pässword", "utf-8"), (', charset="utf-8"', "Jäsøn", "pässword", "utf-8"),
        ("", "Jäsøn", "pässword", "latin-1"), (", charset=ISO-8859-1", "Jäsøn", "pässword", "latin-1"),
        ("", "мария", "пароль", "utf-8"), ("", "Jäsøn", "пароль", "utf-8"),
    ],
)  # fmt: skip
def test_the_server_s_charset_is_followed(extra: str, username: str, password: str, charset: str) -> None:
    server = Server(once(challenge(extra=extra)))
    ask(DigestAuth(username, password), server, request())
    sent = server.credentials[1]
    octets = username.encode(charset)
    assert sent is not None and sent["username"].encode("latin-1") == octets
    sha = algorithm_named("SHA-256")
    assert sha is not None
    a1, a2 = hash_a1(sha, octets, b"r", password.encode(charset)), hash_a2(sha, b"GET", b"/")
    proof = response(sha, a1, b"n1", b"00000001", sent["cnonce"].encode(), b"auth", a2)
    assert sent["response"] == proof.decode()


def test_a_session_algorithm_keeps_its_first_cnonce() -> None:
    auth = DigestAuth(*AUTH)
    server = Server(once(challenge(algorithm="SHA-256-sess")))
    assert [ask(auth, server, request()).status for _ in range(3)] == [200] * 3
    sent = [credentials for credentials in server.credentials if credentials]
    assert len({credentials["cnonce"] for credentials in sent}) == 1
    sha = algorithm_named("SHA-256-sess")
    assert sha is not None
    cnonce = sent[0]["cnonce"].encode()
    key = session_key(sha, hash_a1(sha, b"Mufasa", b"r", b"Circle of Life"), b"n1", cnonce)
    expected = [
        response(sha, key, b"n1", b"%08x" % n, cnonce, b"auth", hash_a2(sha, b"GET", b"/")).decode() for n in (1, 2, 3)
    ]
    assert [credentials["response"] for credentials in sent] == expected


def test_a_nonce_whose_count_is_used_up_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_COUNT", 2)
    auth = DigestAuth(*AUTH)
    server = Server(once(challenge()))
    for _ in range(3):
        assert ask(auth, server, request()).status == 200
    assert [sent and sent["nc"] for sent in server.credentials] == [None, "00000001", "00000002", None, "00000001"]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_ORIGINS", 3)
    auth = DigestAuth(*AUTH)
    for n in range(9):
        one_of_many = Request("GET", "https", f"{n}.example", "/")
        assert ask(auth, Server(once(challenge(realm=f"r{n}"))), one_of_many).status == 200
        assert ask(auth, Server(another_realm(f"s{n}")), request()).status == 200
    assert len(auth._spaces) == 3


def another_realm(realm: str) -> Callable[[int, Request], list[str] | None]:
    """One that challenges the first request, whatever it has."""
    return lambda n, asked: None if n == 2 else [challenge(f"x-{realm}", realm=realm)]


def test_another_status_after_the_answer_is_the_caller_s_and_the_nonce_is_kept() -> None:
    auth = DigestAuth(*AUTH)
    server = Server(lambda n, asked: 503 if asked.values(b"authorization") else [challenge()])
    assert ask(auth, server, request()).status == 503
    assert ask(auth, server, request()).status == 503
    assert [bool(sent) for sent in server.credentials] == [False, True, True]


def test_the_caller_s_own_authorization_is_replaced_not_doubled() -> None:
    server = Server(lambda n, asked: None if n == 2 else [challenge()])
    ask(DigestAuth(*AUTH), server, request(headers={"Authorization": "Bearer mine"}))
    assert [len(sent.values(b"authorization")) for sent in server.sent] == [1, 1]


@pytest.mark.parametrize(("username", "password"), [("a\nb", "x"), ("a\x7f", "x"), ("\ud800", "x"), ("x", "\ud800")])
def test_a_username_that_no_header_carries_is_a_configuration_error(username: str, password: str) -> None:
    with pytest.raises(ConfigurationError):
        DigestAuth(username, password)


def test_1000_tasks_share_one_auth_and_no_count_is_used_twice() -> None:
    auth = DigestAuth(*AUTH)
    server = Server(once(challenge()))
    ask(auth, server, request())

    async def send(effect: Send) -> Received:
        await asyncio.sleep(0)
        return server(effect)

    async def all_of_them() -> list[int]:
        answers = await asyncio.gather(*(arun(auth, request(), send, context()) for _ in range(1000)))
        return [answer.response.status for answer in answers]

    assert asyncio.run(all_of_them()) == [200] * 1000
    counts = [params(sent)["nc"] for sent in server.sent[1:]]
    assert sorted(counts) == [f"{n:08x}" for n in range(1, 1002)]
