"""API keys: a long random secret in a field of its own, in every request. Both halves.

No RFC describes them. Whoever has the key can use it, so it travels in a field only, never in the query, where logs,
histories and Referer would keep it (RFC 9700 §4.3.2 says so of bearer tokens), and over TLS. `schemes.api_key_text` has the form.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from watchword.schemes.sending import refuse_cleartext
from watchword.core.identity import Identity
from watchword.core.answer import Challenge
from watchword.structures.in_process import InProcess
from watchword.core.message import Request
from watchword.core.records import Found, Put, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection
from watchword.core.scheme import UNUSED, Address, Body, BodyNeed, Decision, More, Random, Refusal, malformed
from watchword.effects import Context, Flow, Send
from watchword.schemes.field_names import field_named
from watchword.schemes.client_half import ClientHalf, need_text
from watchword.crypto.digests import compare
from watchword.fields.auth_params import parse_credentials
from watchword.schemes.lookups import By, Lookup, looked_up_by, naming
from watchword.schemes.token_places import scheme_word
from watchword.schemes.api_key_text import KEY, PREFIX, APIKey, APIKeyUse, has_checksum, hash_key, key_id_of

__all__ = ["APIKeyAuth", "APIKeyVerifier"]

WORD: Final = "ApiKey"
_SENDABLE: Final = re.compile(r"[!-~]{1,8192}")
_TOKEN68: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 9110 §11.2
_NOBODY: Final = "0" * 64
"""A digest that no key has been found for."""


class APIKeyAuth(ClientHalf):
    """Sends an API key with every request.

    Args:
        key: the key, whoever issued it: 1 to 8192 visible ASCII characters. One that starts with "ww_" must be whole.
        header: the field that carries it; in "Authorization" it comes after `word`.
        word: "Api-Key", where the server wants another than ApiKey.
        allow_cleartext: also send it over plain http to other hosts than this one.

    Raises:
        ConfigurationError: the field can't carry this key, or the key was mistyped; or, when sending, a network that
            would see the key.

    >>> APIKeyAuth("ww_000000000000_000000000000000000000000000000004a0jIj")
    APIKeyAuth(key_id='000000000000')
    """

    __slots__ = ("__weakref__", "_allow_cleartext", "_headers", "_key_id")

    def __init__(self, key: str, *, header: str = "X-API-Key", word: str = WORD, allow_cleartext: bool = False) -> None:
        field = field_named(header, "a key")
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
            value = scheme_word(word).encode() + b" " + value
        self._headers = ((field, value),)
        self._allow_cleartext = allow_cleartext

    def __repr__(self) -> str:
        return f"APIKeyAuth(key_id={self._key_id!r})"

    def flow(self, request: Request, context: Context) -> Flow:
        """One Send, with the key."""
        refuse_cleartext(request, self._allow_cleartext)
        yield Send(request.with_headers(self._headers))


class APIKeyVerifier(InProcess):
    """Verifies API keys against `APIKey` records (`store.add_api_key`, `watchword key add`), or keys that an application has already.

    A key's last use is remembered as a note, which never delays another request's, nor refuses this one: at most once
    in `record_use` seconds for each key. While a rotation overlaps, the identity of who uses the old key is `rotated`.

    The challenge is `ApiKey realm="…", header="X-API-Key"`: every 401 has one (RFC 9110 §15.5.2), and as no registered
    scheme is about such fields it names one that isn't registered, which clients pass over (§11.6.1).

    Args:
        lookup: `lookup(name) -> APIKey | None`, for keys of any form (1 to 8192 visible ASCII characters): a plain function, or
            a coroutine function for an `AsyncGuard`. What it raises is a 503. None: the guard's store has the records.
        by: what `name` is. "sha256", the default with `lookup`: the key's SHA-256, in lower-case hexadecimal digits. "plain": the
            key itself. A function: what it finds in the key, an id. None, the default without `lookup`: the id in keys that
            watchword makes, and no other keys. Whatever it is, the record's `digest` is compared in constant time.
        header: the one field that is read; in "Authorization" the key comes after `word`.
        word: that word, "Api-Key" for example.
        record_use: seconds; None: uses are not recorded. Those of keys of another form never are.
        guessable: keys are short enough to be guessed (less than 128 random bits), so failed attempts are counted where the
            guard's store can count.

    Raises:
        ConfigurationError: the field can't carry keys, a time that isn't positive, or another argument of the wrong kind.

    >>> from watchword import Guard
    >>> from watchword.stores import MemoryStore
    >>> store = MemoryStore()
    >>> key = store.add_api_key("billing", scopes=["invoices"])
    >>> guard = Guard([APIKeyVerifier()], store)
    >>> guard.verify(Request("GET", "https", "api.example", "/", {"X-API-Key": key})).subject
    'billing'
    >>> keys = {hash_key("k-1234"): APIKey(hash_key("k-1234"), "billing")}
    >>> guard = Guard([APIKeyVerifier(keys.get)])
    >>> guard.verify(Request("GET", "https", "api.example", "/", {"X-API-Key": "k-1234"})).subject
    'billing'
    """

    scheme: str = "api_key"
    single_use: bool = False
    ambient: bool = False
    rank: int = 35
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None

    __slots__ = (
        "_header", "addresses", "by_id", "field", "guessable", "kinds", "lookup", "name", "record_use", "word"
    )  # fmt: skip

    def __init__(
        self,
        lookup: Callable[[str], APIKey | None] | Callable[[str], Awaitable[APIKey | None]] | None = None,
        *,
        by: By | None = None,
        header: str = "X-API-Key",
        word: str = WORD,
        record_use: float | None = 600,
        guessable: bool = False,
    ) -> None:
        self.field = field_named(header, "a key")
        if record_use is not None and not 0 < record_use < float("inf"):
            raise ConfigurationError("record_use is a positive number of seconds, or None to record nothing")
        if type(guessable) is not bool:
            raise ConfigurationError("guessable= is True or False")
        self._header = header
        self.word = scheme_word(word)
        self.guessable = guessable
        self.lookup = None if lookup is None else Lookup(lookup, APIKey, type(self).__name__)
        if by is None and lookup is not None:
            by = "sha256"
        self.name = None if by is None else naming(by)
        self.by_id = by is None or callable(by)
        self.record_use = record_use if by is None else None
        self.addresses: Sequence[Address] = (Address(self.field, word.lower() if self.in_authorization else ""),)
        self.kinds: Sequence[type] = ()
        if lookup is None:
            self.kinds = (APIKey,) if self.record_use is None else (APIKey, APIKeyUse)

    def __repr__(self) -> str:
        return f"APIKeyVerifier(header={self._header!r})"

    @property
    def awaited(self) -> bool:
        """Whether only an `AsyncGuard` can use it."""
        return self.lookup is not None and self.lookup.awaited

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
        if self.name is not None:
            if not _SENDABLE.fullmatch(key):
                raise malformed("not a key: 1 to 8192 visible ASCII characters", self.where)
            return APIKeyClaim(looked_up_by(self.name, key, self.where), hash_key(key), self)
        match = KEY.fullmatch(key)
        if match is None:
            raise malformed("not a key of the form ww_<key id>_<secret and checksum>", self.where)
        if not has_checksum(key):
            raise malformed("the checksum does not fit: the key was mistyped, cut off or made up", self.where)
        return APIKeyClaim(match[1], hash_key(key), self)

    def secrets_in(self, request: Request) -> list[bytes]:
        """What no explanation may show of a request: whatever stands where keys are, Authorization apart."""
        return [] if self.in_authorization else request.values(self.field)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """Where a key is expected, whatever was wrong with this one."""
        status = rejection.reason.status
        if status != 401:
            return Refusal(status)
        params = () if self.in_authorization else (("header", self._header),)
        return Refusal(status, [Challenge(self.word, params)])


class APIKeyClaim:
    """A whole API key, not yet verified; of its secret only a digest is left. `key_id` is the public id in it, None if it has none."""

    __slots__ = ("_digest", "_name", "key_id", "needs", "ref", "verifier")

    body: BodyNeed = UNUSED

    def __init__(self, name: str, digest: str, verifier: APIKeyVerifier) -> None:
        self._name = name
        self.key_id = name if verifier.by_id else None
        self._digest = digest
        self.verifier = verifier
        self.ref = Ref(APIKey, (name,))
        self.needs: Sequence[Ref[Any]] = tuple(Ref(kind, (name,)) for kind in verifier.kinds)

    def __repr__(self) -> str:
        return f"APIKeyClaim(key_id={self.key_id!r})"

    @property
    def formless(self) -> bool:
        """Whether nearly any text could be such a key: for `explain`, which looks for keys everywhere."""
        return self.verifier.name is not None

    @property
    def guesses(self) -> str | None:
        """The id that the key names; a key without one is a name of its own."""
        return (self.key_id or self._digest)[:256] if self.verifier.guessable else None

    @property
    def flight(self) -> bytes | None:
        """Nothing takes long here."""
        return None

    def slow(self, found: Found) -> bool:
        """Never: one hash and two comparisons."""
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        """The secret, then what became of the key since.

        Raises:
            Rejected: UNKNOWN_KEY, WRONG_SECRET, REVOKED, EXPIRED; to the client they are the same.
        """
        lookup, where = self.verifier.lookup, self.verifier.where
        if lookup is not None and not found.sought(self.ref):
            return More(asks=((lookup, (self.ref,)),))
        record = found.get(self.ref)
        current, former = self.matches(record)
        if record is None:
            what = "no such key" if self.key_id is None else "no such key id"
            raise Rejected(Reason.UNKNOWN_KEY, what, where=where)
        if not current and not former:
            raise Rejected(Reason.WRONG_SECRET, "the key id is known, the secret is not its", where=where)
        if record.revoked is not None:
            raise Rejected(Reason.REVOKED, "the key was revoked", where=where, genuine=True)
        if not current and now >= record.former_until:
            detail = f"the key was replaced, and good until {now - record.former_until:.0f} s ago"
            raise Rejected(Reason.EXPIRED, detail, where=where, genuine=True)
        if record.expires is not None and now >= record.expires:
            detail = f"{now - record.expires:.0f} s past its expiry"
            raise Rejected(Reason.EXPIRED, detail, where=where, genuine=True)
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
        ref = Ref(APIKeyUse, (self._name,))
        last = found.get(ref)
        if last is not None and now < last.at + every:
            return ()
        return (Put(ref, APIKeyUse(now), if_version=found.version(ref)),)
