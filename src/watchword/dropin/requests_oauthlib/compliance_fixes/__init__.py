"""Hooks for servers that don't follow RFC 6749, under the names that requests-oauthlib has for them."""

from __future__ import annotations

from watchword.dropin.requests_oauthlib.compliance_fixes.ebay import ebay_compliance_fix
from watchword.dropin.requests_oauthlib.compliance_fixes.facebook import facebook_compliance_fix
from watchword.dropin.requests_oauthlib.compliance_fixes.fitbit import fitbit_compliance_fix
from watchword.dropin.requests_oauthlib.compliance_fixes.instagram import instagram_compliance_fix
from watchword.dropin.requests_oauthlib.compliance_fixes.mailchimp import mailchimp_compliance_fix
from watchword.dropin.requests_oauthlib.compliance_fixes.plentymarkets import plentymarkets_compliance_fix
from watchword.dropin.requests_oauthlib.compliance_fixes.slack import slack_compliance_fix
from watchword.dropin.requests_oauthlib.compliance_fixes.weibo import weibo_compliance_fix

__all__ = [
    "ebay_compliance_fix", "facebook_compliance_fix", "fitbit_compliance_fix", "instagram_compliance_fix",
    "mailchimp_compliance_fix", "plentymarkets_compliance_fix", "slack_compliance_fix", "weibo_compliance_fix",
]  # fmt: skip
