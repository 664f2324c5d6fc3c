"""The guard of `/whoami`, for `watchword explain FILE --guard examples.api.guards:every`."""

from __future__ import annotations

from examples.api.app import guard

every = guard()
