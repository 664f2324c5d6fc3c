"""JWT (RFC 7519, RFC 8725): every claim at its edges, both halves, the guard, explain."""

from __future__ import annotations

import json
import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import (
    ConfigurationError,
    Guard,
    JWTAuth,
    JWTVerifier,
    Key,
    KeySet,
    Policy,
    Reason,
    Rejected,
    Request,
    Response,
    explain,
)
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received
from watchword.crypto import jose
from watchword.crypto.digests import keyed_hmac
from watchword.schemes.bearer import peek_issuer

NOW = 1_700_000_000
KEY = Key.from_secret(bytes(range(32)), algorithm="HS256", key_id="k1")
ISSUER, AUDIENCE = "https://id.example", "orders"
GOOD = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": NOW + 60, "iat": NOW, "nbf": NOW, "scope": "read write"}
CLAIMS = json.loads((Path(__file__).parents[1] / "vectors/jwt/rfc_claims.json").read_text())


def token(claims=None, key=KEY, typ="JWT", **changes):
    """Changes of None take the claim away."""
    members = {
        name: value for name, value in {**(GOOD if claims is None else claims), **changes}.items() if value is not None
    }
    return jose.sign(json.dumps(members).encode(), key, header={} if typ is None else {"typ": typ})


def verifier(keys=KEY, **options):
    return JWTVerifier(keys, **{"issuer": ISSUER, "audience": AUDIENCE, "clock": lambda: NOW, **options})


def reason(function, *arguments):
    with pytest.raises(Rejected) as caught:
        function(*arguments)
    return caught.value.reason, caught.value.rejection.where


def test_a_good_token_names_its_subject_scopes_key_and_claims():
    identity = verifier().verify(token())
    assert (identity.subject, identity.scheme, identity.key_id) == ("alice", "jwt", "k1")
    assert identity.scopes == {"read", "write"}
    assert identity.claims == GOOD
    assert verifier().verify(token().encode()).subject == "alice"


@pytest.mark.parametrize("example", CLAIMS, ids=lambda example: example["source"] + " " + example["expect"])
def test_the_rfcs_example(example):
    checked = JWTVerifier(Key.from_jwk(example["key"]), clock=lambda: example["now"])
    found, where = reason(checked.verify, example["token"])
    assert (found.value, where) == (example["expect"], example["where"])


@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "ES256", "EdDSA"])
def test_each_algorithm(algorithm):
    key = Key.generate(algorithm)
    assert verifier(key).verify(token(key=key)).subject == "alice"
    other = Key.generate(algorithm)
    assert reason(verifier(key).verify, token(key=other)) == (Reason.WRONG_SIGNATURE, "signature")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"exp": NOW + 1}, None),
        ({"exp": NOW + 0.5}, None),
        ({"exp": NOW}, (Reason.EXPIRED, "exp")),
        ({"exp": NOW - 1}, (Reason.EXPIRED, "exp")),
        ({"exp": -5}, (Reason.EXPIRED, "exp")),
        ({"exp": None}, None),
        ({"nbf": NOW}, None),
        ({"nbf": NOW + 1}, (Reason.NOT_YET_VALID, "nbf")),
        ({"nbf": NOW + 0.5}, (Reason.NOT_YET_VALID, "nbf")),
        ({"nbf": None, "iat": None}, None),
        ({"iat": NOW + 1}, (Reason.NOT_YET_VALID, "iat")),
        ({"iss": "https://evil.example"}, (Reason.UNKNOWN_ISSUER, "iss")),
        ({"iss": ISSUER + "/"}, (Reason.UNKNOWN_ISSUER, "iss")),
        ({"iss": [ISSUER]}, (Reason.WRONG_CLAIM, "iss")),
        ({"iss": None}, (Reason.MISSING_CLAIM, "iss")),
        ({"aud": "accounts"}, (Reason.WRONG_AUDIENCE, "aud")),
        ({"aud": ["accounts", AUDIENCE]}, None),
        ({"aud": ["accounts"]}, (Reason.WRONG_AUDIENCE, "aud")),
        ({"aud": []}, (Reason.WRONG_AUDIENCE, "aud")),
        ({"aud": [AUDIENCE, 7]}, (Reason.WRONG_CLAIM, "aud")),
        ({"aud": {AUDIENCE: 1}}, (Reason.WRONG_CLAIM, "aud")),
        ({"aud": None}, (Reason.MISSING_CLAIM, "aud")),
        ({"sub": None}, (Reason.MISSING_CLAIM, "sub")),
        ({"sub": ""}, (Reason.WRONG_CLAIM, "sub")),
        ({"sub": 7}, (Reason.WRONG_CLAIM, "sub")),
        ({"cnf": {"jkt": "x"}}, (Reason.BINDING_MISSING, "cnf")),
        ({"cnf": False}, (Reason.BINDING_MISSING, "cnf")),
        ({"scope": ["read"]}, None),
        ({"scope": [7]}, (Reason.WRONG_CLAIM, "scope")),
        ({"scope": None, "scp": "read"}, None),
        ({"scp": [7]}, (Reason.WRONG_CLAIM, "scp")),
        ({"scp": {"read": 1}}, (Reason.WRONG_CLAIM, "scp")),
    ],
)  # fmt: skip
def test_each_claim_at_its_edges(changes, expected):
    if expected is None:
        assert verifier().verify(token(**changes)).subject == "alice"
    else:
        assert reason(verifier().verify, token(**changes)) == expected


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [True, False, "1800000000", [], {}, 10**18, -(10**18), 10**400, 1e300, NOW * 1000])
def test_a_date_is_a_sane_number(name, value):
    expected = {"iat": NOW, "nbf": NOW, "exp": NOW + 60, name: value}
    assert reason(verifier(leeway=0.5).verify, token(**expected)) == (Reason.WRONG_CLAIM, name)


