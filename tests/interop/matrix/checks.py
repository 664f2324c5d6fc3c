"""What each cell of the matrix does, in order: a genuine request, changed ones, repeated ones, redirects, a large body, many at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.clients.origin import Answer, Origin, Seen
from tests.interop.matrix.clients import Asked, Client, Got, Sender, Upload
from tests.interop.matrix.schemes import Scheme, User
from tests.interop.matrix.servers import Server
from tests.interop.matrix.wire import Request, again, wire
from watchword.core.rejection import Reason
from watchword.schemes import SCHEMES as ROWS
from watchword.schemes import Scheme as Row

__all__ = ["CHECKS", "TOGETHER", "UPLOAD", "Bench", "Elsewhere", "Verdicts"]

UPLOAD: Final = 5 * 1024 * 1024
TOGETHER: Final = 8
ROW: Final[Mapping[str, Row]] = {row.name: row for row in ROWS}


@dataclass(frozen=True)
class Told:
    """A verdict, as the operator of the server was told it."""

    path: str
    reason: str | None
    subject: str | None

    @property
    def word(self) -> str:
        """The reason of a refusal, "somebody" for who was proven, "nobody" for who was let through without credentials."""
        return self.reason or ("somebody" if self.subject else "nobody")


class Verdicts:
    """The file into which a server writes its verdicts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def new(self) -> list[Told]:
        """Those that have come since the last time."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            lines = file.read()
        self._read += len(lines)
        return [Told(**json.loads(line)) for line in lines.splitlines()]


class Elsewhere:
    """The foreign server: it keeps what it got, and sends back to where `back` says."""

    def __init__(self, origin: Origin) -> None:
        self.url = origin.url
        self.back = ""
        self._origin = origin
        origin.answer = self._answer

    def _answer(self, _: Seen) -> Answer:
        return 307, [("Location", self.back)], b""

    def got(self) -> list[Seen]:
        """The requests since the last time."""
        seen, self._origin.seen = self._origin.seen, []
        return seen


@dataclass(frozen=True)
class Bench:
    """A scheme, a client and a server as it runs, and what belongs to the run.

    Args:
        scheme: by which is asked.
        client: who asks.
        server: who is asked.
        port: of the server.
        verdicts: those of the server.
        elsewhere: the foreign server.
        token_url: the token endpoint.
        file: a file of `UPLOAD` octets.
    """

    scheme: Scheme
    client: Client
    server: Server
    port: int
    verdicts: Verdicts
    elsewhere: Elsewhere
    token_url: str
    file: Path

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def row(self) -> Row:
        """The promises of the scheme."""
        return ROW[self.scheme.name]

    @cached_property
    def user(self) -> User:
        """Who asks."""
        return User(self.client.user, self.token_url)

    @cached_property
    def who(self) -> dict[str, str | None]:
        """What the application says of who asks."""
        return {"subject": self.scheme.subject(self.user), "scheme": self.scheme.name}

    @contextmanager
    def session(self) -> Iterator[Sender]:
        """A new session of the client, with new credentials in it; verdicts are counted from here."""
        self.verdicts.new()
        with self.client.opened(self.scheme, self.user) as session:
            yield session

    def asked(self, method: str, path: str, body: bytes | Upload = b"", *, base: str = "") -> Asked:
        """A request to the server, or by way of `base`."""
        # A body of no type would be a form for some clients, which OAuth 1 covers otherwise.
        fields = {"Content-Type": "application/octet-stream"} if body else {}
        if isinstance(body, Upload):
            fields["Content-Length"] = str(UPLOAD)  # of a file it is known, and some servers take no body without
        return Asked(method, (base or self.url) + path, body, {**fields, **self.server.fields})

    def check_accepted(self, got: Got, body: bytes = b"") -> None:
        """The application knows who asked, and has all of the body."""
        assert got.status == 200, got
        told = json.loads(got.body)
        assert told == {**self.who, "size": len(body), "sha256": sha256(body).hexdigest()}

    def check_told(self, *expected: str, path: str = "/who") -> None:
        """The operator was told these verdicts, in words, on requests for that path."""
        told = [(each.path, each.word) for each in self.verdicts.new()]
        assert told == [(path, word) for word in expected], told

    @property
    def unproven(self) -> str:
        """The verdict on a request without credentials, where somebody is asked for."""
        return "no_credentials" if self.server.tells_of_strangers else "nobody"

    @property
    def before(self) -> list[str]:
        """The verdict on the request that a scheme which answers challenges begins with."""
        return [self.unproven] if self.scheme.after_401 == "answers" else []


# ---- the checks -------------------------------------------------------------------------------------------------------


def genuine(bench: Bench) -> None:
    """A GET with a query and a POST are accepted."""
    with bench.session() as session:
        bench.check_accepted(session.send(bench.asked("GET", "/who?id=7")))
        bench.check_accepted(session.send(bench.asked("POST", "/who?id=7", b"pay 10")), b"pay 10")
    bench.check_told(*bench.before, "somebody", "somebody")


def nobody(bench: Bench) -> None:
    """Without credentials the same request is refused, or anonymous where that is allowed."""
    for path, status, word in (("/who", 401, bench.unproven), ("/maybe", 200, "nobody")):
        bench.verdicts.new()
        head = f"GET {path} HTTP/1.1\r\nHost: {urlsplit(bench.url).netloc}\r\nConnection: close\r\n\r\n"
        assert again(Request(head.encode(), b""), bench.port) == status
        bench.check_told(word, path=path)


ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"


def spoilt(pattern: re.Pattern[bytes]) -> Callable[[Request], Request]:
    """Changes one bit in the middle of what proves: the digit stays one, in hexadecimal as in base64."""

    def change(request: Request) -> Request:
        found = pattern.search(request.head)
        if found is None:
            return request
        at = sum(found.span(1)) // 2
        other = ALPHABET[ALPHABET.index(request.head[at]) ^ 1]
        return request._replace(head=request.head[:at] + bytes([other]) + request.head[at + 1 :])

    return change


CHANGES: Final[Mapping[str, Callable[[Request], Request]]] = {
    "method": lambda request: request._replace(head=request.head.replace(b"POST ", b"PUT ", 1)),
    "target": lambda request: request._replace(head=request.head.replace(b"?id=7 ", b"?id=8 ", 1)),
    "path": lambda request: request._replace(head=request.head.replace(b" /who?", b" /maybe?", 1)),
    "body": lambda request: request._replace(body=request.body.replace(b"pay 10", b"pay 99")),
}


def tampered(bench: Bench) -> None:
    """The proof, and each part that the scheme covers, changed on the way: refused, for the reason of that part."""
    scheme = bench.scheme
    for part, reason in scheme.refusals.items():
        change = spoilt(scheme.proof) if part == "proof" else CHANGES[part]
        with bench.session() as session, wire(bench.port, change) as between:
            got = session.send(bench.asked("POST", "/who?id=7", b"pay 10", base=between.url))
        told = [each.word for each in bench.verdicts.new()]
        assert got.status == scheme.statuses.get(part, reason.status), (part, got, told)
        assert {*told} == {reason.value, *bench.before}, (part, told)
        assert any(change(request) != request for request in between.seen), part
    genuine(bench)


def replayed(bench: Bench) -> None:
    """The same octets again: refused where the scheme's row says single use, else accepted, as documented."""
    with bench.session() as session, wire(bench.port) as between:
        bench.check_accepted(session.send(bench.asked("POST", "/who?id=7", b"pay 10", base=between.url)), b"pay 10")
    bench.check_told(*bench.before, "somebody")
    status = again(between.seen[-1], bench.port)
    if bench.row.single_use:
        assert status == Reason.REPLAYED.status
        bench.check_told(Reason.REPLAYED.value)
    else:
        assert status == 200
        bench.check_told("somebody")


