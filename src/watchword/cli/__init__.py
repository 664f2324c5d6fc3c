"""The `watchword` command: one module per verb."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line; exit status 2 for input that can't be used."""
    try:
        import typer  # noqa: PLC0415 -- an extra
    except ImportError:
        sys.exit("the command line needs an extra: pip install 'watchword[cli]'")
    from watchword.cli.explain import explain_command  # noqa: PLC0415 -- needs the extra
    from watchword.cli.jwt import jwt_commands  # noqa: PLC0415 -- as above
    from watchword.cli.key import key_commands  # noqa: PLC0415 -- as above
    from watchword.cli.store import store_commands  # noqa: PLC0415 -- as above
    from watchword.cli.login import login_command  # noqa: PLC0415 -- as above
    from watchword.cli.token_commands import token_commands  # noqa: PLC0415 -- as above
    from watchword.cli.user import user_commands  # noqa: PLC0415 -- as above

    app = typer.Typer(help="Authenticate HTTP requests.", no_args_is_help=True, add_completion=False,
                      pretty_exceptions_enable=False)  # fmt: skip
    app.callback()(_root)
    app.command("explain")(explain_command)
    app.add_typer(jwt_commands, name="jwt")
    app.add_typer(key_commands, name="key")
    app.add_typer(store_commands, name="store")
    app.command("login")(login_command)
    app.add_typer(token_commands, name="token")
    app.add_typer(user_commands, name="user")
    app()


def _root() -> None:
    """Authenticate HTTP requests."""
