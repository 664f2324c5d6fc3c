"""What every test has: Hypothesis without a stopwatch, since the machine may be slow and a hash is meant to be."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
