"""The signature method that a request names never widens what its client may use (RFC 5849 §3.4, RFC 8725 §2.1 of JWTs)."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest

from tests.schemes.oauth1_world import (
    EVERY,
    GET,
    KEY,
    NOW,
    SECRET,
    TOKEN,
    TOKEN_SECRET,
    auth,
    guard,
    reason,
    rsa_pair,
    signed,
)
from watchword import ConfigurationError, OAuth1Auth, Reason, Request
from watchword.schemes.oauth1.credentials import METHODS
from watchword.schemes.oauth1.encoding import base_string, base_uri, escape, form_pairs, header_value
from watchword.stores import MemoryStore


def forged(
    method: str, key: bytes, *, client: str = KEY, token: str | None = None, named: str | None = None
) -> Request:
    """A request that is signed by HMAC with a key that anybody has."""
    given = {
        "oauth_consumer_key": client, "oauth_signature_method": named or method, "oauth_timestamp": str(int(NOW)),
        "oauth_nonce": "n", **({} if token is None else {"oauth_token": token}),
    }  # fmt: skip
    base = base_string("GET", base_uri(GET), [*given.items(), *form_pairs(GET.query or b"", "query")])
    signature = b64encode(METHODS[method].mac(key, base)).decode()
    return GET.with_headers(
        ((b"authorization", header_value(None, [*given.items(), ("oauth_signature", escape(signature))])),)
    )


def rsa_only() -> MemoryStore:
    records = MemoryStore()
    records.add_oauth1_client(KEY, public_key=rsa_pair()[1])
    records.add_oauth1_token(TOKEN, "", client_key=KEY, subject="alice")
    return records


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512"])
@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_public_key_is_no_secret_and_neither_is_an_empty_one(method: str, token: str | None) -> None:
    pem = rsa_pair()[1]
    for secret in (pem, pem.strip(), quote(pem, safe="~"), ""):
        request = forged(method, f"{secret}&".encode(), token=token)
        assert reason(guard(rsa_only(), methods=EVERY), request) is Reason.WRONG_ALGORITHM


def test_a_client_with_a_secret_has_no_key_to_be_named() -> None:
    who = OAuth1Auth(KEY, signature_method="RSA-SHA256", rsa_key=rsa_pair()[0], token=TOKEN)
    assert reason(guard(methods=EVERY), signed(who)[0]) is Reason.WRONG_ALGORITHM


def test_a_token_without_a_secret_is_not_for_hmac() -> None:
    records = MemoryStore()
    records.add_oauth1_client(KEY, secret=SECRET, public_key=rsa_pair()[1])
    records.add_oauth1_token(TOKEN, "", client_key=KEY, subject="alice")
    assert reason(guard(records), signed(auth(token_secret=""))[0]) is Reason.WRONG_ALGORITHM
    assert guard(records).verify(signed(auth(signature_method="RSA-SHA256"))[0]).subject == "alice"


@pytest.mark.parametrize("named", ["HMAC-SHA256", "HMAC-SHA1"])
def test_another_hash_than_the_one_that_is_named(named: str) -> None:
    key = f"{quote(SECRET, safe='~')}&".encode()
    request = forged("HMAC-SHA512", key, named=named)
    assert reason(guard(methods=EVERY), request) is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize(
    "method", ["HMAC-SHA1", "RSA-SHA1", "PLAINTEXT", "none", "NONE", "", "HMAC-SHA256 ", "hmac-sha256"]
)
def test_what_the_verifier_does_not_accept_it_does_not_try(method: str) -> None:
    value = signed(auth())[0].values(b"authorization")[0].replace(b"HMAC-SHA256", quote(method).encode())
    assert reason(guard(), GET.with_headers(((b"authorization", value),))) is Reason.WRONG_ALGORITHM


def test_plaintext_does_not_carry_a_hash_nor_a_hash_the_secrets() -> None:
    secrets = escape(f"{quote(SECRET, safe='~')}&{quote(TOKEN_SECRET, safe='~')}").encode()
    value = signed(auth())[0].values(b"authorization")[0]
    start = value.index(b'oauth_signature="')
    plain = value[:start].replace(b"HMAC-SHA256", b"PLAINTEXT") + value[start:]
    judge = guard(allow_plaintext=True)
    assert reason(judge, GET.with_headers(((b"authorization", plain),))) is Reason.WRONG_SIGNATURE
    shown = value[:start] + b'oauth_signature="%b"' % secrets
    assert reason(judge, GET.with_headers(((b"authorization", shown),))) is Reason.MALFORMED_CREDENTIALS


def test_a_short_key_is_for_rsa_sha1_alone() -> None:
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import rsa

    small = rsa.generate_private_key(65537, 1024)
    pem = small.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    private = small.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    with pytest.raises(ConfigurationError, match="2048"):
        MemoryStore().add_oauth1_client(KEY, public_key=pem, methods=("RSA-SHA256",))
    with pytest.raises(ConfigurationError, match="2048"):
        OAuth1Auth(KEY, signature_method="RSA-SHA256", rsa_key=private)
    records = MemoryStore()
    records.add_oauth1_client(KEY, public_key=pem)
    who = OAuth1Auth(KEY, signature_method="RSA-SHA1", rsa_key=private)
    assert guard(records, methods=EVERY).verify(signed(who)[0]).subject == KEY
    value = signed(who)[0].values(b"authorization")[0].replace(b"RSA-SHA1", b"RSA-SHA256")
    assert (
        reason(guard(records, methods=EVERY), GET.with_headers(((b"authorization", value),))) is Reason.WRONG_ALGORITHM
    )
