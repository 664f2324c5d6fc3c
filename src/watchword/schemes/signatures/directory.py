"""The directory of an agent's keys (draft-ietf-webbotauth-httpsig-protocol-00, appendix "Validating the Domain Binding").

`KeyDirectory` serves it, and signs each answer with every key in it; `read_directory` reads one, `check_proofs` believes it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any, Final, NamedTuple

from watchword.structures.in_process import InProcess
from watchword.core.message import Headers, Request, Response
from watchword.core.rejection import ConfigurationError
from watchword.core.seal import has_content
from watchword.crypto.digests import digest
from watchword.crypto.encoding import parse_object
from watchword.crypto.keys import Key
from watchword.fields.content_digest import digest_field
from watchword.fields.structured import serialize_bare_item
from watchword.schemes.signatures.agents import WELL_KNOWN, Agent
from watchword.schemes.signatures.base import BasePlan, Message
from watchword.schemes.signatures.bots import DAY, named_by_thumbprint
from watchword.schemes.signatures.components import components_of, params_text
from watchword.schemes.signatures.key_owners import alias_of
from watchword.schemes.signatures.responses import ResponsePolicy, ResponseVerifier
from watchword.schemes.signatures.wire import read_signatures

__all__ = [
    "MAX_KEYS", "MEDIA_TYPE", "TAG", "KeyDirectory", "Listed", "check_proofs", "directory_keys", "read_directory",
]  # fmt: skip

MEDIA_TYPE: Final = "application/http-message-signatures-directory+json"
TAG: Final = "http-message-signatures-directory"
MAX_KEYS: Final = 16
"""Keys of one directory that are read, and that can be served."""

_COVERED: Final = BasePlan(components_of(("@authority;req", "content-digest")))
_PROOF, _EARLY_PROOF = (
    ResponsePolicy(
        (), request_components=("@authority",), fields=False, credentials=False, content=content, nonce=False, tag=TAG, expires=True,
        max_age=10 * 366 * DAY, skew=60,
    )
    for content in (True, False)
)  # fmt: skip
# What a JWK of the directory shows of a key: whatever else is in it, a private part above all, is not looked at.
_PUBLIC: Final = ("kty", "crv", "x", "y", "n", "e")
_ALGORITHMS: Final[Mapping[tuple[str, str], str]] = {
    ("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("EC", "P-384"): "ES384", ("RSA", ""): "PS512",
}  # fmt: skip
# RFC 9421 appendix B.1: everybody has these private keys.
_TEST_KEYS: Final = frozenset(
    [
        "BHj8s0GPnMEQtkaULIM-PLgEhLBbuGUQ1vMxmBWZzEo", "oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA",
        "ydQXMtvbsOsZyFir-Y7A8t7fKEM1gbKPvyFkdpu4fvI", "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U",
    ]
)  # fmt: skip


class _Answered(NamedTuple):
    response: Response
    body: bytes


class KeyDirectory(InProcess):
    """Serves the public keys of an agent at `/.well-known/http-message-signatures-directory`.

    Mount `asgi_endpoint(directory)` or `wsgi_endpoint(directory)` there, without authentication. Each answer has one
    signature per key, over the agent's authority and the content: whoever copies the keys to another place can't make them,
    nor have them made by asking for that place here.

    Args:
        keys: the private keys, those that sign now and those that will; up to 16.
        agent: whose they are, the origin at which clients find the directory, "https://bot.example".
        lifetime: seconds for which the signatures on an answer are good; lists of directories are copied around, so long.
        max_age: seconds for which an answer may be kept: so long works a key that is taken out.
        clock: seconds since the epoch.

    Raises:
        ConfigurationError: no key, a shared secret, a public key, more keys than anybody reads, or no https origin.

    >>> KeyDirectory([Key.generate("ed25519")], agent="https://bot.example")
    KeyDirectory('https://bot.example', 1 key)
    """

    __slots__ = ("_agent", "_body", "_clock", "_digest", "_keys", "_lifetime", "_max_age", "_own")

    def __init__(
        self,
        keys: Sequence[Key],
        *,
        agent: str,
        lifetime: float = 7 * DAY,
        max_age: float = DAY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._agent = Agent.of(agent)
        self._own = Request("GET", "https", self._agent.origin.partition("://")[2], WELL_KNOWN)
        self._keys = tuple(named_by_thumbprint(key) for key in keys)
        if not 0 < len(self._keys) <= MAX_KEYS or not all(key.can_sign and alias_of(key) for key in self._keys):
            raise ConfigurationError(
                f"a KeyDirectory has from 1 to {MAX_KEYS} private keys, such as ed25519: KeyDirectory([key], agent='https://bot.example')"
            )
        if not (1 <= lifetime <= 366 * DAY and 0 <= max_age <= lifetime):
            raise ConfigurationError("in seconds: 0 <= max_age <= lifetime, which is a year at most")
        self._lifetime, self._max_age, self._clock = int(lifetime), int(max_age), clock
        shown = [_shown(key) for key in self._keys]
        self._body = json.dumps({"keys": shown}, separators=(",", ":")).encode()
        self._digest = digest_field({"sha-256": digest("sha-256", self._body)})

    def __repr__(self) -> str:
        return f"KeyDirectory({self._agent.origin!r}, {len(self._keys)} key{'s' if len(self._keys) > 1 else ''})"

    async def respond(self, request: Request, io: object, receive: object, gone: object = None) -> _Answered:
        """The answer; nothing has to be done for it outside."""
        return self.answer(request)

    def answer(self, request: Request) -> _Answered:
        """The directory to GET and HEAD, 304 to whoever has it (RFC 9110 §13.1.2), 404 elsewhere, 405 to other methods."""
        if request.path != WELL_KNOWN.encode():
            return _bare(404)
        if request.method not in ("GET", "HEAD"):
            return _bare(405, (b"allow", b"GET, HEAD"))
        tag = b'"' + digest("sha-256", self._body).hex()[:32].encode() + b'"'
        fixed = ((b"etag", tag), (b"cache-control", b"public, max-age=%d" % self._max_age))
        if any(tag in value for value in request.values(b"if-none-match")):
            return _Answered(Response(304, fixed), b"")
        plain = Response(
            200, ((b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(self._body)), *fixed)
        )
        if not has_content(request.method, 200):
            return _Answered(plain, b"")
        digested = plain.with_more([(b"content-digest", self._digest)])
        return _Answered(digested.with_more(self._proofs(digested)), self._body)

    def _proofs(self, response: Response) -> Headers:
        """The signatures, for the agent's own authority: whatever Host says, they are no use to another."""
        now = int(self._clock())
        message = Message(self._own, response)
        inputs, signatures = [], []
        for number, key in enumerate(self._keys):
            params: dict[str, int | str] = {
                "created": now,
                "expires": now + self._lifetime,
                "keyid": key.key_id or "",
                "tag": TAG,
            }
            text = params_text(params).encode()
            signature = serialize_bare_item(key.signer(_COVERED.base(message, text)))
            inputs.append(f"binding{number}=".encode() + _COVERED.covered.encode() + text)
            signatures.append(f"binding{number}={signature}".encode())
        return (b"signature-input", b", ".join(inputs)), (b"signature", b", ".join(signatures))


