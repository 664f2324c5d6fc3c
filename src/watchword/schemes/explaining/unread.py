"""What can be said of credentials that are none: placeholders, other schemes' words, values off the grammar, without showing them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final
from urllib.parse import unquote

from watchword.core.address import Address
from watchword.core.message import Request
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import Check
from watchword.schemes.explaining.api_keys import part_of_a_key
from watchword.schemes.explaining.off_grammar import odd_marks, odd_times
from watchword.schemes.diagnosis.text_axes import base64_octets
from watchword.schemes.explaining.typed_text import placeholder

__all__ = ["PARAMETER", "WORDS", "described", "form_of", "is_word", "nowhere", "shape_of", "unread", "unset", "value_at"]  # fmt: skip

PARAMETER: Final = re.compile(rb'(?<![\w-])([A-Za-z][\w-]*+)([ \t]*+=[ \t]*+"?)([^",;& \t]++)')
WORDS: Final = {
    word.lower(): word
    for word in (
        "Basic", "Bearer", "Digest", "DPoP", "GNAP", "HOBA", "Mutual", "Negotiate", "NTLM", "OAuth", "PrivateToken", "Token",
        "SCRAM-SHA-1", "SCRAM-SHA-256", "vapid", "Concealed", "Hawk", "JWT", "ApiKey", "Api-Key", "X-API-Key", "Key", "HMAC", "AWS",
        "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "Signature", "Authorization", "SharedKey", "access_token", "token_type",
    )
}  # fmt: skip
_FORMS: Final = {
    "basic": "<base64 of username:password>", "bearer": "<token>", "jwt": "<token>", "oauth": "<token>", "apikey": "<key>",
    "api_key": "ww_<key id>_<secret and checksum>, 54 characters", "": "<the value alone>",
}  # fmt: skip


def unset(request: Request, body: bytes, addresses: Iterable[Address], field: bytes) -> Check | None:
    """The check of credentials that are no more than an unset variable, a placeholder or a scheme word; None if they are others."""
    for address in dict.fromkeys(addresses):
        name = field if address.word else address.field
        for value in request.values(name) if name else ():
            text = value.decode("utf-8", "replace")
            word, _, rest = text.strip().partition(" ")
            bare = rest if is_word(word, [address.word] if address.word else []) else text
            octets = base64_octets(bare.strip().encode())
            decoded = "" if octets is None else octets.decode("utf-8", "replace")
            parts = decoded.split(":", 1) if address.word == "basic" and ":" in decoded else [bare]
            told = [placeholder(part) for part in parts]
            if all(told):
                shown, mend = ":".join(parts), told[-1]
                expected = form_of(WORDS.get(address.word, address.word), address.word)
                where = f"{word} " if rest and bare is rest else ""
                return Check("grammar", False, name.decode(), expected, f"{where}{shown.strip() or 'nothing'}", mend)
    return None


_BEYOND_HEX: Final = frozenset(b"ghijklmnopqrstuvwxyz")
"""Letters that hex digits, which may be in one case, don't have."""


_BASE32: Final = re.compile(rb"(?:^|[^A-Za-z0-9])[2-7A-Z]{16,}=*\Z")  # RFC 4648 §6; it has capital letters only


def described(value: bytes) -> str:
    """What a value is like that nobody can read, without a word of it.

    >>> described(b"some words")
    '10 octets; octet 5 is " "'
    >>> described(b"a-token-all-in-small-letters-with-words"), described(b"0a" * 24)
    ('39 octets; no capital letter among them: its case is lost', '48 octets')
    """
    if not value:
        return "nothing"
    odd = re.search(rb"[^A-Za-z0-9._~+/=-]", value)
    told = [f"{len(value)} octets"]
    if odd is not None:
        char = odd[0].decode("latin-1")
        told.append(
            f"octet {odd.start() + 1} is {char if char.isprintable() else f'0x{odd[0][0]:02x}'!s}".replace(
                f"is {char}", f'is "{char}"'
            )
        )
    letters = bytes(octet for octet in value if octet | 32 in _BEYOND_HEX)
    if len(letters) > 20 and letters.islower():
        told.append("no capital letter among them: its case is lost")
    if len(letters) > 20 and letters.isupper() and not _BASE32.search(value):
        told.append("capital letters only: its case is lost")
    return "; ".join(told)


_AROUND: Final = (
    ('"', "quotes"), ("'", "single quotes"), ("<", "angle brackets"), ("{", "braces"), ("[", "square brackets"), ("(", "parentheses"),
    ("*", "asterisks"), ("`", "backquotes"), ("\\", "backslashes of an escape"),
)  # fmt: skip
_PROOF: Final = re.compile(r"signature$|mac$|response$|digest$|hash$|sha256$|signature-256$|hmac", re.IGNORECASE)
_SIZES: Final = {4: "CRC-32", 16: "MD5", 20: "SHA-1", 28: "SHA-224", 32: "SHA-256", 48: "SHA-384", 64: "SHA-512"}
"""Octets of the usual hashes."""


