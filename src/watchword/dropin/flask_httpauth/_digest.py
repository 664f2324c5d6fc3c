"""`HTTPDigestAuth`: judged by a guard with the engine's `DigestVerifier`; the application gives passwords, or hashes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from watchword.core.admission import Admission
from watchword.core.answer import Challenge, Refusal
from watchword.core.guard import Guard
from watchword.core.message import Response
from watchword.core.plan import Policy
from watchword.core.records import Store
from watchword.core.rejection import ConfigurationError, Reason, Rejected, not_installed
from watchword.crypto.digests import hex_digest
from watchword.dropin.flask_httpauth._base import HTTPAuth, text_of
from watchword.dropin.flask_httpauth._callbacks import Callback, called
from watchword.dropin.flask_httpauth._nonces import SECRET, DigestState, OwnValues, SpelledDigestVerifier
from watchword.schemes.digest import DigestSecret, ha1
from watchword.schemes.digest.computation import checked_algorithms
from watchword.schemes.digest.credentials import quoted
from watchword.servers.flask.problem import problem_of
from watchword.servers.wsgi.body import Body
from watchword.servers.wsgi.judging import judged
from watchword.servers.wsgi.request import request_of
from watchword.stores import MemoryStore

try:
    import flask
except ImportError:
    raise not_installed("flask") from None
from werkzeug.datastructures import Authorization

__all__ = ["HTTPDigestAuth"]

PROVEN: Final = "watchword.flask_httpauth.proven"
"""The name in an environ under which is kept which object has admitted its request already, and by which secret."""
CHALLENGES: Final = "watchword.flask_httpauth.challenges"
"""The name in an environ under which each object keeps the challenge that answers its request."""
OWN_NONCES: Final = 86_400.0
"""Seconds for which the uses of an application's own nonces are remembered, since nobody knows when these end."""
NO_POLICY: Final = Policy(attempts=None)


