"""Two Authorization lines: proxy and application must not each believe another one. Refused on every server."""

from __future__ import annotations

import pytest

from tests.servers.conftest import *  # noqa: F403 -- the servers, as fixtures
from tests.servers.test_every_server import status


@pytest.mark.parametrize(
    "second", ["plain alice", "plain wrong", "writer alice", "other x", ""], ids=lambda text: text or "empty"
)
def test_two_authorization_lines_are_never_accepted(server, second):
    answer = server.ask("/", "plain alice", b"", f"Authorization: {second}")
    assert status(answer) in (400, 401)


def test_two_authorization_lines_are_never_anonymous(optional):
    assert status(optional.ask("/", "plain alice", b"", "Authorization: plain wrong")) in (400, 401)
