"""Real proxies in front of the application. They reach it from 127.0.0.2 and .3, clients from 127.0.0.1."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
import requests

from tests.interop.conftest import free_port, listening, program
from tests.interop.proxies.origin import Origin, application
from tests.transport.origin import certificate
from watchword.clients import httpx2 as for_httpx2
from watchword.clients import requests as for_requests
from watchword.core.scheme import Auth

PROXY = "127.0.0.2"
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
        self.ports = ports
        self.trust = tls.trusted

    def __getitem__(self, key: tuple[str, str] | str) -> str:
        name, server = (key, "granian") if isinstance(key, str) else key
        return f"{'https' if name.startswith('tls') else 'http'}://localhost:{self.ports[name, server]}"


# ---- nginx ------------------------------------------------------------------------------------------------------------

NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    proxy_bind 127.0.0.2;
    {servers}
}}
"""
KEEPS = "proxy_set_header Host $http_host;"
SETS = """proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-Port $server_port;"""
FORWARDED = """proxy_set_header Forwarded '$http_forwarded, for=$remote_addr;proto=$scheme;host="$http_host"';"""
ALL = ("granian", "uvicorn", "wsgiref", "http_server")
ONE = ("granian",)
# What stands in "server {}", and the servers before which it is set up. {app} is a server's address.
SET_UPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "tls": (f"location / {{{{ proxy_pass http://{{app}}; {KEEPS} {SETS} }}}}", ALL),
    "forwarded": (f"location / {{{{ proxy_pass http://{{app}}; {FORWARDED} }}}}", ONE),
    # Nothing but the address: nginx sends its own name of the application as Host.
    "plain": ("location / {{ proxy_pass http://{app}; }}", ALL),
    "http11": ("location / {{ proxy_pass http://{app}; proxy_http_version 1.1; }}", ONE),
    "host": ("location / {{ proxy_pass http://{app}; proxy_set_header Host $host; }}", ONE),
    "nohost": (
        "location / {{ proxy_pass http://{app}; proxy_set_header Host app.internal; "
        "proxy_set_header X-Forwarded-Host $http_host; }}",
        ONE,
    ),
    "port": (
        "location / {{ proxy_pass http://{app}; proxy_set_header Host $host; "
        "proxy_set_header X-Forwarded-Port $server_port; }}",
        ONE,
    ),
    "strip": ("location /api/ {{ proxy_pass http://{app}/; proxy_set_header X-Forwarded-Prefix /api; }}", ALL),
    "add": ("location / {{ proxy_pass http://{app}/internal/; }}", ONE),
    "normal": ("location / {{ proxy_pass http://{app}/; }}", ONE),
    "unmerged": ("merge_slashes off; location / {{ proxy_pass http://{app}/; }}", ONE),
    "rewrite": ("location / {{ rewrite ^/api/(.*)$ /$1 break; proxy_pass http://{app}; }}", ONE),
    "unbuffered": (
        "location / {{ proxy_pass http://{app}; proxy_http_version 1.1; proxy_request_buffering off; }}", ALL,
    ),
    "gzip": ("gzip on; gzip_types *; gzip_proxied any; location / {{ proxy_pass http://{app}; }}", ONE),
    "decoded": ("location / {{ proxy_pass http://{app}; proxy_set_header Content-Type text/plain; }}", ONE),
    "tls-two": (
        f"location / {{{{ proxy_pass http://{{inner}}; proxy_set_header Host outer.internal; {SETS} {FORWARDED} }}}}", ONE,
    ),
    "inner": (
        "proxy_bind 127.0.0.3; location / {{ proxy_pass http://{app}; proxy_set_header Host inner.internal; "
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; "
        "proxy_set_header Forwarded '$http_forwarded, for=$remote_addr;proto=$scheme;host=\"$http_host\"'; }}",
        ONE,
    ),
}  # fmt: skip


def nginx_conf(folder: Path, ports: dict[tuple[str, str], int], origin: Origin, tls: Certificate) -> str:
    servers = []
    for (name, server), port in ports.items():
        ssl = " ssl" if name.startswith("tls") else ""
        inside = SET_UPS[name][0].format(
            app=f"127.0.0.1:{origin.ports[server]}", inner=f"127.0.0.1:{ports['inner', 'granian']}"
        )
        servers.append(f"server {{ listen 127.0.0.1:{port}{ssl}; {inside} }}")
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
        return session.request(method, url, auth=for_requests.adapt(auth), verify=trust, timeout=20, **sent)


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
    import ssl

    return ssl.create_default_context(cafile=trust)


CLIENTS = [by_requests, by_httpx2, by_async_httpx2]


@pytest.fixture(params=CLIENTS, ids=lambda client: client.__name__)
def client(request) -> Ask:
    """requests, httpx2 and httpx2 on the event loop."""
    return request.param
