"""The file of tokens that `watchword login` and `watchword token` share: where it is, and which of its tokens is meant."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from watchword.cli.administration import note, unusable
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable, StoreUnavailable
from watchword.oauth.auth import OAuth2Auth
from watchword.oauth.client_authentication import ClientSecret, PublicClient
from watchword.oauth.device import Device
from watchword.oauth.tokens import TokenKey
from watchword.stores.token_file import TokenFile

__all__ = ["ClientId", "Owner", "SecretFile", "TokensFile", "auth_for", "chosen", "client_of", "tokens_at", "working"]

TokensFile = Annotated[
    Path | None,
    typer.Option(
        "--tokens",
        envvar="WATCHWORD_TOKENS",
        help="the file of tokens; by default in your folder of settings",
        show_default=False,
    ),
]
ClientId = Annotated[
    str | None, typer.Option("--client-id", help="the client's name at the issuer", show_default=False)
]
SecretFile = Annotated[
    Path | None,
    typer.Option("--client-secret-file", help="a file with the client's secret, if it has one", show_default=False),
]
Owner = Annotated[
    str | None, typer.Option("--owner", help="whose token it is, where several people have one", show_default=False)
]


@contextmanager
def working() -> Iterator[None]:
    """What goes wrong ends the command. Exit status 1: the issuer refuses or isn't there, or there is no token. 2: unusable input."""
    try:
        yield
    except (CredentialsUnavailable, StoreUnavailable) as error:
        note(f"watchword: {error}")
        raise typer.Exit(1) from None
    except ConfigurationError as error:
        unusable(str(error))


def tokens_at(path: Path | None) -> TokenFile:
    """The file; the folder of settings is made if it isn't there, for its owner alone."""
    if path is not None:
        return TokenFile(path)
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "watchword"
    settings.mkdir(mode=0o700, parents=True, exist_ok=True)
    return TokenFile(settings / "tokens.json")


def client_of(client_id: str, secret_file: Path | None) -> PublicClient:
    """The client, with the secret in a file if there is one: it is never an argument."""
    if secret_file is None:
        return PublicClient(client_id)
    try:
        secret = secret_file.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError):
        unusable("the file of --client-secret-file can't be read as a text")
    return ClientSecret(client_id, secret)


def chosen(tokens: TokenFile, issuer: str | None, client_id: str | None, owner: str | None) -> TokenKey:
    """The one token that is meant.

    Raises:
        CredentialsUnavailable: there is none.
    """
    wanted = {"issuer": issuer, "client": client_id, "owner": owner}
    found = [
        key
        for key in tokens.kept()
        if all(value is None or getattr(key, name) == value for name, value in wanted.items())
    ]
    if not found:
        raise CredentialsUnavailable("there is no such token: watchword login ISSUER --client-id …")
    if len(found) > 1:
        unusable("several tokens are meant: say which by ISSUER, --client-id or --owner (watchword token list)")
    return found[0]


def auth_for(tokens: TokenFile, key: TokenKey, secret_file: Path | None) -> OAuth2Auth:
    """What refreshes and gives back the token under this key."""
    target: dict[str, Any] = dict(part.split("=", 1) for part in key.target)
    auth = OAuth2Auth(
        issuer=key.issuer,
        client=client_of(key.client, secret_file),
        grant=Device(),
        scope=key.scopes,
        tokens=tokens,
        **target,
    )
    return auth.for_owner(key.owner)
