"""PHP, and Django with argon2, still accept a password after its hash was made anew."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.interop.conftest import program
from watchword import BasicVerifier, Guard, Password, Request
from watchword.crypto.passwords import hash_password, is_outdated, verify_password
from watchword.stores import MemoryStore, combine, password_table

PHP_MAKES = "echo password_hash($argv[1], constant($argv[2]), json_decode($argv[3], true));"
PHP_ASKS = """
echo json_encode([password_verify($argv[1], $argv[2]), password_verify($argv[1] . 'x', $argv[2]),
    password_needs_rehash($argv[2], constant($argv[3]), json_decode($argv[4], true))]);
"""
ARGON2 = '{"memory_cost": 64, "time_cost": 2, "threads": 1}'
PHP = {
    "PASSWORD_BCRYPT": ('{"cost": 4}', '{"cost": 5}'),
    "PASSWORD_ARGON2ID": (ARGON2.replace("2,", "1,"), ARGON2),
}

DJANGO = """
import json, sys
from django.conf import settings

settings.configure(PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"])
from django.contrib.auth import hashers

password, encoded = sys.argv[1:]
hasher = hashers.get_hasher()
print(json.dumps([
    hashers.check_password(password, encoded), hashers.check_password(password + "x", encoded), hasher.must_update(encoded),
] if encoded else hashers.make_password(password)))
"""


def php(code: str, *arguments: str) -> str:
    command = [program("php"), "-r", code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def django(password: str, encoded: str) -> Any:
    command = [sys.executable, "-c", DJANGO, password, encoded]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout)


def after_a_log_in(encoded: str, like: str) -> str:
    """What stands in the table then."""
    rows = {"alice": encoded}

    def save(username: str, old: str, new: str) -> None:
        assert rows[username] == old
        rows[username] = new

    table = password_table(lambda username: Password(rows[username]), like=like, save=save)
    guard = Guard([BasicVerifier(realm="x")], combine(table, MemoryStore()))
    headers = {"Authorization": "Basic YWxpY2U6b3BlbiBzZXNhbWU="}  # open sesame
    assert guard.verify(Request("GET", "https", "api.example", "/", headers)).subject == "alice"
    return rows["alice"]


@pytest.mark.parametrize("name", PHP)
def test_php_accepts_a_hash_that_was_made_anew_and_would_not_make_another(name: str) -> None:
    weak, today = PHP[name]
    old = php(PHP_MAKES, "open sesame", name, weak)
    new = after_a_log_in(old, php(PHP_MAKES, "any", name, today))
    assert new != old
    assert json.loads(php(PHP_ASKS, "open sesame", new, name, today)) == [True, False, False]


def test_php_accepts_bcrypt_where_it_was_argon2i() -> None:
    old = php(PHP_MAKES, "open sesame", "PASSWORD_ARGON2I", ARGON2)
    verify_password(old, "open sesame")
    new = after_a_log_in(old, php(PHP_MAKES, "any", "PASSWORD_BCRYPT", '{"cost": 5}'))
    assert json.loads(php(PHP_ASKS, "open sesame", new, "PASSWORD_BCRYPT", '{"cost": 5}')) == [True, False, False]


def test_django_accepts_argon2_that_was_made_anew_and_would_not_make_another() -> None:
    today = django("any", "")
    weak = hash_password("open sesame", like=today.replace("m=102400,t=2,p=8", "m=64,t=1,p=1"))
    assert is_outdated(weak, like=today)
    new = after_a_log_in(weak, today)
    assert django("open sesame", new) == [True, False, False]
    assert django("open sesame", weak) == [True, False, True]
