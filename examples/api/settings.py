"""What the processes of one API share: where the database is, and the secrets of this run."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

import msgspec

from watchword import JWTAuth, Key
from watchword.stores import SQLStore

AUDIENCE = "urn:example:api"
TOKEN_ISSUER = "urn:example:tokens"
REALM = "example api"
DIGEST_ALGORITHMS = ("SHA-256", "MD5")  # MD5 for old clients, never the default

# The launcher names the settings file to the server's processes.
VARIABLE = "EXAMPLE_API_SETTINGS"


class Settings(msgspec.Struct, frozen=True):
    """Written by the launcher, read by each process; only its owner may read the file."""

    base_url: str
    database: str
    jwt_secret: str
    oauth_secret: str
    username: str
    password: str
    hmac_key_id: str
    hmac_secret: str
    client_id: str
    client_secret: str
    verdicts: str | None = None  # where each verdict is written, one JSON object a line

    def __repr__(self) -> str:
        # Nearly everything else is a secret.
        return f"Settings(base_url={self.base_url!r})"

    @property
    def jwt_key(self) -> Key:
        """Signs and verifies the JWTs that the API hands to its own users."""
        return Key.from_secret(self.jwt_secret, algorithm="HS256", key_id="users")

    @property
    def oauth_key(self) -> Key:
        """Signs and verifies the access tokens of the token endpoint."""
        return Key.from_secret(self.oauth_secret, algorithm="HS256", key_id="tokens")

    def save(self, path: Path) -> None:
        """Writes the file, readable by its owner only."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(self))

    @classmethod
    def load(cls) -> Settings:
        """What the launcher wrote."""
        return msgspec.json.decode(Path(os.environ[VARIABLE]).read_bytes(), type=cls)


def new_settings(base_url: str, database: str, verdicts: str | None = None) -> Settings:
    """Fresh secrets for one run."""
    return Settings(
        base_url=base_url,
        database=database,
        jwt_secret=secrets.token_urlsafe(48),
        oauth_secret=secrets.token_urlsafe(48),
        username="alice",
        password=secrets.token_urlsafe(12),
        hmac_key_id="robot-1",
        hmac_secret=secrets.token_urlsafe(32),
        client_id="reporting",
        client_secret=secrets.token_urlsafe(24),
        verdicts=verdicts,
    )


def hmac_octets(settings: Settings) -> bytes:
    """The HMAC secret; the settings hold it as base64url without padding."""
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(settings.hmac_secret + "=" * (-len(settings.hmac_secret) % 4))


def register(settings: Settings) -> None:
    """Puts the user, the key and the client into the database."""
    scopes = ("read", "write")
    with SQLStore(settings.database) as store:
        store.add_user(
            settings.username, settings.password, scopes=scopes, realm=REALM, digest_algorithms=DIGEST_ALGORITHMS
        )
        key = Key.from_secret(hmac_octets(settings), algorithm="HS256", key_id=settings.hmac_key_id)
        store.add_key("robot", key, scopes=scopes)
        store.add_client(settings.client_id, settings.client_secret, scopes=scopes)


def user_token(settings: Settings, *, lifetime: int = 3600) -> str:
    """A JWT for the user, good for `lifetime` seconds."""
    claims = {"iss": settings.base_url, "aud": AUDIENCE, "sub": settings.username, "scope": "read write"}
    return JWTAuth(settings.jwt_key, claims=claims, lifetime=lifetime).mint(time.time())


def credentials(settings: Settings) -> dict[str, object]:
    """What a client needs, by scheme."""
    user = {"username": settings.username, "password": settings.password}
    return {
        "base_url": settings.base_url,
        "basic": {**user, "path": "/basic"},
        "digest": {**user, "path": "/digest"},
        "jwt": {"token": user_token(settings), "path": "/jwt"},
        "hmac": {"key_id": settings.hmac_key_id, "secret": settings.hmac_secret, "path": "/hmac"},
        "oauth": {
            "token_url": settings.base_url + "/token",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "scope": "read write",
            "path": "/oauth",
        },
    }
