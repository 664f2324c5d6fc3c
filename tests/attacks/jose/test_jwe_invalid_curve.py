"""Ephemeral keys off the curve, of small order or of another kind (CVE-2017-16007 in node-jose): never multiplied."""

from __future__ import annotations

import pytest

from tests.attacks.jose.sealed import header_of, refusal, text, with_header
from watchword import Key, Reason
from watchword.crypto import jose

P256 = Key.generate("ECDH-ES+A128KW")
X25519 = Key.generate("ECDH-ES+A128KW", curve="X25519")
X448 = Key.generate("ECDH-ES", curve="X448")
REFUSED = (Reason.MALFORMED_CREDENTIALS, "epk")
POINT = Key.generate("ES256").to_jwk()
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1


def with_epk(key, epk):
    token = jose.encrypt(b"hello", key)
    return with_header(token, {**header_of(token), "epk": epk})


def on_p256(**members):
    return {"kty": "EC", "crv": "P-256", "x": POINT["x"], "y": POINT["y"], **members}


@pytest.mark.parametrize(
    "epk",
    [
        on_p256(y=POINT["x"]),  # off the curve
        on_p256(x=text(bytes(32)), y=text(bytes(32))),  # the point at infinity, as some write it
        on_p256(x=text((PRIME + 1).to_bytes(32)), y=POINT["y"]),  # not reduced
        on_p256(x=POINT["x"] + "AA"),
        on_p256(x=""),
        on_p256(y=None),
        on_p256(crv="P-384"),
        on_p256(crv="secp256k1"),
        on_p256(crv="Ed25519"),
        on_p256(kty="OKP"),
        on_p256(kty="oct", k="AAAA"),
        on_p256(kty=["EC"]),
        on_p256(crv=["P-256"]),
        X25519.to_jwk(),
        {},
        [],
        "x",
        None,
        7,
    ],
)
def test_what_is_no_point_of_our_curve_is_refused_before_it_is_used(epk):
    assert refusal(with_epk(P256, epk), P256)[:2] == REFUSED


# RFC 7748 §6.1: points of small order give a secret of zeros. 0, 1, one of order 8, and p.
SMALL = [
    bytes(32),
    b"\1" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
]


@pytest.mark.parametrize("point", SMALL, ids=bytes.hex)
def test_points_of_small_order_are_refused(point):
    assert refusal(with_epk(X25519, {"kty": "OKP", "crv": "X25519", "x": text(point)}), X25519)[:2] == REFUSED
    zeros = {"kty": "OKP", "crv": "X448", "x": text(bytes(56))}
    assert refusal(with_epk(X448, zeros), X448)[:2] == REFUSED


def test_a_private_member_in_the_ephemeral_key_changes_nothing():
    token = jose.encrypt(b"hello", P256)
    header = header_of(token)
    header["epk"]["d"] = "AAAA"
    assert refusal(with_header(token, header), P256)[0] is Reason.WRONG_SIGNATURE  # only for the changed header
