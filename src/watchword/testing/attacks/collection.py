"""The part of the pytest plugin that is loaded once `--watchword-app` is given: one test for each attack and route."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from watchword.core.rejection import ConfigurationError
from watchword.testing.attacks.application import driver_for, load
from watchword.testing.attacks.credentials import Credentials
from watchword.testing.attacks.discovery import discover
from watchword.testing.attacks.listed import ATTACKS, PUBLIC, Attack
from watchword.testing.attacks.outcome import Apart, Hole, NotTried, Weakness
from watchword.testing.attacks.routes import Route, listed
from watchword.testing.attacks.samples import samples_of
from watchword.testing.attacks.summary import Summary
from watchword.testing.attacks.target import Target
from watchword.testing.attacks.trial import Trial

__all__ = ["AttackPlugin"]

FIXTURE = "watchword_credentials"


class AttackPlugin:
    """Makes the tests, gives them the app, and tells what came of them.

    Args:
        config: pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._collectors: list[pytest.Collector] = []
        name = str(config.getoption("watchword_app"))
        for folder in (config.rootpath, config.invocation_params.dir):
            if str(folder) not in sys.path:
                sys.path.insert(0, str(folder))
        try:
            app = load(name)
            driver = driver_for(app)
            self.routes = self._find_routes(app)
            self.target = Target(driver, self.routes, _source_of(name), samples_of(app))
        except ConfigurationError as mistake:
            raise pytest.UsageError(str(mistake)) from None
        self._started = False
        config.pluginmanager.register(Summary(config, self.routes), "watchword-attack-summary")

    def _find_routes(self, app: Any) -> list[Route]:
        lines = [*self._config.getini("watchword_routes"), *(self._config.getoption("watchword_route") or ())]
        found = listed(lines)
        known = {route.id for route in found}
        discovered = discover(app)
        if discovered is None and not found:
            raise ConfigurationError(
                "--watchword-app: the routes of this app can't be listed; name them in the ini option watchword_routes, one on each line, or by "
                "--watchword-route='GET /orders'"
            )
        return found + [route for route in discovered or () if route.id not in known]

    # ---- collection --------------------------------------------------------------------------------------------------

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Remembers where fixtures may be defined."""
        self._collectors.append(collector)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Adds the attacks, where the user's fixture is to be seen."""
        parent = self._home(session)
        suite = AttackSuite.from_parent(
            parent, name="watchword", path=parent.path, nodeid=f"{parent.nodeid}::watchword".lstrip(":")
        )
        suite.plugin = self
        items.extend(suite.collect())

    def _home(self, session: pytest.Session) -> Any:
        """The deepest collector whose module or conftest defines the fixture; the session if none does.

        Raises:
            UsageError: two that aren't inside each other do.
        """
        homes = [collector for collector in self._collectors if self._defines(collector)]
        if not homes:
            return session
        deepest = max(homes, key=lambda home: len(list(home.iter_parents())))
        if any(home not in list(deepest.iter_parents()) for home in homes):
            places = ", ".join(sorted({home.nodeid for home in homes}))
            raise pytest.UsageError(
                f"several fixtures {FIXTURE} are there for one app ({places}): run pytest for one of these places"
            )
        return deepest

    def _defines(self, collector: pytest.Collector) -> bool:
        if isinstance(collector, pytest.Module):
            return hasattr(collector.obj, FIXTURE)
        if isinstance(collector, pytest.Directory):
            conftest = self._config.pluginmanager.get_plugin(str(collector.path / "conftest.py"))
            return hasattr(conftest, FIXTURE)
        return False

    # ---- running -----------------------------------------------------------------------------------------------------

    def started(self) -> Target:
        """The app, started with the first attack."""
        if not self._started:
            self._started = True
            self.target.start()
        return self.target

    def pytest_sessionfinish(self) -> None:
        """Ends the app."""
        if self._started:
            self._started = False
            self.target.close()

    @pytest.fixture(name=FIXTURE)
    def _no_credentials(self) -> Credentials:
        """No credentials: what can be tried without any is tried."""
        return Credentials()


