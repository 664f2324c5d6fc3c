"""A pytest plugin: `import requests_oauthlib` is the drop-in, as `watchword.dropin.install` makes it.

requests-oauthlib's own tests replace the functions of oauthlib that give nonces and the time. So nonces and the time come from there
here. Three of them ask httpbin.org, which is answered in this process; all else is what users get.
"""

from __future__ import annotations

import io

import oauthlib.oauth1.rfc5849 as oauthlib_oauth1
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from watchword.dropin import install
from watchword.dropin.requests_oauthlib.oauth1_client import Client


def moment(client: Client) -> tuple[str, str]:
    """From where the tests put it."""
    return oauthlib_oauth1.generate_timestamp(), oauthlib_oauth1.generate_nonce()


def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **_: object) -> requests.Response:
    """What httpbin.org would say; nobody else is asked."""
    assert str(request.url).startswith("http://httpbin.org/"), request.url
    return adapter.build_response(request, HTTPResponse(io.BytesIO(b"{}"), status=200, preload_content=False))


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before anything of the suite is imported."""
    install("requests_oauthlib")
    Client.moment = moment
    HTTPAdapter.send = send
