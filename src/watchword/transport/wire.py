"""The steps of `get`, carried out by urllib3, in the caller's thread.

No pool, no retry, no proxy, no cookie, no credential: one connection per request, to the address that was judged. One
watchdog ends the whole fetch at its deadline, however slowly the other side drips, in the TLS handshake as in the body.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from threading import Event, Timer
from typing import Any

from watchword.core.rejection import ConfigurationError
from watchword.transport.get import Answer, Exchange, Fault, FetchFailed, Get, Resolve, Terms, getting

try:
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.exceptions import HTTPError
    from urllib3.exceptions import TimeoutError as ReadTimeout
except ImportError:
    raise ConfigurationError("fetching needs an extra: pip install 'watchword[urllib3]'") from None

__all__ = ["carry_out", "fetch", "resolve", "trust"]

Resolver = Callable[[str, int], Sequence[str]]

_CHUNK = 16 * 1024


def fetch(get: Get, terms: Terms = Terms(), *, resolver: Resolver | None = None) -> Answer:  # noqa: B008 -- immutable
    """Fetches, under `terms`.

    Args:
        get: what.
        terms: limits, and what is allowed.
        resolver: gives the addresses of a host and port; None: the system's.

    Raises:
        FetchFailed: why not.
    """
    return carry_out(getting(get, terms), terms, resolver=resolver)


def carry_out(
    steps: Generator[Resolve | Exchange, Any, Answer], terms: Terms, *, resolver: Resolver | None = None
) -> Answer:
    """What `steps` give, carried out within the time that `terms` allow.

    Raises:
        FetchFailed: why not.
    """
    end = time.monotonic() + terms.timeout
    look_up = resolve if resolver is None else resolver
    answer: Any = None
    failure: FetchFailed | None = None
    while True:
        try:
            step = steps.send(answer) if failure is None else steps.throw(failure)
        except StopIteration as stop:
            result: Answer = stop.value
            return result
        answer = failure = None
        try:
            _check_time(end, terms)
            answer = look_up(step.host, step.port) if isinstance(step, Resolve) else _exchange(step, end, terms)
        except FetchFailed as failed:  # raised inside the steps: some go on with the next address
            failure = failed


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system orders them.

    Raises:
        FetchFailed: UNRESOLVED.

    >>> resolve("127.0.0.1", 80)
    ['127.0.0.1']
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # UnicodeError: a label of more than 63 letters
        raise FetchFailed(Fault.UNRESOLVED, f"{host} has no address") from None
    return list(dict.fromkeys(str(row[4][0]) for row in found))


def _check_time(end: float, terms: Terms) -> None:
    if time.monotonic() >= end:
        raise FetchFailed(Fault.TIMEOUT, f"not done within {terms.timeout:g} s")


class _Cuttable:
    """A connection whose socket can be shut from another thread: `handle` is a second name of it, kept through TLS."""

    handle: socket.socket | None = None
    opened: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        self.handle = made.dup()
        return made

    def cut(self) -> None:
        """Ends every read and write on it."""
        handle = self.handle
        if handle is not None:
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)


class _Plain(_Cuttable, HTTPConnection):
    pass


class _Secure(_Cuttable, HTTPSConnection):
    pass


def _exchange(step: Exchange, end: float, terms: Terms) -> Answer:
    host = step.target.host
    with _opened(step, end, terms) as connection:
        late = Event()

        def out_of_time() -> None:
            late.set()
            connection.cut()

        watchdog = Timer(max(0.0, end - time.monotonic()), out_of_time)
        watchdog.daemon = True
        watchdog.start()
        try:
            answer = _request(connection, step)
            if late.is_set():  # an answer that ends with its connection was only cut short
                raise TimeoutError
            return answer
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            reached = connection.handle is not None
            if late.is_set() or (reached and isinstance(error, (TimeoutError, ReadTimeout))):
                raise FetchFailed(Fault.TIMEOUT, f"{host}: not done within {terms.timeout:g} s") from None
            raise _failure(error, connection, host) from None
        finally:
            watchdog.cancel()
            watchdog.join()


@contextmanager
def _opened(step: Exchange, end: float, terms: Terms) -> Iterator[_Plain | _Secure]:
    # Half of what is left for connecting: an address that swallows everything must leave time for the next one.
    left = max(0.001, (end - time.monotonic()) / 2)
    connection: _Plain | _Secure
    if step.target.scheme == "http":
        connection = _Plain(step.address, step.target.port, timeout=left)
    else:
        connection = _Secure(
            step.address,
            step.target.port,
            timeout=left,
            ssl_context=trust(terms.ca_file) if terms.ssl_context is None else terms.ssl_context,
            cert_reqs=ssl.CERT_REQUIRED,
            server_hostname=step.target.host,
        )
    try:
        yield connection
    finally:
        connection.close()
        if connection.opened is not None and connection.opened.fileno() >= 0:
            socket.close(connection.opened.detach())  # a response that could not be parsed holds on to it
        if connection.handle is not None:
            connection.handle.close()


def trust(ca_file: str | None) -> ssl.SSLContext:
    """What checks certificates.

    Raises:
        ConfigurationError: `ca_file` can't be read.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError:
        raise ConfigurationError(f"ca_file={ca_file!r} is no PEM file of certificates that can be read") from None


def _request(connection: _Plain | _Secure, step: Exchange) -> Answer:
    connection.connect()
    connection.opened = connection.sock
    connection.timeout = None  # from here on the watchdog has the time
    sent, headers = step.body if step.method == "POST" else None, dict(step.headers)
    connection.request(step.method, step.target.path, sent, headers, preload_content=False, decode_content=False)
    response = connection.getresponse()
    try:
        body = bytearray()
        if response.status == 200 or step.whole:
            for chunk in response.stream(_CHUNK, decode_content=False):
                body += chunk
                if len(body) > step.max_size:
                    raise FetchFailed(Fault.TOO_LARGE, f"{step.target.host} sends more than {step.max_size} octets")
        fields = tuple(
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()
        )
        return Answer(response.status, fields, bytes(body))
    finally:
        response.close()


def _failure(error: Exception, connection: _Plain | _Secure, host: str) -> FetchFailed:
    if isinstance(error, ssl.SSLError):
        why = "no trusted certificate for this name" if isinstance(error, ssl.SSLCertVerificationError) else "no TLS"
        return FetchFailed(Fault.TLS, f"{host}: {why}")
    if connection.handle is None:
        return FetchFailed(Fault.UNREACHABLE, f"{host} can't be connected to")
    return FetchFailed(Fault.BROKEN, f"{host}: the connection broke, or what came is not HTTP")
