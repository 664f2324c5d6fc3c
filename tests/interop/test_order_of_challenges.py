"""Clients that read one line of a 401, or all of them as one challenge, find in it what they can answer."""

from __future__ import annotations

import itertools
import random
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import httpx2
import pytest
import requests
from requests.auth import HTTPDigestAuth
from requests.utils import parse_dict_header

from tests.clients.origin import Origin, guarded, origin
from tests.core.fakes import FakeVerifier
from watchword import (
    AllOf, APIKeyVerifier, BasicVerifier, ConfigurationError, DigestVerifier, Guard, HMACVerifier,
    JWTVerifier, Key, OAuth1Verifier, Policy, Rejected, Request, SignatureVerifier, SigV4Verifier,
)  # fmt: skip
from watchword.fields.auth_params import parse_challenges
from watchword.stores import MemoryStore

USER, PASSWORD = "Mufasa", "Circle of Life"
TOKENS = Key.from_secret("t" * 32, algorithm="HS256")
DIGEST = {"realm", "domain", "nonce", "opaque", "stale", "algorithm", "qop", "charset", "userhash"}


def store() -> MemoryStore:
    holder = MemoryStore()
    holder.add_user(USER, PASSWORD, realm="orders", digest_algorithms=["MD5", "SHA-256", "SHA-512-256"])
    return holder


STORE = store()


def verifiers(*algorithms: str) -> list[Any]:
    """One of each scheme that challenges, Basic first."""
    return [
        BasicVerifier(realm="orders"),
        JWTVerifier(TOKENS),
        APIKeyVerifier(),
        SignatureVerifier(),
        SigV4Verifier(region="eu-west-1", service="execute-api"),
        OAuth1Verifier(),
        HMACVerifier(),
        DigestVerifier(realm="orders", algorithms=algorithms, qop=("auth", "auth-int"), opaque="o", userhash=True),
    ]


@pytest.fixture
def everything() -> Iterator[Origin]:
    with origin(guarded(Guard(verifiers("SHA-256", "MD5"), STORE))) as server:
        yield server


def by_requests(url: str) -> int:
    return requests.get(url, auth=HTTPDigestAuth(USER, PASSWORD), timeout=30).status_code


def by_httpx(library: Any) -> Callable[[str], int]:
    def get(url: str) -> int:
        with library.Client(auth=library.DigestAuth(USER, PASSWORD), trust_env=False) as client:
            return int(client.get(url).status_code)

    return get


def by_urllib(url: str) -> int:
    """Of several lines it reads the first; a scheme that is neither Digest nor Basic is a ValueError."""
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, url, USER, PASSWORD)
    opener = urllib.request.build_opener(urllib.request.HTTPDigestAuthHandler(passwords))
    with opener.open(url, timeout=30) as answer:
        return int(answer.status)


READS = {"requests": by_requests, "httpx": by_httpx(httpx), "httpx2": by_httpx(httpx2), "urllib": by_urllib}


@pytest.mark.parametrize("client", READS)
@pytest.mark.parametrize("algorithms", [("MD5",), ("SHA-256",), ("SHA-256", "MD5")], ids=str)
def test_the_digest_of_others_gets_in_where_every_scheme_is_offered(client: str, algorithms: tuple[str, ...]) -> None:
    if client == "urllib" and "SHA-256" in algorithms:
        with (
            origin(guarded(Guard(verifiers(*algorithms), STORE))) as server,
            pytest.raises(ValueError, match="SHA-256"),
        ):
            by_urllib(server.url)  # it knows MD5 and SHA-1, see the limitations
        return
    with origin(guarded(Guard(verifiers(*algorithms), STORE))) as server:
        assert READS[client](server.url + "/a?b=c") == 200


def lines(guard: Guard, headers: Any = ()) -> list[str]:
    with pytest.raises(Rejected) as refused:
        guard.verify(Request("GET", "https", "api.example", "/", headers))
    refusal = refused.value.refusal
    assert refusal is not None
    return [line.decode() for line in refusal.response().values(b"www-authenticate")]


