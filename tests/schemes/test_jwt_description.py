"""What is signed of a JWT by a shared key, varied: what the signer did otherwise is named."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable

import pytest

from watchword import Guard, JWTVerifier, Key, Request, explain
from watchword.schemes.explaining.computation import Computation
from watchword.schemes.jwt.description import likely_mistake, signature_of

SECRET = bytes(range(64, 96))


def encoded(octets: bytes) -> bytes:
    return urlsafe_b64encode(octets).rstrip(b"=")


HEAD = encoded(b'{"alg":"HS256","typ":"JWT"}')
PAYLOAD = encoded(b'{"sub":"alice", "exp":1700000000}')


def by(secret: bytes, text: bytes = HEAD + b"." + PAYLOAD, hashed: str = "sha256") -> bytes:
    return hmac.digest(secret, text, hashed)


def key(secret: bytes = SECRET) -> Key:
    return Key.from_secret(secret, algorithm="HS256", key_id="k")


def told(signature: bytes, held: bytes = SECRET) -> tuple[str, str]:
    cause = likely_mistake([key(held)], "HS256", HEAD, PAYLOAD, signature)[0]
    return cause.component, cause.mend


def test_the_description_is_the_signature_of_rfc_7515() -> None:
    root = signature_of(key(), "HS256", HEAD, PAYLOAD)
    assert Computation(root).value(root) == encoded(by(SECRET))


@pytest.mark.parametrize(
    ("held", "used", "said"),
    [
        (SECRET, b64encode(SECRET), "as base64 text"),
        (SECRET, urlsafe_b64encode(SECRET).rstrip(b"="), "without padding"),
        (SECRET, SECRET.hex().encode(), "as hex text"),
        (SECRET, SECRET + b"\n", "line break"),
        (b64encode(SECRET), SECRET, "decoded from base64"),
        (urlsafe_b64encode(bytes([251]) * 32).rstrip(b"="), bytes([251]) * 32, "decoded from base64url"),
        (SECRET.hex().encode(), SECRET, "decoded from hex"),
        (SECRET + b" \n", SECRET, "white space"),
    ],
)
def test_a_secret_that_the_two_sides_spell_differently(held: bytes, used: bytes, said: str) -> None:
    component, mend = told(encoded(by(used)), held)
    assert component == "key"
    assert said in mend
    for octets in (held, used):
        assert octets.decode("latin-1") not in mend


@pytest.mark.parametrize(
    ("make", "component"),
    [
        (lambda: encoded(by(SECRET, PAYLOAD)), "header"),
        (lambda: encoded(by(SECRET, HEAD + PAYLOAD)), "signing input"),
        (lambda: encoded(by(SECRET, b'{"alg":"HS256","typ":"JWT"}.' + PAYLOAD)), "header"),
        (lambda: encoded(by(SECRET, HEAD + b"." + encoded(b'{"sub":"alice","exp":1700000000}'))), "payload"),
        (lambda: encoded(by(SECRET, hashed="sha512")), "header alg"),
        (lambda: encoded(by(SECRET).hex().encode()), "signature"),
        (lambda: by(SECRET).hex().encode(), "signature"),
        (lambda: encoded(by(SECRET))[:22], "signature"),
    ],
)
def test_what_the_signer_did_otherwise_is_named(make: Callable[[], bytes], component: str) -> None:
    found, mend = told(make())
    assert component in found
    assert mend


def test_another_secret_is_explained_by_nothing_and_a_public_key_is_not_varied() -> None:
    assert not likely_mistake([key()], "HS256", HEAD, PAYLOAD, encoded(by(b"x" * 32)))
    assert not likely_mistake([Key.generate("ES256")], "HS256", HEAD, PAYLOAD, encoded(by(SECRET)))


def test_explain_says_it_of_a_request() -> None:
    token = HEAD + b"." + PAYLOAD + b"." + encoded(by(SECRET.hex().encode()))
    request = Request("GET", "https", "h", "/", {"Authorization": b"Bearer " + token})
    cause = explain(request, Guard([JWTVerifier(key())])).causes[0]
    assert (cause.name, cause.component) == ("signature", "key")
    assert SECRET.hex() not in json.dumps(cause)
