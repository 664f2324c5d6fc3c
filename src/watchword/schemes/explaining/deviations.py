"""How clients get a step of a computation wrong: the axes of error of each kind of node, whatever the scheme.

A deviation makes one node otherwise, and says in words that the client did so. Its cost says how unlikely it is: those of
cost 1 are what most clients do that are wrong there at all; pairs are made of cheap ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchword.schemes.explaining.computation import Hash, Join, Leaf, Mac, Node, Parameters
from watchword.schemes.explaining.deviation import Deviation, constant
from watchword.schemes.explaining.wrong_hashes import of_encoding, of_hash, of_mac
from watchword.schemes.explaining.wrong_joins import of_join
from watchword.schemes.explaining.wrong_leaves import of_leaf
from watchword.schemes.explaining.wrong_parameters import of_parameters

__all__ = ["Deviation", "constant", "deviations"]


def deviations(node: Node, value: bytes, pool: Sequence[Leaf] = ()) -> Iterator[Deviation]:
    """Those of one node, whose value is `value`; `pool` are the leaves of the whole computation, and what else is at hand."""
    if isinstance(node, Leaf):
        return of_leaf(node)
    if isinstance(node, Join):
        return of_join(node, value, pool)
    if isinstance(node, Parameters):
        return of_parameters(node)
    if isinstance(node, Hash):
        return of_hash(node, value)
    return of_mac(node, pool) if isinstance(node, Mac) else of_encoding(node)