def _shown(key: Key) -> dict[str, str]:
    """The JWK; `alg` is there where type and curve don't say it, and is a name of HTTP message signatures."""
    jwk = {name: value for name, value in key.to_jwk().items() if name != "alg"}
    return {**jwk, "alg": alias_of(key)} if jwk["kty"] == "RSA" else jwk


def _bare(status: int, *lines: tuple[bytes, bytes]) -> _Answered:
    return _Answered(Response(status, (*lines, (b"content-length", b"0"))), b"")


class Listed(NamedTuple):
    """A key of a directory, and from when until when it is good: seconds since the epoch (`nbf`, `exp`)."""

    key: Key
    begin: float
    end: float

    def is_good(self, now: float) -> bool:
        """Whether it is good now."""
        return self.begin <= now < self.end


def read_directory(body: bytes, *, labelled: bool = True, allow_test_keys: bool = False) -> list[Listed]:
    """The keys for signatures of a directory (RFC 7517 §5), each under its thumbprint.

    A key whose `kid` is something else is passed over, as is what can't be read: directories may hold keys of kinds to come.

    Args:
        body: the JSON.
        labelled: whether `kid` has to be the thumbprint: in a directory, not in any other key set.
        allow_test_keys: also take the keys of RFC 9421 appendix B.1.

    Raises:
        ConfigurationError: not a JWK set, no key that can be used, or more than are read.
    """
    try:
        members = parse_object(body).get("keys")
    except ValueError:
        raise ConfigurationError("this is no JWK set: not a JSON object, or a member name twice in one") from None
    if not isinstance(members, list) or len(members) > MAX_KEYS:
        raise ConfigurationError(f"a key directory has a list of at most {MAX_KEYS} keys")
    keys: dict[str | None, Listed] = {}
    for jwk in members:
        listed = _listed(jwk, labelled) if isinstance(jwk, dict) else None
        if listed is not None and (allow_test_keys or listed.key.key_id not in _TEST_KEYS):
            keys[listed.key.key_id] = listed
    if not keys:
        raise ConfigurationError("no key of this directory can be used")
    return list(keys.values())


