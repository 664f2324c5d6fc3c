"""What a SigV4 request presents: in Authorization, or in the query of a presigned URL."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Mapping
from time import gmtime, strftime
from typing import Final

from watchword.core.address import has_parameter
from watchword.core.message import Request
from watchword.core.scheme import malformed
from watchword.fields.percent import percent_decoded
from watchword.schemes.sigv4.access_key import TERMINATOR
from watchword.schemes.sigv4.canonical import ECDSA, HMAC

__all__ = [
    "CREDENTIALS", "MAX_EXPIRES", "SIGNATURE", "TOKEN", "Plan", "PresentedCredentials", "credential_of", "cut", "epoch", "is_presigned",
    "is_signature",
    "read_field", "read_query", "text_of_time",
]  # fmt: skip

MAX_EXPIRES: Final = 604_800
"""Seconds for which a presigned URL can be good: seven days."""
MAX_NAMES: Final = 128

SIGNATURE: Final = b"X-Amz-Signature"
TOKEN: Final = b"X-Amz-Security-Token"
CREDENTIALS: Final = (b"X-Amz-Algorithm", b"X-Amz-Credential", b"X-Amz-Date", b"X-Amz-Expires", b"X-Amz-SignedHeaders", SIGNATURE)  # fmt: skip
_OPTIONAL: Final = (TOKEN, b"X-Amz-Region-Set", b"X-Amz-Content-Sha256")

_ID = re.compile(rb"[!#-+\-.0-~]{1,128}")  # visible ASCII without the separators `,` and `/`
_NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")
_DATE = re.compile(rb"[12][0-9]{3}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_TIME = re.compile(rb"([0-9]{8})T([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9])Z")
_MONTHS: Final = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_HTTP_DATE = re.compile(  # IMF-fixdate, RFC 9110 §5.6.7
    rb"[A-Z][a-z]{2}, ([0-9]{2}) (%s) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT" % b"|".join(_MONTHS)
)
_SIGNED = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+(?:;[!#$%&'*+\-.^_`|~0-9a-z]+)*+")
_EXPIRES = re.compile(rb"[1-9][0-9]{0,5}")
_UNSAID: Final = b"900"  # some signers leave it out for services other than S3; as long as any signed request is good
_HEX = {HMAC: re.compile(rb"[0-9a-f]{64}"), ECDSA: re.compile(rb"(?:[0-9a-f]{2}){8,72}")}


class Plan:
    """What is the same in many requests: who signs, for what scope, which fields. Immutable.

    `scope` is the text after the access key id; `region` is b"" under SigV4A. `positions` gives each signed field's index,
    `…_at` that of some, or -1.
    `day` is the scope's date in seconds since the epoch.
    """

    __slots__ = (
        "access_key_id", "algorithm", "content_at", "date", "day", "ecdsa", "host_at", "names", "positions", "region", "scope",
        "service", "signed", "time_at", "token_at",
    )  # fmt: skip

    def __init__(self, algorithm: bytes, credential: bytes, signed: bytes, where: str) -> None:
        self.algorithm = algorithm
        self.ecdsa = algorithm == ECDSA
        parts = credential.split(b"/")
        if len(parts) != (4 if self.ecdsa else 5):
            raise malformed("not an access key id and a scope, separated by slashes", where)
        if not _ID.fullmatch(parts[0]):
            raise malformed("the access key id does not follow its grammar", where)
        if parts[-1] != TERMINATOR:
            raise malformed("the scope does not end with aws4_request", where)
        if not all(_NAME.fullmatch(name) for name in parts[2:-1]):
            raise malformed("region or service does not follow its grammar", where)
        self.access_key_id = parts[0].decode("ascii")
        self.date, self.service = parts[1], parts[-2]
        self.region = b"" if self.ecdsa else parts[2]
        self.scope = credential[len(parts[0]) + 1 :]
        self.day = _day(self.date, where)
        if not _SIGNED.fullmatch(signed):
            raise malformed("not names in lower case, separated by semicolons", "SignedHeaders")
        self.signed = signed
        self.names = tuple(signed.split(b";"))
        if len(self.names) > MAX_NAMES or list(self.names) != sorted(set(self.names)):
            raise malformed(f"not sorted, a name twice, or more than {MAX_NAMES}", "SignedHeaders")
        self.positions = {name: index for index, name in enumerate(self.names)}
        self.host_at = self.positions.get(b"host", -1)
        self.time_at = self.positions.get(b"x-amz-date", -1)
        self.content_at = self.positions.get(b"x-amz-content-sha256", -1)
        self.token_at = self.positions.get(b"x-amz-security-token", -1)


class PresentedCredentials:
    """Credentials as they were sent, checked for their grammar, not verified.

    `expires` is None in a field; `timestamp` is b"" where it is in another field. `token` and `region_set` are those
    of the query, None in a field. `around` is the field's text before and after the signature, if the plan was made of it.
    `content` is the query's X-Amz-Content-Sha256.
    """

    __slots__ = ("around", "content", "expires", "plan", "region_set", "signature", "timestamp", "token")

    def __init__(self, plan: Plan, signature: bytes, around: tuple[bytes, bytes] | None = None) -> None:
        self.plan = plan
        self.signature = signature
        self.around = around
        self.timestamp = b""
        self.expires: int | None = None
        self.token: bytes | None = None
        self.region_set: bytes | None = None
        self.content: bytes | None = None


def _day(date: bytes, where: str) -> int:
    if not _DATE.fullmatch(date):
        raise malformed("the scope's date is not YYYYMMDD", where)
    return timegm((int(date[:4]), int(date[4:6]), int(date[6:]), 0, 0, 0))


def epoch(timestamp: bytes, where: str, date: bytes = b"", day: int = 0) -> tuple[int, bytes]:
    """A time in seconds since the epoch, and its text YYYYMMDDTHHMMSSZ; a Date field's form is read as well.

    Of `date`, the scope's, `day` is known: the seconds since the epoch at its beginning.

    Raises:
        Rejected: MALFORMED_CREDENTIALS.

    >>> epoch(b"20150830T123600Z", "date"), epoch(b"Sun, 30 Aug 2015 12:36:00 GMT", "date")
    ((1440938160, b'20150830T123600Z'), (1440938160, b'20150830T123600Z'))
    """
    match = _TIME.fullmatch(timestamp)
    if match is not None:
        day = day if match[1] == date else _day(match[1], where)
        return day + int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4]), timestamp
    match = _HTTP_DATE.fullmatch(timestamp)
    if match is not None and where == "date":
        of_month, month, year, hour, minute, second = match.groups()
        return epoch(b"%s%02d%sT%s%s%sZ" % (year, _MONTHS.index(month) + 1, of_month, hour, minute, second), "")
    raise malformed("not a time as YYYYMMDDTHHMMSSZ", where)


def text_of_time(second: int) -> bytes:
    """Seconds since the epoch as YYYYMMDDTHHMMSSZ; those beyond the year 9999 as the last one in it.

    >>> text_of_time(1440938160)
    b'20150830T123600Z'
    """
    return strftime("%Y%m%dT%H%M%SZ", gmtime(min(second, 253402300799))).encode()


def read_field(value: bytes) -> PresentedCredentials:
    """The value of Authorization.

    Raises:
        Rejected: MALFORMED_CREDENTIALS.
    """
    word, _, rest = value.partition(b" ")
    algorithm = _algorithm(word.upper(), "authorization")
    params: dict[bytes, bytes] = {}
    for part in rest.split(b",", 3):  # what follows the third comma is no such parameter
        name, mark, text = part.strip(b" \t").partition(b"=")
        if not mark or name in params:
            raise malformed("not Credential=…, SignedHeaders=…, Signature=…, each once")
        params[name] = text
    if params.keys() != {b"Credential", b"SignedHeaders", b"Signature"}:
        raise malformed("not Credential=…, SignedHeaders=…, Signature=…, and nothing else")
    plan = Plan(algorithm, params[b"Credential"], params[b"SignedHeaders"], "authorization Credential")
    signature = _signature(params[b"Signature"], algorithm, "authorization Signature")
    text, around = cut(value)
    return PresentedCredentials(plan, signature, around if text == signature else None)


def cut(value: bytes) -> tuple[bytes, tuple[bytes, bytes]]:
    """The signature in a field, and what is before and after it: that is the same in many requests.

    >>> cut(b"AWS4-HMAC-SHA256 Signature=00ff, Credential=a")
    (b'00ff', (b'AWS4-HMAC-SHA256 Signature=', b', Credential=a'))
    """
    at = value.find(b"Signature=") + 10
    end = value.find(b",", at)
    if end < 0:
        return value[at:], (value[:at], b"")
    return value[at:end], (value[:at], value[end:])


def is_signature(text: bytes, plan: Plan) -> bool:
    """Whether it is in the form that this plan's signatures have."""
    return _HEX[plan.algorithm].fullmatch(text) is not None


