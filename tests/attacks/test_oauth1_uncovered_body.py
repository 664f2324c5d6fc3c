"""A body that no signature covers is refused, and one that is covered can't be passed off as one that isn't."""

from __future__ import annotations

import pytest

from tests.counting import steps
from tests.schemes.oauth1_world import FORM, GET, JSON, auth, changed, guard, reason, signed
from watchword import Reason

POST = changed(GET, method="POST")


def kinds(*values: str) -> list[tuple[str, str]]:
    return [("Content-Type", value) for value in values]


def test_a_form_that_calls_itself_something_else() -> None:
    request, body = signed(auth(), changed(POST, headers=FORM), b"to=bob&sum=10")
    for other in (
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain; application/x-www-form-urlencoded",
        "",
    ):
        headers = [*kinds(other), *((name, value) for name, value in request.headers if name == b"authorization")]
        assert reason(guard(), changed(request, headers=headers), b"to=eve&sum=99") is Reason.WRONG_SIGNATURE
        assert reason(guard(), changed(request, headers=headers), body) is Reason.WRONG_SIGNATURE


def test_another_body_that_calls_itself_a_form() -> None:
    request, _ = signed(auth(), changed(POST, headers=JSON), b'{"sum": 10}')
    own = [pair for pair in request.headers if pair[0] == b"authorization"]
    for body in (b"", b"=", b"&&&", b'{"sum": 99}', b"sum=99"):
        asked = changed(request, headers=[*kinds("application/x-www-form-urlencoded"), *own])
        assert reason(guard(), asked, body) is Reason.MALFORMED_CREDENTIALS


def test_a_body_that_is_added_to_a_request_without_one() -> None:
    request, _ = signed(auth(), POST)
    assert reason(guard(), request, b"sum=99") is Reason.NOT_COVERED
    own = list(request.headers)
    assert (
        reason(guard(), changed(request, headers=[*own, *kinds(*FORM.values())]), b"sum=99") is Reason.WRONG_SIGNATURE
    )
    # Octets between which there is nothing are no parameters, so nothing is added that an application could read.
    assert guard().verify(changed(request, headers=[*own, *kinds(*FORM.values())]), b"&&").subject == "alice"


def test_two_content_types_of_which_readers_take_different_ones() -> None:
    request, body = signed(auth(), changed(POST, headers=FORM), b"sum=10")
    own = [pair for pair in request.headers if pair[0] == b"authorization"]
    for pair in (("application/json", *FORM.values()), (*FORM.values(), "application/json")):
        assert reason(guard(), changed(request, headers=[*kinds(*pair), *own]), body) is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "hashed", ["", "47DEQpj8HBSa%2B%2FTImW%2B5JCeuQeRkm5NMpJWZG3hSuFU%3D", "2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D"]
)
def test_a_hash_that_is_put_in_later(hashed: str) -> None:
    request, _ = signed(auth(), changed(POST, headers=JSON), b"{}")
    value = request.values(b"authorization")[0]
    before, _, rest = value.partition(b'oauth_body_hash="')
    swapped = before + b'oauth_body_hash="' + hashed.encode() + b'"' + rest.partition(b'"')[2]
    verdict = reason(guard(allow_sha1_body_hash=True), request.with_headers(((b"authorization", swapped),)), b"")
    assert verdict in (Reason.WRONG_SIGNATURE, Reason.MALFORMED_CREDENTIALS)


def test_a_form_of_very_many_or_very_long_parameters_costs_little() -> None:
    request, _ = signed(auth(), changed(POST, headers=FORM), b"a=1")
    for body in (
        b"a&" * 125_000,
        b"&" * 250_000,
        b"%41" * 85_000,
        b"\xff" * 250_000,
        b"+" * 250_000,
        b"%" * 250_000,
    ):
        seen: list[Reason | None] = []
        work = steps(lambda: seen.append(reason(guard(), request, body)))  # noqa: B023 -- called at once
        assert seen[0] in (Reason.MALFORMED_REQUEST, Reason.WRONG_SIGNATURE)
        assert work < 20 * len(body), "in proportion to its length, not more"
