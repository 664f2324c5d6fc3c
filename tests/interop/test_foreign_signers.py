"""Other people's signers against `examples.api`: each signs with what the API's announcement says, and with nothing else."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import uuid

import pytest
import requests
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms
from requests_oauthlib import OAuth1
from standardwebhooks import Webhook

TIMEOUT = 300
BODY = '{"a": "é"}'.encode()


def url(api, scheme, query=""):
    return api["base_url"] + api[scheme]["path"] + query


def admitted(answer, scheme, subject):
    assert answer.status_code == 200, dict(answer.headers)
    assert (answer.json()["scheme"], answer.json()["subject"]) == (scheme, subject)


@pytest.mark.parametrize("path", ["own", "/whoami"])
def test_botocore_and_curl_are_admitted(api, curl, path):
    keys = api["sigv4"]
    where = api["base_url"] + (keys["path"] if path == "own" else path)
    made = AWSRequest("GET", where + "?b=2&a=x%20y")
    SigV4Auth(Credentials(keys["access_key"], keys["secret_key"]), keys["service"], keys["region"]).add_auth(made)
    admitted(requests.get(made.url, headers=dict(made.headers), timeout=TIMEOUT), "sigv4", "robot")
    status, text = curl(
        "--aws-sigv4", f"aws:amz:{keys['region']}:{keys['service']}", "--user", f"{keys['access_key']}:{keys['secret_key']}",
        where + "?a=1&b=2",
    )  # fmt: skip
    assert (status, json.loads(text)["subject"]) == (200, "robot"), text


def test_botocore_is_admitted_with_a_body_and_by_a_presigned_url(api):
    keys = api["sigv4"]
    signer = Credentials(keys["access_key"], keys["secret_key"]), keys["service"], keys["region"]
    made = AWSRequest("POST", url(api, "sigv4"), data=BODY, headers={"Content-Type": "application/json"})
    SigV4Auth(*signer).add_auth(made)
    admitted(requests.post(made.url, data=BODY, headers=dict(made.headers), timeout=TIMEOUT), "sigv4", "robot")
    assert requests.post(made.url, data=b"other", headers=dict(made.headers), timeout=TIMEOUT).status_code == 401
    link = AWSRequest("GET", url(api, "sigv4"))
    SigV4QueryAuth(*signer, expires=60).add_auth(link)
    admitted(requests.get(link.url, timeout=TIMEOUT), "sigv4", "robot")
    assert requests.get(link.url + "&admin=1", timeout=TIMEOUT).status_code == 401


@pytest.mark.parametrize("place", ["AUTH_HEADER", "QUERY"])
@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256"])
def test_requests_oauthlib_is_admitted(api, method, place):
    keys = api["oauth1"]
    secrets = keys["client_key"], keys["client_secret"], keys["token"], keys["token_secret"]
    auth = OAuth1(*secrets, signature_method=method, signature_type=place)
    admitted(requests.get(url(api, "oauth1", "?x=1"), auth=auth, timeout=TIMEOUT), "oauth1", api["basic"]["username"])
    form = {"a": "b c", "d": "é&="}
    admitted(
        requests.post(url(api, "oauth1"), data=form, auth=auth, timeout=TIMEOUT), "oauth1", api["basic"]["username"]
    )


class Keys(HTTPSignatureKeyResolver):
    def __init__(self, known):
        self.known = known

    def resolve_private_key(self, key_id):
        if key_id == self.known["key_id"]:
            return base64.urlsafe_b64decode(self.known["secret"] + "==")
        return load_pem_private_key(self.known["ed25519"]["private_key"].encode(), None)

    def resolve_public_key(self, key_id):
        raise AssertionError("nothing is verified here")


@pytest.mark.parametrize("algorithm", [algorithms.HMAC_SHA256, algorithms.ED25519])
def test_http_message_signatures_is_admitted_once(api, algorithm):
    known = api["signature"]
    key_id = known["key_id"] if algorithm is algorithms.HMAC_SHA256 else known["ed25519"]["key_id"]
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    made = requests.Request(
        "POST", url(api, "signature", "?q=1"), data=BODY, headers={"Content-Digest": f"sha-256=:{digest}:"}
    ).prepare()
    HTTPMessageSigner(signature_algorithm=algorithm, key_resolver=Keys(known)).sign(
        made, key_id=key_id, nonce=uuid.uuid4().hex, created=dt.datetime.now(dt.UTC),
        covered_component_ids=("@method", "@authority", "@target-uri", "content-digest"), use_existing_digest=True,
    )  # fmt: skip
    with requests.Session() as session:
        admitted(session.send(made, timeout=TIMEOUT), "signature", "robot")
        again = session.send(made, timeout=TIMEOUT)
    assert again.status_code == 401
    assert "accept-signature" in again.headers


def test_standardwebhooks_is_admitted_once(api):
    now = dt.datetime.now(dt.UTC)
    signature = Webhook(api["webhook"]["secret"]).sign("msg_1", now, BODY.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    admitted(requests.post(url(api, "webhook"), data=BODY, headers=headers, timeout=TIMEOUT), "webhook", "shop")
    assert requests.post(url(api, "webhook"), data=BODY, headers=headers, timeout=TIMEOUT).status_code == 401
