"""JSON Web Encryption: every algorithm with every content encryption, its forms, and what it refuses before any secret."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, Key, KeySet, Reason, Rejected
from watchword.crypto import jose
from watchword.crypto.algorithms import AGREEMENT_CURVES, ENCRYPTION_ALGORITHMS, algorithm_named
from watchword.crypto.encoding import b64url_decode, b64url_encode
from watchword.crypto.jose import content, decryption, key_management

WRAPPING = [row.name for row in ENCRYPTION_ALGORITHMS if row.name not in {*jose.CONTENT_ENCRYPTIONS, "RSA1_5"}]
KEYS = {name: Key.generate(name, key_id="k1") for name in [*WRAPPING, *jose.CONTENT_ENCRYPTIONS]}
KEY = KEYS["A256KW"]
QUICK = {"iterations": 1000}


def refused(token, keys=KEY, **policy):
    with pytest.raises(Rejected) as caught:
        jose.decrypt(token, keys, policy=jose.DecryptionPolicy(**policy))
    return caught.value.reason, caught.value.rejection.where


def changed(token, **members):
    """The token with other members in its protected header; its tag no longer fits."""
    head, rest = token.split(".", 1)
    header = json.loads(b64url_decode(head.encode()))
    header.update(members)
    header = {name: value for name, value in header.items() if value is not ...}
    return b64url_encode(json.dumps(header).encode()).decode() + "." + rest


@pytest.mark.parametrize("encryption", jose.CONTENT_ENCRYPTIONS)
@pytest.mark.parametrize("algorithm", WRAPPING)
def test_every_algorithm_with_every_content_encryption(algorithm, encryption):
    key = KEYS[algorithm]
    token = jose.encrypt(b"hello", key, encryption=encryption, header={"cty": "text/plain"}, **QUICK)
    found = jose.decrypt(token, key)
    assert (found.plaintext, found.key, found.header["alg"]) == (b"hello", key, algorithm)
    assert (found.header["enc"], found.header["cty"], found.header["kid"]) == (encryption, "text/plain", "k1")
    other = Key.generate(algorithm, key_id="k1")
    assert refused(token, other) == (Reason.WRONG_SIGNATURE, "ciphertext")


@pytest.mark.parametrize("encryption", jose.CONTENT_ENCRYPTIONS)
def test_a_key_used_directly_is_for_its_content_encryption_alone(encryption):
    key = KEYS[encryption]
    token = jose.encrypt(b"hello", key)
    assert jose.decrypt(token, key).header == {"alg": "dir", "kid": "k1", "enc": encryption}
    others = [name for name in jose.CONTENT_ENCRYPTIONS if name != encryption]
    for other in others:
        with pytest.raises(ConfigurationError, match="alone"):
            jose.encrypt(b"hello", key, encryption=other)
        assert refused(token, KEYS[other])[0] is Reason.WRONG_ALGORITHM


@pytest.mark.parametrize("curve", AGREEMENT_CURVES)
@pytest.mark.parametrize("algorithm", ["ECDH-ES", "ECDH-ES+A128KW"])
def test_agreement_on_every_curve_with_the_parties_named(curve, algorithm):
    key = Key.generate(algorithm, curve=curve)
    public = Key.from_jwk(key.to_jwk())
    parties = {"apu": "QWxpY2U", "apv": "Qm9i"}
    token = jose.encrypt(b"hello", public, header=parties)
    assert jose.decrypt(token, key).header["epk"]["crv"] == curve
    assert refused(token, public) == (Reason.UNKNOWN_KEY, "kid")
    assert refused(changed(token, apu="Qm9i"), key) == (Reason.WRONG_SIGNATURE, "ciphertext")


def test_encrypting_draws_the_content_key_then_what_wraps_it_then_the_vector():
    asked = []

    def random(count):
        asked.append(count)
        return bytes(count)

    one = jose.encrypt(b"hello", KEYS["A256GCMKW"], encryption="A128CBC-HS256", random=random)
    assert asked == [32, 12, 16]
    assert one == jose.encrypt(b"hello", KEYS["A256GCMKW"], encryption="A128CBC-HS256", random=bytes)


@given(
    st.binary(max_size=100),
    st.sampled_from(jose.CONTENT_ENCRYPTIONS),
    st.none() | st.binary(max_size=20),
    st.booleans(),
)
def test_what_is_encrypted_is_decrypted(plaintext, encryption, aad, compress):
    sealed = jose.encrypt_json(plaintext, [KEY], encryption=encryption, aad=aad, compress=compress)
    policy = jose.DecryptionPolicy(max_inflated=100)
    for form in (sealed, json.dumps(sealed), json.dumps(sealed).encode()):
        found = jose.decrypt(form, KEY, policy=policy)
        assert (found.plaintext, found.aad) == (plaintext, aad)


def test_each_of_several_recipients_can_decrypt():
    names = ["RSA-OAEP-256", "ECDH-ES+A256KW", "A128GCMKW", "PBES2-HS256+A128KW", "A256KW"]
    sealed = jose.encrypt_json(b"hello", [KEYS[name] for name in names], header={"cty": "text/plain"}, **QUICK)
    for name in names:
        found = jose.decrypt(json.dumps(sealed), KEYS[name])
        assert (found.plaintext, found.key) == (b"hello", KEYS[name])
        assert found.header == {"cty": "text/plain", "enc": "A256GCM"}
        assert found.unprotected["alg"] == name
    assert refused(sealed, KEYS["A128KW"]) == (Reason.WRONG_ALGORITHM, "alg")
    assert refused(sealed, Key.generate("A256KW", key_id="k2")) == (Reason.WRONG_ALGORITHM, "alg")


def test_keys_that_are_used_directly_have_one_recipient():
    for name in ("ECDH-ES", "A256GCM"):
        with pytest.raises(ConfigurationError, match="one recipient"):
            jose.encrypt_json(b"hello", [KEY, KEYS[name]])
    sealed = jose.encrypt_json(b"hello", [KEY, KEYS["A128KW"]])
    sealed["recipients"][1] = {"header": {"alg": "dir", "kid": "k1"}}
    assert refused(sealed, KeySet([KEY, KEYS["A256GCM"]])) == (Reason.MALFORMED_CREDENTIALS, "recipients")


def test_a_nested_token_says_that_it_is_one():
    signer = Key.generate("ES256")
    inner = jose.sign(b'{"sub":"alice"}', signer)
    nested = jose.encrypt(inner.encode(), KEY, header={"cty": "jwt"})
    assert jose.decrypt(nested, KEY).is_nested
    assert jose.decrypt_nested(nested, KEY, signer).payload == b'{"sub":"alice"}'
    plain = jose.encrypt(inner.encode(), KEY)
    assert not jose.decrypt(plain, KEY).is_nested
    with pytest.raises(Rejected) as caught:
        jose.decrypt_nested(plain, KEY, signer)
    assert caught.value.reason is Reason.WRONG_TYPE
    with pytest.raises(Rejected) as caught:
        jose.decrypt_nested(nested, KEY, Key.generate("ES256"))
    assert caught.value.reason is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize(
    ("members", "reason", "where"),
    [
        ({"alg": ...}, Reason.MALFORMED_CREDENTIALS, "alg"),
        ({"alg": 7}, Reason.MALFORMED_CREDENTIALS, "alg"),
        ({"alg": "none"}, Reason.WRONG_ALGORITHM, "alg"),
        ({"alg": "a256kw"}, Reason.WRONG_ALGORITHM, "alg"),
        ({"alg": "A256GCM"}, Reason.WRONG_ALGORITHM, "alg"),
        ({"alg": "HS256"}, Reason.WRONG_ALGORITHM, "alg"),
        ({"alg": "RSA1_5"}, Reason.WRONG_ALGORITHM, "alg"),
        ({"alg": "A128KW"}, Reason.WRONG_ALGORITHM, "alg"),
        ({"alg": "dir"}, Reason.WRONG_ALGORITHM, "alg"),
        ({"enc": ...}, Reason.MALFORMED_CREDENTIALS, "enc"),
        ({"enc": ["A256GCM"]}, Reason.MALFORMED_CREDENTIALS, "enc"),
        ({"enc": "A256KW"}, Reason.WRONG_ALGORITHM, "enc"),
        ({"enc": "none"}, Reason.WRONG_ALGORITHM, "enc"),
        ({"enc": "A256CBC-HS512"}, Reason.MALFORMED_CREDENTIALS, "iv"),
        ({"enc": "A128GCM"}, Reason.MALFORMED_CREDENTIALS, "encrypted_key"),
        ({"kid": 7}, Reason.MALFORMED_CREDENTIALS, "kid"),
        ({"kid": "k2"}, Reason.UNKNOWN_KEY, "kid"),
        ({"typ": []}, Reason.MALFORMED_CREDENTIALS, "typ"),
        ({"zip": "DEF"}, Reason.WRONG_ALGORITHM, "zip"),
        ({"zip": None}, Reason.WRONG_ALGORITHM, "zip"),
        ({"x": "changed"}, Reason.WRONG_SIGNATURE, "ciphertext"),
    ],
)
def test_a_header_is_refused_for_its_own_reason(members, reason, where):
    assert refused(changed(jose.encrypt(b"hello", KEY), **members)) == (reason, where)


@pytest.mark.parametrize("where", ["encrypted_key", "iv", "ciphertext", "tag"])
def test_a_segment_that_is_no_base64url_is_malformed(where):
    parts = jose.encrypt(b"hello", KEY).split(".")
    parts[["", "encrypted_key", "iv", "ciphertext", "tag"].index(where)] += "!"
    assert refused(".".join(parts)) == (Reason.MALFORMED_CREDENTIALS, where)


@pytest.mark.parametrize(
    "token",
    ["", "a.b.c", "a.b.c.d.e.f", "....", "é....", "{", "{}", '{"ciphertext": 7}', "[]", "\ud800", b"\xff....", {}],
)
def test_what_is_no_jwe_is_malformed(token):
    assert refused(token)[0] is Reason.MALFORMED_CREDENTIALS


def test_a_long_token_is_not_looked_at():
    assert refused("{" + " " * jose.MAX_TOKEN) == (Reason.HEADER_TOO_LARGE, "token")
    token = jose.encrypt(bytes(20_000), KEY)
    assert refused(token)[0] is Reason.HEADER_TOO_LARGE
    assert len(jose.decrypt(token, KEY, policy=jose.DecryptionPolicy(max_token=40_000)).plaintext) == 20_000


def flattened(**more):
    return {**jose.encrypt_json(b"hello", [KEY], flattened=True), **more}


@pytest.mark.parametrize(
    ("members", "where"),
    [
        ({"protected": ""}, "protected"),
        ({"protected": 7}, "protected"),
        ({"unprotected": []}, "unprotected"),
        ({"unprotected": {"alg": "A256KW"}}, "header"),
        ({"header": {"enc": "A256GCM"}}, "header"),
        ({"unprotected": {"x": 1}, "header": {"x": 1}}, "header"),
        ({"unprotected": {"zip": "DEF"}}, "zip"),
        ({"recipients": []}, "recipients"),
        ({"recipients": [{}]}, "recipients"),
        ({"iv": None}, "iv"),
        ({"aad": 7}, "aad"),
        ({"aad": "="}, "aad"),
        ({"tag": "\ud800"}, "tag"),
    ],
)
def test_a_json_form_is_refused_where_it_is_wrong(members, where):
    assert refused(flattened(**members)) == (Reason.MALFORMED_CREDENTIALS, where)


@pytest.mark.parametrize("recipients", [[], {}, "x", None, [7], [{}] * 17])
def test_recipients_are_a_short_list_of_objects(recipients):
    sealed = jose.encrypt_json(b"hello", [KEY])
    assert refused({**sealed, "recipients": recipients}) == (Reason.MALFORMED_CREDENTIALS, "recipients")


def test_members_that_nobody_knows_are_ignored_and_given_back():
    found = jose.decrypt(flattened(unprotected={"x": 1}, extra=True), KEY)
    assert found.unprotected == {"x": 1}


def test_a_content_encryption_that_nothing_protects_is_refused_unless_asked_for():
    sealed = jose.encrypt_json(b"hello", [KEY], protect=("alg", "kid"))
    assert refused(sealed) == (Reason.MALFORMED_CREDENTIALS, "enc")
    assert jose.decrypt(sealed, KEY, policy=jose.DecryptionPolicy(allow_unprotected=True)).plaintext == b"hello"


def test_the_policy_names_what_is_accepted():
    token = jose.encrypt(b"hello", KEY, encryption="A128CBC-HS256")
    assert refused(token, encryptions=("A256GCM",)) == (Reason.WRONG_ALGORITHM, "enc")
    for wrong in (
        {"encryptions": ()}, {"encryptions": ("A256KW",)}, {"encryptions": "A256GCM"}, {"max_iterations": 0},
        {"max_iterations": 10**9}, {"max_inflated": 0}, {"max_token": 0},
    ):  # fmt: skip
        with pytest.raises(ConfigurationError):
            jose.DecryptionPolicy(**wrong)


def test_keys_without_an_id_are_tried_up_to_a_number():
    keys = [Key.generate("A256KW") for _ in range(9)]
    token = jose.encrypt(b"hello", keys[7])
    assert jose.decrypt(token, KeySet(keys[:8])).key is keys[7]
    assert refused(token, KeySet(keys)) == (Reason.UNKNOWN_KEY, "kid")
    assert refused(token, KeySet(keys[:7])) == (Reason.WRONG_SIGNATURE, "ciphertext")


@pytest.mark.parametrize("header", [{"alg": "dir"}, {"enc": "A128GCM"}, {"kid": "k2"}, {"crit": ["x"]}, {"zip": "x"}])
def test_a_header_can_not_contradict_the_key(header):
    with pytest.raises(ConfigurationError, match="leave it out"):
        jose.encrypt(b"x", KEY, header=header, compress=True)


def test_mistakes_in_encrypting_are_configuration_errors():
    for mistake in (
        lambda: jose.encrypt(b"x", Key.generate("HS256")),
        lambda: jose.encrypt(b"x", KEY, encryption="A256KW"),
        lambda: jose.encrypt_json(b"x", []),
        lambda: jose.encrypt_json(b"x", [KEY, KEYS["A128KW"]], flattened=True),
        lambda: jose.encrypt_json(b"x", [KEY], compress=True, protect=("alg",)),
        lambda: jose.encrypt_json(b"x", [KEY], header={"x": 1}, unprotected={"x": 1}),
        lambda: jose.encrypt_json(b"x", [jose.Recipient(KEY, {"x": 1})], header={"x": 1}),
        lambda: jose.encrypt(b"x", KEYS["ECDH-ES"], ephemeral=Key.generate("ECDH-ES", curve="X25519")),
        lambda: jose.encrypt(b"x", KEYS["ECDH-ES"], ephemeral=Key.from_jwk(KEYS["ECDH-ES"].to_jwk())),
        lambda: jose.encrypt(b"x", KEYS["PBES2-HS256+A128KW"], iterations=999),
        lambda: jose.encrypt(b"x", KEYS["ECDH-ES"], header={"apu": "="}),
        lambda: jose.encrypt(b"x", Key.generate("RSA1_5")),
    ):
        with pytest.raises(ConfigurationError):
            mistake()


@given(
    st.one_of(
        st.binary(max_size=80), st.text(max_size=80), st.text("eyJ0.-_", max_size=40), st.text('{}"iv:,', max_size=20)
    )
)
def test_any_token_is_refused_with_a_reason(token):
    with pytest.raises(Rejected):
        jose.decrypt(token, KEY)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
ANY_KEYS = KeySet(list(KEYS.values()))


@given(
    st.sampled_from(list(KEYS)),
    st.dictionaries(
        st.sampled_from(["alg", "enc", "epk", "apu", "apv", "p2s", "p2c", "iv", "tag", "kid", "crit"]), JSON, max_size=3
    ),
)
def test_any_header_is_refused_with_a_reason(algorithm, members):
    token = jose.encrypt(b"hello", KEYS[algorithm], **QUICK)
    head = json.loads(b64url_decode(token.split(".")[0].encode()))
    if {**head, **members} != head:
        with pytest.raises(Rejected):
            jose.decrypt(changed(token, **members), ANY_KEYS)


@given(st.dictionaries(st.sampled_from(["protected", "unprotected", "header", "recipients", "encrypted_key", "aad", "iv", "ciphertext", "tag"]), JSON, min_size=1, max_size=3))  # fmt: skip
def test_any_json_form_is_refused_or_as_it_was(members):
    sealed = flattened(**members)
    try:
        found = jose.decrypt(sealed, KEY)
    except Rejected:
        return
    assert found.plaintext == b"hello"
    assert set(members) <= {"unprotected", "header"}


def test_unseal_leaves_compressed_what_was():
    token = jose.encrypt(b"hello", KEY, compress=True)
    policy = jose.DecryptionPolicy(max_inflated=5)
    opened = decryption.unseal(token, KEY, policy=policy)
    assert opened.plaintext == content.deflate(b"hello")
    assert opened._replace(plaintext=b"hello") == jose.decrypt(token, KEY, policy=policy)
    with pytest.raises(Rejected):
        decryption.unseal(token, KEY, policy=jose.DecryptionPolicy())


def test_the_header_of_zlib_is_taken_where_it_is_asked_for_alone():
    wrapped = content.deflate(b"hello", zlib_header=True)
    assert content.inflate(wrapped, 5, zlib_header=True) == b"hello"
    for data, zlib_header in ((wrapped, False), (content.deflate(b"hello"), True)):
        with pytest.raises(Rejected):
            content.inflate(data, 5, zlib_header=zlib_header)
    with pytest.raises(Rejected) as caught:
        content.inflate(wrapped, 4, zlib_header=True)
    assert caught.value.reason is Reason.HEADER_TOO_LARGE


@pytest.mark.parametrize("name", ["A128KW", "A256KW", "RSA-OAEP", "RSA-OAEP-256", "RSA1_5"])
def test_a_wrapped_key_opens_with_its_own_key_alone(name):
    row, key = algorithm_named(name), Key.generate(name)
    wrapped = key_management.wrap(row, key, bytes(range(16)))
    assert key_management.unwrap(row, key, wrapped) == bytes(range(16))
    if name != "RSA1_5":  # which gives random octets instead
        with pytest.raises(ValueError, match="not encrypted for this key"):
            key_management.unwrap(row, Key.generate(name), wrapped)
    with pytest.raises(ValueError, match="not encrypted for this key"):
        key_management.unwrap(row, key, wrapped[1:])
    with pytest.raises(ConfigurationError, match="octets"):
        key_management.wrap(row, key, bytes(300) if row.key_type == "RSA" else b"short")
