"""Message signatures, SigV4, OAuth 1 and webhooks behind real proxies: what fits, what is refused, what is named first."""

from __future__ import annotations

import pytest

from tests.interop.proxies.conftest import TRUSTED
from tests.interop.proxies.origin import ask
from watchword import (
    HMACAuth, HMACVerifier, OAuth1Auth, OAuth1Verifier, PublicURL, Reason, Request, SignatureAuth, SignaturePolicy,
    SignatureVerifier, SigV4Auth, SigV4Verifier, WebhookAuth, WebhookVerifier,
)  # fmt: skip
from watchword.schemes.sigv4 import Payload

SECRET = "an old oak by the quiet river bends"
WHOLE = ("@method", "@target-uri", "@scheme", "x-note", "content-digest")
FORM = "application/x-www-form-urlencoded"


def sigv4(service, **more):
    return lambda origin: SigV4Auth("AKIDEXAMPLE", SECRET, region="eu-1", service=service, **more)


# name: (the client half, the verifier, fields that it covers besides)
SCHEMES = {
    "hmac": (lambda origin: HMACAuth(origin.key), HMACVerifier, {}),
    "signature": (lambda origin: SignatureAuth(origin.key), SignatureVerifier, {}),
    "signature-whole": (
        lambda origin: SignatureAuth(origin.key, components=WHOLE),
        lambda: SignatureVerifier(policy=SignaturePolicy(components=WHOLE)),
        {"X-Note": "one,  two"},
    ),
    "sigv4": (sigv4("orders"), SigV4Verifier, {"X-Amz-Meta-Note": "one  two"}),
    "sigv4-s3": (sigv4("s3"), SigV4Verifier, {"X-Amz-Meta-Note": "one  two"}),
    "sigv4-chunked": (sigv4("s3", payload=Payload("chunked", "crc32", 8192)), SigV4Verifier, {}),
    "oauth1": (lambda origin: OAuth1Auth("an-app", SECRET), OAuth1Verifier, {}),
    "twilio": (lambda origin: WebhookAuth(SECRET, "twilio"), lambda: WebhookVerifier(SECRET, "twilio"), {"Content-Type": FORM}),
    "standard-webhook": (lambda origin: WebhookAuth(SECRET.encode()), lambda: WebhookVerifier(SECRET.encode()), {}),
}  # fmt: skip
PATH_IS_COVERED = [name for name in SCHEMES if name != "standard-webhook"]
# Those whose signature says whether it was http or https.
SCHEME_IS_COVERED = ["signature-whole", "oauth1", "twilio"]
# What each says of a rewritten path.
WRONG = (Reason.WRONG_SIGNATURE, Reason.WRONG_BODY)


@pytest.fixture(scope="module", autouse=True)
def records(origin):
    origin.store.add_access_key("robot", "AKIDEXAMPLE", SECRET)
    origin.store.add_oauth1_client("an-app", secret=SECRET)


def judged(origin, scheme, url):
    auth, verifier, headers = SCHEMES[scheme]
    origin.judge(url, verifier())
    return auth(origin), dict(headers)


def changed(**parts):
    def tamper(request):
        now = {name: getattr(request, name) for name in ("method", "scheme", "authority", "target", "headers")}
        return Request(**{**now, **parts})

    return tamper


BODY = b"amount=7&to=bob"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("server", ["granian", "uvicorn", "wsgiref", "http_server"])
def test_signed_requests_pass_nginx_that_ends_tls(origin, nginx, client, server, scheme):
    base = nginx["tls", server]
    auth, headers = judged(origin, scheme, PublicURL(base))
    for body in (b"", BODY):
        answer = client(auth, f"{base}/orders?id=7&b=c%20d", nginx.trust, "POST", data=body, headers=headers)
        assert answer.status_code == 200, origin.verdicts
        assert answer.json()["size"] == len(body)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_signed_requests_pass_the_others(origin, other, client, scheme):
    base = other["tls"]
    auth, headers = judged(origin, scheme, PublicURL(base))
    for body in (b"", BODY):
        answer = client(auth, f"{base}/orders?id=7&b=c%20d", other.trust, "POST", data=body, headers=headers)
        assert answer.status_code == 200, (origin.verdicts, origin.seen.headers)
        assert answer.json()["size"] == len(body)


@pytest.mark.parametrize("scheme", PATH_IS_COVERED)
@pytest.mark.parametrize(
    "parts",
    [{"target": b"/orders?id=8"}, {"target": b"/other?id=7"}, {"target": b"/orders"}, {"target": b"/orders?id=7&x"}],
)
def test_what_changes_before_the_proxy_is_refused(origin, nginx, scheme, parts):
    base = nginx["tls"]
    auth, headers = judged(origin, scheme, PublicURL(base))
    answer = ask(
        auth,
        base,
        "/orders?id=7",
        method="POST",
        body=BODY,
        headers=headers,
        trust=nginx.trust,
        tamper=changed(**parts),
    )
    assert (answer.status, origin.verdict.reason) == (401, Reason.WRONG_SIGNATURE)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["tls", "unbuffered"])
def test_a_body_that_changes_before_the_proxy_is_refused(origin, nginx, scheme, name):
    base = nginx[name]
    auth, headers = judged(origin, scheme, PublicURL(base))
    big = b"amount=" + b"7" * 30_000
    answer = ask(auth, base, "/orders", method="POST", body=big, headers=headers, trust=nginx.trust)
    assert answer.status == 200, origin.verdict
    answer = ask(auth, base, "/orders", method="POST", body=big, headers=headers, trust=nginx.trust, flip=True)
    assert answer.status == 401
    assert not origin.verdicts or origin.verdict.reason in {None, *WRONG}