@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "aud", "iss", "sub", "jti", "cnf"])
def test_null_is_not_absence(name):
    spelled = json.dumps({**GOOD, name: None}).encode()
    found, where = reason(verifier().verify, jose.sign(spelled, KEY))
    assert where == name
    assert found in (Reason.WRONG_CLAIM, Reason.BINDING_MISSING)


def test_leeway_widens_every_edge():
    for changes in ({"exp": NOW - 29}, {"nbf": NOW + 30}, {"iat": NOW + 30}):
        assert verifier(leeway=30).verify(token(**changes)).subject == "alice"
    for changes in ({"exp": NOW - 30}, {"nbf": NOW + 31}, {"iat": NOW + 31}):
        with pytest.raises(Rejected):
            verifier(leeway=30).verify(token(**changes))


def test_max_age_counts_from_iat():
    limited = verifier(max_age=100)
    assert limited.verify(token(iat=NOW - 99)).subject == "alice"
    assert reason(limited.verify, token(iat=NOW - 100)) == (Reason.EXPIRED, "iat")
    assert reason(limited.verify, token(iat=None)) == (Reason.MISSING_CLAIM, "iat")


def test_required_claims():
    assert reason(verifier(required=["tenant"]).verify, token()) == (Reason.MISSING_CLAIM, "tenant")
    assert verifier(required=["tenant"]).verify(token(tenant="a")).subject == "alice"
    assert reason(verifier(required=["exp"]).verify, token(exp=None)) == (Reason.MISSING_CLAIM, "exp")


def test_a_token_for_an_audience_is_refused_where_none_is_configured():
    unconfigured = verifier(audience=None)
    assert reason(unconfigured.verify, token()) == (Reason.WRONG_AUDIENCE, "aud")
    assert unconfigured.verify(token(aud=None)).subject == "alice"


def test_several_issuers_and_audiences():
    wide = verifier(issuer=["https://a.example", ISSUER], audience=["x", AUDIENCE])
    assert wide.verify(token()).subject == "alice"
    assert wide.routes == {"https://a.example", ISSUER}


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "Jwt", "application/jwt", "Application/JWT"])
def test_usual_types_are_accepted(typ):
    assert verifier().verify(token(typ=typ)).subject == "alice"


@pytest.mark.parametrize(
    "typ",
    [
        "",
        "at+jwt",
        "AT+JWT",
        "Application/AT+jwt",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "JOSE",
        "application/application/jwt",
        "jwt ",
    ],
)
def test_other_types_are_refused(typ):
    assert reason(verifier().verify, token(typ=typ)) == (Reason.WRONG_TYPE, "typ")


