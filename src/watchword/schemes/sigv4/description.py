"""What SigV4 computes, step by step: for `explain`, which varies it. Names are those of "Create a signed AWS API request" (AWS IAM User Guide)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from watchword.core.message import Request
from watchword.crypto.digests import hex_digest
from watchword.fields.percent import percent_decoded
from watchword.schemes.diagnosis.text_axes import percent
from watchword.schemes.explaining.accounts import body_digest
from watchword.schemes.explaining.computation import (
    Encoding, Hash, Join, Leaf, Mac, Node, Parameters, Style, parameters_text,
)  # fmt: skip
from watchword.schemes.explaining.deviation import MAX_PARTS, Deviation, Make, constant
from watchword.schemes.explaining.rows import Row, Rows, of_rows
from watchword.schemes.sigv4.access_key import TERMINATOR, AccessKey
from watchword.schemes.sigv4.canonical import EMPTY, UNSIGNED, PathRules, covered_target, paths, rules_of, without
from watchword.schemes.sigv4.claim import Covered, SigV4Claim, covered, payload_of, time_of
from watchword.schemes.sigv4.credentials import SIGNATURE, TOKEN, text_of_time

__all__ = ["WHERE", "Described", "described", "payload_hash"]

DAY: Final = 86400
WHERE: Final = "authorization Credential"
LIVES: Final = (3600, 900, 600, 300, 60, 1800, 7200, 21600, 43200, 86400, 172800, 604800, 120, 10, 30, 1200, 28800)
"""Seconds for which URLs are usually presigned."""
REGIONS: Final = (
    b"us-east-1", b"us-west-2", b"eu-west-1", b"eu-central-1", b"us-east-2", b"us-west-1", b"ap-southeast-1", b"auto", b"global", b"aws-global",
)  # fmt: skip
SERVICES: Final = (
    b"s3", b"execute-api", b"sts", b"iam", b"lambda", b"es", b"dynamodb", b"sqs", b"sns", b"ec2", b"apigateway", b"bedrock", b"aoss",
)  # fmt: skip
_RULES: Final[Mapping[PathRules, str]] = {
    PathRules(False, False): "encoded once, as S3 has it", PathRules(True, True): "normalised and encoded twice",
    PathRules(True, False): "encoded twice, not normalised", PathRules(False, True): "normalised and encoded once",
}  # fmt: skip
_TOKEN_FIELD: Final = b"x-amz-security-token"


class Described(NamedTuple):
    """The string to sign, the key that is derived for it, and the deviations that only SigV4 has."""

    string: Node
    key: Node
    more: Sequence[Deviation]

    @property
    def signature(self) -> Encoding:
        """Of the HMAC variant."""
        where = "signature"
        return Encoding(
            "the signature", "hex digits", Mac("the signature", "sha256", self.key, self.string, where), where
        )


class _Parts:
    """The canonical parts of a request; those of the last one that was asked for are kept."""

    def __init__(self, claim: SigV4Claim) -> None:
        self.presented = claim.presented
        self.rules = claim.settings.paths or rules_of(claim.presented.plan.service)
        self._last: tuple[Request, Covered] = (claim.request, claim.parts)

    def __call__(self, request: Request) -> Covered:
        if request is not self._last[0]:
            self._last = (request, covered(request, self.presented, self.rules))
        return self._last[1]


def described(
    claim: SigV4Claim, record: AccessKey, body: bytes, others: Sequence[tuple[str, AccessKey]] = ()
) -> Iterator[Described]:
    """One for each canonical request that would be right, likeliest first."""
    plan, request, parts = claim.presented.plan, claim.request, _Parts(claim)
    scope = {
        name: Leaf(f"the scope's {name}", value, component=f"{WHERE} {name}")
        for name, value in (("date", plan.date), ("region", plan.region), ("service", plan.service))
        if value
    }
    derived = {
        name: Leaf(f"the {name} of the signing key", leaf.value, component=leaf.component)
        for name, leaf in scope.items()
    }
    words = Join(
        "the credential scope", (*scope.values(), Leaf("aws4_request", TERMINATOR, "literal")), b"/", component=WHERE
    )
    for path_at in range(len(parts(request).paths)):
        for query in _queries(claim, parts, path_at):
            canonical, more = _canonical_request(claim, parts, path_at, query, body)
            time = Leaf("the timestamp", claim.timestamp, "time", claim.time_field if claim.presented.expires is not None else f"header {claim.time_field}",
                        lambda seen, _: time_of(seen, claim.presented)[1])  # fmt: skip
            hashed = Encoding(
                "the hash of the canonical request",
                "hex digits",
                Hash("the hash of the canonical request", "sha256", canonical),
            )
            algorithm = Leaf(
                "the algorithm",
                plan.algorithm,
                "literal",
                "algorithm",
                others=[
                    (f"the algorithm's name {name}", name.encode())
                    for name in (
                        "HMAC-SHA256",
                        "AWS4-HMAC",
                        "HmacSHA256",
                        "sha256",
                        "AWS-HMAC-SHA256",
                        "AWS4-HMAC-SHA-256",
                    )
                ],
            )
            string = Join("the string to sign", (algorithm, time, words, hashed))
            own = [*more, *_with_signature(claim, query), *_scopes(claim, scope, derived)]
            yield Described(string, _signing_key(record, others, derived), own)


def _signing_key(record: AccessKey, others: Sequence[tuple[str, AccessKey]], derived: Mapping[str, Leaf]) -> Node:
    secrets = [(f"the secret of another key, {name!r}", other.secret.encode()) for name, other in others]
    secret = Leaf("the secret access key", record.secret.encode(), "key", "key", others=secrets)
    key: Node = Join(
        "AWS4 and the secret access key", (Leaf("AWS4", b"AWS4", "literal", "key"), secret), b"", component="key"
    )
    for name, step in (("date", "kDate"), ("region", "kRegion"), ("service", "kService")):
        if name in derived:
            key = Mac(step, "sha256", key, derived[name], "key")
    return Mac("kSigning", "sha256", key, Leaf("aws4_request of the signing key", TERMINATOR, component="key"), "key")


# ---- the canonical request ----------------------------------------------------------------------------------------------


def _canonical_request(
    claim: SigV4Claim, parts: _Parts, path_at: int, query: Node, body: bytes
) -> tuple[Join, Sequence[Deviation]]:
    plan, now = claim.presented.plan, parts(claim.request)
    path = Leaf(
        "the canonical URI", now.paths[path_at], "path", "@path",
        lambda seen, _: parts(seen).paths[min(path_at, len(parts(seen).paths) - 1)], _other_rules(claim, parts),
    )  # fmt: skip
    lines = [_header(claim, parts, at) for at in range(len(plan.names))]
    names = [Leaf(f"the name {name.decode()}", name, component="SignedHeaders") for name in plan.names]
    payload, more = _payload(claim, body)
    method = Leaf(
        "the method", now.method.encode("utf-8", "replace"), "method", "@method", lambda seen, _: seen.method.encode()
    )
    headers = Join("the canonical headers", lines, b"\n", b"\n", component="SignedHeaders")
    signed = Join("the signed headers", names, b";", component="SignedHeaders")
    canonical = (method, path, query, headers, signed, payload)
    return Join("the canonical request", canonical), [*more, *_fields(claim, headers, signed)]


def _fields(claim: SigV4Claim, headers: Join, signed: Join) -> Iterator[Deviation]:
    """Fields that are signed and not named, or named and not signed: lines and names change together."""
    plan, request = claim.presented.plan, claim.request
    more = []
    for name in dict.fromkeys(name for name, _ in request.headers[: 2 * MAX_PARTS] if name not in plan.names):
        value = b",".join([b" ".join(each.split()) for each in request.values(name)])
        more.append(Row(name.decode("latin-1"), name + b":" + value, name))
    mend = "have SignedHeaders name the fields that are signed"
    called = [name.decode() for name in plan.names]
    return of_rows(Rows(headers, signed, called, more, "SignedHeaders", mend, in_order=True))


def _other_rules(claim: SigV4Claim, parts: _Parts) -> list[tuple[str, bytes]]:
    service, mine = claim.presented.plan.service.decode(), _RULES[parts.rules]
    path = covered_target(claim.request)[0]
    host = f"{claim.request.scheme}://{claim.request.authority}".encode("utf-8", "replace")
    found: list[tuple[str, bytes]] = []
    for rules, what in _RULES.items():
        if rules != parts.rules:
            found += [
                (f"the path {what}; the service {service!r} has it {mine}, by its PathRules", each) for each in paths(path, rules)
            ]  # fmt: skip
    found += [
        *(("the path with the query left in it, behind ?", each + b"?" + (claim.request.query or b"")) for each in parts(claim.request).paths),
        ("the path with its query, as they are sent", claim.request.target), ("the path with the host, a URL", host + path),
        ("the path with its slashes percent-encoded, %2F", percent(percent_decoded(path))), ("the path encoded with + for a blank", percent(path, "/-._~%").replace(b"%20", b"+")),
        ("the path with + for a blank, encoded", percent(path.replace(b"%20", b"+"), "/-._~%+")),
    ]  # fmt: skip
    return found


def _header(claim: SigV4Claim, parts: _Parts, at: int) -> Node:
    name, value = claim.presented.plan.names[at], parts(claim.request).values[at]
    shown = name.decode()
    kind, component = "text", f"header {shown}"
    if name == b"host":
        kind, component = "authority", "@authority"
    elif name == _TOKEN_FIELD:
        kind = "secret"
    elif value == claim.timestamp:
        kind = "time"
    sent = b",".join(claim.request.values(name))
    others = (
        []
        if kind == "secret"
        else [
            (f"{shown} with its blanks and white space as they are sent", sent),
            (f"{shown} with its blanks taken out", value.replace(b" ", b"")),
        ]
    )
    leaf = Leaf(f"the value of {shown}", value, kind, component, lambda seen, _: parts(seen).values[at], others)
    return Join(f"the header {shown}", (Leaf(f"the name {shown}", name, "literal"), leaf), b":", component=component)


def _payload(claim: SigV4Claim, body: bytes) -> tuple[Node, Sequence[Deviation]]:
    actual = hex_digest("sha-256", body)
    instead = (
        (actual, "the hash of this body"),
        (EMPTY, "the hash of an empty body"),
        (UNSIGNED, "UNSIGNED-PAYLOAD"),
        (b"", "nothing"),
    )
    node: Node
    if claim.payload is None:
        node = payload_hash(body)
    else:
        where = "header x-amz-content-sha256"
        node = Leaf("the payload hash", claim.payload, "fixed", where, lambda seen, signed: _said(claim, seen, signed))
    more = [
        Deviation(1, node, f"signs {what} where the payload hash belongs", constant(value), (claim.payload or actual).decode(), what)
        for value, what in instead
        if value != (claim.payload or actual)
    ]  # fmt: skip
    return node, more


def payload_hash(body: bytes) -> Encoding:
    """The SHA-256 of a body."""
    return body_digest("the payload hash", "sha256", "hex digits", body)


def _said(claim: SigV4Claim, request: Request, body: bytes) -> bytes:
    return payload_of(request, claim.presented) or hex_digest("sha-256", body)


# ---- the query ----------------------------------------------------------------------------------------------------------


def _queries(claim: SigV4Claim, parts: _Parts, path_at: int) -> Iterator[Node]:
    """The canonical query strings that would be right."""
    now, presented = parts(claim.request), claim.presented
    query = covered_target(claim.request)[1]
    names = [(SIGNATURE,), (SIGNATURE, TOKEN)] if presented.expires is not None else [()]
    seen: set[bytes] = set()
    for less in names:
        kept = without(query, *less)
        split = [pair.partition(b"=") for pair in kept.split(b"&")] if kept else []
        sent = [(name, value) for name, _, value in split]
        decoded = [(_plain(name), _plain(value)) for name, value in sent]
        for pairs, encode in ((sent, "as they are"), (decoded, "percent-encoded")):
            style = Style(encode)
            text = parameters_text(pairs, style)
            if text in now.queries and text not in seen:
                seen.add(text)
                at = list(now.queries).index(text)
                leaves = [(name, _parameter(claim, name, value)) for name, value in pairs]
                yield Parameters(
                    "the canonical query string", leaves, style, "@query",
                    lambda request, _, at=at: parts(request).queries[min(at, len(parts(request).queries) - 1)],  # type: ignore[misc] # mypy infers no type of a default
                )  # fmt: skip


def _with_signature(claim: SigV4Claim, query: Node) -> Iterator[Deviation]:
    """The presigned URL with a place for the signature already, which is not part of what is signed."""
    if claim.presented.expires is None or not isinstance(query, Parameters):
        return
    pairs = [(name, leaf.value) for name, leaf in query.pairs]
    text = parameters_text(pairs, query.style)
    did = "signs the query with a place for the signature in it: the signature is not part of what is signed"
    for value in (b"", b"undefined", b"null", b"None"):
        more = SIGNATURE + b"=" + value
        for whole in (
            parameters_text([*pairs, (SIGNATURE, value)], query.style),
            text + b"&" + more,
            more + b"&" + text,
        ):
            yield Deviation(1.5, query, did, constant(whole), component=f"query {SIGNATURE.decode()}")


def _plain(text: bytes) -> bytes:
    return percent_decoded(text.replace(b"+", b" "))


def _parameter(claim: SigV4Claim, name: bytes, value: bytes) -> Leaf:
    shown = name.decode("utf-8", "backslashreplace")[:64]
    kind, component, others = "text", "@query", []
    if claim.presented.expires is not None and name[:6].lower() == b"x-amz-":
        component = f"query {shown}"
        if name == b"X-Amz-Expires":
            others = [
                (f"a life of {each} s, which was changed after signing: presign anew", b"%d" % each) for each in LIVES
            ]
        kind = "time" if value == claim.timestamp else "secret" if name == TOKEN else "text"
    return Leaf(f"the value of {shown}", value, kind, component, others=others)


# ---- the scope ----------------------------------------------------------------------------------------------------------


def _scopes(claim: SigV4Claim, scope: Mapping[str, Leaf], derived: Mapping[str, Leaf]) -> Iterator[Deviation]:
    """A scope that was changed after signing, and a key that was derived for another one."""
    settings, plan = claim.settings, claim.presented.plan
    usual: dict[str, tuple[bytes | None, ...]] = {
        "date": (
            claim.timestamp[:8],
            *(text_of_time(claim.signed_at + away)[:8] for away in (-DAY, DAY)),
            claim.timestamp,
        ),
        "region": (settings.region, plan.region.lower(), plan.service, *REGIONS),
        "service": (settings.service, plan.service.lower(), plan.region, *SERVICES),
    }
    everything = {
        name: [value for value in dict.fromkeys(usual[name]) if value and value != leaf.value]
        for name, leaf in scope.items()
    }
    for name, leaf in scope.items():
        mine = leaf.value.decode()
        for value in everything[name]:
            said = value.decode(), mine, leaf.component
            changed = constant(value)
            mend = f"the scope's {name} was changed after signing: send the one that is signed"
            yield Deviation(1, leaf, "", changed, *said, also={derived[name]: changed}, mend=mend)
            mend = f"the signing key is of another {name}: derive it for the scope that is sent"
            yield Deviation(1.1, derived[name], "", changed, mine, value.decode(), leaf.component, mend=mend)
    if "region" in derived:
        region, service = derived["region"], derived["service"]
        also: dict[Node, Make] = {service: constant(plan.region)}
        said = "region, then service", "service, then region", "key"
        yield Deviation(
            1.2, region, "derives the key by service, then region", constant(plan.service), *said, also=also
        )
