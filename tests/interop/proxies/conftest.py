"""Real proxies in front of the application. They reach it from 127.0.0.2 and .3, clients from 127.0.0.1."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
import requests

from tests.interop.conftest import PATIENCE, free_port, listening, program
from tests.interop.proxies import other_set_ups
from tests.interop.proxies.nginx_set_ups import NGINX, SET_UPS
from tests.interop.proxies.origin import Origin, application, exchange
from tests.transport.origin import certificate
from watchword import Request
from watchword.clients import httpx2 as for_httpx2
from watchword.clients import requests as for_requests
from watchword.effects import Auth


TRUSTED = ("127.0.0.2/32",)


@pytest.fixture(scope="session")
def origin():
    """The application; each test chooses its guard."""
    with application() as started:
        yield started


class Certificate(NamedTuple):
    """A server's certificate and key for localhost, and the file that makes a client trust it."""

    both: Path
    trusted: str


@pytest.fixture(scope="session")
def tls(public_folder):
    folder = public_folder / "tls"
    folder.mkdir()
    _, trusted = certificate(folder, "localhost")
    return Certificate(folder / "server.pem", trusted)


class Proxy:
    """Where a proxy's listeners are: `proxy["tls", "granian"]` is the base URL of that set-up in front of that server."""

    def __init__(self, ports: dict[tuple[str, str], int], tls: Certificate) -> None:
        self.name = "nginx"
        self.ports = ports
        self.trust = tls.trusted

    def __getitem__(self, key: tuple[str, str] | str) -> str:
        name, server = (key, "granian") if isinstance(key, str) else key
        return f"{'https' if name.startswith('tls') else 'http'}://localhost:{self.ports[name, server]}"


# ---- nginx ------------------------------------------------------------------------------------------------------------


def nginx_conf(folder: Path, ports: dict[tuple[str, str], int], origin: Origin, tls: Certificate) -> str:
    servers = []
    for (name, server), port in ports.items():
        kind = (" ssl" if name.startswith("tls") else "") + (" http2" if name.endswith("h2") else "")
        inside = SET_UPS[name][0].format(
            app=f"127.0.0.1:{origin.ports[server]}", inner=f"127.0.0.1:{ports['inner', 'granian']}"
        )
        servers.append(f"server {{ listen 127.0.0.1:{port}{kind}; {inside} }}")
    return NGINX.format(folder=folder, certificate=tls.both, servers="\n    ".join(servers))


@pytest.fixture(scope="session")
def nginx(public_folder, origin, tls):
    """nginx in front of the servers, in each of `SET_UPS`."""
    folder = public_folder / "nginx-proxy"
    folder.mkdir()
    path, names = program("nginx"), [(name, server) for name, (_, servers) in SET_UPS.items() for server in servers]
    proxy = Proxy({}, tls)

    def command(port: int) -> list[str]:
        proxy.ports = dict(zip(names, [port, *free_ports(len(names) - 1)], strict=True))
        (folder / "nginx.conf").write_text(nginx_conf(folder, proxy.ports, origin, tls))
        return [path, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]

    with listening(command, folder / "error.log"):
        yield proxy


# ---- the others --------------------------------------------------------------------------------------------------------

# name: (the files, the set-ups, the command)
OTHERS: dict[str, tuple[Any, tuple[str, ...], Callable[[str, Path], list[str]]]] = {
    "apache2": (
        other_set_ups.apache, ("tls", "strip", "usual"),
        lambda path, folder: [path, "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"],
    ),
    "caddy": (
        other_set_ups.caddy, ("tls", "strip", "add"),
        lambda path, folder: [path, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"],
    ),
    "traefik": (
        other_set_ups.traefik, ("tls", "strip"),
        lambda path, folder: [path, f"--configFile={folder / 'traefik.yml'}"],
    ),
    "envoy": (
        other_set_ups.envoy, ("tls", "strip"),
        lambda path, folder: [path, "-c", str(folder / "envoy.yaml"), "--concurrency", "1", "--use-dynamic-base-id"],
    ),
    "haproxy": (
        other_set_ups.haproxy, ("tls", "strip"),
        lambda path, folder: [path, "-f", str(folder / "haproxy.cfg"), "-db"],
    ),
}  # fmt: skip


@pytest.fixture(scope="session", params=OTHERS)
def other(request, public_folder, origin, tls):
    """Apache, Caddy, Traefik, Envoy and HAProxy, one after the other, in front of granian."""
    with proxied(request.param, public_folder, origin, tls) as proxy:
        yield proxy


@contextmanager
def proxied(name: str, public_folder: Path, origin: Origin, tls: Certificate) -> Iterator[Proxy]:
    files, set_ups, start = OTHERS[name]
    folder = public_folder / f"{name}-proxy"
    folder.mkdir()
    # Wheels bring theirs beside Python's own.
    path, proxy = shutil.which(name, path=str(Path(sys.executable).parent)) or program(name), Proxy({}, tls)
    proxy.name = name

    def command(port: int) -> list[str]:
        ports = dict(zip(set_ups, [port, *free_ports(len(set_ups) - 1)], strict=True))
        for file, text in files(folder, ports, origin.ports["granian"], tls.both).items():
            (folder / file).write_text(text)
        proxy.ports = {(each, "granian"): it for each, it in ports.items()}
        return start(path, folder)

    with listening(command, folder / "out.log"):
        assert all(answers(proxy, each) for each in set_ups), (folder / "out.log").read_text()
        yield proxy


def answers(proxy: Proxy, set_up: str) -> bool:
    """Waits until the application is reached: some listen before they have read what to do."""
    path = "/api/" if set_up == "strip" else "/"
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        base = proxy[set_up]
        request = Request("GET", "http", base.partition("://")[2], path)
        try:
            if exchange(base, request, b"", proxy.trust).status == 401:
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def free_ports(count: int) -> list[int]:
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)


# ---- libraries of clients ---------------------------------------------------------------------------------------------

Ask = Callable[..., Any]


def by_requests(auth: Auth, url: str, trust: str, method: str = "GET", **sent: Any) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, auth=for_requests.adapt(auth), verify=trust, timeout=300, **sent)


def by_httpx2(auth: Auth, url: str, trust: str, method: str = "GET", **sent: Any) -> Any:
    with httpx2.Client(auth=for_httpx2.adapt(auth), trust_env=False, verify=_context(trust)) as client:
        return client.request(method, url, **_content(sent))


def by_async_httpx2(auth: Auth, url: str, trust: str, method: str = "GET", **sent: Any) -> Any:
    async def main() -> Any:
        async with httpx2.AsyncClient(auth=for_httpx2.adapt(auth), trust_env=False, verify=_context(trust)) as client:
            return await client.request(method, url, **_content(sent))

    return asyncio.run(main())


def _content(sent: dict[str, Any]) -> dict[str, Any]:
    return {("content" if name == "data" else name): value for name, value in sent.items()}


def _context(trust: str) -> Any:
    return ssl.create_default_context(cafile=trust)


CLIENTS = [by_requests, by_httpx2, by_async_httpx2]


@pytest.fixture(params=CLIENTS, ids=lambda client: client.__name__)
def client(request) -> Ask:
    """requests, httpx2 and httpx2 on the event loop."""
    return request.param
