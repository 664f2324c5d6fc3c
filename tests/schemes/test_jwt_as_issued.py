"""JWTs as issuers write them: scopes in lists, null, half of a surrogate pair, types, empty texts, long tokens."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import (
    ConfigurationError, Guard, JWTVerifier, Key, KeySet, Limits, OAuth2Verifier, Policy, Reason, Rejected, Request, Revocations,
    TokenCache, explain,
)  # fmt: skip
from watchword.crypto import jose
from watchword.crypto.encoding import MAX_DEPTH, parse_leniently, parse_object
from watchword.stores import MemoryStore

NOW = 1_700_000_000
KEY = Key.from_secret(bytes(range(32)), algorithm="HS256", key_id="k1")
ISSUER, AUDIENCE = "https://id.example", "orders"
GOOD = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": NOW + 60, "iat": NOW, "nbf": NOW, "jti": "7"}
HALF = "caf\ud83d"
SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")  # RFC 6749 §3.3


def signed(header=None, key=KEY, **changes):
    """A token with these claims changed; null stays, and half of a surrogate pair is an escape."""
    return signed_raw(json.dumps({**GOOD, **changes}).encode(), header, key)


def signed_raw(payload, header=None, key=KEY):
    """A token with this payload and header, which an honest writer might not make."""
    members = {"alg": key.algorithm, "kid": key.key_id, **(header or {})}
    head = jose.b64url_encode(json.dumps(members).encode()) + b"." + jose.b64url_encode(payload)
    return (head + b"." + jose.b64url_encode(key.sign(head))).decode()


def verifier(**options):
    return JWTVerifier(KEY, **{"issuer": ISSUER, "audience": AUDIENCE, "clock": lambda: NOW, **options})


def oauth(**options):
    return OAuth2Verifier(KEY, **{"issuer": ISSUER, "audience": AUDIENCE, "clock": lambda: NOW, **options})


def refused(function, *arguments):
    with pytest.raises(Rejected) as caught:
        function(*arguments)
    found = caught.value.rejection
    return found.reason, found.where, found.detail


def request(token):
    return Request("GET", "https", "api.example", "/", {"Authorization": f"Bearer {token}"})


# ---- scopes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": ["read", "write"]}, {"read", "write"}), ({"scope": []}, set()), ({"scope": ["read"]}, {"read"}),
        ({"scp": ["read", "write"]}, {"read", "write"}), ({"scp": []}, set()),
        ({"scope": ["https://api.example/orders.read", "a:b"]}, {"https://api.example/orders.read", "a:b"}),
        ({"scope": "read write"}, {"read", "write"}), ({"scp": "read write"}, {"read", "write"}), ({"scope": ""}, set()),
        ({"scope": " read  write "}, {"read", "write"}), ({"scp": " read  write "}, {"read", "write"}),
        ({"scope": ["a"], "scp": "b c"}, {"a", "b", "c"}), ({"scope": "a b", "scp": ["c"]}, {"a", "b", "c"}),
        ({"scope": None}, set()), ({"scp": None}, set()), ({"scope": None, "scp": None}, set()),
        ({"scope": None, "scp": "a"}, {"a"}), ({"scope": "a", "scp": None}, {"a"}), ({"scope": ["a"], "scp": None}, {"a"}),
    ],
)  # fmt: skip
def test_scopes_are_read_in_every_form_that_issuers_write(claims, scopes):
    for each in (verifier(), verifier(cache=TokenCache())):
        for _ in range(2):
            assert each.verify(signed(**claims)).scopes == scopes


ODD = [
    "read write",
    "",
    " ",
    "read ",
    "a\tb",
    'say "x"',
    "back\\slash",
    "é",
    "\x7f",
    "\x00",
    7,
    None,
    True,
    1.5,
    [],
    ["read"],
    {},
]


@pytest.mark.parametrize("name", ["scope", "scp"])
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_list_with_an_element_that_is_no_scope_refuses_the_token(name, odd):
    for elements in ([odd], ["read", odd], [odd, "read"]):
        assert refused(verifier().verify, signed(**{name: elements}))[:2] == (Reason.WRONG_CLAIM, name)


@given(st.sampled_from(["scope", "scp"]), st.lists(st.one_of(st.text(max_size=3), st.text('ab !~"\\', max_size=3))))
def test_an_element_is_one_scope_or_refuses_and_is_never_split_or_filtered(name, elements):
    token = signed(**{name: elements})
    if all(SCOPE_TOKEN.fullmatch(element) for element in elements):
        assert verifier().verify(token).scopes == set(elements)
    else:
        assert refused(verifier().verify, token)[:2] == (Reason.WRONG_CLAIM, name)


@pytest.mark.parametrize("name", ["scope", "scp"])
@pytest.mark.parametrize("value", [7, 0, True, False, 1.5, {}, {"read": 1}], ids=repr)
def test_scopes_that_are_neither_text_nor_list_are_refused(name, value):
    assert refused(verifier().verify, signed(**{name: value}))[:2] == (Reason.WRONG_CLAIM, name)


def test_access_tokens_of_rfc_9068_have_their_scope_as_text_unless_told():
    listed = signed({"typ": "at+jwt"}, client_id="robot", scope=["read", "write"])
    text = signed({"typ": "at+jwt"}, client_id="robot", scope="read write")
    reason, where, detail = refused(oauth().verify, listed)
    assert (reason, where) == (Reason.WRONG_CLAIM, "scope")
    assert "scope_lists=" in detail
    for told in (oauth(), oauth(scope_lists=True)):
        assert told.verify(text).scopes == {"read", "write"}
        assert told.verify(signed({"typ": "at+jwt"}, client_id="robot", scope=None)).scopes == frozenset()
    assert oauth(scope_lists=True).verify(listed).scopes == {"read", "write"}
    with pytest.raises(ConfigurationError, match="scope_lists"):
        oauth(scope_lists="yes")
    cause = explain(request(listed), Guard([oauth()], policy=Policy(clock=lambda: NOW))).causes[0]
    assert (cause.name, cause.expected) == ("scope", "a text")


# ---- null ------------------------------------------------------------------------------------------------------------

ABSENT_IF_NULL = {"scope", "scp"}
CLAIMS = ["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "cnf", "scope", "scp"]
WAYS = {
    "usual": {}, "no issuer": {"issuer": None}, "no audience": {"audience": None}, "max_age": {"max_age": 60},
    "single_use": {"single_use": True}, "several": {"audience": [AUDIENCE, "x"], "issuer": [ISSUER, "https://b.example"]},
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CLAIMS)
def test_null_counts_as_absent_for_scopes_alone(name, way):
    options = WAYS[way]
    guard = Guard([verifier(**options)], MemoryStore(), policy=Policy(clock=lambda: NOW))
    claims = {**GOOD, name: None}
    if way == "no audience" and name != "aud":
        del claims["aud"]
    token = signed_raw(json.dumps(claims).encode())
    if name in ABSENT_IF_NULL:
        assert guard.verify(request(token)).scopes == frozenset()
    else:
        reason, where, _ = refused(guard.verify, request(token))
        assert where == name
        assert reason in (Reason.WRONG_CLAIM, Reason.BINDING_MISSING, Reason.WRONG_AUDIENCE)


@pytest.mark.parametrize("name", ["alg", "kid", "typ", "cty", "crit", "b64"])
def test_null_is_refused_in_every_header_member_that_is_looked_at(name):
    reason, where, _ = refused(verifier().verify, signed({name: None}))
    assert where == name
    assert reason in (Reason.MALFORMED_CREDENTIALS, Reason.UNKNOWN_CRITICAL)


MADE = {
    "HS256": Key.generate("HS256"),
    "ES256": Key.generate("ES256"),
    "ECDH-ES": Key.generate("ECDH-ES", curve="P-256"),
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("absent", [("use",), ("key_ops",), ("use", "key_ops")], ids=repr)
def test_null_counts_as_absent_for_the_use_and_operations_of_a_jwk(name, absent):
    jwk = MADE[name].to_jwk(private=True)
    nulled = {**jwk, **dict.fromkeys(absent)}
    bare = {member: value for member, value in jwk.items() if member not in absent}
    found, expected = Key.from_jwk(nulled), Key.from_jwk(bare)
    assert (found.algorithm, found.use, found.operations) == (expected.algorithm, expected.use, expected.operations)
    assert KeySet.from_jwks({"keys": [nulled]}).keys[0].thumbprint() == MADE[name].thumbprint()


@pytest.mark.parametrize(
    "change",
    [{"key_ops": []}, {"key_ops": ""}, {"key_ops": {}}, {"key_ops": [None]}, {"use": ""}, {"use": []}],
    ids=repr,
)
def test_what_is_empty_is_not_absent_in_a_jwk(change):
    with pytest.raises(ConfigurationError):
        Key.from_jwk({**MADE["ES256"].to_jwk(private=True), **change})


# ---- half of a surrogate pair ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "extra",
    [{"name": HALF}, {HALF: 1}, {"a": {"b": [HALF]}}, {"name": "\udc00\ud800"}, {"cty": HALF, "client_id": HALF}],
)
def test_half_of_a_surrogate_pair_is_taken_in_claims_that_nothing_reads(extra):
    token = signed(scope="read", **extra)
    for each in (verifier(), verifier(cache=TokenCache()), verifier(issuer=None), verifier(required=list(extra))):
        for _ in range(2):
            identity = each.verify(token)
            assert (identity.subject, identity.scopes) == ("alice", {"read"})
            assert {**GOOD, "scope": "read", **extra} == identity.claims
    other = verifier(issuer="https://b.example")
    guard = Guard([verifier(), other], policy=Policy(clock=lambda: NOW))
    assert guard.verify(request(token)).subject == "alice"
    found = explain(request(token), guard)
    assert found.accepted
    assert str(found).encode()
    assert found.to_json().encode()


@pytest.mark.parametrize("name", ["sub", "iss", "aud", "jti", "scope", "scp", "cnf"])
@pytest.mark.parametrize("shape", ["text", "list", "object"])
def test_half_of_a_surrogate_pair_is_refused_by_name_in_claims_that_are_read(name, shape):
    value = {"text": HALF, "list": ["read", HALF], "object": {"jkt": HALF}}[shape]
    token = signed(**{name: value})
    revoking = verifier(revocations=Revocations(MemoryStore()))
    for each in (verifier().verify, verifier(issuer=None).verify):
        reason, where, detail = refused(each, token)
        assert (reason, where) == (Reason.WRONG_CLAIM, name)
        assert name in detail
        assert "surrogate" in detail
        assert detail.encode()
    guard = Guard([revoking], policy=Policy(clock=lambda: NOW))
    assert refused(guard.verify, request(token))[:2] == (Reason.WRONG_CLAIM, name)
    found = explain(request(token), guard)
    assert name in found.causes[0].mend
    assert str(found).encode()
    assert found.to_json().encode()


@pytest.mark.parametrize("name", ["typ", "kid", "cty", "alg", "x5t", "other"])
def test_half_of_a_surrogate_pair_is_refused_by_name_in_headers(name):
    reason, where, detail = refused(verifier().verify, signed({name: HALF}))
    assert (reason, where) == (Reason.MALFORMED_CREDENTIALS, "header")
    assert repr(name) in detail
    assert "surrogate" in detail


class Named(msgspec.Struct):
    sub: str
    name: str = ""


def test_half_of_a_surrogate_pair_is_refused_where_the_callers_type_reads_it():
    for each in (verifier(claims=Named), verifier(claims=Named, cache=TokenCache())):
        for _ in range(2):
            assert each.verify(signed(other=HALF, name="é\U0001f600")).claims == Named("alice", "é\U0001f600")
        assert refused(each.verify, signed(name=HALF))[:2] == (Reason.WRONG_CLAIM, "name")
        assert refused(each.verify, signed(name=7, other=HALF))[:2] == (Reason.WRONG_CLAIM, "name")


def nested(depth):
    return "[" * depth + "]" * depth


STRICT = {
    "a name twice": '"a":1,"a":2', "a name twice, spelled otherwise": '"a":1,"\\u0061":2', "inside": '"b":[{"a":1,"a":1}]',
    "half a pair twice": '"\\ud800":1,"\\ud800":2', "NaN": '"a":NaN', "Infinity": '"a":Infinity', "minus": '"a":-Infinity',
    "too large": '"a":1e999', "long": '"a":' + "1" * 5000, "deep": f'"a":{nested(MAX_DEPTH)}', "control": '"a":"\x01"',
    "comma": '"a":1,', "zero": '"a":01', "escape": '"a":"\\x"', "quote": "'a':1",
}  # fmt: skip


@pytest.mark.parametrize("members", STRICT.values(), ids=STRICT)
def test_beside_half_of_a_surrogate_pair_all_else_is_as_strict(members):
    with pytest.raises(ValueError, match=r"^(not JSON|a member name occurs twice|nested too deep)$"):
        parse_leniently(b'{"half":"\\ud83d",%s}' % members.encode())
    with pytest.raises(ValueError, match=r"^(not JSON|a member name occurs twice|nested too deep)$"):
        parse_object(b"{%s}" % members.encode())
    assert refused(verifier().verify, signed_raw(b'{"sub":"alice","half":"\\ud83d",%s}' % members.encode()))[:2] == (
        Reason.MALFORMED_CREDENTIALS, "payload",
    )  # fmt: skip


@pytest.mark.parametrize(
    "data", [b'["\\ud83d"]', b'"\\ud83d"', b'\xef\xbb\xbf{"a":"\\ud83d"}', b'{"a":"\\ud83d"} x', b'{"a":"\\ud83d\xff"}', b'{"a":"\xed\xa0\x80"}',
             b'{"a":"\xed\xa0\x80\\ud83d"}', b'{"a":"\\ud83', b'{"a":"\\ud83d"'],
)  # fmt: skip
def test_what_is_no_object_in_utf_8_is_refused_with_half_of_a_surrogate_pair_too(data):
    with pytest.raises(ValueError, match=r"^(not JSON|not a JSON object)$"):
        parse_leniently(data)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False),
              st.text(st.characters(), max_size=4), st.sampled_from([HALF, "\udc00", "\U0001f600"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "\ud800", "b"]), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["a", "b", "\udfff", "é"]), VALUES))
def test_any_object_comes_back_with_its_halves(value):
    assert repr(parse_leniently(json.dumps(value).encode())) == repr(value)


# ---- types -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typ",
    [
        "JWS",
        "Bearer",
        "jws",
        "bearer",
        "at+jwt",
        "application/at+jwt",
        "dpop+jwt",
        "logout+jwt",
        "application/logout+jwt",
        "secevent+jwt",
        "",
    ],
)
def test_a_type_that_is_not_named_is_refused_and_the_message_names_the_option(typ):
    reason, where, detail = refused(verifier().verify, signed({"typ": typ}))
    assert (reason, where) == (Reason.WRONG_TYPE, "typ")
    assert "typ=" in detail
    if typ:
        assert verifier(typ=typ).verify(signed({"typ": typ})).subject == "alice"
        assert verifier(typ=["JWT", typ]).verify(signed({"typ": typ})).subject == "alice"
        assert refused(verifier(typ="x").verify, signed({"typ": typ}))[0] is Reason.WRONG_TYPE


def test_a_token_without_a_type_where_one_is_named_is_told_the_option():
    assert "typ=" in refused(verifier(typ="JWT").verify, signed())[2]


# ---- empty -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE, "x"], None])
def test_an_empty_list_of_audiences_names_none(audience):
    reason, where, detail = refused(verifier(audience=audience).verify, signed(aud=[]))
    assert (reason, where) == (Reason.WRONG_AUDIENCE, "aud")
    assert "names no audience" in detail


def test_an_empty_subject_is_refused():
    assert refused(verifier().verify, signed(sub=""))[:2] == (Reason.WRONG_CLAIM, "sub")


# ---- long tokens -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [verifier, oauth])
def test_the_longest_token_is_a_limit_that_can_be_set(make):
    long = signed({"typ": "at+jwt" if make is oauth else "JWT"}, client_id="robot", groups=["g" * 100] * 200)
    size = len(long)
    assert size > jose.MAX_TOKEN
    assert refused(make().verify, long)[:2] == (Reason.HEADER_TOO_LARGE, "token")
    assert refused(make(max_token=size - 1).verify, long)[:2] == (Reason.HEADER_TOO_LARGE, "token")
    assert make(max_token=size).verify(long).subject == "alice"
    assert refused(make(max_token=100).verify, signed())[:2] == (Reason.HEADER_TOO_LARGE, "token")


def test_a_guard_with_a_wider_field_takes_a_longer_token():
    long = signed(groups=["g" * 100] * 200)
    pair = [verifier(max_token=64 * 1024), verifier(issuer="https://b.example")]
    narrow = Guard(pair, policy=Policy(clock=lambda: NOW))
    assert refused(narrow.verify, request(long))[0] is Reason.HEADER_TOO_LARGE
    wide = Guard(pair, policy=Policy(clock=lambda: NOW, limits=Limits(field=64 * 1024)))
    assert wide.verify(request(long)).subject == "alice"
    assert explain(request(long), wide).accepted


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "16384", None])
def test_a_limit_that_is_no_number_of_octets_is_a_mistake(limit):
    for make in (verifier, oauth):
        with pytest.raises(ConfigurationError, match="max_token="):
            make(max_token=limit)
