"""Key-set storms: tokens with made-up key ids make a verifier fetch, and fetch, and fetch."""

from __future__ import annotations

import threading

import pytest

from tests.stores.issuer import Issuer, new_key
from watchword import Guard, JWTVerifier, Key, Policy, Reason, Rejected, Request
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_encode

GENUINE, FORGER = new_key("1"), Key.generate("ES256")


def bearer(token):
    return Request("GET", "https", "api.example", "/", {"Authorization": f"Bearer {token}"})


def forged(key_id):
    head = b64url_encode(b'{"alg":"ES256","kid":"%s"}' % key_id.encode())
    return bearer((head + b"." + b64url_encode(b'{"sub":"admin"}') + b"." + b64url_encode(bytes(64))).decode())


def guard_of(issuer, remote):
    return Guard([JWTVerifier(remote, clock=issuer.clock)], policy=Policy(clock=issuer.clock))


def test_ten_thousand_random_key_ids_cause_one_fetch_per_cool_down():
    with Issuer(GENUINE) as issuer:
        remote = issuer.remote()
        guard = guard_of(issuer, remote)
        remote.refresh()
        for round_ in range(1, 3):
            issuer.clock.now += 30

            def storm(part, round_=round_):
                for number in range(1250):
                    with pytest.raises(Rejected) as caught:
                        guard.verify(forged(f"{round_}-{part}-{number}"))
                    assert caught.value.reason is Reason.UNKNOWN_KEY

            threads = [threading.Thread(target=storm, args=(part,)) for part in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert issuer.fetches == 1 + round_
        assert guard.verify(bearer(issuer.token(GENUINE))).subject == "alice"
        assert issuer.fetches == 3


def test_a_storm_does_not_keep_a_new_key_out_for_longer_than_one_cool_down():
    with Issuer(GENUINE) as issuer:
        guard = guard_of(issuer, issuer.remote())
        guard.verify(bearer(issuer.token(GENUINE)))
        issuer.clock.now += 30
        for number in range(100):  # the first of them uses up the fetch of this cool-down
            with pytest.raises(Rejected):
                guard.verify(forged(str(number)))
        new = new_key("2")
        issuer.keys = (GENUINE, new)
        issuer.clock.now += 30
        assert guard.verify(bearer(issuer.token(new))).key_id == "2"


def test_key_ids_that_were_refused_are_not_remembered():
    """A memory of bad key ids could be filled by anybody."""
    with Issuer(GENUINE) as issuer:
        remote = issuer.remote()
        verifier = JWTVerifier(remote, clock=issuer.clock)
        remote.refresh()
        for number in range(500):
            with pytest.raises(Rejected):
                verifier.verify(forged(str(number)).values(b"authorization")[0][7:])
        assert len(verifier.jws._known) == 0
        assert not any(isinstance(value, (dict, list, set)) and len(value) > 1 for value in vars(remote).values())


def test_the_headers_own_urls_are_never_fetched():
    with Issuer(GENUINE) as issuer, Issuer(FORGER) as evil:
        guard = guard_of(issuer, issuer.remote())
        for name in ("jku", "x5u"):
            token = jose.sign(b'{"sub":"admin"}', FORGER, header={name: evil.url()})
            with pytest.raises(Rejected):
                guard.verify(bearer(token))
        assert evil.connections == 0
