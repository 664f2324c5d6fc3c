"""Keys in files, for the command line: JWK, JWK set, PEM, or the octets of a secret; new files are for their owner only."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import IO, Any

from watchword.cli.administration import unusable
from watchword.core.rejection import ConfigurationError
from watchword.crypto.encoding import parse_object
from watchword.crypto.keys import Key, KeySet

__all__ = ["flush_to_disk", "read_input", "read_keys", "read_signing_key", "write_private"]

_MAX = 4 * 1024 * 1024


def read_input(file: str) -> bytes:
    """What is in a file; `-` is standard input. Ends the command if it can't be read."""
    try:
        data = sys.stdin.buffer.read(_MAX + 1) if file == "-" else _read(Path(file))
    except OSError as error:
        unusable(f"{file}: {error.strerror}")
    if len(data) > _MAX:
        unusable(f"{file} has more than {_MAX} octets")
    return data


def _read(path: Path) -> bytes:
    with path.open("rb") as opened:
        return opened.read(_MAX + 1)


def read_keys(file: str, algorithm: str | None) -> KeySet:
    """The keys in a file. JWKs may name their own algorithm, all else needs `algorithm`. Ends the command if it can't be.

    A secret is the file's octets, without the line end that editors add.
    """
    data = read_input(file)
    try:
        if data.lstrip()[:1] == b"{":
            return _from_json(data, algorithm)
        if algorithm is None:
            unusable(f"{file} does not say what its key is for: pass --alg, for example --alg ES256")
        if b"-----BEGIN CERTIFICATE" in data and b"KEY-----" not in data:
            return KeySet([Key.from_certificate(data, algorithm=algorithm)])
        if b"-----BEGIN" in data or data.lstrip().startswith((b"ssh-", b"ecdsa-sha2-")):
            return KeySet([Key.from_pem(data, algorithm=algorithm)])
        return KeySet([Key.from_secret(data.removesuffix(b"\n").removesuffix(b"\r"), algorithm=algorithm)])
    except ConfigurationError as error:
        unusable(f"{file}: {error}")


def _from_json(data: bytes, algorithm: str | None) -> KeySet:
    try:
        members = parse_object(data)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    if "keys" in members:
        return KeySet.from_jwks(members, algorithms=None if algorithm is None else [algorithm])
    return KeySet([Key.from_jwk(members, algorithm=algorithm)])


def read_signing_key(file: str, algorithm: str | None) -> Key:
    """The one secret or private key in a file. Ends the command if there is none, or more than one."""
    keys = [key for key in read_keys(file, algorithm).keys if key.can_sign]
    if len(keys) != 1:
        unusable(f"{file} has {len(keys)} keys that can sign, and one is needed")
    return keys[0]


def write_private(file: str, data: bytes) -> None:
    """A new file that only its owner can read. Ends the command if there is one of that name."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        unusable(f"{file} exists: a key is never written over another")
    except OSError as error:
        unusable(f"{file}: {error.strerror}")
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
            flush_to_disk(opened)
    except OSError as error:  # half a key is none, and would be in the way of the next one
        Path(file).unlink()
        unusable(f"{file}: {error.strerror}")


def flush_to_disk(stream: IO[Any]) -> None:
    """Writes what the stream holds back; of a file, waits until it is on its disk, which may be full.

    Raises:
        OSError: it isn't written.
    """
    stream.flush()
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # no file, but something in memory
        return
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fsync(descriptor)
