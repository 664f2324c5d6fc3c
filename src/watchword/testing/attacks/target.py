"""The app under attack: its driver, its routes, and the watch over its handlers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import CodeType

from watchword.core.message import Request
from watchword.testing.attacks.answer import Answer
from watchword.testing.attacks.application import Driver
from watchword.testing.attacks.routes import Route
from watchword.testing.attacks.samples import Sample
from watchword.testing.attacks.watching import Watch

__all__ = ["Target"]


class Target:
    """The app under attack: its driver, its routes and the watch over its handlers."""

    def __init__(
        self, driver: Driver, routes: list[Route], source: str = "", samples: Mapping[str, Sample] | None = None
    ) -> None:
        self.driver = driver
        self.samples = samples or {}
        self.routes = routes
        self.source = source
        self.watch = Watch()
        self.upgrades: dict[str, bool] = {}
        """Which GETs were found to be handshakes of WebSockets, by the routes' ids."""
        self.watched: set[str] = set()
        """The ids of routes whose handler was seen to run for a genuine request."""

    def start(self) -> None:
        """Starts the app."""
        self.watch.start()
        self.driver.start()

    def close(self) -> None:
        """Ends it."""
        try:
            self.driver.close()
        finally:
            self.watch.stop()

    def send(self, request: Request, body: bytes, *, websocket: bool, code: CodeType | None) -> Answer:
        """Sends a request, or opens a WebSocket, and watches one handler meanwhile."""
        with self.watch.over(frozenset() if code is None else frozenset({code})):
            answer = self.driver.connect(request) if websocket else self.driver.send(request, body)
        returned = tuple(value for _, value in self.watch.completed)
        return replace(answer, reached=code in self.watch.reached, completed=returned)
