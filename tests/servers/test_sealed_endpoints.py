"""Endpoints that answer for themselves, with a seal on each answer."""

from __future__ import annotations

import asyncio
import io
import time
from contextlib import nullcontext

import pytest

from tests.servers.apps import SEALING
from watchword import Key, KeyDirectory, Rejected, Request, Response, SignatureSeal
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.crypto.digests import digest
from watchword.fields.content_digest import digest_field
from watchword.schemes.signatures.agents import WELL_KNOWN
from watchword.schemes.signatures.responses import ResponsePolicy, ResponseVerifier
from watchword.servers.endpoint import asgi_endpoint, wsgi_endpoint
from watchword.stores import MemoryStore

SEAL = SignatureSeal(SEALING)
VERIFIER = ResponseVerifier(SEALING, ResponsePolicy(nonce=False))


def proven(method, path, status, headers, body):
    VERIFIER.verify(Request(method, "https", "id.example", path), Response(status, headers), body, now=time.time())
    return status


def by_asgi(endpoint, store, method, path, content=b"", fields=(), **settings):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": content, "more_body": False}

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "https",
        "headers": [(b"host", b"id.example"), *((name.encode(), value.encode()) for name, value in fields)],
    }  # fmt: skip
    asyncio.run(asgi_endpoint(endpoint, store, **settings)(scope, receive, send))
    return sent[0]["status"], sent[0]["headers"], sent[1]["body"]


def by_wsgi(endpoint, store, method, path, content=b"", fields=(), **settings):
    started = []

    def start_response(status, headers):
        started.extend([int(status.split(" ")[0]), headers])

    environ = {
        "REQUEST_METHOD": method, "RAW_URI": path, "PATH_INFO": path, "HTTP_HOST": "id.example", "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(content), "CONTENT_LENGTH": str(len(content)),
        **{f"HTTP_{name.upper().replace('-', '_')}".replace("HTTP_CONTENT_TYPE", "CONTENT_TYPE"): it for name, it in fields},
    }  # fmt: skip
    body = b"".join(wsgi_endpoint(endpoint, store, **settings)(environ, start_response))
    return *started, body


@pytest.mark.parametrize("host", [by_asgi, by_wsgi])
def test_each_answer_of_a_token_endpoint_is_sealed(host):
    endpoint = TokenEndpoint(Key.generate("HS256"), issuer="https://id.example", audience="api")
    status, headers, body = host(endpoint, MemoryStore(), "POST", "/token", seal=SEAL)
    assert proven("POST", "/token", status, headers, body) >= 400


@pytest.mark.parametrize("host", [by_asgi, by_wsgi])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_a_seal_and_the_signatures_of_an_endpoint_stand_side_by_side(host, method):
    status, headers, body = host(
        KeyDirectory([Key.generate("ed25519")], agent="https://id.example"), None, method, WELL_KNOWN, seal=SEAL
    )
    assert proven(method, WELL_KNOWN, status, headers, body) == (405 if method == "PUT" else 200)


@pytest.mark.parametrize("host", [by_asgi, by_wsgi])
def test_a_seal_speaks_of_the_body_that_an_endpoint_has_read_and_of_no_other(host):
    """The answer to a form is for that form: another one under the same digest is refused before anybody reads it."""
    form = b"grant_type=client_credentials&client_id=shop&client_secret=open"
    fields = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-digest", digest_field({"sha-256": digest("sha-256", form)}).decode()),
    ]
    endpoint = TokenEndpoint(Key.generate("HS256"), issuer="https://id.example", audience="api")
    for content, error in ((form, b"invalid_client"), (form + b"x", b"invalid_request"), (b"", b"invalid_request")):
        status, headers, body = host(endpoint, MemoryStore(), "POST", "/token", content, fields, seal=SEAL)
        assert error in body
        request = Request("POST", "https", "id.example", "/token", dict(fields))
        VERIFIER.verify(request, Response(status, headers), body, now=time.time())


@pytest.mark.parametrize("host", [by_asgi, by_wsgi])
def test_a_seal_does_not_speak_of_a_body_that_an_endpoint_has_not_read(host):
    fields = [("content-digest", digest_field({"sha-256": digest("sha-256", b"x")}).decode())]
    directory = KeyDirectory([Key.generate("ed25519")], agent="https://id.example")
    _, headers, _ = host(directory, None, "GET", WELL_KNOWN, b"y", fields, seal=SEAL)
    covered = [value for name, value in Response(200, headers).headers if name == b"signature-input"]
    assert covered
    assert not [value for value in covered if b'"content-digest";req' in value]


@pytest.mark.parametrize("host", [by_asgi, by_wsgi])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_a_seal_says_that_there_was_no_body_where_an_endpoint_asks_for_none(host, method):
    """`SealedAuth` sends the digest of no octets, and believes no answer that leaves it out."""
    directory = KeyDirectory([Key.generate("ed25519")], agent="https://id.example")
    digests = {content: digest_field({"sha-256": digest("sha-256", content)}).decode() for content in (b"", b"y")}
    for content, said, covered in ((b"", b"", True), (b"y", b"", False), (b"", b"y", False)):
        fields = [("content-digest", digests[said])]
        status, headers, body = host(directory, None, method, WELL_KNOWN, content, fields, seal=SEAL)
        assert status == (405 if method == "PUT" else 200)
        request = Request(method, "https", "id.example", WELL_KNOWN, dict(fields))
        with nullcontext() if covered else pytest.raises(Rejected):
            VERIFIER.verify(request, Response(status, headers), body, now=time.time())


@pytest.mark.parametrize("host", [by_asgi, by_wsgi])
def test_without_a_seal_there_is_none(host):
    _, headers, _ = host(KeyDirectory([Key.generate("ed25519")], agent="https://id.example"), None, "HEAD", WELL_KNOWN)
    assert not [name for name, _ in headers if name in (b"signature", "signature")]
