"""What the signature of a JWT is made of (RFC 7515 §5.1), step by step: for `explain`, which varies it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from watchword.crypto.keys import Key
from watchword.schemes.diagnosis.json_text import reordered, respelled
from watchword.schemes.explaining.computation import FORMS, Encoding, Join, Leaf, Mac, Node, Of
from watchword.schemes.explaining.deviation import Deviation, constant
from watchword.schemes.diagnosis.text_axes import base64_octets
from watchword.schemes.jwt.claim_mistakes import converted

__all__ = ["FORM", "HASHES", "Described", "described"]

FORM: Final = "base64url without padding"
HASHES: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
MAX_ANEW: Final = 2048
"""Ways in which a JSON text is written anew."""
MAX_OCTETS: Final = 2 * 1024 * 1024
"""Octets that all those may have together: of a long text there are fewer, `FEWEST` at least."""
FEWEST: Final = 64
MAX_MEMBERS: Final = 32
"""Members of which one is left out or another."""


_ANEW: Final = (
    "its JSON was written anew, with another order, white space, escapes or numbers; send the octets that were signed"
)
_ALGORITHMS: Final = (*HASHES, "RS256", "ES256", "EdDSA", "PS256", "ES384", "RS384", "RS512", "ES512", "none")


class Described(NamedTuple):
    """What is signed, and the deviations that only JWTs have."""

    signing_input: Join
    more: Sequence[Deviation]

    def signature(self, algorithm: str, key: Key, others: Sequence[Key]) -> Encoding:
        """The MAC by a shared key."""
        secrets = [(f"the secret of {_named(other)}", other.secret_bytes()) for other in others]
        secret = Leaf(f"the secret of {_named(key)}", key.secret_bytes(), "key", "key", others=secrets)
        mac = Mac("the signature", HASHES[algorithm], secret, self.signing_input, "signature", "header alg")
        return Encoding("the signature", FORM, mac, "signature")


def _named(key: Key) -> str:
    return f"the key {key.key_id!r}" if key.key_id is not None else f"the {key.algorithm} key"


def described(head: bytes, payload: bytes, key_ids: Sequence[str] = ()) -> Described:
    """A token's.

    Args:
        head: the header's segment.
        payload: the payload's.
        key_ids: those of the verifier's keys, one of which the header may have had.
    """
    segments = [_segment("header", head), _segment("payload", payload)]
    joined = Join("the signing input", segments, b".", component="signature")
    more = [*_both(joined, segments), *chain(*(_anew(segment, key_ids) for segment in segments))]
    return Described(joined, more)


def _segment(name: str, segment: bytes) -> Node:
    """The base64url of a JSON text; what came as it is, if it isn't quite that."""
    octets = base64_octets(segment)
    if octets is None or FORMS[FORM](octets) != segment:
        return Leaf(f"the {name}", segment, "fixed", name)
    return Encoding(f"the {name}", FORM, Leaf(f"the {name}", octets, component=name), name)


def _both(joined: Join, segments: Sequence[Node]) -> Iterator[Deviation]:
    """The same mistake in both segments, or a text that is neither."""
    one, two = segments
    if isinstance(one, Encoding) and isinstance(two, Encoding):
        for form in FORMS:
            if form != FORM:
                did = f"signs header and payload as {form}"
                yield Deviation(1, joined, did, _written(one.of, two.of, form), FORM, form)
    for what, end in (("a dot", b"."), ("a dot and nothing behind it, as JWE has it", b"..")):
        yield Deviation(1.3, joined, f"ends the signing input with {what}", lambda of, end=end: of(one) + b"." + of(two) + end)  # type: ignore[misc] # mypy infers no type of a default  # fmt: skip


def _written(one: Node, two: Node, form: str) -> Callable[[Of], bytes]:
    write = FORMS[form]
    return lambda of: write(of(one)) + b"." + write(of(two))


# ---- a JSON text that was written anew, or changed, after it was signed ---------------------------------------------------