def shape_of(value: str) -> str:
    """How a value is written that should be a proof: what any reader sees of it, and how many octets it has.

    >>> shape_of("sha256=00ff"), shape_of("[12, -3, 4]")
    ("it has 'sha256=' in front, a prefix; it is hex digits of 2 octets: cut, or too short for a hash", 'it is in square brackets; it is a list of numbers, an array as a program prints it')
    """
    found = []
    if value != value.strip():
        found.append("it has blanks (white space) around it")
    bare = value.strip()
    found += [f"it is in {what}" for mark, what in _AROUND if bare[:1] == mark][:1]
    if re.match(r"[bB]['\"]", bare):
        found.append("it is b'…', as Python writes bytes")
    if not bare.isascii():
        found.append("it has characters beyond ASCII: octets that were read as UTF-8 or Latin-1 text, not encoded")
    if re.fullmatch(r"[\[{(]?\s*-?\d+(?:\s*,\s*-?\d+)*.*", bare, re.DOTALL) and "," in bare:
        return "; ".join([*found, "it is a list of numbers, an array as a program prints it"])
    if re.search(r"%[0-9A-Fa-f]{2}", bare):
        found.append("it is percent-encoded")
    prefix = re.match(r"(?:sha-?\d+|hmac(?:-sha\d+)?|md5|v\d+a?|t|mac|signature)[=:,]", bare, re.IGNORECASE)
    if prefix is not None:
        found.append(f"it has {prefix[0]!r} in front, a prefix")
        bare = bare[prefix.end() :]
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2}[:-])+[0-9A-Fa-f]{2}", bare):
        found.append("it is hex with colons or hyphens, as fingerprints have")
    return "; ".join([*found, *_octets_of(bare.strip("\"'<>{}[]()*`\\ "))])


def _octets_of(bare: str) -> Iterator[str]:
    """In which encoding it is, and what has so many octets."""
    octets = base64_octets(bare.encode("utf-8", "replace"))
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", bare):
        octets, form = bytes.fromhex(bare), "hex digits"
    elif octets is not None and len(bare) > 8:
        form = "standard base64, in its alphabet with + and /" if re.search(r"[+/]", bare) else "base64url or base64"
        form += ", with padding" if bare.endswith("=") else ", without padding"
    else:
        if len(bare) >= 8:
            yield f"{len(bare)} characters that are neither hex digits nor base64, an alphabet of its own or malformed"
        return
    size = len(octets or b"")
    if octets and form != "hex digits" and re.fullmatch(rb"(?:[0-9A-Fa-f]{2}){16,64}", octets):
        yield f"it is {form} of {size} hex digits: the text of a hash was encoded, not its {size // 2} octets"
    elif size in _SIZES:
        half = ", or cut: half of what SHA-256 gives" if size == 16 else ""
        yield f"it is {form} of {size} octets, as {_SIZES[size]} gives{half}"
    else:
        yield f"it is {form} of {size} octets: cut, or too {'short' if size < 32 else 'long'} for a hash"