def words(found: list[str]) -> list[str]:
    return [line.partition(" ")[0] for line in found]


def test_digest_comes_first_and_basic_last_however_the_verifiers_are_listed() -> None:
    listed = verifiers("SHA-512-256", "SHA-256", "MD5")
    assert listed[0].scheme == "basic"
    for seed in range(20):
        random.Random(seed).shuffle(listed)
        found = lines(Guard(listed, STORE))
        assert words(found)[:3] == ["Digest"] * 3 and words(found)[-1] == "Basic"
        assert ["SHA-512-256" in found[0], "SHA-256" in found[1], "MD5" in found[2]] == [True] * 3
        assert "Digest" not in words(found)[3:] and "Basic" not in words(found)[:-1]


def test_also_within_what_is_demanded_together_and_among_schemes_of_ones_own() -> None:
    basic, digest = BasicVerifier(realm="orders"), DigestVerifier(realm="orders")
    together = AllOf(FakeVerifier("token", field=b"x-token", rank=-5), basic)
    assert words(lines(Guard([together, digest], STORE))) == ["Digest", "Token", "Basic"]


def test_all_lines_read_as_one_challenge_are_the_weakest_digest_that_is_offered() -> None:
    """As requests does: it takes out one "Digest " and reads all lines as one list."""
    digest = DigestVerifier(realm="orders", algorithms=["SHA-256", "MD5"], opaque="o")
    others = [one for one in verifiers("MD5") if one.scheme != "digest"]
    for listed in itertools.permutations(others, 3):
        found = lines(Guard([*listed, digest], STORE))
        digests = [line for line in found if line.startswith("Digest ")]
        alone = parse_dict_header(digests[-1].removeprefix("Digest "))
        merged = parse_dict_header(", ".join(found).replace("Digest ", "", 1))
        assert {name: merged[name] for name in alone} == alone


def test_no_challenge_after_digest_has_a_parameter_of_digests() -> None:
    found = [
        challenge for line in lines(Guard(verifiers("MD5"), STORE)) for challenge in parse_challenges([line.encode()])
    ]
    for challenge in found[1:]:
        names = [name.lower() for name, _ in challenge.params]
        assert names[:1] in (["realm"], []), "the realm follows the scheme word, which keeps it apart"
        assert not DIGEST & set(names[1:]), challenge


def test_what_a_refused_token_is_told_stays_in_its_own_challenge() -> None:
    found = lines(Guard(verifiers("SHA-256"), STORE), {"Authorization": "Bearer e30.e30.e30"})
    assert words(found)[0] == "Digest" and words(found)[-1] == "Basic"
    told = [line for line in found if "error=" in line]
    assert words(told) == ["Bearer"]
    assert "Bearer" in words(found)


def test_as_listed_is_as_listed() -> None:
    listed = verifiers("SHA-256")
    for seed in range(10):
        random.Random(seed).shuffle(listed)
        guard = Guard(listed, STORE, policy=Policy(challenges="as listed"))
        alone = [words(lines(Guard([one], STORE)))[:1] for one in listed]
        found = words(lines(guard))
        assert [word for word in found if [word] in alone] == [word for one in alone for word in one]


def test_basic_keeps_its_charset_where_no_digest_stands_before_it() -> None:
    basic, digest = BasicVerifier(realm="orders"), DigestVerifier(realm="orders")
    assert "charset" in lines(Guard([basic], STORE))[0]
    assert "charset" in lines(Guard([basic, digest], STORE, policy=Policy(challenges="as listed")))[0]
    assert "charset" not in lines(Guard([basic, digest], STORE))[-1]


def test_another_order_is_none() -> None:
    wrong: Any = "basic first"
    with pytest.raises(ConfigurationError, match="as listed"):
        Guard(verifiers("MD5"), STORE, policy=Policy(challenges=wrong))
