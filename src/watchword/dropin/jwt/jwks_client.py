"""PyJWT's `PyJWKClient`: the keys that an issuer publishes (RFC 7517 §5), fetched by our guarded transport."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from ssl import CERT_REQUIRED, SSLContext
from typing import Any

from watchword.core.rejection import ConfigurationError
from watchword.crypto.encoding import parse_object
from watchword.dropin.jwt.api_jwk import PyJWK, PyJWKSet
from watchword.dropin.jwt.api_jwt import decode_complete
from watchword.dropin.jwt.exceptions import PyJWKClientConnectionError, PyJWKClientError, PyJWKSetError, PyJWTError
from watchword.dropin.jwt.jwk_set_cache import JWKSetCache
from watchword.transport.get import Answer, FetchFailed, Get, Terms

__all__ = ["PyJWKClient"]


class _NoKeys(PyJWKClientError, PyJWKSetError):
    """No key that is for signatures: PyJWT says so by the one or the other."""


class PyJWKClient:
    """Fetches and keeps the key set at `uri`; give `get_signing_key_from_jwt(token)` to `decode`.

    One fetch at a time, however many threads ask. Secrets and private keys in the set are passed over: whoever reads
    them can sign.

    Args:
        uri: https; http and private addresses only if the next to last arguments say so.
        cache_keys: does nothing: keys are kept with their set, and a withdrawn one no longer than it.
        max_cached_keys: does nothing.
        cache_jwk_set: keep the set for `lifespan`.
        lifespan: seconds.
        headers: further header fields of the request.
        timeout: seconds for one fetch, all of it.
        ssl_context: checks the server's certificate and name.
        cooldown_duration: seconds between fetches for unknown key ids, and after a fetch that failed.
        allow_cleartext: also fetch by plain http.
        allow_private: also fetch from addresses that are not on the public internet: localhost, your own network.
        ca_file: a PEM file of the certificate authorities to trust; None: the system's.
        fetch: fetches in place of urllib3, for hosts that need a proxy; what it lets through is on it.

    Raises:
        PyJWKClientError: another scheme than http and https, times or an `ssl_context` that can't be.
    """

    def __init__(
        self,
        uri: str,
        cache_keys: bool = False,
        max_cached_keys: int = 16,
        cache_jwk_set: bool = True,
        lifespan: float = 300,
        headers: Mapping[str, Any] | None = None,
        timeout: float = 30,
        ssl_context: SSLContext | None = None,
        cooldown_duration: float = 30,
        *,
        allow_cleartext: bool = False,
        allow_private: bool = False,
        ca_file: str | None = None,
        fetch: Callable[[Get, Terms], Answer] | None = None,
    ) -> None:
        scheme = uri.partition(":")[0].lower()
        if scheme not in ("http", "https"):
            raise PyJWKClientError(f"Invalid JWKS URI scheme {scheme[:16]!r}: https, or http with allow_cleartext=True")
        if not (math.isfinite(cooldown_duration) and cooldown_duration >= 0):
            raise PyJWKClientError(f"Cooldown duration must be finite, 0 or more: {cooldown_duration}")
        if cache_jwk_set and not lifespan > 0:
            raise PyJWKClientError(f"Lifespan must be greater than 0: {lifespan}")
        if ssl_context is not None and not (ssl_context.verify_mode is CERT_REQUIRED and ssl_context.check_hostname):
            raise PyJWKClientError("this ssl_context lets any server pass for the issuer: pass ca_file= instead")
        self.uri = uri
        self.headers = dict(headers or {})
        self.timeout = timeout
        self.ssl_context = ssl_context
        self.cooldown_duration = cooldown_duration
        self.jwk_set_cache = JWKSetCache(lifespan) if cache_jwk_set else None
        self._terms = Terms(
            timeout, allow_cleartext=allow_cleartext, allow_private=allow_private, ca_file=ca_file,
            ssl_context=ssl_context,
        )  # fmt: skip
        self._fetch = fetch
        self._client_lock = threading.RLock()
        self._last_successful_fetch: float | None = None
        self._failed: tuple[float, str] | None = None

    def fetch_data(self) -> Any:
        """The key set, parsed, fetched now; a subclass may have it from elsewhere.

        Raises:
            PyJWKClientConnectionError: it can't be fetched; what was known is kept.
            PyJWKClientError: what came is no JSON object.
        """
        fields = tuple((str(name), str(value)) for name, value in self.headers.items())
        get = Get(self.uri, "application/jwk-set+json, application/json", fields=fields)
        try:
            answer = self._wire()(get, self._terms)
        except FetchFailed as failed:
            raise PyJWKClientConnectionError(f'Fail to fetch data from the url, err: "{failed.detail}"') from None
        try:
            data = parse_object(answer.body)
        except ValueError as wrong:
            raise PyJWKClientError(f"The JWKS endpoint did not return a JSON object: {wrong}") from None
        return data

    def get_jwk_set(self, refresh: bool = False) -> PyJWKSet:
        """The key set: the one that is kept, or, if its time is over or `refresh` says so, one fetched now.

        Raises:
            PyJWKClientError: it can't be had.
            PyJWKSetError: it has no key that can be used.
        """
        with self._client_lock:
            kept = None if self.jwk_set_cache is None or refresh else self.jwk_set_cache.get()
            if kept is not None:
                return kept
            if self.jwk_set_cache is not None and not refresh and self._failed is not None:
                since, why = self._failed
                if time.monotonic() - since < self.cooldown_duration:
                    raise PyJWKClientConnectionError(f"{why} (not tried again so soon)")
            try:
                data = self.fetch_data()
                jwk_set = data if isinstance(data, PyJWKSet) else PyJWKSet.from_dict(_published(data))
            except PyJWTError as error:
                self._failed = time.monotonic(), str(error)
                raise
            self._failed = None
            self._last_successful_fetch = time.monotonic()
            if self.jwk_set_cache is not None:
                self.jwk_set_cache.put(jwk_set)
            return jwk_set

    def get_signing_keys(self, refresh: bool = False) -> list[PyJWK]:
        """The keys of the set that have a key id and are for signatures.

        Raises:
            PyJWKClientError: there are none, or the set can't be had.
        """
        try:
            jwk_set = self.get_jwk_set(refresh)
        except PyJWKSetError as error:
            raise _NoKeys(f"The JWKS endpoint did not contain any signing keys: {error}") from None
        found = [key for key in jwk_set if key.public_key_use in ("sig", None) and key.key_id]
        if not found:
            raise PyJWKClientError("The JWKS endpoint did not contain any signing keys")
        return found

    def get_signing_key(self, kid: str) -> PyJWK:
        """The key with this key id; if there is none, the set is fetched again, unless that was just now.

        Raises:
            PyJWKClientError: there is none, or the set can't be had.
        """
        with self._client_lock:
            key = self.match_kid(self.get_signing_keys(), kid)
            if key is None and not self._cooling():
                key = self.match_kid(self.get_signing_keys(refresh=True), kid)
            if key is None:
                raise PyJWKClientError(f'Unable to find a signing key that matches: "{str(kid)[:128]}"')
            return key

    def get_signing_key_from_jwt(self, token: str | bytes) -> PyJWK:
        """The key that a token names; nothing of the token is verified yet.

        Raises:
            DecodeError: the token can't be read.
            PyJWKClientError: there is no such key, or the set can't be had.
        """
        header = decode_complete(token, options={"verify_signature": False})["header"]
        return self.get_signing_key(header.get("kid"))

    @staticmethod
    def match_kid(signing_keys: Sequence[PyJWK], kid: str) -> PyJWK | None:
        """The first of these keys with this key id."""
        return next((key for key in signing_keys if key.key_id == kid), None)

    def _cooling(self) -> bool:
        """Whether an unknown key id has to wait; without a cache every look-up fetches anyway."""
        if self.jwk_set_cache is None:
            return False
        last = self._last_successful_fetch if self._failed is None else self._failed[0]
        return last is not None and time.monotonic() - last < self.cooldown_duration

    def _wire(self) -> Callable[[Get, Terms], Answer]:
        if self._fetch is None:
            try:
                from watchword.transport import wire  # noqa: PLC0415 -- needs an extra
            except ConfigurationError as error:
                raise PyJWKClientError(str(error)) from None
            self._fetch = wire.fetch
        return self._fetch


def _published(data: Any) -> dict[str, Any]:
    """A set without its secrets and private keys."""
    if not isinstance(data, dict):
        raise PyJWKClientError("The JWKS endpoint did not return a JSON object")
    keys = data.get("keys")
    if not isinstance(keys, list):
        return data
    return {"keys": [key for key in keys if not (isinstance(key, dict) and (key.get("kty") == "oct" or "d" in key))]}
