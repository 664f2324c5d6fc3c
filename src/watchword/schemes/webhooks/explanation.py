"""Why a webhook was refused: its signature's computation, as the profile has it, varied until it gives what was received.

The tree is made from the profile's own row, so a row of your own is explained like one of ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from contextlib import suppress
from typing import Final

from watchword.core.message import Request
from watchword.core.records import Found
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import Body, Check
from watchword.crypto.digests import compare
from watchword.crypto.wrong_spellings import near_cause
from watchword.schemes.diagnosis import PARTS, causes, clock_check, search
from watchword.schemes.explaining.accounts import fields_at_hand, oddity_of
from watchword.schemes.explaining.received import damaged
from watchword.schemes.explaining.typed_text import secret_guesses
from watchword.schemes.explaining.deviation import Deviation, Make, constant, hashed_first
from watchword.schemes.explaining.masking import body_members
from watchword.schemes.explaining.computation import (
    Computation, Encoding, Join, Leaf, Mac, Node, Parameters, Style, all_under, parameters_text,
)  # fmt: skip
from watchword.schemes.explaining.program import ClaimExplainers
from watchword.schemes.explaining.search import DEAR, Asked, Fit, look_for, unexplained
from watchword.schemes.explaining.received import Received
from watchword.schemes.webhooks.content import FORM, url_of
from watchword.schemes.webhooks.credentials import PresentedCredentials, octets_of
from watchword.schemes.webhooks.engine import Engine
from watchword.schemes.webhooks.keys import Secret
from watchword.schemes.webhooks.scheme import WebhookClaim
from watchword.fields.percent import percent_decoded

__all__ = ["EXPLAINERS", "explain_webhook", "signature_of"]

DAY: Final = 86400
MAX_PARAMETERS: Final = 12
"""Parameters of the query that may be the form's."""
MAX_TREES: Final = 8
"""Secrets, and contents that each may have signed, that are varied."""

_UNKNOWN: Final = (
    "is this the secret of this endpoint, and the body exactly as it came in? compare the canonical string with what the "
    "sender signs"
)
_TOKEN: Final = "copy the token from where the sender shows it; it is all that tells its deliveries from anybody's"
_EMPTY: Final = (
    "the body that came here is empty: if something read it before the guard (a framework, a middleware), verify before that; if "
    "the sender signs empty bodies, compare the secrets"
)
_FORMS: Final = {"hex": "hex digits", "base64": "base64"}


def content_of(claim: WebhookClaim, content: bytes, body: bytes, number: int) -> Node:
    """What was signed, part by part: `content` is the candidate of that number."""
    engine, delivery = claim.verifier.engine, claim.delivery
    row = engine.profile
    timed = f"header {row.timestamp or row.signature}"
    parts: dict[str, Node] = {
        "id": Leaf("the message id", delivery.message_id, component=f"header {row.id}", source=lambda seen, _: _read(engine, seen).message_id),
        "timestamp": Leaf("the timestamp", delivery.timestamp, "time", timed, lambda seen, _: _read(engine, seen).timestamp),
        "body": Leaf("the body", body, "body", "body", lambda _, signed: signed),
        "form": _form(body, content),
        "method": Leaf("the method", claim.request.method.encode("utf-8", "replace"), "method", "@method"),
    }  # fmt: skip
    nodes: list[Node] = []
    literals = [literal.encode() for literal in row.literals]
    inner = set(literals[1:-1])
    separator = inner.pop() if len(inner) == 1 else b""
    if "url" in row.parts:
        parts["url"] = _url(octets_of(url_of(claim.request)), content)
        separator = b""
    for at, part in enumerate(row.parts):
        before = literals[at]
        if at == 0 and separator and before.endswith(separator):
            before = before.removesuffix(separator)
        elif at and separator:
            before = b""
        nodes += [Leaf("the text before it", before, "literal")] if before else []
        nodes.append(parts[part])
    source = (lambda seen, signed: _content(engine, seen, signed, number)) if engine.contents.url else None
    if len(nodes) == 1 and not literals[-1] and source is None:
        return Join("the signed content", nodes, b"", component="body")  # what may be signed besides is beside it
    made = Join("the signed content", nodes, separator, literals[-1], component="signed content", source=source)
    if Computation(made).value(made) == content:
        return made
    return Leaf(
        "the signed content",
        content,
        "body",
        "signed content",
        lambda seen, signed: _content(engine, seen, signed, number),
    )


def _read(engine: Engine, request: Request) -> PresentedCredentials:
    return engine.layout.read(request.headers)


