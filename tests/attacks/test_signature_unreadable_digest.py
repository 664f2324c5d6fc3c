"""A covered digest field that was made unreadable: refused and explained, never an error of ours."""

from __future__ import annotations

import pytest

from tests.attacks.signed_worlds import NOW, WORLDS
from watchword import Reason, Rejected, Request, explain


@pytest.mark.parametrize(
    "value", [b"sha-256=:AAAA:", b"sha-256=:", b"sha-256", b"sha-256=1", b'"', b"\xff", b"", b"a=:AAAA:, ,", b"md5=:AAAA:", b"=" * 16_000]
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["signature", "signature-ed25519"])
def test_it_is_refused_and_named(scheme: str, value: bytes) -> None:
    world = WORLDS[scheme]
    request, body = world.sign(body=b"an order")
    headers = [(name, value if name == b"content-digest" else each) for name, each in request.headers]
    changed = Request(request.method, request.scheme, request.authority, request.target, headers)
    outcome = world.verify(changed, body)
    assert isinstance(outcome, Rejected)
    assert outcome.reason in {Reason.WRONG_SIGNATURE, Reason.MALFORMED_CREDENTIALS, Reason.WRONG_ALGORITHM}
    shown = explain(changed, world.guard(), body, at=NOW)
    if shown.checks:
        assert "content-digest" in shown.causes[0].component
    assert not shown.accepted
