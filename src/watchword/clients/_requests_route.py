"""Who requests connects to for a URL: the host itself, a proxy, or whatever an adapter of the user's own connects to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema
from requests.utils import select_proxy

from watchword.clients._repeats import check_repeatable
from watchword.clients._requests_io import read, url_of
from watchword.clients._route import calls
from watchword.transport.flow import ClientContext
from watchword.core.message import Peer

__all__ = ["context_of", "peer_again", "peer_at_first", "peer_of_own"]


def peer_at_first(url: str) -> Peer:
    """Who is connected to by the session that prepares a request; without one it is what a new session would do."""
    if not _in_clear(url):
        return _host(url)
    asking = calls(requests.Session.prepare_request, requests.Session.request)
    sessions = [frame.f_locals["self"] for frame in asking if frame.f_code.co_name == "prepare_request"]
    if not sessions:
        return peer_of_own(url, {})
    named = [
        frame.f_locals.get("proxies")
        for frame in asking
        if frame.f_code.co_name == "request" and frame.f_locals["self"] is sessions[0]
    ]
    return _through(url, sessions[0], named[0] if named else None)


def peer_of_own(url: str, settings: Mapping[str, Any]) -> Peer:
    """Who is connected to for a flow's own request, which goes out in a session of its own."""
    with requests.Session() as session:
        return _through(url, session, settings.get("proxies")) if _in_clear(url) else _host(url)


def peer_again(url: str, adapter: object, settings: Mapping[str, Any]) -> Peer:
    """Who is connected to by the adapter that brought an answer, with the settings that it had."""
    return _judged(url, adapter, settings.get("proxies"))


def context_of(body: Any, start: int | None, settings: Mapping[str, Any]) -> ClientContext:
    """What a flow may use whose own requests go out with `settings`."""
    return ClientContext(
        partial(read, body, start),
        check_repeatable=partial(check_repeatable, body, start),
        peer=lambda own: peer_of_own(url_of(own), settings),
    )


def _in_clear(url: str) -> bool:
    return url[:5].lower() == "http:"


def _host(url: str) -> Peer:
    return Peer(urlsplit(url).hostname or "")


def _through(url: str, session: requests.Session, named: Any) -> Peer:
    try:
        adapter: object = session.get_adapter(url)
    except InvalidSchema:
        adapter = None
    settings = session.merge_environment_settings(url, dict(named or {}), None, None, None)
    return _judged(url, adapter, settings["proxies"])


def _judged(url: str, adapter: object, proxies: Any) -> Peer:
    host = _host(url)
    if not _in_clear(url):
        return host
    if type(adapter) is not HTTPAdapter:
        return host._replace(relay=f"{type(adapter).__name__}, an adapter of your own")
    return host._replace(relay="a proxy") if select_proxy(url, proxies) else host
