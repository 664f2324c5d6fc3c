"""Advisories on PyJWKClient (PyJWT), one test each: what it may fetch, how often, and what a failure costs."""

from __future__ import annotations

import json

import pytest

from tests.stores.issuer import Issuer, new_key
from tests.transport.origin import Origin, response
from watchword import ConfigurationError, KeySet
from watchword.dropin import jwt
from watchword.stores import RemoteKeySet

GOOD, EVIL = new_key("good"), new_key("evil")
OPEN = {"allow_cleartext": True, "allow_private": True, "timeout": 5}


@pytest.mark.parametrize("scheme", ["file", "FILE", "ftp", "data", "gopher", "netdoc", "jar:file", "ldap", ""])
def test_ghsa_993g_76c3_p5m4_a_key_set_is_no_file(scheme, tmp_path):
    where = tmp_path / "keys.json"
    where.write_text(json.dumps(KeySet([EVIL]).to_jwks()))
    url = f"{scheme}://{where}" if scheme else str(where)
    with pytest.raises(jwt.PyJWKClientError, match="scheme"):
        jwt.PyJWKClient(url, **OPEN)
    with pytest.raises(ConfigurationError):
        RemoteKeySet(url, **OPEN)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_ghsa_9v7f_9g4p_ffgj_a_redirect_leads_to_no_other_keys(status):
    with Issuer(EVIL) as other, Origin(lambda *_: response(status=status, location=other.url())) as origin:
        with pytest.raises(jwt.PyJWKClientConnectionError, match="redirect"):
            jwt.PyJWKClient(origin.url(), **OPEN).get_signing_key("evil")
        assert other.fetches == 0


def test_ghsa_2gx3_rcp4_g85q_made_up_key_ids_cause_no_storm():
    with Issuer(GOOD) as issuer:
        keys = jwt.PyJWKClient(issuer.url(), **OPEN)
        for number in range(500):
            token = jwt.encode({"sub": "admin"}, EVIL, headers={"kid": "evil", "n": number})
            with pytest.raises(jwt.PyJWKClientError, match="evil"):
                keys.get_signing_key_from_jwt(token)
        assert issuer.fetches == 1
        assert keys.get_signing_key("good").key_id == "good"


def test_ghsa_fhv5_28vv_h8m8_a_failing_fetch_forgets_no_keys():
    with Issuer(GOOD) as issuer:
        keys = jwt.PyJWKClient(issuer.url(), **OPEN)
        keys.get_jwk_set()
        for body, status in ((b"{", 200), (b"{}", 200), (b'{"keys": []}', 200), (None, 500)):
            issuer.body, issuer.status = body, status
            with pytest.raises((jwt.PyJWKClientError, jwt.PyJWKSetError)):
                keys.get_jwk_set(refresh=True)
            assert keys.get_signing_key("good").key_id == "good"
        assert issuer.fetches == 5
