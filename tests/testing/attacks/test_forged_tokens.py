"""Attacks with tokens: a guard that decodes with care refuses all, and one that forgets a check is found by that check's attack."""

from __future__ import annotations

import json
import time

import pytest

from tests.testing.attacks.tried import app_that, is_hole, outcome
from watchword import JWTAuth, JWTVerifier, Key, Rejected
from watchword.crypto.encoding import b64url_decode
from watchword.dropin import jwt
from watchword.testing.attacks import Credentials
from watchword.testing.attacks.outcome import NotTried, Weakness

SECRET = "an old oak by the quiet river bends and bends"
PAIR = Key.generate("RS256", key_id="k1")
ISSUER = "https://id.example"
TOKEN_ATTACKS = (
    "unsigned_token", "confused_algorithm", "own_key", "another_service", "another_issuer", "expired_token", "token_without_end",
    "wrong_kind_of_token",
)  # fmt: skip


def claims(**more):
    return {"iss": ISSUER, "aud": "orders", "sub": "alice", "exp": int(time.time()) + 300, **more}


def bearer(request):
    return {"Authorization": f"Bearer {jwt.encode(claims(), SECRET, algorithm='HS256')}"}


SHARED = Credentials(bearer, key=SECRET)


def decoding(decode):
    """An app whose handler believes what `decode` does not raise on."""

    def checks(request):
        try:
            return decode(request.headers.get("authorization", "").removeprefix("Bearer "))
        except Exception:
            return None

    return app_that(checks)


def careful(token):
    options = {"require": ["exp", "iss", "aud"]}
    return jwt.decode(token, SECRET, algorithms=["HS256"], audience="orders", issuer=ISSUER, options=options)


def unverified(token):
    return json.loads(b64url_decode(token.split(".")[1].encode()))


def with_none(token):
    header = json.loads(b64url_decode(token.split(".")[0].encode()))
    return unverified(token) if str(header.get("alg")).lower() == "none" else careful(token)


def embedded(token):
    header = json.loads(b64url_decode(token.split(".")[0].encode()))
    if "jwk" not in header:
        return careful(token)
    key = Key.from_jwk(header["jwk"])
    signed, _, signature = token.rpartition(".")
    key.verify(signed.encode(), b64url_decode(signature.encode()))
    return unverified(token)


def key_by_path(token):
    header = json.loads(b64url_decode(token.split(".")[0].encode()))
    if "kid" not in header:
        return careful(token)
    return jwt.decode(
        token, "" if "/dev/null" in header["kid"] else SECRET, algorithms=["HS256"], options={"verify_aud": False}
    )


def lenient(**left_out):
    def decode(token):
        settings = {"audience": "orders", "issuer": ISSUER, "options": {"require": ["exp"]}, **left_out}
        return jwt.decode(token, SECRET, algorithms=["HS256"], **settings)

    return decode


@pytest.mark.parametrize(
    "attack", [name for name in TOKEN_ATTACKS if name not in ("confused_algorithm", "wrong_kind_of_token")]
)
def test_a_careful_guard_refuses_every_forged_token(attack):
    assert outcome(attack, decoding(careful), SHARED) is None


@pytest.mark.parametrize(
    ("attack", "decode"),
    [
        ("unsigned_token", unverified),
        ("unsigned_token", with_none),
        ("own_key", embedded),
        ("another_service", lenient(audience=None, options={"verify_aud": False})),
        ("expired_token", lenient(options={"verify_exp": False})),
    ],
)
def test_a_guard_without_one_check_is_found_by_its_attack(attack, decode):
    assert is_hole(outcome(attack, decoding(decode), SHARED))


def test_a_key_that_is_read_from_the_path_in_kid_is_found():
    def decode(token):
        header = json.loads(b64url_decode(token.split(".")[0].encode()))
        if "kid" not in header:
            return careful(token)
        from watchword.crypto.digests import hmac_digest

        secret = b"" if "/dev/null" in header["kid"] else SECRET.encode()
        signed, _, signature = token.rpartition(".")
        return b64url_decode(signature.encode()) == hmac_digest("sha256", secret, signed.encode())

    found = outcome("own_key", decoding(decode), SHARED)
    assert is_hole(found)
    assert "/dev/null" in found.tried


def test_a_secret_that_everybody_tries_is_found():
    def decode(token):
        from watchword.crypto.digests import hmac_digest

        signed, _, signature = token.rpartition(".")
        return b64url_decode(signature.encode()) == hmac_digest("sha256", b"changeme", signed.encode())

    weak = Credentials({"Authorization": "Bearer " + made("changeme")}, key="changeme")
    assert "'changeme'" in outcome("own_key", decoding(decode), weak).tried


