"""What Apache, Caddy, Traefik, Envoy and HAProxy are told. Each passes everything on ("tls"), or takes /api off the path ("strip")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["apache", "caddy", "envoy", "haproxy", "traefik"]

Ports = dict[str, int]

CADDY = """\
{{
    admin off
    auto_https off
    persist_config off
    storage file_system {folder}/storage
}}
https://localhost:{tls} {{
    bind 127.0.0.1
    tls {certificate} {certificate}
    reverse_proxy 127.0.0.1:{app}
}}
http://localhost:{strip} {{
    bind 127.0.0.1
    handle_path /api/* {{
        reverse_proxy 127.0.0.1:{app}
    }}
}}
http://localhost:{add} {{
    bind 127.0.0.1
    rewrite * /internal{{uri}}
    reverse_proxy 127.0.0.1:{app}
}}
"""


def caddy(folder: Path, ports: Ports, app: int, certificate: Path) -> dict[str, str]:
    """The files by name."""
    return {"Caddyfile": CADDY.format(folder=folder, app=app, certificate=certificate, **ports)}


TRAEFIK = """\
entryPoints:
  tls: {{address: "127.0.0.1:{tls}"}}
  strip: {{address: "127.0.0.1:{strip}"}}
providers: {{file: {{filename: {folder}/routes.yml}}}}
global: {{checkNewVersion: false, sendAnonymousUsage: false}}
"""
ROUTES = """\
http:
  routers:
    tls: {{rule: "PathPrefix(`/`)", service: app, entryPoints: [tls], tls: {{}}}}
    strip: {{rule: "PathPrefix(`/api`)", service: app, entryPoints: [strip], middlewares: [strip]}}
  middlewares: {{strip: {{stripPrefix: {{prefixes: ["/api"]}}}}}}
  services: {{app: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{app}"}}]}}}}}}
tls:
  certificates: [{{certFile: {certificate}, keyFile: {certificate}}}]
  stores: {{default: {{defaultCertificate: {{certFile: {certificate}, keyFile: {certificate}}}}}}}
"""


def traefik(folder: Path, ports: Ports, app: int, certificate: Path) -> dict[str, str]:
    """The files by name."""
    values: dict[str, Any] = {"folder": folder, "app": app, "certificate": certificate, **ports}
    return {"traefik.yml": TRAEFIK.format(**values), "routes.yml": ROUTES.format(**values)}


ENVOY = """\
static_resources:
  listeners: [{tls_listener}, {strip_listener}]
  clusters:
  - name: app
    type: STATIC
    load_assignment:
      cluster_name: app
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {app}}}}}}}}}]}}]
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{http2_protocol_options: {{}}}}
"""
LISTENER = """\
{{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}, filter_chains: [{{{tls}
    filters: [{{name: envoy.filters.network.http_connection_manager, typed_config: {{
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager,
      stat_prefix: {name}, use_remote_address: true,
      route_config: {{virtual_hosts: [{{name: app, domains: ["*"], routes: [{routes}]}}]}},
      http_filters: [{{name: envoy.filters.http.router, typed_config: {{
        "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]}}}}]}}]}}"""
DOWNSTREAM_TLS = """transport_socket: {{name: tls, typed_config: {{
      "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext,
      common_tls_context: {{tls_certificates: [{{
        certificate_chain: {{filename: {certificate}}}, private_key: {{filename: {certificate}}}}}]}}}}}},"""


def envoy(folder: Path, ports: Ports, app: int, certificate: Path) -> dict[str, str]:
    """The files by name. It speaks HTTP/2 to the application: the host travels as :authority."""
    tls = LISTENER.format(
        name="tls",
        port=ports["tls"],
        tls=DOWNSTREAM_TLS.format(certificate=certificate),
        routes='{match: {prefix: "/"}, route: {cluster: app}}',
    )
    strip = LISTENER.format(
        name="strip",
        port=ports["strip"],
        tls="",
        routes='{match: {prefix: "/api/"}, route: {cluster: app, prefix_rewrite: "/"}}',
    )
    return {"envoy.yaml": ENVOY.format(tls_listener=tls, strip_listener=strip, app=app)}


APACHE = """\
ServerRoot {folder}
ServerName localhost
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.log
DefaultRuntimeDir {folder}
Mutex file:{folder}
User www-data
Group www-data
{modules}
StartServers 1
AllowEncodedSlashes NoDecode
Listen 127.0.0.1:{tls}
<VirtualHost 127.0.0.1:{tls}>
    SSLEngine on
    SSLCertificateFile {certificate}
    MergeSlashes Off
    AllowEncodedSlashes NoDecode
    ProxyPreserveHost On
    RequestHeader set X-Forwarded-Proto expr=%{{REQUEST_SCHEME}}
    ProxyPass "/" "http://127.0.0.1:{app}/" nocanon
</VirtualHost>
Listen 127.0.0.1:{strip}
<VirtualHost 127.0.0.1:{strip}>
    ProxyPreserveHost On
    ProxyPass "/api/" "http://127.0.0.1:{app}/"
</VirtualHost>
Listen 127.0.0.1:{usual}
<VirtualHost 127.0.0.1:{usual}>
    ProxyPass "/" "http://127.0.0.1:{app}/"
</VirtualHost>
"""
MODULES = (
    "mpm_event", "authz_core", "ssl", "socache_shmcb", "headers", "proxy", "proxy_http",
)  # fmt: skip


def apache(folder: Path, ports: Ports, app: int, certificate: Path) -> dict[str, str]:
    """The files by name."""
    found = next(path for path in map(Path, ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules")) if path.is_dir())
    modules = "\n".join(f"LoadModule {name}_module {found}/mod_{name}.so" for name in MODULES)
    return {"apache.conf": APACHE.format(folder=folder, modules=modules, app=app, certificate=certificate, **ports)}


HAPROXY = """\
global
    maxconn 100
    pidfile {folder}/haproxy.pid
defaults
    mode http
    timeout connect 10s
    timeout client 20s
    timeout server 20s
    option forwardfor
frontend tls
    bind 127.0.0.1:{tls} ssl crt {certificate}
    http-request set-header X-Forwarded-Proto https
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    default_backend app
frontend strip
    bind 127.0.0.1:{strip}
    http-request replace-path /api/(.*) /\\1
    default_backend app
backend app
    server app 127.0.0.1:{app}
"""


def haproxy(folder: Path, ports: Ports, app: int, certificate: Path) -> dict[str, str]:
    """The files by name."""
    return {"haproxy.cfg": HAPROXY.format(folder=folder, app=app, certificate=certificate, **ports)}
