"""SigV4 bodies in chunks: all forms, octet by octet, tampered with, cut, extended, re-ordered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from tests.schemes.sigv4_world import ECDSA, NOW, SECRET, ask, auth, changed, guard, verdict
from watchword import Identity, Reason, Rejected, Request, explain
from watchword.core.io import once
from watchword.schemes.sigv4 import Payload
from watchword.schemes.sigv4.access_key import hmac_signing
from watchword.schemes.sigv4.checksums import ALGORITHMS, checksum
from watchword.schemes.sigv4.chunks import STREAMING, ChunkedBody, Seed, encode

DATA = b"0123456789abcdefghij!"  # three chunks of 8, 8 and 5 octets
FORMS = [
    ("AWS4-HMAC-SHA256", Payload("chunked", "", 8)),
    ("AWS4-HMAC-SHA256", Payload("chunked", "crc32c", 8)),
    (ECDSA, Payload("chunked", "", 8)),
    (ECDSA, Payload("chunked", "sha256", 8)),
    ("AWS4-HMAC-SHA256", Payload("unsigned-chunked", "crc64nvme", 8)),
    (ECDSA, Payload("unsigned-chunked", "sha1", 8)),
]
every_form = pytest.mark.parametrize(("algorithm", "payload"), FORMS, ids=lambda value: "-".join(map(str, value)) if isinstance(value, tuple) else value[5:10])  # fmt: skip
EXAMPLE = json.loads((Path(__file__).parents[1] / "vectors" / "sigv4" / "chunks.json").read_text())


def upload(algorithm: str, payload: Payload, data: bytes = DATA) -> tuple[Request, bytes]:
    return auth(algorithm=algorithm, payload=payload).chunked(ask("/key", "PUT"), data, now=NOW)


def stream(request: Request, **options: object) -> ChunkedBody:
    admitted = guard(allow_unsigned_payload=True, **options).admit(request, once(b""))
    assert isinstance(admitted.stream, ChunkedBody)
    return admitted.stream


def read(request: Request, pieces: list[bytes], **options: object) -> list[bytes] | Reason:
    """What came out after each piece and at the end; or why not."""
    checked = stream(request, **options)
    try:
        return [*(checked.feed(piece) for piece in pieces), checked.end()]
    except Rejected as rejected:
        return rejected.reason


# ---- AWS's own example -----------------------------------------------------------------------------------------------


def test_awss_example_of_an_upload_in_chunks() -> None:
    """Amazon S3 API Reference, "Signature calculations … in multiple chunks (chunked upload)": 65,536, 1,024 and 0 octets of "a"."""
    scope = b"20130524/us-east-1/s3/aws4_request"
    signing = hmac_signing(EXAMPLE["secret"], scope)
    seed = Seed(b"AWS4-HMAC-SHA256", b"20130524T000000Z", scope, EXAMPLE["seed"].encode(), signing)
    form = STREAMING[b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD"]
    data = b"a" * 66_560
    body = encode(form, seed, data, 65_536, "")
    assert len(body) == EXAMPLE["content_length"]
    for signature in EXAMPLE["chunks"]:
        assert b";chunk-signature=" + signature.encode() + b"\r\n" in body
    checked = ChunkedBody(form, seed, len(data), frozenset(), 1 << 20)
    assert checked.feed(body) + checked.end() == data


def test_awss_example_of_a_trailer() -> None:
    scope = b"20130524/us-east-1/s3/aws4_request"
    example = EXAMPLE["trailer"]
    seed = Seed(
        b"AWS4-HMAC-SHA256",
        b"20130524T000000Z",
        scope,
        example["seed"].encode(),
        hmac_signing(EXAMPLE["secret"], scope),
    )
    form = STREAMING[b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"]
    body = encode(form, seed, b"a" * 66_560, 65_536, "crc32c")
    assert f"x-amz-checksum-crc32c:{example['crc32c']}\r\n".encode() in body
    assert f"x-amz-trailer-signature:{example['signature']}\r\n\r\n".encode() in body
    for signature in example["chunks"]:
        assert b";chunk-signature=" + signature.encode() + b"\r\n" in body


# ---- genuine bodies --------------------------------------------------------------------------------------------------


@every_form
@pytest.mark.parametrize("data", [b"", b"x", b"12345678", DATA, bytes(range(256)) * 5])
def test_a_body_in_chunks_passes_and_its_length_is_known_before(algorithm: str, payload: Payload, data: bytes) -> None:
    request, body = upload(algorithm, payload, data)
    assert request.values(b"content-length") == [b"%d" % len(body)]
    assert isinstance(verdict(guard(allow_unsigned_payload=True), request, body), Identity)
    whole = read(request, [body])
    assert isinstance(whole, list)
    assert b"".join(whole) == data


@every_form
def test_a_body_may_come_octet_by_octet_and_its_last_data_comes_with_the_proof_of_its_end(
    algorithm: str, payload: Payload
) -> None:
    request, body = upload(algorithm, payload)
    parts = read(request, [body[at : at + 1] for at in range(len(body))])
    assert isinstance(parts, list)
    assert b"".join(parts) == DATA
    assert parts[-1] == (DATA[16:] if payload.form == "chunked" else DATA[-1:])
    if payload.form == "chunked":
        assert [part for part in parts if part] == [DATA[:8], DATA[8:16], DATA[16:]]


@given(st.binary(max_size=300), st.integers(1, 64), st.lists(st.integers(1, 90), max_size=30))
@examples(60)
def test_however_it_is_cut_into_pieces_the_data_is_the_same(data: bytes, size: int, cuts: list[int]) -> None:
    request, body = upload("AWS4-HMAC-SHA256", Payload("chunked", "crc32", size), data)
    pieces, rest = [], body
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    parts = read(request, [*pieces, rest])
    assert isinstance(parts, list)
    assert b"".join(parts) == data


# ---- everything else -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("algorithm", "payload"), [FORMS[1], FORMS[3], FORMS[4]], ids=["hmac", "ecdsa", "unsigned"])
def test_no_octet_of_it_can_be_changed(algorithm: str, payload: Payload) -> None:
    """Except in the case of a chunk's size and of a trailer's name, and where an ECDSA signature is filled up."""
    request, body = upload(algorithm, payload)
    step = (
        7 if algorithm == ECDSA else 1
    )  # each ECDSA verification takes a tenth of a millisecond, and there are thousands
    for at in range(0, len(body), step):
        for flip in (0x01, 0x20):
            other = bytes([body[at] ^ flip])
            got = read(request, [body[:at] + other + body[at + 1 :]])
            if isinstance(got, list):
                assert other.swapcase() == body[at : at + 1], (at, body[at - 9 : at + 9])
                assert b"".join(got) == DATA
            else:
                assert got in (Reason.WRONG_BODY, Reason.WRONG_SIGNATURE, Reason.BODY_TOO_LARGE)


@every_form
def test_it_can_not_be_cut_or_extended_anywhere(algorithm: str, payload: Payload) -> None:
    request, body = upload(algorithm, payload)
    for at in range(0, len(body), 1 if algorithm != ECDSA else 11):
        assert read(request, [body[:at]]) in (Reason.WRONG_BODY, Reason.WRONG_SIGNATURE)
    for more in (b"x", b"\r\n", b"0\r\n\r\n", body):
        assert read(request, [body + more]) is Reason.WRONG_BODY
        assert read(request, [body, more]) is Reason.WRONG_BODY


def chunks_of(body: bytes) -> list[bytes]:
    """The frames of a body of three signed chunks, and the end."""
    marks = [body.index(head) for head in (b"8;", b"8;")] + [body.index(b"\r\n5;") + 2, body.index(b"\r\n0;") + 2]
    marks[1] = body.index(b"8;", marks[0] + 1)
    return [body[one:other] for one, other in zip(marks, [*marks[1:], len(body)], strict=True)]


@pytest.mark.parametrize("algorithm", ["AWS4-HMAC-SHA256", ECDSA])
def test_chunks_can_not_be_reordered_repeated_left_out_or_taken_from_another_request(algorithm: str) -> None:
    request, body = upload(algorithm, Payload("chunked", "", 8))
    one, two, three, end = chunks_of(body)
    assert b"".join((one, two, three, end)) == body
    _, other = auth(algorithm=algorithm, payload=Payload("chunked", "", 8)).chunked(ask("/other", "PUT"), DATA, now=NOW)
    for wrong in (
        [two, one, three, end], [one, one, two, three, end], [one, three, end], [one, two, end], [end], [three, end],
        [one, two, end, three], [chunks_of(other)[0], two, three, end], [one, two, chunks_of(other)[2], end],
        [one, two, three, chunks_of(other)[3]],
    ):  # fmt: skip
        assert read(request, [b"".join(wrong)]) in (Reason.WRONG_SIGNATURE, Reason.WRONG_BODY)


def test_nothing_unproven_passes_before_a_chunk_that_fails() -> None:
    request, body = upload("AWS4-HMAC-SHA256", Payload("chunked", "", 8))
    checked = stream(request)
    at = body.index(b"89abcdef")
    assert checked.feed(body[:at]) == DATA[:8]
    with pytest.raises(Rejected) as caught:
        checked.feed(b"x" + body[at + 1 :])
    assert (caught.value.reason, caught.value.rejection.where) == (Reason.WRONG_SIGNATURE, "body chunk 2")
    for again in (body, b"x"):
        with pytest.raises(Rejected):
            checked.feed(again)
    with pytest.raises(Rejected):
        checked.end()


def test_the_decoded_length_is_checked() -> None:
    payload = Payload("unsigned-chunked", "crc32", 8)
    client = auth(payload=payload)
    _, body = client.chunked(ask("/key", "PUT"), DATA, now=NOW)
    for length, reason in ((len(DATA), None), (len(DATA) - 1, Reason.WRONG_BODY), (len(DATA) + 1, Reason.WRONG_BODY)):
        request, _ = client.chunked(ask("/key", "PUT"), b"x" * length, now=NOW)
        got = read(request, [body])
        assert got is reason if reason else isinstance(got, list)


@pytest.mark.parametrize("checksum_name", sorted(ALGORITHMS))
def test_the_checksum_is_verified_in_every_form(checksum_name: str) -> None:
    for form in ("chunked", "unsigned-chunked"):
        request, body = upload("AWS4-HMAC-SHA256", Payload(form, checksum_name, 8))
        assert isinstance(read(request, [body]), list)
        genuine, other = checksum(checksum_name, DATA), checksum(checksum_name, DATA[::-1])
        expected = Reason.WRONG_SIGNATURE if form == "chunked" else Reason.WRONG_BODY
        assert read(request, [body.replace(genuine, other)]) is expected
    assert read(request, [body.replace(DATA[:8], b"x" * 8)]) is Reason.WRONG_BODY


def test_a_signed_checksum_of_another_body_is_refused() -> None:
    """A client that computes it wrongly, and signs that."""
    request, body = upload("AWS4-HMAC-SHA256", Payload("chunked", "crc32", 8))
    right = stream(request)
    line = b"x-amz-checksum-crc32:" + checksum("crc32", b"another")
    seed = right._seed
    last = body.rpartition(b"0;chunk-signature=")[2][:64]
    signature = seed.signing.sign(seed.trailer(last, line + b"\n"))
    head = body[: body.index(b"x-amz-checksum")]
    assert read(request, [head + line + b"\r\nx-amz-trailer-signature:" + signature + b"\r\n\r\n"]) is Reason.WRONG_BODY


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"x-amz-checksum-crc32:", b"x-amz-checksum-crc32c:"), (b"x-amz-checksum-crc32:", b"x-other:"),
        (b"\r\n\r\n", b"\r\nx-other:1\r\n\r\n"), (b"x-amz-checksum-crc32:", b"x-amz-checksum-crc32:AAAA\r\nx-amz-checksum-crc32:"),
        (b"x-amz-checksum-crc32:", b"no trailer\r\nx-amz-checksum-crc32:"),
    ],
)  # fmt: skip
def test_trailers_are_exactly_those_announced(old: bytes, new: bytes) -> None:
    request, body = upload("AWS4-HMAC-SHA256", Payload("unsigned-chunked", "crc32", 8))
    assert read(request, [body.replace(old, new)]) is Reason.WRONG_BODY


def test_a_trailer_where_none_is_announced_or_none_where_one_is() -> None:
    request, body = upload("AWS4-HMAC-SHA256", Payload("chunked", "", 8))
    assert read(request, [body[:-2] + b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n"]) is Reason.WRONG_BODY
    request, body = upload("AWS4-HMAC-SHA256", Payload("chunked", "crc32", 8))
    assert read(request, [body[: body.index(b"x-amz-checksum")] + b"\r\n"]) is Reason.WRONG_SIGNATURE
    assert read(request, [body[: body.index(b"x-amz-trailer-sig")] + b"\r\n"]) is Reason.WRONG_SIGNATURE
    request, body = upload("AWS4-HMAC-SHA256", Payload("unsigned-chunked", "crc32", 8))
    assert read(request, [body[: body.index(b"x-amz-checksum")] + b"\r\n"]) is Reason.WRONG_BODY


def test_frames_and_chunks_are_bounded_before_they_are_kept() -> None:
    request, body = upload("AWS4-HMAC-SHA256", Payload("chunked", "", 8))
    assert read(request, [body], max_chunk=7) is Reason.BODY_TOO_LARGE
    assert isinstance(read(request, [body], max_chunk=8), list)
    for endless in (b"8" * 600, b"8;chunk-signature=" + b"a" * 600, b"8;" + b"x" * 10_000):
        assert read(request, [endless]) is Reason.WRONG_BODY
    for head in (b"", b"-1", b"0x8", b" 8", b"8 ", b"ffffffffff", b"8;chunk-signature=", b"8;other=1"):
        assert read(request, [head + b"\r\n" + body]) in (Reason.WRONG_BODY, Reason.BODY_TOO_LARGE)


@pytest.mark.parametrize(
    "fields",
    [
        {"x_amz_decoded_content_length": ""}, {"x_amz_decoded_content_length": "-1"}, {"x_amz_decoded_content_length": "1" * 16},
        {"x_amz_trailer": ""}, {"x_amz_trailer": "a,b c"}, {"x_amz_content_sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
        {"x_amz_content_sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"}, {"x_amz_content_sha256": "STREAMING-OTHER"},
        {"x_amz_content_sha256": "A" * 64},
    ],
)  # fmt: skip
def test_the_fields_that_announce_it_can_not_be_changed(fields: dict[str, str]) -> None:
    request, body = upload("AWS4-HMAC-SHA256", Payload("chunked", "crc32", 8))
    who = verdict(guard(), changed(request, **fields), body)
    assert who in (Reason.WRONG_SIGNATURE, Reason.MALFORMED_CREDENTIALS, Reason.MISSING_COMPONENT)


def test_the_fields_that_announce_it_are_there_and_fit_even_if_they_are_signed() -> None:
    form = {"X_Amz_Content_Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"}
    unsigned = {"X_Amz_Content_Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    for fields in (
        form, {**form, "X_Amz_Trailer": "x-amz-checksum-crc32"}, {**form, "X_Amz_Decoded_Content_Length": "1"},
        {**form, "X_Amz_Decoded_Content_Length": "a", "X_Amz_Trailer": "x"}, {**form, "X_Amz_Decoded_Content_Length": "1", "X_Amz_Trailer": "a b"},
        {**unsigned, "X_Amz_Decoded_Content_Length": "1", "X_Amz_Trailer": "x-amz-checksum-md4"},
    ):  # fmt: skip
        client = auth()
        signed = client._signed(ask(method="PUT", **fields), fields["X_Amz_Content_Sha256"].encode(), NOW)[0]
        assert verdict(guard(allow_unsigned_payload=True), signed, b"") is Reason.MALFORMED_CREDENTIALS


def test_unsigned_chunks_are_refused_unless_allowed() -> None:
    request, body = upload("AWS4-HMAC-SHA256", Payload("unsigned-chunked", "crc32", 8))
    assert verdict(guard(), request, body) is Reason.NOT_COVERED


@given(st.binary(max_size=200))
@examples(100)
def test_any_octets_as_such_a_body_give_data_or_a_rejection(body: bytes) -> None:
    for algorithm, payload in (FORMS[0], FORMS[1], FORMS[4]):
        request, _ = upload(algorithm, payload)
        got = read(request, [body, body])
        assert got in (Reason.WRONG_BODY, Reason.WRONG_SIGNATURE, Reason.BODY_TOO_LARGE)


def test_explain_names_the_chunk() -> None:
    request, body = upload("AWS4-HMAC-SHA256", Payload("chunked", "crc32", 8))
    judge = guard()
    assert explain(request, judge, body).accepted
    refused = explain(request, judge, body.replace(DATA[8:16], b"x" * 8))
    assert not refused.accepted
    assert [(check.name, check.component) for check in refused.causes] == [("chunks", "body chunk 2")]
    assert SECRET not in str(refused)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("crc32", "cbf43926"), ("crc32c", "e3069283"), ("crc64nvme", "ae8b14860a799888"), ("sha1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441")],
)  # fmt: skip
def test_checksums_have_their_check_values(name: str, expected: str) -> None:
    made = ALGORITHMS[name]()
    made.update(b"1234")
    made.update(b"56789")
    assert made.digest().hex() == expected
