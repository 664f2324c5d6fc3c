"""The field Signature-Agent (draft-ietf-webbotauth-httpsig-protocol-00): who signs, as the place of the keys. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from watchword.core.answer import Token
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.schemes.client_half import need_text
from watchword.fields.structured import (
    Item, Member, StructuredFieldError, parse_dictionary, parse_item, serialize_dictionary, serialize_item,
)  # fmt: skip
from watchword.schemes.signatures.components import Component

__all__ = ["FIELD", "MAX_AGENTS", "WELL_KNOWN", "Agent", "agent_field", "agent_of", "read_agents"]

FIELD: Final = b"signature-agent"
WELL_KNOWN: Final = "/.well-known/http-message-signatures-directory"
MAX_AGENTS: Final = 8
"""Members that are read."""
_MAX_PARTS: Final = 6 * MAX_AGENTS  # the label, the URL, and two parameters
_LONGEST: Final = 1024
# https, a host (name or address), a port; then a path and a query. What the fetch may go to is judged again there.
_URL: Final = re.compile(
    r"(?i:https)://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?"
    r"(/[A-Za-z0-9._~:/@!$&'()*+,;=%-]*)?(\?[A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?"
)


class Agent(NamedTuple):
    """Where a signer publishes its keys.

    Args:
        url: what to fetch.
        kind: "directory", the well-known place of an origin; or "jwks_uri", any key set.
        identifier: the URL that names the signer (§ "The Signature-Agent URL is the identifier"): without the query, its
            host in lower case, without the port that https has anyway.

    >>> Agent.of("https://Bot.example:443").identifier
    'https://bot.example/.well-known/http-message-signatures-directory'
    >>> Agent.of("https://bot.example/keys?v=2", "jwks_uri").identifier
    'https://bot.example/keys'
    """

    url: str
    kind: str
    identifier: str

    @classmethod
    def of(cls, url: str, kind: str = "directory") -> Agent:
        """The agent whose keys are at an origin ("directory") or a URL ("jwks_uri").

        Raises:
            ConfigurationError: not https, not an origin where one is needed, or a kind that is not supported.
        """
        if kind not in ("directory", "jwks_uri"):
            raise ConfigurationError('the keys of an agent are in a "directory", or at a "jwks_uri"')
        need_text("an agent", url)
        match = _URL.fullmatch(url) if len(url) <= _LONGEST else None
        if match is None or int(match[2] or 443) > 65535:
            raise ConfigurationError("an agent is an https URL: https://bot.example")
        host, port, path, query = match[1].lower(), int(match[2] or 443), match[3] or "", match[4] or ""
        origin = f"https://{host}" if port == 443 else f"https://{host}:{port}"
        if kind == "jwks_uri" and path == WELL_KNOWN:  # a directory, whatever it is called, and under its rules
            kind, path = "directory", ""
        if kind == "directory":
            if path not in ("", "/") or query:
                raise ConfigurationError('the agent of a directory is an origin, https://bot.example; else "jwks_uri"')
            return cls(origin + WELL_KNOWN, kind, origin + WELL_KNOWN)
        return cls(f"{origin}{path or '/'}{query}", kind, f"{origin}{path or '/'}")

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return "/".join(self.identifier.split("/", 3)[:3])

    @property
    def name(self) -> str:
        """The origin, for which its directory speaks; of another key set its URL: who has a file there is not the origin."""
        return self.origin if self.kind == "directory" else self.identifier


def agent_field(label: str, agent: str, kind: str = "directory", *, legacy: bool = False) -> bytes:
    """The value of the field for one signer; `legacy`: as the bare string that it was at first.

    >>> agent_field("sig1", "https://bot.example")
    b'sig1="https://bot.example"'
    """
    if legacy:
        return serialize_item(Item(agent)).encode()
    params = {} if kind == "directory" else {"type": Token(kind)}
    return serialize_dictionary({label: Item(agent, params)}).encode()


def read_agents(values: Sequence[bytes]) -> dict[str, Agent | None] | Agent | None:
    """The agents of a field: by label, or the one of the bare string; None in the place of one that can't be resolved.

    Raises:
        Rejected: MALFORMED_CREDENTIALS: neither a dictionary nor a string, or more members than are read.

    >>> read_agents([b'"https://bot.example"']).origin
    'https://bot.example'
    """
    text = b", ".join(values)
    try:
        if text.lstrip(b" ")[:1] == b'"':
            return _agent(parse_item(text, most=_MAX_PARTS))
        members = parse_dictionary(text, most=_MAX_PARTS)
    except StructuredFieldError as error:
        raise _malformed(str(error)) from None
    if len(members) > MAX_AGENTS:
        raise _malformed(f"{len(members)} agents where at most {MAX_AGENTS} are read")
    return {label: _agent(member) for label, member in members.items()}


def agent_of(agents: dict[str, Agent | None] | Agent | None, label: str, covered: Sequence[Component]) -> Agent:
    """The agent that a signature names, and covers: no other speaks for it.

    Args:
        agents: as `read_agents` gives them.
        label: the signature's.
        covered: what it covers.

    Raises:
        Rejected: NOT_COVERED: it covers none. MALFORMED_CREDENTIALS: several and none of its own label, or one that is no
            https URL of a type that is supported.
    """
    named = [one for one in covered if one.name == "signature-agent" and not (one.has("req") or one.has("tr"))]
    if not named:
        raise Rejected(Reason.NOT_COVERED, "the signature covers no Signature-Agent", where="signature-agent")
    found: Agent | None
    if not isinstance(agents, dict):
        found = agents if all(one.param("key") is None for one in named) else None
    else:
        keys = [one.param("key") for one in named]
        whole = label in keys or None in keys
        key = label if whole else keys[0] if len(keys) == 1 else None  # of several it covers, none is the signer's own
        found = None if key is None else agents.get(key)
    if found is None:
        raise _malformed("the signature's agent is no https URL of a supported type")
    return found


def _agent(member: Member) -> Agent | None:
    if not isinstance(member, Item) or type(member.value) is not str:
        return None
    kind = member.params.get("type", Token("directory"))
    try:
        return Agent.of(member.value, kind) if isinstance(kind, Token) else None
    except ConfigurationError:
        return None


def _malformed(detail: str) -> Rejected:
    return Rejected(Reason.MALFORMED_CREDENTIALS, detail, where="signature-agent")