def _anew(node: Node, key_ids: Sequence[str]) -> Iterator[Deviation]:
    if not isinstance(node, Encoding) or not isinstance(node.of, Leaf):
        return
    leaf, name = node.of, node.component
    most = max(FEWEST, min(MAX_ANEW, MAX_OCTETS // max(1, len(leaf.value))))
    for cost, what, other, mend in islice(_texts(name, leaf.value, key_ids), most):
        if other != leaf.value:
            shown = f"the {name} {what}", f"the {name}, {len(leaf.value)} octets"
            yield Deviation(
                cost, leaf, "", constant(other), *shown, mend=f"the {name} was changed after signing: {mend}"
            )


def _texts(name: str, text: bytes, key_ids: Sequence[str]) -> Iterator[tuple[float, str, bytes, str]]:
    for place, (other, _) in enumerate(respelled(text)):
        yield 1.1 + place / 50, "with the same members, written otherwise", other, _ANEW
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        return
    for cost, what, changed in _changed(name, members, key_ids) if isinstance(members, dict) else ():
        if json.dumps(changed) == json.dumps(members):
            continue
        mend = f"it was signed {what}; sign anew what is changed"
        for place, (compact, ascii_) in enumerate(((True, True), (False, True), (True, False))):
            written = json.dumps(changed, separators=(",", ":") if compact else None, ensure_ascii=ascii_)
            yield cost + place / 2, what, written.encode("utf-8", "surrogatepass"), mend
    for place, (other, mend) in enumerate(reordered(text)):
        yield 1.5 + place / 50, "with other members, or in another order", other, mend


def _changed(name: str, members: dict[str, Any], key_ids: Sequence[str]) -> Iterator[tuple[float, str, dict[str, Any]]]:
    """Members that were added, dropped, converted or changed."""
    for each in list(members)[:MAX_MEMBERS]:
        yield 1.1, f"without {each!r}", {key: value for key, value in members.items() if key != each}
        for place, (what, other) in enumerate(converted(members[each])):
            yield 1.5 + place / 20, f"with {each!r} in another form (it came {what})", {**members, each: other}
        for place, other in enumerate(_others(each, members)):
            yield 1.3 + place / 20, f"with an {each!r} of {other!r}", {**members, each: other}
    if name == "header":
        yield 1.1, "with typ", {**members, "typ": "JWT"}
        yield 1.2, "with typ before alg", {"typ": "JWT", **members}
        for algorithm in _ALGORITHMS:
            yield 1.2, f"with alg {algorithm}", {**members, "alg": algorithm}
        for key_id in key_ids:
            for changed in ({**members, "kid": key_id}, {"kid": key_id, **members}, _second("kid", key_id, members)):
                yield 1.2, f"with the kid {key_id!r}", changed


def _second(name: str, value: str, members: dict[str, Any]) -> dict[str, Any]:
    (first, *rest) = [(key, each) for key, each in members.items() if key != name] or [("alg", "")]
    return dict([first, (name, value), *rest])


_SPANS: Final = (1, 60, 300, 600, 900, 1800, 3600, 7200, 43200, 86400, 604800, 2592000, 31536000, 120, 1200, 2, 30, 10)
"""Seconds by which a time is moved, or for which a token is good."""
_WORDS: Final = (
    "admin", "user", "read", "write", "guest", "member", "viewer", "editor", "owner", "root", "superuser", "manager", "free", "premium",
    "basic", "pro", "active", "inactive", "pending", "test", "dev", "prod", "production", "staging",
)  # fmt: skip


def _others(name: str, members: dict[str, Any]) -> Iterator[Any]:
    """What else the member may have been: a time moved, a flag turned, a list or a text of words shortened, another usual word."""
    value = members[name]
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int) and abs(value) < 1e15:
        if name in ("exp", "nbf", "iat", "auth_time"):
            starts = [members[each] for each in ("iat", "nbf") if name == "exp" and isinstance(members.get(each), int)]
            yield from (start + span for start in starts for span in _SPANS)
            for span in _SPANS:
                yield value - span
                yield value + span
            yield float(value)
        else:
            yield from (value - 1, value + 1, 0, 1, value // 10, value * 10)
    elif isinstance(value, list) and len(value) > 1:
        yield from (value[:at] + value[at + 1 :] for at in range(min(len(value), MAX_MEMBERS)))
        yield from ([each] for each in value[:MAX_MEMBERS])
    elif isinstance(value, str):
        words = value.split(" ")
        if len(words) > 1:
            yield from (" ".join(words[:at] + words[at + 1 :]) for at in range(min(len(words), MAX_MEMBERS)))
            yield from words[:MAX_MEMBERS]
        if value in _WORDS:
            yield from _WORDS
