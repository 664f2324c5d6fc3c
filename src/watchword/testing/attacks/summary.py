"""What the attacks came to, in pytest's summary: holes are failures already; weaknesses and what was not tried are told here."""

from __future__ import annotations

import pytest

from watchword.testing.attacks.routes import Route

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
        self._collected = False

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
            if kind == "weak":
                self._weak[item] = reason

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Nothing tried is a failure: a list of attacks that tries nothing proves nothing."""
        worker = hasattr(self._config, "workerinput")
        if self._tried == 0 and not worker and not self._config.option.collectonly and session.exitstatus in (0, 5):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tells it."""
        if self._config.option.collectonly:
            return
        tell = terminalreporter
        tell.section("attacks on the app", sep="=")
        tell.line(
            f"{self._tried} attacks tried on {len(self._routes)} routes: {self._holes} holes, {len(self._weak)} weaknesses"
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
        for (attack, reason), routes in sorted(self._not_tried.items()):
            where = ", ".join(routes) if len(routes) <= 4 else f"{', '.join(routes[:3])} and {len(routes) - 3} more"
            tell.line(f"not tried: {attack}: {reason} ({where})")
        if self._tried == 0:
            tell.line(
                "nothing was tried: that is a failure. See the reasons above, and give the fixture watchword_credentials.",
                red=True,
            )
