"""The plugin of pytest, by the entry point `watchword`: inert until a test asks for one of its fixtures, or `--watchword-app` names an app to attack.

Its names begin with `watchword_`, no fixture is autouse, and nothing else of watchword is loaded with it: a coverage of
somebody's package that begins later misses none of its lines.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # loaded by the fixture that makes one
    from watchword.testing import Clock, FakeIssuer, LoopbackIssuer, SeededRandom

__all__ = ["watchword_clock", "watchword_issuer", "watchword_loopback_issuer", "watchword_random"]

if (
    "watchword.testing.conformance" not in sys.modules
):  # what is loaded already can't be rewritten, and pytest warns of it
    pytest.register_assert_rewrite("watchword.testing.conformance")


@pytest.fixture
def watchword_clock() -> Clock:
    """Time that stands until the test moves it: for guard, store and client."""
    from watchword.testing import Clock  # noqa: PLC0415 -- inert when unused

    return Clock()


@pytest.fixture
def watchword_random() -> SeededRandom:
    """Octets that are the same in every run."""
    from watchword.testing import SeededRandom  # noqa: PLC0415 -- inert when unused

    return SeededRandom()


@pytest.fixture
def watchword_issuer(watchword_clock: Clock, watchword_random: SeededRandom) -> Iterator[FakeIssuer]:
    """An issuer of tokens in the process, by the test's clock."""
    from watchword.testing import FakeIssuer  # noqa: PLC0415 -- inert when unused

    with FakeIssuer(clock=watchword_clock, random=watchword_random) as issuer:
        yield issuer


@pytest.fixture
def watchword_loopback_issuer(watchword_clock: Clock, watchword_random: SeededRandom) -> Iterator[LoopbackIssuer]:
    """The same over a socket of this machine."""
    from watchword.testing import LoopbackIssuer  # noqa: PLC0415 -- inert when unused

    with LoopbackIssuer(clock=watchword_clock, random=watchword_random) as issuer:
        yield issuer


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the attack list."""
    group = parser.getgroup("watchword", "watchword: attacks on an app")
    group.addoption(
        "--watchword-app", dest="watchword_app", metavar="MODULE:APP", default=None,
        help="the ASGI, WSGI or aiohttp app to attack; module:make_app() makes it",
    )  # fmt: skip
    group.addoption(
        "--watchword-route", dest="watchword_route", metavar="ROUTE", action="append",
        help="a route that can't be found by itself, as 'GET /orders' or 'WEBSOCKET /feed'; may be repeated",
    )  # fmt: skip
    group.addoption(
        "--watchword-strict", dest="watchword_strict", action="store_true", default=False,
        help="weaknesses fail too: what matters only together with somebody else's fault",
    )  # fmt: skip
    parser.addini(
        "watchword_routes", "routes that can't be found by themselves, one on each line", type="linelist", default=[]
    )


def pytest_configure(config: pytest.Config) -> None:
    """Loads the attack list if there is an app to attack."""
    if config.getoption("watchword_app"):
        from watchword.testing.attacks.collection import AttackPlugin  # noqa: PLC0415 -- inert when unused

        config.pluginmanager.register(AttackPlugin(config), "watchword-attacks")
