"""The realm is not signed (RFC 5849 §3.4.1.3.1), so nothing follows from the one that a request names."""

from __future__ import annotations

import pytest

from tests.schemes.oauth1_world import NOW, auth, guard, reason, signed, store
from watchword import Guard, OAuth1Verifier, Policy, Reason, Rejected


@pytest.mark.parametrize("realm", [b"admin", b"", b'a\\"b', b"a, oauth_token=x", b"orders", b"%22"])
def test_another_realm_makes_no_difference(realm: bytes) -> None:
    request, _ = signed(auth(realm="orders"))
    assert b'realm="orders"' in request.values(b"authorization")[0]
    value = request.values(b"authorization")[0].replace(b'realm="orders"', b'realm="%b"' % realm)
    identity = guard().verify(request.with_headers(((b"authorization", value),)))
    assert (identity.subject, identity.claims) == ("alice", {"oauth_token": "alices-token"})


def test_it_does_not_make_a_replay_another_request() -> None:
    request, _ = signed(auth(realm="orders"))
    judge = guard()
    judge.verify(request)
    value = request.values(b"authorization")[0].replace(b'realm="orders", ', b"")
    assert reason(judge, request.with_headers(((b"authorization", value),))) is Reason.REPLAYED


def test_the_challenge_names_the_guard_s() -> None:
    judge = Guard([OAuth1Verifier()], store(), policy=Policy(clock=lambda: NOW))
    request, _ = signed(auth("guess", realm="evil"))
    with pytest.raises(Rejected) as caught:
        judge.verify(request)
    assert caught.value.refusal is not None
    assert caught.value.refusal.response().values(b"www-authenticate") == [b'OAuth realm="protected"']
