"""What a message signature is made of (RFC 9421 §2.5), step by step: for `explain`, which varies it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from watchword.core.message import Request
from watchword.core.rejection import Rejected
from watchword.crypto.digests import digest
from watchword.crypto.keys import Key
from watchword.fields.content_digest import ACTIVE, digest_field
from watchword.fields.structured import parse_item, serialize_bare_item
from watchword.schemes.explaining.accounts import body_digest
from watchword.schemes.explaining.computation import Computation, Encoding, Join, Leaf, Mac, Node, Source
from watchword.schemes.explaining.deviation import MAX_PARTS, Deviation, constant
from watchword.schemes.explaining.rows import Row
from watchword.schemes.signatures.base import component_value
from watchword.schemes.signatures.claim import SignatureClaim
from watchword.schemes.signatures.components import Component
from watchword.schemes.signatures.message import Message, path_and_query
from watchword.schemes.signatures.policy import DIGEST_FIELDS
from watchword.schemes.signatures.reading import PresentedCredentials
from watchword.schemes.signatures.wrong_bases import INPUT, Line, Lines, wrong_bases

__all__ = ["HASHES", "Described", "described", "params_of"]

HASHES: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_KINDS: Final = {
    "@method": "method", "@authority": "authority", "@path": "path", "@query": "query", "@request-target": "target",
}  # fmt: skip
_SECRET: Final = ("authorization", "proxy-authorization", "cookie", "x-api-key", "dpop")
_SCHEMES: Final = (b"https", b"http", b"HTTPS", b"HTTP", b"https:", b"wss", b"ws")


class Described(NamedTuple):
    """The signature base, its MAC if the key is a shared one, and the deviations that only this scheme has."""

    base: Join
    signature: Encoding | None
    more: Sequence[Deviation]

    @property
    def fits(self) -> bytes:
        """The base as the description makes it."""
        return Computation(self.base).value(self.base)


Others = Sequence[tuple[str, Key]]


def described(claim: SignatureClaim, one: PresentedCredentials, key: Key, others: Others, body: bytes) -> Described:
    """The signature of one label.

    Args:
        claim: what was read.
        one: the signature.
        key: that it should be made with.
        others: further keys, with their key ids.
        body: the request's.

    Raises:
        Rejected: the request lacks something that is covered.
    """
    values = _Values(claim)
    lines = [_line(values, component, body) for component in one.plan.base.components]
    listed = Join("the list of components", [line.identifier for line in lines], b" ", component=INPUT)
    marked = Join("the list in parentheses", (_literal("the opening parenthesis", "("), listed, _literal("the closing parenthesis", ")")), b"", component=INPUT)  # fmt: skip
    params = {name: _parameter(name, value) for name, value in params_of(one).items()}
    nodes = [Join(f"the parameter {name}", (_literal(f"the name {name}", name), leaf), b"=", component=leaf.component) for name, leaf in params.items()]  # fmt: skip
    said = Join("the signature parameters", (marked, *nodes), b";", component=INPUT)
    last = Join("the line of @signature-params", (_literal("its name", '"@signature-params"'), said), b": ", component=INPUT)  # fmt: skip
    base = Join("the signature base", (*(line.node for line in lines), last), b"\n", component="signature base")
    signature = None
    shared: Mapping[str, Leaf] = {}
    if key.is_secret and key.algorithm in HASHES:
        secrets = [
            (f"the secret of another key, {name!r}", other.secret_bytes()) for name, other in others if other.is_secret
        ]
        secret = Leaf("the registered secret", key.secret_bytes(), "key", "key", others=secrets)
        mac = Mac("the signature", HASHES[key.algorithm], secret, base, "signature", "alg")
        signature, shared = Encoding("the signature", "base64", mac, "signature"), {"secret": secret}
    parts = Lines(base, listed, said, last, lines, params)
    more = [
        *_renamed(params, shared, others),
        *_digests(lines, body),
        *wrong_bases(parts, list(_addable(values, claim, one)), one.label, key, body),
    ]
    return Described(base, signature, more)


def _literal(name: str, text: str) -> Leaf:
    return Leaf(name, text.encode("ascii"), "literal", INPUT)


# ---- the components (§2.1, §2.2) ----------------------------------------------------------------------------------------


class _Values:
    """The values of components; the message that was asked about last is kept."""

    def __init__(self, claim: SignatureClaim) -> None:
        self.request = claim.request
        self.types = claim.settings.policy.types
        self._last = Message(claim.request, types=self.types)

    def __call__(self, component: Component, request: Request) -> bytes:
        if request is not self._last.request:
            self._last = Message(request, types=self.types)
        return component_value(component, self._last)

    def source(self, component: Component) -> Source:
        return lambda seen, _: self(component, seen)


def _line(values: _Values, component: Component, body: bytes) -> Line:
    """`"name";params: value` (§2.5)."""
    where = _where(component)
    identifier = Leaf(f"the identifier {component}", str(component).encode("ascii"), "literal", INPUT)
    value = _value(values, component, where, body)
    return Line(component, identifier, value, Join(f"the line of {component}", (identifier, value), b": ", component=where))  # fmt: skip


def _where(component: Component) -> str:
    """What a cause calls it."""
    if component.name[0] != "@":
        return f"header {component.name}"
    return "@query" if component.name == "@query-param" else component.name


def _value(values: _Values, component: Component, where: str, body: bytes) -> Node:
    name, mine = component.name, values(component, values.request)
    called, source = f"the value of {name}", values.source(component)
    parts = (
        _uri(values.request, mine, called, source) if name == "@target-uri" else _digest(component, called, mine, where, source, body)
    )  # fmt: skip
    kind = "secret" if name in _SECRET else _KINDS.get(name, "text")
    lines = values.request.values(name.encode("ascii"))
    if 1 < len(lines) <= MAX_PARTS:
        leaves = [Leaf(f"line {at} of {name}", line.strip(), kind, where) for at, line in enumerate(lines, 1)]
        parts = Join(called, leaves, b", ", component=where, source=source)
    if parts is not None and Computation(parts).value(parts) == mine:
        return parts
    others = [(what, other) for what, other in _others(component, values.request, mine) if other != mine]
    return Leaf(called, mine, kind, where, source, others)


def _uri(request: Request, uri: bytes, called: str, source: Source) -> Join | None:
    """Scheme, authority and target (§2.2.2); None if it isn't simply these."""
    scheme, mark, rest = uri.partition(b"://")
    authority = request.authority.encode("utf-8", "surrogatepass")
    if not rest.startswith(authority):
        return None
    parts = (
        Leaf("the scheme", scheme, component="@scheme", others=[(f"the scheme {other.decode()}", other) for other in _SCHEMES if other != scheme]),
        Leaf("://", mark, "literal"), Leaf("the authority", authority, "authority", "@authority"),
        Leaf("the target", rest[len(authority) :], "target", "@path"),
    )  # fmt: skip
    return Join(called, parts, b"", component="@target-uri", source=source)


