"""One attack on one route: makes the requests, judges the answers, and keeps what the finding has to say."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator

from watchword.core.message import SAFE, Peer, Request
from watchword.testing.attacks.answer import Answer
from watchword.testing.attacks.credentials import Credentials, Sign
from watchword.testing.attacks.outcome import Hole, NotTried, Weakness, shown_answer, shown_request
from watchword.testing.attacks.repeatable import Nature, nature_of
from watchword.testing.attacks.routes import Route
from watchword.testing.attacks.served import alike, is_served
from watchword.testing.attacks.signing import Signed, SigningFailed, sign
from watchword.testing.attacks.target import Target

__all__ = ["OPEN", "PAST", "Trial"]

OPEN = "the route lets in anybody, see no_credentials"
"""Why an attack that gets round a guard isn't tried: there is none. The run fails then, see `Summary`."""

TOO_MANY = 429
UNSERVED = frozenset({400, 404, 405, 406, 409, 411, 415, 422})
"""Statuses that say nothing of who asks: the route wants something else in the request."""
UPGRADE = frozenset({400, 426})
"""What a handler of WebSockets answers to a request that is none (RFC 6455 §4.2.1, RFC 9110 §15.5.22)."""
ALREADY = re.compile(rb"duplicate|already|ignored|replay|seen before|repeated", re.IGNORECASE)
PAST = frozenset({404, 409, 410, 412, 422, 428, 500})
"""Statuses that a handler gives after its guard, such as for an order that an earlier attempt has deleted."""
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Trial:
    """What an attack has in hand: the app, the route, the user's credentials."""

    def __init__(self, target: Target, route: Route, credentials: Credentials) -> None:
        self.target = target
        self.route = route
        self.credentials = credentials
        self.tried = 0
        self.limited = 0
        self.unserved = 0
        self.unknown = ""
        self._past: set[int] = set()
        self._genuine: dict[int, tuple[Signed, Answer]] = {}
        self._secrets: list[str] = []

    def run(self, attack: Callable[[Trial], None]) -> Hole | NotTried | None:
        """Tries an attack on this route: the finding, or why it could not be tried, or None if everything was refused."""
        try:
            if self.route.upgrades is None:
                self.route = self.route._replace(upgrades=self._upgrades())
            attack(self)
            self.finish()
        except (Hole, NotTried) as outcome:
            return outcome
        return None

    # ---- requests ----------------------------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """The path of the route with values for its parameters."""
        return self.route.example(self.credentials.parameters)

    def plain(self, *, stranger: bool = False) -> tuple[Request, bytes]:
        """The request that the route expects, without credentials: from the usual peer, or from one that nobody knows."""
        sample = self.target.samples.get(self.route.id)
        given, body = self.credentials.body(self.route), b""
        if given is None and sample is not None:
            given = sample.body
        fields = {"user-agent": "watchword", "accept": "*/*"}
        if given is not None or self.route.method in WITH_BODY:
            given = {} if given is None else given
            body = given if isinstance(given, bytes) else str(given).encode() if isinstance(given, str) else b""
            if not isinstance(given, (bytes, str)):
                body = json.dumps(given).encode()
            fields["content-type"] = _type_of(body)
        if self.route.is_websocket:
            fields["origin"] = f"{self.credentials.scheme}://{self.credentials.authority}"
        fields.update(self.credentials.fields(self.route))
        query = self.credentials.query(self.route) or ("" if sample is None else sample.query)
        target = f"{self.path}?{query}" if query else self.path
        method = "GET" if self.route.is_websocket else self.route.method
        peer = self.stranger() if stranger else Peer(self.credentials.peer)
        return Request(method, self.credentials.scheme, self.credentials.authority, target, fields, peer), body

    @staticmethod
    def stranger() -> Peer:
        """Another address each time, so that a limit of attempts for one address is not what refuses (RFC 5737)."""
        return Peer(f"203.0.113.{random.randint(1, 254)}")  # noqa: S311 -- no secret

    def send(self, request: Request, body: bytes = b"") -> Answer:
        """Sends a request to this route."""
        handler = self.route.handler
        code = None if handler is None else handler.__code__
        return self.target.send(request, body, websocket=self.route.is_websocket, code=code)

    def _send_beside(self, request: Request, body: bytes) -> Answer:
        """Sends a request that a flow makes on its way: it may go to another route than this one."""
        return self.target.send(request, body, websocket=False, code=None)

    def _upgrades(self) -> bool:
        """Whether this GET is a handshake: as a plain request it is answered 400 or 426, and with an Upgrade field it opens a WebSocket."""
        known = self.target.upgrades.get(self.route.id)
        if known is None:
            requests = [self.plain()]
            for way in self.credentials.ways(self.route):
                try:
                    signed = self.signed(way)
                except NotTried:
                    continue
                requests.append((signed.request, signed.body))
            known = any(
                self.send(request, body).status in UPGRADE and self.target.driver.connect(request).status == 101
                for request, body in requests
            )
            self.target.upgrades[self.route.id] = known
        return known

    # ---- genuine requests --------------------------------------------------------------------------------------------

    def ways(self) -> list[Sign]:
        """The credentials for this route.

        Raises:
            NotTried: there are none.
        """
        ways = self.credentials.ways(self.route)
        if not ways:
            raise NotTried("the fixture watchword_credentials gives no credentials for this route")
        return ways

    def signed(self, way: Sign, *, at: tuple[float, int] | None = None) -> Signed:
        """A fresh request with genuine credentials.

        Raises:
            NotTried: the credentials can't sign it.
        """
        request, body = self.plain()
        try:
            signed = sign(way, request, body, self._send_beside, at)
            if signed.ambient and request.method not in SAFE:  # a browser sends these by itself as well
                own = f"{request.scheme}://{request.authority}".encode()
                request = request.with_headers([(b"origin", own), (b"sec-fetch-site", b"same-origin")])
                signed = sign(way, request, body, self._send_beside, at)
        except SigningFailed as failure:
            raise NotTried(f"the credentials don't sign: {failure}") from None
        if signed.nowhere:
            raise NotTried("the credentials add nothing to the request")
        self._secrets += signed.secrets()
        return signed

    def nature(self, way: Sign, signed: Signed) -> Nature:
        """What kind of credentials these are."""
        return nature_of(way, signed, self._send_beside)

    def genuine(self, way: Sign) -> tuple[Signed, Answer]:
        """A genuine request and its answer, sent once for each attack.

        Raises:
            NotTried: it was refused, or it never came to the point where it would be let in.
        """
        known = self._genuine.get(id(way))
        if known is None:
            signed = self.signed(way)
            known = self._genuine[id(way)] = signed, self.send(signed.request, signed.body)
            if known[1].reached:
                self.target.watched.add(self.route.id)
        signed, answer = known
        if not self.let_in(answer) and not self._gets_past(answer):
            hint = (
                " (write bodies=, queries=, parameters=, headers= or base_url=)"
                if answer.status in UNSERVED or answer.status >= 500
                else ""
            )
            error = f", {answer.error}" if answer.error else ""
            del self._genuine[id(way)]
            raise NotTried(f"the genuine request is answered {answer.status}{error}{hint}")
        return signed, answer

    def _gets_past(self, answer: Answer) -> bool:
        """Whether a genuine request gets past the guard, although the handler has no success for it; then others mustn't get so far either."""
        if answer.status not in PAST or not answer.reached:
            return False
        request, body = self.plain(stranger=True)
        if self.send(request, body).status not in (401, 403):
            return False
        self._past.add(answer.status)
        return True

    def each_genuine(self) -> Iterator[tuple[Sign, Signed, Answer]]:
        """The ways into this route that work.

        Raises:
            NotTried: none does.
        """
        reasons, worked = [], False
        for way in self.ways():
            try:
                signed, answer = self.genuine(way)
            except NotTried as reason:
                reasons.append(str(reason))
                continue
            worked = True
            yield way, signed, answer
        if not worked:
            raise NotTried("; ".join(dict.fromkeys(reasons)))

    def closed(self) -> None:
        """Nothing, if the route refuses requests without credentials: only then there is a guard that can be got round.

        Raises:
            NotTried: it lets in anybody.
        """
        answer = self.as_stranger()
        if self.serves(answer):
            raise NotTried(OPEN)
        if (reason := self.silent(answer)) is not None:
            raise NotTried(reason)

    def silent(self, answer: Answer) -> str | None:
        """Why this route tells nothing of who may ask: neither a genuine request nor a stranger's comes to that point."""
        if self.unknown and (answer.status in UNSERVED or answer.status >= 500):
            return f"a stranger is answered {answer.status}, and {self.unknown}"
        return None

    def as_stranger(self) -> Answer:
        """What a stranger is answered after a genuine request, whose answer a cache may have kept."""
        self.baseline()
        return self.send(*self.plain(stranger=True))

    def serves(self, answer: Answer) -> bool:
        """Whether an answer to the route's own request served it: the one rule for what is open to anybody."""
        return self.same_handler(answer) if self.watched else self.let_in(answer)

    def anew(self) -> Trial:
        """The same as the next attack finds it: whatever this one has warmed or used up stays so."""
        return Trial(self.target, self.route, self.credentials)

    def baseline(self) -> None:
        """Sends the genuine request if there is one, so that its handler and its answer are known."""
        try:
            for _ in self.each_genuine():
                pass
        except NotTried as reason:
            self.unknown = str(reason)

    # ---- judging -----------------------------------------------------------------------------------------------------

    def let_in(self, answer: Answer) -> bool:
        """Whether an answer says that the request was served."""
        if self.credentials.accepted is not None:
            return bool(self.credentials.accepted(answer))
        if answer.success:
            return True
        if answer.status in self._past and answer.reached:
            return True
        # A handler that redirects after its work has done the work.
        return 300 <= answer.status < 400 and answer.reached and self.ran(answer)

    def ran(self, answer: Answer) -> bool:
        """Whether the handler did its work: it returned, and what it returned is no refusal of its own."""
        return any(is_served(value) for value in answer.completed)

    @property
    def watched(self) -> bool:
        """Whether a genuine request was ever seen to run the handler, so that one that doesn't run it got elsewhere, or to a cache."""
        return self.route.id in self.target.watched

    def same_handler(self, answer: Answer) -> bool:
        """Whether an answer to another path or method comes from this route's handler: it was seen, or it says the same."""
        if not self.let_in(answer):
            return False
        same = any(known.body and known.body == answer.body for _, known in self._genuine.values())
        return same or (answer.reached and (self.watched or self.ran(answer)))

    def attempt(self, tried: str, request: Request, body: bytes = b"", *, attack: tuple[bytes, ...] = (), elsewhere: bool = False,
                anywhere: bool = False, again: bool = False, why: str, write: str, weak: bool = False) -> Answer:  # fmt: skip
        """Sends what an attacker would; it must be refused.

        Args:
            tried: the variant, in a few words.
            request: the request.
            body: its content.
            attack: the fields in which the attack is: they are shown.
            elsewhere: it asks for another path or another method, which may lead to something else that is public.
            anywhere: it asks for another route of the app, and is not to be let in there either.
            again: it was sent before: an answer that says so, such as "already processed", refuses it too.
            why: why it would be a hole.
            write: what to write instead.
            weak: it would be a weakness only.

        Raises:
            Hole: it wasn't.
        """
        answer = self.send(request, body)
        if elsewhere and not self._genuine and self.route.handler is None:
            return answer  # whose answer it is can't be told
        self.tried += 1
        self.unserved += answer.status in UNSERVED or answer.status >= 500
        if answer.status == TOO_MANY:
            self.limited += 1
            return answer
        here = (elsewhere or self.watched) and not anywhere
        got = self.same_handler(answer) if here else self.let_in(answer)
        got = got and not (again and ALREADY.search(answer.body))
        if not got and not self.let_in(answer) and self._worked_first(answer):
            tried += ", refused after the handler had run"
            why = "The handler did its work before the request was refused: what it wrote stays written."
            write = "Ask who it is before the handler runs: as a decorator or dependency that comes first, or as middleware."
            got, weak = True, False
        if got:
            raise self.hole(tried, request, body, answer, attack=attack, why=why, write=write, weak=weak)
        return answer

    def hole(self, tried: str, request: Request, body: bytes, answer: Answer, *, attack: tuple[bytes, ...] = (), why: str, write: str,
             weak: bool = False) -> Hole:  # fmt: skip
        """The finding, with what was sent and what came."""
        kind = Weakness if weak else Hole
        sent = shown_request(request, body, attack=attack)
        return kind(tried, sent, shown_answer(answer, self._secrets), why, write)

    def found(self, tried: str, why: str, write: str, *, weak: bool = False) -> Hole:
        """A finding for which nothing was sent."""
        handler = self.route.handler
        place = (
            ""
            if handler is None
            else f"{handler.__code__.co_filename.rpartition('/')[2]}, line {handler.__code__.co_firstlineno}"
        )
        return (Weakness if weak else Hole)(tried, f"nothing: it is seen in {place}", "-", why, write)

    def _worked_first(self, answer: Answer) -> bool:
        """Whether the handler returned as it does for genuine requests, and the request was refused all the same."""
        if answer.status not in (401, 403) or self.route.is_websocket:
            return False
        genuine = [value for _, known in self._genuine.values() for value in known.completed if is_served(value)]
        return any(is_served(value) and any(alike(value, other) for other in genuine) for value in answer.completed)

    def finish(self) -> None:
        """Ends the attack.

        Raises:
            NotTried: nothing was sent, or no request was judged because of too many attempts.
        """
        if self.tried == 0:
            raise NotTried(
                f"there was nothing to compare with: {self.unknown}" if self.unknown else "there was nothing to send"
            )
        if self.unknown and self.unserved == self.tried:
            raise NotTried(f"no request came to the point where it is let in or refused: {self.unknown}")
        if self.tried == self.limited:
            raise NotTried("the app answers 429 to all of it: too many attempts; raise its limit for this test")


def _type_of(body: bytes) -> str:
    return "application/json" if body[:1] in (b"{", b"[", b'"') else "application/x-www-form-urlencoded"
