r"""Challenges and credentials: the grammar of RFC 9110 §11, read strictly by servers and leniently by clients.

    challenge     = auth-scheme [ 1*SP ( token68 / #auth-param ) ]          RFC 9110 §11.3
    credentials   = auth-scheme [ 1*SP ( token68 / #auth-param ) ]          RFC 9110 §11.4
    auth-scheme   = token                                                   RFC 9110 §11.1
    auth-param    = token BWS "=" BWS ( token / quoted-string )             RFC 9110 §11.2
    token68       = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
    token         = 1*tchar                                                 RFC 9110 §5.6.2
    tchar         = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~"
                  / DIGIT / ALPHA
    quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE                 RFC 9110 §5.6.4
    qdtext        = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text
    quoted-pair   = "\" ( HTAB / SP / VCHAR / obs-text )
    #element      = [ element ] *( OWS "," OWS [ element ] )                RFC 9110 §5.6.1.2, what recipients accept
    OWS, BWS      = *( SP / HTAB )                                          RFC 9110 §5.6.3

Text is the field's octets as ISO 8859-1, so `.encode("latin-1")` gives them back. Every quantifier below that could be
tried in two ways is possessive: all of it runs in time linear in the input. No group is captured inside a possessive one,
and nothing there backtracks, for early releases of Python 3.11 get these wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

from watchword.core.answer import Challenge
from watchword.core.rejection import Rejected
from watchword.core.scheme import malformed

__all__ = [
    "MAX_CHALLENGE_OCTETS",
    "Credentials",
    "parse_auth_info",
    "parse_challenges",
    "parse_credentials",
    "unescaped",
]

MAX_CHALLENGE_OCTETS: Final = 64 * 1024
"""How much of an answer's challenges a client reads, all lines together; the line that passes it and later ones go unread."""

MAX_PARAMS: Final = 64
"""Parameters of a challenge or of credentials; no scheme has half as many."""

TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
TOKEN68 = r"[A-Za-z0-9\-._~+/]++=*+"
QDTEXT = r"[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]*+"
QUOTED = rf'"({QDTEXT}(?:\\[\t\x20-\x7e\x80-\xff]{QDTEXT})*+)"'
END = r"(?:[ \t]*+,[ \t,]*+|[ \t]*+\Z)"

# auth-scheme, then the end, or 1*SP and a token68 that is all the rest, or 1*SP and where the list begins.
_HEAD = re.compile(rf"({TOKEN})(?:[ \t]*+\Z| ++(?:({TOKEN68})[ \t]*+\Z|(?:[ \t]*+,[ \t,]*+)?+))")
# One auth-param with the commas that follow it; what is none ends up whole in the last group.
_PARAM = re.compile(rf"({TOKEN})[ \t]*+=[ \t]*+(?:({TOKEN})|{QUOTED}){END}|(.++)", re.DOTALL)
_LEADING_COMMAS = re.compile(r"[ \t,]*+")
# A backslash that nothing follows (lenient only) is a string's unfinished end.
_QUOTED_PAIR = re.compile(r"\\(.?)", re.DOTALL)


class Credentials(NamedTuple):
    """The value of an Authorization field (RFC 9110 §11.4).

    Args:
        scheme: the scheme word, in lower case.
        token68: the one opaque token that followed it, or None.
        params: the parameters that followed it; names in lower case, values unquoted.
    """

    scheme: str
    token68: str | None
    params: dict[str, str]

    def __repr__(self) -> str:
        # Either may be the secret itself.
        return f"Credentials(scheme={self.scheme!r}, params: {', '.join(self.params)})"


