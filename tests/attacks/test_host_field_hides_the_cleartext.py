"""What Host says does not make a network safe: a secret goes in the clear to loopback only, judged by where it really goes."""

from __future__ import annotations

from typing import Any

import httpx
import httpx2
import pytest
import requests

from watchword import BasicAuth, BearerAuth, ConfigurationError, Request
from watchword.clients import httpx as our_httpx
from watchword.clients import httpx2 as our_httpx2
from watchword.clients import requests as our_requests
from watchword.schemes.sending import host_of, refuse_cleartext

AUTHS = [BasicAuth("alice", "open sesame"), BearerAuth("t0ken")]
FAR = ["http://192.0.2.1/", "http://api.example:8080/", "http://[2001:db8::1]/"]


@pytest.mark.parametrize("auth", AUTHS, ids=repr)
@pytest.mark.parametrize("url", FAR)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]:80"])
def test_a_far_host_that_is_called_loopback_gets_nothing(auth: Any, url: str, host: str) -> None:
    def show(request: Any) -> Any:
        raise AssertionError("sent")

    with pytest.raises(ConfigurationError, match="in the clear"):
        requests.Request("GET", url, headers={"Host": host}, auth=our_requests.adapt(auth)).prepare()
    with (
        httpx.Client(transport=httpx.MockTransport(show)) as client,
        pytest.raises(ConfigurationError, match="in the clear"),
    ):
        client.get(url, headers={"Host": host}, auth=our_httpx.adapt(auth))
    with (
        httpx2.Client(transport=httpx2.MockTransport(show)) as client2,
        pytest.raises(ConfigurationError, match="in the clear"),
    ):
        client2.get(url, headers={"Host": host}, auth=our_httpx2.adapt(auth))


def test_loopback_may_be_called_by_any_name() -> None:
    prepared = requests.Request(
        "GET", "http://127.0.0.1:8000/", headers={"Host": "api.example"}, auth=our_requests.adapt(AUTHS[0])
    ).prepare()
    assert "Authorization" in prepared.headers


@pytest.mark.parametrize(
    "authority",
    ["[::1]@api.example", "[::1].api.example", "[::1]x", "localhost@api.example", "localhost:80@api.example:80"],
)
def test_an_authority_that_only_begins_like_loopback_is_none(authority: str) -> None:
    assert host_of(authority) not in ("::1", "localhost")
    with pytest.raises(ConfigurationError, match="in the clear"):
        refuse_cleartext(Request("GET", "http", authority, "/"), allow_cleartext=False)
