"""The rule of redirects, without a library: what is one origin, and where credentials go along."""

from __future__ import annotations

import pytest

from watchword.clients._redirects import Trail, origin_of

FIRST = ("https", "api.example", None)


@pytest.mark.parametrize("same", [FIRST, ("https", "api.example", 443), ("HTTPS", "API.Example", None)])
def test_one_origin_has_many_spellings(same):
    assert origin_of(*same) == origin_of(*FIRST)


@pytest.mark.parametrize(
    "other",
    [
        ("http", "api.example", None),
        ("http", "api.example", 443),
        ("https", "api.example", 8443),
        ("https", "api.example.", None),
        ("https", "www.api.example", None),
        ("https", "", None),
        ("ftp", "api.example", None),
    ],
)
def test_another_scheme_host_or_port_is_another_origin_and_there_is_no_way_back(other):
    trail = Trail(origin_of(*FIRST))
    assert trail.leads_to(origin_of(*FIRST))
    assert not trail.leads_to(origin_of(*other))
    assert not trail.leads_to(origin_of(*FIRST))
    assert trail.left
