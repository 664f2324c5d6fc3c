"""Whoever publishes a key set: where it is (OpenID Connect Discovery 1.0 §4, RFC 8414 §3), and what an answer is worth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from watchword.core.rejection import ConfigurationError, CredentialsUnavailable
from watchword.crypto.algorithms import ALGORITHMS, algorithm_named
from watchword.crypto.encoding import parse_object
from watchword.crypto.keys import KeySet
from watchword.crypto.keys.jwk_set import read_jwks
from watchword.oauth.metadata import check_issuer, metadata_urls
from watchword.transport.freshness import lifetime, while_revalidated
from watchword.transport.get import Answer, Fault, FetchFailed, Get, Terms, target_of

__all__ = ["Fetch", "Loaded", "Publisher", "jwks_uri", "usual_fetch"]

Fetch = Callable[[Get, Terms], Answer]

_UNSAID: Final = 600.0
"""Seconds for which an answer is good if it doesn't say."""
# entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE; RFC 9110 §8.8.3, obs-text left out. Only such a one is sent back.
_ETAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')

_PUBLISHED: Final = frozenset(row.name for row in ALGORITHMS if row.family != "HMAC")
"""The algorithms that a key may be for which somebody publishes."""


class Loaded(NamedTuple):
    """What a fetch brought, with what is needed to ask whether it has changed.

    It is good for `lifetime` seconds, and for `grace` more while it is fetched anew.
    """

    keys: KeySet
    url: str
    body: bytes
    etag: str | None
    lifetime: float
    grace: float


class Publisher:
    """Where keys come from.

    Args:
        url: where the key set is. Or else:
        issuer: whose metadata says where.
        algorithms: those that are permitted, None: each key's own.
        terms: of each fetch.
        fetch: carries it out; None: urllib3.
        bounds: the least and the most seconds for which an answer is good, whatever it says.

    Raises:
        ConfigurationError: not one place, or none to fetch from; algorithms of secrets; or the extra is missing.
    """

    accept: str = "application/jwk-set+json, application/json"

    def __init__(
        self,
        url: str | None,
        issuer: str | None,
        algorithms: Iterable[str] | None,
        terms: Terms,
        fetch: Fetch | None,
        bounds: tuple[float, float],
    ) -> None:
        self.name = _place(url, issuer, terms)
        self._url = url
        self._algorithms = None if algorithms is None else _names(algorithms)
        self.algorithms = _PUBLISHED if self._algorithms is None else frozenset(self._algorithms)
        self._terms = terms
        self._fetch = usual_fetch(terms.ca_file) if fetch is None else fetch
        self._bounds = bounds
        self._found: tuple[str, float] | None = None

    def load(self, known: Loaded | None, now: float) -> Loaded:
        """The keys as they are published now.

        Args:
            known: what was loaded last; its `keys` are given again if they haven't changed, so that what was prepared
                with them stays.
            now: seconds since the epoch.

        Raises:
            FetchFailed: why not.
        """
        url = self._key_url(now)
        etag = known.etag if known is not None and known.url == url else None
        answer = self._get(Get(url, self.accept, etag))
        tag = answer.field(b"etag") or ""
        tag = tag if _ETAG.fullmatch(tag) else ""
        if known is not None and answer.status == 304:  # RFC 9111 §4.3.4: its fields replace those of the first answer
            times = self._times(answer, known.lifetime, known.grace)
            return Loaded(known.keys, url, known.body, tag or known.etag, *times)
        times = self._times(answer, _UNSAID, 0.0)
        if known is not None and known.body == answer.body:
            return Loaded(known.keys, url, known.body, tag or None, *times)
        try:
            keys = self.keys_of(answer, url, now)
        except ConfigurationError as error:
            raise FetchFailed(Fault.UNUSABLE, f"{url.partition('?')[0]}: {error}") from None
        return Loaded(keys, url, answer.body, tag or None, *times)

    def keys_of(self, answer: Answer, url: str, now: float) -> KeySet:
        """The keys in an answer.

        Raises:
            ConfigurationError: there are none.
        """
        return KeySet(*read_jwks(answer.body, self._algorithms, published=True))

    def forget(self) -> None:
        """Look for the key set again, when it is fetched next."""
        self._found = None

    def _key_url(self, now: float) -> str:
        if self._url is not None:
            return self._url
        if self._found is not None and now < self._found[1]:
            return self._found[0]
        answer = self._metadata()
        url = jwks_uri(answer.body, self.name)
        self._found = url, now + self._good_for(answer, _UNSAID)
        return url

    def _metadata(self) -> Answer:
        """The issuer's metadata, from the first of its places that doesn't answer that there is nothing."""
        *others, last = metadata_urls(self.name)
        for url in others:
            try:
                return self._get(Get(url))
            except FetchFailed as failed:
                if failed.fault is not Fault.STATUS or not 400 <= failed.status < 500:
                    raise
        return self._get(Get(last))

    def _get(self, get: Get) -> Answer:
        answer = self._fetch(get, self._terms)
        if answer.status == 200 or (answer.status == 304 and get.etag is not None):
            return answer
        raise FetchFailed(
            Fault.STATUS, f"{self.name} answered {answer.status}", answer.status
        )  # from a stranger's fetch=

    def _good_for(self, answer: Answer, unsaid: float) -> float:
        said = lifetime(answer.headers)
        least, most = self._bounds
        return min(max(unsaid if said is None else said, least), most)

    def _times(self, answer: Answer, unsaid: float, unsaid_grace: float) -> tuple[float, float]:
        """For how long the keys are good, and for how much longer while they are fetched anew; `most` bounds both together."""
        good_for = self._good_for(answer, unsaid)
        grace = unsaid_grace if lifetime(answer.headers) is None else while_revalidated(answer.headers)
        return good_for, min(grace, self._bounds[1] - good_for)


