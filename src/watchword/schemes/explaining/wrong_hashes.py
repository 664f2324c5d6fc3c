"""Hashes, MACs and encodings as clients get them wrong: another one, none, twice, another form between two steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import permutations, product
from typing import Final

from watchword.crypto.digests import hmac_digest
from watchword.crypto.usual_hashes import hashed, keyed, usual_hashes
from watchword.schemes.explaining.computation import (
    ENCODINGS, FORMS, Encoding, Hash, Leaf, Mac, Node, Of, Parameters, all_under, parameters_text, under,
)  # fmt: skip
from watchword.schemes.explaining.deviation import MAX_PARTS, Deviation, Make, constant, value_in, words
from watchword.schemes.explaining.times import days_of
from watchword.schemes.explaining.wrong_joins import WHOLE

__all__ = ["everywhere", "of_encoding", "of_hash", "of_mac"]

MAX_STEPS: Final = 5
"""Steps of a chain of which every order is tried."""
_RAW: Final = "raw octets"
_TEXTS: Final = ("hex digits", "base64", "hex digits in capitals")


def _written(make: Make, form: str) -> Make:
    write = FORMS.get(form) or ENCODINGS[form]
    return lambda of: write(make(of))


def _value(node: Node) -> Make:
    return lambda of: of(node)


def _hashed(algorithm: str, make: Make) -> Make:
    return lambda of: hashed(algorithm, make(of))


def _mac(algorithm: str, key: Make, text: Make) -> Make:
    return lambda of: hmac_digest(algorithm, key(of), text(of))


def _keyed(algorithm: str, key: Make, text: Make) -> Make:
    return lambda of: keyed(algorithm, key(of), text(of))


def _nothing(_: object) -> bytes:
    return b""


# ---- hashes -------------------------------------------------------------------------------------------------------------


def of_hash(node: Hash, value: bytes) -> Iterator[Deviation]:
    """Another algorithm, not hashed, hashed twice, hashed in another form."""
    inner, name, algorithm = node.of, node.name, node.algorithm
    for place, other in enumerate(usual_hashes()):
        if other != algorithm:
            shown = algorithm, other, node.chosen
            yield Deviation(1 + place / 10, node, f"makes {name} by {other}", _hashed(other, _value(inner)), *shown)
    if value == hashed(algorithm, b""):
        did = f"leaves {name} empty, and hashes nothing where {inner.name} is empty"
        yield Deviation(1.2, node, did, _nothing, f"the hash of nothing, {algorithm}", "an empty value")
    yield Deviation(1.3, node, f"does not hash {inner.name}", _value(inner))
    empty = inner.name, f"an empty {inner.name.removeprefix('the ')}"
    yield Deviation(1.3, node, f"hashes nothing where {inner.name} belongs", _hashed(algorithm, _nothing), *empty)
    yield Deviation(
        1.6, node, f"makes {name} by HMAC with an empty key, not by a hash", _mac(algorithm, _nothing, _value(inner))
    )
    once = _hashed(algorithm, _value(inner))
    for form in (_RAW, *_TEXTS):
        did = f"hashes {inner.name} twice, the second time the first as {form}"
        yield Deviation(1.4, node, did, _hashed(algorithm, _written(once, form)))
    for form in _TEXTS:
        did = f"hashes {inner.name} as {form}"
        yield Deviation(1.6, node, did, _hashed(algorithm, _written(_value(inner), form)))


# ---- MACs ---------------------------------------------------------------------------------------------------------------


def of_mac(node: Mac, pool: Sequence[Leaf] = ()) -> Iterator[Deviation]:
    """Another hash, key and message exchanged, a plain hash in its place, a hash before or behind it."""
    key, text, name, algorithm = _value(node.key), _value(node.of), node.name, node.algorithm
    for place, other in enumerate(usual_hashes()):
        if other != algorithm:
            shown = f"HMAC-{algorithm}", f"HMAC-{other}", node.chosen
            yield Deviation(1 + place / 10, node, f"makes {name} with HMAC-{other}", _mac(other, key, text), *shown)
    for other in ("blake2s", "blake2b"):
        shown = f"HMAC-{algorithm}", f"the hash {other} under the key", node.chosen
        yield Deviation(
            1.9, node, f"makes {name} by {other}, a hash with a key, not by HMAC", _keyed(other, key, text), *shown
        )
    secret = node.key
    for leaf in [leaf for leaf in pool if leaf.kind == "text"][:MAX_PARTS]:
        if not isinstance(secret, Leaf):
            break
        said = secret.name, leaf.name, secret.component
        also: dict[Node, Make] = {leaf: constant(secret.value)}
        did, make = f"exchanges {secret.name} and {leaf.name}: each stands in the other's place", constant(leaf.value)
        if leaf in all_under(node.of):
            yield Deviation(1.4, secret, did, make, *said, also=also)
        yield Deviation(1.5, secret, f"signs with {leaf.name} as the key", make, *said)
    exchanged = "the secret as the key", "the message as the key"
    yield Deviation(1.2, node, "exchanges key and message of the HMAC", _mac(algorithm, text, key), *exchanged)
    yield from _plain(node)
    yield from _hashed_before(node)
    once = _mac(algorithm, key, text)
    for form in (_RAW, *_TEXTS):
        yield Deviation(1.6, node, f"hashes {name} once more, as {form}", _hashed(algorithm, _written(once, form)))
        did = f"makes {name} twice, the second time of the first as {form}"
        yield Deviation(1.7, node, did, _mac(algorithm, key, _written(once, form)))
        if form != _RAW:
            yield Deviation(1.5, node, f"takes {name} as {form} where its octets belong", _written(once, form))
    yield from _chain(node)
    yield from _derived(node, pool)
    yield Deviation(2, node, f"leaves the step out that makes {name}, and takes its message", text)
    yield Deviation(2, node, f"makes {name} of an empty message", _mac(algorithm, key, _nothing))


def _derived(node: Mac, pool: Sequence[Leaf]) -> Iterator[Deviation]:
    """A key that is made of the key and another part first, or of the key alone as HKDF begins."""
    algorithm = node.algorithm
    at_hand = [leaf for leaf in pool if leaf.kind not in ("key", "body", "literal")][:MAX_PARTS]
    at_hand += [
        Leaf(f"the day of {leaf.name}", day) for leaf in at_hand if leaf.kind == "time" for day in days_of(leaf.value)
    ]
    for leaf in at_hand:
        for what, make in (
            (f"derives the key by HMAC of {leaf.name}", lambda key, text: hmac_digest(algorithm, key, text)),
            (f"derives the key by HMAC of {leaf.name}, in hex", lambda key, text: hmac_digest(algorithm, key, text).hex().encode()),
            (f"derives the key by HMAC with {leaf.name} as the key", lambda key, text: hmac_digest(algorithm, text, key)),
            (f"signs with the key and {leaf.name} behind it", lambda key, text: key + text),
            (f"signs with the key and {leaf.name} before it", lambda key, text: text + key),
            (f"signs with {leaf.name}, a colon and the key", lambda key, text: text + b":" + key),
            (f"signs with the key, a colon and {leaf.name}", lambda key, text: key + b":" + text),
            (f"signs with the key, & and {leaf.name}", lambda key, text: key + b"&" + text),
            (f"signs with the hash of the key and {leaf.name}", lambda key, text: hashed(algorithm, key + text)),
            (f"signs with the hash of {leaf.name} and the key", lambda key, text: hashed(algorithm, text + key)),
        ):  # fmt: skip
            yield Deviation(2, node, what, _keyed_by(node, leaf, make), node.key.name, what, "key")
    for name, form in (
        product((algorithm, *usual_hashes()[:3]), (_RAW, *_TEXTS)) if not isinstance(node.key, Leaf) else ()
    ):
        did = f"signs with the {name} hash of {node.key.name}, as {form}"
        yield Deviation(
            2, node, did, _keyed_by(node, None, partial(_hashed_key, name, form)), node.key.name, did, "key"
        )
    did = "derives the key by HMAC with a key of zeros, as HKDF begins"
    yield Deviation(
        2.2,
        node,
        did,
        _keyed_by(node, None, lambda key, _: hmac_digest(algorithm, bytes(32), key)),
        node.key.name,
        did,
        "key",
    )


def _hashed_key(algorithm: str, form: str, key: bytes, _: bytes) -> bytes:
    return FORMS[form](hashed(algorithm, key))


def _keyed_by(node: Mac, leaf: Leaf | None, make: Callable[[bytes, bytes], bytes]) -> Make:
    def made(of: Of) -> bytes:
        more = b"" if leaf is None else value_in(of, leaf)
        return hmac_digest(node.algorithm, make(of(node.key), more), of(node.of))

    return made


def _chain(node: Mac) -> Iterator[Deviation]:
    """Steps left out where one MAC is the key of the next; and each of them in another form."""
    steps: list[Mac] = [node]
    while isinstance(steps[-1].key, Mac):
        steps.append(steps[-1].key)
    for step in steps:
        did = (
            f"leaves the step out that makes {node.name}"
            if step is node
            else f"leaves the steps from {step.name} on out"
        )
        yield Deviation(1.6, node, f"{did}, and takes {step.key.name}", _value(step.key))
        for inner in under(step.key) if not isinstance(step.key, Mac) else ():
            yield Deviation(1.8, node, f"{did}, and takes {inner.name}", _value(inner))
    for order in permutations(steps[::-1]) if 1 < len(steps) <= MAX_STEPS else ():
        names = ", ".join(step.of.name for step in order)
        if list(order) != steps[::-1]:
            yield Deviation(1.8, node, f"derives {node.name} with {names} in this order", _chained(order, "raw octets"))
    if len(steps) > 1:
        did = f"exchanges key and message in each step up to {node.name}"
        yield Deviation(1.6, node, did, _chained(steps[::-1], "raw octets", exchanged=True))
    for other in usual_hashes()[:4] if len(steps) > 1 else ():
        did = f"derives {node.name} with HMAC-{other} in each step"
        yield Deviation(1.7, node, did, _chained(steps[::-1], "raw octets", algorithm=other))
    for form in _TEXTS if len(steps) > 1 else ():
        did = f"takes each step of the key, up to {node.name}, as {form}"
        yield Deviation(1.5, node, did, _chained(steps[::-1], form), "octets in each step", form, "key")


def _chained(steps: Sequence[Mac], form: str, *, exchanged: bool = False, algorithm: str = "") -> Make:
    first = next(step.key for step in steps if not isinstance(step.key, Mac))

    def make(of: Of) -> bytes:
        key = of(first)
        for step in steps:
            pair = (of(step.of), key) if exchanged else (key, of(step.of))
            key = FORMS[form](hmac_digest(algorithm or step.algorithm, *pair))
        return key

    return make


def _between(mark: bytes, key_first: bool) -> Callable[[bytes, bytes], bytes]:
    return (lambda key, text: key + mark + text) if key_first else (lambda key, text: text + mark + key)


_KEYED: Final[tuple[tuple[str, Callable[[bytes, bytes], bytes]], ...]] = (
    ("key and message", _between(b"", True)),
    ("message and key", _between(b"", False)),
    ("the message alone", lambda _, text: text),
    ("key, message and key", lambda key, text: key + text + key),
    *((f"key and message with {words(mark)} between them", _between(mark, True)) for mark in (b":", b"\n", b".", b"&", b"|")),
    *((f"message and key with {words(mark)} between them", _between(mark, False)) for mark in (b":", b"\n", b".", b"&", b"|")),
    ("the message and the key's hex", lambda key, text: text + key.hex().encode()),
)  # fmt: skip


def _plain(node: Mac) -> Iterator[Deviation]:
    for other in usual_hashes()[:6]:
        for what, join in _KEYED:
            did = f"makes {node.name} with a plain hash ({other}) of {what}, not with HMAC"
            shown = f"HMAC-{node.algorithm}", f"{other} of {what}"
            yield Deviation(1.2 if other == node.algorithm else 2, node, did, _of_both(node, other, join), *shown)


def _of_both(node: Mac, algorithm: str, join: Callable[[bytes, bytes], bytes]) -> Make:
    return lambda of: hashed(algorithm, join(of(node.key), of(node.of)))


def _hashed_before(node: Mac) -> Iterator[Deviation]:
    for form in (_RAW, *_TEXTS):
        for other in usual_hashes()[:4]:
            did = f"hashes the message by {other} first, as {form}, and makes {node.name} of that"
            make = _mac(node.algorithm, _value(node.key), _written(_hashed(other, _value(node.of)), form))
            shown = "HMAC of the message itself", f"HMAC of its {other} hash"
            yield Deviation(1.3 if other == node.algorithm else 2, node, did, make, *shown)


# ---- encodings ----------------------------------------------------------------------------------------------------------


_OCTETS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("read as Latin-1 text and encoded as UTF-8", lambda octets: octets.decode("latin-1").encode()),
    ("read as UTF-8, what is none replaced by U+FFFD", lambda octets: octets.decode("utf-8", "replace").encode()),
    ("read as UTF-8, what is none left out", lambda octets: octets.decode("utf-8", "ignore").encode()),
    ("read as Windows-1252 text and encoded as UTF-8", lambda octets: octets.decode("cp1252", "replace").encode()),
    ("doubled", lambda octets: octets + octets),
)


def everywhere(nodes: Sequence[Node]) -> Iterator[Deviation]:
    """One function encodes all that is encoded, in another form than it should: in all places, and in all but the key's."""
    places = [node for node in nodes if _form_of(node) in ENCODINGS]
    for form in ENCODINGS:
        for some in (places, [node for node in places if node.component != "key"]):
            makes: dict[Node, Make] = {node: _encoded(node, form) for node in some}
            if len(some) > 1 and form not in map(_form_of, some):
                did = f"has all that is encoded {form}, not {_form_of(some[0])}"
                yield Deviation(1.4, some[0], did, makes.pop(some[0]), _form_of(some[0]), form, also=makes)


