"""A prepared request of requests can be sent more than once; no answer to it is believed for having been checked before."""

from __future__ import annotations

import pytest
import requests

from tests.clients.origin import Answer, Seen, origin
from tests.clients.sealed_origin import sealing
from tests.patience import PATIENCE
from watchword import BearerAuth, CredentialsUnavailable, DigestAuth, Guard, JWTVerifier, Key
from watchword.clients.requests import adapt
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.schemes.signatures.sealed import SealedAuth

KEY = Key.from_secret("s" * 32, algorithm="hmac-sha256", key_id="seal-1")


GUARD = Guard([JWTVerifier(Key.from_secret("u" * 32, algorithm="HS256"))], seal=SignatureSeal(KEY))


def genuine(seen: Seen) -> Answer:
    return sealing(GUARD, lambda _: (200, [], b"owes 7"), optional=True)(seen)


def forged(seen: Seen) -> Answer:
    return 200, [("Content-Type", "text/plain")], b"owes 8"


@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("allow_redirects", [False, True])
def test_the_answer_to_a_prepared_request_that_is_sent_again_is_not_believed(copied, moved, allow_redirects):
    with origin(genuine) as server, requests.Session() as session:
        session.trust_env = False
        auth = adapt(SealedAuth(KEY, allow_redirects=allow_redirects))
        prepared = session.prepare_request(requests.Request("GET", server.url + "/alice", auth=auth))
        assert session.send(prepared).content == b"owes 7"
        server.answer = forged
        again = prepared.copy() if copied else prepared
        if moved:
            again.url = again.url.replace("127.0.0.1", "localhost")
        with pytest.raises(CredentialsUnavailable, match="prepare|is not proven"):
            session.send(again)


def test_the_same_request_prepared_anew_is_judged_anew():
    with origin(genuine) as server, requests.Session() as session:
        session.trust_env = False
        session.auth = adapt(SealedAuth(KEY))
        for _ in range(2):
            assert session.get(server.url + "/alice", timeout=PATIENCE).content == b"owes 7"


def test_other_credentials_can_be_sent_again():
    with origin(forged) as server, requests.Session() as session:
        session.trust_env = False
        prepared = session.prepare_request(requests.Request("GET", server.url + "/", auth=adapt(BearerAuth("t"))))
        assert [session.send(prepared).status_code for _ in range(2)] == [200, 200]


def test_digest_holds_the_server_to_its_proof_each_time():
    """With `require_mutual`; else the caller wanted no proof."""
    for require in (True, False):
        with origin(lambda seen: (401, [], b"")) as server, requests.Session() as session:
            session.trust_env = False
            auth = adapt(DigestAuth("alice", "secret", require_mutual=require))
            prepared = session.prepare_request(requests.Request("GET", server.url + "/", auth=auth))
            assert session.send(prepared).status_code == 401
            server.answer = forged
            if require:
                with pytest.raises(CredentialsUnavailable, match="prepare|proved nothing"):
                    session.send(prepared)
            else:
                assert session.send(prepared).status_code == 200
