"""The two messages of Digest: the challenge (RFC 7616 §3.3) and the credentials (§3.4), each written and read here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from watchword.core.answer import Challenge, Token
from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.scheme import malformed
from watchword.schemes.client_half import need_text
from watchword.crypto.precis import MAX_USERNAME
from watchword.fields.auth_params import parse_challenges
from watchword.fields.percent import percent_decoded
from watchword.fields.target import check_exact, split_target
from watchword.schemes.digest.computation import Algorithm, algorithm_named

__all__ = [
    "CONTROL", "Form", "Offer", "PresentedCredentials", "Terms", "check_uri", "checked_domain", "checked_qop", "credentials_form",
    "quotable_octets", "quoted", "read_credentials", "read_offers", "written",
]  # fmt: skip

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_OCTET: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")  # HTAB goes in a quoted string as it is
_RESPONSE: Final = re.compile(r"[0-9a-f]{32}(?:[0-9a-f]{32})?")  # RFC 7616 §3.4, <"> 32LHEX <"> and for SHA-256 64
_NC: Final = re.compile(r"[0-9A-Fa-f]{8}")  # 8LHEX; upper case is read as well, for the hash takes it in as sent
# RFC 8187 §3.2.1 with the one charset that RFC 7616 §3.4 leaves: charset ' language ' value-chars
_EXTENDED: Final = re.compile(r"UTF-8'[A-Za-z0-9-]*'((?:%[0-9A-Fa-f]{2}|[A-Za-z0-9!#$&+.^_`|~-])*)", re.IGNORECASE)

_URI: Final = re.compile(r"(?:/|[A-Za-z][A-Za-z0-9+.-]*://[^/\s\"\\])[^\s\"\\\x00-\x1f\x7f-\U0010ffff]*")
_QOPS: Final = ("auth", "auth-int")


# ---- the challenge ---------------------------------------------------------------------------------------------------


class Terms(NamedTuple):
    """What all challenges of a server say alike.

    Args:
        realm: what the user is asked to log in to.
        qop: "auth", "auth-int" or both.
        domain: the URIs of the protection space; none: the whole origin.
        opaque: what the client is to give back; None: nothing.
        userhash: a hashed username is understood.
    """

    realm: str
    qop: tuple[str, ...] = ("auth",)
    domain: tuple[str, ...] = ()
    opaque: str | None = None
    userhash: bool = False


def written(terms: Terms, algorithm: Algorithm, nonce: str, stale: bool) -> Challenge:
    """The challenge for one algorithm; which values are quoted is RFC 7616 §3.3's.

    No space stands in `qop`: LWP takes "auth, auth-int" for one value that it doesn't know.

    >>> from watchword.schemes.digest.computation import ALGORITHMS
    >>> written(Terms("orders"), ALGORITHMS[2], "b0", stale=True).encode()
    b'Digest realm="orders", qop="auth", algorithm=SHA-256, nonce="b0", stale=true, charset=UTF-8'
    """
    params = [("realm", terms.realm)]
    if terms.domain:
        params.append(("domain", " ".join(terms.domain)))
    params += [("qop", ",".join(terms.qop)), ("algorithm", Token(algorithm.name)), ("nonce", nonce)]
    if terms.opaque is not None:
        params.append(("opaque", terms.opaque))
    if stale:
        params.append(("stale", Token("true")))
    params.append(("charset", Token("UTF-8")))
    if terms.userhash:
        params.append(("userhash", Token("true")))
    return Challenge("Digest", tuple(params))


def quotable_octets(name: str, text: str) -> bytes:
    """What goes into a quoted string; `ConfigurationError` naming it if that can't be."""
    need_text(name, text)
    if CONTROL.search(text):
        raise ConfigurationError(f"{name} is a quoted string: remove its control characters")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"{name} holds half of a surrogate pair") from None


def checked_qop(qop: Sequence[str]) -> tuple[str, ...]:
    """The qop values that are known, each once; `ConfigurationError` for others."""
    if isinstance(qop, str) or not qop or set(qop) - set(_QOPS):
        raise ConfigurationError("qop is a list of auth, auth-int or both: qop=['auth', 'auth-int']")
    return tuple(name for name in _QOPS if name in qop)


def checked_domain(domain: Sequence[str]) -> tuple[str, ...]:
    """URIs as a challenge lists them (RFC 7616 §3.3); `ConfigurationError` for what is none."""
    if isinstance(domain, str):
        raise ConfigurationError(f"domain is a list: domain=[{domain!r}]")
    for uri in domain:
        if not _URI.fullmatch(uri):
            raise ConfigurationError(
                f"domain has paths and absolute URIs, such as '/' or 'https://api.example/': {uri!r}"
            )
    return tuple(domain)