def parse_credentials(value: bytes) -> Credentials:
    """Reads credentials by the letter of RFC 9110 §11.4.

    Args:
        value: one field value; how long it may be is the guard's to say (`Limits.field`).

    Raises:
        Rejected: MALFORMED_CREDENTIALS, for anything off the grammar and for a parameter that occurs twice (§11.2).

    >>> parse_credentials(b'Digest username="Mufasa", uri="/dir?a=1,2", nc=00000001').params
    {'username': 'Mufasa', 'uri': '/dir?a=1,2', 'nc': '00000001'}
    >>> parse_credentials(b"BEARER mF_9.B5f-4.1JqM").token68
    'mF_9.B5f-4.1JqM'
    """
    text = value.decode("latin-1")
    head = _HEAD.match(text)
    if head is None:
        raise malformed("it does not begin with a scheme word and a space")
    scheme, token68 = head.groups()
    if token68 is not None:
        return Credentials(scheme.lower(), token68, {})
    return Credentials(scheme.lower(), None, _params(text, head.end()))


def parse_auth_info(value: bytes) -> dict[str, str]:
    """Reads Authentication-Info or Proxy-Authentication-Info (RFC 9110 §11.6.3): parameters without a scheme word.

    For clients, so it never raises; a field off the grammar, or one that gives a parameter twice, says nothing at all:
    half of a proof is none.

    Args:
        value: the field value; of several lines, joined by commas.

    >>> parse_auth_info(b'nextnonce="b0", qop=auth, rspauth="5f"')
    {'nextnonce': 'b0', 'qop': 'auth', 'rspauth': '5f'}
    >>> parse_auth_info(b'rspauth="5f", rspauth="60"')
    {}
    """
    text = value.decode("latin-1")
    if len(text) > MAX_CHALLENGE_OCTETS:
        return {}
    match = _LEADING_COMMAS.match(text)
    start = match.end() if match else 0
    try:
        return _params(text, start)
    except Rejected:
        return {}


def _params(text: str, start: int) -> dict[str, str]:
    """`#auth-param` from `start` to the end of `text`."""
    if text.count(",") < MAX_PARAMS:
        found = _PARAM.findall(text, start)
    else:  # some of the commas may be in quoted strings
        found = [match.groups("") for match in islice(_PARAM.finditer(text, start), MAX_PARAMS + 1)]
    if not found:
        return {}
    if len(found) > MAX_PARAMS:
        raise malformed(f"more than {MAX_PARAMS} parameters")
    if found[-1][3]:
        raise malformed(f"member {len(found)} is not a parameter that a comma or the end follows")
    if "\\" in text:
        found = [(name, token, unescaped(quoted), rest) for name, token, quoted, rest in found]
    params = {name.lower(): token or quoted for name, token, quoted, _ in found}
    if len(params) < len(found):
        raise malformed("a parameter occurs twice")
    return params


def unescaped(quoted: str) -> str:
    r"""The text of a quoted string, each quoted-pair as the character that it stands for (RFC 9110 §5.6.4).

    `quoted` is what stands between the quotes and follows the grammar, so it has no NUL: that takes the place of a pair of
    backslashes meanwhile. Three replacements cost a hundredth of a substitution by a regular expression.

    >>> unescaped(r'a \"b\" \\\c')
    'a "b" \\c'
    """
    if "\\" not in quoted:
        return quoted
    return quoted.replace("\\\\", "\0").replace("\\", "").replace("\0", "\\")


# ---- clients: what is broken is skipped -------------------------------------------------------------------------------

# CR, LF and NUL read as SP (RFC 9110 §5.5), which unfolds obs-fold as well (RFC 9112 §5.2).
_UNSAFE = re.compile(r"[\r\n\0]")
# A parameter; its value may be any run without space, comma and quote, and the closing quote may be missing at the end.
_LENIENT_PARAM = re.compile(
    rf'({TOKEN})[ \t]*+=[ \t]*+(?:"((?:[^"\\]++|\\.)*+\\?+)"?+|([^ \t,"]++))(?=[ \t]*+(?:,|\Z))', re.DOTALL
)
# A scheme word: then the end or a comma; or spaces, and a token68 up to the next comma if there is one.
_LENIENT_SCHEME = re.compile(rf"({TOKEN})(?=[ \t,]|\Z)(?:([ \t]++)(?:({TOKEN68})(?=[ \t]*+(?:,|\Z)))?)?")
# Spaces and commas; the group is set if there is a comma among them.
_SEPARATORS = re.compile(r"[ \t]*+(,[ \t,]*+)?")
# Up to the next comma that is outside a quoted string.
_GARBAGE = re.compile(r'(?:[^,"]++|"(?:[^"\\]++|\\.)*+\\?+"?+)++', re.DOTALL)


