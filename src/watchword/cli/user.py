"""`watchword user`: adds, lists, disables and enables users, and gives them passwords."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from watchword.cli.administration import Json, SecretsFile, StoreURL, administering, note, show, unusable
from watchword.crypto.passwords import Password
from watchword.crypto.precis import MAX_PASSWORD
from watchword.stores.administration.users import DigestEnrolment

__all__ = ["user_commands"]

user_commands = typer.Typer(help="Add, list, disable and enable users, and set their passwords.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="the username")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="read the password from the first line of standard input")
]


@user_commands.command("add")
def add(
    name: Name,
    store: StoreURL,
    secrets_file: SecretsFile = None,
    scope: Annotated[list[str] | None, typer.Option(help="what the user may do; may be given several times")] = None,
    realm: Annotated[str | None, typer.Option(help="a DigestVerifier's realm, for Digest as well as Basic")] = None,
    digest: Annotated[list[str] | None, typer.Option(help="Digest's algorithms; SHA-256 by default")] = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Add a user. The password is asked for; it is never an argument, which other users of the host could see."""
    password = _password(stdin=password_stdin)
    with administering(store, secrets_file, create=True) as opened:
        scopes, algorithms = scope or (), digest or ()
        opened.add_user(name, password, scopes=scopes, realm=realm, digest_algorithms=algorithms, replace=False)
    note(f"the user {name} is added")


@user_commands.command("list")
def list_users(store: StoreURL, secrets_file: SecretsFile = None, json: Json = False) -> None:
    """Show every user's name, scopes, Digest realms and state; no hash."""
    with administering(store, secrets_file) as opened:
        places = dict(opened.records(DigestEnrolment))
        rows = [_row(key[0], record, places.get(key)) for key, record in opened.records(Password)]
    show(rows, ("username", "subject", "scopes", "digest", "state"), as_json=json)


@user_commands.command("disable")
def disable(name: Name, store: StoreURL, secrets_file: SecretsFile = None) -> None:
    """Refuse the user's password from the next request on, as if it were wrong."""
    with administering(store, secrets_file) as opened:
        opened.disable_user(name)
    note(f"the user {name} is disabled")


@user_commands.command("enable")
def enable(name: Name, store: StoreURL, secrets_file: SecretsFile = None) -> None:
    """Accept the user's password again."""
    with administering(store, secrets_file) as opened:
        opened.disable_user(name, disabled=False)
    note(f"the user {name} is enabled")


@user_commands.command("passwd")
def passwd(
    name: Name, store: StoreURL, secrets_file: SecretsFile = None, password_stdin: PasswordStdin = False
) -> None:
    """Give the user another password, for Basic and in every Digest realm; a disabled user stays so."""
    password = _password(stdin=password_stdin)
    with administering(store, secrets_file) as opened:
        opened.set_password(name, password)
    note(f"the user {name} has a new password")


def _row(name: str, record: Password, enrolled: DigestEnrolment | None) -> dict[str, object]:
    return {
        "username": name,
        "subject": name if record.subject is None else record.subject,
        "scopes": list(record.scopes),
        "digest": [f"{algorithm}:{realm}" for algorithm, realm in (enrolled.places if enrolled else ())],
        "state": "disabled" if record.disabled else "enabled",
    }


def _password(*, stdin: bool) -> str:
    if stdin:
        longest = 4 * MAX_PASSWORD  # octets of UTF-8
        octets = sys.stdin.buffer.readline(longest + 3).removesuffix(b"\n").removesuffix(b"\r")
        if len(octets) > longest:
            unusable(f"the password has more than {MAX_PASSWORD} characters: choose a shorter one")
        return _text(octets)
    if not sys.stdin.isatty():
        unusable("there is no terminal to ask for the password at: give it by --password-stdin")
    from getpass import getpass  # noqa: PLC0415 -- needs a terminal

    password = getpass("password: ")
    if getpass("once more: ") != password:
        unusable("the two differ; nothing was changed")
    return password


def _text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        unusable("the password is not UTF-8")
