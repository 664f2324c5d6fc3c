"""Web Bot Auth (draft-ietf-webbotauth-httpsig-protocol-00): `WebBotAuth` signs, `WebBotVerifier` verifies.

It is a profile of HTTP Message Signatures: the tag "web-bot-auth", the thumbprint of the key as its id, and the place of the
keys in Signature-Agent, covered. `KeyDirectory` serves them, `watchword.stores.AgentDirectories` fetches them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol, runtime_checkable

import msgspec

from watchword.structures.bounded import Bounded
from watchword.core.identity import Identity
from watchword.structures.in_process import InProcess
from watchword.core.message import Request
from watchword.core.records import Found, Ref, Source
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection
from watchword.core.scheme import Address, Body, BodyNeed, Decision, Digests, More, Random, Refusal, malformed
from watchword.effects import Context, Flow
from watchword.schemes.client_half import ClientHalf
from watchword.crypto.keys import Key, KeySet
from watchword.schemes.key_source import NO_KEYS, KeySource
from watchword.schemes.signatures.agents import FIELD, Agent, agent_field, agent_of, read_agents
from watchword.schemes.signatures.claim import SignatureClaim
from watchword.schemes.signatures.policy import DEFAULT_COMPONENTS, SignaturePolicy
from watchword.schemes.signatures.scheme import SignatureAuth, SignatureVerifier

__all__ = ["TAG", "Agents", "WebBotAuth", "WebBotVerifier", "named_by_thumbprint"]

TAG: Final = "web-bot-auth"
DAY: Final = 86_400
_is_thumbprint: Final = re.compile("[A-Za-z0-9_-]{43}").fullmatch  # of SHA-256 (RFC 7638 §3)
_MAX_VERIFIERS: Final = 256


def named_by_thumbprint(key: Key) -> Key:
    """The same key with its JWK thumbprint (RFC 7638, RFC 8037 appendix A.3) as its id.

    Raises:
        ConfigurationError: a shared secret, or no key for signatures: what signs for the public is a pair.
    """
    if getattr(key, "use", "") != "sig" or key.is_secret:
        raise ConfigurationError("Web Bot Auth needs a key pair for signatures: Key.generate('ed25519')")
    name = key.thumbprint()
    if key.key_id == name:
        return key
    jwk = key.to_jwk(private=key.is_private)
    return Key.from_jwk({**jwk, "kid": name}, algorithm=key.algorithm)


class WebBotAuth(ClientHalf):
    """Signs the requests of an automated client, and says where its keys are.

    The signature covers method, authority, path, query, the Content-Digest of a body, and the client's own member of
    Signature-Agent.

    Args:
        key: the private key of a pair; its id becomes its thumbprint.
        agent: the origin that serves the key directory, "https://bot.example"; or, with type "jwks_uri", any key set's URL.
        type: "directory" or "jwks_uri".
        components: what is covered besides Signature-Agent; it needs "@authority" or "@target-uri".
        lifetime: seconds for which a signature is good, up to a day.
        label: of the signature and of its member of Signature-Agent.
        legacy: send Signature-Agent as the bare string of earlier drafts, for verifiers that know no other.

    Raises:
        ConfigurationError: a shared secret, a public key, or an agent that is no https origin.

    >>> WebBotAuth(Key.generate("ed25519"), agent="https://bot.example")
    WebBotAuth(agent='https://bot.example')
    """

    __slots__ = ("__weakref__", "_agent", "_bare", "_field", "_label", "_legacy", "_whole")

    def __init__(
        self,
        key: Key,
        *,
        agent: str,
        type: str = "directory",  # noqa: A002 -- the draft's word
        components: Sequence[str] | None = None,
        lifetime: float = 300,
        label: str = "sig1",
        legacy: bool = False,
    ) -> None:
        Agent.of(agent, type)
        if not 1 <= lifetime <= DAY:
            raise ConfigurationError("lifetime is a number of seconds, at most a day: lifetime=300")
        listed = tuple(DEFAULT_COMPONENTS if components is None else components)
        if not {"@authority", "@target-uri"} & set(listed):
            raise ConfigurationError(
                'a Web Bot Auth signature covers "@authority" or "@target-uri": list it in components'
            )
        named = named_by_thumbprint(key)
        own = "signature-agent" if legacy else f'signature-agent;key="{label}"'
        settings: dict[str, Any] = {"tag": TAG, "lifetime": lifetime, "label": label}
        self._bare = self._whole = SignatureAuth(named, components=(*listed, own), **settings)
        if components is None:
            self._whole = SignatureAuth(named, components=(*listed, "content-digest", own), **settings)
        self._agent = agent
        self._label = label
        self._legacy = legacy
        self._field = agent_field(label, agent, type, legacy=legacy)

    def __repr__(self) -> str:
        return f"WebBotAuth(agent={self._agent!r})"

    def flow(self, request: Request, context: Context) -> Flow:
        """As `SignatureAuth`, with Signature-Agent."""
        values = [] if self._legacy else request.values(FIELD)
        naming = request.with_headers(((FIELD, b", ".join([*values, self._field])),))
        auth = self._bare if self._whole is self._bare or not context.body() else self._whole
        return auth.flow(naming, context)

    def canonical(self, request: Request, body: bytes = b"") -> str:
        """The signature base of a request as it was sent, as `SignatureAuth.canonical`."""
        return self._bare.canonical(request, body)


@runtime_checkable
class Agents(Protocol):
    """Who may sign, and where its keys come from; `watchword.stores.AgentDirectories` is one."""

    def source(self, agent: Agent, /) -> KeySource | None:
        """What keeps the keys of `agent` up to date; None: it is not to be trusted.

        It is called for every request, genuine or not: nothing is asked, counted or remembered because of that alone.
        """
        ...


class WebBotVerifier(InProcess):
    """Verifies requests that automated clients signed, each under the name of the place where its keys are.

    `Identity.subject` is the URL from which the keys came (for a directory the well-known one), `key_id` the thumbprint.
    A key proves the agent whose directory it is in and no other, whatever Signature-Agent says.

    Args:
        agents: who may sign: `AgentDirectories(…)`, or the keys of each agent by its origin.
        policy: what a signature has to cover and say; by default what the draft demands, "@authority", created and
            expires. Without a nonce in it, a request can be sent again while its signature is good.
        max_age: seconds since `created` for which a signature is good.
        skew: seconds by which the client's clock may be ahead.

    Raises:
        ConfigurationError: no agents, or a policy for other tags.

    >>> WebBotVerifier({"https://bot.example": KeySet([Key.generate("ed25519")])}).scheme
    'signature'
    """

    scheme: str = "signature"
    described: str = (
        "Web Bot Auth: HTTP Message Signatures (RFC 9421). Made anew for each request, which Swagger UI can't do."
    )
    rank: int = 12
    addresses: Sequence[Address] = SignatureVerifier.addresses
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None
    ambient: bool = False

    def __init__(
        self,
        agents: Agents | Mapping[str, KeySet],
        *,
        policy: SignaturePolicy | None = None,
        max_age: float = DAY,
        skew: float = 30,
    ) -> None:
        policy = profile() if policy is None else policy
        if policy.tags != (TAG,):
            raise ConfigurationError(
                f'the policy of a WebBotVerifier is for one tag: SignaturePolicy(…, tags=("{TAG}",))'
            )
        self._settings: dict[str, Any] = {"policy": policy, "max_age": max_age, "skew": skew}
        self._agents = agents if isinstance(agents, Agents) else None
        self._known: Mapping[str, SignatureVerifier] = {} if self._agents else self._given(agents)
        self._first = SignatureVerifier(NO_KEYS, **self._settings)  # speaks for all of them
        self._made: Bounded[str, SignatureVerifier] = Bounded(_MAX_VERIFIERS)
        self.single_use = policy.nonce
        self.kinds: Sequence[type] = self._first.kinds

    def _given(self, agents: Any) -> dict[str, SignatureVerifier]:
        if not isinstance(agents, Mapping) or not agents:
            raise ConfigurationError("WebBotVerifier needs agents: AgentDirectories(allow=['https://bot.example'])")
        found = {}
        for origin, keys in agents.items():
            named = KeySet([named_by_thumbprint(key) for key in keys.keys])
            found[Agent.of(origin).identifier] = SignatureVerifier(named, **self._settings)
        return found

    def read(self, request: Request) -> AgentClaim | None:
        """The signatures with the profile's tag; None, if the request has none of them.

        Raises:
            Rejected: as `SignatureVerifier.read`; NOT_COVERED: without its agent; UNKNOWN_ISSUER: of nobody who may sign;
                AMBIGUOUS: of several who may; MALFORMED_CREDENTIALS: without a thumbprint for its key.
        """
        claim = self._first.read(request)
        if claim is None:
            return None
        agents = read_agents(request.values(FIELD))
        named = [(agent_of(agents, one.label, one.plan.base.components), one) for one in claim.presented]
        allowed = [(agent, verifier) for agent, _ in named if (verifier := self._verifier(agent)) is not None]
        if not allowed:
            raise Rejected(Reason.UNKNOWN_ISSUER, "no agent that signed may sign here", where="signature-agent")
        agent, verifier = allowed[0]
        if any(other.identifier != agent.identifier for other, _ in allowed):
            raise Rejected(Reason.AMBIGUOUS, "several agents signed that may", where="signature-agent")
        mine = [one for other, one in named if other.identifier == agent.identifier]
        if not all(_is_thumbprint(one.key_id or "") for one in mine):
            raise malformed("keyid is the thumbprint of a key (RFC 7638)", where="keyid")
        return AgentClaim(agent, verifier.claim(request, mine), request.peer.address)

    @property
    def routes(self) -> Sequence[str | None]:
        """The profile's tag, by which a guard tells this verifier from others of signatures."""
        return self._first.routes

    def route(self, request: Request) -> str | None:
        """The tag of the signatures, unverified."""
        return self._first.route(request)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """What is wanted, as Accept-Signature (RFC 9421 §5)."""
        return self._first.refuse(rejection, found, now, random)

    def _verifier(self, agent: Agent) -> SignatureVerifier | None:
        if self._agents is None:
            return self._known.get(agent.identifier)
        source = self._agents.source(agent)
        if source is None:
            return None
        made = self._made.get(agent.identifier)
        if made is None or made.source is not source:
            made = SignatureVerifier(source, **self._settings)
            made.signature_reader = self._first.signature_reader
            if source.keys is not None:  # names that anybody makes up take nobody's place
                self._made.put(agent.identifier, made)
        return made


