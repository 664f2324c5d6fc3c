"""Every scheme through every pair of a client and a server in the process: accepted, refused, and challenged on the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.servers.frameworks import django_project
from watchword import Guard, Key, OAuth2Auth, OAuth2Verifier, ResponseUnproven, SealedAuth, SignatureSeal
from watchword.core.verdict import Verdict
from watchword.schemes import SCHEMES
from watchword.testing import Clock, FakeIssuer, LoopbackIssuer, SchemeSetup, case_of
from watchword.testing.cases import SECRET, SchemeCase
from watchword.testing.pairs import PAIRS

assert django_project.settings.configured  # a process has one project: that of the other tests


@pytest.fixture(scope="module")
def issuers() -> Iterator[list[FakeIssuer]]:
    """In the process, and over a socket for the clients that can't be told who answers their own requests."""
    clock = Clock()  # that of every setup
    with FakeIssuer(clock=clock) as here, LoopbackIssuer(clock=clock) as over_a_socket:
        for made in (here, over_a_socket):
            made.add_client("alice", SECRET)
        yield [here, over_a_socket]


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=[row.name for row in SCHEMES])
def case(request: pytest.FixtureRequest, issuers: list[FakeIssuer], pair: str) -> SchemeCase:
    made = case_of(request.param)
    if made.name != "oauth":
        return made
    issuer = issuers[pair in ("requests, wsgi", "aiohttp", "urllib3", "urllib.request")]
    return made._replace(
        auth=lambda: OAuth2Auth(issuer.token_url, "alice", SECRET),
        elsewhere=lambda _: issuer.answer,
        verifier=lambda: OAuth2Verifier(issuer.keys, issuer=issuer.url, audience=issuer.audience),
    )


def test_a_scheme_is_accepted_through_every_pair_and_an_impostor_is_not(pair: str, case: SchemeCase) -> None:
    verdicts: list[Verdict] = []
    setup = SchemeSetup(case, observe=verdicts.append)
    guard = setup.guard
    elsewhere = case.elsewhere and case.elsewhere(setup.clock)
    with PAIRS[pair](guard, case.auth(), elsewhere) as ask:
        for body in (b"", b"pay 10"):
            answer = ask("POST", "/orders?id=7", body)
            assert (answer.status, answer.text) == (200, f"alice {len(body)}"), verdicts[-1]
        assert ask().status == 200
    with PAIRS[pair](guard, case.impostor()) as ask:
        assert ask("POST", "/orders", b"pay 10").status == 401
    assert verdicts[-1].reason is not None


def test_a_sealed_answer_is_proven_through_every_pair_and_one_by_another_key_is_not(pair: str) -> None:
    """The client half sees the answer, its fields and its body, as it came."""
    sealing = Key.from_secret("s" * 32, algorithm="hmac-sha256", key_id="seal-1")
    other = Key.from_secret("t" * 32, algorithm="hmac-sha256", key_id="seal-1")
    setup = SchemeSetup.of("hmac")
    guard = Guard([setup.verifier], setup.store, policy=setup.policy, seal=SignatureSeal(sealing))
    with PAIRS[pair](guard, SealedAuth(sealing, setup.case.auth())) as ask:
        assert ask("POST", "/orders", b"pay 10") == (200, "alice 6")
    with PAIRS[pair](guard, SealedAuth(other, setup.case.auth())) as ask, pytest.raises(ResponseUnproven):
        ask("POST", "/orders", b"pay 10")


NEEDS = {
    "requests, wsgi": "requests",
    "urllib3": "urllib3",
    "httpx, wsgi": "httpx",
    "httpx, asgi": "httpx",
    "httpx2, wsgi": "httpx2",
    "httpx2, asgi": "httpx2",
    "starlette": "starlette",
    "fastapi": "fastapi",
    "litestar": "litestar",
    "flask": "flask",
    "django": "django",
    "aiohttp": "aiohttp",
}


def test_every_pair_but_that_of_the_standard_library_needs_a_library() -> None:
    assert NEEDS.keys() == PAIRS.keys() - {"urllib.request"}


@pytest.mark.parametrize("pair", NEEDS)
def test_a_pair_whose_library_is_not_there_says_what_to_install(pair: str) -> None:
    library = NEEDS[pair]
    program = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "from watchword import BasicAuth, BasicVerifier, ConfigurationError, Guard\n"
        "from watchword.stores import MemoryStore\n"
        "from watchword.testing.pairs import PAIRS\n"
        "try:\n"
        f"    with PAIRS[{pair!r}](Guard([BasicVerifier(realm='r')], MemoryStore()), BasicAuth('a', 'b')) as ask: ask()\n"
        "except ConfigurationError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"{library} is not installed: pip install 'watchword[{library}]'", done.stderr
