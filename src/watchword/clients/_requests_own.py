"""A flow's own request (for a token), as requests sends it: through the adapters and with the settings of the caller's session."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import requests
from requests.utils import default_headers

from watchword.clients._exchange import limited, url_of, waiting
from watchword.clients._requests_answer import received
from watchword.clients._requests_headers import Lines, RenewedHeaders
from watchword.clients._requests_route import Caller
from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Received, Send

__all__ = ["fetch"]


def fetch(send: Send, called: Caller) -> Received:
    """The answer to `send`. No cookie, no ~/.netrc and no hook of the session has a part in it, and no redirect is followed."""
    request = send.request
    url = url_of(request)
    headers: dict[str, Any] = {**default_headers(), "Accept-Encoding": "identity"}
    headers |= {name.decode("latin-1").title(): value.decode("latin-1") for name, value in request.headers}
    own = requests.Request(request.method, url, headers=headers, data=send.body).prepare()
    if send.terms is not None and not send.terms.repeatable:
        own.headers = RenewedHeaders(own.headers, _refuse)
    with ExitStack() as stack:
        session = called.session or stack.enter_context(requests.Session())
        timeout = _timeout(called.settings.get("timeout"))
        settings = called.merged(session, url) | {"stream": True, "timeout": timeout}
        answer = stack.enter_context(session.get_adapter(url).send(own, **settings))
        head = received(answer)
        return head._replace(body=limited(answer.iter_content(65536))) if send.want else head


def _refuse(_: Lines) -> None:
    """What urllib3 repeats by itself would be an attempt that nobody knows of."""
    raise CredentialsUnavailable(
        "the endpoint for credentials was asked, and its answer was lost or said to come again"
    )


def _timeout(given: Any) -> Any:
    """The caller's timeout, as a number or for connecting and reading; a flow's own request always has one."""
    return tuple(waiting(seconds) for seconds in given) if isinstance(given, tuple) else waiting(given)
