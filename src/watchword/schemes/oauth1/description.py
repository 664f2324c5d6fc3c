"""What OAuth 1 computes, step by step (RFC 5849 §3.4): for `explain`, which varies it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from watchword.core.message import Request
from watchword.core.rejection import Rejected
from watchword.crypto.digests import hmac_digest
from watchword.schemes.diagnosis.text_axes import percent
from watchword.schemes.explaining.computation import (
    Encoding,
    Join,
    Leaf,
    Mac,
    Node,
    Of,
    Parameters,
    Style,
    joined,
    parameters_text,
)
from watchword.schemes.explaining.masking import body_members
from watchword.schemes.explaining.deviation import MAX_PARTS, Deviation, Make, constant
from watchword.schemes.oauth1.claim import OAuth1Claim
from watchword.schemes.oauth1.credentials import (
    METHODS,
    OAuth1Client,
    OAuth1Token,
    PresentedCredentials,
    without_signature,
)
from watchword.schemes.oauth1.encoding import Pairs, base_uri, form_pairs, is_form, normalized

__all__ = ["HASHES", "Described", "described"]

HASHES: Final[Mapping[str, str]] = {"sha-1": "sha1", "sha-256": "sha256", "sha-512": "sha512"}
URI: Final = "base string URI"
_ENCODED: Final = "percent-encoded"
_ADDED: Final = (
    ("oauth_version", "1.0"),
    ("oauth_token", ""),
    ("oauth_verifier", ""),
    ("oauth_callback", "oob"),
    ("oauth_callback", ""),
    ("realm", ""),
    ("oauth_signature", ""),
)


class Described(NamedTuple):
    """The base string, the key, the signature (None where no HMAC makes it), and the deviations that only OAuth has."""

    base: Join
    key: Join
    signature: Encoding | None
    more: Sequence[Deviation]


def described(
    claim: OAuth1Claim,
    presented: PresentedCredentials,
    body: bytes,
    secrets: tuple[str, str],
    clients: Sequence[tuple[str, OAuth1Client]] = (),
    tokens: Sequence[tuple[str, OAuth1Token]] = (),
    body_hash: bytes = b"",
) -> Described:
    """The signature of a request by the client's and the token's secret; `clients` and `tokens` are others that are known.

    Raises:
        Rejected: there is no base string.
    """
    parameters = _parameters(claim, body, body_hash)
    method = Leaf(
        "the method",
        claim.request.method.upper().encode(),
        "method",
        "@method",
        lambda seen, _: seen.method.upper().encode(),
    )
    uri = _uri(claim)
    base = Join(
        "the base string",
        (Encoding("the method", _ENCODED, method, "@method"), Encoding("the base string URI", _ENCODED, uri, URI),
         Encoding("the parameters", _ENCODED, parameters, "parameters")), b"&",
    )  # fmt: skip
    client = _secret("client", secrets[0], [(name, other.secret) for name, other in clients])
    others = [(name, other.secret) for name, other in tokens]
    token = _secret(
        "token", secrets[1], others, "" if presented.token else ": oauth_token is missing or empty", secrets[0]
    )
    key = Join(
        "the key", [Encoding(leaf.name, _ENCODED, leaf, "key") for leaf in (client, token)], b"&", component="key"
    )
    named = {name: leaf for name, leaf in parameters.pairs if leaf.component != "@query"}
    more = [*_renamed(named, b"oauth_consumer_key", client, [(name, other.secret) for name, other in clients]),
            *_renamed(named, b"oauth_token", token, [(name, other.secret) for name, other in tokens]),
            *_misnamed(parameters, token, tokens), *_more(claim, uri, parameters, body)]  # fmt: skip
    if presented.method.kind != "hmac":
        return Described(base, key, None, more)
    where = "oauth_signature"
    mac = Mac("the signature", HASHES[presented.method.hash], key, base, where, "oauth_signature_method")
    more += _methods(presented, mac, named)
    return Described(base, key, Encoding("the signature", "base64", mac, where), more)


def _secret(whose: str, secret: str, others: Sequence[tuple[str, str]], why: str = "", first: str = "") -> Leaf:
    known = [(f"the secret of another {whose}, {name!r}{why}", each.encode()) for name, each in others if each]
    known += [(f"the client's secret for that of the {whose}", first.encode())] if first else []
    return Leaf(f"the {whose} secret", secret.encode(), "key", f"{whose} secret", others=known)


# ---- the URI ------------------------------------------------------------------------------------------------------------


def _uri(claim: OAuth1Claim) -> Join:
    scheme, mark, rest = claim.uri.encode("latin-1").partition(b"://")
    authority, slash, path = rest.partition(b"/")
    sent = claim.request.authority.encode("utf-8", "replace")
    parts = (
        Leaf("the scheme", scheme, component="@scheme", others=[(f"the scheme {other.decode()}", other) for other in (b"http", b"https")]),
        Leaf("://", mark, "literal", URI),
        Leaf("the authority", authority, "authority", "@authority", others=[("the Host as it was sent", sent)]),
        Leaf("the path", slash + path, "path", "@path"),
    )  # fmt: skip
    return Join(
        "the base string URI", parts, b"", component=URI, source=lambda seen, _: base_uri(seen).encode("latin-1")
    )


# ---- the parameters -----------------------------------------------------------------------------------------------------


def _parameters(claim: OAuth1Claim, body: bytes, body_hash: bytes) -> Parameters:
    query = [*claim.query]
    pairs = []
    for name, value in claim.pairs(body):
        component = "@query" if (name, value) in query else "body"
        pairs.append(
            (unquote_to_bytes(name), _parameter(unquote_to_bytes(name), unquote_to_bytes(value), component, body_hash))
        )
    return Parameters("the parameters", pairs, Style(), "parameters", lambda seen, data: _signed(claim, seen, data))


def _parameter(name: bytes, value: bytes, component: str, body_hash: bytes) -> Leaf:
    shown = name.decode("utf-8", "backslashreplace")[:64]
    if name[:6] != b"oauth_":
        return Leaf(f"the value of {shown}", value, component=component)
    others = (
        [("the hash of this body, which was changed on the way", body_hash)]
        if name == b"oauth_body_hash" and body_hash
        else []
    )
    return Leaf(f"the value of {shown}", value, "time" if name == b"oauth_timestamp" else "text", shown, others=others)


def _signed(claim: OAuth1Claim, request: Request, body: bytes) -> bytes:
    """The parameters of another request with these credentials."""
    pairs = [*claim.own] if claim.place == "header" else []
    pairs += form_pairs(request.query or b"", "query")
    if claim.form and is_form(request):
        pairs += form_pairs(body, "body")
    return normalized(without_signature(pairs)).encode("latin-1")


def _with(node: Parameters, pairs: Pairs) -> Make:
    """These parameters too."""
    more = [(unquote_to_bytes(name), unquote_to_bytes(value)) for name, value in pairs]
    return lambda of: parameters_text([*((name, of(leaf)) for name, leaf in node.pairs), *more], node.style)


# ---- what only OAuth has ------------------------------------------------------------------------------------------------


def _without(node: Parameters, place: int) -> Make:
    return lambda of: parameters_text(
        [(name, of(leaf)) for at, (name, leaf) in enumerate(node.pairs) if at != place], node.style
    )


def _behind(node: Join, more: bytes) -> Make:
    return lambda of: joined(node, map(of, node.parts)) + more


def _in_uri(uri: Join, node: Parameters) -> Iterator[Deviation]:
    """One parameter of the query in the URI, and among the parameters or not."""
    for at, (name, leaf) in enumerate(node.pairs[:MAX_PARTS]):
        sent = b"?" + percent(name) + b"=" + percent(leaf.value)
        without: dict[Node, Make] = {node: _without(node, at)}
        for what, also in (("", {}), (", and not among the parameters", without)) if leaf.component == "@query" else ():
            did = f"has the parameter {name.decode('utf-8', 'backslashreplace')[:64]} in the base string URI{what}"
            yield Deviation(1.4, uri, did, _behind(uri, sent), "no query in it (§3.4.1.2)", sent.decode(), also=also)


def _more(claim: OAuth1Claim, uri: Join, node: Parameters, body: bytes) -> Iterator[Deviation]:
    yield from _in_uri(uri, node)
    names = {name for name, _ in node.pairs}
    for name, value in _ADDED:
        if name.encode() not in names:
            mend = f"{name} was signed: send it too"
            yield Deviation(
                1, node, "", _with(node, [(name, value)]), value or "an empty value", "nothing", name, mend=mend
            )
    value = next((value for name, value in claim.request.headers if name == b"authorization"), b"").decode("latin-1")
    _, realm, rest = value.partition('realm="')
    if realm:
        did = "signs the realm among the parameters"
        made = _with(node, [("realm", rest.partition('"')[0].replace("%", "%25"))])
        yield Deviation(1, node, did, made, "no realm among the parameters (§3.4.1.3.1)", "with the realm", "realm")
    kind = {b"{": "JSON", b"-": "multipart/form-data"}.get(body.lstrip()[:1], "")
    members = [*body_members(body)] if kind else []
    if members:
        did, right = f"signs the members of {kind} as parameters of a form", "a body that is no form, by its hash alone"
        made = _with(node, [(percent(name).decode(), percent(value).decode()) for name, value in members])
        yield Deviation(1.3, node, did, made, right, "its members as parameters", "body")
    if body and not claim.form and b"=" in body:
        try:
            form = form_pairs(body, "body")
        except Rejected:
            return
        mend = "the body was signed as a form: send its Content-Type, application/x-www-form-urlencoded"
        shown = "application/x-www-form-urlencoded", "another type, or none", "header content-type"
        yield Deviation(1, node, "", _with(node, form), *shown, mend=mend)


def _renamed(
    named: Mapping[bytes, Leaf], name: bytes, secret: Leaf, others: Sequence[tuple[str, str]]
) -> Iterator[Deviation]:
    leaf = named.get(name)
    for other, value in others if leaf is not None else ():
        assert leaf is not None
        said = other, leaf.value.decode("utf-8", "backslashreplace"), name.decode()
        mend = f"{name.decode()} was changed on the way: it was signed as {other!r}"
        also: dict[Node, Make] = {secret: constant(value.encode())} if value else {}
        yield Deviation(1, leaf, "", constant(other.encode()), *said, also=also, mend=mend)


def _misnamed(node: Parameters, secret: Leaf, tokens: Sequence[tuple[str, OAuth1Token]]) -> Iterator[Deviation]:
    """A known token that is sent under another name than it is signed by, or not at all."""
    for token, other in tokens if b"oauth_token" not in dict(node.pairs) else ():
        mend = "oauth_token is missing: it was signed, and left out of what is sent"
        also: dict[Node, Make] = {secret: constant(other.secret.encode())}
        yield Deviation(
            1, node, "", _with(node, [("oauth_token", token)]), "oauth_token", "nothing", "oauth_token", also, mend
        )
    for at, (name, leaf) in enumerate(node.pairs):
        for token, other in tokens:
            if leaf.value == token.encode() and name != b"oauth_token":
                shown = name.decode("utf-8", "backslashreplace")[:64]
                makes = partial(_called, node, at)
                mend = f"oauth_token is missing: the token stands in {shown}, and was signed as oauth_token"
                also = {secret: constant(other.secret.encode())}
                yield Deviation(1, node, "", makes, "oauth_token", shown, shown, also, mend)


def _called(node: Parameters, place: int, of: Of) -> bytes:
    pairs = [(b"oauth_token" if at == place else name, of(leaf)) for at, (name, leaf) in enumerate(node.pairs)]
    return parameters_text(pairs, node.style)


def _methods(presented: PresentedCredentials, mac: Mac, named: Mapping[bytes, Leaf]) -> Iterator[Deviation]:
    leaf = named.get(b"oauth_signature_method")
    for name, method in METHODS.items():
        if leaf is not None and method.kind == "hmac" and name != presented.method.name:
            mend = f"the method was changed on the way: it was signed with {name}"
            also: dict[Node, Make] = {mac: _by(mac, HASHES[method.hash])}
            said = name, presented.method.name, "oauth_signature_method"
            yield Deviation(1, leaf, "", constant(name.encode()), *said, also=also, mend=mend)


def _by(mac: Mac, algorithm: str) -> Make:
    def make(of: Of) -> bytes:
        return hmac_digest(algorithm, of(mac.key), of(mac.of))

    return make
