"""The page about the drop-in for python-jose is true: each row of its table is tried, and its figures are those of the differences."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attacks.jose.forge import PUBLIC_PEM, SECRET, forge
from watchword import Key
from watchword.crypto.encoding import b64url_encode
from watchword.dropin.jose import jwe, jwk, jws, jwt

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/replace-python-jose.md").read_text()
TABLE = PAGE.partition("## What differs on purpose")[2].partition("\n\nWithout")[0]
ROWS = {row[0]: row[1] for row in (line.strip("| ").split(" | ") for line in TABLE.strip().splitlines()[2:])}
HS256 = ["HS256"]
TOKEN = forge({"alg": "HS256"}, {"x": "x"})
OCT = {"kty": "oct", "k": b64url_encode(SECRET).decode()}
EC = Key.generate("ES512")
SMALL = {"kty": "RSA", "e": "AQAB", "n": b64url_encode(((1 << 767) + 1).to_bytes(96)).decode()}
PUBLIC = Key.from_pem(PUBLIC_PEM, algorithm="RS256").to_jwk()


def read(claims, options=None, **arguments):
    return jwt.decode(forge({"alg": "HS256"}, claims), SECRET, HS256, options, **arguments)


def unchanged() -> None:
    from datetime import UTC, datetime

    claims = {"exp": datetime(2040, 1, 1, tzinfo=UTC)}
    jwt.encode(claims, SECRET, access_token="token")
    assert claims == {"exp": datetime(2040, 1, 1, tzinfo=UTC)}


def passed_over() -> None:
    assert jwt.decode(TOKEN, {"keys": [PUBLIC, OCT]}, HS256) == {"x": "x"}


def broken_jwe() -> None:
    jwe.decrypt(jwe.encrypt(b"x", SECRET)[:-2] + b"AA", SECRET)


def critical_jwe() -> None:
    head = b64url_encode(b'{"alg":"dir","enc":"A256GCM","crit":["x"],"x":1}')
    jwe.decrypt(head + b"." + jwe.encrypt(b"x", SECRET).partition(b".")[2], SECRET)


def weak_jwe() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    jwe.encrypt(b"x", rsa.generate_private_key(65537, 1024).public_key(), algorithm="RSA-OAEP")


CASES: dict[str, Callable[[], object]] = {
    "`decode` without": lambda: jwt.decode(TOKEN, SECRET),
    '`algorithms="HS256 RS256"`': lambda: jwt.decode(TOKEN, SECRET, "HS256 RS256"),
    "a public key in DER": lambda: jwt.decode(forge({"alg": "HS256"}, secret=PUBLIC_PEM), PUBLIC_PEM, HS256),
    "a key that can't": lambda: jwt.decode(TOKEN, 7, HS256),
    "empty secrets": lambda: jwt.decode(TOKEN, "", HS256),
    "secrets below": lambda: jwt.encode({}, "secret"),
    "RSA keys under 1024": lambda: jwt.decode(forge({"alg": "RS256"}), SMALL, ["RS256"]),
    "`e` of an RSA": lambda: jwk.construct({name: value for name, value in PUBLIC.items() if name != "e"}),
    "ES256 with": lambda: jws.sign(b"x", EC.openssl_pair()[1], algorithm="ES256"),
    "`alg`, `use`": lambda: jwt.decode(TOKEN, {**OCT, "use": "enc"}, HS256),
    "a key made for": lambda: jwt.decode(TOKEN, jwk.construct(bytes(range(64)), "HS512"), HS256),
    "a set with": passed_over,
    "the texts of any": lambda: jwt.decode(
        forge({"alg": "HS256"}, secret=b"Not Found"), {"message": "Not Found"}, HS256
    ),
    "each letter": lambda: jwt.decode(forge({"alg": "HS256"}, secret=b"t"), {"keys": "text"}, HS256),
    "`crit` is not": lambda: jwt.decode(forge({"alg": "HS256", "crit": ["x"], "x": 1}), SECRET, HS256),
    "`headers=": lambda: jws.sign(b"x", SECRET, headers={"alg": "none"}),
    "`audience=`": lambda: read({}, audience="orders"),
    "`subject=`": lambda: read({}, subject="alice"),
    "dates": lambda: read({"exp": None}),
    "`NaN` and `Infinity` are written": lambda: jwt.encode({"x": float("nan")}, SECRET),
    "`NaN` and `Infinity` are read": lambda: read(b'{"x":NaN}'),
    "of two members": lambda: read(b'{"x":1,"x":2}'),
    "base64 with": lambda: jwt.decode(TOKEN[:-5] + "!" + TOKEN[-5:], SECRET, HS256),
    "`leeway=": lambda: read({}, {"leeway": float("nan")}),
    "`cnf`": lambda: read({"cnf": {}}),
    "tokens of any": lambda: read({"x": "x" * 17_000}),
    "`encode` changes": unchanged,
    "`register_key": lambda: jwk.register_key("none", jwk.Key),
    "a JWE is decrypted": broken_jwe,
    "RSA keys under 2048": weak_jwe,
    "AES-CBC without": lambda: jwk.construct(bytes(16), "A128CBC"),
    "`crit` of a JWE": critical_jwe,
}
"""By how the row begins."""


def test_each_row_is_tried_and_each_case_has_its_row():
    assert len(ROWS) > 25
    assert {row: [case for case in CASES if row.startswith(case)] for row in ROWS} == {
        row: [case] for row, case in zip(ROWS, CASES, strict=True)
    }


@pytest.mark.parametrize("row", ROWS)
def test_what_differs_is_what_the_page_says(row):
    (case,) = (CASES[case] for case in CASES if row.startswith(case))
    error = re.match(r"`(\w+)`", ROWS[row])
    if error is None:
        case()
        return
    with pytest.raises(Exception) as caught:
        case()
    assert type(caught.value).__name__ == error[1]


def test_the_figures_are_those_of_the_differences():
    found = json.loads((ROOT / "tests/interop/upstream/differences.json").read_text())
    assert f"{len(found['python-jose'])} differ" in PAGE
    assert f"{len(found['python-jose without algorithms='])} more" in PAGE
