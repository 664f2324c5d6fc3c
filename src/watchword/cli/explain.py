"""`watchword explain`: why a guard accepts or refuses a captured request."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from importlib import import_module
from json import dumps, loads
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from watchword.cli.captures import (
    FORMATS,
    MAX_FILE,
    Sighting,
    certificate_der,
    peer_address,
    read_capture,
    seen_by_the_server,
)
from watchword.cli.raw_request import UnusableRequest
from watchword.schemes.explaining.program import Explanation, compare
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.message import Peer, Request
from watchword.core.rejection import StoreUnavailable, WatchwordError
from watchword.core.scheme import Check
from watchword.schemes.explaining import explain, explain_async

__all__ = ["explain_command"]


def explain_command(
    file: Annotated[
        Path | None,
        typer.Argument(help="a raw request, a HAR file, or what curl -v or --trace wrote; - for standard input"),
    ] = None,
    guard: Annotated[str, typer.Option(help="where the guard is: module:attribute")] = "",
    at: Annotated[str | None, typer.Option(help="judge at this time: seconds since 1970, or ISO 8601")] = None,
    form: Annotated[str | None, typer.Option("--format", help="raw, har, curl or trace; found by itself")] = None,
    entry: Annotated[int | None, typer.Option(help="which request of several, from 1")] = None,
    url: Annotated[str | None, typer.Option(help="the entry of a HAR file by its URL, or a part of it")] = None,
    body: Annotated[Path | None, typer.Option(help="a file with the octets of the body, where FILE lacks them")] = None,
    tls: Annotated[bool | None, typer.Option("--tls/--no-tls", help="whether it reached the server by TLS")] = None,
    scheme: Annotated[str | None, typer.Option(help="the same as https or http")] = None,
    peer: Annotated[str, typer.Option(help="the address of the connection's other end, as the server saw it")] = "",
    client_certificate: Annotated[Path | None, typer.Option(help="the client's certificate: PEM or DER")] = None,
    field: Annotated[list[str] | None, typer.Option(help='what a proxy added: "Name: value"; several times')] = None,
    proxied_as: Annotated[str | None, typer.Option(help="the URL that the proxy asked for: http://app/orders")] = None,
    client: Annotated[
        Path | None, typer.Option(help="a file with the canonical string that the client built, to compare with ours")
    ] = None,
    request_id: Annotated[str | None, typer.Option("--id", help="print what was kept of this X-Request-ID")] = None,
    log: Annotated[
        Path | None, typer.Option(envvar="WATCHWORD_EXPLANATIONS", help="the directory of the guard's ExplanationLog")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object instead of text")] = False,
) -> None:
    """Print each check in order, the canonical string, and the first component that differs. Commits nothing.

    With --client, also the first octet in which the two canonical strings differ. With --id, what was explained when the
    request was refused, from --log.

    Exit status: 0 accepted, 1 refused, 2 unusable input.
    """
    if request_id is not None:
        _print_kept(request_id, log, file, as_json=json)
    if file is None or not guard:
        _unusable("give FILE and --guard, or --id and --log")
    theirs = None if client is None else _octets("--client ", client).decode("utf-8", "backslashreplace")
    try:
        capture = read_capture(_octets("", file), _form(form), entry=entry, url=url)
        end = Peer(peer_address(peer) if peer else "", _certificate(client_certificate))
        given = None if body is None else _octets("--body ", body)
        request, octets = seen_by_the_server(
            capture, Sighting(_scheme(scheme, tls), end, field or (), proxied_as, given)
        )
    except UnusableRequest as error:
        _unusable(f"{file}: {error}")
    if capture.note:
        typer.echo(f"watchword explain: {capture.note}", err=True)
    explanation = _explained(request, octets, _load(guard), None if at is None else _time(at))
    typer.echo(_as_json(explanation, theirs) if json else _as_text(explanation, theirs))
    raise typer.Exit(0 if explanation.accepted else 1)


def _print_kept(request_id: str, log: Path | None, file: Path | None, *, as_json: bool) -> NoReturn:
    """What was kept of a request id, the oldest first."""
    from watchword.stores import ExplanationLog  # noqa: PLC0415 -- needed for this alone

    if log is None or file is not None:
        _unusable("--id goes with --log, the directory of the guard's ExplanationLog, and without FILE")
    try:
        kept = ExplanationLog(log).read(request_id)
    except StoreUnavailable as error:
        _unusable(str(error))
    if not kept:
        _unusable(
            f"{log} has no explanation of that request: it is older than those that are kept, or the minute had too many"
        )
    typer.echo("\n".join(one.to_json() for one in kept) if as_json else "\n\n".join(map(str, kept)))
    raise typer.Exit(1)


def _unusable(message: str) -> NoReturn:
    typer.echo(f"watchword explain: {message}", err=True)
    raise typer.Exit(2)


def _scheme(scheme: str | None, tls: bool | None) -> str | None:
    if scheme not in (None, "http", "https"):
        _unusable("--scheme is http or https")
    if tls is None:
        return scheme
    by_tls = "https" if tls else "http"
    if scheme not in (None, by_tls):
        _unusable(f"--scheme {scheme} and --{'' if tls else 'no-'}tls say the opposite")
    return by_tls


def _form(form: str | None) -> str | None:
    if form not in (None, *FORMATS):
        _unusable(f"--format is one of {', '.join(FORMATS)}")
    return form


def _certificate(file: Path | None) -> bytes | None:
    return None if file is None else certificate_der(_octets("--client-certificate ", file))


def _octets(option: str, file: Path) -> bytes:
    """What is in a file, one octet more than may be at most."""
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(MAX_FILE + 1)
        with file.open("rb") as opened:
            return opened.read(MAX_FILE + 1)
    except OSError as error:
        _unusable(f"{option}{file}: {error.strerror}")


def _difference(explanation: Explanation, theirs: str) -> Check | None:
    """Without the line ends at the end: editors add them."""
    return compare(theirs.rstrip("\r\n"), explanation.canonical.rstrip("\r\n"))


def _as_text(explanation: Explanation, theirs: str | None) -> str:
    if theirs is None:
        return str(explanation)
    check = _difference(explanation, theirs)
    if check is None:
        return f"{explanation}\nthe client's canonical string is the same: look at the keys"
    return (
        f"{explanation}\nthe client's canonical string differs at {check.component}:\n"
        f"  server: {check.expected}\n  client: {check.received}"
    )


def _as_json(explanation: Explanation, theirs: str | None) -> str:
    text = explanation.to_json()
    if theirs is None:
        return text
    check = _difference(explanation, theirs)
    return dumps({**loads(text), "client": None if check is None else check._asdict()})


def _load(name: str) -> Guard | AsyncGuard:
    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        _unusable("--guard is module:attribute, for example app:guard")
    sys.path.insert(0, str(Path.cwd()))
    try:
        guard = import_module(module)
        for part in attribute.split("."):
            guard = getattr(guard, part)
    except (ImportError, AttributeError, WatchwordError) as error:
        _unusable(f"--guard {name}: {error}")
    if not isinstance(guard, (Guard, AsyncGuard)):
        _unusable(f"--guard {name} is a {type(guard).__name__}, not a Guard")
    return guard


def _time(text: str) -> float:
    try:
        return float(text) if text.replace(".", "", 1).isdigit() else _moment(text).timestamp()
    except ValueError:
        _unusable("--at is seconds since 1970, or ISO 8601 such as 2026-01-31T12:00:00Z")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _explained(request: Request, body: bytes, guard: Guard | AsyncGuard, at: float | None) -> Explanation:
    try:
        if isinstance(guard, Guard):
            return explain(request, guard, body, at=at)
        import asyncio  # noqa: PLC0415 -- only for async guards

        return asyncio.run(explain_async(request, guard, body, at=at))
    except WatchwordError as error:
        _unusable(str(error))