def jwks_uri(metadata: bytes, issuer: str) -> str:
    """The key set's URL in an issuer's metadata, which must be that issuer's to the letter (RFC 8414 §3.3).

    Raises:
        FetchFailed: UNUSABLE.
    """
    try:
        members = parse_object(metadata)
    except ValueError:
        raise FetchFailed(Fault.UNUSABLE, f"the metadata of {issuer} is not a JSON object") from None
    try:
        check_issuer(members, issuer)
    except CredentialsUnavailable as wrong:
        raise FetchFailed(Fault.UNUSABLE, str(wrong)) from None
    url = members.get("jwks_uri")
    if not isinstance(url, str):
        raise FetchFailed(Fault.UNUSABLE, f"the metadata of {issuer} names no jwks_uri")
    return url


def _place(url: str | None, issuer: str | None, terms: Terms) -> str:
    place = url if issuer is None else issuer
    if (url is None) == (issuer is None) or not isinstance(place, str):
        raise ConfigurationError("a RemoteKeySet has a URL or an issuer: RemoteKeySet(issuer='https://id.example')")
    try:
        target_of(place, allow_cleartext=terms.allow_cleartext)
    except FetchFailed as failed:
        raise ConfigurationError(f"keys can't be fetched from there: {failed.detail}") from None
    if issuer is not None and "?" in issuer:
        raise ConfigurationError("an issuer has no query (RFC 8414 §2)")
    return place


def _names(algorithms: Iterable[str]) -> tuple[str, ...]:
    if isinstance(algorithms, str):
        raise ConfigurationError(f"algorithms= is a sequence, for example [{algorithms!r}]")
    rows = tuple(algorithm_named(name) for name in algorithms)
    if not rows or any(row.family == "HMAC" or row.use != "sig" for row in rows):
        raise ConfigurationError(
            "algorithms= names public-key signature algorithms: a secret that is published is none"
        )
    return tuple(row.name for row in rows)


def usual_fetch(ca_file: str | None) -> Fetch:
    """What fetches by urllib3.

    Raises:
        ConfigurationError: the extra is missing, or `ca_file` can't be read.
    """
    from watchword.transport import wire  # noqa: PLC0415 -- needs an extra, and loads ssl

    if ca_file is not None:
        wire.trust(ca_file)  # said now, not at the first token
    return wire.fetch
