"""Litestar keeps the answer that was made for somebody, and gives it to somebody else who is admitted."""

from __future__ import annotations

from typing import Any

import litestar
import pytest
from litestar.testing import TestClient

from watchword import Guard, RegisteredToken, TokenVerifier
from watchword.servers.litestar import Authenticate

ASKED = ("alice", "bob", "alice", "")


def answers(path: str) -> tuple[list[str], list[str]]:
    """What alice, bob, alice again and nobody are answered, and for whom the handler ran."""
    ran: list[str] = []
    auth = Authenticate(Guard([TokenVerifier(RegisteredToken, by="plain")]))
    other = Authenticate(Guard([TokenVerifier(RegisteredToken, by="plain", word="Token")]), name="other.")

    def answer(request: Any) -> str:
        ran.append(str(request.user and request.user.subject))
        return ran[-1]

    @litestar.get("/required", cache=True, guards=[auth.required()], sync_to_thread=False)
    def required(request: litestar.Request[Any, Any, Any]) -> str:
        return answer(request)

    @litestar.get("/optional", cache=True, guards=[auth.optional], sync_to_thread=False)
    def optional(request: litestar.Request[Any, Any, Any]) -> str:
        return answer(request)

    @litestar.get("/public", cache=True, sync_to_thread=False)
    def public() -> str:
        ran.append("public")
        return "public"

    app = litestar.Litestar([required, optional, public], plugins=[auth, other])
    with TestClient(app) as client:
        asked = [client.get(path, headers={"Authorization": f"Bearer {name}"} if name else {}) for name in ASKED]
    return [answer.text if answer.status_code == 200 else str(answer.status_code) for answer in asked], ran


@pytest.mark.parametrize(
    ("path", "answered", "ran"),
    [
        ("/required", ["alice", "bob", "alice", "401"], ["alice", "bob"]),
        ("/optional", ["alice", "bob", "alice", "None"], ["alice", "bob", "None"]),
        ("/public", ["public"] * 4, ["public"]),
    ],
)
def test_each_gets_an_answer_of_their_own(path: str, answered: list[str], ran: list[str]) -> None:
    assert answers(path) == (answered, ran)