def test_a_type_that_is_named_is_demanded():
    strict = verifier(typ="application/at+jwt")
    assert strict.verify(token(typ="at+JWT")).subject == "alice"
    for typ in ("JWT", None):
        assert reason(strict.verify, token(typ=typ)) == (Reason.WRONG_TYPE, "typ")
    assert verifier(typ=["logout+jwt", "jwt"]).verify(token(typ="logout+jwt")).subject == "alice"


def test_scopes_from_both_claims():
    assert verifier().verify(token(scp=["admin"])).scopes == {"read", "write", "admin"}
    assert verifier().verify(token(scope=None, scp="a b")).scopes == {"a", "b"}
    assert verifier().verify(token(scope=None)).scopes == frozenset()


class Tenant(msgspec.Struct):
    sub: str
    tenant: str
    level: int = 0


def test_claims_are_decoded_into_the_callers_type():
    typed = verifier(claims=Tenant)
    identity = typed.verify(token(tenant="acme"))
    assert identity.claims == Tenant(sub="alice", tenant="acme")
    assert reason(typed.verify, token(tenant="acme", level="high")) == (Reason.WRONG_CLAIM, "level")
    assert reason(typed.verify, token())[0] is Reason.WRONG_CLAIM


def test_algorithms_narrows_the_keys():
    both = KeySet([KEY, Key.generate("ES256", key_id="k1")])
    assert verifier(both, algorithms=["HS256"]).verify(token()).subject == "alice"
    assert reason(verifier(both, algorithms=["ES256"]).verify, token()) == (Reason.WRONG_ALGORITHM, "alg")


@pytest.mark.parametrize(
    "options",
    [
        {"keys": "secret"}, {"keys": [KEY]}, {"algorithms": "HS256"}, {"algorithms": ["RS256"]}, {"algorithms": ["none"]},
        {"issuer": ""}, {"issuer": []}, {"issuer": 7}, {"audience": [7]}, {"typ": []}, {"required": [7]}, {"leeway": -1},
        {"leeway": True}, {"leeway": math.nan}, {"leeway": "5"}, {"max_age": -1}, {"max_age": math.inf}, {"claims": dict},
        {"claims": Tenant("a", "b")}, {"cache": {}},
    ],
)  # fmt: skip
def test_a_wrong_configuration_fails_at_construction(options):
    with pytest.raises(ConfigurationError):
        verifier(**options)


def test_verify_at_takes_its_time_as_an_argument():
    assert JWTVerifier(KEY, issuer=ISSUER, audience=AUDIENCE).verify_at(token(), NOW).subject == "alice"


NAMES = ["iss", "aud", "sub", "exp", "nbf", "iat", "cnf", "scope"]
ODD = st.one_of(st.sampled_from([NOW - 1, NOW, NOW + 1, NOW + 60, ISSUER, AUDIENCE, [AUDIENCE], [], {}, "", True, 1e300, -1, 10**30]),
                st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5))  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), ODD), st.sets(st.sampled_from(NAMES)), st.sampled_from([0, 30, 0.5]))
def test_the_checks_together_say_what_they_say_one_by_one(changes, gone, leeway):
    claims = {name: value for name, value in {**GOOD, **changes}.items() if name not in gone}
    checked = verifier(leeway=leeway)

    def verdict(calls):
        try:
            for call in calls:
                call(claims, float(NOW))
        except Rejected as rejected:
            return rejected.reason, rejected.rejection.where
        return None

    assert verdict(checked._check_calls) == verdict(check.check for check in checked.checks)


@given(st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=4)), ODD))
def test_any_signed_claims_give_an_identity_or_a_rejection(claims):
    signed = jose.sign(json.dumps(claims).encode(), KEY)
    try:
        assert isinstance(JWTVerifier(KEY, clock=lambda: NOW).verify(signed).subject, str)
    except Rejected:
        pass


# ---- the client half -------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.now = float(NOW)

    def __call__(self):
        return self.now


def sent(auth, clock, scheme="https"):
    requests = []

    def send(effect):
        requests.append(effect.request)
        return Received(Response(200))

    context = ClientContext(bytes, now=clock)
    run(auth, Request("GET", scheme, "api.example", "/"), send, context)
    return requests[0]