def _content(engine: Engine, request: Request, body: bytes, number: int) -> bytes:
    contents = engine.contents.of(
        _read(engine, request), body, url_of(request) if engine.contents.url else None, request.method
    )
    return contents[min(number, len(contents) - 1)]


def _form(body: bytes, content: bytes) -> Node:
    """Names and values, decoded, sorted and each once; none of a body that is no form, whose digest is in the URL."""
    leaves = [
        (name, Leaf(f"the value of {name.decode('latin-1')[:64]}", value, component="body"))
        for name, value in _pairs_of(body)
    ]
    style = Style("as they are", equals=b"", separator=b"", unique=True)
    signed = content.endswith(parameters_text([(name, leaf.value) for name, leaf in leaves], style))
    return Parameters("the form's parameters", leaves if signed else (), style, "body")


def _url(url: bytes, content: bytes) -> Node:
    """The URL in its parts, as the candidate begins with it: with or without its port."""
    scheme, mark, rest = url.partition(b"://")
    for authority in _authorities(scheme, rest):
        target = rest[_end(rest) :]
        if b"%b%b%b%b" % (scheme, mark, authority, target) in content:  # a method may stand before it
            break
    else:
        return Leaf("the URL", url, component="@authority")
    leaves = (
        Leaf("the scheme", scheme, component="@scheme", others=[(f"the scheme {other.decode()}", other) for other in (b"http", b"https")]),
        Leaf("://", mark, "literal"), Leaf("the authority", authority, "authority", "@authority"), Leaf("the target", target, "target", "@path"),
    )  # fmt: skip
    return Join("the URL", leaves, b"", component="URL")


def _end(rest: bytes) -> int:
    return min((at for at in map(rest.find, (b"/", b"?", b"#")) if at >= 0), default=len(rest))


def _authorities(scheme: bytes, rest: bytes) -> Iterator[bytes]:
    authority = rest[: _end(rest)]
    yield authority
    yield authority.rpartition(b":")[0]
    yield authority + (b":443" if scheme.lower() == b"https" else b":80")


def _from_elsewhere(root: Node, request: Request, body: bytes) -> Iterator[Deviation]:
    """A form's parameters that are members of a JSON object here, or in the query; and those of the query signed among them."""
    nodes = list(dict.fromkeys(all_under(root)))
    form = next((node for node in nodes if isinstance(node, Parameters)), None)
    target = next((node for node in nodes if isinstance(node, Leaf) and node.kind == "target"), None)
    if form is None or target is None:
        return
    path, _, text = request.target.partition(b"?")
    query = _pairs_of(text)
    mine = [(name, leaf.value) for name, leaf in form.pairs]
    members = list(body_members(body)) if body.lstrip()[:1] == b"{" else []
    shown = "the parameters of a form", "a JSON object", "body"
    if members:
        mend = "the form was sent, or written anew, as JSON: send it as the form that is signed"
        yield Deviation(1, form, "", constant(parameters_text(members, form.style)), *shown, mend=mend)
    in_query = "the parameters in the body", "parameters in the query", "@query"
    for at in range(min(len(query), MAX_PARAMETERS)):
        rest = path + (b"?" if at else b"") + b"&".join(text.split(b"&")[:at])
        moved: dict[Node, Make] = {target: constant(rest)}
        signed = constant(parameters_text([*mine, *query[at:]], form.style))
        mend = "parameters of the query were signed as the form's: send them in the body, or sign the URL as it is"
        yield Deviation(1.1 if at == 0 else 1.5, form, "", signed, *in_query, moved, mend)
        if at == 0:
            mend = "the query's parameters were signed twice, in the URL and among the form's: sign the form's alone"
            yield Deviation(1.2, form, "", signed, *in_query, mend=mend)


def _pairs_of(text: bytes) -> list[tuple[bytes, bytes]]:
    split = [pair.partition(b"=")[::2] for pair in text.split(b"&") if pair]
    return [
        (percent_decoded(name.replace(b"+", b" ")), percent_decoded(value.replace(b"+", b" "))) for name, value in split
    ]


def signature_of(claim: WebhookClaim, secret: Secret, content: bytes, body: bytes, number: int) -> Encoding:
    """The MAC of a delivery, step by step."""
    row = claim.verifier.engine.profile
    others = [("the secret as text, without decoding it", secret.given)] if secret.given != secret.octets else []
    others += [
        (f"the secret as text, {what}", octets) for what, octets in (secret_guesses(secret.given) if others else ())
    ]
    key = Leaf("the secret", secret.octets, "key", "secret", others=others)
    where = f"header {row.signature}"
    mac = Mac("the signature", row.algorithm, key, content_of(claim, content, body, number), where)
    return Encoding("the signature", _FORMS[row.encoding], mac, where)


