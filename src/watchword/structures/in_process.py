"""What stays in its process: `InProcess`."""

from __future__ import annotations

from typing import NoReturn

__all__ = ["InProcess"]


class InProcess:
    """The base of what holds secrets, or what was derived from them: it is neither pickled nor copied.

    A pickle is often written where logs and caches are, and nobody looks for passwords there.

    >>> import pickle
    >>> pickle.dumps(InProcess())
    Traceback (most recent call last):
    ...
    TypeError: InProcess objects are not pickled or copied: each stays in its process, for it holds secrets; make another one there,
    or share the object
    """

    __slots__ = ()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} objects are not pickled or copied: each stays in its process, for it holds secrets; make "
            "another one there, or share the object"
        )
