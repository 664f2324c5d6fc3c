"""A protocol parameter that occurs twice is refused (RFC 5849 §3.2): of two, one reader takes the first and another the last."""

from __future__ import annotations

import pytest

from tests.schemes.oauth1_world import FORM, GET, KEY, auth, changed, guard, reason, signed
from watchword import Reason

POST = changed(GET, method="POST", headers=FORM)
NAMES = (
    "oauth_consumer_key",
    "oauth_token",
    "oauth_nonce",
    "oauth_timestamp",
    "oauth_signature",
    "oauth_signature_method",
)


@pytest.mark.parametrize("name", [*NAMES, "oauth_version", "oauth_anything"])
@pytest.mark.parametrize(
    "spelling", [str, lambda name: name.replace("_", "%5F"), lambda name: name.replace("o", "%6f", 1)]
)
def test_in_the_field(name, spelling) -> None:
    request, _ = signed(auth())
    value = request.values(b"authorization")[0]
    extra = f', {spelling(name)}="{KEY}"'.encode() * (2 if name == "oauth_anything" else 1)
    assert reason(guard(), request.with_headers(((b"authorization", value + extra),))) is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("before", [True, False])
def test_in_the_query(name: str, before: bool) -> None:
    request, _ = signed(auth(placement="query"))
    extra = f"{name.replace('_', '%5f')}={KEY}".encode()
    query = request.query or b""
    twice = extra + b"&" + query if before else query + b"&" + extra
    assert reason(guard(), changed(request, target=request.path + b"?" + twice)) is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("name", NAMES)
def test_in_the_form(name: str) -> None:
    request, body = signed(auth(placement="form"), POST, b"a=1")
    assert reason(guard(), request, body + f"&{name}={KEY}".encode()) is Reason.MALFORMED_CREDENTIALS
    assert guard().verify(request, body).subject == "alice"