@pytest.mark.parametrize("scheme", SCHEME_IS_COVERED)
def test_tls_that_ended_without_a_word_is_named_first(origin, nginx, scheme):
    """Host is passed on, so only http and https differ."""
    base = nginx["tls"]
    auth, headers = judged(origin, scheme, None)
    answer = ask(auth, base, "/orders?id=7", method="POST", body=BODY, headers=headers, trust=nginx.trust)
    assert (answer.status, origin.verdict.reason) == (401, Reason.WRONG_SIGNATURE)
    first = origin.explain(BODY).causes[0]
    assert (first.component, first.expected, first.received) == ("@scheme", "https", "http"), origin.explain(BODY)
    auth, headers = judged(origin, scheme, PublicURL(forwarded="X-Forwarded", trusted=TRUSTED))
    assert ask(auth, base, "/orders", method="POST", body=BODY, headers=headers, trust=nginx.trust).status == 200


@pytest.mark.parametrize("scheme", PATH_IS_COVERED)
def test_a_renamed_host_is_named_first(origin, nginx, scheme):
    base = nginx["nohost"]
    auth, headers = judged(origin, scheme, None)
    assert ask(auth, base, "/orders?id=7", method="POST", body=BODY, headers=headers).status == 401
    assert origin.verdict.reason is Reason.WRONG_SIGNATURE
    content = b"" if scheme == "sigv4-chunked" else BODY
    first = origin.explain(content).causes[0]
    assert first.component in ("@authority", "header host"), origin.explain(content)
    assert (first.expected, first.received) == (base.removeprefix("http://"), "app.internal")
    assert first.mend
    auth, headers = judged(origin, scheme, PublicURL(forwarded="X-Forwarded", trusted=TRUSTED, believe=("host",)))
    assert ask(auth, base, "/orders?id=7", method="POST", body=BODY, headers=headers).status == 200


@pytest.mark.parametrize("scheme", PATH_IS_COVERED)
def test_a_stripped_prefix_is_named_first_and_put_back(origin, nginx, scheme):
    base = nginx["strip"]
    auth, headers = judged(origin, scheme, PublicURL(base))
    assert ask(auth, base, "/api/orders?id=7", method="POST", body=BODY, headers=headers).status == 401
    assert origin.verdict.reason is Reason.WRONG_SIGNATURE
    content = b"" if scheme == "sigv4-chunked" else BODY
    first = origin.explain(content).causes[0]
    assert first.component in ("@path", "@target-uri"), origin.explain(content)
    assert "/api/orders" in first.expected
    for policy in (
        PublicURL(base, prefix="/api"),
        PublicURL(base, forwarded="X-Forwarded", trusted=TRUSTED, believe=("prefix",)),
    ):
        auth, headers = judged(origin, scheme, policy)
        assert ask(auth, base, "/api/orders?id=7", method="POST", body=BODY, headers=headers).status == 200


TARGETS = [
    "/a//b",
    "/a/./b/../c",
    "/a/%2e%2e/b",
    "/a%2Fb",
    "/a;b=c",
    "/%7Ea/%41",
    "/a%20b+c",
    "/k/..//x;y/%2F",
    "/a?b=%2F//../;&c;d=+%20&c",
]


@pytest.mark.parametrize("scheme", PATH_IS_COVERED)
@pytest.mark.parametrize("target", TARGETS)
def test_targets_that_the_proxy_passes_on_are_verified_exactly_as_sent(origin, nginx, scheme, target):
    base = nginx["tls"]
    auth, headers = judged(origin, scheme, PublicURL(base))
    answer = ask(auth, base, target, method="POST", body=BODY, headers=headers, trust=nginx.trust)
    assert (answer.status, origin.seen.target) == (200, target.encode()), origin.verdict


@pytest.mark.parametrize("scheme", PATH_IS_COVERED)
@pytest.mark.parametrize("target", [target for target in TARGETS if "?" not in target and target != "/a%20b+c"])
def test_where_the_proxy_rewrites_paths_those_are_refused(origin, nginx, scheme, target):
    base = nginx["strip"]
    auth, headers = judged(origin, scheme, PublicURL(base, prefix="/api"))
    answer = ask(auth, base, "/api" + target, method="POST", body=BODY, headers=headers)
    normalised = scheme == "sigv4" and target in ("/a//b", "/a/./b/../c")  # one to its signature, as AWS defines
    assert answer.status in ((200, 400) if normalised else (400, 401, 404))


def test_a_field_that_the_proxy_drops_is_named(origin, nginx):
    """nginx drops names with underscores, unless `underscores_in_headers on`."""
    components = ("@method", "@authority", "@path", "@query", "x_note")
    base = nginx["tls"]
    origin.judge(PublicURL(base), SignatureVerifier(policy=SignaturePolicy(components=components)))
    auth = SignatureAuth(origin.key, components=components)
    assert ask(auth, base, "/orders", headers={"X_Note": "one"}, trust=nginx.trust).status == 401
    assert origin.verdict.reason is Reason.MISSING_COMPONENT
    assert "x_note" in origin.explain().causes[0].component


@pytest.mark.parametrize("scheme", ["signature", "sigv4", "oauth1"])
def test_forwarding_fields_that_are_added_on_the_way_break_nothing(origin, nginx, scheme):
    base = nginx["tls"]
    auth, headers = judged(origin, scheme, PublicURL(base, forwarded="X-Forwarded", trusted=TRUSTED))
    more = {**headers, "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.example"}
    assert ask(auth, base, "/orders", headers=more, trust=nginx.trust).status == 200
    assert origin.public.peer.address == "127.0.0.1"