def explain_webhook(claim: WebhookClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """The content that this webhook has, and every check."""
    engine, delivery = claim.verifier.engine, claim.delivery
    try:
        contents = claim.contents(body.data)
    except Rejected as rejected:
        return "", (*_uncovered(claim, engine, body.data, rejected), *_time(claim, (body.data,), now))
    signature = list(_signature(claim, engine, delivery, contents, body.data))
    return contents[0].decode("utf-8", "backslashreplace"), (*signature, *_time(claim, contents, now))


def _uncovered(claim: WebhookClaim, engine: Engine, body: bytes, rejected: Rejected) -> Sequence[Check]:
    """Nothing that the signature could be of: something changed the body, or what says which kind of body it is."""
    guess = search(
        claim.request, body, lambda seen, signed: _covers(engine, seen, signed), headers=(b"content-type",), parts=PARTS - {"@method"}
    )  # fmt: skip
    if guess is not None:
        return causes("signature", guess)
    delivery = copy(claim.delivery)
    delivery.content_type = FORM
    with suppress(Rejected):  # too many parameters
        contents = engine.contents.of(delivery, body, url_of(claim.request), claim.request.method)
        found = [check for check in _signature(claim, engine, delivery, contents, body) if check.passed is False]
        if found and found[0].component != f"header {engine.profile.signature}":
            return found
    rejection = rejected.rejection
    mend = "send the body as it was signed; a body that is no form needs its digest in the URL"
    where = "@query" if rejection.reason is Reason.NOT_COVERED else rejection.where
    return [Check("body", False, where, "a body that is covered", rejection.detail, mend)]


def _covers(engine: Engine, request: Request, body: bytes) -> bool:
    try:
        delivery = _read(engine, request)
        return (
            engine.matching(delivery, engine.contents.of(delivery, body, url_of(request), request.method)) is not None
        )
    except Rejected:
        return False


def _verified(engine: Engine, delivery: PresentedCredentials) -> Fit:
    """Whether a content is what one of the signatures is of: for those by a key pair, which can only be verified."""
    return lambda content: None if engine.matching(delivery, [content]) is None else ""


def _time(claim: WebhookClaim, contents: Sequence[bytes], now: float) -> Iterator[Check]:
    verifier = claim.verifier
    row = verifier.engine.profile
    if not row.timed:
        return
    where = "body" if row.timestamp_member else f"header {row.timestamp or row.signature}"
    try:
        sent = verifier.time_of(claim.delivery, contents)
    except Rejected as rejected:
        mend = f"send when it was signed as the member {row.timestamp_member} of a JSON object"
        yield Check("time", False, where, f"a time in {row.timestamp_member}", rejected.rejection.detail, mend)
        return
    check = clock_check(where, sent, now, verifier.freshness)
    if not check.passed and row.time_format == "milliseconds" and abs(sent * 1000 - now) < DAY:
        check = check._replace(mend="the time is in seconds: this sender writes milliseconds")
    yield check


def _signature(
    claim: WebhookClaim, engine: Engine, delivery: PresentedCredentials, contents: Sequence[bytes], body: bytes
) -> Iterator[Check]:
    where = f"header {engine.profile.signature}"
    index = engine.matching(delivery, contents)
    count = len(engine.secrets)
    if index is not None:
        yield Check("signature", True, where, f"by one of {count} secrets", f"by number {index + 1}")
        return
    if not (delivery.macs and any(secret.mac for secret in engine.secrets)) and not (
        delivery.signatures and any(secret.key for secret in engine.secrets)
    ):
        sent, known = ("Ed25519 (v1a)", "whsec_") if delivery.signatures else ("a shared secret (v1)", "whpk_")
        mend = f"give the verifier the sender's {'whpk_ key' if delivery.signatures else 'whsec_ secret'}"
        yield Check("algorithm", False, where, f"signed for {known}…", f"signed with {sent} alone", mend)
        return
    row = engine.profile
    if row.covers_nothing:
        yield _token(engine, delivery, contents)
        return
    covered = [
        name.encode() for part, name in (("id", row.id), ("timestamp", row.timestamp)) if part in row.parts and name
    ]
    parts = {"body"} if not engine.contents.url else PARTS if "method" in row.parts else PARTS - {"@method"}
    asked = []
    for number, content in enumerate(contents):
        for secret in engine.secrets:
            root: Node
            more: list[Deviation] = []
            if secret.mac is not None:
                root = signature_of(claim, secret, content, body, number)
                texts: list[tuple[Fit, int]] = [(Received(text, _FORMS[row.encoding]), 0) for text in delivery.macs]
            else:
                root = content_of(claim, content, body, number)
                more = [*hashed_first(root)] if isinstance(root, Join) else []
                texts = [(_verified(engine, delivery), DEAR * len(delivery.signatures))] if delivery.signatures else []
            asked += [
                Asked(
                    "signature", root, fits, claim.request, body, covered, parts, _pool(claim, row.parts, body), f"sign as {row.name} says", price,
                    [*more, *(_from_elsewhere(root, claim.request, body) if "form" in row.parts else ())],
                )
                for fits, price in texts
            ]  # fmt: skip
    by_hash = _by_another_hash(engine, delivery, contents)
    found = look_for(*asked[:MAX_TREES]) if by_hash is None else None
    if found is None or found.causes:
        yield from found.causes if found is not None else filter(None, (by_hash,))
        return
    shown = (delivery.macs or delivery.signatures)[0][:6].decode("latin-1")
    if body and (odd := oddity_of(body)):
        mend = f"{odd}; if the sender signs such bodies, compare the secrets"
        yield Check("signature", False, "body", "the body that was signed", f"{len(body)} octets", mend)
        return
    mend = unexplained(found, _UNKNOWN) if body else _EMPTY
    yield Check("signature", False, where, f"by one of {count} secrets", f"{shown}…", mend)


def _by_another_hash(engine: Engine, delivery: PresentedCredentials, contents: Sequence[bytes]) -> Check | None:
    """The check of a signature that a key pair made of the right content, by another algorithm than the profile's."""
    where = f"header {engine.profile.signature}"
    for secret in engine.secrets:
        for text in delivery.signatures if secret.key is not None else ():
            for content in contents:
                assert secret.key is not None
                octets = secret.octets_of(engine.decode(text))
                component, mend = (
                    near_cause([secret.key], secret.key.algorithm, content, octets) if octets else ("", "")
                )
                if component == "header alg":
                    return Check("signature", False, where, secret.key.algorithm, "another algorithm", mend)
    return None


def _token(engine: Engine, delivery: PresentedCredentials, contents: Sequence[bytes]) -> Check:
    """What is wrong with a token, which is compared and signs nothing."""
    for secret in engine.secrets:
        for spelling, octets in secret_guesses(secret.octets):
            if any(compare(octets, sent) for sent in delivery.macs):
                mend = f"the sender sent the token {spelling}: give both sides the same"
                return Check("signature", False, "secret", "the token as it was given", f"the token {spelling}", mend)
    damage = _damage(engine, delivery, contents)
    mend = f"{damage}: send it as it was made" if damage else _TOKEN
    where = f"header {engine.profile.signature}"
    return Check("signature", False, where, f"one of {len(engine.secrets)} tokens", "another token", mend)


def _damage(engine: Engine, delivery: PresentedCredentials, contents: Sequence[bytes]) -> str:
    genuine = [engine.encode(secret.mac(content)) for secret in engine.secrets if secret.mac for content in contents]
    found = (damaged(mac.decode("latin-1"), sent.decode("latin-1")) for mac in genuine for sent in delivery.macs)
    return next(filter(None, found), "")


def _pool(claim: WebhookClaim, parts: Sequence[str], body: bytes) -> Sequence[Leaf]:
    """What senders may sign besides, or instead."""
    delivery, request, row = claim.delivery, claim.request, claim.verifier.engine.profile
    at_hand = (
        ("id", Leaf("the message id", delivery.message_id)), ("timestamp", Leaf("the timestamp", delivery.timestamp)),
        ("url", Leaf("the URL", octets_of(url_of(request)))), ("url", Leaf("the target", request.target)),
        ("method", Leaf("the method", request.method.encode("utf-8", "replace"))), ("body", Leaf("the body", body, "body")),
        ("path", Leaf("the path", request.path)),
        ("prefix", Leaf("the signature's prefix", row.prefix.encode().rstrip(b"=,"))),
    )  # fmt: skip
    return [*(leaf for part, leaf in at_hand if part not in parts and leaf.value), *fields_at_hand(request)]


def _without_keys(claim: WebhookClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    try:
        contents = claim.contents(body.data)
    except Rejected:
        return "", tuple(_time(claim, (body.data,), now))
    return contents[0].decode("utf-8", "backslashreplace"), tuple(_time(claim, contents, now))


EXPLAINERS: Final[ClaimExplainers] = {WebhookClaim: explain_webhook}
WITHOUT_KEYS: Final[ClaimExplainers] = {WebhookClaim: _without_keys}
"""What a webhook says of itself, where no key may be used."""
