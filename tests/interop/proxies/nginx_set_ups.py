"""What nginx is told, one `server {}` each."""

from __future__ import annotations

__all__ = ["NGINX", "SET_UPS"]

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
    "tls-h2": (f"location / {{{{ proxy_pass http://{{app}}; {KEEPS} {SETS} }}}}", ONE),
    "forwarded": (f"location / {{{{ proxy_pass http://{{app}}; {FORWARDED} }}}}", ONE),
    # Nothing but the address: nginx sends its own name of the application as Host.
    "plain": ("location / {{ proxy_pass http://{app}; }}", ALL),
    "http11": ("location / {{ proxy_pass http://{app}; proxy_http_version 1.1; }}", ONE),
    "host": ("location / {{ proxy_pass http://{app}; proxy_set_header Host $host; }}", ONE),
    "nohost": (
        """location / {{ proxy_pass http://{app}; proxy_set_header Host app.internal;
        proxy_set_header X-Forwarded-Host $http_host; }}""",
        ONE,
    ),
    "port": (
        """location / {{ proxy_pass http://{app}; proxy_set_header Host $host;
        proxy_set_header X-Forwarded-Port $server_port; }}""",
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
    "tls-two": (
        f"location / {{{{ proxy_pass http://{{inner}}; proxy_set_header Host outer.internal; {SETS} {FORWARDED} }}}}", ONE,
    ),
    "inner": (
        """proxy_bind 127.0.0.3; location / {{ proxy_pass http://{app}; proxy_set_header Host inner.internal;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header Forwarded '$http_forwarded, for=$remote_addr;proto=$scheme;host="$http_host"'; }}""",
        ONE,
    ),
}  # fmt: skip
