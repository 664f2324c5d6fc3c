"""Random octets that are the same in every run."""

from __future__ import annotations

from random import Random as Generator

__all__ = ["SeededRandom"]


class SeededRandom:
    """Octets that look random and are the same in every run: `Policy(random=SeededRandom(7))`. For tests only.

    Args:
        seed: another seed gives other octets.

    >>> SeededRandom(7)(4) == SeededRandom(7)(4) != SeededRandom(8)(4)
    True
    """

    __slots__ = ("_generator",)

    def __init__(self, seed: int = 0) -> None:
        self._generator = Generator(seed)  # noqa: S311 -- whoever tests wants them foreseeable

    def __call__(self, n: int, /) -> bytes:
        """The next `n` octets."""
        return self._generator.randbytes(n)