class AttackSuite(pytest.Module):
    """All attacks on all routes."""

    plugin: AttackPlugin

    def _getobj(self) -> ModuleType:
        return sys.modules[__name__]

    def collect(self) -> Iterable[pytest.Item]:
        """One test for each attack and route."""
        for route in self.plugin.routes:
            if route.framework:
                continue
            for attack in (*ATTACKS, *PUBLIC):
                if fits(attack, route):
                    call = _call(self.plugin, attack, route)
                    yield AttackItem.from_parent(self, name=f"{attack.name}[{route.id}]", callobj=call)


class AttackItem(pytest.Function):
    """One attack on one route."""

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is: it has no line of the user's."""
        return self.path, None, self.name

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> Any:
        """A finding as it is worded; anything else as pytest shows it."""
        if isinstance(excinfo.value, pytest.fail.Exception):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


def fits(attack: Attack, route: Route) -> bool:
    """Whether an attack concerns this kind of route at all."""
    only_http = ("methods", "believed_urls", "cross_site_request", "credentials_in_query")
    if route.is_websocket:
        return attack.name not in only_http
    if attack.name == "cross_site_request":
        return route.method not in ("GET", "HEAD", "OPTIONS", "TRACE")
    return attack.name != "foreign_websocket" or route.upgrades is None


def _call(plugin: AttackPlugin, attack: Attack, route: Route) -> Callable[..., None]:
    def run(request: pytest.FixtureRequest, watchword_credentials: Any) -> None:
        __tracebackhide__ = True
        credentials = _checked(watchword_credentials)
        trial = Trial(plugin.started(), route, credentials)
        tell = request.node.user_properties
        if credentials.is_public(route) is not (attack in PUBLIC):
            tell.append(("watchword", "apart"))
            pytest.skip("it is named in public=" if attack not in PUBLIC else "it is not named in public=")
        if credentials.is_untried(route):
            tell.append(("watchword", "not tried: it is named in untried="))
            pytest.skip("it is named in untried=")
        outcome = trial.run(attack.run)
        if isinstance(outcome, Apart):
            tell.append(("watchword", "apart"))
            pytest.skip(str(outcome))
        if isinstance(outcome, NotTried):
            tell.append(("watchword", f"not tried: {outcome}"))
            pytest.skip(f"not tried: {outcome}")
        if isinstance(outcome, Weakness) and not request.config.getoption("watchword_strict"):
            tell.append(("watchword", f"weak: {outcome.tried}: {outcome.why} {outcome.write}"))
        elif outcome is not None:
            tell.append(("watchword", "hole"))
            pytest.fail(_finding(attack, route, outcome), pytrace=False)
        else:
            tell.append(("watchword", "refused"))

    run.__name__ = attack.name
    run.__doc__ = f"{attack.run.__doc__}\n\n    Replays: {attack.advisory}."
    return run


def _checked(given: Any) -> Credentials:
    if isinstance(given, Credentials):
        return given
    if given is None:
        return Credentials()
    return Credentials(given)


def _finding(attack: Attack, route: Route, hole: Hole) -> str:
    def block(title: str, text: str) -> str:
        first, *rest = text.splitlines() or [""]
        return "\n".join([f"{title:<7}{first}", *(f"       {line}" for line in rest)])

    return "\n".join((
        f"{attack.name} on {route.id}: {hole.tried}",
        block("sent", hole.sent),
        block("came", hole.came),
        block("why", hole.why),
        block("write", hole.write),
        block("see", attack.advisory),
    ))  # fmt: skip


def _source_of(name: str) -> str:
    """The source of the app's module and of those in its package or folder: where the names of fields are looked for."""
    module = sys.modules.get(name.partition(":")[0])
    path = getattr(module, "__file__", None)
    if module is None or path is None:
        return ""
    return "\n".join(text for text in _texts(Path(path), module.__name__))


def _texts(path: Path, name: str) -> Iterator[str]:
    package = name.partition(".")[0]
    waiting, seen = deque([path]), set[Path]()
    for other in [*sys.modules.values()]:
        file = getattr(other, "__file__", None)
        if file is None or not file.endswith(".py"):
            continue
        inside = (
            getattr(other, "__name__", "").partition(".")[0] == package
            if "." in name
            else Path(file).parent == path.parent
        )
        if inside and "site-packages" not in file:
            waiting.append(Path(file))
    while waiting and len(seen) < 200:
        one = waiting.popleft()
        if one not in seen:
            seen.add(one)
            try:
                yield one.read_text("utf-8")
            except (OSError, ValueError):
                continue
