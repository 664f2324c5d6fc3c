"""Problem details say the status, and nothing by which two refusals could be told apart."""

from __future__ import annotations

import json

import pytest

from watchword import Reason
from watchword.servers.problem import problem

STATUSES = sorted({reason.status for reason in Reason} | {407, 500})


@pytest.mark.parametrize("status", STATUSES)
def test_a_problem_has_three_members_and_each_says_the_status(status):
    told = json.loads(problem(status))
    assert list(told) == ["type", "title", "status"]
    assert told["type"] == "about:blank"
    assert told["status"] == status
    assert told["title"] != "Refused"


def test_a_status_without_a_phrase_is_a_problem_too():
    assert json.loads(problem(499))["title"] == "Refused"
