"""Where a proxy changed the path or the host, an explanation gives the line of code that mends it, and it does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.attacks.signed_worlds import WORLDS
from watchword import Policy, PublicURL, Request, explain
from watchword.core.scheme import Check
from watchword.schemes.explaining.remedies import with_line

CHANGES: dict[str, Callable[[Request], Request]] = {
    "prefix": lambda sent: moved(sent, target=sent.target.removeprefix(b"/v1")),
    "strip": lambda sent: moved(sent, target=b"/internal" + sent.target),
    "origin": lambda sent: moved(sent, authority="app:8000"),
}


def moved(sent: Request, **changes: object) -> Request:
    headers = [(name, value) for name, value in sent.headers if name != b"host"]
    authority = str(changes.get("authority", sent.authority))
    target = changes.get("target", sent.target)
    assert isinstance(target, bytes)
    return Request(
        sent.method,
        sent.scheme,
        authority,
        target,
        [*headers, ("Host", authority), ("Origin", f"{sent.scheme}://{sent.authority}")],
    )


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "name", ["hmac", "signature", "signature-ed25519", "sigv4", "sigv4-s3", "oauth1-header", "oauth1-query"]
)
def test_the_line_that_an_explanation_gives_mends_it(name: str, change: str) -> None:
    world = WORLDS[name]
    signed = world.sign("/v1/orders?id=7")
    seen = CHANGES[change](signed.request)
    first = explain(seen, world.guard(), signed.body, at=1_700_000_000).causes[0]
    line = first.mend.partition("tell the guard")[2].partition(": ")[2]
    assert line.startswith("Policy(public_url=PublicURL("), first.mend
    policy = eval(line, {"Policy": Policy, "PublicURL": PublicURL})
    assert isinstance(policy, Policy)
    assert policy.public_url is not None
    assert explain(policy.public_url(seen), world.guard(), signed.body, at=1_700_000_000).accepted


@pytest.mark.parametrize(
    ("component", "expected", "received"),
    [
        ("@path", "/a", "/b"), ("@path", "/a;b/c", "/c"), ("@query", "?a", "?b"),
        ("@authority", "a b", "c"), ("@authority", "user@host", "c"),
    ],
)  # fmt: skip
def test_no_line_is_given_that_is_not_known_or_can_not_be_meant(component: str, expected: str, received: str) -> None:
    mend = "tell the guard (PublicURL)"
    assert with_line(Check("mac", False, component, expected, received, mend), "https") == mend
