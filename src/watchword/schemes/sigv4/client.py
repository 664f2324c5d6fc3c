"""The client half: signing requests, presigning URLs, sending bodies in chunks."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from watchword.core.message import Headers, Request
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.effects import Context, Flow, Send
from watchword.schemes.client_half import ClientHalf, need_text
from watchword.crypto.digests import hex_digest
from watchword.crypto.public_spellings import refuse_key_files
from watchword.fields.target import normal_authority
from watchword.schemes.sigv4.access_key import TERMINATOR, Signing, ecdsa_signing, hmac_signing
from watchword.schemes.sigv4.canonical import (
    ECDSA, HMAC, S3_SERVICES, UNSIGNED, PathRules, canonical_request, paths, queries, rules_of, sent_target,
    string_to_sign, without,
)  # fmt: skip
from watchword.schemes.sigv4.checksums import ALGORITHMS, PREFIX
from watchword.schemes.sigv4.chunks import STREAMING, Form, Seed, encode, encoded_length
from watchword.schemes.sigv4.credentials import CREDENTIALS, MAX_EXPIRES, SIGNATURE, TOKEN, text_of_time

__all__ = ["Payload", "SigV4Auth"]

UNCOVERED: Final = frozenset({
    b"authorization", b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection",
    b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect", b"user-agent", b"accept-encoding", b"via",
    b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-amzn-trace-id",
    b"sec-websocket-key", b"sec-websocket-protocol", b"sec-websocket-version", b"sec-websocket-extensions",
})  # fmt: skip
"""Fields that are not signed, since libraries and proxies on the way write them."""
NAMES_PAYLOAD: Final = frozenset({"aoss"})
"""Services besides S3 that demand x-amz-content-sha256, and refuse a signed Content-Length: OpenSearch Serverless."""

_ID = re.compile(r"[!#-+\-.0-~]{1,128}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")
_REGIONS = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*\-]{0,63}(?:,[A-Za-z0-9*][A-Za-z0-9*\-]{0,63})*")
_FORMS: Final = {form: name for name, form in STREAMING.items()}
_ALGORITHMS: Final = {"AWS4-HMAC-SHA256": HMAC, "AWS4-ECDSA-P256-SHA256": ECDSA}


class Payload(NamedTuple):
    """How a body is covered.

    Args:
        form: "signed": by its hash; "unsigned": not at all; "chunked": in chunks, each signed; "unsigned-chunked": in
            chunks that only the checksum in `trailer` covers.
        trailer: the checksum that follows the chunks: "crc32", "crc32c", "crc64nvme", "sha1" or "sha256"; "": none.
        chunk: octets of a chunk; S3 wants 8,192 at least.
    """

    form: str = "signed"
    trailer: str = ""
    chunk: int = 65_536


class _Day(NamedTuple):
    """What is the same for all requests of a day."""

    number: int
    scope: bytes
    signing: Signing
    credential: bytes


class SigV4Auth(ClientHalf):
    """Signs every request as AWS has it: method, path, query, fields, body and time.

    All fields are signed but those that libraries and proxies write (User-Agent, Connection, Accept-Encoding, …).

    Args:
        access_key: the access key id.
        secret_key: the secret access key.
        region: "eu-central-1"; under SigV4A the region set, "eu-*,us-east-1".
        service: "s3", "execute-api", or the name that your own service gave itself.
        session_token: of temporary credentials.
        algorithm: "AWS4-HMAC-SHA256", or "AWS4-ECDSA-P256-SHA256" (SigV4A).
        payload: how bodies are covered.
        paths: the rules by which paths are made canonical; None: those of the service.

    Raises:
        ConfigurationError: a name that can't be sent, or an unknown algorithm or payload.

    >>> auth = SigV4Auth("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region="us-east-1", service="service")
    >>> url = auth.presign("GET", "https://example.amazonaws.com/", now=1440938160)
    >>> url.rpartition("=")[2][:16]
    'e93c787ed7f371d5'
    """

    __slots__ = ("__weakref__", "_access_key", "_algorithm", "_day", "_form", "_moment", "_names_payload", "_payload", "_region", "_rules", "_s3", "_secret", "_service", "_token")  # fmt: skip

    def __init__(
        self,
        access_key: str,
        secret_key: str,
        *,
        region: str,
        service: str,
        session_token: str | None = None,
        algorithm: str = "AWS4-HMAC-SHA256",
        payload: Payload = Payload(),  # noqa: B008 -- an immutable tuple
        paths: PathRules | None = None,
    ) -> None:
        if algorithm not in _ALGORITHMS:
            raise ConfigurationError(f"algorithm is one of {', '.join(_ALGORITHMS)}, not {algorithm!r}")
        self._algorithm = _ALGORITHMS[algorithm]
        _check_names(access_key, secret_key, region, service, session_token, self._algorithm == ECDSA)
        self._form = _form_of(payload, self._algorithm == ECDSA)
        self._access_key = access_key
        self._secret = secret_key
        self._region = region.encode()
        self._service = service.encode()
        self._s3 = self._service in S3_SERVICES
        self._names_payload = self._s3 or service in NAMES_PAYLOAD
        self._token = None if session_token is None else session_token.encode()
        self._payload = payload
        self._rules = paths or rules_of(self._service)
        self._day: _Day | None = None
        self._moment: tuple[int, bytes] = (-1, b"")

    def __repr__(self) -> str:
        return f"SigV4Auth({self._access_key!r}, region={self._region.decode()!r}, service={self._service.decode()!r})"

    def flow(self, request: Request, context: Context) -> Flow:
        """One Send, signed; in chunks with the content that is sent instead of the caller's."""
        if self._payload.form == "unsigned":
            yield Send(self._signed(request, UNSIGNED, context.now())[0])
            return
        body = context.body()
        if self._form is None or not body:  # nothing is no chunk: most requests without a body must not have one
            yield Send(self._signed(request, hex_digest("sha-256", body), context.now())[0])
            return
        signed, content = self.chunked(request, body, now=context.now())
        yield Send(signed, content=content)

    def sign(self, request: Request, body: bytes = b"", *, now: float) -> Request:
        """The request with its credentials; the body is covered by its hash, or not at all.

        Args:
            request: as it will be sent.
            body: its body.
            now: seconds since the epoch.

        Raises:
            ConfigurationError: bodies are sent in chunks: use `chunked`.
        """
        if self._form is not None:
            raise ConfigurationError("this SigV4Auth sends bodies in chunks: use chunked(request, body, now=…)")
        payload = UNSIGNED if self._payload.form == "unsigned" else hex_digest("sha-256", body)
        return self._signed(request, payload, now)[0]

    def chunked(self, request: Request, body: bytes, *, now: float) -> tuple[Request, bytes]:
        """The request with its credentials, and the body in chunks that is to be sent with it.

        Raises:
            ConfigurationError: `payload` says otherwise.
        """
        form, size, trailer = self._form, self._payload.chunk, self._payload.trailer
        if form is None:
            raise ConfigurationError("bodies are sent in chunks if you say so: payload=Payload('chunked')")
        codings = [*request.values(b"content-encoding"), b"aws-chunked"]
        codings = codings[-1:] + codings[:-1]
        lines = [
            (b"content-encoding", b",".join(codings)),
            (b"content-length", b"%d" % encoded_length(form, len(body), size, trailer)),
            (b"x-amz-decoded-content-length", b"%d" % len(body)),
        ]
        if trailer:
            lines.append((b"x-amz-trailer", PREFIX + trailer.encode()))
        signed, seed = self._signed(request.with_headers(lines), _FORMS[form], now)
        return signed, encode(form, seed, body, size, trailer)

    def presign(
        self, method: str, url: str, *, now: float, expires: int = 3600, headers: Headers = (), body: bytes = b""
    ) -> str:
        """The URL with credentials in its query: who has it may send this request until it expires.

        Args:
            method: as it will be sent.
            url: "https://host/path?query".
            now: seconds since the epoch.
            expires: seconds for which it is good, 604,800 at most.
            headers: field lines that have to be sent with it exactly so; host is covered anyway.
            body: the body that has to be sent; S3 does not cover one.

        Raises:
            ConfigurationError: `url` is none, or has credentials already, or `expires` is out of its range.
        """
        if not 1 <= expires <= MAX_EXPIRES:
            raise ConfigurationError(f"expires is a number of seconds from 1 to {MAX_EXPIRES}")
        scheme, mark, rest = url.partition("://")
        at = next((index for index, char in enumerate(rest) if char in "/?#"), len(rest))
        target = rest[at:] if rest[at : at + 1] == "/" else "/" + rest[at:]
        if not mark or not at or "#" in target:
            raise ConfigurationError("presign takes an absolute URL without a fragment: 'https://host/path?query'")
        try:
            # As clients send it in Host.
            authority = normal_authority(scheme.lower(), rest[:at])
        except Rejected as rejected:
            raise ConfigurationError(f"presign takes an absolute URL: {rejected.rejection.detail}") from None
        request = Request(method, scheme.lower(), authority, target, headers)
        return (
            f"{scheme.lower()}://{authority}{self._presigned(request, now, expires, body).decode('utf-8', 'replace')}"
        )

    def canonical(self, request: Request, body: bytes = b"") -> str:
        """The canonical request and the string to sign of a request that was sent, as this client makes them.

        Raises:
            ConfigurationError: it carries no such credentials.
        """
        from watchword.schemes.sigv4.explanation import canonical_of  # noqa: PLC0415 -- only when asked why

        try:
            return canonical_of(request, body, self._rules)
        except Rejected as rejected:
            raise ConfigurationError(
                f"the request is not one that SigV4Auth sent: {rejected.rejection.detail}; give the signed one"
            ) from None

    # ---- how ----------------------------------------------------------------------------------------------------------

    def _signed(self, request: Request, payload: bytes, now: float) -> tuple[Request, Seed]:
        """The request, and what its chunks go on from."""
        timestamp = self._text_of(int(now))
        lines = [(b"x-amz-date", timestamp)]
        if self._names_payload or self._form is not None or payload == UNSIGNED:
            lines.append((b"x-amz-content-sha256", payload))
        if self._token is not None:
            lines.append((b"x-amz-security-token", self._token))
        if self._algorithm == ECDSA:
            lines.append((b"x-amz-region-set", self._region))
        request = request.with_headers(lines)
        path, query = sent_target(request)
        names, values = _covered(request, self._service)
        day = self._today(timestamp, int(now))
        canonical = canonical_request(
            request.method, paths(path, self._rules)[-1], queries(query)[-1], names, values, payload
        )
        signature = day.signing.sign(string_to_sign(self._algorithm, timestamp, day.scope, canonical))
        authorization = b"%s Credential=%s, SignedHeaders=%s, Signature=%s" % (
            self._algorithm, day.credential, b";".join(names), signature,
        )  # fmt: skip
        seed = Seed(self._algorithm, timestamp, day.scope, signature, day.signing)
        return request.with_headers(((b"authorization", authorization),)), seed

    def _presigned(self, request: Request, now: float, expires: int, body: bytes) -> bytes:
        timestamp = self._text_of(int(now))
        day = self._today(timestamp, int(now))
        names, values = _covered(request, self._service)
        path, query = sent_target(request)
        if without(query, *CREDENTIALS, TOKEN) != query:
            raise ConfigurationError("the URL has credentials in its query: take them out first")
        added = [
            (b"X-Amz-Algorithm", self._algorithm),
            (b"X-Amz-Credential", day.credential.replace(b"/", b"%2F")),
            (b"X-Amz-Date", timestamp),
            (b"X-Amz-SignedHeaders", b"%3B".join(names)),
            (b"X-Amz-Expires", b"%d" % expires),
        ]
        if self._algorithm == ECDSA:
            added.append((b"X-Amz-Region-Set", self._region))
        if self._token is not None:
            added.append((TOKEN, self._token))
        more = b"&".join([name + b"=" + _quoted(value) for name, value in added])
        query = query + b"&" + more if query else more
        unsigned = self._s3 or self._payload.form == "unsigned"
        payload = UNSIGNED if unsigned else hex_digest("sha-256", body)
        if unsigned and not self._s3:
            query += b"&X-Amz-Content-Sha256=" + UNSIGNED
        canonical = canonical_request(
            request.method, paths(path, self._rules)[-1], queries(query)[-1], names, values, payload
        )
        signature = day.signing.sign(string_to_sign(self._algorithm, timestamp, day.scope, canonical))
        return path + b"?" + query + b"&" + SIGNATURE + b"=" + signature

    def _text_of(self, second: int) -> bytes:
        """The time as it is sent; kept for all requests of one second."""
        kept, text = self._moment
        if kept != second:
            text = text_of_time(second)
            self._moment = (second, text)
        return text

    def _today(self, timestamp: bytes, second: int) -> _Day:
        day = self._day
        number = second // 86400
        if day is not None and day.number == number:
            return day
        ecdsa = self._algorithm == ECDSA
        parts = [timestamp[:8], self._service, TERMINATOR] if ecdsa else [timestamp[:8], self._region, self._service, TERMINATOR]  # fmt: skip
        scope = b"/".join(parts)
        if ecdsa:
            signing = ecdsa_signing(self._access_key, self._secret) if day is None else day.signing
        else:
            signing = hmac_signing(self._secret, scope)
        day = _Day(number, scope, signing, self._access_key.encode() + b"/" + scope)
        self._day = day
        return day


def _covered(request: Request, service: bytes) -> tuple[list[bytes], list[bytes]]:
    """The fields to sign, in order, and their canonical values."""
    left_out = UNCOVERED | {b"content-length"} if service.decode() in NAMES_PAYLOAD else UNCOVERED
    values: dict[bytes, bytes] = {}
    for name, value in request.headers:
        if name not in left_out:
            one = b" ".join(value.split())
            values[name] = values[name] + b"," + one if name in values else one
    values[b"host"] = request.authority.encode()
    names = sorted(values)
    return names, [values[name] for name in names]


def _quoted(value: bytes) -> bytes:
    """A value for the query, percent-encoded as by UriEncode; existing escapes stay."""
    return queries(b"=" + value.replace(b"+", b"%2B").replace(b"=", b"%3D").replace(b"&", b"%26"))[-1][1:]


def _form_of(payload: Payload, ecdsa: bool) -> Form | None:
    form, trailer, chunk = payload
    if form not in ("signed", "unsigned", "chunked", "unsigned-chunked"):
        raise ConfigurationError(f"payload is signed, unsigned, chunked or unsigned-chunked, not {form!r}")
    if trailer and trailer not in ALGORITHMS:
        raise ConfigurationError(f"trailer is one of {', '.join(ALGORITHMS)}, not {trailer!r}")
    if not form.endswith("chunked"):
        if trailer:
            raise ConfigurationError("only a body in chunks can have a trailer: Payload('chunked', trailer=…)")
        return None
    if not 1 <= chunk <= 1 << 30:
        raise ConfigurationError("chunk is a number of octets, 8192 or more for S3")
    if form == "unsigned-chunked" and not trailer:
        raise ConfigurationError("chunks that are not signed need a checksum: Payload(…, trailer='crc32')")
    signed = form == "chunked"
    return Form(signed, ecdsa and signed, bool(trailer))


def _check_names(access_key: str, secret: str, region: str, service: str, token: str | None, ecdsa: bool) -> None:
    for what, value in (
        ("the access key id", access_key),
        ("the secret access key", secret),
        ("region", region),
        ("service", service),
    ):
        need_text(what, value)
    if token is not None:
        need_text("the session token", token)
    if not _ID.fullmatch(access_key):
        raise ConfigurationError("an access key id is 1 to 128 visible ASCII characters without slash and comma")
    if not secret:
        raise ConfigurationError("the secret access key is empty")
    refuse_key_files(secret.encode("utf-8", "surrogatepass"))
    if not (_REGIONS if ecdsa else _NAME).fullmatch(region) or not _NAME.fullmatch(service):
        raise ConfigurationError("region and service are words such as 'eu-central-1' and 'execute-api'")
    if token is not None and not re.fullmatch(r"[!-~]+", token):
        raise ConfigurationError("a session token is visible ASCII")
