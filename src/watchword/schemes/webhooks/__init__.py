"""Webhooks: Standard Webhooks v1 and v1a, and the senders that sign in a way of their own. Both halves.

Modules, inner ones first: times < profiles < keys, credentials < content < engine < scheme < explanation.
"""

from __future__ import annotations

from watchword.schemes.webhooks.profiles import PROFILES, WebhookProfile
from watchword.schemes.webhooks.scheme import WebhookAuth, WebhookVerifier

__all__ = ["PROFILES", "WebhookAuth", "WebhookProfile", "WebhookVerifier"]
