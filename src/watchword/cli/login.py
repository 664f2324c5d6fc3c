"""`watchword login`: a person logs in at an issuer, in a browser of this host or on another device (RFC 8252, RFC 8628)."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from watchword.cli.administration import duration, note, unusable
from watchword.cli.kept_tokens import Owner, SecretFile, TokensFile, client_of, tokens_at, working
from watchword.cli.loopback import Loopback
from watchword.clients.direct import perform
from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Ask
from watchword.oauth.auth import OAuth2Auth
from watchword.oauth.authorization_code import AuthorizationCode
from watchword.oauth.device import Device
from watchword.oauth.token_response import AccessToken

__all__ = ["login_command"]


def login_command(
    issuer: Annotated[str, typer.Argument(help="the issuer, to the letter as its metadata names it")],
    client_id: Annotated[str, typer.Option("--client-id", help="the client's name at the issuer")],
    client_secret_file: SecretFile = None,
    scope: Annotated[list[str] | None, typer.Option(help="what to ask for; may be given several times")] = None,
    resource: Annotated[str | None, typer.Option(help="the API that the token is for, as a URL")] = None,
    audience: Annotated[str | None, typer.Option(help="the same, as some issuers want it")] = None,
    device: Annotated[bool, typer.Option("--device", help="without a browser: enter a code on another device")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="print the URL and open nothing")] = False,
    owner: Owner = None,
    tokens: TokensFile = None,
    timeout: Annotated[str, typer.Option(help="for how long to wait for the browser: 5m, 90s")] = "5m",
) -> None:
    """Log in at an issuer, and keep the token in a file that only you may read."""
    patience = duration("--timeout", timeout)
    if patience <= 0:
        unusable("--timeout is longer than nothing")
    with working():
        client, file = client_of(client_id, client_secret_file), tokens_at(tokens)
        with Loopback() as loopback:
            grant = Device() if device else AuthorizationCode(loopback.redirect_uri)
            auth = OAuth2Auth(
                issuer=issuer,
                client=client,
                grant=grant,
                scope=scope or (),
                resource=resource,
                audience=audience,
                tokens=file,
            ).for_owner(owner or "")
            token = _by_device(auth) if device else _by_browser(auth, loopback, patience, no_browser)
    note(f"logged in{'' if token.subject is None else f' as {token.subject}'} at {issuer}")


def _by_browser(auth: OAuth2Auth, loopback: Loopback, patience: float, no_browser: bool) -> AccessToken:
    login = perform(auth.begin_login())
    loopback.expect(login.state)
    note(f"open {login.url}")
    if not no_browser and not webbrowser.open(login.url):
        note("no browser could be opened: open it yourself, or log in with --device")
    callback = loopback.wait(patience)
    if callback is None:
        raise CredentialsUnavailable(f"the browser was not back within {patience:g} s")
    return perform(auth.finish_login(login, callback)).token


def _by_device(auth: OAuth2Auth) -> AccessToken:
    def show(ask: Ask) -> str:
        note(f"open {ask.url} and enter {ask.code}")
        return ""

    return perform(auth.log_in(anew=True), ask=show)
