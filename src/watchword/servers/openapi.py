"""What OpenAPI says of a guard: its security schemes, and the requirements of an operation (OpenAPI 3.1.1 §4.8.27, §4.8.30)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

from watchword.core.plan import Plan
from watchword.core.scheme import Verifier

__all__ = ["Demanded", "Documentation", "Requirement", "documentation", "requirements"]

Requirement = dict[str, list[str]]
"""A Security Requirement Object: every scheme in it is needed, with these scopes."""

# Those of HTTP's schemes that tools for OpenAPI know; any other is a header to them.
_KNOWN: Final = frozenset({"basic", "bearer", "digest"})
_SCOPED: Final = frozenset({"oauth2", "openIdConnect"})


class Documentation(NamedTuple):
    """What is said of a guard.

    Args:
        schemes: the Security Scheme Objects by name.
        alternatives: the names that are needed together, for each way to authenticate.
    """

    schemes: Mapping[str, Mapping[str, Any]]
    alternatives: Sequence[Sequence[str]]

    @property
    def label(self) -> str:
        """One name for all of it, of the characters that a name of a component has (OpenAPI 3.1.1 §4.8.7)."""
        return "_or_".join("_and_".join(names) for names in self.alternatives)


def documentation(plan: Plan, *, name: str = "", login: Mapping[str, Any] | None = None) -> Documentation:
    """What OpenAPI says of a guard. It is told by what its verifiers are, and nothing is fetched.

    Args:
        plan: the guard's.
        name: the beginning of the schemes' names.
        login: a Security Scheme Object, "oauth2" or "openIdConnect", that says where bearer tokens are to be had.
    """
    schemes: dict[str, Mapping[str, Any]] = {}
    alternatives: list[tuple[str, ...]] = []
    for verifier in plan.challengers:
        names = []
        for part in getattr(verifier, "parts", (verifier,)):
            own, described = _described(part, login)
            schemes[name + own] = described
            names.append(name + own)
        if tuple(names) not in alternatives:
            alternatives.append(tuple(names))
    return Documentation(schemes, alternatives)


class Demanded(NamedTuple):
    """What an operation demands of a guard.

    Args:
        told: what is said of the guard.
        scopes: all of them are demanded.
        optional: anonymous requests may pass as well.
    """

    told: Documentation
    scopes: Sequence[str]
    optional: bool


def requirements(demands: Sequence[Demanded], *, roles: bool) -> list[Requirement]:
    """The Security Requirement Objects of an operation: each is a way to fulfil all that is demanded.

    Args:
        demands: all that the operation demands. What is optional counts only where everything is.
        roles: scopes may stand under a scheme that knows none, as names of roles (OpenAPI 3.1; 3.0 wants an empty list).
    """
    needed = [it for it in demands if not it.optional] or demands
    ways = [
        [
            {name: list(scopes) if roles or told.schemes[name]["type"] in _SCOPED else [] for name in names}
            for names in told.alternatives
        ]
        for told, scopes, _ in needed
    ]
    made: list[Requirement] = [_merged(way) for way in product(*ways)]
    return [*made, {}] if all(it.optional for it in demands) else made


def _merged(way: Iterable[Requirement]) -> Requirement:
    merged: Requirement = {}
    for requirement in way:
        for name, scopes in requirement.items():
            merged[name] = list(dict.fromkeys([*merged.get(name, []), *scopes]))
    return merged


def _described(verifier: Verifier, login: Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """The name and the Security Scheme Object of a verifier, by the first address of its credentials."""
    address = verifier.addresses[0]
    said: str = getattr(verifier, "described", "")
    described: dict[str, Any] = {"description": said} if said else {}
    if address.field == b"authorization" and address.word in _KNOWN:
        name = address.word.title()
        if address.word == "bearer" and login is not None:
            return name, {**login, **described}
        form: str = getattr(verifier, "bearer_format", "")
        return name, {"type": "http", "scheme": address.word, **({"bearerFormat": form} if form else {}), **described}
    place, name = "header", _title(address.field)
    if address.query:
        place, name = "query", address.query.decode("latin-1")
    elif address.member:
        place, name = "cookie", address.member.decode("latin-1").removesuffix("=")
    key = {"type": "apiKey", "in": place, "name": name}
    if address.word:
        key["description"] = said or f"The field's value begins with the word {address.word}."
        return _component(address.word), key
    return _component(name), {**key, **described}


def _title(field: bytes) -> str:
    """A field's name as people write it.

    >>> _title(b"x-api-key"), _title(b"authorization")
    ('X-API-Key', 'Authorization')
    """
    return field.decode("latin-1").title().replace("Api", "API")


def _component(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)
