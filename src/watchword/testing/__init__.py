"""Test your own guard, clients, scheme and store: no sockets unless you ask for one, no waiting, no secret in what a failure prints.

| name | what it is |
|---|---|
| `Clock`, `SeededRandom` | one time and one random source for guard, store and client, which a test moves |
| `ClockedAuth` | a client half by that clock, in any client |
| `signed`, `signed_async` | a request with credentials, as any client half makes it |
| `assert_accepted`, `assert_refused`, and `…_async` | judge a request by a guard, and print the explanation where that is not the verdict |
| `changed`, `tamperings`, `flips` | a request that somebody has changed on the way |
| `SchemeCase`, `SchemeSetup`, `case_of` | a scheme with guard, store, clock, a genuine client and an impostor; `case_of` has one for each of ours |
| `FakeIssuer`, `LoopbackIssuer` | an issuer of tokens, in the process and over a socket, that misbehaves when told to (`Misbehaviour`) |

In modules of their own: test clients that take client halves (`flask`, `django`, `requests`, `litestar`), a client and a server for each
adapter (`pairs`), and the promises of schemes and stores as tests (`conformance`).

Nothing here needs pytest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchword.testing.asserting import assert_accepted, assert_accepted_async, assert_refused, assert_refused_async
    from watchword.testing.cases import SchemeCase, case_of
    from watchword.testing.clock import Clock
    from watchword.testing.clocked_auth import ClockedAuth
    from watchword.testing.issuer import FakeIssuer
    from watchword.testing.loopback_issuer import LoopbackIssuer
    from watchword.testing.misbehaviour import Misbehaviour
    from watchword.testing.seeded import SeededRandom
    from watchword.testing.setup import SchemeSetup
    from watchword.testing.signing import SignedRequest, signed, signed_async
    from watchword.testing.tampering import Tampering, changed, flips, tamperings

__all__ = [
    "Clock", "ClockedAuth", "FakeIssuer", "LoopbackIssuer", "Misbehaviour", "SchemeCase", "SchemeSetup", "SeededRandom", "SignedRequest", "Tampering", "assert_accepted", "assert_accepted_async",
    "assert_refused", "assert_refused_async", "case_of", "changed", "flips", "signed", "signed_async", "tamperings",
]  # fmt: skip

# Loaded at first use (PEP 562): the plugin of pytest is in this package, and must load nothing that nobody asked for.
_HOMES = {
    "Clock": "clock",
    "ClockedAuth": "clocked_auth",
    "FakeIssuer": "issuer",
    "LoopbackIssuer": "loopback_issuer",
    "Misbehaviour": "misbehaviour",
    "SchemeCase": "cases",
    "SchemeSetup": "setup",
    "SeededRandom": "seeded",
    "SignedRequest": "signing",
    "Tampering": "tampering",
    "assert_accepted": "asserting",
    "assert_accepted_async": "asserting",
    "assert_refused": "asserting",
    "assert_refused_async": "asserting",
    "case_of": "cases",
    "changed": "tampering",
    "flips": "tampering",
    "signed": "signing",
    "signed_async": "signing",
    "tamperings": "tampering",
}


if not TYPE_CHECKING:  # a type checker reads the imports above, and calls a name that is not there an error

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'watchword.testing' has no attribute {name!r}")
        value = getattr(import_module(f"watchword.testing.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