class Offer(NamedTuple):
    """A challenge that the client half can answer; text as octets.

    Args:
        algorithm: what to compute with.
        named: whether the challenge names it (MD5 is meant where it doesn't); the answer does the same.
        realm: "" where there is none.
        nonce: the server's nonce.
        qops: of "auth" and "auth-int"; none: RFC 2069's form, for which the challenge has no qop.
        opaque: given back as it came; None: there was none.
        utf8: username and password are wanted in UTF-8 (RFC 7616 §4).
        userhash: the username may be hashed.
        stale: the last answer was right but for its nonce.
        domain: URIs, separated by spaces; "": the whole origin.
    """

    algorithm: Algorithm
    named: bool
    realm: bytes
    nonce: bytes
    qops: frozenset[str]
    opaque: bytes | None
    utf8: bool
    userhash: bool
    stale: bool
    domain: str


def read_offers(values: Sequence[bytes], *, legacy: bool = False) -> list[Offer]:
    """The Digest challenges among these field lines that can be answered, strongest first.

    Others are skipped: an unknown algorithm (RFC 7616 §3.3 says to), no nonce, a qop that is unknown; and without a
    `qop` (RFC 2069) unless `legacy`.

    >>> [offer.algorithm.name for offer in read_offers([b'Digest realm="a", nonce="b0", qop="auth-int, auth"'])]
    ['MD5']
    """
    offers = [
        _offer(dict(challenge.params), legacy) for challenge in parse_challenges(values) if challenge.scheme == "digest"
    ]
    return sorted(
        (offer for offer in offers if offer), key=lambda offer: (-offer.algorithm.strength, offer.algorithm.session)
    )


def _offer(params: Mapping[str, str], legacy: bool) -> Offer | None:
    algorithm = algorithm_named(params.get("algorithm", "MD5"))
    nonce = params.get("nonce")
    if algorithm is None or nonce is None:
        return None
    qops = {qop.strip(" \t").lower() for qop in params.get("qop", "").split(",")} & {"auth", "auth-int"}
    if not qops and ("qop" in params or not legacy or algorithm.session):
        return None
    realm, opaque = params.get("realm", ""), params.get("opaque")
    if any(CONTROL.search(text) for text in (nonce, realm, opaque or "")):
        return None  # it could not be given back in a field (RFC 9110 §5.5)
    return Offer(
        algorithm,
        "algorithm" in params,
        realm.encode("latin-1"),
        nonce.encode("latin-1"),
        frozenset(qops),
        None if opaque is None else opaque.encode("latin-1"),
        params.get("charset", "").lower() == "utf-8",
        params.get("userhash", "").lower() == "true",
        params.get("stale", "").lower() == "true",
        params.get("domain", ""),
    )


# ---- the credentials -------------------------------------------------------------------------------------------------


def quoted(octets: bytes) -> bytes:
    r"""A quoted string (RFC 9110 §5.6.4).

    Raises:
        ConfigurationError: a control character, which no field value holds.

    >>> quoted(b'a "b" \\')
    b'"a \\"b\\" \\\\"'
    """
    if _CONTROL_OCTET.search(octets):
        raise ConfigurationError("a header can't carry control characters: percent-encode them in the target")
    if b'"' in octets or b"\\" in octets:
        octets = octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"%b"' % octets


class Form(NamedTuple):
    """The credentials for one challenge with gaps for what each request fills in."""

    before_uri: bytes
    before_count: bytes
    before_response: bytes
    tail: bytes
    has_qop: bool

    def fill(self, uri: bytes, nc: bytes, cnonce: bytes, response: bytes) -> bytes:
        """The field value; `cnonce` is base64, and `uri` a target that `check_target` has passed: without controls."""
        if b'"' in uri:
            uri = uri.replace(b'"', b'\\"')
        before_uri, before_count, before_response, tail, has_qop = self
        if not has_qop:
            return b"%b%b%b%b%b%b" % (before_uri, uri, before_count, before_response, response, tail)
        return b'%b%b%b%b, cnonce="%b%b%b%b' % (
            before_uri, uri, before_count, nc, cnonce, before_response, response, tail,
        )  # fmt: skip


def credentials_form(offer: Offer, username: bytes, qop: bytes, hashed: bool = False) -> Form:
    """The form for the answers to `offer`: parameters in the order of RFC 7616 §3.9.1; which are quoted is §3.4's.

    A username outside ASCII goes as octets in its quoted string, whose grammar has them (`obs-text`), and not as
    `username*`: RFC 7616 §3.4 lets the client choose, and most servers read only the former.

    Args:
        offer: the challenge.
        username: the name, or its hash if `hashed`.
        qop: the one that was chosen; b"" for RFC 2069's form.
        hashed: say so (RFC 7616 §3.4.4).

    >>> (offer,) = read_offers([b'Digest realm="a", nonce="b0", qop="auth"'])
    >>> credentials_form(offer, b"Mufasa", b"auth").fill(b"/", b"00000001", b"c0", b"d0").decode()
    'Digest username="Mufasa", realm="a", uri="/", nonce="b0", nc=00000001, cnonce="c0", qop=auth, response="d0"'
    """
    algorithm = b", algorithm=%b" % offer.algorithm.name.encode() if offer.named else b""
    opaque = b"" if offer.opaque is None else b", opaque=" + quoted(offer.opaque)
    return Form(
        b'Digest username=%b, realm=%b, uri="' % (quoted(username), quoted(offer.realm)),
        b'"%b, nonce=%b%b' % (algorithm, quoted(offer.nonce), b", nc=" if qop else b""),
        b'", qop=%b, response="' % qop if qop else b', response="',
        b'"%b%b' % (opaque, b", userhash=true" if hashed else b""),
        bool(qop),
    )


