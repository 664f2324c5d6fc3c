"""Scheme, host and port are signed as the client saw them: what a proxy says of them counts only from where it is trusted."""

from __future__ import annotations

import pytest

from tests.schemes.oauth1_world import GET, NOW, auth, changed, guard, reason, signed, store
from watchword import Guard, OAuth1Verifier, Peer, Policy, PublicURL, Reason, Request

PROXY = Peer("10.0.0.2")


def behind(url: PublicURL) -> Guard:
    return Guard([OAuth1Verifier()], store(), policy=Policy(clock=lambda: NOW, public_url=url))


def arrived(request: Request, *fields: tuple[str, str], peer: Peer = PROXY, **parts: object) -> Request:
    """The request as it reaches the application: in the clear, for the host of the inside."""
    given = {"scheme": "http", "authority": "app:8000", "target": request.target, **parts}
    return Request(request.method, headers=[*request.headers, *fields], peer=peer, **given)  # type: ignore[arg-type]


def test_an_origin_that_is_configured() -> None:
    request, _ = signed(auth())
    assert reason(guard(), arrived(request)) is Reason.WRONG_SIGNATURE
    assert behind(PublicURL("https://api.example")).verify(arrived(request)).subject == "alice"
    signed_for_http, _ = signed(auth(), changed(GET, scheme="http"))
    assert reason(behind(PublicURL("https://api.example")), arrived(signed_for_http)) is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize("port", ["443", "80", "8443"])
def test_ports_that_are_default_for_one_scheme_only(port: str) -> None:
    request, _ = signed(auth(), changed(GET, authority=f"api.example:{port}"))
    same = guard().verify(changed(request, authority="api.example")) if port == "443" else None
    assert (same is not None) == (port == "443")
    if same is None:
        assert reason(guard(), changed(request, authority="api.example")) is Reason.WRONG_SIGNATURE
    assert reason(guard(), changed(request, scheme="http")) is Reason.WRONG_SIGNATURE


def test_forwarded_fields_count_from_trusted_hops_only() -> None:
    request, _ = signed(auth())
    judge = behind(PublicURL(forwarded="Forwarded", trusted=("10.0.0.0/8",)))
    said = ("Forwarded", "for=192.0.2.7;proto=https;host=api.example")
    assert reason(judge, arrived(request, said, peer=Peer("192.0.2.66"))) is Reason.WRONG_SIGNATURE
    assert judge.verify(arrived(request, said)).subject == "alice"


def test_a_signature_for_the_inside_is_none_for_the_outside() -> None:
    """Who can reach another host of the same clients can't take its requests here by a Host of his choice."""
    request, _ = signed(auth(), changed(GET, scheme="http", authority="app:8000"))
    judge = behind(PublicURL("https://api.example"))
    assert reason(judge, arrived(request)) is Reason.WRONG_SIGNATURE
    assert reason(judge, arrived(request, ("Host", "app:8000"))) is Reason.WRONG_SIGNATURE


def test_a_prefix_that_the_proxy_takes_off_is_signed() -> None:
    request, _ = signed(auth(), changed(GET, target=b"/api/orders?id=7"))
    judge = behind(PublicURL("https://api.example", prefix="/api"))
    assert judge.verify(arrived(request, target=b"/orders?id=7")).subject == "alice"
    assert reason(judge, arrived(request, target=b"/x/../orders?id=7")) is Reason.TARGET_REFUSED


def test_plaintext_needs_the_public_scheme_to_be_tls() -> None:
    who = auth(signature_method="PLAINTEXT", allow_plaintext=True)
    verifier = OAuth1Verifier(allow_plaintext=True)
    judge = Guard([verifier], store(), policy=Policy(clock=lambda: NOW, public_url=PublicURL("https://api.example")))
    assert judge.verify(arrived(signed(who)[0])).subject == "alice"
    plain = Guard([verifier], store(), policy=Policy(clock=lambda: NOW))
    claimed = arrived(signed(who)[0], ("X-Forwarded-Proto", "https"))
    assert reason(plain, claimed) is Reason.WRONG_ALGORITHM
