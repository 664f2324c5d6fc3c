"""What the assertions demand, and what they say where it is not so."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.core.fakes import FakeStore
from watchword import (
    AsyncGuard, BasicAuth, BasicVerifier, ConfigurationError, DigestAuth, DigestVerifier, Guard, JWTAuth, JWTVerifier, Key, Reason,
    Request, StoreUnavailable,
)  # fmt: skip
from watchword.schemes import SCHEMES
from watchword.stores import AsyncSQLStore, MemoryStore
from watchword.testing import (
    SchemeSetup, SignedRequest, assert_accepted, assert_accepted_async, assert_refused, assert_refused_async, signed, signed_async,
)  # fmt: skip

Assert = Callable[..., Any]


def on_a_loop(check: Assert) -> Assert:
    return lambda guard, *rest, **demands: asyncio.run(check(AsyncGuard.of(guard), *rest, **demands))


PAIRS = {
    "sync": (assert_accepted, assert_refused),
    "async": (on_a_loop(assert_accepted_async), on_a_loop(assert_refused_async)),
}


@pytest.fixture(params=PAIRS)
def checks(request: pytest.FixtureRequest) -> tuple[Assert, Assert]:
    return PAIRS[request.param]


@pytest.fixture(params=[row.name for row in SCHEMES])
def setup(request: pytest.FixtureRequest) -> SchemeSetup:
    return SchemeSetup.of(request.param)


def test_verdicts_that_are_demanded_come_back(setup: SchemeSetup, checks: tuple[Assert, Assert]) -> None:
    accepted, refused = checks
    who = accepted(setup.guard, *setup.genuine(), subject="alice", scheme=setup.case.name)
    assert who.subject == "alice"
    rejected = refused(setup.guard, *setup.forged(), reason=None)
    assert rejected.refusal.status == 401
    assert refused(setup.guard, *setup.forged(), reason=rejected.reason).reason is rejected.reason


def test_an_acceptance_that_is_not_expected_is_explained_as_one(
    setup: SchemeSetup, checks: tuple[Assert, Assert]
) -> None:
    """Credentials that are good once, too: the explanation is that of the request before it was judged."""
    _, refused = checks
    with pytest.raises(AssertionError) as caught:
        refused(setup.guard, *setup.genuine("POST", body=b"pay 10"), reason=Reason.EXPIRED)
    first, second, *rest = str(caught.value).splitlines()
    assert first == f"accepted: 'alice' by {setup.case.name}; the test expects it to be refused: expired"
    assert second == f"accepted by {setup.case.name}: alice"
    assert any(line.startswith("  ok ") for line in rest)
    assert not any("FAIL" in line for line in rest)


def test_a_refusal_that_is_not_expected_is_explained_without_a_secret(setup: SchemeSetup) -> None:
    forged = setup.forged("POST", body=b"pay 10")
    with pytest.raises(AssertionError) as caught:
        assert_accepted(setup.guard, *forged)
    first, second, *rest = str(caught.value).splitlines()
    assert first.startswith("refused: ")
    assert first.endswith("; the test expects it to be accepted")
    assert second.startswith("refused")
    assert any("FAIL" in line for line in rest)
    assert caught.value.__suppress_context__
    check_tells_no_secret(setup, forged, caught)


def test_no_acceptance_tells_a_secret(setup: SchemeSetup, checks: tuple[Assert, Assert]) -> None:
    accepted, refused = checks
    for check, demands in ((accepted, {"subject": "bob"}), (refused, {"reason": Reason.EXPIRED})):
        made = setup.genuine()
        with pytest.raises(AssertionError) as caught:
            check(setup.guard, *made, **demands)
        check_tells_no_secret(setup, made, caught)


def check_tells_no_secret(
    setup: SchemeSetup, made: SignedRequest, caught: pytest.ExceptionInfo[AssertionError]
) -> None:
    """Neither the message nor what a runner shows of local variables."""
    shown = [str(caught.value)]
    shown += [repr(value) for frame in caught.traceback[1:] for value in frame.frame.f_locals.values()]
    bare = [] if setup.case.covers else [value.split()[-1] for _, value in made.request.headers]
    for secret in (*setup.case.secrets, *(value.decode() for value in bare)):
        for text in shown:
            assert secret not in text


@pytest.mark.parametrize("name", ["basic", "hmac"])
def test_a_refusal_for_another_reason_is_explained(name: str, checks: tuple[Assert, Assert]) -> None:
    setup = SchemeSetup.of(name)
    for check, demands, end in (
        (checks[0], {}, "be accepted"),
        (checks[1], {"reason": Reason.TARGET_TOO_LONG}, "be refused: target_too_long"),
    ):
        with pytest.raises(AssertionError) as caught:
            check(setup.guard, *setup.forged(), **demands)
        first, second, *rest = str(caught.value).splitlines()
        assert first.startswith("refused: wrong_s")
        assert first.endswith(end)
        assert second.startswith(f"refused by {name}: wrong_s")
        assert any("FAIL" in line for line in rest)


def test_somebody_elses_request_is_not_the_one_that_was_expected(checks: tuple[Assert, Assert]) -> None:
    accepted, _ = checks
    setup = SchemeSetup.of("basic")
    for demands, words in (
        ({"subject": "bob"}, "to be from 'bob' by any scheme"),
        ({"scheme": "digest"}, "to be from anybody by digest"),
        ({"subject": "alice", "scheme": "digest"}, "to be from 'alice' by digest"),
    ):
        with pytest.raises(AssertionError, match=words):
            accepted(setup.guard, *setup.genuine(), **demands)


def test_an_acceptance_by_a_store_that_is_awaited_is_explained() -> None:
    async def main() -> str:
        store = AsyncSQLStore("sqlite://")
        await store.add_user("alice", "open sesame", realm="r")
        guard = AsyncGuard([DigestVerifier(realm="r")], store)
        request = await signed_async(DigestAuth("alice", "open sesame"), guard=guard)
        try:
            await assert_refused_async(guard, *request, reason=Reason.REPLAYED)
        except AssertionError as failure:
            await assert_refused_async(guard, *request, reason=Reason.REPLAYED)
            return str(failure)
        finally:
            await store.close()
        return ""

    said = asyncio.run(main())
    assert "\naccepted by digest: alice\n" in said
    assert "FAIL" not in said


def test_a_guard_without_a_store_is_explained(checks: tuple[Assert, Assert]) -> None:
    key = Key.generate("HS256")
    guard = Guard([JWTVerifier(key)])
    with pytest.raises(AssertionError, match="accepted by jwt: alice"):
        checks[1](guard, *signed(JWTAuth(key, claims={"sub": "alice"})), reason=None)


def test_an_async_guard_is_for_the_awaited_twins() -> None:
    guard: Any = AsyncGuard([BasicVerifier(realm="r")], MemoryStore())
    request = Request("GET", "https", "api.example", "/")
    with pytest.raises(ConfigurationError, match="await assert_accepted_async"):
        assert_accepted(guard, request)
    with pytest.raises(ConfigurationError, match="assert_refused_async"):
        assert_refused(guard, request, reason=None)


def test_a_store_that_is_down_is_neither_verdict(checks: tuple[Assert, Assert]) -> None:
    guard = Guard([BasicVerifier(realm="r")], FakeStore(down="fetch"))
    for check, demands in ((checks[0], {}), (checks[1], {"reason": None})):
        with pytest.raises(StoreUnavailable):
            check(guard, *signed(BasicAuth("alice", "x")), **demands)


def test_the_assertions_need_no_pytest() -> None:
    """In unittest, or a program of one's own."""
    program = (
        "import sys; sys.modules['pytest'] = None\n"
        "import watchword.testing as kit\n"
        "for name in kit.__all__: getattr(kit, name)\n"
        "setup = kit.SchemeSetup.of('basic')\n"
        "kit.assert_accepted(setup.guard, *setup.genuine())\n"
        "print(sorted(name for name in sys.modules if name in ('hypothesis', '_pytest', 'requests', 'httpx', 'sqlalchemy')))\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
