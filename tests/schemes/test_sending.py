"""Where bare secrets may go, and how that is told."""

from __future__ import annotations

import pytest

from watchword import ConfigurationError, Request
from watchword.schemes.sending import host_of, refuse_cleartext


@pytest.mark.parametrize(
    "authority",
    ["localhost", "LOCALHOST:80", "api.localhost", "127.0.0.1", "127.9.9.9:8000", "[::1]:8000", "[0:0:0:0:0:0:0:1]"],
)
def test_secrets_may_travel_in_the_clear_to_loopback(authority):
    refuse_cleartext(Request("GET", "http", authority, "/"), False)


@pytest.mark.parametrize(
    "authority",
    [
        "api.example", "127.0.0.1.evil.example", "127.evil.evil.example", "127.0.0.evil", "localhost.evil.example",
        "evil.example:127", "notlocalhost", "[::2]", "[::ffff:10.0.0.1]", "", "127.0.0.1@evil.example", "10.0.0.1",
        "0x7f.1", "2130706433",
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_secrets_do_not_travel_in_the_clear_to_anywhere_else(authority, scheme):
    request = Request("GET", scheme, authority, "/")
    with pytest.raises(ConfigurationError, match="allow_cleartext"):
        refuse_cleartext(request, False)
    refuse_cleartext(request, True)
    refuse_cleartext(Request("GET", scheme.replace("p", "ps").replace("ws", "wss"), authority, "/"), False)


@pytest.mark.parametrize(
    ("authority", "host"),
    [("a.example:80", "a.example"), ("[fe80::1]:80", "fe80::1"), ("u:p@A.example:80", "a.example"), ("x", "x")],
)
def test_the_host_of_an_authority(authority, host):
    assert host_of(authority) == host
