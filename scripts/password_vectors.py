"""Makes tests/vectors/passwords/frameworks.json, by the frameworks themselves: Django, Werkzeug, passlib (as libpass) and PHP.

Run it where all of them are: `pip install django argon2-cffi bcrypt werkzeug libpass`, and PHP's command line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import argon2
from django.conf import settings
from django.contrib.auth import hashers
from passlib.hash import argon2 as passlib_argon2
from passlib.hash import bcrypt, bcrypt_sha256, pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt
from werkzeug.security import generate_password_hash

SHORT, LONG = "pässwörd", "a password of more than seventy-two octets, since some would cut it at that place"


def django_hashes() -> list[tuple[str, str, str]]:
    """Cheap ones and those that Django makes by default."""
    settings.configure()
    made = []
    for name in (
        "PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher",
        "BCryptPasswordHasher", "ScryptPasswordHasher", "MD5PasswordHasher",
    ):  # fmt: skip
        made_by: type[Any] = getattr(hashers, name)
        hasher = made_by()
        made.append((f"{hasher.algorithm}, default", SHORT, hasher.encode(SHORT, hasher.salt())))
        low = {"iterations": 3, "time_cost": 1, "memory_cost": 64, "work_factor": 4, "rounds": 4}
        cheap = type("Cheap", (made_by,), {key: value for key, value in low.items() if hasattr(made_by, key)})()
        passwords = (SHORT, "x", *([] if hasher.algorithm == "bcrypt" else [LONG]))
        made += [(hasher.algorithm, password, cheap.encode(password, cheap.salt())) for password in passwords]
        if hasher.algorithm == "pbkdf2_sha256":
            made.append(("pbkdf2_sha256", SHORT, cheap.encode(SHORT, "a salt, with: all of # +/=")))
    old = argon2.PasswordHasher(type=argon2.Type.I, time_cost=1, memory_cost=64, parallelism=2)
    return [*made, ("argon2i of old", SHORT, "argon2" + old.hash(SHORT))]


def werkzeug_hashes() -> list[tuple[str, str, str]]:
    """By default, and by each method."""
    made = [("scrypt, default", SHORT, generate_password_hash(SHORT))]
    for method in (
        "scrypt:16:8:2",
        "pbkdf2:sha1:3",
        "pbkdf2:sha224:3",
        "pbkdf2:sha256:3",
        "pbkdf2:sha384:3",
        "pbkdf2:sha512:3",
    ):
        made += [(method, password, generate_password_hash(password, method)) for password in (SHORT, LONG, "x")]
    return [*made, ("salt of 1", SHORT, generate_password_hash(SHORT, "pbkdf2:sha256:3", 1))]


def passlib_hashes() -> list[tuple[str, str, str]]:
    """What passlib calls by names of its own."""
    hashers = {
        "bcrypt": bcrypt.using(rounds=4),
        "bcrypt_sha256": bcrypt_sha256.using(rounds=4),
        "bcrypt_sha256 version 1": bcrypt_sha256.using(rounds=4, version=1),
        "pbkdf2_sha1": pbkdf2_sha1.using(rounds=3),
        "pbkdf2_sha256": pbkdf2_sha256.using(rounds=3),
        "pbkdf2_sha512": pbkdf2_sha512.using(rounds=3),
        "scrypt": scrypt.using(rounds=4),
        "argon2id": passlib_argon2.using(type="ID", rounds=1, memory_cost=64, parallelism=2),
        "argon2i": passlib_argon2.using(type="I", rounds=1, memory_cost=64, parallelism=2),
    }
    return [
        (name, password, hasher.hash(password))
        for name, hasher in hashers.items()
        for password in (SHORT, "x", *([] if name == "bcrypt" else [LONG]))
    ]


PHP = """
$cheap = ['memory_cost' => 64, 'time_cost' => 1, 'threads' => 1];
foreach ([$argv[1], 'x'] as $password) {
    $made[] = ['PASSWORD_DEFAULT', $password, password_hash($password, PASSWORD_DEFAULT)];
    $made[] = ['PASSWORD_BCRYPT', $password, password_hash($password, PASSWORD_BCRYPT, ['cost' => 4])];
    $made[] = ['PASSWORD_ARGON2I', $password, password_hash($password, PASSWORD_ARGON2I, $cheap)];
    $made[] = ['PASSWORD_ARGON2ID', $password, password_hash($password, PASSWORD_ARGON2ID, $cheap)];
}
$made[] = ['PASSWORD_ARGON2ID, default', $argv[1], password_hash($argv[1], PASSWORD_ARGON2ID)];
echo json_encode([PHP_VERSION, $made]);
"""


def main() -> None:
    """Writes the file."""
    php, php_hashes = json.loads(subprocess.run(["php", "-r", PHP, SHORT], check=True, capture_output=True).stdout)
    made = {
        f"Django {version('django')}": django_hashes(),
        f"Werkzeug {version('werkzeug')}": werkzeug_hashes(),
        f"libpass {version('libpass')}": passlib_hashes(),
        f"PHP {php}": php_hashes,
    }
    lines = [
        json.dumps({"by": by, "how": how, "password": password, "encoded": encoded}, ensure_ascii=False)
        for by, hashes in made.items()
        for how, password, encoded in hashes
    ]
    text = '{\n  "source": "made by these programs themselves: scripts/password_vectors.py",\n  "cases": [\n    '
    path = Path(sys.argv[1])
    path.write_text(text + ",\n    ".join(lines) + "\n  ]\n}\n", "utf-8")


if __name__ == "__main__":
    main()