def _others(component: Component, request: Request, mine: bytes) -> Iterator[tuple[str, bytes]]:
    """What clients take for the value of a component."""
    name, target, host = component.name, request.target, request.authority.encode("utf-8", "surrogatepass")
    if name == "@scheme":
        yield from ((f"the scheme as {other.decode()}", other) for other in _SCHEMES)
    elif name == "@authority":
        yield "the authority as it is sent, not in lower case and without the usual port", host
    elif name in ("@path", "@request-target", "@query"):
        origin = request.scheme.encode() + b"://" + host
        try:
            path, query = path_and_query(request)
        except Rejected:
            return
        yield f"the path and the query for {name}", target
        yield f"the whole URL for {name}", origin + target
        yield f"the path for {name}", path
        yield f"the query without its question mark, ?, for {name}", query or b""
        yield f"the method and the target for {name}", request.method.lower().encode("utf-8", "surrogatepass") + b" " + target  # fmt: skip
        yield f"the method and the target for {name}", request.method.encode("utf-8", "surrogatepass") + b" " + target
        yield f"{name} percent-decoded", unquote_to_bytes(mine)
    elif name == "@query-param":
        yield "the parameter percent-decoded", unquote_to_bytes(mine)
        yield "the parameter with its name, not its value alone", f"{component.param('name')}=".encode() + mine
        yield "the query, not one parameter", b"?" + target.partition(b"?")[2]
    elif name[0] != "@":
        yield from _of_field(component, request.values(name.encode("ascii")))


