"""AWS Signature Version 4 and 4A, both halves: canonical < access_key, checksums < credentials, chunks < client < refreshing; claim < server.

`explanation` says why a request was refused. Names and rules are those of "AWS Signature Version 4 for API requests" (AWS
IAM User Guide) and of the Amazon S3 API Reference.
"""

from __future__ import annotations

from watchword.schemes.sigv4.access_key import AccessKey
from watchword.schemes.sigv4.canonical import PathRules
from watchword.schemes.sigv4.client import Payload, SigV4Auth
from watchword.schemes.sigv4.refreshing import RefreshingSigV4Auth, SigV4Credentials
from watchword.schemes.sigv4.server import SigV4Verifier

__all__ = [
    "AccessKey", "PathRules", "Payload", "RefreshingSigV4Auth", "SigV4Auth", "SigV4Credentials", "SigV4Verifier",
]  # fmt: skip