def test_a_minted_token_is_accepted_cached_and_renewed_in_time():
    clock = Clock()
    auth = JWTAuth(KEY, claims={"iss": ISSUER, "aud": AUDIENCE, "sub": "alice"}, lifetime=100)
    guard = Guard([verifier()], policy=Policy(clock=clock))
    first = sent(auth, clock)
    assert guard.verify(first).subject == "alice"
    clock.now += 79
    assert sent(auth, clock).headers == first.headers
    clock.now += 2
    second = sent(auth, clock)
    assert second.headers != first.headers
    clock.now += 19
    assert guard.verify(second).subject == "alice"
    with pytest.raises(Rejected) as caught:
        guard.verify(first)
    assert caught.value.reason is Reason.EXPIRED


def test_a_clock_that_was_set_back_gets_a_new_token():
    clock = Clock()
    auth = JWTAuth(KEY, claims={"sub": "alice"})
    first = sent(auth, clock)
    clock.now -= 1000
    assert sent(auth, clock).headers != first.headers


@pytest.mark.parametrize("backdate", [1, 60, 59.5])
def test_a_token_is_dated_back_for_servers_whose_clocks_are_behind(backdate):
    token = JWTAuth(KEY, claims={"sub": "alice"}, lifetime=100, backdate=backdate).mint(NOW)
    claims = json.loads(jose.verify(token, KEY).payload)
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (int(NOW - backdate), int(NOW - backdate), int(NOW + 100))
    assert JWTVerifier(KEY, leeway=0).verify_at(token, int(NOW - backdate)).subject == "alice"


def test_a_token_that_is_not_dated_back_says_no_nbf_and_is_early_for_a_clock_behind():
    token = JWTAuth(KEY, claims={"sub": "alice"}).mint(NOW)
    assert set(json.loads(jose.verify(token, KEY).payload)) == {"sub", "iat", "exp"}


@pytest.mark.parametrize("backdate", [-1, math.inf, math.nan, "60", None, True])
def test_a_backdate_is_a_number_of_seconds(backdate):
    with pytest.raises(ConfigurationError, match="backdate= is a number of seconds"):
        JWTAuth(KEY, claims={"sub": "alice"}, backdate=backdate)


def test_no_minted_token_travels_in_the_clear():
    with pytest.raises(ConfigurationError, match="in the clear"):
        sent(JWTAuth(KEY, claims={"sub": "alice"}), Clock(), scheme="http")
    assert sent(JWTAuth(KEY, claims={"sub": "alice"}, allow_cleartext=True), Clock(), scheme="http")


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("secret", {"claims": {}}), (KEY, {"claims": {"exp": 1}}), (KEY, {"claims": {"x": object()}}),
        (KEY, {"claims": {7: "x"}}), (KEY, {"claims": {}, "lifetime": 0}), (KEY, {"claims": {}, "lifetime": math.inf}),
        (KEY, {"claims": {"x": [math]}}), (KEY, {"claims": {"x": {8: 1}, 8: 1}}),
    ],
)  # fmt: skip
def test_a_client_that_can_not_work_is_refused_at_construction(key, options):
    with pytest.raises(ConfigurationError):
        JWTAuth(key, **options)


def test_a_public_key_can_not_mint():
    jwk = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    with pytest.raises(ConfigurationError, match="can sign"):
        JWTAuth(Key.from_jwk(jwk), claims={})


# ---- in a guard ------------------------------------------------------------------------------------------------------


def request(value):
    return Request("GET", "https", "api.example", "/", {"Authorization": f"Bearer {value}"})


def test_two_issuers_share_one_guard_and_a_third_is_unknown():
    other = Key.generate("HS256")
    guard = Guard([verifier(), verifier(other, issuer="https://b.example")], policy=Policy(clock=lambda: NOW))
    assert guard.verify(request(token())).key_id == "k1"
    assert guard.verify(request(token(key=other, iss="https://b.example"))).key_id is None
    for signed, expected in (
        (token(key=other), Reason.WRONG_SIGNATURE),
        (token(iss="https://c.example"), Reason.UNKNOWN_ISSUER), (token(iss=None), Reason.UNKNOWN_ISSUER),
        ("opaque", Reason.UNKNOWN_ISSUER), ("a.b.c", Reason.UNKNOWN_ISSUER),
    ):  # fmt: skip
        with pytest.raises(Rejected) as caught:
            guard.verify(request(signed))
        assert caught.value.reason is expected