def directory_keys(body: bytes, now: float, *, labelled: bool = True, allow_test_keys: bool = False) -> list[Key]:
    """The keys of a directory that are good now.

    Args:
        body: the JSON.
        now: seconds since the epoch.
        labelled: as for `read_directory`.
        allow_test_keys: as for `read_directory`.

    Raises:
        ConfigurationError: as `read_directory`.
    """
    listed = read_directory(body, labelled=labelled, allow_test_keys=allow_test_keys)
    return [one.key for one in listed if one.is_good(now)]


def _listed(jwk: Mapping[str, Any], labelled: bool) -> Listed | None:
    kind = jwk.get("kty"), jwk.get("crv", "")
    if jwk.get("use") not in (None, "sig") or not all(isinstance(part, str) for part in kind):
        return None
    algorithm = _ALGORITHMS.get(kind)  # type: ignore[arg-type] # checked
    if kind[0] == "RSA" and jwk.get("alg") in ("RS256", "rsa-v1_5-sha256"):
        algorithm = "RS256"
    begin, end = jwk.get("nbf", 0), jwk.get("exp", inf)
    if algorithm is None or type(begin) not in (int, float) or type(end) not in (int, float):
        return None
    try:
        key = Key.from_jwk({name: jwk[name] for name in _PUBLIC if name in jwk}, algorithm=algorithm)
        if labelled and jwk.get("kid", key.thumbprint()) != key.thumbprint():
            return None
        return Listed(named_by_thumbprint(key), begin, end)
    except ConfigurationError:
        return None


def check_proofs(
    keys: Sequence[Key], request: Request, response: Response, body: bytes, now: float, *, required: bool = False
) -> list[Key]:
    """The keys that a directory may publish, as far as it proves so: a signature that it has for one must be good.

    Those of earlier drafts cover no Content-Digest. They bind a key to the authority all the same, and each key has its own.

    Args:
        keys: as `directory_keys` has read them.
        request: the one that fetched the directory.
        response: the answer.
        body: its content.
        now: seconds since the epoch.
        required: drop keys without a signature.

    Raises:
        Rejected: a signature by one of the keys is not good, or says nothing of this authority or this content.
    """
    tagged = [
        one
        for one in read_signatures(response.headers, signatures=2 * MAX_KEYS)
        if one.covered.text_param("tag") == TAG
    ]
    proven = []
    for key in keys:
        own = [one.covered for one in tagged if one.covered.text_param("keyid") == key.key_id]
        if own:
            early = not any(one.name == "content-digest" for covered in own for one in covered.components)
            verifier = ResponseVerifier(key, _EARLY_PROOF if early else _PROOF, signatures=2 * MAX_KEYS)
            verifier.verify(request, response, body, now=now)
            proven.append(key)
        elif not required:
            proven.append(key)
    return proven
