"""JWT verification of claims as issuers write them: the same JSON values compact, nested, escaped, spaced, indented."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial

import msgspec

from bench.harness import Interleaved, Unfit
from bench.jwt import Material, Verify, claims, limit, material, ours, prove
from watchword.crypto import jose

Write = Callable[[dict[str, object]], bytes]

KEYCLOAK = {
    "allowed-origins": ["https://shop.example"],
    "realm_access": {"roles": ["offline_access", "uma_authorization", "default-roles-shop"]},
    "resource_access": {
        "orders": {"roles": ["reader", "writer"]},
        "account": {"roles": ["manage-account", "manage-account-links", "view-profile"]},
    },
    "address": {},
}
"""The claims of Keycloak's access tokens that are objects or lists."""


def ascii_only(members: dict[str, object]) -> bytes:
    """Python's `json.dumps` with names that are not ASCII, and .NET's habit with signs that HTML knows."""
    text = json.dumps({**members, "name": "Jürgen Müller", "locality": "Köln"}, separators=(",", ":"))
    return text.replace("+", "\\u002B").encode()


SHAPES: dict[str, Write] = {
    "compact": msgspec.json.encode,
    "nested, Keycloak": lambda members: msgspec.json.encode({**members, **KEYCLOAK}),
    "escaped slashes, PHP": lambda members: msgspec.json.encode(members).replace(b"/", b"\\/"),
    "escapes": ascii_only,
    "spaces, Python": lambda members: json.dumps(members).encode(),
    "indented": lambda members: json.dumps(members, indent=2).encode(),
    "nested, indented": lambda members: json.dumps({**members, **KEYCLOAK}, indent=2).encode(),
}


def rows() -> Iterable[Interleaved]:
    """One row per algorithm and shape."""
    for algorithm in ("HS256", "RS256", "ES256", "EdDSA"):
        for shape in SHAPES:
            yield row(algorithm, shape)


def row(algorithm: str, shape: str) -> Interleaved:
    """The limit and we verify the same token."""
    given, write = material(algorithm), SHAPES[shape]
    contenders: dict[str, Verify] = {"limit": limit(given), "watchword": ours(given)}
    payload = write(claims())
    token = jose.sign(payload, given.key, header={"typ": "JWT"})
    calls = {name: partial(verify, token) for name, verify in contenders.items()}
    return Interleaved(
        f"JWT verify {algorithm}, {shape}: {len(payload)} octets of claims",
        calls,
        lambda: check(given, contenders, token, json.loads(payload)),
    )


def check(given: Material, contenders: dict[str, Verify], token: str, said: object) -> None:
    """Everybody does the work, and reads from this token what it says.

    Raises:
        Unfit: somebody doesn't.
    """
    prove(given, contenders)
    for name, verify in contenders.items():
        found = verify(token)
        if getattr(found, "claims", found) != said:
            raise Unfit(f"{name} reads other claims")
