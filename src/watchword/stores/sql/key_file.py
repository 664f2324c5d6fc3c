"""The file beside an SQLite database that holds the key of its secrets."""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

from watchword.core.rejection import ConfigurationError

__all__ = ["SealingKeyError", "make_key", "read_key"]


class SealingKeyError(ConfigurationError):
    """The key that a database's secrets are sealed with is another one than the given one, or is missing."""


def read_key(path: Path) -> bytes | None:
    """The key in that file; None: there is no such file."""
    try:
        encoded = path.read_bytes().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read ({type(error).__name__}): let this process read it") from None
    try:
        material = urlsafe_b64decode(encoded)
    except ValueError:
        material = b""
    if len(material) != 32:
        raise ConfigurationError(f"{path} is damaged (32 octets in base64url): restore it from a copy")
    return material


def _flush_folder(folder: Path) -> None:
    """After a power failure the database must not remember a key whose file was never written."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_key(path: Path) -> bytes:
    """Writes a new key for its owner only, whole or not at all; or reads the one that was there first."""
    material = os.urandom(32)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(6).hex()}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, urlsafe_b64encode(material) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        os.link(temporary, path)
        _flush_folder(path.parent)
    except FileExistsError:
        found = read_key(path)
        if found is None:
            raise ConfigurationError(f"{path} comes and goes: leave it in place") from None
        return found
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be written ({type(error).__name__}): let this process write there, or give secrets=…"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
    return material
