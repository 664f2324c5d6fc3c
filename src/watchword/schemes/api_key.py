"""API keys: a long random secret in a field of its own, in every request. Both halves.

No RFC describes them. Whoever has the key can use it, so it travels in a field only, never in the query, where logs,
histories and Referer would keep it (RFC 9700 §4.3.2 says so of bearer tokens), and over TLS. `schemes.api_key_text` has the form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from watchword.core.sending import refuse_cleartext
from watchword.core.identity import Identity
from watchword.core.answer import Challenge
from watchword.structures.in_process import InProcess
from watchword.core.message import Request
from watchword.core.records import Found, Put, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection
from watchword.core.scheme import (
    UNUSED, Address, Body, BodyNeed, Context, Decision, Flow, Random, Refusal, Send, malformed,
)  # fmt: skip
from watchword.schemes.client_half import ClientHalf, need_text
from watchword.crypto.digests import compare
from watchword.fields.auth_params import parse_credentials
from watchword.schemes.api_key_text import KEY, PREFIX, APIKey, APIKeyUse, has_checksum, hash_key, key_id_of

__all__ = ["APIKeyAuth", "APIKeyVerifier"]

WORD: Final = "ApiKey"
_FIELD: Final = re.compile(r"[!#$%&'*+.^`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2, without "_"
_SENDABLE: Final = re.compile(r"[!-~]{1,8192}")
_TOKEN68: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 9110 §11.2
# Fields that say something else: to the guard, to HTTP, or to whoever stands between.
_TAKEN: Final = frozenset({
    "accept", "connection", "content-length", "content-type", "cookie", "date", "early-data", "expect", "forwarded",
    "host", "keep-alive", "origin", "proxy-authorization", "proxy-connection", "range", "referer", "te", "trailer",
    "transfer-encoding", "upgrade", "user-agent", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
})  # fmt: skip
_NOBODY: Final = "0" * 64
"""A digest that no key has been found for."""


def _field_of(header: str) -> bytes:
    if not _FIELD.fullmatch(header):
        raise ConfigurationError(
            f"{header[:64]!r} can't carry a key: a field name has letters, digits and '-', as in X-API-Key; one with '_' "
            "is dropped or confused with another by many servers"
        )
    name = header.lower()
    if name in _TAKEN:
        raise ConfigurationError(f"{header} has a meaning of its own: use X-API-Key, or Authorization")
    return name.encode()


class APIKeyAuth(ClientHalf):
    """Sends an API key with every request.

    Args:
        key: the key, whoever issued it: 1 to 8192 visible ASCII characters. One that starts with "ww_" must be whole.
        header: the field that carries it; in "Authorization" it comes after the word ApiKey.
        allow_cleartext: also send it over plain http to other hosts than this one.

    Raises:
        ConfigurationError: the field can't carry this key, or the key was mistyped; or, when sending, a network that
            would see the key.

    >>> APIKeyAuth("ww_000000000000_000000000000000000000000000000004a0jIj")
    APIKeyAuth(key_id='000000000000')
    """

    __slots__ = ("__weakref__", "_allow_cleartext", "_headers", "_key_id")

    def __init__(self, key: str, *, header: str = "X-API-Key", allow_cleartext: bool = False) -> None:
        field = _field_of(header)
        need_text("the API key", key)
        if not _SENDABLE.fullmatch(key):
            raise ConfigurationError(
                "an API key has 1 to 8192 visible ASCII characters: pass it without spaces and line ends"
            )
        self._key_id = key_id_of(key)
        if key.startswith(PREFIX) and (self._key_id is None or not has_checksum(key)):
            raise ConfigurationError("this API key is not whole: its checksum does not fit; copy it again")
        value = key.encode()
        if field == b"authorization":
            if not _TOKEN68.fullmatch(key):
                raise ConfigurationError("Authorization can't carry this key (RFC 9110 §11.2): use another field")
            value = WORD.encode() + b" " + value
        self._headers = ((field, value),)
        self._allow_cleartext = allow_cleartext

    def __repr__(self) -> str:
        return f"APIKeyAuth(key_id={self._key_id!r})"

    def flow(self, request: Request, context: Context) -> Flow:
        """One Send, with the key."""
        refuse_cleartext(request, self._allow_cleartext)
        yield Send(request.with_headers(self._headers))


class APIKeyVerifier(InProcess):
    """Verifies API keys against `APIKey` records (`store.add_api_key`, `watchword key add`).

    A key's last use is remembered as a note, which never delays another request's, nor refuses this one: at most once
    in `record_use` seconds for each key. While a rotation overlaps, the identity of who uses the old key is `rotated`.

    The challenge is `ApiKey realm="…", header="X-API-Key"`: every 401 has one (RFC 9110 §15.5.2), and as no registered
    scheme is about such fields it names one that isn't registered, which clients pass over (§11.6.1).

    Args:
        header: the one field that is read; in "Authorization" the key comes after the word ApiKey.
        record_use: seconds; None: uses are not recorded.

    Raises:
        ConfigurationError: the field can't carry keys, or a time that isn't positive.

    >>> from watchword import Guard
    >>> from watchword.stores import MemoryStore
    >>> store = MemoryStore()
    >>> key = store.add_api_key("billing", scopes=["invoices"])
    >>> guard = Guard([APIKeyVerifier()], store)
    >>> guard.verify(Request("GET", "https", "api.example", "/", {"X-API-Key": key})).subject
    'billing'
    """

    scheme: str = "api_key"
    single_use: bool = False
    ambient: bool = False
    rank: int = 35
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None

    __slots__ = ("_header", "addresses", "field", "kinds", "record_use")

    def __init__(self, *, header: str = "X-API-Key", record_use: float | None = 600) -> None:
        self.field = _field_of(header)
        if record_use is not None and not 0 < record_use < float("inf"):
            raise ConfigurationError("record_use is a positive number of seconds, or None to record nothing")
        self._header = header
        self.record_use = record_use
        self.addresses: Sequence[Address] = (Address(self.field, WORD.lower() if self.in_authorization else ""),)
        self.kinds: Sequence[type] = (APIKey,) if record_use is None else (APIKey, APIKeyUse)

    def __repr__(self) -> str:
        return f"APIKeyVerifier(header={self._header!r})"

    @property
    def in_authorization(self) -> bool:
        """Whether the key follows a scheme word."""
        return self.field == b"authorization"

    @property
    def where(self) -> str:
        """The field, for the operator."""
        return self.field.decode()

    def read(self, request: Request) -> APIKeyClaim | None:
        """The key of the field, if it is whole. The target is not looked at.

        Raises:
            Rejected: MALFORMED_CREDENTIALS; it never quotes what was sent.
        """
        values = request.values(self.field)
        if not values:
            return None
        if len(values) > 1:
            raise malformed("more than one line", self.where)
        value = values[0]
        key = (parse_credentials(value).token68 or "") if self.in_authorization else value.decode("latin-1")
        match = KEY.fullmatch(key)
        if match is None:
            raise malformed("not a key of the form ww_<key id>_<secret and checksum>", self.where)
        if not has_checksum(key):
            raise malformed("the checksum does not fit: the key was mistyped, cut off or made up", self.where)
        return APIKeyClaim(match[1], hash_key(key), self)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """Where a key is expected, whatever was wrong with this one."""
        status = rejection.reason.status
        if status != 401:
            return Refusal(status)
        params = () if self.in_authorization else (("header", self._header),)
        return Refusal(status, [Challenge(WORD, params)])


class APIKeyClaim:
    """A whole API key, not yet verified; of its secret only a digest is left."""

    __slots__ = ("_digest", "key_id", "needs", "verifier")

    body: BodyNeed = UNUSED

    def __init__(self, key_id: str, digest: str, verifier: APIKeyVerifier) -> None:
        self.key_id = key_id
        self._digest = digest
        self.verifier = verifier
        self.needs: Sequence[Ref[Any]] = tuple(Ref(kind, (key_id,)) for kind in verifier.kinds)

    def __repr__(self) -> str:
        return f"APIKeyClaim(key_id={self.key_id!r})"

    def slow(self, found: Found) -> bool:
        """Never: one hash and two comparisons."""
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision:
        """The secret, then what became of the key since.

        Raises:
            Rejected: UNKNOWN_KEY, WRONG_SECRET, REVOKED, EXPIRED; to the client they are the same.
        """
        record = found.get(Ref(APIKey, (self.key_id,)))
        current, former = self.matches(record)
        if record is None:
            raise Rejected(Reason.UNKNOWN_KEY, "no such key id", where=self.verifier.where)
        if not current and not former:
            raise Rejected(Reason.WRONG_SECRET, "the key id is known, the secret is not its", where=self.verifier.where)
        if record.revoked is not None:
            raise Rejected(Reason.REVOKED, "the key was revoked", where=self.verifier.where, genuine=True)
        if not current and now >= record.former_until:
            detail = f"the key was replaced, and good until {now - record.former_until:.0f} s ago"
            raise Rejected(Reason.EXPIRED, detail, where=self.verifier.where, genuine=True)
        if record.expires is not None and now >= record.expires:
            detail = f"{now - record.expires:.0f} s past its expiry"
            raise Rejected(Reason.EXPIRED, detail, where=self.verifier.where, genuine=True)
        identity = Identity(record.subject, "api_key", self.key_id, frozenset(record.scopes), rotated=not current)
        return Decision(identity, notes=self._use(found, now))

    def matches(self, record: APIKey | None) -> tuple[bool, bool]:
        """Whether this is the key, and whether it is the one before it; the same work for an unknown id."""
        kept = (_NOBODY, None) if record is None else (record.digest, record.former)
        current, former = (
            compare((digest or _NOBODY).encode("utf-8", "replace"), self._digest.encode()) for digest in kept
        )
        return current and record is not None, former and record is not None

    def _use(self, found: Found, now: float) -> Sequence[Put]:
        """The note of this use, if the last one is old. Of those that come together the first is kept."""
        every = self.verifier.record_use
        if every is None:
            return ()
        ref = Ref(APIKeyUse, (self.key_id,))
        last = found.get(ref)
        if last is not None and now < last.at + every:
            return ()
        return (Put(ref, APIKeyUse(now), if_version=found.version(ref)),)
