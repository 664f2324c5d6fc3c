"""JWK sets read and written, thumbprints, and how a JWK gets its one algorithm."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, Key, KeySet
from watchword.crypto.algorithms import ALGORITHMS

# RFC 7638 §3.1 and RFC 8037 appendix A.3
RFC7638 = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn"
    "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5"
    "hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
RFC8037 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "alg": "EdDSA"}


@pytest.fixture(scope="module")
def keys():
    return {row.name: Key.generate(row.name, key_id=row.name) for row in ALGORITHMS}


def without(jwk, *names):
    return {name: value for name, value in jwk.items() if name not in names}


@pytest.mark.parametrize(
    ("jwk", "thumbprint"),
    [
        (RFC7638, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (RFC8037, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ],
)
def test_thumbprints_are_the_rfcs(jwk, thumbprint):
    assert Key.from_jwk(jwk).thumbprint() == thumbprint


@pytest.mark.parametrize("name", [row.name for row in ALGORITHMS])
def test_a_key_comes_back_from_its_jwk_whole_or_in_public(name, keys):
    key = keys[name]
    whole = Key.from_jwk(json.loads(json.dumps(key.to_jwk(private=True))))
    whole.verify(b"data", key.sign(b"data"))
    key.verify(b"data", whole.sign(b"data"))
    assert (whole.key_id, whole.algorithm, whole.thumbprint()) == (name, name, key.thumbprint())
    if not name.startswith("HS"):
        public = Key.from_jwk(key.to_jwk())
        assert not public.can_sign
        assert public.thumbprint() == key.thumbprint()
        public.verify(b"data", key.sign(b"data"))


def test_private_parts_leave_only_when_asked_for_by_name(keys):
    for name, key in keys.items():
        if name.startswith("HS"):
            with pytest.raises(ConfigurationError, match="private=True"):
                key.to_jwk()
        else:
            assert not set(key.to_jwk()) & {"d", "p", "q", "dp", "dq", "qi", "k"}
    with pytest.raises(ConfigurationError, match="no private part"):
        Key.from_jwk(RFC8037).to_jwk(private=True)


def test_a_set_comes_back_from_its_jwks(keys):
    every = KeySet(keys.values())
    public = KeySet.from_jwks(json.dumps(every.to_jwks()))
    assert [key.key_id for key in public.keys] == [name for name in keys if not name.startswith("HS")]
    whole = KeySet.from_jwks(json.dumps(every.to_jwks(private=True)).encode())
    assert [key.thumbprint() for key in whole.keys] == [key.thumbprint() for key in every.keys]
    assert all(key.can_sign for key in whole.keys)
    assert (public.skipped, whole.skipped) == ((), ())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"use": "enc"}, "not for signatures"),
        ({"key_ops": ["wrapKey"]}, "neither sign nor verify"),
        ({"key_ops": "verify"}, "key_ops"),
        ({"alg": "ES384"}, "P-384"),
        ({"alg": "ECDH-ES"}, "not for encryption"),
        ({"alg": 7}, "unknown algorithm"),
        ({"kty": "XY"}, "kty"),
        ({"kid": 7}, "text"),
        ({"x": "AAAA"}, "octets"),
        ({"x": 7}, "member 'x'"),
        ({"x": "A" * 43}, "no valid EC key"),
    ],
)
def test_an_unusable_key_is_skipped_and_listed_with_the_reason(keys, change, reason):
    broken = {**keys["ES256"].to_jwk(), "kid": "broken", **change}
    found = KeySet.from_jwks({"keys": [broken, RFC8037]})
    assert len(found) == 1
    (skipped,) = found.skipped
    assert skipped.key_id == (None if "kid" in change else "broken")
    assert reason in skipped.reason


@pytest.mark.parametrize("member", [None, 7, "x", [], {}])
def test_what_is_no_key_is_skipped(member):
    assert len(KeySet.from_jwks({"keys": [member, RFC8037]}).skipped) == 1


def test_a_key_without_an_algorithm_gets_the_one_that_is_permitted_for_its_type_and_curve(keys):
    jwks = {"keys": [without(keys[name].to_jwk(), "alg") for name in ("RS256", "ES256", "ES384", "Ed448")]}
    found = KeySet.from_jwks(jwks, algorithms=["PS256", "ES256", "ES384"])
    assert [key.algorithm for key in found.keys] == ["PS256", "ES256", "ES384"]
    assert "none of algorithms=" in found.skipped[0].reason
    two = KeySet.from_jwks(jwks, algorithms=["PS256", "RS256", "ES256"])
    assert "PS256 and RS256 both fit" in two.skipped[0].reason
    twice = KeySet.from_jwks(
        jwks, algorithms=["ES256", "ES256", "ecdsa-p256-sha256"]
    )  # one algorithm, said three times
    assert [key.algorithm for key in twice.keys] == ["ES256"]
    with pytest.raises(ConfigurationError, match="algorithms="):
        KeySet.from_jwks(jwks)


def test_a_key_that_names_an_algorithm_that_is_not_permitted_is_skipped(keys):
    found = KeySet.from_jwks({"keys": [RFC7638, RFC8037]}, algorithms=["EdDSA"])
    assert [key.algorithm for key in found.keys] == ["EdDSA"]
    assert found.skipped[0].key_id == "2011-04-29"


def test_the_first_of_two_keys_of_one_name_is_kept(keys):
    first, second = Key.generate("ES256", key_id="k"), Key.generate("ES256", key_id="k")
    other = Key.generate("EdDSA", key_id="k")  # of another algorithm: no confusion is possible
    found = KeySet.from_jwks({"keys": [key.to_jwk() for key in (first, second, first, other)]})
    assert [key.thumbprint() for key in found.keys] == [first.thumbprint(), other.thumbprint()]
    assert ["another key" in found.skipped[0].reason, "the same key" in found.skipped[1].reason] == [True, True]


def test_keys_without_a_name_are_all_kept():
    one, two = Key.generate("ES256"), Key.generate("ES256")
    assert len(KeySet.from_jwks({"keys": [one.to_jwk(), two.to_jwk()]})) == 2


@pytest.mark.parametrize(
    "data", ["", "[]", "null", '{"keys": 7}', '{"keys": {}}', "{}", '{"keys":[],"keys":[]}', b"\xff", "\ud800", 7, None]
)
def test_what_is_no_set_is_a_mistake(data):
    with pytest.raises(ConfigurationError):
        KeySet.from_jwks(data)


@pytest.mark.parametrize("algorithms", ["ES256", ["none"], ["XY"]])
def test_wrong_algorithms_are_a_mistake(algorithms):
    with pytest.raises(ConfigurationError):
        KeySet.from_jwks({"keys": [RFC8037]}, algorithms=algorithms)


def test_a_set_without_usable_keys_says_why():
    with pytest.raises(ConfigurationError, match="it is empty"):
        KeySet.from_jwks({"keys": []})
    with pytest.raises(ConfigurationError, match="not for signatures"):
        KeySet.from_jwks({"keys": [{**RFC8037, "use": "enc"}]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["EC", "RSA", "OKP", "P-256", "ES256", "sig"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["kty", "crv", "alg", "kid", "use", "key_ops", "x", "y", "n", "e", "d", "k"]), inner, max_size=6
    ),
)  # fmt: skip


@given(st.lists(JSON, max_size=4))
def test_any_members_are_keys_or_skipped(members):
    found = KeySet.from_jwks({"keys": [*members, RFC8037]}, algorithms=["ES256", "RS256", "EdDSA"])
    assert len(found) + len(found.skipped) == len(members) + 1
