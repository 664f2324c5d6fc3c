"""What the accounts of all schemes say alike: a name that nobody has, a key that ended, a body's digest, a signature that was looked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from watchword.core.message import Request
from watchword.core.scheme import Check
from watchword.schemes.diagnosis.text_axes import spellings
from watchword.schemes.explaining.computation import Computation, Encoding, Hash, Leaf
from watchword.schemes.explaining.masking import is_secret_of
from watchword.schemes.explaining.received import Received
from watchword.schemes.explaining.search import Asked, look_for, unexplained
from watchword.schemes.explaining.typed_text import near, placeholder

__all__ = ["aside", "body_check", "body_digest", "current", "fields_at_hand", "oddity_of", "signature_check", "unknown"]


_INTERNAL: Final = re.compile(
    r"^(?:[^.:]+|.*\.(?:local|internal|lan|svc|cluster|localhost|intern|corp|private|service|consul)|10\.[\d.]+|192\.168\.[\d.]+|172\.\d\d\.[\d.]+"
    r"|127\.[\d.]+|.*\.svc\..*|.*[-.](?:backend|upstream|pod|node)[-.].*)(?::\d+)?$|:(?!443$|80$)\d+$",
    re.IGNORECASE,
)
"""Names that no client outside calls."""


def fields_at_hand(request: Request) -> list[Leaf]:
    """The values of fields that clients sign besides."""
    names = (b"content-type", b"content-length", b"date", b"user-agent", b"accept", b"x-request-id")
    fields = [Leaf(f"the field {name.decode()}", value) for name in names for value in request.values(name)[:1]]
    return [*fields, Leaf("the version of HTTP", b"HTTP/1.1")]


def unknown(
    name: str, where: str, expected: str, sent: str, known: Iterable[str], register: str, records: Iterable[object] = ()
) -> Check:
    """The check of a name that nobody has, and whom it may have been meant for; or that it is the secret of one of the `records`."""
    if any(is_secret_of(record, sent) for record in records):
        mend = "id and secret are exchanged, or the secret was sent for both: send the id here, and the secret nowhere"
        return Check(name, False, where, expected, "the secret of one", mend)
    if sent and (unset := placeholder(sent)):
        return Check(name, False, where, expected, sent, unset)
    meant = near(sent, known)
    mend = f"did the client mean {meant!r}{aside(meant, sent)}? If not, {register}" if meant else register
    return Check(name, False, where, meant or expected, sent or "nothing", mend)


def aside(right: str, sent: str, owner: str = "") -> str:
    """What is to be said of a name that was sent for another: that it is the owner's, or how it is written.

    >>> aside("robot-1", "ROBOT-1"), aside("robot-1", "billing", "billing"), aside("robot-1", "robot-2")
    (' (it came in upper case)', " (what came is the owner's name, the subject)", '')
    """
    if sent and sent == owner:
        return " (what came is the owner's name, the subject)"
    octets = sent.encode("utf-8", "surrogatepass")
    what = next((what for what, other in spellings(right.encode("utf-8", "surrogatepass")) if other == octets), "")
    return f" (it came {what})" if what else ""


def current(
    name: str, where: str, expires: float | None, now: float, renew: str, superseded_by: str | None = None
) -> Check:
    """Whether what has an end is good at `now`."""
    if expires is None:
        return Check(name, True, where, "one without an end", "as expected")
    ended = now >= expires
    mend = "" if not ended else renew
    if ended and superseded_by is not None:
        mend = f"the key was replaced by {superseded_by!r}: sign with that one"
    return Check(name, not ended, where, f"good until {expires:.0f}", f"judged at {now:.0f}", mend)


def signature_check(
    name: str, where: str, expected: str, received: str, asked: Iterable[Asked], compare: str
) -> list[Check]:
    """What the search finds; else that the signature doesn't fit, whether the search was cut, and what to compare."""
    searches = list(asked)
    found = look_for(*searches)
    if found.causes:
        return [*found.causes]
    mend = unexplained(found, compare)
    if searches and "@authority" in searches[0].parts and _INTERNAL.search(searches[0].request.authority):
        mend += "; Host is an internal name: if a proxy rewrote it, have it pass Host on, or tell the guard the public origin (PublicURL)"
    return [Check(name, False, where, expected, received, mend)]


def body_digest(
    name: str, algorithm: str, form: str, body: bytes, where: str = "body", chosen: str = "algorithm"
) -> Encoding:
    """The digest of a body, step by step; where it is said of the body itself, other bodies are tried."""
    leaf = Leaf("the body", body, "body", "body", (lambda _, signed: signed) if where == "body" else None)
    return Encoding(name, form, Hash(name, algorithm, leaf, where, chosen), where)


def oddity_of(body: bytes) -> str:
    """What any reader sees of a body that was changed or never was what was meant, and what to do; "" if nothing.

    >>> oddity_of(b'{"a": 1, "b'), oddity_of(b"[object Object]").partition(":")[0], oddity_of(b'{"a": 1}')
    ('the body is JSON that ends early, its end is missing: look for what cuts it, such as a Content-Length that counts characters', 'the body that came is a placeholder, an object that was printed', '')
    """
    if not body:
        return "an empty body came, and another was signed: look for what lost it on the way, a redirect or a proxy"
    if re.fullmatch(rb"\[object \w+\]|<[\w.]+ object at 0x\w+>|undefined|null|None|NaN", body[:200]):
        return "the body that came is a placeholder, an object that was printed: write it as JSON, and sign that text"
    try:
        json.loads(body)
    except json.JSONDecodeError as error:
        ended = error.pos >= len(body.decode("utf-8", "replace").rstrip()) or error.msg.startswith("Unterminated")
        if ended and body.lstrip()[:1] in (b"{", b"["):
            return (
                "the body is JSON that ends early, its end is missing: look for what cuts it, such as a Content-Length "
                "that counts characters"
            )
    except (ValueError, RecursionError):
        pass
    return ""


def body_check(request: Request, body: bytes, signed: bytes, root: Encoding, algorithm: str, advice: str) -> Check:
    """A digest that is signed, against the body that came; and what became of that on the way, or of the digest before."""
    computed = Computation(root).value(root)
    shown = f"{algorithm} {computed.decode('latin-1')} of {len(body)} octets"
    said = f"{algorithm} {signed.decode('utf-8', 'backslashreplace')}"
    if computed == signed:
        return Check("body", True, "body", said, shown)
    asked = Asked("body", root, Received(signed, root.form), request, body, parts=("body",), advice=advice)
    mend = oddity_of(body) or "the body changed after it was signed: sign exactly the octets that are sent"
    return next(iter(look_for(asked).causes), Check("body", False, "body", said, shown, mend))
