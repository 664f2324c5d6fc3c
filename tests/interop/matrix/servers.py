"""The servers of the matrix: an application in each framework, on the server that runs it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["SERVERS", "Server"]

_SITES = "tests.interop.matrix.sites"


@dataclass(frozen=True)
class Server:
    """One server.

    Args:
        name: as the table has it.
        command: what starts it, by the port.
        fields: what its clients send besides their credentials.
        tells_of_strangers: whether the operator is told of a refusal for want of credentials. Else the application makes it,
            after the guard has let nobody through.
    """

    name: str
    command: Callable[[int], list[str]]
    fields: Mapping[str, str] = field(default_factory=dict)
    tells_of_strangers: bool = True


def _module(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


def _uvicorn(site: str) -> Callable[[int], list[str]]:
    return lambda port: _module("uvicorn", "--port", str(port), "--log-level", "critical", f"{_SITES}.{site}")


def _granian(interface: str, site: str) -> Callable[[int], list[str]]:
    return lambda port: _module(
        "granian", "--interface", interface, "--port", str(port), "--no-log", f"{_SITES}.{site}"
    )


def _hypercorn(site: str) -> Callable[[int], list[str]]:
    return lambda port: _module(
        "hypercorn", "--bind", f"127.0.0.1:{port}", "--log-level", "CRITICAL", f"{_SITES}.{site}"
    )


def _itself(site: str) -> Callable[[int], list[str]]:
    return lambda port: _module(f"{_SITES}.{site}", str(port))


# Django's check of forged requests stays for what browsers send by themselves, Basic and Digest: a form's token answers it.
_TOKEN = "t" * 32
_FORM = {"Cookie": f"csrftoken={_TOKEN}", "X-CSRFToken": _TOKEN}

SERVERS = (
    Server("ASGI, uvicorn", _uvicorn("raw_asgi:app")),
    Server("ASGI, granian", _granian("asgi", "raw_asgi:app")),
    Server("ASGI, hypercorn", _hypercorn("raw_asgi:app")),
    Server("WSGI, wsgiref", _itself("raw_wsgi")),
    Server("WSGI, granian", _granian("wsgi", "raw_wsgi:app")),
    Server("http.server", _itself("standard"), tells_of_strangers=False),
    Server("FastAPI", _uvicorn("of_fastapi:app")),
    Server("Starlette", _granian("asgi", "of_starlette:app")),
    Server("Litestar", _uvicorn("of_litestar:app")),
    Server("Flask", _granian("wsgi", "of_flask:app")),
    Server("Django, WSGI", _granian("wsgi", "of_django:wsgi")),
    Server("Django, ASGI", _uvicorn("of_django:asgi")),
    Server("Django REST framework", _granian("wsgi", "of_rest_framework:wsgi"), _FORM, False),
    Server("aiohttp", _itself("of_aiohttp")),
    Server("Quart", _hypercorn("of_quart:app")),
)