class HTTPDigestAuth(HTTPAuth):
    """Digest authentication (RFC 7616). Its state is in a store, and no cookie is needed.

    Args:
        scheme: the word of the challenge and of the credentials, if not Digest.
        realm: what the user is asked to log in to.
        use_ha1_pw: `get_password` gives what `generate_ha1` made, not the password.
        qop: "auth", "auth-int" or both, as a list or with a comma between them; None: RFC 2069's form, by which a response
            covers no count. Each is then accepted once.
        algorithm: "MD5", "SHA-256", "SHA-512-256", or one of them with "-sess".
        store: remembers which credentials were used; several processes of an application share one. None: a `MemoryStore`.
        nonce_lifetime: seconds for which a nonce is good.
        policy: the public URL of the application, limits, clock, and how many failed attempts are allowed; by default any number.

    Raises:
        ConfigurationError: the algorithm is unknown, or this host can't compute it. Other settings are looked at with the
            first request, for they may be changed until then.

    >>> HTTPDigestAuth(algorithm="SHA-256", realm="orders").generate_ha1("alice", "open sesame")[:16]
    '562581b041c0431e'
    """

    def __init__(
        self,
        scheme: str | None = None,
        realm: str | None = None,
        use_ha1_pw: bool = False,
        qop: str | Sequence[str] | None = "auth",
        algorithm: str = "MD5",
        *,
        store: Store | None = None,
        nonce_lifetime: float = 300,
        policy: Policy = NO_POLICY,
    ) -> None:
        super().__init__(scheme or "Digest", realm)
        self.use_ha1_pw = use_ha1_pw
        self.qop = [value.strip() for value in qop.split(",")] if isinstance(qop, str) else qop
        (row,) = checked_algorithms([algorithm])
        self.algorithm = "MD5-Sess" if row.name == "MD5-sess" else row.name  # as Flask-HTTPAuth spells it
        self.generate_nonce_callback: Callable[..., Any] | None = None
        self.verify_nonce_callback: Callable[..., Any] | None = None
        self.generate_opaque_callback: Callable[..., Any] | None = None
        self.verify_opaque_callback: Callable[..., Any] | None = None
        self._state = DigestState(MemoryStore() if store is None else store, derives=store is None)
        self._nonce_lifetime = nonce_lifetime
        self._policy = policy
        self._made: tuple[object, Guard, SpelledDigestVerifier] | None = None

    # ---- what the application says ---------------------------------------------------------------------------------

    def generate_nonce(self, f: Callback) -> Callback:
        """Decorates the function that makes a nonce; it needs `verify_nonce`. The uses of a nonce are remembered for a day."""
        self.generate_nonce_callback = f
        return f

    def verify_nonce(self, f: Callback) -> Callback:
        """Decorates the function that says whether a nonce is good: `verify_nonce(nonce)`."""
        self.verify_nonce_callback = f
        return f

    def generate_opaque(self, f: Callback) -> Callback:
        """Decorates the function that makes `opaque`; it needs `verify_opaque`."""
        self.generate_opaque_callback = f
        return f

    def verify_opaque(self, f: Callback) -> Callback:
        """Decorates the function that says whether `opaque` is good: `verify_opaque(opaque)`, None where the client sent none."""
        self.verify_opaque_callback = f
        return f

    def generate_ha1(self, username: str, password: str) -> str:
        """What the application may keep in place of the password, with `use_ha1_pw`; it is good for this realm and algorithm."""
        return ha1(self.algorithm, username, self.realm, password)

    # ---- what is sent ----------------------------------------------------------------------------------------------

    def get_nonce(self) -> str:
        """A nonce for one challenge."""
        return dict(self._challenge().params)["nonce"]

    def get_opaque(self) -> str:
        """What clients give back. Nothing is covered by it; by default it is the same for all."""
        if self.generate_opaque_callback is not None:
            return str(called(self.generate_opaque_callback))
        return hex_digest("sha-256", b"opaque:" + self.realm.encode())[:32].decode()

    def authenticate_header(self) -> str:
        """The challenge; it says stale=true where all was right but the nonce."""
        told = dict((self._challenges().get(self) or self._challenge()).params)
        texts = {"realm": self.realm, "nonce": told["nonce"], "opaque": self.get_opaque()}
        if self.qop:
            texts |= {"algorithm": self.algorithm, "qop": ",".join(self.qop)}
        parts = [f"{name}={text_of(quoted(value.encode()))}" for name, value in texts.items()]
        return f"{self.scheme} {','.join([*parts, *(['stale=true'] if 'stale' in told else [])])}"

    # ---- what comes back -------------------------------------------------------------------------------------------

    def get_auth(self) -> Authorization | None:
        """The parameters as the engine reads them, not verified; None if they are malformed, or there are none."""
        request = request_of(flask.request.environ)
        if not self.speaks(request.lines.get(b"authorization", b"").partition(b" ")[0].decode("latin-1")):
            return None
        try:
            presented = self._engine()[1].presented(request)
        except Rejected:
            return None
        octets = {"realm": presented.realm, "nonce": presented.nonce, "uri": presented.uri, "cnonce": presented.cnonce}
        return Authorization("digest", {
            "username": presented.username, **{name: text_of(value) for name, value in octets.items()},
            "algorithm": presented.algorithm, "qop": presented.qop, "nc": presented.nc, "opaque": presented.opaque,
            "response": presented.response,
        })  # fmt: skip

    def authenticate(self, auth: Authorization | None, stored_password: Any) -> bool:
        """Whether the request proves the password: for this method and target, and for the first time.

        Raises:
            werkzeug.exceptions.HTTPException: nothing could be decided (503), or the request is refused unread (413, 414, 431) or
                because of its failed attempts (429, with a `policy`).
        """
        guard, environ, secret = self._engine()[0], flask.request.environ, self._secret(auth, stored_password)
        proven: set[Any] = environ.setdefault(PROVEN, set())
        if (self, secret) in proven:  # by a hook, or another decorator: the same request is no replay of itself
            return True
        named = SECRET.set(secret)
        try:
            body = Body(environ, taken="stream" in flask.request.__dict__)  # where werkzeug keeps it
            verdict = judged(guard, environ, request_of(environ), body, False)
        finally:
            SECRET.reset(named)
        if isinstance(verdict, Admission):
            proven.add((self, secret))
            _prove(verdict, guard)
            return True
        refusal = verdict.refusal or Refusal(503)
        if refusal.status not in (400, 401):
            _add(refusal.headers)
            raise problem_of(refusal)
        if refusal.challenges:
            self._challenges()[self] = refusal.challenges[0]
        return False

    def asks_again(self) -> bool:
        """Whether only the nonce was at fault. A view that went on without a user would show who has logged in as nobody."""
        challenge = self._challenges().get(self)
        return challenge is not None and "stale" in dict(challenge.params)

    def _secret(self, auth: Authorization | None, stored: Any) -> tuple[str, DigestSecret] | None:
        if auth is None or not auth.username or not stored:
            return None
        if not isinstance(stored, str):
            raise TypeError(f"get_password gives a text or None, not {type(stored).__name__}")
        made = stored if self.use_ha1_pw else self.generate_ha1(auth.username, stored)
        return auth.username, DigestSecret(made)

    # ---- the engine ------------------------------------------------------------------------------------------------

    def _engine(self) -> tuple[Guard, SpelledDigestVerifier]:
        """The guard for the settings of this moment, and its verifier."""
        own = OwnValues(
            self.generate_nonce_callback, self.verify_nonce_callback, self.generate_opaque_callback, self.verify_opaque_callback
        )  # fmt: skip
        settings = (self.scheme, self.realm, self.algorithm, tuple(self.qop) if self.qop else None, own)
        if self._made is None or self._made[0] != settings:
            verifier = self._verifier(own)
            self._made = settings, Guard([verifier], self._state, policy=self._policy), verifier
        return self._made[1:]

    def _verifier(self, own: OwnValues) -> SpelledDigestVerifier:
        if not self.qop and self.algorithm != "MD5":
            raise ConfigurationError("qop=None is RFC 2069's form, which knows MD5 alone: qop='auth'")
        return SpelledDigestVerifier(
            self.scheme or "Digest", own, realm=self.realm, algorithms=[self.algorithm],
            qop=self.qop or ("auth",), allow_legacy_rfc2069=not self.qop,
            nonce_lifetime=self._nonce_lifetime if own.generate_nonce is None else OWN_NONCES,
            opaque=self.get_opaque() if own.verify_opaque is None else None,
        )  # fmt: skip

    def _challenge(self) -> Challenge:
        refusal = self._engine()[0].refuse(Rejected(Reason.NO_CREDENTIALS))
        if not refusal.challenges:
            raise problem_of(refusal)  # 503: the store does not answer
        return refusal.challenges[0]

    def _challenges(self) -> dict[HTTPAuth, Challenge]:
        """The challenge that answers the request of this moment, of each object that has judged it."""
        kept: dict[HTTPAuth, Challenge] = flask.request.environ.setdefault(CHALLENGES, {})
        return kept


def _prove(admission: Admission, guard: Guard) -> None:
    """Has the answer prove the password to the client (RFC 7616 §3.5).

    Not where that covers the body (qop=auth-int): what the application does after its views may still change it.
    """
    if admission.holds_back:
        return

    def proving(answer: flask.Response) -> flask.Response:
        for name, value in admission.answer_headers(guard.plan, Response(answer.status_code), None):
            answer.headers.add(name.decode(), text_of(value))
        return answer

    flask.after_this_request(proving)


def _add(fields: Sequence[tuple[bytes, bytes]]) -> None:
    def adding(answer: flask.Response) -> flask.Response:
        for name, value in fields:
            answer.headers.add(name.decode(), text_of(value))
        return answer

    flask.after_this_request(adding)
