"""Whoever sends a request chooses what `explain` guesses at: it ends soon all the same, says little, and shows no secret.

The worlds are those of `bench.explain`: a guard and a client of every scheme that signs.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.explain import leaks
from bench.explain_worlds import (
    TAGS, Draft, Maker, World, draft, hmac_world, oauth1_world, public_signature_world, shared_signature_world, sigv4_world, standard_webhook_world,
)  # fmt: skip
from tests.counting import calls
from tests.examples_of import examples
from watchword import Rejected, Request, explain
from watchword.schemes.explaining.program import Explanation
from watchword.schemes.diagnosis import MAX_GUESSES

pytestmark = pytest.mark.sweep

# HMAC, RFC 9421 with a shared and with a public key, OAuth 1, SigV4, webhooks; others of a family differ by a key or a row.
MAKERS: Sequence[Maker] = (
    hmac_world, shared_signature_world, public_signature_world, oauth1_world, sigv4_world, standard_webhook_world,
)  # fmt: skip
PUBLIC = 2  # takes long
CALLS = 20_000_000  # three times what the worst of these takes, and it would take no more if it were larger
HASHES = 4 * MAX_GUESSES  # of a body of a megabyte at most: two or three for each guess


def flood_of_hosts(draft: Draft) -> None:
    draft.headers += [(b"x-forwarded-host", b"h%d.example" % number) for number in range(2000)]
    draft.headers += [(b"forwarded", b"for=192.0.2.1;host=h%d.example" % number) for number in range(2000)]


def flood_of_parameters(draft: Draft) -> None:
    draft.query = b"&".join(b"p%d=%%2%d" % (number, number % 10) for number in range(1000))


def maze_of_a_path(draft: Draft) -> None:
    draft.path = b"/" + b"/%2e%2E/~,;:@!$'()*+" * 350


def deep_json(draft: Draft) -> None:
    draft.body = b"[" * 50_000 + b"]" * 50_000


def wide_json(draft: Draft) -> None:
    draft.body = b"[" + b'{"k\\u00e9/":1.0,"\xc3\xa9<&":[null,-0]},' * 2500 + b"1]"


def large_numbers(draft: Draft) -> None:
    draft.body = b"[1" + b"0" * 100_000 + b",1e999999999,-0.0]"


def bomb(draft: Draft) -> None:
    draft.body = gzip.compress(b"\0" * 100_000_000)


def large_form(draft: Draft) -> None:
    draft.field(b"content-type", b"application/x-www-form-urlencoded")
    draft.body = b"a=%7E&" * 1300 + b"b=+"


def large_body(draft: Draft) -> None:
    draft.body = b"\xff{" * 500_000


def long_fields(draft: Draft) -> None:
    draft.field(TAGS.encode(), *[b'a , b;  c="d",' * 300] * 3)
    draft.field(b"x-trace", b"\x1b[2J" * 1000)


def many_lines(draft: Draft) -> None:
    draft.field(TAGS.encode(), *[b"a, b"] * 3000)


HOSTILE = [
    flood_of_hosts, flood_of_parameters, maze_of_a_path, deep_json, wide_json, large_numbers, bomb, large_form, large_body,
    long_fields, many_lines,
]  # fmt: skip


ODD = (wide_json, many_lines)
CASES = [(number, spoil) for number in range(len(MAKERS)) for spoil in (ODD if number == PUBLIC else HOSTILE)]


def broken(world: World, spoil: Callable[[Draft], None], rng: random.Random) -> tuple[Request, bytes]:
    """Signed, and then everything about it is another: every search is in vain."""
    unsigned = draft(rng)
    unsigned.method = "POST"
    unsigned.field(b"content-type", b"application/json")
    signed = Draft(world.sign(unsigned, rng), unsigned.body)
    signed.path += b"/somewhere-else"
    signed.body += b"!"
    spoil(signed)
    return signed.request(), signed.body


@pytest.mark.parametrize(("number", "spoil"), CASES, ids=lambda part: getattr(part, "__name__", None))
def test_a_hostile_request_is_explained_in_bounded_work_and_size(number: int, spoil: Callable[[Draft], None]) -> None:
    rng = random.Random(f"{number} {spoil.__name__}")
    world = MAKERS[number](rng)
    request, body = broken(world, spoil, rng)
    explained: list[Explanation] = []
    work = calls(lambda: explained.append(explain(request, world.guard, body)))
    assert work.total() < CALLS
    assert sum(count for name, count in work.items() if name.startswith("openssl_")) < HASHES
    (explanation,) = explained
    assert not explanation.accepted
    assert explanation.causes
    said = sum(len(value) for name, value in request.headers) + len(request.target)
    text, data = str(explanation), explanation.to_json()
    # The canonical string is of the request's own size; a control character takes four characters, in JSON six.
    assert len(text) < 50_000 + 8 * said + 8 * 64 * 1024
    assert len(data) < 50_000 + 16 * said + 8 * 64 * 1024
    assert all(line.isprintable() for line in text.split("\n"))
    assert data.isprintable()
    assert not leaks(explanation, world.secrets)


@examples(40)
@given(
    st.integers(0, len(MAKERS) - 1),
    st.sampled_from(
        [b"authorization", b"signature-input", b"signature", b"webhook-signature", b"x-hmac", b"x-amz-date"]
    ),
    st.binary(max_size=40),
    st.integers(0, 200),
)
def test_any_octets_in_the_credentials_are_explained_without_an_exception(
    number: int, field: bytes, octets: bytes, at: int
) -> None:
    rng = random.Random(number)
    world = MAKERS[number](rng)
    unsigned = draft(rng)
    signed = Draft(world.sign(unsigned, rng), unsigned.body)
    values = signed.values(field)
    if values:
        place = at % (len(values[0]) + 1)
        signed.field(field, values[0][:place] + octets + values[0][place + len(octets) // 2 :])
    request = signed.request()
    explanation = explain(request, world.guard, signed.body)
    try:
        world.guard.verify(request, signed.body)
        assert explanation.accepted
    except Rejected as rejected:
        assert explanation.reason is rejected.reason
        assert explanation.causes
    assert not leaks(explanation, world.secrets)


def test_a_token_and_cookies_that_a_signature_covers_are_not_shown() -> None:
    from watchword import Guard, Key, Policy, SignatureAuth, SignatureVerifier
    from watchword.stores import MemoryStore
    from tests.core.signing import signed_by

    key, store = Key.generate("HS256", key_id="robot-1"), MemoryStore()
    store.add_key("robot", key)
    fields = {"Cookie": "sid=very-secret-session", "Proxy-Authorization": "Bearer very-secret-token"}
    covered = ("@method", "@authority", "@path", "@query", "cookie", "proxy-authorization")
    request = signed_by(
        SignatureAuth(key, components=covered), Request("GET", "https", "h", "/a", fields), now=lambda: 1e9
    )
    guard = Guard([SignatureVerifier()], store, policy=Policy(clock=lambda: 1e9))
    changed = Draft(request, b"")
    changed.field(b"cookie", b"sid=very-secret-session; x=very-secret-too")
    changed.field(b"proxy-authorization", b"bearer very-secret-token")
    for shown in (explain(request, guard), explain(changed.request(), guard)):
        assert shown.canonical
        assert "very-secret" not in str(shown) + shown.to_json() + repr(shown)


def confusing() -> Sequence[Request]:
    """Requests of which every part might be credentials, or nearly."""
    parts = [
        b'{"access_token": "%b"}' % (b"'\"%25" * 200),
        b"Bearer " * 500,
        b"a=b; " * 600,
        b"&quot;" * 500,
        b"ww_" + b"x" * 51,
    ]
    fields = [(b"x-auth-%d" % number, parts[number % len(parts)]) for number in range(300)]
    query = b"&".join(b"token%d=%b" % (number, b"%2522" * 9) for number in range(200))
    cookies = [(b"cookie", b"; ".join(b"session%d=a.b.c" % number for number in range(500)))]
    return [
        Request("POST", "https", "user:pass@api.example", b"/?" + query, [*fields, *cookies]),
        Request(
            "POST", "https", "api.example", "/", [(b"authorization", b'HMAC a="' + b'b", c="' * 60 + b'"'), *fields]
        ),
        Request("POST", "https", "api.example", "/", [(b"authorization", b"Basic " + b"YTpi" * 2000), *fields]),
    ]


@pytest.mark.parametrize("number", range(3))
def test_the_search_for_credentials_ends_after_so_many_readings_and_decisions(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchword import AllOf, APIKeyVerifier, BasicVerifier, Guard, HMACVerifier, JWTVerifier, Key, SignatureVerifier
    from watchword.core.dispatch import Dispatch
    from watchword.crypto import passwords
    from watchword.schemes.basic_explain import MAX_HASHES as OF_BASIC
    from watchword.schemes.explaining import elsewhere
    from watchword.stores import MemoryStore

    counts = {"read": 0, "hashed": 0, "decided": 0}
    locate, matches, evidence = Dispatch.locate, passwords._matches, elsewhere._evidence

    def counted(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def again(*arguments: object) -> object:
            counts[name] += 1
            return call(*arguments)

        return again

    monkeypatch.setattr(Dispatch, "locate", counted("read", locate))
    monkeypatch.setattr(passwords, "_matches", counted("hashed", matches))
    monkeypatch.setattr(elsewhere, "_evidence", counted("decided", evidence))
    store = MemoryStore()
    store.add_user("a", "another one")
    key = Key.generate("HS256")
    verifiers = [BasicVerifier(realm="r"), HMACVerifier(), APIKeyVerifier(), JWTVerifier(key), SignatureVerifier()]
    for guard in (Guard(verifiers, store), Guard([AllOf(verifiers[3], verifiers[2])], store)):
        counts.update(read=0, hashed=0, decided=0)
        explanation = explain(confusing()[number], guard, b'{"token": "' + b"x" * 60_000 + b'"}')
        assert not explanation.accepted
        assert counts["read"] <= elsewhere.MAX_READINGS + 2
        assert counts["decided"] <= elsewhere.MAX_DECISIONS
        assert counts["hashed"] <= elsewhere.MAX_HASHED + OF_BASIC + 2
        first = explanation.causes[0]
        assert first.name == "place" or ("was cut" in first.mend) is (counts["read"] > elsewhere.MAX_READINGS)
        assert len(str(explanation)) < 200_000


@pytest.mark.parametrize("count", [5000, 20_000])
def test_of_a_store_with_many_records_a_bounded_number_is_compared_and_the_rest_is_said(count: int) -> None:
    from watchword import Guard, HMACAuth, HMACVerifier, Key, Response
    from watchword.core.records import Put, Ref
    from watchword.crypto.keys import RegisteredKey
    from watchword.effects import Received
    from watchword.schemes.explaining.comparison import MAX_LISTED
    from watchword.stores import MemoryStore
    from watchword.transport.flow import ClientContext, run

    store = MemoryStore()
    record = RegisteredKey("robot", "HS256", bytes(32))
    store.commit([Put(Ref(RegisteredKey, (f"robot-{number}",)), record) for number in range(count)])
    guard = Guard([HMACVerifier()], store)
    sent: list[Request] = []
    auth = HMACAuth(Key.from_secret(b"another secret of 32 octets here", algorithm="HS256", key_id="robots-7"))

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run(auth, Request("GET", "https", "api.example", "/"), send, ClientContext(bytes))
    told: list[Explanation] = []
    assert calls(lambda: told.append(explain(sent[0], guard))).total() < 40 * MAX_LISTED + 400_000
    assert f"more records of a kind than the {MAX_LISTED}" in str(told[0])
