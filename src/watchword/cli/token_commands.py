"""`watchword token`: the tokens that `watchword login` has got; prints one, shows them, gives one back."""

from __future__ import annotations

import json as json_text
import time
from typing import Annotated

import typer

from watchword.cli.administration import Json, moment, show
from watchword.cli.kept_tokens import ClientId, Owner, SecretFile, TokensFile, auth_for, chosen, tokens_at, working
from watchword.clients.direct import perform
from watchword.core.rejection import CredentialsUnavailable
from watchword.oauth.tokens import Record, TokenKey

__all__ = ["token_commands"]

token_commands = typer.Typer(help="Use, show and give back the tokens of `watchword login`.", no_args_is_help=True)

Issuer = Annotated[
    str | None, typer.Argument(help="whose token; not needed where there is one alone", show_default=False)
]

_COLUMNS = ("issuer", "client", "owner", "scopes", "target", "subject", "expires", "state")


@token_commands.command("get")
def get(
    issuer: Issuer = None,
    client_id: ClientId = None,
    client_secret_file: SecretFile = None,
    owner: Owner = None,
    tokens: TokensFile = None,
) -> None:
    """Print an access token that is good now, refreshed if need be: curl -H "Authorization: Bearer $(watchword token get)" …"""
    with working():
        file = tokens_at(tokens)
        key = chosen(file, issuer, client_id, owner)
        try:
            token = perform(auth_for(file, key, client_secret_file).log_in())
        except CredentialsUnavailable as error:
            raise CredentialsUnavailable(f"{error}; watchword login {key.issuer} --client-id {key.client}") from None
    typer.echo(token.value)


@token_commands.command("list")
def list_tokens(tokens: TokensFile = None, json: Json = False) -> None:
    """Show whose tokens there are, what they are for and when they end; no token is shown."""
    with working():
        file = tokens_at(tokens)
        rows = [_row(key, file.load(key)) for key in file.kept()]
    show(rows, _COLUMNS, as_json=json)


@token_commands.command("inspect")
def inspect(
    issuer: Issuer = None,
    client_id: ClientId = None,
    owner: Owner = None,
    tokens: TokensFile = None,
    json: Json = False,
) -> None:
    """Show one of them; `watchword token get | watchword jwt inspect -` looks into the token itself."""
    with working():
        file = tokens_at(tokens)
        key = chosen(file, issuer, client_id, owner)
        row = _row(key, file.load(key))
    if json:
        typer.echo(json_text.dumps(row))
        return
    for name, value in row.items():
        typer.echo(f"{name}: {' '.join(value) if isinstance(value, list) else value or '-'}")


@token_commands.command("revoke")
def revoke(
    issuer: Issuer = None,
    client_id: ClientId = None,
    client_secret_file: SecretFile = None,
    owner: Owner = None,
    tokens: TokensFile = None,
) -> None:
    """Forget a token, and give it back to its issuer."""
    with working():
        file = tokens_at(tokens)
        key = chosen(file, issuer, client_id, owner)
        perform(auth_for(file, key, client_secret_file).revoke())


def _row(key: TokenKey, record: Record) -> dict[str, str | list[str] | None]:
    token = record.token
    return {
        "issuer": key.issuer, "client": key.client, "owner": key.owner, "scopes": list(key.scopes), "target": list(key.target),
        "subject": None if token is None else token.subject, "expires": None if token is None else moment(token.expires),
        "state": _state(record, time.time()),
    }  # fmt: skip


def _state(record: Record, now: float) -> str:
    token = record.token
    if token is None:
        return "gone"
    if record.intent is not None:
        return "log in again"  # unless another process is refreshing it just now
    if token.is_fresh(now):
        return "good"
    return "to be refreshed" if token.refresh is not None else "log in again"
