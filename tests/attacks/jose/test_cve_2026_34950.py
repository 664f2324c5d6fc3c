"""CVE-2026-34950 (fast-jwt): white space before a public key, and it passes for a secret again."""

from __future__ import annotations

import pytest

from tests.attacks.jose.forge import PUBLIC_PEM, forge
from watchword import ConfigurationError, Key
from watchword.dropin import jwt

BEFORE = [b" ", b"\n", b"\t", b"\r\n", b"\x0b", b"\x0c", b"\xc2\xa0", b"\xef\xbb\xbf", b"\0", b"# the key\n", b"key = "]


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("after", [b"", b" \n", b"\0", b"# end"])
def test_what_stands_around_a_public_key_makes_no_secret_of_it(before, after):
    public = before + PUBLIC_PEM + after
    with pytest.raises(ConfigurationError, match="no secret"):
        Key.from_secret(public, algorithm="HS256")
    with pytest.raises(jwt.InvalidKeyError, match="no secret"):
        jwt.decode(forge({"alg": "HS256"}, secret=public), public, algorithms=["HS256", "RS256"])
