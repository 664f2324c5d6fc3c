"""The Digest engine as Flask-HTTPAuth speaks: nonces in hexadecimal digits, or the application's own, and where its state is."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from watchword.core.address import Address
from watchword.core.message import Request
from watchword.core.records import Found, Outcome, Ref, Store, Write
from watchword.core.io import is_async
from watchword.core.rejection import ConfigurationError, not_installed
from watchword.core.scheme import Random, malformed
from watchword.crypto.digests import hmac_sha256
from watchword.dropin.flask_httpauth._callbacks import called
from watchword.schemes.digest import DigestSecret, DigestVerifier, NonceKey
from watchword.schemes.digest.computation import Algorithm
from watchword.schemes.digest.credentials import PresentedCredentials
from watchword.schemes.digest.nonces import FOREIGN, NONCE_KEY, NonceState, Reading
from watchword.schemes.digest.server import DigestClaim

try:
    import flask
except ImportError:
    raise not_installed("flask") from None

__all__ = ["SECRET", "DigestState", "OwnValues", "SpelledDigestVerifier"]

SECRET: Final[ContextVar[tuple[str, DigestSecret] | None]] = ContextVar("SECRET", default=None)
"""The username of the request that is judged, and what `get_password` has said of it."""
SAID: Final = "watchword.flask_httpauth.said"
"""The name in an environ under which is kept what `verify_nonce` said of a nonce."""
_PURPOSE: Final = b"watchword.dropin.flask_httpauth: key of Digest nonces"
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
FOUND: Final = 1
"""The version of a record that nobody writes."""


class OwnValues(NamedTuple):
    """The functions of an application that makes nonces, or `opaque`, itself; None: the engine does it."""

    generate_nonce: Callable[..., Any] | None = None
    verify_nonce: Callable[..., Any] | None = None
    generate_opaque: Callable[..., Any] | None = None
    verify_opaque: Callable[..., Any] | None = None

    def check(self) -> None:
        """Takes whole pairs.

        Raises:
            ConfigurationError: a function makes what none verifies.
        """
        if self.generate_nonce is not None and self.verify_nonce is None:
            raise ConfigurationError("generate_nonce needs verify_nonce: nobody else knows which nonces are yours")
        if self.generate_opaque is not None and self.verify_opaque is None:
            raise ConfigurationError("generate_opaque needs verify_opaque: nobody else knows which values are yours")


class SpelledDigestVerifier(DigestVerifier):
    """A `DigestVerifier` whose nonces are hexadecimal, or made and verified by the application.

    Args:
        word: the scheme word of its credentials.
        own: the application's functions. Its nonces are good if `verify_nonce` says so, and the engine's if it says so, too.
        **settings: as `DigestVerifier`.

    Raises:
        ConfigurationError: as `DigestVerifier` and `OwnValues`.
    """

    def __init__(self, word: str, own: OwnValues, **settings: Any) -> None:
        own.check()
        super().__init__(**settings)
        self.addresses: Sequence[Address] = (Address(word=word.lower()),)
        (self.unnamed,) = self.algorithms  # some clients name none, which is no other
        self._own = own

    def read(self, request: Request) -> Any:
        """As `DigestVerifier.read`; where the application verifies something, nothing is known again without asking."""
        asks = self._own.verify_nonce is not None or self._own.verify_opaque is not None
        return self.read_in_full(request) if asks else super().read(request)

    def presented(self, request: Request) -> PresentedCredentials:
        """The parameters, which nobody has looked at yet.

        Raises:
            Rejected: they are malformed.
        """
        return super().read_in_full(request).presented

    def read_in_full(self, request: Request) -> DigestClaim:
        """As `DigestVerifier.read_in_full`.

        Raises:
            Rejected: also where the application refuses `opaque`.
        """
        claim, verify = super().read_in_full(request), self._own.verify_opaque
        if verify is not None and not called(verify, claim.presented.opaque):
            raise malformed("refused by verify_opaque", "authorization opaque")
        return claim

    def make_nonce(self, key: NonceKey, algorithm: Algorithm, now: float, random: Random) -> str:
        """The application's nonce, or the engine's in hexadecimal digits."""
        if self._own.generate_nonce is not None:
            return str(called(self._own.generate_nonce))
        made = super().make_nonce(key, algorithm, now, random)
        return a2b_base64(made.encode().translate(_FROM_URL)).hex()

    def read_nonce(self, key: NonceKey | None, algorithm: Algorithm, nonce: bytes, now: float) -> Reading:
        """What a nonce is; one of the application's begins its life when it is read."""
        own = self._own
        if own.generate_nonce is None:
            reading = super().read_nonce(key, algorithm, _respelled(nonce), now)
        elif key is None or not nonce.isascii():
            return FOREIGN
        else:
            reading = Reading(NonceState.CURRENT, now)
        if own.verify_nonce is None or reading.state is not NonceState.CURRENT:
            return reading
        return reading if _said_once(own.verify_nonce, nonce.decode()) else FOREIGN


def _said_once(verify: Callable[..., Any], nonce: str) -> bool:
    """What the function says, asked once for a request: it may use the nonce up, and a request may be judged anew."""
    said: dict[Any, bool] = flask.request.environ.setdefault(SAID, {})
    if (verify, nonce) not in said:
        said[verify, nonce] = bool(called(verify, nonce))
    return said[verify, nonce]


def _respelled(nonce: bytes) -> bytes:
    """As the engine spells it; b"" where it is not in lower-case hexadecimal digits."""
    try:
        octets = bytes.fromhex(nonce.decode("ascii"))
    except ValueError:
        return b""
    return b2a_base64(octets, newline=False).translate(_TO_URL) if octets.hex().encode() == nonce else b""


class DigestState:
    """The store of a guard: the secret of whoever the request names, and all else in a store of the application's.

    Args:
        kept: remembers which credentials were used.
        derives: the key of the nonces follows from the application's SECRET_KEY, so that its workers share it although `kept`
            is in the memory of each.

    Raises:
        ConfigurationError: `kept` is no store, or an async one.
    """

    def __init__(self, kept: Store, *, derives: bool) -> None:
        if not callable(getattr(kept, "fetch", None)) or isinstance(kept, type) or is_async(kept.fetch):
            raise ConfigurationError("store= is a store that is not async: SQLStore('sqlite:///digest.db')")
        self.kinds: frozenset[type] | None = None if kept.kinds is None else kept.kinds | {DigestSecret}
        self._kept = kept
        self._derives = derives
        self.blocking = kept.blocking
        self.commit: Callable[[Sequence[Write]], Outcome] = kept.commit

    def __repr__(self) -> str:
        return f"DigestState({self._kept!r})"

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """The records."""
        told: dict[Ref[Any], tuple[Any, int]] = {}
        elsewhere: list[Ref[Any]] = []
        for ref in refs:
            secret = flask.current_app.secret_key if self._derives and ref == NONCE_KEY else None
            if secret:
                octets = secret.encode() if isinstance(secret, str) else secret
                told[ref] = (NonceKey(hmac_sha256(octets, _PURPOSE)), FOUND)
            elif ref.kind is DigestSecret:
                named = SECRET.get()
                if named is not None and named[0] == ref.key[-1]:
                    told[ref] = (named[1], FOUND)
            else:
                elsewhere.append(ref)
        return Found(told).merged(self._kept.fetch(elsewhere)) if elsewhere else Found(told)
