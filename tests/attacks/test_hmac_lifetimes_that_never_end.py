"""A lifetime that compares false with everything would let signed requests live for ever."""

from __future__ import annotations

from math import inf, nan

import pytest

from watchword import ConfigurationError, HMACVerifier


@pytest.mark.parametrize(
    "settings", [{"max_age": nan}, {"max_age": inf}, {"skew": nan}, {"skew": inf}, {"max_age": -inf}]
)
def test_it_is_refused_at_construction(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="|".join(settings)):
        HMACVerifier(**settings)