def challenged(bench: Bench) -> None:
    """A request that arrives without its credentials: answered, sent again, or the caller's 401, and never more than twice."""
    after = bench.scheme.after_401
    bare = without(bench.scheme.proof) if after != "answers" else lambda request: request
    with bench.session() as session, wire(bench.port, bare) as between:
        got = session.send(bench.asked("GET", "/who?id=7", base=between.url))
    if after == "ends":
        assert got.status == 401
        bench.check_told(bench.unproven)
        assert len(between.seen) == 1
    else:
        bench.check_accepted(got)
        bench.check_told(bench.unproven, "somebody")
        assert len(between.seen) == 2


def without(pattern: re.Pattern[bytes]) -> Callable[[Request], Request]:
    """Takes the credentials out of the first request: the lines that prove, and those that belong to them."""
    first = [True]

    def change(request: Request) -> Request:
        if not first:
            return request
        first.clear()
        assert pattern.search(request.head)
        lines = [line for line in request.head.split(b"\r\n") if not line.lower().startswith(CREDENTIALS)]
        return request._replace(head=b"\r\n".join(lines))

    return change


CREDENTIALS: Final = (b"authorization:", b"x-api-key:", b"x-hmac:", b"webhook-", b"signature")
"""How the lines begin that hold credentials."""


