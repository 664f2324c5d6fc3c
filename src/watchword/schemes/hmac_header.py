"""The HMAC scheme: a request signed with a shared key, in one `Authorization: HMAC …` line. Both halves.

`docs/reference/hmac.md` specifies it for whoever writes a client elsewhere. In short: the MAC covers a version line and
seven fields, one line each, none of which can hold a line break; so no two requests share a canonical form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from watchword.structures.bounded import Bounded
from watchword.core.identity import NO_CLAIMS, Identity
from watchword.core.answer import Challenge, Token
from watchword.structures.in_process import InProcess
from watchword.core.message import Request
from watchword.core.records import Found, Once, Ref, Spent
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection
from watchword.core.scheme import (
    STREAM,
    Address,
    Body,
    BodyNeed,
    BodyStream,
    Decision,
    Digests,
    Random,
    Refusal,
    malformed,
)
from watchword.effects import Context, Flow, Send
from watchword.crypto.digests import compare, digest, new
from watchword.schemes.client_half import ClientHalf
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.keys import Key, RegisteredKey
from watchword.fields.auth_params import parse_credentials
from watchword.fields.target import check_exact, check_target
from watchword.schemes.freshness import Freshness

__all__ = ["HMACAuth", "HMACVerifier", "canonical"]

MAC = Callable[[bytes], bytes]
VERSION: Final = "1"
MAX_KEPT: Final = 1024
"""Stored keys that a verifier knows to be good for use, so that it need not look again."""
_ALGORITHMS: Final = frozenset({"HS256", "HS384", "HS512"})
_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §9.1, a token
_USUAL_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_KEY_ID: Final = re.compile(r"[!#-\[\]-~]{1,128}")  # visible ASCII without `"` and `\`
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,128}")
_TIMESTAMP: Final = re.compile(r"0|[1-9][0-9]{0,11}")
_BASE64URL_256: Final = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
_MAC: Final = re.compile(r"[A-Za-z0-9_-]{43,86}")
# The header with the spacing of `encode`, which is read at once. No value holds a quote, so each parameter ends in one way.
_VALUES: Final = (
    r'keyid="([!#-\[\]-~]{1,128}+)"',
    "timestamp=(0|[1-9][0-9]{0,11}+)",
    r'nonce="([A-Za-z0-9_-]{16,128}+)"',
    r'digest="([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])"',
    r'mac="([A-Za-z0-9_-]{43,86}+)"',
)
_USUAL: Final = re.compile("HMAC version=1, " + ", ".join(_VALUES))
# In any order: six parameters, each of which is there if its group is, and so once.
_ANY_ORDER: Final = re.compile(f"HMAC (?:(?:{'|'.join(_VALUES)}|version=(1))(?:, (?!\\Z)|\\Z)){{6}}")
_PARAMS: Final = frozenset({"version", "keyid", "timestamp", "nonce", "digest", "mac"})


class PresentedCredentials(NamedTuple):
    """The parameters of the header, checked."""

    key_id: str
    timestamp: str
    nonce: str
    digest: str
    mac: str


def canonical(params: PresentedCredentials, method: str, authority: str, target: bytes) -> bytes:
    r"""The octets that the MAC covers.

    >>> params = PresentedCredentials("k1", "1700000000", "n" * 22, "d" * 43, "")
    >>> canonical(params, "GET", "API.example", b"/a?b=c").decode().split("\n")[4:8]
    ['GET', 'api.example', '/a?b=c', 'ddddddddddddddddddddddddddddddddddddddddddd']
    """
    head = f"HMAC {VERSION}\n{params.key_id}\n{params.timestamp}\n{params.nonce}\n{method}\n{authority.lower()}\n"
    return head.encode() + target + b"\n" + params.digest.encode() + b"\n"


def text_of(covered: bytes) -> str:
    """Octets that a MAC covers, to be read by a person."""
    return covered.decode("utf-8", "backslashreplace")


def base64url(data: bytes) -> str:
    """base64url without padding, as text."""
    return b64url_encode(data).decode()


class HMACAuth(ClientHalf):
    """Signs every request anew: method, authority, target, body, time and a nonce.

    Args:
        key: an HMAC key that has a key id.

    Raises:
        ConfigurationError: the key is of another kind, or has no key id.

    >>> HMACAuth(Key.generate("HS256", key_id="robot-1"))
    HMACAuth(key_id='robot-1')
    """

    __slots__ = ("__weakref__", "_key")

    def __init__(self, key: Key) -> None:
        if not isinstance(key, Key):
            raise ConfigurationError(
                f"HMACAuth needs a Key, not {type(key).__name__}: Key.from_secret(secret, algorithm='HS256', key_id='robot-1')"
            )
        if not key.algorithm.startswith("HS"):
            raise ConfigurationError(f"HMACAuth needs an HMAC key such as HS256, not {key.algorithm}")
        if key.key_id is None or not _KEY_ID.fullmatch(key.key_id):
            raise ConfigurationError(
                "HMACAuth needs a key with a key id of 1 to 128 visible ASCII characters, without quotes and "
                "backslashes: Key.from_secret(…, key_id='robot-1')"
            )
        self._key = key

    def __repr__(self) -> str:
        return f"HMACAuth(key_id={self._key.key_id!r})"

    def canonical(self, request: Request, body: bytes = b"") -> str:
        """What the MAC of `request`, as it was sent, covers, line by line: to compare with what the server's `explain` shows.

        Raises:
            ConfigurationError: the request carries no such credentials.
        """
        fields = request.values(b"authorization")
        try:
            if len(fields) != 1 or fields[0].partition(b" ")[0].lower() != b"hmac":
                raise Rejected(Reason.NO_CREDENTIALS, "no Authorization field of the scheme HMAC")
            params = read_params(parse_credentials(fields[0]).params)
        except Rejected as rejected:
            raise ConfigurationError(
                f"the request is not one that HMACAuth sent: {rejected.rejection.detail}; give the signed one"
            ) from None
        # The digest is that of `body`, so that another than the one that was sent shows.
        params = params._replace(digest=base64url(digest("sha-256", body)))
        return text_of(canonical(params, request.method, request.authority, request.target))

    def flow(self, request: Request, context: Context) -> Flow:
        """One Send, signed."""
        check_target(request)
        unsigned = PresentedCredentials(
            key_id=self._key.key_id or "",
            timestamp=str(int(context.now())),
            nonce=base64url(context.random(16)),
            digest=base64url(digest("sha-256", context.body())),
            mac="",
        )
        covered = canonical(unsigned, request.method, request.authority, request.target)
        params = unsigned._replace(mac=base64url(self._key.sign(covered)))
        yield Send(request.with_headers(((b"authorization", encode(params)),)))


def encode(params: PresentedCredentials) -> bytes:
    """The field value."""
    return (
        f'HMAC version={VERSION}, keyid="{params.key_id}", timestamp={params.timestamp}, nonce="{params.nonce}", '
        f'digest="{params.digest}", mac="{params.mac}"'
    ).encode()


class HMACVerifier(InProcess):
    """Verifies requests that `HMACAuth`, or any client of the specification, signed.

    Keys are `RegisteredKey` records (`store.add_key`); each nonce is accepted once, by any verifier that shares the
    store. Such verifiers may differ in a `max_age` of up to 300 seconds; a longer one has to be the same for all.

    Args:
        max_age: seconds for which a signed request is good.
        skew: seconds by which the client's clock may be ahead; behind it may be by what is left of `max_age`.
        stream: decide before the body is there, and check it as the application reads it: for uploads of any length. The
            application gets an error in place of the end of a body that is not the one that was signed; it must do nothing
            that lasts before that end, since what it has read till then is proven by nothing.

    Raises:
        ConfigurationError: a lifetime that isn't positive.

    >>> HMACVerifier(max_age=60).scheme
    'hmac'
    """

    scheme: str = "hmac"
    described: str = "hmac: an HMAC over the request. Made anew for each request, which Swagger UI can't do."
    single_use: bool = True
    ambient: bool = False
    rank: int = 15
    addresses: Sequence[Address] = (Address(word="hmac"),)
    kinds: Sequence[type] = (RegisteredKey, Spent)
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None

    def __init__(self, *, max_age: float = 300, skew: float = 30, stream: bool = False) -> None:
        self.freshness = Freshness(max_age, skew)
        self.body: BodyNeed | Digests = STREAM if stream else _DIGEST
        self._kept: Bounded[str, tuple[RegisteredKey, MAC]] = Bounded(MAX_KEPT)

    def ready(self, key_id: str, record: RegisteredKey) -> tuple[MAC, bool]:
        """What makes the MACs of a stored key, which decides on the algorithm, and whether it is new: prepared for this request.

        Raises:
            ConfigurationError: the store holds a key that can't be used, such as one that is too short for its hash.
            Rejected: WRONG_ALGORITHM, it is a key for something else.
        """
        known = self._kept.get(key_id)
        if known is not None and (known[0] is record or known[0] == record):
            return known[1], False
        return prepared(record), True

    def keep(self, key_id: str, record: RegisteredKey, mac: MAC) -> None:
        """For the next request with this key, which then costs half as much; called after a good MAC."""
        self._kept.put(key_id, (record, mac))

    def read(self, request: Request) -> HMACClaim:
        """The parameters, checked against the grammar of the specification.

        Raises:
            Rejected: MALFORMED_CREDENTIALS, TARGET_REFUSED, TARGET_NOT_EXACT.
        """
        params = read_header(request.values(b"authorization")[0])
        check_target(request)
        if request.method not in _USUAL_METHODS and not _METHOD.fullmatch(request.method):
            raise Rejected(Reason.MALFORMED_REQUEST, "the method is not a token", where="@method")
        if not request.exact:
            check_exact(request)
        return HMACClaim(params, request, self)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """`HMAC version=1` and no more: what differs is nobody's business but the operator's."""
        return Refusal(rejection.reason.status, [Challenge("HMAC", (("version", Token(VERSION)),))])


def prepared(record: RegisteredKey) -> MAC:
    """What makes the MACs of a stored key: to look at it takes longer than a MAC.

    Raises:
        ConfigurationError, Rejected: as `HMACVerifier.ready`.
    """
    mac = record.key().signer
    if record.algorithm not in _ALGORITHMS:  # a good key, for something else; whoever asks may name it
        raise Rejected(
            Reason.WRONG_ALGORITHM, "the key that is registered is not for HMAC", where="authorization keyid"
        )
    return mac


def read_header(value: bytes) -> PresentedCredentials:
    """The parameters of a field value.

    Raises:
        Rejected: MALFORMED_CREDENTIALS naming the parameter.
    """
    text = value.decode("latin-1")
    match = _USUAL.fullmatch(text) or _ANY_ORDER.fullmatch(text)
    if match is None or None in match.groups():
        return read_params(parse_credentials(value).params)
    return PresentedCredentials(*match.groups()[:5])


def read_params(params: Mapping[str, str]) -> PresentedCredentials:
    """The typed parameters of a header.

    Raises:
        Rejected: MALFORMED_CREDENTIALS naming the parameter.
    """
    if params.get("version") != VERSION:
        raise malformed(f"version is not {VERSION}", "authorization version")
    if unknown := params.keys() - _PARAMS:
        raise malformed("a parameter that version 1 does not have", f"authorization {min(unknown)}")
    checked = []
    for name, grammar, words in (
        ("keyid", _KEY_ID, "1 to 128 visible characters"), ("timestamp", _TIMESTAMP, "seconds since 1970, 12 digits at most"),
        ("nonce", _NONCE, "16 to 128 characters of base64url"), ("digest", _BASE64URL_256, "43 characters of base64url"),
        ("mac", _MAC, "43 to 86 characters of base64url"),
    ):  # fmt: skip
        value = params.get(name)
        if value is None:
            raise malformed("the parameter is missing", f"authorization {name}")
        if not grammar.fullmatch(value):
            raise malformed(f"the value does not follow its grammar: {words}", f"authorization {name}")
        checked.append(value)
    return PresentedCredentials(*checked)


_DIGEST: Final = Digests(("sha-256",), new)


class PassingBody:
    """Checks a body as it passes (STREAM): the part that came last is held back until the digest of all is known."""

    __slots__ = ("_hasher", "_held", "_signed")

    def __init__(self, signed: bytes) -> None:
        self._signed = signed
        self._hasher = new("sha-256")
        self._held = b""

    def feed(self, chunk: bytes, /) -> bytes:
        """The part before this one."""
        if not chunk:
            return b""
        self._hasher.update(chunk)
        held, self._held = self._held, chunk
        return held

    def end(self) -> bytes:
        """The last part.

        Raises:
            Rejected: WRONG_BODY.
        """
        if not compare(b64url_encode(self._hasher.digest()), self._signed):
            raise wrong_body()
        held, self._held = self._held, b""
        return held


def wrong_body() -> Rejected:
    """The refusal of a body with another digest."""
    return Rejected(Reason.WRONG_BODY, "the body is not the one that was signed", where="body")


class HMACClaim:
    """A signed request, not yet verified."""

    __slots__ = ("body", "needs", "params", "request", "verifier")

    body: BodyNeed | Digests

    def __init__(self, params: PresentedCredentials, request: Request, verifier: HMACVerifier) -> None:
        self.body = verifier.body
        self.params = params
        self.request = request
        self.verifier = verifier
        self.needs: Sequence[Ref[Any]] = (Ref(RegisteredKey, (params.key_id,)),)

    def slow(self, found: Found) -> bool:
        """Never: a MAC takes microseconds."""
        return False

    def canonical(self) -> bytes:
        """What the client must have signed, from this request."""
        request = self.request
        return canonical(self.params, request.method, request.authority, request.target)

    def once(self) -> Once:
        """The nonce, for as long as the timestamp is good, here and at a laxer verifier of the same store."""
        return self._once(int(self.params.timestamp))

    def _once(self, signed_at: int) -> Once:
        params = self.params
        return Once(("hmac", params.key_id, params.nonce), signed_at + self.verifier.freshness.retention)

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision:
        """MAC, then body, then time: what is said about a time or a body is said of a genuine request."""
        params, verifier = self.params, self.verifier
        record = found.get(self.needs[0])
        # An unknown key costs the same as a known one, whether that was kept or not.
        mac, new = verifier.ready(params.key_id, record or _NOBODY)
        expected = b64url_encode(mac(self.canonical()))
        if not compare(expected, params.mac.encode()) or record is None:
            if not new:
                prepared(record or _NOBODY)
            if record is None:
                raise Rejected(Reason.UNKNOWN_KEY, "no such key id", where="authorization keyid")
            raise Rejected(Reason.WRONG_SIGNATURE, "the MAC is of another request or another key", where="mac")
        signed = params.digest.encode()
        stream: BodyStream | None = None
        if self.body is STREAM:
            stream = PassingBody(signed)
        elif not compare(b64url_encode(body.digest("sha-256")), signed):
            raise wrong_body()
        signed_at = int(params.timestamp)
        verifier.freshness.check(signed_at, now, "timestamp")
        if record.expires is not None:
            record.check_current(now, "authorization keyid")
        rotated = record.superseded_by is not None
        identity = Identity(record.subject, "hmac", params.key_id, frozenset(record.scopes), NO_CLAIMS, rotated)
        learn = partial(verifier.keep, params.key_id, record, mac) if new else None
        return Decision(identity, (self._once(signed_at),), stream=stream, learn=learn)


_NOBODY: Final = RegisteredKey("", "HS256", b"a stand-in for a key that nobody has")
