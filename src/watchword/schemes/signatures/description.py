"""What is signed under RFC 9421, step by step (§2.5): for `explain`, which varies it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Final

from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.core.scheme import Body
from watchword.crypto.digests import digest
from watchword.fields.content_digest import ACTIVE, digest_field
from watchword.fields.structured import serialize_bare_item
from watchword.schemes.diagnosis import affordable
from watchword.schemes.explaining.computation import Computation, Encoding, Hash, Join, Leaf, Mac, Node, Of
from watchword.schemes.explaining.deviation import Deviation
from watchword.schemes.signatures.base import BasePlan
from watchword.schemes.signatures.claim import SignatureClaim
from watchword.schemes.signatures.components import SignatureInput, params_text
from watchword.schemes.signatures.key_owners import KeyOwner
from watchword.schemes.signatures.likely_errors import INPUT, inputs
from watchword.schemes.signatures.message import Message
from watchword.schemes.signatures.reading import PresentedCredentials

__all__ = ["HASHES", "base_of", "mac_of", "more_of", "params_of"]

HASHES: Final[Mapping[str, str]] = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


def params_of(one: PresentedCredentials) -> Mapping[str, int | str]:
    """The signature parameters in the order that they have."""
    values = {
        "created": one.created, "expires": one.expires, "nonce": one.nonce, "alg": one.alg, "keyid": one.key_id,
        "tag": one.tag,
    }  # fmt: skip
    text = one.params.decode("ascii")
    given = {name: value for name, value in values.items() if value is not None}
    return dict(sorted(given.items(), key=lambda pair: text.find(f";{pair[0]}=")))


def base_of(claim: SignatureClaim, one: PresentedCredentials, body: Body) -> Node:
    """The signature base, line by line.

    Raises:
        Rejected: there is none.
    """
    base = claim.base(one)
    plan, lines = one.plan.base, base.split(b"\n")
    digests = list(_digests(claim, one, body))
    parts: list[Node] = []
    for component, line in zip(plan.components, lines[:-1], strict=True):
        identifier = str(component).encode("ascii")
        where = _where(component.name)
        kind = {"@method": "method", "@authority": "authority", "@path": "path", "@query": "query", "@target-uri": "target",
                "@request-target": "target"}.get(component.name, "secret" if where in _HIDDEN else "text")  # fmt: skip
        text, title = line[len(identifier) + 2 :], f"the value of {component.name}"
        others = [
            (f"{name} of this body, which was changed on the way", value)
            for name, value in digests
            if name == component.name
        ]
        value = _digest(title, text, where, body) or Leaf(title, text, kind, where, others=others)
        name = Leaf(f"the name {component.name}", identifier, component=where)
        parts.append(Join(f"the line of {component.name}", (name, value), b": ", component=where))
    label = Leaf("the name @signature-params", b'"@signature-params"', "literal", INPUT)
    parts.append(Join("the line of @signature-params", (label, _params(one)), b": ", component=INPUT))
    whole = Join("the signature base", parts, b"\n", component="signature base", source=partial(_again, claim, one))
    if Computation(whole).value(whole) == base:
        return whole
    return Leaf("the signature base", base, "text", "signature base", partial(_again, claim, one))


def _digest(title: str, text: bytes, where: str, body: Body) -> Node | None:
    """The value of a digest field of this body (RFC 9530), step by step; None for another value."""
    for algorithm in ACTIVE:
        if where in ("header content-digest", "header repr-digest") and text == digest_field(
            {algorithm: digest(algorithm, body.data)}
        ):
            made = Hash("the digest", algorithm.replace("-", ""), Leaf("the body", body.data, "body", "body"), where)
            before, behind = (
                Leaf("the name of the hash", algorithm.encode() + b"=:", "literal", where),
                Leaf("the colon", b":", "literal", where),
            )
            return Join(title, (before, Encoding("the digest", "base64", made, where), behind), b"", component=where)
    return None


_HIDDEN: Final = frozenset(
    {"header authorization", "header proxy-authorization", "header cookie", "header x-api-key", "header dpop"}
)


def _where(name: str) -> str:
    return "@query" if name == "@query-param" else name if name[0] == "@" else f"header {name}"


def _again(claim: SignatureClaim, one: PresentedCredentials, request: Request, body: bytes) -> bytes:
    return one.plan.base.base(Message(request, types=claim.settings.policy.types), one.params)


def _params(one: PresentedCredentials) -> Node:
    """The inner list and its parameters."""
    identifiers = [
        Leaf(f"{component.name} in the list", str(component).encode("ascii"), component=INPUT)
        for component in one.plan.base.components
    ]
    listed = Join("the list of components", identifiers, b" ", component=INPUT)
    brackets = Join("the list", (Leaf("(", b"(", "literal"), listed, Leaf(")", b")", "literal")), b"", component=INPUT)
    parts: list[Node] = [brackets]
    for name, value in params_of(one).items():
        where, text = f"{INPUT} {name}", serialize_bare_item(value).encode("ascii")
        kind = "time" if name in ("created", "expires") else "text"
        parts.append(
            Join(
                f"the parameter {name}",
                (Leaf(name, name.encode(), component=where), Leaf(f"the value of {name}", text, kind, where)),
                b"=",
                component=where,
            )
        )
    return Join("the signature parameters", parts, b";", component=INPUT)


def _digests(claim: SignatureClaim, one: PresentedCredentials, body: Body) -> Iterator[tuple[str, bytes]]:
    """What a digest field that is covered would say of this body."""
    try:
        expected = claim.expected(one)
    except Rejected as rejected:  # changed so that nobody can read it
        name = rejected.rejection.where
        yield from ((name, digest_field({algorithm: digest(algorithm, body.data)})) for algorithm in ACTIVE)
        return
    for name, algorithm, value in expected:
        said, actual = b64encode(value), b64encode(digest(algorithm, body.data))
        yield name, b", ".join(line.replace(said, actual) for line in claim.request.values(name.encode("ascii")))


def mac_of(base: Node, key_owner: KeyOwner, others: Sequence[tuple[str, bytes]]) -> Mac:
    """The MAC of a shared key."""
    secrets = [(f"the secret of the key {name!r}", secret) for name, secret in others]
    key = Leaf("the registered secret", key_owner.key.secret_bytes(), "key", "key", others=secrets)
    return Mac("the signature", HASHES[key_owner.key.algorithm], key, base, "signature", "alg")


def more_of(claim: SignatureClaim, one: PresentedCredentials, base: Node, key_owner: KeyOwner) -> Iterator[Deviation]:
    """Signature-Input as it may have been when it was signed: the lines and their list change together."""
    components = one.plan.base.components
    message = Message(claim.request, types=claim.settings.policy.types, fields=claim.fields)
    names = [component.name.encode("ascii") for component in components]
    mend = "Signature-Input was changed after signing: it goes along exactly as it was signed"
    most = affordable(claim.request, b"", names)
    for where, expected, received, covered in islice(
        inputs(components, params_of(one), key_owner, claim.settings.policy.components), most
    ):
        yield Deviation(1.2, base, "", partial(_base, message, covered), expected, received, where, mend=mend)


def _base(message: Message, covered: SignatureInput, of: Of) -> bytes:
    try:
        return BasePlan(covered.components).base(message, params_text(covered.params).encode("ascii"))
    except (Rejected, ConfigurationError) as error:
        raise ValueError(str(error)) from None
