"""Whatever octets stand in the fields, the target or the body of a signed request: an identity or a rejection, nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attacks.signed_worlds import NOW, WORLDS, Signed
from tests.examples_of import examples
from watchword import Identity, Rejected, Request, explain

# What the grammars of the schemes are made of.
PIECES = st.sampled_from([
    b'"', b",", b";", b"=", b"(", b")", b":", b" ", b"\t", b"\\", b"%", b"%2", b"%41", b"\xff", b"\0", b"\n", b"\r\n ", b"&", b"+",
    b"@method", b'"@query-param";name="a"', b"9" * 20, b"-1", b"nan", b"1e9", b"v1,", b"v1a,", b"t=", b"oauth_", b"AAAA", b"?0", b"@1",
    b'%"a"', b"*", b"/", b"'", b"sig1", b';alg="x"', b";created=1", b";bs", b";sf", b';key="a"', b";tr", b";req", b"\xc3\xa4",
    b"UNSIGNED-PAYLOAD", b"0\r\n", b"a" * 143, b";chunk-signature=", b"x-amz-trailer-signature:",
]) | st.binary(max_size=8)  # fmt: skip
EDITS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 12), PIECES), min_size=1, max_size=3)
METHODS = st.sampled_from(["GET", "POST", "post", "", "\xff", "G T", "\ud800", "CONNECT", "OPTIONS"])
AUTHORITIES = st.sampled_from(["api.example", "", "api.example:8443", "\xff", "\ud800", "a,b", "u@h", "[::1]:1"])
SIGNED = {name: world.sign(body=b'{"a":1}') for name, world in WORLDS.items()}


def edited(text: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, length, piece in edits:
        begin = at % (len(text) + 1)
        text = text[:begin] + piece + text[begin + length :]
    return text


@st.composite
def hostile(draw: st.DrawFn, signed: Signed) -> tuple[Request, bytes]:
    """The genuine request with octets changed in one or two places."""
    request, body = signed
    headers = list(request.headers)
    method, authority, target = request.method, request.authority, request.target
    for _ in range(draw(st.integers(1, 2))):
        where = draw(st.sampled_from(["field", "field", "field", "again", "gone", "target", "body", "line"]))
        index = draw(st.integers(0, len(headers) - 1)) if headers else 0
        if where == "field" and headers:
            headers[index] = (headers[index][0], edited(headers[index][1], draw(EDITS)))
        elif where == "again" and headers:
            headers.append((headers[index][0], edited(headers[index][1], draw(EDITS))))
        elif where == "gone" and headers:
            del headers[index]
        elif where == "target":
            target = edited(target, draw(EDITS))
        elif where == "body":
            body = edited(body, draw(EDITS))
        else:
            method, authority = draw(METHODS), draw(AUTHORITIES)
    return Request.raw(method, request.scheme, authority, target, headers, request.peer, draw(st.booleans())), body


@pytest.mark.parametrize("scheme", WORLDS)
@examples(60)
@given(data=st.data())
def test_any_octets_give_an_identity_or_a_rejection(scheme: str, data: st.DataObject) -> None:
    request, body = data.draw(hostile(SIGNED[scheme]))
    assert isinstance(WORLDS[scheme].verify(request, body), Identity | Rejected)


@pytest.mark.sweep
@pytest.mark.parametrize("scheme", [name for name in WORLDS if "ed25519" not in name and "sigv4a" not in name])
@examples(8)
@given(data=st.data())
def test_any_octets_can_be_explained(scheme: str, data: st.DataObject) -> None:
    request, body = data.draw(hostile(SIGNED[scheme]))
    shown = explain(request, WORLDS[scheme].guard(), body, at=NOW)
    assert "river bends" not in str(shown) + shown.to_json() + repr(shown)


@pytest.mark.parametrize("signature", [b"a" * 17, b"0" * 143, b"f" * 144, b"30" * 36, b""])
def test_no_chunk_signature_breaks_the_reader(signature: bytes) -> None:
    """Hexadecimal digits come in pairs; an odd number of them is no signature."""
    world = WORLDS["sigv4a-trailer"]
    request, body = SIGNED["sigv4a-trailer"]
    head, _, rest = body.partition(b";chunk-signature=")
    changed = head + b";chunk-signature=" + signature + rest[rest.index(b"\r\n") :]
    assert isinstance(world.verify(request, changed), Rejected)
