"""A request of Django's, as the guard sees it, and its body."""

# ruff: noqa: SLF001 -- Django offers no other way to put a stream in place of its own than the attributes it keeps it in

from __future__ import annotations

from io import BytesIO
from typing import Any

from watchword.core.admission import Admission
from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, not_installed
from watchword.servers.asgi.request import request_of as request_of_scope
from watchword.servers.checked_body import CheckedBody
from watchword.servers.wsgi.body import Body, checked_input
from watchword.servers.wsgi.request import request_of

try:
    from django.http import HttpRequest
except ImportError:
    raise not_installed("django") from None

__all__ = ["Incoming"]


class Incoming:
    """The request, and its body for the guard and again for the view.

    Under ASGI, Django has received all of the body before any middleware runs.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._django: Any = request
        scope = getattr(request, "scope", None)
        meta = request.META
        if scope is None:
            host = {} if "HTTP_HOST" in meta else {"HTTP_HOST": meta.get("SERVER_NAME", "")}  # its test client's
            self.request: Request = request_of({**meta, **host})
        else:
            self.request = request_of_scope(scope)
        self._body = self._body_of(request, meta, scope is None)

    def _body_of(self, request: Any, meta: dict[str, Any], streams: bool) -> Body:
        if hasattr(request, "_body"):  # a middleware has looked at it
            return Body({"wsgi.input": BytesIO(request._body), "CONTENT_LENGTH": str(len(request._body))})
        if streams:
            return Body(meta)
        length = meta.get("CONTENT_LENGTH")
        source = {"wsgi.input": request._stream, "wsgi.input_terminated": True}
        return Body({**source, "CONTENT_LENGTH": length} if length else source)

    def chunk(self) -> bytes:
        """The next chunk of the body, b"" at its end.

        Raises:
            Rejected: as `Body.chunk`.
            ConfigurationError: somebody has read from it already.
        """
        self._check_unread()
        return self._body.chunk()

    def _check_unread(self) -> None:
        if self._django._read_started and not hasattr(self._django, "_body"):
            raise ConfigurationError(
                "the body was read before the guard saw it: put watchword.servers.django.Authenticate first in MIDDLEWARE"
            )

    async def achunk(self) -> bytes:
        """As `chunk`."""
        return self.chunk()

    def drain(self) -> None:
        """Reads on, before a refusal goes out; as `Body.drain`."""
        self._body.drain(self._django.META)

    def replay(self, admission: Admission, limit: int) -> CheckedBody | None:
        """Puts what the guard has read, or the body that is checked as it passes, in place of Django's stream.

        Raises:
            ConfigurationError: as `chunk`.
        """
        if admission.stream is not None:
            self._check_unread()
        meta = self._django.META
        checked = checked_input(admission, meta, self._body, limit)
        if checked is not None:
            self._django._stream = meta["wsgi.input"]
            self._django.__dict__.pop("_body", None)
        elif admission.body is not None:
            self._django._stream = BytesIO(admission.body)
            meta["CONTENT_LENGTH"] = str(len(admission.body))
        return checked
