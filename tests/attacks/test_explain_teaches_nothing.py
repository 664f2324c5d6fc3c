"""What is only explained teaches a guard nothing: no table of a verifier grows by it, as one does by an admission.

Two memories are left out, JOSE's of protected headers and OAuth 1's of base URIs: they say how octets are parsed or written, and nothing
of whether somebody was admitted.
"""

from __future__ import annotations

import pytest

from watchword import explain
from watchword.schemes import SCHEMES
from watchword.structures.bounded import Bounded
from watchword.testing.cases import case_of
from watchword.testing.setup import SchemeSetup

OF_TEXTS = {"jwt", "oauth", "dpop", "oauth1"}
LEARNING = {"hmac", "sigv4", "signature", "digest"}


@pytest.mark.parametrize("name", [row.name for row in SCHEMES if row.name not in OF_TEXTS])
def test_no_table_grows_by_an_explanation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = SchemeSetup(case_of(name))
    request, body = setup.genuine("POST", body=b"pay 10")
    put: list[object] = []
    plain = Bounded.put

    def noted(self: Bounded[object, object], key: object, value: object) -> None:
        put.append(key)
        plain(self, key, value)

    monkeypatch.setattr(Bounded, "put", noted)
    assert explain(request, setup.guard, body, at=setup.clock.now).accepted
    assert not put
    setup.guard.verify(request, body)
    assert bool(put) or name not in LEARNING, "an admission is learnt from, so this test can fail"