def _of_field(component: Component, lines: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    name = component.name
    whole = b", ".join([line.strip() for line in lines])
    if component.params:
        without = " and ".join(key for key, _ in component.params)
        yield f"all of {name} as it is sent, without regard to {without}", whole
    if component.has("bs"):
        yield f"{name} in base64 without the colons", b", ".join([b64encode(line.strip()) for line in lines])
    yield f"{name} as it is sent, with the white space around it", b", ".join(lines)


def _digest(component: Component, called: str, mine: bytes, where: str, source: Source, body: bytes) -> Join | None:
    """A digest field (RFC 9530 §2) that is of this body, step by step; None for another value."""
    for algorithm in ACTIVE if component.name in DIGEST_FIELDS and not component.params else ():
        if mine == digest_field({algorithm: digest(algorithm, body)}):
            made = body_digest("the digest", algorithm.replace("-", ""), "base64", body, where)
            parts = (
                Leaf("the digest's name", f"{algorithm}=:".encode(), "literal", where),
                made,
                Leaf("its colon", b":", "literal", where),
            )
            return Join(called, parts, b"", component=where, source=source)
    return None


def _digests(lines: Sequence[Line], body: bytes) -> Iterator[Deviation]:
    """A digest field that was changed on the way, while the body is as it was signed; and in forms that RFC 9530 doesn't have."""
    for line in lines:
        name, value = line.component.name, line.value
        if name not in DIGEST_FIELDS or line.component.params or not isinstance(value, (Leaf, Join)):
            continue
        mine = Computation(value).value(value)
        made = {each: digest_field({each: digest(each, body)}) for each in ACTIVE}
        for other in made.values() if mine not in made.values() else ():
            mend = "the field was changed on the way: the body is as it was signed"
            yield Deviation(
                0.9, value, "", constant(other), other.decode(), mine.decode("utf-8", "backslashreplace"), mend=mend
            )
        for algorithm, field in made.items():
            octets = digest(algorithm, body)
            for what, other in (
                (f"with {algorithm}", field), ("of an empty body", digest_field({algorithm: digest(algorithm, b"")})),
                ("without the colons", field.replace(b":", b"")), ("in quotes, not in colons", field.replace(b":", b'"')),
                ("as Digest had it", field.replace(b":", b"").replace(algorithm.encode(), algorithm.upper().encode())),
                ("in hex digits alone", octets.hex().encode()),
                ("with both algorithms", digest_field({each: digest(each, body) for each in sorted(ACTIVE)})),
            ):  # fmt: skip
                yield Deviation(
                    1.1, value, f"signs {name} {what}", constant(other), mine.decode("utf-8", "replace"), other.decode()
                )


# ---- the parameters (§2.3) ----------------------------------------------------------------------------------------------


def params_of(one: PresentedCredentials) -> Mapping[str, int | str]:
    """The parameters, in the order in which they are sent."""
    return parse_item("a" + one.params.decode("ascii")).params  # type: ignore[return-value] # checked when it was read


def _parameter(name: str, value: int | str) -> Leaf:
    text, where = serialize_bare_item(value).encode("ascii"), f"{INPUT} {name}"
    if name in ("created", "expires"):
        dated = [(f"{name} as a Date, with @ before it", b"@" + text)]
        return Leaf(name, text, "time", where, others=dated)
    names = () if name != "alg" else [(f"alg as {other}", f'"{other}"'.encode()) for other in _ALGORITHMS if other != value]  # fmt: skip
    return Leaf(f"the value of {name}", text, "text", where, others=names)


_ALGORITHMS: Final = (
    "hmac-sha256", "HS256", "hs2019", "ed25519", "EdDSA", "ecdsa-p256-sha256", "ES256", "ecdsa-p384-sha384", "rsa-pss-sha512", "PS512",
    "rsa-v1_5-sha256", "RS256", "rsa-sha256",
)  # fmt: skip


def _renamed(params: Mapping[str, Leaf], shared: Mapping[str, Leaf], others: Others) -> Iterator[Deviation]:
    """A key id that was changed after another client signed."""
    leaf, secret = params.get("keyid"), shared.get("secret")
    for name, other in others if leaf is not None else ():
        assert leaf is not None
        if name and secret is not None and other.is_secret:
            said = serialize_bare_item(name).encode("ascii") if name.isascii() and name.isprintable() else b""
            mend = f"the key id was changed on the way: it was signed as {name!r}"
            yield Deviation(
                1, leaf, "", constant(said), name, leaf.value.decode().strip('"'), "keyid", {secret: constant(other.secret_bytes())}, mend,
            )  # fmt: skip


# ---- what may have been covered besides ---------------------------------------------------------------------------------

_USUAL: Final = (
    "@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query", "content-digest", "content-type",
    "content-length", "date", "host", "authorization", "user-agent", "accept",
)  # fmt: skip


def _addable(values: _Values, claim: SignatureClaim, one: PresentedCredentials) -> Iterator[Row]:
    """Components that clients usually cover, those of the policy first, with their values here."""
    usual = (*claim.settings.policy.components, *map(Component, _USUAL))
    for component in dict.fromkeys(usual):
        if component not in one.plan.base.components:
            name = str(component).encode("ascii")
            try:
                yield Row(str(component), name + b": " + values(component, values.request), name)
            except Rejected:
                if component.name == "host":
                    yield Row("host", b'"host": ' + values(Component("@authority"), values.request), name)
