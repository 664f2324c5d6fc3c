"""The client half: `DPoPAuth`, a token and a proof of its key with each request (RFC 9449 §7.1)."""

from __future__ import annotations

from typing import Final

from watchword.core.message import Request, Response
from watchword.core.rejection import ConfigurationError
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.keys import Key
from watchword.effects import Context, Flow, Received, Send
from watchword.fields.auth_params import parse_challenges
from watchword.fields.target import check_target
from watchword.schemes.bearer import bearer_field, is_token
from watchword.schemes.client_half import ClientHalf
from watchword.schemes.dpop.proof import is_nonce, make_proof, public_jwk, url_of
from watchword.schemes.sending import refuse_cleartext
from watchword.structures.bounded import Bounded

__all__ = ["DPoPAuth"]

MAX_ORIGINS: Final = 256
"""Of how many servers the last nonce is remembered."""

Origin = tuple[str, str]


class DPoPAuth(ClientHalf):
    """Sends a token that is bound to a key, and a new proof of that key with each request.

    A nonce that a server gives is in the next proof for that origin, and never in one for another (RFC 9449 §8.2, §9). Where a
    server demands one, the request is sent once more with it.

    Args:
        token: the access token, as issued.
        key: the private key that the token is bound to; its `thumbprint()` is the token's `cnf.jkt`.
        allow_cleartext: also send it over plain http to other hosts than this one.

    Raises:
        ConfigurationError: no token, or a key that can't sign proofs.

    >>> DPoPAuth("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU", Key.generate("ES256"))
    DPoPAuth(token=***)
    """

    def __init__(self, token: str, key: Key, *, allow_cleartext: bool = False) -> None:
        if not is_token(token):
            raise ConfigurationError(
                "an access token has letters, digits and -._~+/ only, then maybe = (RFC 6750 §2.1): pass it as issued"
            )
        public_jwk(key)  # raises where it can't sign proofs
        self._token = token
        self._key = key
        self._allow_cleartext = allow_cleartext
        self._nonces: Bounded[Origin, str] = Bounded(MAX_ORIGINS)

    @property
    def every_answer(self) -> bool:
        """Each answer may bring the next nonce."""
        return True

    def flow(self, request: Request, context: Context) -> Flow:
        """One request, with the token and a proof; once more where the server demands a nonce.

        Raises:
            ConfigurationError: the request would show the token to the network.
        """
        check_target(request)
        refuse_cleartext(request, self._allow_cleartext)
        origin = (request.scheme, request.authority.lower())
        sent_with = self._nonces.get(origin)
        received: Received = yield Send(self._proven(request, sent_with, context))
        nonce = self._learn(origin, received.response)
        if nonce is None or nonce == sent_with or not _demands_nonce(received.response):
            return
        received = yield Send(self._proven(request, nonce, context))
        self._learn(origin, received.response)

    def _proven(self, request: Request, nonce: str | None, context: Context) -> Request:
        jti = b64url_encode(context.random(16)).decode()
        proof = make_proof(
            self._key, request.method, url_of(request), jti=jti, now=context.now(), token=self._token, nonce=nonce
        )
        return request.with_headers((bearer_field(self._token, "DPoP"), (b"dpop", proof.encode())))

    def _learn(self, origin: Origin, answer: Response) -> str | None:
        """The nonce that an answer brings, kept for the next proof; None if it brings none, or something else."""
        values = answer.values(b"dpop-nonce")
        nonce = values[0].decode("latin-1") if len(values) == 1 else ""
        if not is_nonce(nonce):
            return None
        if self._nonces.get(origin) != nonce:
            self._nonces.put(origin, nonce)
        return nonce

    def __repr__(self) -> str:
        return "DPoPAuth(token=***)"


def _demands_nonce(answer: Response) -> bool:
    """Whether the answer is the refusal of RFC 9449 §9."""
    return answer.status == 401 and any(
        challenge.scheme == "dpop" and dict(challenge.params).get("error") == "use_dpop_nonce"
        for challenge in parse_challenges(answer.values(b"www-authenticate"))
    )