def same_origin(bench: Bench) -> None:
    """Credentials go along with a redirect within the origin, at once: a route that is open to all knows who asks."""
    with bench.session() as session:
        bench.check_accepted(session.send(bench.asked("GET", "/hop")))
    told = [(each.path, each.word) for each in bench.verdicts.new()]
    assert told == [*(("/hop", word) for word in bench.before), ("/hop", "somebody"), ("/maybe", "somebody")]


def foreign(bench: Bench) -> None:
    """Nothing goes along to another origin, and nothing comes back from there."""
    bench.elsewhere.got()
    bench.elsewhere.back = bench.url + "/maybe"
    with bench.session() as session:
        got = session.send(bench.asked("GET", "/away"))
    assert (got.status, json.loads(got.body)["subject"]) == (200, None), got
    (seen,) = bench.elsewhere.got()
    own = {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert set(seen.fields) - own <= {name.lower() for name in bench.server.fields}, seen.fields
    assert (seen.target, seen.body) == ("/landing", b"")
    told = [(each.path, each.word) for each in bench.verdicts.new()]
    assert told == [*(("/away", word) for word in bench.before), ("/away", "somebody"), ("/maybe", "nobody")]


def streamed(bench: Bench) -> None:
    """A body of 5 MiB, read from a file. A small request goes first: a challenge to the large one may be lost on its way.

    A WSGI server that closes the connection with a part of the body unread resets it (RFC 9112 §9.6).
    """
    upload = Upload(bench.file, covered="body" in bench.row.covers)
    with bench.session() as session:
        bench.check_accepted(session.send(bench.asked("GET", "/who")))
        bench.check_accepted(session.send(bench.asked("POST", "/who", upload)), bench.file.read_bytes())
    bench.check_told(*bench.before, "somebody", "somebody")


def concurrent(bench: Bench) -> None:
    """Several requests at once, by one session: each is accepted."""
    with bench.session() as session:
        for got in session.together(bench.asked("GET", "/who?id=7"), TOGETHER):
            bench.check_accepted(got)
    told = [each.word for each in bench.verdicts.new()]
    assert told.count("somebody") == TOGETHER
    assert {*told} <= {"somebody", *bench.before}


CHECKS: Final[Mapping[str, Callable[[Bench], None]]] = {
    "genuine": genuine,
    "nobody": nobody,
    "tampered": tampered,
    "replayed": replayed,
    "401": challenged,
    "same-origin redirect": same_origin,
    "foreign redirect": foreign,
    "5 MB streamed": streamed,
    "concurrent": concurrent,
}
