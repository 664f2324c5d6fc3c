"""requests-oauthlib over watchword: change `from requests_oauthlib import …` to `from watchword.dropin.requests_oauthlib import …`.

What is refused on purpose is listed in docs/how-to/replace-requests-oauthlib.md, each with what to do. The grants that are not there
yet are in `_grants`.
"""

from __future__ import annotations

from watchword.core.rejection import not_installed

try:
    import requests  # noqa: F401 -- all modules need it, and this one says how to get it
except ImportError:
    raise not_installed("requests") from None

from watchword.dropin.requests_oauthlib.errors import InsecureOAuthWarning, TokenUpdated, UnsupportedGrant
from watchword.dropin.requests_oauthlib.oauth1_auth import OAuth1
from watchword.dropin.requests_oauthlib.oauth1_session import OAuth1Session
from watchword.dropin.requests_oauthlib.oauth2_auth import OAuth2
from watchword.dropin.requests_oauthlib.oauth2_client import BackendApplicationClient
from watchword.dropin.requests_oauthlib.oauth2_session import OAuth2Session

__all__ = [
    "BackendApplicationClient", "InsecureOAuthWarning", "OAuth1", "OAuth1Session", "OAuth2", "OAuth2Session", "TokenUpdated",
    "UnsupportedGrant",
]  # fmt: skip

__version__ = "2.0.0"