class PresentedCredentials(NamedTuple):
    """The parameters of an Authorization field as they were sent, unquoted; none of them is believed yet.

    Args:
        username: for the look-up; the hash of a name if `hashed`.
        hashed: the username is a hash (RFC 7616 §3.4.4).
        algorithm: the algorithm's name; where none was sent, that of the verifier, "MD5" (RFC 7616 §3.3).
        qop: "" where none was sent.
        nc: "" if and only if qop is.
        opaque: None where none was sent.
    """

    username: str
    hashed: bool
    realm: bytes
    nonce: bytes
    uri: bytes
    algorithm: str
    qop: str
    nc: str
    cnonce: bytes
    opaque: str | None
    response: str


def read_credentials(params: Mapping[str, str], unnamed: str = "MD5") -> PresentedCredentials:
    """Checks the parameters against the grammar of RFC 7616 §3.4; parameters that it doesn't know are ignored (§3.4).

    Args:
        params: the parameters.
        unnamed: the algorithm where none is named.

    Raises:
        Rejected: MALFORMED_CREDENTIALS naming the parameter.
    """
    get = params.get
    for name in ("realm", "nonce", "uri", "response"):
        if name not in params:
            raise malformed("the parameter is missing", f"authorization {name}")
    qop, nc = get("qop", ""), get("nc", "")
    if (nc or qop) and not _NC.fullmatch(nc):
        raise malformed("not 8 hexadecimal digits", "authorization nc")
    if nc and not qop:  # a count that no digest covers
        raise malformed("there is a count without it", "authorization qop")
    if qop and not get("cnonce"):
        raise malformed("the parameter is missing", "authorization cnonce")
    if not _RESPONSE.fullmatch(params["response"]):
        raise malformed("not 32 or 64 lower-case hexadecimal digits", "authorization response")
    hashed = _is_hashed(params)
    return PresentedCredentials(
        _username(params),
        hashed,
        params["realm"].encode("latin-1"),
        params["nonce"].encode("latin-1"),
        params["uri"].encode("latin-1"),
        get("algorithm", unnamed),
        qop,
        nc,
        get("cnonce", "").encode("latin-1"),
        get("opaque"),
        params["response"],
    )


def _is_hashed(params: Mapping[str, str]) -> bool:
    """`userhash` (RFC 7616 §3.4.4); then the username is a hash, and never in the extended notation (§3.4)."""
    given = params.get("userhash")
    if given is None or given.lower() == "false":
        return False
    if given.lower() != "true":
        raise malformed("neither true nor false", "authorization userhash")
    if not _RESPONSE.fullmatch(params.get("username", "")):
        raise malformed("not the hash that userhash=true announces", "authorization username")
    return True


def _username(params: Mapping[str, str]) -> str:
    """Either `username` or `username*`, both is an error (RFC 7616 §3.4).

    The octets of the former are UTF-8, which the challenge asks for; clients that send ISO 8859-1 nevertheless are
    found as well. That is safe: the name only leads to a stored secret, which the response has to prove.
    """
    plain, extended = params.get("username"), params.get("username*")
    if (plain is None) == (extended is None):
        raise malformed("one of username and username* is needed", "authorization username")
    if extended is None:
        text = str(plain)
        if text.isascii() and text.isprintable():
            return _short(text)
        try:
            username = text.encode("latin-1").decode()
        except UnicodeDecodeError:
            username = text
    else:
        match = _EXTENDED.fullmatch(extended)
        if match is None:
            raise malformed("not UTF-8 in the notation of RFC 8187", "authorization username*")
        try:
            username = percent_decoded(match[1].encode()).decode()
        except UnicodeDecodeError:
            raise malformed("not UTF-8", "authorization username*") from None
    if CONTROL.search(username):
        raise malformed("a control character", "authorization username")
    return _short(username)


def _short(username: str) -> str:
    """The username, if it is no longer than a user's may be where one is added."""
    if len(username) > MAX_USERNAME:
        raise malformed(f"more than {MAX_USERNAME} characters", "authorization username")
    return username


def check_uri(uri: bytes, request: Request) -> None:
    """The resource that was signed is the one that is asked for (RFC 7616 §3.4.6), octet by octet.

    Either may be in absolute form (RFC 9112 §3.2.2): a proxy may have changed one into the other.

    Raises:
        Rejected: WRONG_TARGET; or TARGET_NOT_EXACT where the server rebuilt the target and so nobody can tell.
    """
    same = uri == request.target
    check_exact(request, uri, "authorization uri")
    if not (same or _names_the_same(uri, request)):
        raise Rejected(Reason.WRONG_TARGET, "credentials for another request target", where="authorization uri")


def _names_the_same(uri: bytes, request: Request) -> bool:
    try:
        signed = split_target(uri, request.scheme, request.authority)
    except Rejected:  # an authority that is none: of no resource of ours
        return False
    return signed == split_target(request.target, request.scheme, request.authority)
