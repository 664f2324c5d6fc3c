"""Whose request it is: the session that prepares or sends it, its settings, and who it connects to for a URL."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import InvalidSchema
from requests.utils import select_proxy

from watchword.clients._route import calls, code_of
from watchword.core.message import SOCKS, Peer

__all__ = ["Caller", "caller", "through"]

_CALLED_FROM: Final = {
    "prepare_request": {"request"},
    "send": {"request", "resolve_redirects"},
    "resolve_redirects": {"send"},
}
"""The methods of a session, and those of the same session that call them for the same request."""


class Caller(NamedTuple):
    """A session and the settings that were passed to it; without a session it is what a new one would do."""

    session: requests.Session | None
    settings: Mapping[str, Any]

    def peer(self, url: str) -> Peer:
        """Who is connected to for `url`: the host itself, a proxy, or whatever an adapter of the user's own connects to."""
        host = Peer(urlsplit(url).hostname or "")
        if url[:5].lower() != "http:":
            return host
        with nullcontext(self.session) if self.session else requests.Session() as session:
            try:
                adapter: BaseAdapter | None = session.get_adapter(url)
            except InvalidSchema:
                adapter = None
            known = session.trust_env or session.proxies or self.settings.get("proxies")
            proxies = self.merged(session, url)["proxies"] if known else {}
        kind = type(adapter)
        if kind is not HTTPAdapter and "connects_alike" not in vars(kind):
            return Peer(host.address, relay=f"{kind.__name__}, an adapter of your own")
        return through(host, select_proxy(url, proxies))

    def merged(self, session: requests.Session, url: str) -> dict[str, Any]:
        """The settings for `url`: those that were passed, the session's, the environment's."""
        passed = self.settings
        proxies = dict(passed.get("proxies") or {})
        return dict(session.merge_environment_settings(url, proxies, True, passed.get("verify"), passed.get("cert")))


def through(host: Peer, proxy: str | None) -> Peer:
    """The host behind a proxy, if there is one."""
    if not proxy:
        return host
    if proxy[:5].lower() == "socks":
        return Peer(host.address, relay=SOCKS)
    return Peer(host.address, relay="a proxy", relay_host=urlsplit(proxy).hostname or "")


def caller() -> Caller:
    """Who prepares or sends a request now."""
    library = requests.Session
    session: requests.Session | None = None
    settings: Mapping[str, Any] = {}
    expected: set[str] = set(_CALLED_FROM)
    asking: tuple[Any, ...] = (library.prepare_request, library.send, library.resolve_redirects, library.request)
    for frame in calls(*map(code_of, asking)):
        name, known = frame.f_code.co_name, frame.f_locals
        if name not in expected or (session is not None and known["self"] is not session):
            break
        session = known["self"]
        settings = known["kwargs"] if name == "send" else known if name == "request" else settings
        expected = _CALLED_FROM.get(name, set())
    return Caller(session, settings)
