"""What the attacks came to, in pytest's summary: holes are failures already; weaknesses and what was not tried are told here."""

from __future__ import annotations

import pytest

from watchword.testing.attacks.routes import Route
from watchword.testing.attacks.trial import OPEN

__all__ = ["Summary"]


REFUSED = "the genuine request is answered 401"


class Summary:
    """Gathers what the tests tell, also those of other processes."""

    def __init__(self, config: pytest.Config, routes: list[Route]) -> None:
        self._config = config
        self._routes = routes
        self._tried = 0
        self._holes = 0
        self._weak: dict[str, str] = {}
        self._not_tried: dict[tuple[str, str], list[str]] = {}
        self._found_open: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Reads what one test tells."""
        if report.when != "call":
            return
        for name, value in report.user_properties:
            if name == "watchword" and isinstance(value, str):
                self._told(report.nodeid.rpartition("::")[2], value)

    def _told(self, item: str, value: str) -> None:
        attack, _, route = item.partition("[")
        kind, _, reason = value.partition(": ")
        if kind == "not tried":
            self._not_tried.setdefault((attack, reason), []).append(route.removesuffix("]"))
        elif kind != "apart":
            self._tried += 1
            self._holes += kind == "hole"
            if kind == "hole" and attack == "no_credentials":
                self._found_open.add(route.removesuffix("]"))
            if kind == "weak":
                self._weak[item] = reason

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Nothing tried is a failure: a list of attacks that tries nothing proves nothing. So is a route that lets in anybody and was not found to."""
        worker = hasattr(self._config, "workerinput")
        failed = self._tried == 0 or bool(self._left_open())
        if failed and not worker and not self._config.option.collectonly and session.exitstatus in (0, 5):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _reasons(self) -> list[tuple[list[str], str, tuple[str, ...]]]:
        """Each reason once for all attacks that have it on the same routes, such as those with tokens where there are none."""
        together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for (attack, reason), routes in sorted(self._not_tried.items()):
            together.setdefault((reason, tuple(sorted(routes))), []).append(attack)
        return sorted((attacks, reason, routes) for (reason, routes), attacks in together.items())

    def _left_open(self) -> list[str]:
        """The routes of which an attack says that they let in anybody, and `no_credentials` doesn't."""
        seen = {route for (_, reason), routes in self._not_tried.items() if reason == OPEN for route in routes}
        return sorted(seen - self._found_open)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tells it."""
        if self._config.option.collectonly:
            return
        tell = terminalreporter
        tell.section("attacks on the app", sep="=")
        tell.line(
            f"{self._tried} attacks tried on {len(self._routes)} routes: {self._holes} holes, {len(self._weak)} weaknesses"
        )
        if self._left_open():
            tell.line(
                f"let in anybody at least once, although no_credentials didn't find it: that is a failure. {', '.join(self._left_open())}",
                red=True,
            )
        own = [route.id for route in self._routes if route.framework]
        if own:
            tell.line(
                f"left alone, as the framework brings them (name one by --watchword-route to try it): {', '.join(own)}"
            )
        refused = sorted(
            {route for (_, reason), routes in self._not_tried.items() for route in routes if REFUSED in reason}
        )
        if refused:
            tell.line(
                f"the genuine credentials are refused, and most attacks need them: {', '.join(refused)}", yellow=True
            )
        for item, text in sorted(self._weak.items()):
            tell.line(f"weak: {item}: {text}")
        for attacks, reason, routes in self._reasons():
            tell.line(f"not tried: {', '.join(attacks)}: {reason} ({_shortened(routes)})")
        if self._tried == 0:
            tell.line(
                "nothing was tried: that is a failure. See the reasons above, and give the fixture watchword_credentials.",
                red=True,
            )


def _shortened(routes: tuple[str, ...]) -> str:
    return ", ".join(routes) if len(routes) <= 4 else f"{', '.join(routes[:3])} and {len(routes) - 3} more"
