"""What the processes of one API share: where the database is, and the secrets of this run."""

from __future__ import annotations

import os
import secrets
import time
from base64 import standard_b64encode, urlsafe_b64decode
from pathlib import Path

import msgspec

from examples.api.stores import make_tables, store
from watchword import JWTAuth, Key

AUDIENCE = "urn:example:api"
TOKEN_ISSUER = "urn:example:tokens"
REALM = "example api"
DIGEST_ALGORITHMS = ("SHA-256", "MD5")  # MD5 for old clients, never the default
OAUTH1_METHODS = ("HMAC-SHA256", "HMAC-SHA1")  # SHA-1 for old clients, never the default
REGION, SERVICE = "eu-west-1", "execute-api"

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
    signature_key_id: str
    signature_secret: str
    signature_private_key: str  # Ed25519, PEM
    access_key: str
    secret_key: str
    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str
    webhook_secret: str
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

    @property
    def hmac_key(self) -> Key:
        """The robot's key for the HMAC header."""
        return Key.from_secret(octets(self.hmac_secret), algorithm="HS256", key_id=self.hmac_key_id)

    @property
    def signature_key(self) -> Key:
        """The robot's shared key for RFC 9421."""
        return Key.from_secret(octets(self.signature_secret), algorithm="hmac-sha256", key_id=self.signature_key_id)

    @property
    def private_key(self) -> Key:
        """The robot's key pair for RFC 9421; the API keeps its public half only."""
        return Key.from_pem(self.signature_private_key, algorithm="ed25519", key_id=f"{self.signature_key_id}-ed25519")

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
        signature_key_id="robot-2",
        signature_secret=secrets.token_urlsafe(32),
        signature_private_key=new_private_key(),
        access_key="AK" + secrets.token_hex(8).upper(),
        secret_key=secrets.token_urlsafe(30),
        consumer_key="reports",
        consumer_secret=secrets.token_urlsafe(24),
        token=secrets.token_urlsafe(12),
        token_secret=secrets.token_urlsafe(24),
        webhook_secret="whsec_" + standard_b64encode(secrets.token_bytes(32)).decode(),
        verdicts=verdicts,
    )


def new_private_key() -> str:
    """A fresh Ed25519 key, as PEM."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = Ed25519PrivateKey.generate()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def octets(secret: str) -> bytes:
    """A secret that the settings hold as base64url without padding."""
    return urlsafe_b64decode(secret + "=" * (-len(secret) % 4))


def register(settings: Settings) -> None:
    """Makes the tables, and puts the user, the key and the client into the database."""
    scopes = ("read", "write")
    make_tables(settings.database)
    with store(settings.database) as kept:
        kept.add_user(
            settings.username, settings.password, scopes=scopes, realm=REALM, digest_algorithms=DIGEST_ALGORITHMS
        )
        kept.add_client(settings.client_id, settings.client_secret, scopes=scopes)
        for key in (settings.hmac_key, settings.signature_key, settings.private_key):
            kept.add_key("robot", key, scopes=scopes)
        kept.add_access_key("robot", settings.access_key, settings.secret_key, scopes=scopes)
        kept.add_oauth1_client(settings.consumer_key, secret=settings.consumer_secret, scopes=scopes)
        kept.add_oauth1_token(
            settings.token,
            settings.token_secret,
            client_key=settings.consumer_key,
            subject=settings.username,
            scopes=scopes,
        )


def user_token(settings: Settings, *, lifetime: int = 3600) -> str:
    """A JWT for the user, good for `lifetime` seconds."""
    claims = {"iss": settings.base_url, "aud": AUDIENCE, "sub": settings.username, "scope": "read write"}
    return JWTAuth(settings.jwt_key, claims=claims, lifetime=lifetime).mint(time.time())


def bound_token(settings: Settings, thumbprint: str, lifetime: int = 3600) -> str:
    """A JWT for the user that is bound to the key of this thumbprint (RFC 9449 §6.1)."""
    claims = {"iss": settings.base_url, "aud": AUDIENCE, "sub": settings.username, "scope": "read write"}
    return JWTAuth(settings.jwt_key, claims={**claims, "cnf": {"jkt": thumbprint}}, lifetime=lifetime).mint(time.time())


def credentials(settings: Settings) -> dict[str, object]:
    """What a client needs, by scheme."""
    user = {"username": settings.username, "password": settings.password}
    client_key = Key.generate("ES256")
    return {
        "base_url": settings.base_url,
        "basic": {**user, "path": "/basic"},
        "digest": {**user, "path": "/digest"},
        "jwt": {"token": user_token(settings), "path": "/jwt"},
        "dpop": {
            "token": bound_token(settings, client_key.thumbprint()),
            "private_jwk": client_key.to_jwk(private=True),
            "path": "/dpop",
        },
        "hmac": {"key_id": settings.hmac_key_id, "secret": settings.hmac_secret, "path": "/hmac"},
        "signature": {
            "key_id": settings.signature_key_id,
            "secret": settings.signature_secret,
            "algorithm": "hmac-sha256",
            "ed25519": {"key_id": settings.private_key.key_id, "private_key": settings.signature_private_key},
            "path": "/signed",
        },
        "sigv4": {
            "access_key": settings.access_key,
            "secret_key": settings.secret_key,
            "region": REGION,
            "service": SERVICE,
            "path": "/sigv4",
        },
        "oauth1": {
            "client_key": settings.consumer_key,
            "client_secret": settings.consumer_secret,
            "token": settings.token,
            "token_secret": settings.token_secret,
            "signature_methods": OAUTH1_METHODS,
            "path": "/oauth1",
        },
        "webhook": {"secret": settings.webhook_secret, "path": "/webhook"},
        "oauth": {
            "token_url": settings.base_url + "/token",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "scope": "read write",
            "path": "/oauth",
        },
    }
