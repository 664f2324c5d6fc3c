"""One request of the caller of httpx or httpx2, with its retries and redirects."""

from __future__ import annotations

from functools import partial
from typing import Any

from watchword.clients._exchange import LIMIT, oversized
from watchword.clients._httpx_leg import Leg, Make
from watchword.clients._httpx_own import own_request
from watchword.clients._httpx_parts import Kit
from watchword.clients._httpx_redirects import mark, unmark, watch
from watchword.clients._httpx_route import call_of
from watchword.clients._redirects import Origin, Trail, origin_of
from watchword.clients._repeats import position
from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import ORIGINAL, Send

__all__ = ["Exchange"]


class Exchange:
    """One request of the caller; `leg` is what is signed now, None once the last answer is the caller's."""

    def __init__(self, kit: Kit, request: Any, make: Make) -> None:
        self._kit = kit
        self._make = make
        self._call = call_of(kit)
        self._start = position(getattr(request.stream, "_stream", None))
        self._own: list[Any] = []  # the flow's own requests
        self._seen: list[Any] = []  # all answers to the caller's
        self._led: list[Leg] = []
        self._final: Any = None
        self._first = request
        self._trail: Trail | None = None  # only redirects need one
        self.leg: Leg | None = Leg(kit, self._call, request, self._start, make, redirected=False)
        if self._call.follows:
            watch(self._call)
            mark(request, self._redirected)

    def _redirected(self, request: Any) -> Leg | None:
        """The leg of a request that the client is about to send, if it was redirected and stays at the origin."""
        if self.leg is None or request is self.leg.request:
            return None
        if not self._leads_to(request.url):
            unmark(request)
            return None
        leg = self._leg_of(request)
        self._led.append(leg)
        return leg

    def _leg_of(self, request: Any) -> Leg:
        return Leg(self._kit, self._call, request, self._start, self._make, redirected=request is not self._first)

    def standing(self, leg: Leg, send: Send) -> Any:
        """The answer that is there already, where the request of a leg that was led here went out by `send`; else None."""
        if not leg.standing:
            return None
        leg.standing = False
        return self._final if send is leg.send or leg.is_plain(send) else None

    def outgoing(self, leg: Leg, send: Send) -> Any:
        """The library's request for `send`."""
        if send.body is not None:  # else it is ORIGINAL
            own = own_request(self._kit, send.request, send.body, leg.request.extensions.get("timeout"))
            self._own.append(own)
            mark(own, partial(_stay, own))
            return own
        if self._led:
            self._forget_led()
        return leg.outgoing(send)

    def arrived(self, leg: Leg, send: Send, response: Any) -> Any:
        """The answer to the request that was sent: not to where the client was redirected from it."""
        if send.body is not ORIGINAL:
            return self._of_own(response)
        self._final = answer = response
        for hop in (*response.history, response):
            if hop.request not in self._own and hop not in self._seen:
                self._seen.append(hop)
            if hop.request is leg.request:
                answer = hop
        leg.answer = answer
        return answer

    def _of_own(self, response: Any) -> Any:
        if response.request is not self._own[-1]:
            raise _redirected()
        if response.headers.get("content-encoding", "identity") != "identity":
            raise CredentialsUnavailable("the endpoint for credentials answers in an encoding that was not asked for")
        response.stream = self._kit.answer(response.stream, LIMIT, oversized)
        return response

    def move_on(self, leg: Leg) -> None:
        """On to where the client was redirected from `leg`; or settles the last answer's history."""
        final = self._final
        self.leg = None
        if self._led:
            begun = [led for led in self._led if led.send is not None]
            self.leg, self._led = next(iter(begun), None), begun[1:]
        if self.leg is None:
            if len(self._seen) > 1 or self._own:
                final.history = [hop for hop in self._seen if hop is not final]
            if final.request is not leg.request and 400 <= final.status_code < 500 and self._stayed():
                # Nothing was signed there, since the client can't be seen or another request had to go first.
                self.leg = self._leg_of(final.request)
        if self.leg is not None:
            self.leg.standing = True

    def _stayed(self) -> bool:
        return all(self._leads_to(hop.request.url) for hop in self._seen)

    def _leads_to(self, url: Any) -> bool:
        if self._trail is None:
            self._trail = Trail(_origin(self._first.url))
        return self._trail.leads_to(_origin(url))

    def close(self) -> None:
        """Ends what is under way."""
        leg, self.leg = self.leg, None
        if leg is not None:
            leg.drive.close()
        if self._led:
            self._forget_led()
        if self._call.follows:
            for request in (self._first, *(hop.request for hop in self._seen)):
                unmark(request)

    def _forget_led(self) -> None:
        for led in self._led:
            led.drive.close()
        self._led.clear()


def _stay(own: Any, request: Any) -> None:
    """Stops a client that follows redirects before it asks where a flow's own request was redirected to."""
    if request is not own:
        raise _redirected()


def _redirected() -> CredentialsUnavailable:
    return CredentialsUnavailable("the endpoint for credentials redirects, which is not followed")


def _origin(url: Any) -> Origin:
    return origin_of(url.scheme, url.host, url.port)
