"""The octets that a SigV4 signature covers: path, query and fields in their canonical forms, canonical request, string to sign.

As "Create a signed AWS API request" in the AWS IAM User Guide has them. A path has one of two rules. S3's: each octet is
encoded once, and nothing is normalised, since a key may hold `//` or `..`. All other services': `//` and dot segments are
resolved and what was sent is encoded again, so that `%20` becomes `%2520`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from watchword.core.message import Request
from watchword.core.rejection import Reason, Rejected
from watchword.crypto.digests import hex_digest
from watchword.fields.percent import percent_units
from watchword.fields.target import check_target, split_target
from watchword.schemes.sending import unsendable

__all__ = [
    "ECDSA", "EMPTY", "HMAC", "S3_SERVICES", "UNSIGNED", "PathRules", "canonical_request",
    "covered_target",
    "paths", "queries", "rules_of", "sent_target", "string_to_sign", "without",
]  # fmt: skip

HMAC: Final = b"AWS4-HMAC-SHA256"
ECDSA: Final = b"AWS4-ECDSA-P256-SHA256"
EMPTY: Final = hex_digest("sha-256", b"")
UNSIGNED: Final = b"UNSIGNED-PAYLOAD"
S3_SERVICES: Final = frozenset({b"s3", b"s3express", b"s3-object-lambda", b"s3-outposts"})

_REFUSED = re.compile(rb"[\x00-\x1f\x7f#\\]")
_PLAIN_PATH = re.compile(rb"[A-Za-z0-9\-._~/]*+")
_ONCE_ENCODED = re.compile(rb"(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*+")
_WORD = rb"[A-Za-z0-9\-._~]*+(?:%[0-9A-F]{2}[A-Za-z0-9\-._~]*+)*+"
_PLAIN_QUERY = re.compile(rb"(?!=)%b=%b(?:&(?!=)%b=%b)*+" % (_WORD, _WORD, _WORD, _WORD))
# For `str.translate`, which does without a call for each octet: what is not unreserved is encoded.
_ENCODED: Final = {octet: f"%{octet:02X}" for octet in range(256) if not re.match(r"[A-Za-z0-9\-._~]", chr(octet))}
_IN_PATH: Final = {octet: text for octet, text in _ENCODED.items() if octet != 0x2F}
# For the text of `percent_units`: what is escaped stays so, in capitals.
_ONCE: Final = {**_ENCODED, **{256 + octet: f"%{octet:02X}" for octet in range(256)}}
_ONCE_IN_PATH: Final = {unit: text for unit, text in _ONCE.items() if unit != 0x2F}
_NO_QUERY: Final = [b""]


class PathRules(NamedTuple):
    """How a service's path is made canonical.

    Args:
        double_encode: encode what was sent once more.
        normalize: resolve dot segments and join slashes first; `/a/../b` and `/b` are then one to the signature.
    """

    double_encode: bool = True
    normalize: bool = True


S3_RULES: Final = PathRules(False, False)
USUAL_RULES: Final = PathRules()


def rules_of(service: bytes) -> PathRules:
    """AWS's rules for a service.

    >>> rules_of(b"s3"), rules_of(b"execute-api")
    (PathRules(double_encode=False, normalize=False), PathRules(double_encode=True, normalize=True))
    """
    return S3_RULES if service in S3_SERVICES else USUAL_RULES


def covered_target(request: Request) -> tuple[bytes, bytes]:
    """Path and query as sent.

    Raises:
        Rejected: TARGET_REFUSED, as `check_target`, and for a target that has no path.

    >>> covered_target(Request("GET", "https", "api.example", "/a//b?c"))
    (b'/a//b', b'c')
    """
    check_target(request)
    target = request.target
    if target[:1] != b"/":
        target = split_target(target, request.scheme, request.authority).path
        if target[:1] != b"/":
            raise Rejected(Reason.TARGET_REFUSED, "only a request for a path can be signed", where="target")
    path, _, query = target.partition(b"?")
    if _has_nothing(query):
        raise Rejected(Reason.TARGET_REFUSED, "a parameter without name and value", where="target")
    return path, query


def _has_nothing(query: bytes) -> bool:
    """Whether it has a parameter "=", whose canonical form an empty one (of "&&") has as well: one of the two has to go."""
    return query.find(b"=") >= 0 and b"=" in query.split(b"&")


def sent_target(request: Request) -> tuple[bytes, bytes]:
    """Path and query, for the client; a raw space or non-ASCII octet is taken for what libraries encode as they send it.

    Raises:
        ConfigurationError: the request can't be signed.
    """
    if request.target[:1] == b"/" and not _REFUSED.search(request.target):
        path, _, query = request.target.partition(b"?")
        if not _has_nothing(query):
            return path, query
    try:
        return covered_target(request)
    except Rejected as rejected:
        raise unsendable(rejected) from None


# ---- path ------------------------------------------------------------------------------------------------------------


def paths(path: bytes, rules: PathRules) -> list[bytes]:
    """The canonical paths that a signature may cover, likeliest first: one, or two under S3's rule.

    There the path as sent is one, and the path that AWS's `UriEncode` makes of it the other; they differ if a reserved
    character was sent as it is.

    >>> paths(b"/a%20b/./c", PathRules()), paths(b"/a%20b/./c", PathRules(False, False))
    ([b'/a%2520b/c'], [b'/a%20b/./c'])
    >>> paths(b"/a@b", PathRules(False, False))
    [b'/a@b', b'/a%40b']
    """
    if rules.normalize and (path.find(b"//") >= 0 or path.find(b"/.") >= 0):  # in half the time that "in" takes
        path = _normal(path)
    if _PLAIN_PATH.fullmatch(path):
        return [path]
    if rules.double_encode:
        return [path.decode("latin-1").translate(_IN_PATH).encode()]
    if _ONCE_ENCODED.fullmatch(path):
        return [path]
    encoded = _encoded(path, _ONCE_IN_PATH)
    return [path] if encoded == path else [path, encoded]


def _normal(path: bytes) -> bytes:
    """Without empty segments and dot segments (RFC 3986 §5.2.4); a slash at the end stays."""
    while path.find(b"//") >= 0:  # half of a run at a time, so that it leaves no segments to be looked at
        path = path.replace(b"//", b"/")
    kept: list[bytes] = []
    segments = path.split(b"/")
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    return b"/" + b"/".join(kept) + (b"/" if kept and segments[-1] == b"" else b"")


def _encoded(text: bytes, table: Mapping[int, str] = _ONCE) -> bytes:
    """Each octet encoded once, by `table`: what is encoded already stays so, in capitals; `%2e` is not made a dot."""
    return percent_units(text).translate(table).encode()


# ---- query -----------------------------------------------------------------------------------------------------------


def queries(query: bytes) -> list[bytes]:
    """The canonical queries that a signature may cover, likeliest first: parameters sorted by name, then by value.

    Each name and value as sent is one; what AWS's `UriEncode` makes of them, if that differs, the other. In it "+" is
    a space, as forms have it, and so never what %2B is: but for the order of parameters, what one signature fits is one
    to a form decoder too.

    >>> queries(b"b=1&a=2&a"), queries(b"a=b+c/d")
    ([b'a=&a=2&b=1'], [b'a=b+c/d', b'a=b%20c%2Fd'])
    """
    if not query:
        return _NO_QUERY
    pairs = [pair.partition(b"=") for pair in query.split(b"&")]
    if _PLAIN_QUERY.fullmatch(query):
        if len(pairs) == 1:
            return [query]
        pairs.sort()
        return [b"&".join([b"".join(pair) for pair in pairs])]
    as_sent = _sorted((name, value) for name, _, value in pairs)
    encoded = _sorted((_parameter(name), _parameter(value)) for name, _, value in pairs)
    return [as_sent] if encoded == as_sent else [as_sent, encoded]


def _sorted(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"&".join([name + b"=" + value for name, value in sorted(pairs)])


def _parameter(text: bytes) -> bytes:
    return _encoded(text.replace(b"+", b"%20"))


def without(query: bytes, *names: bytes) -> bytes:
    """The query without its parameters of these names.

    >>> without(b"a=1&X-Amz-Signature=2", b"X-Amz-Signature")
    b'a=1'
    """
    return b"&".join([pair for pair in query.split(b"&") if pair.partition(b"=")[0] not in names])


# ---- fields, request, string -----------------------------------------------------------------------------------------


def canonical_request(
    method: str, path: bytes, query: bytes, names: Sequence[bytes], values: Sequence[bytes], payload: bytes
) -> bytes:
    """The canonical request; `values` are canonical, in the order of `names`.

    >>> canonical_request("GET", b"/", b"", [b"host"], [b"api.example"], b"UNSIGNED-PAYLOAD").split(bytes([10]))
    [b'GET', b'/', b'', b'host:api.example', b'', b'host', b'UNSIGNED-PAYLOAD']
    """
    lines = b"\n".join([name + b":" + value for name, value in zip(names, values, strict=True)])
    return b"\n".join((method.encode(), path, query, lines, b"", b";".join(names), payload))


def string_to_sign(algorithm: bytes, timestamp: bytes, scope: bytes, canonical: bytes) -> bytes:
    """What is signed: algorithm, time, scope, and the hash of the canonical request."""
    return b"\n".join((algorithm, timestamp, scope, hex_digest("sha-256", canonical)))