def made(secret):
    from watchword.testing.attacks.tokens import written_with_secret

    return written_with_secret({"alg": "HS256", "typ": "JWT"}, claims(), secret.encode()).decode()


@pytest.mark.parametrize(
    ("attack", "decode"),
    [("another_issuer", lenient(issuer=None)), ("token_without_end", lenient(options={}))],
)
def test_what_needs_the_issuers_fault_too_is_a_weakness(attack, decode):
    assert isinstance(outcome(attack, decoding(decode), SHARED), Weakness)


def published(**settings):
    """A guard of ours over a key pair."""
    verifier = JWTVerifier(PAIR, **settings)

    def decode(token):
        try:
            return verifier.verify(token)
        except Rejected:
            return None

    return decoding(decode)


PAIRED = Credentials(JWTAuth(PAIR, claims={"iss": ISSUER, "aud": "orders", "sub": "alice"}))


@pytest.mark.parametrize("attack", TOKEN_ATTACKS[:-2])
def test_a_guard_of_ours_refuses_every_forged_token_of_a_client_half_of_ours(attack):
    assert outcome(attack, published(issuer=ISSUER, audience="orders"), PAIRED) is None


def test_another_issuer_under_published_keys_is_a_hole():
    assert is_hole(outcome("another_issuer", published(audience="orders"), PAIRED))


@pytest.mark.parametrize("name", ["HS256", "HS512"])
def test_a_public_key_that_passes_for_a_secret_is_found(name):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from watchword.crypto.digests import hmac_digest

    public = PAIR.openssl_pair()[0]
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def decode(token):
        header = json.loads(b64url_decode(token.split(".")[0].encode()))
        signed, _, signature = token.rpartition(".")
        if header["alg"] == name:
            hashed = {"HS256": "sha256", "HS512": "sha512"}[name]
            return b64url_decode(signature.encode()) == hmac_digest(hashed, pem, signed.encode())
        PAIR.verify(signed.encode(), b64url_decode(signature.encode()))
        return True

    assert is_hole(outcome("confused_algorithm", decoding(decode), PAIRED))
    token = PAIRED.ways(None)[0].mint(time.time())
    only_public = Credentials({"Authorization": f"Bearer {token}"}, public_key=pem)
    assert is_hole(outcome("confused_algorithm", decoding(decode), only_public))


def test_tokens_are_minted_by_the_users_function_too():
    def mint(claims):
        return jwt.encode(claims, SECRET, algorithm="HS256")

    careless = decoding(lenient(audience=None, options={"verify_aud": False}))
    assert is_hole(outcome("another_service", careless, Credentials(bearer, mint=mint)))
    assert outcome("another_service", decoding(careful), Credentials(bearer, mint=mint)) is None


def test_a_token_in_a_cookie_or_a_field_of_its_own_is_attacked_there():
    def from_cookie(decode):
        def checks(request):
            try:
                return decode(request.cookies.get("session", ""))
            except Exception:
                return None

        return app_that(checks)

    cookie = Credentials({"Cookie": f"theme=dark; session={made(SECRET)}"}, key=SECRET)
    careless = lenient(audience=None, options={"verify_aud": False})
    assert is_hole(outcome("another_service", from_cookie(careless), cookie))
    assert outcome("another_service", from_cookie(careful), cookie) is None


@pytest.mark.parametrize(
    ("credentials", "attack", "reason"),
    [
        (Credentials(bearer), "another_service", "key= or mint="),
        (SHARED, "confused_algorithm", "shared secret"),
        (Credentials({"Authorization": "Bearer opaque-and-long"}), "unsigned_token", "no JSON Web Token"),
    ],
)
def test_what_is_missing_is_named(credentials, attack, reason):
    app = app_that(lambda request: "authorization" in request.headers)
    found = outcome(attack, app, credentials)
    assert isinstance(found, NotTried)
    assert reason in str(found)


@pytest.mark.parametrize("compare", [str.startswith, str.endswith, str.__contains__, str.__eq__])
@pytest.mark.parametrize(
    ("attack", "claim", "own"), [("another_service", "aud", "orders"), ("another_issuer", "iss", ISSUER)]
)
def test_a_claim_of_which_a_part_is_compared_is_found(attack, claim, own, compare):
    def decode(token):
        read = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_aud": False})
        return compare(str(read.get(claim)), own)

    found = outcome(attack, decoding(decode), SHARED)
    assert (found is None) is (compare is str.__eq__)
