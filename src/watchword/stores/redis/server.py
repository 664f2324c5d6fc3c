"""The server: where it is, what is demanded of it, and the key under which its stores seal secrets."""

from __future__ import annotations

import re
from collections.abc import Generator
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from watchword.core.rejection import ConfigurationError, StoreUnavailable, WatchwordError, not_installed
from watchword.crypto.sealing import Sealer

__all__ = ["Answering", "Server", "handshake"]

_EXAMPLE: Final = "RedisStore('redis://127.0.0.1:6379/0')"
_OLDEST: Final = (6, 2)  # the first with SET … PXAT


class Server:
    """A server's address and how it is spoken to.

    Args:
        url: "redis://user:password@host:port/database", "rediss://…" over TLS, or "unix:///path/of/the/socket".
        timeout: seconds for which a verb may take.
        ca: a file of the certificates that sign the server's; by default those of the system.
        certificate: a file with the client's certificate, if the server asks for one.
        key: a file with its private key.

    Raises:
        ConfigurationError: the URL is none of these, or the extra is missing.
    """

    def __init__(
        self, url: str, *, timeout: float, ca: str | Path | None, certificate: str | Path | None, key: str | Path | None
    ) -> None:
        try:
            import_module("redis")
        except ImportError:
            raise not_installed("redis") from None
        parts = _split(url)
        if not timeout > 0:
            raise ConfigurationError(f"timeout={timeout}: seconds, more than none; 5 by default")
        self.timeout = timeout
        self.scheme = parts.scheme
        self._words = f"{parts.scheme}://{_address(parts)}"
        self.options: dict[str, Any] = {
            "username": unquote(parts.username) if parts.username else None,
            "password": unquote(parts.password) if parts.password else None,
            "db": _database(parts),
            "protocol": 2,
            "health_check_interval": 0,
            "retry_on_timeout": False,
            **_place(parts),
        }
        if parts.scheme == "rediss":
            self.options |= {
                "ssl_cert_reqs": "required",
                "ssl_check_hostname": True,
                "ssl_ca_certs": _file(ca),
                "ssl_certfile": _file(certificate),
                "ssl_keyfile": _file(key),
            }
        elif ca or certificate or key:
            raise ConfigurationError("ca, certificate and key are for TLS: rediss:// instead of redis://")

    def __repr__(self) -> str:
        return self._words

    def kind(self, module: Any) -> Any:
        """The class of its connections, of `redis.connection` or `redis.asyncio.connection`."""
        names = {"redis": "Connection", "rediss": "SSLConnection", "unix": "UnixDomainSocketConnection"}
        return getattr(module, names[self.scheme])


def _split(url: object) -> SplitResult:
    if not isinstance(url, str):
        raise ConfigurationError(f"the URL of the server is a text, for example {_EXAMPLE}")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # its words may repeat a password
        raise ConfigurationError(f"this is no URL of a Redis server; for example {_EXAMPLE}") from None
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ConfigurationError(f"the URL begins with redis://, rediss:// (TLS) or unix://, for example {_EXAMPLE}")
    if parts.query or parts.fragment:
        raise ConfigurationError("the URL of the server has no query: what else there is to say are arguments")
    if (parts.scheme == "unix") == bool(parts.hostname) or (parts.scheme == "unix" and not parts.path):
        raise ConfigurationError(f"the URL names a host, or with unix:/// a socket; for example {_EXAMPLE}")
    return parts


def _address(parts: SplitResult) -> str:
    if parts.scheme == "unix":
        return parts.path
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or 6379}/{_database(parts)}"


def _place(parts: SplitResult) -> dict[str, Any]:
    if parts.scheme == "unix":
        return {"path": unquote(parts.path)}
    return {"host": parts.hostname, "port": parts.port or 6379}


def _database(parts: SplitResult) -> int:
    number = "" if parts.scheme == "unix" else parts.path.strip("/")
    if number and not re.fullmatch(r"[0-9]{1,4}", number):
        raise ConfigurationError("the path of the URL is the number of the database: redis://127.0.0.1:6379/0")
    return int(number or 0)


def _file(path: str | Path | None) -> str | None:
    if path is None:
        return None
    if not Path(path).is_file():
        raise ConfigurationError(f"there is no file {path}")
    return str(path)


def handshake(key_check: bytes, sealer: Sealer | None) -> Generator[tuple[Any, ...], Any, bool]:
    """What is said over each new connection, before anything else. The result: whether the server survives being killed.

    Args:
        key_check: the key at which the server keeps what tells whether `secrets` are the same for all stores.
        sealer: seals the secrets of this one, if it was given `secrets`.

    Raises:
        ConfigurationError: the server may forget, or is too old; or `secrets` are not those of the others.
        StoreUnavailable: it is a replica, or still loading its file.
    """
    answer = yield ("INFO",)
    if isinstance(answer, Exception):
        raise answer
    info = dict(line.split(":", 1) for line in answer.decode("utf-8", "replace").splitlines() if ":" in line)
    version = info.get("redis_version", "0")
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < _OLDEST:
        raise ConfigurationError(f"the server is Redis {version[:16]}: 6.2 or newer is needed, or Valkey")
    policy = info.get("maxmemory_policy", "")
    if policy != "noeviction":
        raise ConfigurationError(
            f"the server may drop replay marks when its memory is full (maxmemory-policy {policy[:32] or 'unknown'}): "
            "set maxmemory-policy noeviction in its configuration, or use a server of its own for watchword"
        )
    if info.get("cluster_enabled") == "1":
        raise ConfigurationError(
            "the server is part of a cluster, for which there is no store yet: use a single server"
        )
    if info.get("loading") == "1":
        raise StoreUnavailable("the server is still loading what it had written down")
    if info.get("role") != "master":
        raise StoreUnavailable("the server is a replica: it does not know what its primary has marked")
    if sealer is not None:
        yield ("SET", key_check, sealer.check_value, "NX")
        known = yield ("GET", key_check)
        if not isinstance(known, bytes):
            raise known if isinstance(known, Exception) else StoreUnavailable("the server kept no check of the key")
        if not sealer.knows(known.decode("ascii", "replace")):
            raise ConfigurationError(
                "secrets=… is not the key that the records of this server, under this prefix, are sealed with: give that one"
            )
    return info.get("aof_enabled") == "1"


class Answering:
    """Within it every error of the client or server becomes `StoreUnavailable`, without its words: they may hold data."""

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, WatchwordError):
            return
        from redis.exceptions import RedisError  # noqa: PLC0415 -- an extra

        if isinstance(error, RedisError | OSError):
            raise StoreUnavailable(f"the server does not answer: {type(error).__name__}") from None