def read_query(query: bytes) -> PresentedCredentials:
    """The parameters of a presigned URL.

    Raises:
        Rejected: MALFORMED_CREDENTIALS, naming the parameter.
    """
    params = _params(query)
    algorithm = _algorithm(params[b"X-Amz-Algorithm"], "query X-Amz-Algorithm")
    plan = Plan(algorithm, params[b"X-Amz-Credential"], params[b"X-Amz-SignedHeaders"], "query X-Amz-Credential")
    presented = PresentedCredentials(plan, _signature(params[SIGNATURE], algorithm, "query X-Amz-Signature"))
    presented.timestamp = params[b"X-Amz-Date"]
    expires = params.get(b"X-Amz-Expires", _UNSAID)
    if not _EXPIRES.fullmatch(expires) or int(expires) > MAX_EXPIRES:
        raise malformed(f"not a number of seconds from 1 to {MAX_EXPIRES}", "query X-Amz-Expires")
    presented.expires = int(expires)
    presented.token = params.get(TOKEN)
    presented.region_set = params.get(b"X-Amz-Region-Set")
    presented.content = params.get(b"X-Amz-Content-Sha256")
    return presented


def _params(query: bytes) -> Mapping[bytes, bytes]:
    params: dict[bytes, bytes] = {}
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name in CREDENTIALS or name in _OPTIONAL:
            if name in params:
                raise malformed("the parameter is there twice", f"query {name.decode()}")
            params[name] = percent_decoded(value)
    for name in CREDENTIALS:
        if name not in params and name != b"X-Amz-Expires":
            raise malformed("the parameter is missing", f"query {name.decode()}")
    return params


def _algorithm(word: bytes, where: str) -> bytes:
    if word not in _HEX:
        raise malformed("neither AWS4-HMAC-SHA256 nor AWS4-ECDSA-P256-SHA256", where)
    return word


def _signature(text: bytes, algorithm: bytes, where: str) -> bytes:
    if not _HEX[algorithm].fullmatch(text):
        count = "64" if algorithm == HMAC else "16 to 144"
        raise malformed(f"not {count} lower-case hexadecimal digits", where)
    return text


def is_presigned(request: Request) -> bool:
    """Whether the query has a signature."""
    return has_parameter(request.query or b"", SIGNATURE)


def credential_of(request: Request) -> PresentedCredentials:
    """What the request presents, wherever it is; for those that want to see what a client sent.

    Raises:
        Rejected: it presents nothing, or something malformed.
    """
    fields = [value for value in request.values(b"authorization") if value[:5].lower() == b"aws4-"]
    if is_presigned(request) and not fields:
        return read_query(request.query or b"")
    if len(fields) != 1:
        raise malformed("no Authorization field of AWS4-HMAC-SHA256, and no X-Amz-Signature")
    return read_field(fields[0])