def _form_of(node: Node) -> str:
    return node.style.encode if isinstance(node, Parameters) else node.form if isinstance(node, Encoding) else ""


def _encoded(node: Node, form: str) -> Make:
    if isinstance(node, Parameters):
        pairs, style = node.pairs, node.style._replace(encode=form)
        return lambda of: parameters_text([(name, of(leaf)) for name, leaf in pairs], style)
    assert isinstance(node, Encoding)
    return _written(_value(node.of), form)


def of_encoding(node: Encoding) -> Iterator[Deviation]:
    """Another form, one more, none."""
    inner, name = _value(node.of), node.name
    family = FORMS if node.form in FORMS else ENCODINGS
    for place, form in enumerate(family):
        if form != node.form:
            did = f"writes {name} as {form}" if family is FORMS else f"signs {name} {form}, not {node.form}"
            yield Deviation(1 + place / 20, node, did, _written(inner, form), node.form, form)
    if family is ENCODINGS:
        yield from _by_pieces(node)
        return
    for form in ("hex digits", "base64"):
        did = f"writes {name} as the {node.form} of its {form}"
        yield Deviation(1.3, node, did, _written(_written(inner, form), node.form))
    if isinstance(node.of, Hash):
        of = node.of.of
        yield Deviation(1.4, node, f"signs {of.name} itself, not {name}", _value(of))
    for what, change in _OCTETS:
        yield Deviation(
            1.6, node, f"writes {name} with its octets {what}", _written(_changed(inner, change), node.form)
        )
    right = _written(inner, node.form)
    for place, (_, what, change) in enumerate(WHOLE):
        yield Deviation(1.6 + place / 20, node, f"writes {name} {what}", _changed(right, change))
    yield Deviation(2, node, f"cuts {name} to half", lambda of: right(of)[: len(right(of)) // 2])


def _by_pieces(node: Encoding) -> Iterator[Deviation]:
    """Parameters that are encoded one by one: the marks between them stay as they are."""
    if not isinstance(node.of, Parameters):
        return
    inner, encode, style = _value(node.of), ENCODINGS[node.form], node.of.style
    for kept in ((style.separator,), (style.separator, style.equals)):
        shown = " and ".join(map(words, kept))
        marks = re.compile(b"(" + b"|".join(map(re.escape, kept)) + b")")
        did = f"has each of {node.of.name} {node.form} for itself, and leaves {shown} between them as they are"
        yield Deviation(1.3, node, did, _changed(inner, partial(_piecewise, encode, marks)))


def _piecewise(encode: Callable[[bytes], bytes], marks: re.Pattern[bytes], text: bytes) -> bytes:
    return b"".join([piece if at % 2 else encode(piece) for at, piece in enumerate(marks.split(text))])


def _changed(make: Make, change: Callable[[bytes], bytes]) -> Make:
    return lambda of: change(make(of))
