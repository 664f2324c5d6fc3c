"""Other libraries' names over watchword: swap an import and keep the program.

For a package that you don't write and that says `import jwt` itself, `install("jwt")` puts the drop-in in the library's place, for
this process. The application calls it; importing or installing watchword changes nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
from typing import Final

from watchword.core.rejection import ConfigurationError

__all__ = ["install", "uninstall"]

INSTALLABLE: Final = ("jwt", "jose", "flask_httpauth", "requests_oauthlib")
"""The libraries whose whole place a drop-in can take."""


def install(name: str) -> None:
    """Makes `import jwt`, in whatever package, import the drop-in. Call it before anything imports the library.

    Args:
        name: the library, as it is imported: "jwt", "jose", "flask_httpauth", "requests_oauthlib".

    Raises:
        ConfigurationError: there is no such drop-in, or the library itself has been imported already.

    >>> install("jwt")
    >>> import jwt
    >>> jwt.__name__
    'watchword.dropin.jwt'
    >>> uninstall("jwt")
    """
    _check(name)
    ours = _modules(name)
    foreign = [known for known in sys.modules if _is_of(known, name) and sys.modules[known] is not ours.get(known)]
    if foreign:
        raise ConfigurationError(
            f"{name} has been imported already, so some modules hold the original: call install({name!r}) first, before the "
            f"imports of whatever uses {name}"
        )
    sys.modules.update(ours)


def uninstall(name: str) -> None:
    """Takes the drop-in away again: the next import finds the library. Whoever has imported the drop-in keeps it.

    Raises:
        ConfigurationError: there is no such drop-in.
    """
    _check(name)
    ours = _modules(name)
    for known, module in ours.items():
        if sys.modules.get(known) is module:
            del sys.modules[known]


def _check(name: str) -> None:
    if name not in INSTALLABLE:
        raise ConfigurationError(f"no drop-in can take the place of {name[:32]!r}: one of {', '.join(INSTALLABLE)}")


def _modules(name: str) -> dict[str, ModuleType]:
    """The drop-in and its submodules, under the names of the library; all of them, since a second copy would be imported else."""
    package = import_module(f"{__name__}.{name}")
    ours = f"{__name__}."
    submodules = [found.name for found in walk_packages(package.__path__, f"{package.__name__}.")]
    return {name: package, **{one.removeprefix(ours): import_module(one) for one in submodules}}


def _is_of(module: str, name: str) -> bool:
    return module == name or module.startswith(f"{name}.")
