"""The digests that RFC 9530 and RFC 9421 print."""

from __future__ import annotations

from watchword.crypto.digests import digest
from watchword.fields.content_digest import digest_field, read_digests

from .conftest import load


def test_every_published_digest_is_computed_and_read() -> None:
    cases = load("rfc9421", "content_digest.json")["cases"]
    assert len(cases) == 6
    for case in cases:
        computed = digest(case["algorithm"], bytes.fromhex(case["content_hex"]))
        field = f"{case['algorithm']}=:{case['digest']}:".encode()
        assert read_digests([field]) == {case["algorithm"]: computed}
        assert digest_field({case["algorithm"]: computed}) == field
