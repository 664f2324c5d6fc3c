"""Real peers on loopback, on ports of their own, each ended by its own process id. A missing peer is a failure."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def program(name: str) -> str:
    """Where a peer's program is; fails, never skips."""
    path = shutil.which(name, path=SEARCH)
    if path is None:
        pytest.fail(f"{name} is not installed: run `make interop`, which installs it")
    return path


def free_port() -> int:
    """A port that was free a moment ago; for servers that can't be told to choose one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], **options) -> Iterator[subprocess.Popen[str]]:
    """The process, ended by its id with everything that it started."""
    process = subprocess.Popen(command, text=True, start_new_session=True, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.stdout:
            process.stdout.close()


@contextmanager
def listening(command: Callable[[int], list[str]], log: Path, **options) -> Iterator[int]:
    """A server that must be told its port: tried on another one if somebody else was faster."""
    for _ in range(5):
        port = free_port()
        with log.open("a") as errors, running(command(port), stdout=errors, stderr=errors, **options) as process:
            until = time.monotonic() + PATIENCE
            while process.poll() is None and time.monotonic() < until:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                except OSError:
                    time.sleep(0.02)
                else:
                    yield port
                    return
            if process.poll() is None:
                break
    pytest.fail(f"{command(0)[0]} does not listen:\n{log.read_text()}")


@contextmanager
def first_line(command: list[str]) -> Iterator[str]:
    """A server that prints one line when it listens."""
    with running(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            pytest.fail(f"{' '.join(command)} ended with status {process.wait(PATIENCE)} before it listened")
        yield line


@pytest.fixture(scope="session")
def api():
    """`examples.api`, and what it says of itself."""
    with first_line([sys.executable, "-m", "examples.api", "--port", "0", "--json"]) as line:
        yield json.loads(line)


@pytest.fixture(scope="session")
def flask_url():
    """Flask-HTTPAuth."""
    with first_line([sys.executable, str(PEERS / "flask_digest.py")]) as line:
        yield f"http://127.0.0.1:{int(line)}"


@pytest.fixture(scope="session")
def public_folder():
    """A folder that a server which gave up root can read."""
    folder = Path(tempfile.mkdtemp(prefix="watchword-interop-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


APACHE = """\
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.log
DefaultRuntimeDir {folder}
Mutex file:{folder}
User www-data
Group www-data
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authn_file_module {modules}/mod_authn_file.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule auth_basic_module {modules}/mod_auth_basic.so
LoadModule auth_digest_module {modules}/mod_auth_digest.so
StartServers 1
DocumentRoot {folder}/www
<Location "/digest">
    Require valid-user
    AuthName "apache realm"
    AuthUserFile {folder}/users
    AuthType Digest
    AuthDigestProvider file
    AuthDigestDomain /digest
</Location>
<Location "/basic">
    Require valid-user
    AuthName "apache realm"
    AuthType Basic
    AuthBasicProvider file
    AuthUserFile {folder}/passwords
</Location>
"""


@pytest.fixture(scope="session")
def apache_url(public_folder):
    """Apache httpd with mod_auth_digest and mod_auth_basic, in the foreground."""
    from hashlib import md5, sha1
    from base64 import b64encode

    folder = public_folder / "apache"
    www = folder / "www"
    www.mkdir(parents=True)
    for name in ("digest", "basic"):
        (www / name).write_text("hello from apache\n")
    (folder / "users").write_text(f"alice:apache realm:{md5(b'alice:apache realm:open sesame').hexdigest()}\n")
    (folder / "passwords").write_text("alice:{SHA}" + b64encode(sha1(b"open sesame").digest()).decode() + "\n")
    apache = program("apache2")
    modules = next(
        (path for path in map(Path, ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules")) if path.is_dir()), None
    )
    if modules is None:
        pytest.fail("Apache's modules are not installed: run `make interop`")

    def command(port: int) -> list[str]:
        (folder / "apache.conf").write_text(APACHE.format(folder=folder, port=port, modules=modules))
        return [apache, "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"]

    with listening(command, folder / "out.log") as port:
        yield f"http://127.0.0.1:{port}"


NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            auth_basic "nginx realm";
            auth_basic_user_file {folder}/passwords;
            root {folder}/www;
        }}
    }}
}}
"""


@pytest.fixture(scope="session")
def nginx_url(public_folder):
    """nginx with auth_basic, one process in the foreground."""
    from base64 import b64encode
    from hashlib import sha1

    folder = public_folder / "nginx"
    (folder / "www").mkdir(parents=True)
    (folder / "www" / "basic").write_text("hello from nginx\n")
    (folder / "passwords").write_text("alice:{SHA}" + b64encode(sha1("open sésame".encode()).digest()).decode() + "\n")
    nginx = program("nginx")

    def command(port: int) -> list[str]:
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
        return [nginx, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]

    with listening(command, folder / "out.log") as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def curl():
    """Runs curl; gives (status, body)."""
    path = program("curl")

    def run(*arguments: str) -> tuple[int, str]:
        command = [
            path,
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--max-time",
            "20",
            "--write-out",
            "\n%{http_code}",
        ]
        answer = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)
        body, _, status = answer.stdout.rpartition("\n")
        return int(status), body

    return run


@pytest.fixture(scope="session")
def wget():
    """Runs wget; gives (exit status, body): 0 is a 2xx, 6 is a refused authentication."""
    path = program("wget")

    def run(*arguments: str) -> tuple[int, str]:
        command = [path, "--quiet", "--no-proxy", "--tries=1", "--timeout=20", "--output-document=-"]
        answer = subprocess.run([*command, *arguments], check=False, capture_output=True, text=True)
        return answer.returncode, answer.stdout

    return run


@pytest.fixture(scope="session")
def jose():
    """Asks jose (npm): a function from a request to an answer, see peers/jose.mjs."""
    node = program("node")
    if not (PEERS.parent / "node_modules" / "jose").is_dir():
        pytest.fail("jose is not installed: run `make interop`, which installs it from npm")

    def ask(**asked: object) -> dict:
        answer = subprocess.run(
            [node, str(PEERS / "jose.mjs")], input=json.dumps(asked), check=True, capture_output=True, text=True
        )
        return json.loads(answer.stdout)

    return ask
