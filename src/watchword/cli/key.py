"""`watchword key`: makes, lists, rotates and revokes API keys."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from json import dumps
from typing import Annotated

import typer

from watchword.cli.administration import (
    Json, SecretsFile, StoreURL, administering, duration, moment, note, show, unusable,
)  # fmt: skip
from watchword.cli.key_files import flush_to_disk
from watchword.core.io import Direct, drive
from watchword.core.records import Put, Write
from watchword.schemes.api_key_text import APIKey, APIKeyUse, key_id_of
from watchword.stores.administration.administered import Administered, AdministrationError
from watchword.stores.administration.api_keys import add_api_key, rotate_api_key
from watchword.stores.sql import SQLStore

__all__ = ["key_commands"]

key_commands = typer.Typer(help="Make, list, rotate and revoke API keys.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(help="the key's id: its part between ww_ and the next _")]


@key_commands.command("add")
def add(
    subject: Annotated[str, typer.Argument(help="whose requests the key proves")],
    store: StoreURL,
    secrets_file: SecretsFile = None,
    scope: Annotated[list[str] | None, typer.Option(help="what they may do; may be given several times")] = None,
    expires: Annotated[
        str | None, typer.Option(help="when the key ends: 90d, 24h, 30m; it has no end by default")
    ] = None,
    json: Json = False,
) -> None:
    """Make a key and print it. It is never shown again: the store keeps a digest."""
    lifetime = None if expires is None else duration("--expires", expires)
    if lifetime == 0:
        unusable("--expires is longer than nothing")
    with administering(store, secrets_file, create=True) as opened:
        end = None if lifetime is None else opened.clock() + lifetime
        drive(add_api_key(_announcing(opened, as_json=json), subject, scopes=scope or (), expires=end))


@key_commands.command("list")
def list_keys(store: StoreURL, secrets_file: SecretsFile = None, json: Json = False) -> None:
    """Show every key's id, subject, scopes, state and times; no secret is in the store."""
    with administering(store, secrets_file) as opened:
        now = opened.clock()
        uses = {key: use.at for key, use in opened.records(APIKeyUse)}
        rows = [_row(key[0], record, uses.get(key), now) for key, record in opened.records(APIKey)]
    columns = ("key_id", "subject", "scopes", "state", "created", "expires", "last_used", "old_key_until")
    show(rows, columns, as_json=json)


@key_commands.command("rotate")
def rotate(
    key_id: KeyId,
    store: StoreURL,
    secrets_file: SecretsFile = None,
    overlap: Annotated[str, typer.Option(help="for how long the old key stays good: 24h, 7d; 0 ends it now")] = "24h",
    json: Json = False,
) -> None:
    """Make another key of the same id, subject, scopes and expiry, and print it."""
    seconds = duration("--overlap", overlap)
    _check_id(key_id)
    with administering(store, secrets_file) as opened:
        drive(rotate_api_key(_announcing(opened, as_json=json), key_id, overlap=seconds))


@key_commands.command("revoke")
def revoke(key_id: KeyId, store: StoreURL, secrets_file: SecretsFile = None, json: Json = False) -> None:
    """Refuse a key from the next request on, for good."""
    _check_id(key_id)
    with administering(store, secrets_file) as opened:
        opened.revoke_api_key(key_id)
        if json:
            show([_row(key_id, _record(opened, key_id), None, opened.clock())], (), as_json=True)
        else:
            note(f"the key {key_id} is revoked")


def _check_id(key_id: str) -> None:
    if key_id_of(key_id) is not None:
        # Arguments are seen by other users of the host and kept by shells.
        unusable("that is a whole key, and now other programs may have seen it: rotate it, by its id alone")


def _record(store: SQLStore, key_id: str) -> APIKey:
    from watchword.core.records import Ref  # noqa: PLC0415 -- needed by one command

    record = store.fetch([ref := Ref(APIKey, (key_id,))]).get(ref)
    assert record is not None
    return record


def _announcing(store: SQLStore, *, as_json: bool) -> Administered:
    """The store, where each new key is printed before it is written."""
    return Administered(Direct(store), store.clock, announce=_Announcement(store.clock, as_json=as_json))


class _Announcement:
    """Prints a new key before it is written: one that could not be printed is nobody's, and must not be good."""

    def __init__(self, clock: Callable[[], float], *, as_json: bool) -> None:
        self._clock = clock
        self._as_json = as_json
        self._before = False

    def __call__(self, key: str, writes: Sequence[Write]) -> None:
        (record,) = (write.record for write in writes if isinstance(write, Put) and isinstance(write.record, APIKey))
        if self._before:
            note("another command was faster: the key above is not good, the next one is")
        self._before = True
        try:
            _print_new(key, record, self._clock(), as_json=self._as_json)
            flush_to_disk(sys.stdout)
        except OSError as error:
            raise AdministrationError(f"the key can't be printed ({error.strerror}), so none was made") from None


def _print_new(key: str, record: APIKey, now: float, *, as_json: bool) -> None:
    key_id = key_id_of(key) or ""
    row = _row(key_id, record, None, now)
    if as_json:
        typer.echo(dumps({"key": key, **row}))
        return
    typer.echo(key)
    until = f", good until {row['expires']}" if row["expires"] else ""
    old = f"; the old key is good until {row['old_key_until']}" if row["old_key_until"] else ""
    note(f"this key of {row['subject']} is shown once only; its id is {key_id}{until}{old}")


def _row(key_id: str, record: APIKey, used: float | None, now: float) -> dict[str, object]:
    expired = record.expires is not None and now >= record.expires
    overlaps = record.former is not None and now < record.former_until and record.revoked is None
    return {
        "key_id": key_id,
        "subject": record.subject,
        "scopes": list(record.scopes),
        "state": "revoked" if record.revoked is not None else "expired" if expired else "good",
        "created": moment(record.created),
        "expires": moment(record.expires) or None,
        "revoked": moment(record.revoked) or None,
        "last_used": moment(used) or None,
        "old_key_until": moment(record.former_until) if overlaps else None,
    }