def test_two_verifiers_of_one_issuer_are_a_configuration_error():
    with pytest.raises(ConfigurationError, match="would claim"):
        Guard([verifier(), verifier()])
    with pytest.raises(ConfigurationError, match="issuer"):
        Guard([verifier(), JWTVerifier(KEY)])


@given(st.one_of(st.binary(max_size=60), st.sampled_from([b"..", b"a.e30.b", b".W10.", b"x.eyJpc3MiOjF9.y"])))
def test_peeking_at_an_issuer_never_fails(octets):
    assert not peek_issuer(octets)  # "" where a lax reader finds the beginning of an object


# ---- explain ---------------------------------------------------------------------------------------------------------


def explained(signed, **options):
    return explain(request(signed), Guard([verifier(**options)], policy=Policy(clock=lambda: NOW)))


def test_explain_lists_every_check_of_a_good_token():
    found = explained(token())
    assert found.accepted
    assert [check.name for check in found.checks] == [
        "format", "header", "algorithm", "key id", "signature", "typ", "payload", "iss", "aud", "exp", "nbf", "iat", "jti",
        "cnf", "scope", "sub",
    ]  # fmt: skip
    assert all(check.passed for check in found.checks)


@pytest.mark.parametrize(
    ("signed", "first"),
    [
        (token(exp=NOW - 12), "exp"), (token(aud="x"), "aud"), (token(typ="logout+jwt"), "typ"), (token(sub=None), "sub"),
        (token(key=Key.from_secret(bytes(32), algorithm="HS256", key_id="k1")), "signature"),
        (token(key=Key.from_secret(bytes(32), algorithm="HS256", key_id="k2")), "key id"),
        (token(key=Key.generate("ES256", key_id="k1")), "algorithm"), ("a.b", "format"), ("a.b.c", "header"),
        (jose.sign(b"[]", KEY), "payload"), (token(scope=[1]), "scope"), (token(cnf={}), "cnf"),
    ],
)  # fmt: skip
def test_explain_names_the_first_check_that_fails(signed, first):
    found = explained(signed)
    assert not found.accepted
    assert found.causes[0].name == first
    assert found.reason is not None


def test_explain_says_by_how_much_and_shows_no_signature():
    found = explained(token(exp=NOW - 12))
    assert "12 s ago" in found.causes[0].mend
    for text in (str(found), found.to_json()):
        assert token(exp=NOW - 12).rpartition(".")[2] not in text
        assert bytes(range(32)).hex() not in text


def test_explain_goes_on_after_a_wrong_signature():
    found = explained(token(key=Key.from_secret(bytes(32), algorithm="HS256", key_id="k1"), exp=NOW - 1))
    assert [check.name for check in found.causes] == ["signature", "exp"]


def test_explain_tries_the_callers_type():
    found = explained(token(), claims=Tenant)
    assert found.causes[0].name == "claims"


def test_explain_names_the_key_or_the_mistake_that_would_have_made_the_signature_fit():
    other = Key.from_secret(bytes(32), algorithm="HS256", key_id="k2")
    as_k1 = Key.from_secret(bytes(32), algorithm="HS256", key_id="k1")
    found = explained(token(key=as_k1), keys=KeySet([KEY, other]))
    assert found.causes[0].mend == "the key 'k2' made it: the header names another key id"


def test_explain_names_a_public_key_as_a_secret_though_the_algorithm_is_refused():
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = Key.generate("ES256", key_id="p")
    pem = key.openssl_pair()[0].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, _, body = token().rpartition(".")[0].partition(".")
    mac = jose.b64url_encode(keyed_hmac("sha256", pem)[0](f"{head}.{body}".encode())).decode()
    found = explained(f"{head}.{body}.{mac}", keys=key)
    assert found.causes[0].name == "algorithm"
    (signature,) = (check for check in found.checks if check.name == "signature")
    assert signature.passed is None
    assert "a forgery" in signature.mend


def test_keys_for_encryption_alone_are_refused_at_construction():
    with pytest.raises(ConfigurationError, match="for encryption"):
        JWTVerifier(Key.generate("A256GCM"))
    with pytest.raises(ConfigurationError, match="for encryption"):
        JWTVerifier(KeySet([Key.generate("A256KW"), Key.generate("A256GCM")]))
