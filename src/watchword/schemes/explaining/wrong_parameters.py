"""Parameters as clients sign them wrongly: other encodings, orders and separators, some left out or doubled."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count, permutations
from typing import Final, TypeAlias

from watchword.schemes.explaining.computation import ENCODINGS, ORDERS, Of, Parameters, Style, parameters_text
from watchword.schemes.explaining.deviation import MAX_PARTS, Deviation, Make, words
from watchword.schemes.explaining.wrong_joins import SEPARATORS, WHOLE

__all__ = ["of_parameters"]

_Pairs: TypeAlias = list[tuple[bytes, bytes]]


def of_parameters(node: Parameters) -> Iterator[Deviation]:
    """Other styles, and other parameters."""
    yield from _styles(node)
    if node.pairs:
        yield from _others(node)
        yield from _unsplit(node)
        yield from _one_by_one(node)


def _styles(node: Parameters) -> Iterator[Deviation]:
    style = node.style
    for order in ORDERS:
        yield _styled(node, 1, order, style._replace(order=order))
    for encode in ENCODINGS:
        yield _styled(node, 1.2, encode, style._replace(encode=encode))
        for order in ("in the order in which they are sent", "sorted before they are encoded"):
            yield _styled(node, 2, f"{encode}, {order}", style._replace(encode=encode, order=order))
    for encode in ("percent-encoded with + for a space", "percent-encoded", "as they are"):
        for order in ("in the order in which they are sent", style.order):
            what = f"joined by & and =, as a form or a query is, {encode}, {order}"
            yield _styled(node, 1.4, what, style._replace(encode=encode, order=order, separator=b"&", equals=b"="))
    for mark in SEPARATORS:
        between = f"with {words(mark)} between them"
        yield _styled(node, 1.5, between, style._replace(separator=mark))
        yield _styled(node, 1.5, f"with {words(mark)} between name and value", style._replace(equals=mark))
        yield _styled(node, 1.8, f"with {words(mark)} everywhere", style._replace(separator=mark, equals=mark))
        yield _styled(node, 2, f"{between}, and = in them", style._replace(separator=mark, equals=b"="))
    yield _styled(
        node, 1.5, "as often as they come" if style.unique else "each once", style._replace(unique=not style.unique)
    )


def _styled(node: Parameters, cost: float, what: str, style: Style) -> Deviation:
    mine = node.style
    right = mine.order if style.encode == mine.encode and style.order != mine.order else mine.encode
    return Deviation(cost, node, f"signs {node.name} {what}", _made(node, style, list), f"{node.name} {right}", what)


def _made(node: Parameters, style: Style, pick: Callable[[_Pairs], Sequence[tuple[bytes, bytes]]]) -> Make:
    def make(of: Of) -> bytes:
        return parameters_text(pick([(name, of(leaf)) for name, leaf in node.pairs]), style)

    return make


def _others(node: Parameters) -> Iterator[Deviation]:
    name = node.name
    ways: tuple[tuple[float, str, Callable[[_Pairs], _Pairs]], ...] = (
        (1.2, f"signs none of {name}", lambda _: []),
        (1.5, f"signs {name} without those that are empty", lambda pairs: [pair for pair in pairs if pair[1]]),
        (1.5, f"signs the last value of each of {name}", lambda pairs: list(dict(pairs).items())),
        (1.5, f"signs the first value of each of {name}", lambda pairs: list(dict(pairs[::-1]).items())[::-1]),
        (1.6, f"signs {name} without those that are empty, 0 or false", lambda pairs: [pair for pair in pairs if pair[1] not in (b"", b"0", b"false")]),
        (1.6, f"signs {name} with the values of one name together, joined by a comma", _together),
        (1.6, f"signs the names of {name} with [] behind those that are repeated", _as_lists),
        (1.6, f"signs the names of {name} with their brackets counted, [0] for []", _counted),
        (2, f"signs {name} without white space around them", lambda pairs: [(key.strip(), value.strip()) for key, value in pairs]),
    )  # fmt: skip
    for what, rename in _NAMES:
        make = _made(node, node.style, partial(_renamed, rename))
        yield Deviation(1.7, node, f"signs the names of {name} {what}", make)
    for cost, did, pick in ways:
        yield Deviation(cost, node, did, _made(node, node.style, pick))
    for order in dict.fromkeys((node.style.order, "in the order in which they are sent")):
        for separators in ((",", ":"), (", ", ": ")):
            yield Deviation(1.8, node, f"signs {name} as a JSON object, {order}", _as_json(node, order, separators))
    yield from _of_one_source(node)
    bare = f"signs {name} without = where the value is empty"
    yield Deviation(
        1.2, node, bare, _written(node, lambda key, value: key + node.style.equals + value if value else key)
    )
    quoted = f"signs the values of {name} in quotes"
    yield Deviation(2, node, quoted, _written(node, lambda key, value: b'%b="%b"' % (key, value)))
    yield Deviation(1.3, node, f"signs {name} with a ? before them", _whole(node, lambda text: b"?" + text))
    ampersand = node.style.separator or b"&"
    yield Deviation(
        1.6,
        node,
        f"signs {name} with a trailing {words(ampersand)} at their end",
        _whole(node, lambda text: text + ampersand),
    )
    yield Deviation(
        1.6,
        node,
        f"signs {name} with a leading {words(ampersand)} in front",
        _whole(node, lambda text: ampersand + text),
    )
    for cost, what, change in WHOLE:
        yield Deviation(cost + 0.5, node, f"signs {name} {what}", _whole(node, change))
    for at, what in ((1, "values"), (0, "names")):
        for separator in dict.fromkeys((b"", node.style.separator, b",", b"\n")):
            yield Deviation(1.6, node, f"signs the {what} of {name} alone", _halves(node, at, separator))
    for prefix in dict.fromkeys(re.split(rb"[_-]", name_)[0] for name_, _ in node.pairs):
        kept = [at for at, (name_, _) in enumerate(node.pairs) if not name_.startswith(prefix)]
        if kept and len(kept) < len(node.pairs) - 1:
            did = f"leaves those that begin with {prefix.decode('utf-8', 'backslashreplace')[:64]} out of {name}"
            yield Deviation(1.3, node, did, _made(node, node.style, partial(_kept, kept)))
    for component in dict.fromkeys(leaf.component for _, leaf in node.pairs):
        kept = [at for at, (_, leaf) in enumerate(node.pairs) if leaf.component != component]
        if kept and len(kept) < len(node.pairs) - 1:
            did = f"leaves those of {component} out of {name}"
            yield Deviation(1.1, node, did, _made(node, node.style, partial(_kept, kept)), component=component)


_NAMES: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("without their prefix (oauth_, x-amz-)", lambda key: re.sub(rb"^(?:oauth_|x-amz-)", b"", key, flags=re.IGNORECASE)), ("with _ for a dot or a space", lambda key: re.sub(rb"[. ]", b"_", key)), ("with - for _", lambda key: key.replace(b"_", b"-")),
    ("with _ for -", lambda key: key.replace(b"-", b"_")), ("without brackets", lambda key: key.replace(b"[", b"").replace(b"]", b"")),
    ("without what is in brackets", lambda key: re.sub(rb"\[.*", b"", key)), ("with [] for a number in brackets", lambda key: re.sub(rb"\[\d+\]", b"[]", key)),
    ("with dots for brackets", lambda key: key.replace(b"[", b".").replace(b"]", b"")), ("with [] behind them", lambda key: key + b"[]"),
    ("in lower case", bytes.lower), ("in upper case", bytes.upper), ("with capitals at the words' beginnings", bytes.title), ("without the space around them", bytes.strip),
)  # fmt: skip


def _renamed(rename: Callable[[bytes], bytes], pairs: _Pairs) -> _Pairs:
    return [(rename(key), value) for key, value in pairs]


def _together(pairs: _Pairs) -> _Pairs:
    lists: dict[bytes, list[bytes]] = {}
    for key, value in pairs:
        lists.setdefault(key, []).append(value)
    return [(key, b",".join(values)) for key, values in lists.items()]


def _as_lists(pairs: _Pairs) -> _Pairs:
    times = Counter([key for key, _ in pairs])
    return [(key + b"[]" * (times[key] > 1), value) for key, value in pairs]


def _counted(pairs: _Pairs) -> _Pairs:
    counts: dict[bytes, Iterator[int]] = defaultdict(count)
    return [(key.replace(b"[]", b"[%d]" % next(counts[key])), value) for key, value in pairs]


def _unsplit(node: Parameters) -> Iterator[Deviation]:
    query = [at for at, (_, leaf) in enumerate(node.pairs) if leaf.component == "@query"]
    did = f"signs the query as one parameter, not split at its & into {len(query)}"
    for end in (b"=", b"") if len(query) > 1 else ():
        yield Deviation(
            1.6, node, did, _made(node, node.style, partial(_as_one, dict.fromkeys(query), end)), component="@query"
        )


def _as_one(places: Mapping[int, None], end: bytes, pairs: _Pairs) -> _Pairs:
    """With all of these in one: after the name of the first, or as a name without a value."""
    text = b"&".join([b"=".join(pairs[at]) for at in places])
    name, _, rest = text.partition(b"=")
    return [*(pair for at, pair in enumerate(pairs) if at not in places), (name, rest) if end else (text, b"")]


def _as_json(node: Parameters, order: str, separators: tuple[str, str]) -> Make:
    def make(of: Of) -> bytes:
        pairs = ORDERS[order]([(key, of(leaf)) for key, leaf in node.pairs])
        members = {key.decode("latin-1"): value.decode("utf-8", "replace") for key, value in pairs}
        return json.dumps(members, separators=separators).encode()

    return make


def _of_one_source(node: Parameters) -> Iterator[Deviation]:
    """What is done to those of the query or of the body alone; and what comes of them and the others in another order."""
    sources = [leaf.component if leaf.component in ("@query", "body") else "" for _, leaf in node.pairs]
    groups = [[at for at, each in enumerate(sources) if each == source] for source in dict.fromkeys(sources)]
    for places in groups:
        component = sources[places[0]]
        which = {"@query": f"those of the query in {node.name}", "body": f"those of the body in {node.name}"}.get(
            component, node.name
        )
        for what, change in _EACH if component else ():
            make = _made(node, node.style, partial(_changed_at, frozenset(places), change))
            yield Deviation(1.6, node, f"signs {which} {what}", make, component=component)
    unsorted = node.style._replace(order="in the order in which they are sent")
    for order in permutations(groups) if 1 < len(groups) < len(node.pairs) else ():
        did = f"signs {node.name} in the order in which they are put together, not sorted"
        yield Deviation(
            1.2,
            node,
            did,
            _made(node, unsorted, partial(_kept, [at for each in order for at in each])),
            component="parameters",
        )


_EACH: Final[tuple[tuple[str, Callable[[tuple[bytes, bytes]], _Pairs]], ...]] = (
    ("by their names alone, with empty values", lambda pair: [(pair[0], b"")]), ("twice, each of them", lambda pair: [pair, pair]),
)  # fmt: skip


def _changed_at(places: frozenset[int], change: Callable[[tuple[bytes, bytes]], _Pairs], pairs: _Pairs) -> _Pairs:
    return [each for at, pair in enumerate(pairs) for each in (change(pair) if at in places else [pair])]


def _written(node: Parameters, write: Callable[[bytes, bytes], bytes]) -> Make:
    order, encode = ORDERS[node.style.order], ENCODINGS[node.style.encode]

    def make(of: Of) -> bytes:
        pairs = order([(encode(name), encode(of(leaf))) for name, leaf in node.pairs])
        return node.style.separator.join([write(name, value) for name, value in pairs])

    return make


def _whole(node: Parameters, change: Callable[[bytes], bytes]) -> Make:
    right = _made(node, node.style, list)
    return lambda of: change(right(of))


def _halves(node: Parameters, at: int, separator: bytes) -> Make:
    order, encode = ORDERS[node.style.order], ENCODINGS[node.style.encode]

    def make(of: Of) -> bytes:
        pairs = order([(encode(name), encode(of(leaf))) for name, leaf in node.pairs])
        return separator.join([pair[at] for pair in pairs])

    return make


def _one_by_one(node: Parameters) -> Iterator[Deviation]:
    everything = list(range(len(node.pairs)))
    for at, (key, leaf) in enumerate(node.pairs[:MAX_PARTS]):
        which = f"the parameter {key.decode('utf-8', 'backslashreplace')[:64]} in {node.name}"
        for cost, did, kept in (
            (1.1, f"leaves out {which}", [*everything[:at], *everything[at + 1 :]]),
            (1.8, f"has twice {which}", [*everything, at]),
        ):
            yield Deviation(
                cost, node, did, _made(node, node.style, partial(_kept, kept)), "", "nothing" if cost < 1.5 else "that twice",
                leaf.component, part=leaf,
            )  # fmt: skip


def _kept(places: list[int], pairs: _Pairs) -> _Pairs:
    return [pairs[at] for at in places]