def parse_challenges(values: Sequence[bytes]) -> list[Challenge]:
    """Reads the challenges of an answer's WWW-Authenticate or Proxy-Authenticate lines (RFC 9110 §11.6.1), leniently.

    It never raises. Scheme words and parameter names come in lower case, values unquoted. Where the lines are off the
    grammar:

    - a challenge with a parameter that can't be read is left out, for what is missing might be its algorithm;
      the next one is found after the next comma outside quotes;
    - parameters that belong to no scheme are left out: in `Basic, realm="a"` no space follows the word, so the
      parameter isn't its own;
    - of a parameter that occurs twice the first counts;
    - a value without quotes may have octets that no token has, and is taken as it is;
    - a quoted string that never ends goes to the end of its line;
    - CR, LF and NUL read as spaces, so a folded line (RFC 9112 §5.2) is one line.

    Args:
        values: the field lines in order. `MAX_CHALLENGE_OCTETS` are read, whole lines only.

    >>> parse_challenges([b'Newauth realm="a, b", Basic realm="c"', b"Negotiate YWJj"])
    ... # doctest: +NORMALIZE_WHITESPACE
    [Challenge(scheme='newauth', params=(('realm', 'a, b'),), token68=None),
     Challenge(scheme='basic', params=(('realm', 'c'),), token68=None),
     Challenge(scheme='negotiate', params=(), token68='YWJj')]
    """
    challenges: list[Challenge] = []
    left = MAX_CHALLENGE_OCTETS
    for value in values:
        left -= len(value)
        if left < 0:
            break
        challenges += _challenges(_UNSAFE.sub(" ", value.decode("latin-1")))
    return challenges


def _challenges(text: str) -> list[Challenge]:
    """The readable challenges of one line."""
    drafts: list[_Draft] = []
    draft = _Draft("", takes_params=False)
    position = 0
    while gap := _SEPARATORS.match(text, position):  # it may be empty, so it always matches
        separated = position == 0 or gap[1] is not None
        position = gap.end()
        if position == len(text):
            break
        if param := _LENIENT_PARAM.match(text, position):
            name, quoted, bare = param.groups()
            draft.add(name.lower(), bare if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted))
            position = param.end()
        elif separated and (scheme := _LENIENT_SCHEME.match(text, position)):
            word, spaces, token68 = scheme.groups()
            draft = _Draft(word.lower(), takes_params=spaces is not None and token68 is None, token68=token68)
            drafts.append(draft)
            position = scheme.end()
        else:
            draft.broken = True
            garbage = _GARBAGE.match(text, position)
            position = garbage.end() if garbage else len(text)
    return [Challenge(draft.scheme, tuple(draft.params.items()), draft.token68) for draft in drafts if not draft.broken]


class _Draft:
    """A challenge while it is read."""

    __slots__ = ("broken", "params", "scheme", "takes_params", "token68")

    def __init__(self, scheme: str, *, takes_params: bool, token68: str | None = None) -> None:
        self.scheme = scheme
        self.takes_params = takes_params
        self.token68 = token68
        self.params: dict[str, str] = {}
        self.broken = False

    def add(self, name: str, value: str) -> None:
        if self.takes_params:
            self.params.setdefault(name, value)
        elif self.token68 is not None:  # so it was none, but a parameter without a value: "algorithm=, nonce=…"
            self.broken = True
