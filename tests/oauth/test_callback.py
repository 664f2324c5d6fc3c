"""The callback: its state and issuer are looked at first, and nothing of a stranger's is repeated."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from watchword import CredentialsUnavailable
from watchword.oauth.callback import code_in
from watchword.oauth.metadata import Metadata
from watchword.oauth.token_response import TokenRefused

ISSUER, CALLBACK, STATE = "https://id.example", "https://shop.example/callback", "the-state-of-this-log-in"
NAMES_ITSELF = Metadata(ISSUER, iss_in_callback=True)
SAYS_NOTHING = Metadata(ISSUER)


def code(
    metadata: Metadata = NAMES_ITSELF, redirect_uri: str = CALLBACK, base: str = CALLBACK, **more: str | None
) -> str:
    given = {"code": "c0de", "state": STATE, "iss": ISSUER, **more}
    query = urlencode({name: value for name, value in given.items() if value is not None})
    return code_in(f"{base}?{query}", redirect_uri=redirect_uri, state=STATE, metadata=metadata)


@pytest.mark.parametrize(
    ("metadata", "iss", "taken"),
    [
        (NAMES_ITSELF, ISSUER, True),
        (NAMES_ITSELF, None, False),
        (NAMES_ITSELF, "https://evil.example", False),
        (SAYS_NOTHING, ISSUER, True),
        (SAYS_NOTHING, None, True),
        (SAYS_NOTHING, "https://evil.example", False),
        (NAMES_ITSELF, ISSUER + "/", False),
        (NAMES_ITSELF, "https://ID.example", False),
        (NAMES_ITSELF, ISSUER + ":443", False),
        (NAMES_ITSELF, "", False),
        (SAYS_NOTHING, "", False),
    ],
)
def test_the_issuer_is_the_one_where_the_log_in_began_to_the_letter(
    metadata: Metadata, iss: str | None, taken: bool
) -> None:
    if taken:
        assert code(metadata, iss=iss) == "c0de"
        return
    with pytest.raises(CredentialsUnavailable, match="RFC 9207") as caught:
        code(metadata, iss=iss)
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"state": "another"}, {"state": None}, {"state": ""}, {"iss": "https://evil.example"}]
)
def test_an_error_of_a_stranger_is_not_repeated(wrong: dict[str, str | None]) -> None:
    with pytest.raises(CredentialsUnavailable) as caught:
        code(code=None, error="access_denied", error_description="call 555-0100 at once", **wrong)
    assert not isinstance(caught.value, TokenRefused)
    assert "555" not in str(caught.value) and "access_denied" not in str(caught.value)


def test_the_issuers_own_error_is() -> None:
    with pytest.raises(TokenRefused, match="call 555-0100") as caught:
        code(error="server_error", error_description="call 555-0100 at once")
    assert caught.value.error == "server_error"


@pytest.mark.parametrize("name", ["code", "state", "iss", "error"])
def test_a_parameter_that_is_there_twice_is_refused(name: str) -> None:
    query = urlencode({"code": "c0de", "state": STATE, "iss": ISSUER}) + f"&{name}=again&{name}=again"
    with pytest.raises(CredentialsUnavailable, match="twice"):
        code_in(f"{CALLBACK}?{query}", redirect_uri=CALLBACK, state=STATE, metadata=NAMES_ITSELF)


def test_unknown_parameters_are_passed_over() -> None:
    assert code(session_state="x", access_token="evil") == "c0de"


@pytest.mark.parametrize(
    "base", ["https://shop.example/other", "https://shop.example/callback/", "", "code", "https://[::1/callback"]
)
def test_another_place_than_that_of_the_log_in_is_refused(base: str) -> None:
    with pytest.raises(CredentialsUnavailable, match="redirect_uri"):
        code(base=base)


def test_the_query_of_redirect_uri_comes_back_and_is_no_parameter_of_the_answer() -> None:
    query = "tenant=7&" + urlencode({"code": "c0de", "state": STATE, "iss": ISSUER})
    assert (
        code_in(f"{CALLBACK}?{query}", redirect_uri=CALLBACK + "?tenant=7", state=STATE, metadata=NAMES_ITSELF)
        == "c0de"
    )
    with pytest.raises(CredentialsUnavailable, match="lacks what the query of redirect_uri has"):
        code(redirect_uri=CALLBACK + "?tenant=7")


@pytest.mark.parametrize("given", [{"code": None}, {"code": ""}])
def test_a_callback_without_a_code_is_none(given: dict[str, str | None]) -> None:
    with pytest.raises(CredentialsUnavailable, match="no code"):
        code(**given)


@pytest.mark.parametrize(
    "text",
    ["", "x" * 20_000, CALLBACK + "?state=%ff", CALLBACK + "?state=\ud800", CALLBACK + "?" + "a=1&" * 100, "\x00"],
)
def test_any_text_is_a_callback_or_the_typed_error(text: str) -> None:
    with pytest.raises(CredentialsUnavailable):
        code_in(text, redirect_uri=CALLBACK, state=STATE, metadata=NAMES_ITSELF)
