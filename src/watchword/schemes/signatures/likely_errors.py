"""What Signature-Input may have been when it was signed, one change at a time: for `explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations, islice, permutations
from typing import Final

from watchword.schemes.signatures.components import Component, SignatureInput
from watchword.schemes.signatures.key_owners import KeyOwner

__all__ = ["INPUT", "inputs"]

MAX_ORDERS: Final = 120
"""Orders of parameters, and of components, that are tried."""
INPUT: Final = "header signature-input"

Guessed = tuple[str, str, str, SignatureInput]


def inputs(
    components: tuple[Component, ...],
    params: Mapping[str, int | str],
    key_owner: KeyOwner,
    demanded: Sequence[Component],
) -> Iterator[Guessed]:
    """Parameters left out, added, in another order; components likewise."""
    for name, value in params.items():
        less = {key: text for key, text in params.items() if key != name}
        yield f"{INPUT} {name}", "no such parameter", str(value), SignatureInput(components, less)
    if "alg" not in params and key_owner.alias:
        for more in ({**params, "alg": key_owner.alias}, {"alg": key_owner.alias, **params}):
            yield f"{INPUT} alg", key_owner.alias, "no such parameter", SignatureInput(components, more)
    names = tuple(params)
    for order in islice(permutations(names), 1, MAX_ORDERS):
        other = {name: params[name] for name in order}
        yield (
            INPUT,
            f"the parameters in the order {', '.join(order)}",
            ", ".join(names),
            SignatureInput(components, other),
        )
    for number, component in enumerate(components):
        fewer = (*components[:number], *components[number + 1 :])
        yield INPUT, f"without {component}", f"with {component}", SignatureInput(fewer, params)
    for missing in demanded:
        for place in range(0 if missing in components else len(components) + 1):
            longer = (*components[:place], missing, *components[place:])
            yield INPUT, f"with {missing}", f"without {missing}", SignatureInput(longer, params)
    for arranged in islice(chain(_swapped(components), permutations(components)), MAX_ORDERS):
        yield (
            INPUT,
            f"the order {' '.join(map(str, arranged))}",
            " ".join(map(str, components)),
            SignatureInput(arranged, params),
        )


def _swapped(components: tuple[Component, ...]) -> Iterator[tuple[Component, ...]]:
    """Two components in each other's place."""
    for one, other in combinations(range(len(components)), 2):
        arranged = list(components)
        arranged[one], arranged[other] = arranged[other], arranged[one]
        yield tuple(arranged)
