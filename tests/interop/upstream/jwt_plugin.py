"""A pytest plugin: `import jwt` is the drop-in, as `watchword.dropin.install` makes it.

PyJWT's own tests of `PyJWKClient` replace `urllib.request.build_opener`, through which PyJWT fetches, and import one private name
of it. So the fetch goes that way here, and the name is there; all else is what users get.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request

import pytest

from watchword.dropin import install
from watchword.dropin.jwt import jwks_client
from watchword.transport.get import Answer, Fault, FetchFailed, Get, Terms


def fetch(get: Get, terms: Terms) -> Answer:
    """By urllib, as PyJWT does it."""
    request = urllib.request.Request(get.url, headers=dict(get.fields))
    try:
        with urllib.request.build_opener().open(request, timeout=terms.timeout) as response:
            body = response.read()
    except urllib.error.HTTPError as error:
        error.close()
        raise FetchFailed(Fault.STATUS, str(error), error.code) from None
    except (OSError, http.client.HTTPException) as error:
        raise FetchFailed(Fault.UNREACHABLE, str(error)) from None
    return Answer(200, (), body if isinstance(body, bytes) else str(body).encode())


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before anything of the suite is imported."""
    install("jwt")
    jwks_client.PyJWKClient._wire = lambda _: fetch
    jwks_client._NoRedirectHandler = None
