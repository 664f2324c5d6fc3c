"""Auths with just enough of a flow to see what an adapter does; the real schemes are tested in test_schemes.py."""

from __future__ import annotations

from watchword import Request
from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Hold, Release, Send


class Once:
    """Sends a custom field at once, as a signature or an API key is."""

    def flow(self, request, context):
        yield Send(request.with_headers(((b"x-hmac", b"sig-of-" + request.target), (b"authorization", b"Fake sig"))))


class Challenged:
    """Sends nothing until it is challenged with 401, as Digest does."""

    def __init__(self, cover_body=False):
        self.cover_body = cover_body

    def flow(self, request, context):
        answer = yield Send(request)
        if answer.response.status == 401:
            proof = context.body() if self.cover_body else b"proof"
            nonce = answer.response.values(b"www-authenticate")[0]
            yield Send(request.with_headers(((b"authorization", b"Fake " + nonce + b" " + proof),)))


class Body:
    """Covers the body."""

    def flow(self, request, context):
        yield Send(request.with_headers(((b"x-body", b"%d" % len(context.body())),)))


class Seeing:
    """Records the request that the flow is given."""

    def __init__(self):
        self.requests = []

    def flow(self, request, context):
        self.requests.append(request)
        yield Send(request)


class Tokens:
    """Fetches a token once, tries once more with a new one on 401."""

    def __init__(self, authority, scheme="http"):
        self.authority = authority
        self.scheme = scheme
        self.token = None
        self.fetched = 0

    def flow(self, request, context):
        token = yield from self.obtain(None)
        answer = yield Send(request.with_headers(((b"authorization", b"Bearer " + token),)))
        if answer.response.status == 401:
            token = yield from self.obtain(token)
            yield Send(request.with_headers(((b"authorization", b"Bearer " + token),)))

    def obtain(self, refused):
        yield Hold("token", 30)
        if self.token == refused:
            self.token = None
        if self.token is None:
            headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", "Basic aWQ6c2VjcmV0")]
            request = Request("POST", self.scheme, self.authority, "/token?a=1", headers)
            answer = yield Send(request, b"grant_type=client_credentials", want=True)
            if answer.response.status != 200:
                raise CredentialsUnavailable(f"the endpoint answered {answer.response.status}")
            self.fetched += 1
            self.token = answer.body
        token = self.token
        yield Release("token")
        return token
