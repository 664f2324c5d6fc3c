"""Signed responses: what a seal covers, what an answer has to prove, and how a client's flow holds it to that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from watchword import (
    BasicAuth,
    ConfigurationError,
    CredentialsUnavailable,
    Key,
    KeySet,
    Reason,
    Rejected,
    Request,
    Response,
)
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received, Send
from watchword.crypto.digests import digest
from watchword.fields.content_digest import digest_field
from watchword.schemes.signatures.accept import accept_signature, read_accept_signature
from watchword.schemes.signatures.components import components_of
from watchword.schemes.signatures.responses import ResponsePolicy, ResponseVerifier
from watchword.schemes.signatures.seal import OF_REQUEST, SignatureSeal
from watchword.schemes.signatures.sealed import (
    ResponseUnproven, SealedAuth, UnprovenResponse, UnprovenResponseWarning,
)  # fmt: skip
from watchword.schemes.signatures.wire import read_signatures

NOW = 1_700_000_000.0
KEY = Key.from_secret(b"the secret that seals the answer", algorithm="HS256", key_id="api-1")
OTHER = Key.from_secret(b"the secret of somebody else here", algorithm="HS256", key_id="api-1")
PAIR = Key.generate("EdDSA", key_id="pair-1")
SEAL = SignatureSeal(KEY)
BODY = b'{"balance": 7}'
PLAIN = Response(200, {"content-type": "application/json", "date": "now"})
VECTORS = Path(__file__).parents[1] / "vectors" / "signatures" / "responses.json"


def random(n: int) -> bytes:
    return bytes(range(n))


def ask(
    policy: ResponsePolicy = ResponsePolicy(), nonce: str = "nonce-1", target: str = "/a?b=c", **headers: Any
) -> Request:
    field = accept_signature([policy.wanted("GET", nonce, [KEY])])
    return Request("GET", "https", "api.example", target, {"accept-signature": field.decode(), **headers})


def answer(
    request: Request, response: Response = PLAIN, body: bytes = BODY, seal: SignatureSeal = SEAL, now: float = NOW
) -> Response:
    sealed = seal.seal(request)
    return response.with_more(sealed.headers(response, body if sealed.needs_body else None, now, random))


def verify(
    request: Request, response: Response, body: bytes = BODY, policy: ResponsePolicy | None = None, keys: Any = KEY,
    nonce: str = "nonce-1", now: float = NOW,
) -> str:  # fmt: skip
    return ResponseVerifier(keys, policy).verify(request, response, body, now=now, nonce=nonce).label


def reason(*arguments: Any, **settings: Any) -> tuple[Reason, str]:
    with pytest.raises(Rejected) as refused:
        verify(*arguments, **settings)
    return refused.value.reason, refused.value.rejection.where


def covered(response: Response) -> list[str]:
    (signature,) = read_signatures(response.headers)
    return [str(component) for component in signature.covered.components]


# ---- the seal --------------------------------------------------------------------------------------------------------


def test_the_examples_of_the_rfc_are_proven():
    vector = json.loads(VECTORS.read_text("utf-8"))
    request = Request(**vector["request"])
    key = Key.from_jwk(vector["key"], algorithm="ecdsa-p256-sha256")
    policy = ResponsePolicy(
        request_components=("@method", "@authority", "@path"), nonce=False, fields=False, credentials=False
    )
    assert len(vector["responses"]) == 2
    for case in vector["responses"]:
        response = Response(case["status"], [tuple(line) for line in case["headers"]])
        assert verify(request, response, case["body"].encode(), policy, key, now=1618884480.0) == "reqres"
        other = Request(**{**vector["request"], "target": "/bar?param=Value&Pet=dog"})
        assert reason(other, response, b"", policy, key, now=1618884480.0)[0] is Reason.WRONG_SIGNATURE


def test_an_answer_covers_itself_and_what_was_asked():
    assert covered(answer(ask())) == [
        '"@status"', '"content-type"', '"content-digest"', '"@method";req', '"@authority";req', '"@path";req',
        '"@query";req',
    ]  # fmt: skip


def test_what_an_answer_says_of_itself():
    (signature,) = read_signatures(answer(ask()).headers)
    assert signature.covered.params == {
        "created": int(NOW), "expires": int(NOW) + 300, "nonce": "nonce-1", "keyid": "api-1",
    }  # fmt: skip


def test_the_signatures_of_a_request_are_covered_with_what_they_cover():
    request = ask(
        **{"signature-input": 'sig1=("@method");created=1', "signature": "sig1=:YWJj:", "content-digest": "sha-256=:x:"}
    )
    names = covered(answer(request))
    assert names[-3:] == ['"content-digest";req', '"signature";req;key="sig1"', '"signature-input";req;key="sig1"']
    assert verify(request, answer(request)) == "seal"
    moved = ask(
        **{"signature-input": 'sig1=("@method");created=1', "signature": "sig1=:YWJk:", "content-digest": "sha-256=:x:"}
    )
    assert reason(moved, answer(request)) == (Reason.WRONG_SIGNATURE, "signature")


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        PAIR,
        Key.generate("ES256", key_id="ec"),
        Key.generate("ES384", key_id="ec"),
        Key.generate("HS512", key_id="h"),
    ],
)
def test_every_kind_of_key_seals(key):
    request = Request("GET", "https", "api.example", "/a")
    policy = ResponsePolicy(nonce=False)
    assert verify(request, answer(request, seal=SignatureSeal(key)), policy=policy, keys=key) == "seal"


def test_a_client_gets_the_label_nonce_and_further_components_that_it_asked_for():
    field = (
        'mine=("@status" "date" "@scheme";req "x-missing");created;expires;nonce="n2";alg="hmac-sha256";keyid="api-1"'
    )
    response = answer(Request("GET", "https", "api.example", "/", {"accept-signature": field}))
    (signature,) = read_signatures(response.headers)
    assert signature.label == "mine"
    assert signature.covered.text_param("nonce") == "n2"
    assert signature.covered.text_param("alg") == "hmac-sha256"
    assert {'"date"', '"@scheme";req', '"content-digest"', '"@method";req'} <= set(covered(response))
    assert '"x-missing"' not in covered(response)


@pytest.mark.parametrize(
    "field",
    [
        "", "mine", "mine=1", 'mine=("@status" "@status;x")', 'mine=("@status");keyid="other"', 'mine=("@status");alg="ed25519"',
        'mine=("@status");tag="elsewhere"', 'mine=("@method")', 'mine=("@status");nonce=7', 'mine=("@status");created=7', "\x00",
        'mine=("@status");nonce="' + "n" * 600 + '"',
    ],
)  # fmt: skip
def test_what_cannot_be_given_is_as_if_it_had_not_been_asked_for(field):
    request = Request("GET", "https", "api.example", "/", {"accept-signature": field})
    (signature,) = read_signatures(answer(request).headers)
    assert signature.label == "seal"
    assert signature.covered.text_param("nonce") is None


def test_two_that_ask_get_two_and_no_more():
    field = ", ".join(f'l{n}=("@status");nonce="{n}"' for n in range(4))
    request = Request("GET", "https", "api.example", "/a", {"accept-signature": field})
    labels = [one.label for one in read_signatures(answer(request).headers)]
    assert labels == ["l0", "l1"]


def test_asking_in_several_lines_is_asking_in_one():
    lines = [("accept-signature", 'one=("@status");nonce="1"'), ("accept-signature", 'two=("@status");nonce="2"')]
    request = Request("GET", "https", "api.example", "/a", lines)
    assert [one.label for one in read_signatures(answer(request).headers)] == ["one", "two"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('a=("@status");nonce="1";keyid="api-1"', 'a=("@status");nonce="2";keyid="api-1"'),
        ('a=("@status");nonce="1"', 'b=("@status");nonce="2"'),
        ('a=("@status");nonce="1"', 'a=("@status" "date");nonce="2"'),
        ('a=("@status");nonce="1"', 'a=("@status");nonce="2";tag="elsewhere"'),
        ('a=("@status");nonce="1"', 'a=("@status")'),
        ('a=("@status");nonce="1"', 'a=("@status");nonce="1";nonce="2"'),
        ('a=("@status");nonce="1"', 'a=("@status");nonce="with \\" quote"'),
    ],
)
def test_what_was_asked_before_changes_nothing_of_what_is_answered(first, second):
    """The words are remembered, the nonce is not: a seal that was asked answers as a new one does."""
    used, new = SignatureSeal(KEY), SignatureSeal(KEY)
    for field in (first, first, second):
        request = Request("GET", "https", "api.example", "/a", {"accept-signature": field})
        sealed = answer(request, seal=used)
    assert sealed.headers == answer(request, seal=new).headers


def test_a_signature_of_the_application_stays_and_the_seal_takes_another_label():
    first = answer(Request("GET", "https", "api.example", "/a"), seal=SignatureSeal(PAIR))
    both = answer(Request("GET", "https", "api.example", "/a"), first)
    assert [one.label for one in read_signatures(both.headers)] == ["seal", "seal1"]
    assert len(both.values(b"content-digest")) == 1


def test_a_digest_that_the_application_got_wrong_is_corrected():
    wrong = PLAIN.with_more([(b"content-digest", digest_field({"sha-256": bytes(32)}))])
    request = ask()
    assert verify(request, answer(request, wrong)) == "seal"


@pytest.mark.parametrize(
    ("wanted", "algorithm"),
    [("sha-512=9, sha-256=1", "sha-512"), ("md5=9", "sha-256"), ("sha-512=0", "sha-256"), ("!", "sha-256")],
)
def test_the_wanted_digest_is_made(wanted, algorithm):
    request = ask(**{"want-content-digest": wanted})
    response = answer(request)
    assert response.values(b"content-digest") == [digest_field({algorithm: digest(algorithm, BODY)})]
    assert verify(request, response) == "seal"


def test_a_digest_of_the_representation_is_made_where_it_is_wanted_and_the_content_is_all_of_it():
    request = ask(**{"want-repr-digest": "sha-256=1"})
    assert answer(request).values(b"repr-digest") == [digest_field({"sha-256": digest("sha-256", BODY)})]
    assert '"repr-digest"' in covered(answer(request))
    assert answer(request, Response(206)).values(b"repr-digest") == []
    assert answer(ask()).values(b"repr-digest") == []


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_answer_without_content_has_no_digest_and_is_proven(method, status):
    policy = ResponsePolicy()
    field = accept_signature([policy.wanted(method, "nonce-1", [KEY])]).decode()
    request = Request(method, "https", "api.example", "/", {"accept-signature": field})
    response = answer(request, Response(status), b"")
    assert response.values(b"content-digest") == []
    assert verify(request, response, b"") == "seal"


def test_without_a_digest_the_content_is_not_waited_for():
    assert SignatureSeal(KEY).seal(ask()).needs_body
    assert not SignatureSeal(KEY, digest=None).seal(ask()).needs_body
    response = answer(ask(), seal=SignatureSeal(KEY, digest=None))
    assert verify(ask(), response, policy=ResponsePolicy(content=False)) == "seal"
    assert reason(ask(), response) == (Reason.NOT_COVERED, "content-digest")


@pytest.mark.parametrize(
    "request_",
    [
        Request("OPTIONS", "https", "api.example", "*"),
        Request("GET", "https", "", "/"),
        Request("GET", "https", "api.example", "http://api.example/x?y"),
        Request(
            "G\nET", "https", "api.exämple", b"/\xff\n", [("signature", "\n"), ("signature", "a=:YQ==:, a=:YQ==:")]
        ),
        Request("GET", "https", "api.example", "/", {"signature": "sig=" * 400}),
        Request("GET", "https", "api.example", "/", {"signature": ", ".join(f"s{n}=:YQ==:" for n in range(50))}),
    ],
)
def test_a_seal_fails_for_no_request(request_):
    response = answer(request_, Response(400, {"content-type": "text/pl\u00e4in", "location": "a\nb"}))
    (signature,) = read_signatures(response.headers)
    assert '"@status"' in [str(component) for component in signature.covered.components]
    assert len(signature.covered.components) <= 32


@given(
    st.lists(st.tuples(st.sampled_from(["signature", "signature-input", "accept-signature", "want-content-digest"]), st.binary(max_size=60)), max_size=4),
    st.binary(max_size=20),
)  # fmt: skip
@examples(150)
def test_no_octets_in_a_request_keep_an_answer_from_being_sealed(headers, target):
    request = Request("GET", "https", "api.example", target, headers)
    assert b"signature" in dict(answer(request).headers)


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=40))
@examples(150)
def test_arbitrary_octets_in_an_answer_are_rejected_and_nothing_else(covered, signature, content_digest):
    response = Response(
        200, [("signature-input", covered), ("signature", signature), ("content-digest", content_digest)]
    )
    with pytest.raises(Rejected):
        verify(ask(), response)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"components": ("@method", "@status", "content-digest")}, "request_components"),
        ({"components": ("@status", "content-digest;req")}, "request_components"),
        ({"components": ("@status",)}, "content-digest"),
        ({"components": ("content-digest",)}, "@status"),
        ({"components": "@status"}, "sequence"),
        ({"request_components": ("@status",)}, "answered"),
        ({"request_components": ("x-trailer;tr",)}, "answered"),
        ({"lifetime": 0}, "seconds"),
        ({"lifetime": float("nan")}, "seconds"),
        ({"digest": "md5"}, "sha-512"),
        ({"label": "Seal"}, "label"),
        ({"tag": "t\u00e4g"}, "parameter"),
    ],
)
def test_a_seal_that_would_not_hold_is_a_configuration_error(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        SignatureSeal(KEY, **arguments)


@pytest.mark.parametrize(
    "key",
    [Key.from_jwk(PAIR.to_jwk()), Key.generate("A256KW"), "secret"],
    ids=["public", "enc", "text"],
)
def test_a_key_that_cannot_seal_is_a_configuration_error(key):
    with pytest.raises(ConfigurationError, match="key that signs"):
        SignatureSeal(key)


# ---- what an answer has to prove -------------------------------------------------------------------------------------


def test_the_bounds_of_an_answers_time():
    request = ask()
    response = answer(request)
    for now in (NOW - 30, NOW, NOW + 299.9):
        assert verify(request, response, now=now) == "seal"
    assert reason(request, response, now=NOW - 31) == (Reason.NOT_YET_VALID, "signature-input created")
    assert reason(request, response, now=NOW + 300) == (Reason.EXPIRED, "signature-input created")
    short = answer(request, seal=SignatureSeal(KEY, lifetime=5))
    assert reason(request, short, now=NOW + 5) == (Reason.EXPIRED, "signature-input expires")
    endless = answer(request, seal=SignatureSeal(KEY, lifetime=None))
    assert verify(request, endless, now=NOW + 299) == "seal"


def test_a_tag_is_expected_on_both_sides_or_on_none():
    tagged, policy = SignatureSeal(KEY, tag="orders"), ResponsePolicy(tag="orders")
    request = ask(policy)
    assert verify(request, answer(request, seal=tagged), policy=policy) == "seal"
    assert reason(request, answer(request, seal=tagged)) == (Reason.NOT_COVERED, "signature-input tag")
    assert reason(request, answer(request), policy=policy) == (Reason.NOT_COVERED, "signature-input tag")


def test_each_of_several_keys_is_found_by_its_id():
    new = Key.from_secret(b"the secret of the following year", algorithm="HS256", key_id="api-2")
    request = Request("GET", "https", "api.example", "/a")
    policy = ResponsePolicy(nonce=False)
    for key in (KEY, new):
        response = answer(request, seal=SignatureSeal(key))
        assert verify(request, response, policy=policy, keys=KeySet([KEY, new])) == "seal"
        assert verify(request, response, policy=policy, keys=[KEY, new]) == "seal"
    assert reason(request, answer(request, seal=SignatureSeal(new)), policy=policy) == (
        Reason.UNKNOWN_KEY, "signature-input keyid",
    )  # fmt: skip


def test_keys_that_are_kept_up_to_date_are_asked_for_each_answer():
    class Published:
        name, issuer, keys, since, due, good_until = "https://api.example/jwks", None, None, 0.0, 0.0, 0.0
        known = KeySet([OTHER])

        def snapshot(self):
            return self.known

        def missed(self, key_id, /):
            raise AssertionError

        def fetch(self, refs, /):
            raise AssertionError

        async def afetch(self, refs, /):
            raise AssertionError

    source = Published()
    request = ask()
    assert reason(request, answer(request), keys=source)[0] is Reason.WRONG_SIGNATURE
    source.known = KeySet([KEY])
    assert verify(request, answer(request), keys=source) == "seal"


def test_what_a_policy_demands_has_to_be_covered():
    request = ask()
    policy = ResponsePolicy(("@status", "cache-control"))
    assert reason(request, answer(request), policy=policy) == (Reason.NOT_COVERED, '"cache-control"')
    cached = Response(200, {"cache-control": "private"})
    assert verify(ask(policy), answer(ask(policy), cached), policy=policy) == "seal"


def test_a_field_of_the_applications_own_is_looked_at_where_the_seal_lists_it():
    """Somebody adds it on the way: the seal covers it, and the client never sent it."""
    listing = SignatureSeal(KEY, request_components=(*OF_REQUEST, "x-tenant"))
    seen = ask(**{"x-tenant": "another"})
    assert verify(ask(), answer(seen)) == "seal"
    assert reason(ask(), answer(seen, seal=listing)) == (Reason.MISSING_COMPONENT, '"x-tenant";req')


def test_the_digest_of_a_request_is_covered_only_if_its_body_was_compared_with_it_wherever_that_was_begun():
    """A guard begins; where nobody does, as for a refusal, the digest is covered as it came, and says nothing of the body."""
    request = ask(**{"content-digest": digest_field({"sha-256": digest("sha-256", BODY)}).decode()})

    def covers(*parts: bytes | None) -> bool:
        """After these parts of the body, None being its end."""
        sealed = SEAL.seal(request)
        if parts:
            assert sealed.check is not None
            check = sealed.check()
            for part in parts:
                try:
                    check.end() if part is None else check.feed(part)
                except Rejected as rejected:
                    assert rejected.reason is Reason.WRONG_BODY
        return '"content-digest";req' in covered(PLAIN.with_more(sealed.headers(PLAIN, BODY, NOW, random)))

    assert covers()
    assert covers(BODY, None)
    assert covers(BODY[:3], BODY[3:], None)
    assert covers(b"another", None)
    assert not covers(BODY)
    assert not covers(b"")
    assert SEAL.seal(ask()).check is None
    assert SignatureSeal(KEY, request_components=("@method", "@path")).seal(request).check is None


def test_fields_that_the_inner_auth_puts_in_are_asked_for_by_name():
    """They are credentials under a name that the server need not know."""

    class Inner:
        def flow(self, request: Request, context: Any) -> Any:
            yield Send(request.with_headers([(b"x-session", b"alice's")]))

    def replacing(request: Request) -> Received:
        return Received(answer(request.with_headers([(b"x-session", b"bob's")])), BODY)

    received, (sent,) = flow(SealedAuth(KEY, Inner()), honest())
    assert received.response.status == 200
    (wanted,) = read_accept_signature(sent.request.values(b"accept-signature"))
    assert '"x-session";req' in [str(one) for one in wanted.components]
    with pytest.raises(ResponseUnproven, match="wrong_signature"):
        flow(SealedAuth(KEY, Inner()), replacing)


def test_a_policy_may_ask_less_of_servers_that_know_less():
    """Another implementation covers what RFC 9421 has in its examples, and knows no digest of credentials."""
    other = SignatureSeal(KEY, components=("@status", "content-digest"), request_components=("@method", "@authority", "@path", "@query"))  # fmt: skip
    request = ask(range="bytes=0-1", authorization="Basic YTpi")
    response = answer(request, seal=other)
    assert reason(request, response) == (Reason.NOT_COVERED, "credentials-digest")
    assert reason(request, response, policy=ResponsePolicy(credentials=False)) == (Reason.NOT_COVERED, '"range";req')
    lax = ResponsePolicy(credentials=False, fields=False)
    assert verify(request, response, policy=lax) == "seal"
    without = ask()
    assert reason(without, answer(without, seal=other)) == (Reason.NOT_COVERED, '"content-type"')


@pytest.mark.parametrize("name", ["authorization", "proxy-authorization", "cookie"])
def test_a_seal_over_bare_credentials_is_a_configuration_error(name):
    with pytest.raises(ConfigurationError, match="never covered bare"):
        SignatureSeal(KEY, request_components=(*OF_REQUEST, name))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"nonce": False, "request_components": ()}, "binds"),
        ({"max_age": 0}, "seconds"),
        ({"skew": float("nan")}, "seconds"),
        ({"components": ("@signature-params",)}, "covered"),
        ({"request_components": "@method"}, "sequence"),
    ],
)
def test_a_policy_that_proves_nothing_is_a_configuration_error(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        ResponsePolicy(**arguments)


def test_keys_for_something_else_are_a_configuration_error():
    with pytest.raises(ConfigurationError, match="no key"):
        ResponseVerifier(Key.generate("A256KW"))
    with pytest.raises(ConfigurationError, match="no key"):
        ResponseVerifier([])


@given(st.binary(max_size=60))
@examples(150)
def test_what_accept_signature_may_hold(value):
    try:
        read_accept_signature([value])
    except Rejected as rejected:
        assert rejected.reason is Reason.MALFORMED_REQUEST


def test_accept_signature_is_read_as_it_was_written():
    wanted = ResponsePolicy(tag="orders").wanted("GET", "n", [KEY])
    (read,) = read_accept_signature([accept_signature([wanted])])
    assert read == wanted


def test_a_digest_of_the_representation_proves_the_content_where_that_is_all_of_it():
    seal = SignatureSeal(KEY, digest=None)
    digests = [(b"repr-digest", digest_field({"sha-256": digest("sha-256", BODY)}))]
    request = ask()
    assert verify(request, answer(request, PLAIN.with_more(digests), seal=seal)) == "seal"
    assert reason(request, answer(request, PLAIN.with_more(digests), seal=seal), b"x") == (
        Reason.WRONG_BODY,
        "content-digest",
    )
    part = answer(request, Response(206).with_more(digests), seal=seal)
    assert reason(request, part) == (Reason.NOT_COVERED, "content-digest")


def test_the_client_shows_the_signature_base_that_it_builds():
    request = ask()
    lines = ResponseVerifier(KEY).canonical(request, answer(request)).splitlines()
    assert lines[0] == '"@status": 200'
    assert lines[3:7] == [
        '"@method";req: GET',
        '"@authority";req: api.example',
        '"@path";req: /a',
        '"@query";req: ?b=c',
    ]
    with pytest.raises(Rejected, match="not signed"):
        ResponseVerifier(KEY).canonical(request, PLAIN)


# ---- a client's flow -------------------------------------------------------------------------------------------------


def flow(auth: SealedAuth, respond: Any, method: str = "GET") -> tuple[Received, list[Send]]:
    sent: list[Send] = []

    def send(effect: Send) -> Received:
        sent.append(effect)
        return respond(effect.request)

    context = ClientContext(bytes, now=lambda: NOW, random=random)
    return run(auth, Request(method, "https", "api.example", "/a", {"accept-encoding": "gzip"}), send, context), sent


def honest(status: int = 200, **headers: str) -> Any:
    return lambda request: Received(answer(request, Response(status, headers)), BODY)


def test_a_request_asks_for_a_sealed_answer_and_gets_it():
    received, (sent,) = flow(SealedAuth(KEY), honest())
    assert received.response.status == 200
    assert sent.want
    assert sent.request.values(b"accept-encoding") == [b"identity"]
    (wanted,) = read_accept_signature(sent.request.values(b"accept-signature"))
    assert wanted.text("keyid") == "api-1"
    assert len(wanted.text("nonce") or "") == 24


def test_the_inner_auth_authenticates_the_request_that_asks():
    _, (sent,) = flow(SealedAuth(KEY, BasicAuth("a", "b")), honest())
    assert sent.request.values(b"authorization") == [b"Basic YTpi"]


def test_an_answer_that_is_not_sealed_is_no_answer():
    with pytest.raises(ResponseUnproven, match="no_credentials") as unproven:
        flow(SealedAuth(KEY), lambda request: Received(Response(401), b""))
    assert unproven.value.unproven.status == 401
    assert unproven.value.unproven.origin == "https://api.example"
    assert isinstance(unproven.value, CredentialsUnavailable)


def test_who_only_wants_to_know_is_told():
    told: list[UnprovenResponse] = []
    received, _ = flow(
        SealedAuth(KEY, require=False, on_unproven=told.append), lambda request: Received(Response(200), b"")
    )
    assert received.response.status == 200
    assert [one.rejection.reason for one in told] == [Reason.NO_CREDENTIALS]
    with pytest.warns(UnprovenResponseWarning, match="not proven"):
        flow(SealedAuth(KEY, require=False), lambda request: Received(Response(200), b""))


def test_a_redirect_is_refused_unless_it_is_not_followed():
    with pytest.raises(CredentialsUnavailable, match="allow_redirects"):
        flow(SealedAuth(KEY), honest(302, location="/b"))
    received, _ = flow(SealedAuth(KEY, allow_redirects=True), honest(302, location="/b"))
    assert received.response.status == 302


def test_the_content_is_not_read_where_it_need_not_be_proven():
    policy = ResponsePolicy(content=False)
    _, (sent,) = flow(SealedAuth(KEY, policy=policy), honest())
    assert not sent.want
    assert sent.request.values(b"accept-encoding") == [b"gzip"]


def test_the_repr_names_keys_and_no_secret():
    assert (
        repr(SealedAuth(KEY, BasicAuth("alice", "s3cret"))) == "SealedAuth(keys=['api-1'], BasicAuth(username='alice'))"
    )


def test_components_are_listed_with_or_without_req():
    assert ResponsePolicy(request_components=("@method;req",)).components == components_of(("@status", "@method;req"))