def unread(rejected: Rejected, request: Request, words: Iterable[str], field: bytes) -> Check | None:
    """The check of a value that is off the grammar, or of a scheme that nobody speaks; None where there is no such value."""
    spoken, rejection = list(words), rejected.rejection
    place, _, part = rejection.where.partition(" ")
    name = field if place == "authorization" else place.encode("utf-8", "replace")
    value = value_at(rejection.where, request, field)
    whole = (request.values(name) or [b""])[0]
    if value is None:
        return None
    word, _, rest = whole.partition(b" ")
    text = word.decode("latin-1")
    shown = f"{text} and {described(rest)}" if is_word(text, spoken) else described(value.encode("utf-8", "replace"))
    if rejection.reason is Reason.UNSUPPORTED_SCHEME:
        expected = " or ".join(form_of(WORDS.get(each, each.upper()), each) for each in spoken) or "no Authorization"
        return Check(
            "scheme word",
            False,
            name.decode(),
            expected,
            shown,
            f"{rejection.detail}: use one of them, or give the guard a verifier for this one",
        )
    scheme = "" if rejected.verifier is None else rejected.verifier.scheme
    if scheme == "api_key":
        shown = f"{shown}{part_of_a_key(value)}"
    proof = value if place != "signature" else re.sub(r"^[^=]*=:?|:$", "", value.strip())
    proof = (
        unquote(value) if scheme == "oauth1" else proof
    )  # there the grammar has it percent-encoded (RFC 5849 §3.5.1)
    shape = shape_of(proof) if _PROOF.search(part or place) else ""
    if scheme == "sigv4" and not part and place == "authorization":
        missing = [each for each in ("Credential", "SignedHeaders", "Signature") if f"{each}=" not in value]
        shape = f"{' and '.join(missing)} is missing, left out" if missing else shape
        if missing and all(f"{each}=".lower() in value.lower() for each in missing):
            shape = f"{' and '.join(missing)} came with other capitals, or none: names are written in exactly this case"
    elif scheme in ("jwt", "oauth") and value.count(".") == 2 and re.search(r"[=+/]", value):
        shape = "its parts are not base64url without padding, but have = or + or / in them, as base64 has"
    shapes = [*([shape] if shape else []), *(odd_times(part or place, value) if scheme not in ("sigv4", "jwt") else ())]
    if scheme == "signature" and not part:
        shapes[:0] = odd_marks(value)
    seen = f"; {'; '.join(shapes)}" if shapes else ""
    mend = f"{rejection.detail}{seen}: have the client follow the scheme's grammar, and look for what cuts or rewrites the field"
    if part or place not in ("authorization", field.decode()):
        shown = f"{value or 'nothing'}" if part or value != whole.decode("latin-1") else shown
    expected = (
        f"the parameter {part or place}, by its grammar"
        if part or name not in request.lines
        else _FORMS.get(scheme) or form_of("", scheme)
    )
    return Check("grammar", False, rejection.where, expected, shown, mend)


def nowhere(detail: str, request: Request, addresses: Sequence[Address], field: bytes) -> Check | None:
    """The check of a request that lacks the fields and parameters in which credentials are read; None if it has one of them."""
    fields = dict.fromkeys(field if each.word else each.field for each in addresses if not (each.query or each.member))
    names = dict.fromkeys(each.query for each in addresses if each.query)
    sent = [pair.partition(b"=")[0] for pair in (request.query or b"").split(b"&")]
    if any(name in request.lines for name in fields) or any(name in sent for name in names):
        return None
    alike = [name for name in sent for wanted in names if name[:5].lower() == wanted[:5].lower()]
    if alike:
        said = ", ".join(name.decode("utf-8", "backslashreplace")[:64] for name in dict.fromkeys(alike))
        lacks = " and ".join(name.decode() for name in names)
        cased = any(name.lower() == wanted.lower() for name in alike for wanted in names)
        why = "names are in another case" if cased else "was the URL cut at an &? Quote it for the shell"
        mend = f"the query has {said}, and {lacks} is missing: {why}"
        return Check(Reason.NO_CREDENTIALS.value, False, f"query {lacks}", "", f"{detail}: no parameter {lacks}", mend)
    lacks = " and ".join(f"the field {name.decode()}" for name in fields)
    mend = f"{lacks} is missing: have the client authenticate; if it does, look for what takes the field away, a redirect to another origin, a proxy, CGI"
    return Check(Reason.NO_CREDENTIALS.value, False, "credentials", "", detail, mend) if lacks else None


def value_at(where: str, request: Request, field: bytes) -> str | None:
    """The value of the field, or of the parameter of the field or the query, that a rejection or a check names; None if it names none."""
    parts = where.removeprefix("header ").removeprefix("query ").split()
    name = (parts or [""])[0].lower()
    simple = {
        "@method": request.method,
        "@authority": request.authority,
        "@scheme": request.scheme,
        "host": request.authority,
    }
    if name in simple:
        return simple[name]
    if name in ("target", "@target", "@path", "@query", "query", "@target-uri"):
        return request.target.decode("utf-8", "backslashreplace")
    octets = field if name == "authorization" else name.encode("utf-8", "replace")
    lines = request.values(octets)
    if lines and len(parts) == 1:
        return ", ".join(line.decode("utf-8", "backslashreplace") for line in lines)
    wanted = parts[-1:] if parts else []
    texts = lines or [*request.values(field), (request.query or b"").replace(b"&", b",")]
    for text in texts:
        for match in PARAMETER.finditer(text):
            if [match[1].decode().lower()] == [each.lower() for each in wanted]:
                return match[3].decode("utf-8", "backslashreplace")
    return "" if len(parts) > 1 and lines else None


def form_of(written: str, word: str) -> str:
    """The form of the field's value."""
    return f"{written} {_FORMS.get(word, '<parameters>')}".strip()


def is_word(word: str, words: Sequence[str]) -> bool:
    """Whether it is the name of a scheme, or a misspelled one of `words`."""
    lower = word.lower().rstrip(":=,")
    return lower in WORDS or any(
        lower == each or (len(each) > 3 and SequenceMatcher(None, lower, each).ratio() >= 0.75) for each in words
    )
