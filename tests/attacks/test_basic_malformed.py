"""Basic credentials with a second reading: another decoder may see another user in them, so they have one form only."""

from __future__ import annotations

from base64 import b64encode

import pytest

from watchword import BasicVerifier, Reason, Rejected, Request


@pytest.mark.parametrize(
    "value",
    [
        b"Basic", b"Basic ", b"Basic =", b"Basic QQ", b"Basic YTpi=", b"Basic YTpi====",
        b"Basic YTpiYw",  # without its padding
        b"Basic YTpiYx==",  # bits behind the last octet are not zero
        b"Basic YTpi YTpi", b"Basic YTpi, YTpi", b"Basic YTpi\n", b"Basic YT\npi", b'Basic "YTpi"', b"Basic YTpi\x00",
        b"Basic YTp_", b"Basic YTp-",  # base64url
        b"Basic YQ==YTpi", b"Basic YTo=Yg==",
        b"Basic YWI=",  # no colon
        b"Basic YTr/",  # not UTF-8
        b"Basic YTrtoIA=",  # a surrogate in UTF-8
        b"Basic wIA6YQ==",  # an overlong NUL
        b"Basic YQA6Yg==", b"Basic YTpiAA==", b"Basic YTpiCg==", b"Basic YX86Yg==",  # control characters
        b'Basic username="a", password="b"', b"Basic realm=x",
    ],
)  # fmt: skip
def test_what_is_not_the_one_form_is_malformed(value: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        BasicVerifier(realm="x").read(Request("GET", "https", "api.example", "/", [(b"authorization", value)]))
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS
    assert caught.value.__suppress_context__ or caught.value.__context__ is None, "a chained error may hold the secret"


@pytest.mark.parametrize(
    ("pair", "username"),
    [("YTpi", "a"), ("YTpiOmM=", "a"), ("Og==", ""), ("YTo=", "a"), ("w6Q6Yg==", "ä"), ("YSBiOiBj", "a b")],
)
def test_the_first_colon_ends_the_username(pair: str, username: str) -> None:
    value = f"Basic {pair}".encode()
    assert (
        BasicVerifier(realm="x").read(Request("GET", "https", "x", "/", [(b"authorization", value)])).username
        == username
    )


@pytest.mark.parametrize("pair", [" a:b", "a :b", "a\u200b:b", "\u00b2:b", "\uff1a:b", "a:\ue000", "a:\u0085"])
def test_what_has_no_one_form_is_malformed_and_nothing_is_trimmed(pair: str) -> None:
    """RFC 8265 §3.5 lets no username begin or end with a space; §4.2 lets a password hold what is assigned only."""
    value = b"Basic " + b64encode(pair.encode())
    with pytest.raises(Rejected) as caught:
        BasicVerifier(realm="x").read(Request("GET", "https", "x", "/", [(b"authorization", value)]))
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