def profile(**demands: Any) -> SignaturePolicy:
    """The draft's demands, and further ones, as `SignaturePolicy` takes them: `profile(components=…, nonce=True)`.

    >>> profile().components
    (Component(name='@authority', params=()),)
    """
    return SignaturePolicy(
        **{"components": ("@authority",), "body": False, "nonce": False, "expires": True, **demands, "tags": (TAG,)}
    )


class AgentClaim:
    """The signatures of one agent, not yet verified."""

    __slots__ = ("address", "agent", "signatures")

    def __init__(self, agent: Agent, signatures: SignatureClaim, address: str) -> None:
        self.agent = agent
        self.signatures = signatures
        self.address = address

    @property
    def needs(self) -> Sequence[Ref[Any]]:
        """None: keys are asked for where they are."""
        return self.signatures.needs

    @property
    def body(self) -> BodyNeed | Digests:
        """What the covered digests need."""
        return self.signatures.body

    def slow(self, found: Found) -> bool:
        """Never."""
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        """The verdict on the signatures, in the name of the agent."""
        decision = self.signatures.decide(found, body, now, random)
        if isinstance(decision, More):
            return decision._replace(asks=[(self._asked(source), refs) for source, refs in decision.asks])
        who = decision.identity
        claims = MappingProxyType({**who.claims, "agent": self.agent.name})
        agent = Identity(self.agent.identifier, who.scheme, who.key_id, who.scopes, claims)
        return msgspec.structs.replace(decision, identity=agent)

    def _asked(self, source: Any) -> Source:
        """The source, as it is asked because of a request from this address."""
        asked_from = getattr(source, "asked_from", None)
        asked: Source = source if asked_from is None else asked_from(self.address)
        return asked
