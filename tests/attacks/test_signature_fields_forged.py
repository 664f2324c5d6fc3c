"""Signature-Input and Signature as an attacker would write them."""

from __future__ import annotations

import pytest

from tests.schemes.signature_world import (
    COVERED, KEY, NOW, URL, base64, guard_at, hand_signed, key_for, params, reason_of, rejected, signed, store_with,
    with_fields,
)  # fmt: skip
from watchword import Key, Reason, Rejected, Request, SignatureVerifier


def parts(request: Request) -> tuple[str, str]:
    """The two values without their label."""
    covered, signature = (request.values(name)[0].decode() for name in (b"signature-input", b"signature"))
    return covered.partition("=")[2], signature.partition("=")[2]


def test_labels_that_were_swapped_are_refused() -> None:
    one, two = key_for("ed25519", "one"), key_for("ed25519", "two")
    (a, s), (b, t) = parts(signed(key=one)), parts(signed("POST", b"", two))
    swapped = with_fields(Request("POST", *URL), f"x={a}, y={b}", f"x={t}, y={s}")
    assert reason_of(guard_at(store=store_with(one, two)), swapped) is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize(
    ("covered", "signature"),
    [
        ("a={a}", "b={s}"),
        ("a={a}", ""),
        ("", "a={s}"),
        ("a={a}, a={a}", "a={s}"),
        ("a={a}", "a={s}, a={s}"),
        ("a={a}", "a={s}, b=:AAAA:"),
        ("a=1", "a={s}"),
        ("a={a}", 'a="text"'),
        ("a={a}", "a=({s})"),
        ("a={a}, ", "a={s}"),
        ("A={a}", "A={s}"),
        ("a={a};unknown", "a={s}"),
        ("a={a};created=1.5", "a={s}"),
        ('a={a};created="1700000000"', "a={s}"),
        ("a={a};keyid=token", "a={s}"),
        ('a=("@method" "@method");created=1', "a={s}"),
        ('a=("@query-param";name="id";req "@query-param";req;name="id");created=1', "a={s}"),
        ('a=("@signature-params");created=1', "a={s}"),
        ('a=("@nothing");created=1', "a={s}"),
        ('a=("@status");created=1', "a={s}"),
        ('a=("Content-Type");created=1', "a={s}"),
        ('a=("content-type";unknown);created=1', "a={s}"),
        ('a=("content-type";sf=?0);created=1', "a={s}"),
        ('a=("content-type";bs;sf);created=1', "a={s}"),
        ('a=("content-type";key=1);created=1', "a={s}"),
        ('a=("@method";sf);created=1', "a={s}"),
        ('a=("@query-param");created=1', "a={s}"),
        ('a=("@method";req);created=1', "a={s}"),
        ("a=(token);created=1", "a={s}"),
        ("a=(" + " ".join(f'"x-{n}"' for n in range(33)) + ");created=1", "a={s}"),
        (", ".join(f"l{n}={{a}}" for n in range(9)), ", ".join(f"l{n}={{s}}" for n in range(9))),
        (f'a={COVERED};created=1;keyid="{"k" * 513}"', "a={s}"),
        (f'a={COVERED};created=1;keyid="k";nonce="{"n" * 513}"', "a={s}"),
    ],
)
def test_what_does_not_follow_the_grammar_is_refused(covered: str, signature: str) -> None:
    a, s = parts(signed())
    request = with_fields(Request("POST", *URL), covered.format(a=a, s=s), signature.format(a=a, s=s))
    assert reason_of(guard_at(), request) in (Reason.MALFORMED_CREDENTIALS, Reason.NOT_COVERED, Reason.UNKNOWN_KEY)
    try:
        SignatureVerifier().read(request)
    except Rejected as failed:
        assert failed.reason is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("alg", ["hmac-sha256", "rsa-v1_5-sha256", "none", ""])
def test_alg_never_chooses_the_algorithm(alg: str) -> None:
    """Of a public key as the secret of a MAC, above all: the octets of that key are known to everybody."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = key_for("ed25519")
    octets: bytes = key.openssl_pair()[0].public_bytes(Encoding.Raw, PublicFormat.Raw)
    forger = Key.from_secret(octets, algorithm="hmac-sha256", key_id="robot-1")
    request = hand_signed(f"{COVERED}{params(alg=alg)}", key=forger)
    assert reason_of(guard_at(store=store_with(key)), request) is Reason.WRONG_ALGORITHM
    silent = hand_signed(f"{COVERED}{params()}", key=forger)
    assert reason_of(guard_at(store=store_with(key)), silent) is Reason.WRONG_SIGNATURE


def test_a_key_of_somebody_else_proves_nobody_but_them() -> None:
    mine, theirs = key_for("ed25519", "mine"), key_for("ed25519", "theirs")
    store = store_with(mine, theirs)
    claimed = hand_signed(f"{COVERED}{params(keyid='mine')}", key=theirs)
    assert reason_of(guard_at(store=store), claimed) is Reason.WRONG_SIGNATURE
    assert guard_at(store=store).verify(signed(key=theirs)).subject == "robot of theirs"


@pytest.mark.parametrize(
    ("alg", "kept"), [("rsa-pss-sha512", "rsa-v1_5-sha256"), ("rsa-v1_5-sha256", "rsa-pss-sha512")]
)
def test_an_rsa_key_is_good_for_one_padding_only(alg: str, kept: str) -> None:
    pair = key_for(kept)
    other = Key.from_openssl(pair.openssl_pair()[1], algorithm=alg, key_id="robot-1")
    assert reason_of(guard_at(store=store_with(pair)), signed(key=other)) is Reason.WRONG_SIGNATURE


def test_unknown_and_known_keys_get_the_same_answer() -> None:
    stranger = rejected(guard_at(), signed(key=Key.generate("hmac-sha256", key_id="robot-2")))
    wrong = rejected(guard_at(), signed(key=Key.generate("hmac-sha256", key_id="robot-1")))
    assert stranger.refusal is not None
    assert wrong.refusal is not None
    assert stranger.refusal.response().headers == wrong.refusal.response().headers


def test_a_signature_without_its_last_octet_is_refused() -> None:
    request = signed()
    octets = KEY.sign(b"")[:31]
    cut = request.with_headers(((b"signature", f"sig1=:{base64(octets)}:".encode()),))
    assert reason_of(guard_at(), cut) is Reason.WRONG_SIGNATURE


def test_a_time_that_no_clock_shows_is_refused() -> None:
    for created in (-(10**14), 0, int(NOW) + 31, 10**14):
        assert reason_of(guard_at(), hand_signed(f"{COVERED}{params(created=created)}")) in (
            Reason.EXPIRED, Reason.NOT_YET_VALID,
        )  # fmt: skip
    for expires in (-1, 0, int(NOW)):
        assert reason_of(guard_at(), hand_signed(f"{COVERED}{params(expires=expires)}")) is Reason.EXPIRED
