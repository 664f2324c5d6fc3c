"""`alg: none` in any spelling, and signatures taken off (RFC 8725 §2.1; CVE-2015-9235 and its kin)."""

from __future__ import annotations

import pytest

from tests.attacks.jose.forge import KEY, forge, refused, segment
from watchword import Reason
from watchword.crypto import jose


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "none ", "", "null", "HS0", "hs256"])
@pytest.mark.parametrize("signed", [True, False])
def test_none_is_refused_however_it_is_written(name, signed):
    token = forge({"alg": name}) if signed else forge({"alg": name}, secret=None)
    assert refused(token) is Reason.WRONG_ALGORITHM


@pytest.mark.parametrize("name", [None, [], ["HS256"], {"HS256": 1}, 7, True])
def test_an_algorithm_is_a_text(name):
    assert refused(forge({"alg": name})) is Reason.MALFORMED_CREDENTIALS


def test_a_header_without_an_algorithm_is_refused():
    assert refused(forge({"typ": "JWT"})) is Reason.MALFORMED_CREDENTIALS


def test_a_stripped_signature_is_refused():
    token = jose.sign(b'{"sub":"admin"}', KEY)
    head, payload, _ = token.split(".")
    assert refused(f"{head}.{payload}.") is Reason.WRONG_SIGNATURE
    assert refused(f"{head}.{payload}") is Reason.MALFORMED_CREDENTIALS
    assert refused(f"{head}.{payload}.{segment(b'').decode()}A") is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize(
    "spoil", [lambda mac: mac[:-1], lambda mac: mac[:16], lambda mac: mac + b"\0", lambda mac: b"\0" * 32]
)
def test_part_of_a_signature_is_no_signature(spoil):
    head, payload, signature = forge({"alg": "HS256"}).split(".")
    mac = jose.decode(signature.encode(), "signature")
    assert refused(f"{head}.{payload}.{segment(spoil(mac)).decode()}") is Reason.WRONG_SIGNATURE
