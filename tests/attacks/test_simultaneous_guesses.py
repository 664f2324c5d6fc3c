"""Passwords that are checked at the same moment don't wait for each other for ever, nor fail for want of memory.

OpenSSL computes the lanes of argon2id in threads of one pool. Two requests at once were enough to stop a server.
"""

from __future__ import annotations

import subprocess
import sys

from tests.patience import PATIENCE

# In a process of its own: threads that hang in OpenSSL can't be stopped.
PROGRAM = """
import sys
from concurrent.futures import ThreadPoolExecutor
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from watchword import Rejected
from watchword.crypto.passwords import verify_password

stored = Argon2id(salt=bytes(16), length=32, iterations=1, lanes=4, memory_cost=8192).derive_phc_encoded(b"open sesame")

def check(number):
    try:
        verify_password(stored, "open sesame" if number % 2 else "guess")
    except Rejected as rejected:
        return rejected.reason.value
    return "accepted"

with ThreadPoolExecutor(int(sys.argv[1])) as threads:
    found = list(threads.map(check, range(200)))
assert found == ["wrong_secret", "accepted"] * 100, found
"""


def test_they_are_all_judged() -> None:
    for threads in ("2", "3", "24"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, threads], timeout=PATIENCE, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
