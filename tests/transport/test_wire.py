"""Fetches over real sockets: bad servers, certificates, time."""

from __future__ import annotations

import gzip
import socket
import threading
import time

import pytest

from tests.transport.origin import Origin, certificate, response
from watchword import ConfigurationError
from watchword.transport.get import Fault, FetchFailed, Get, Terms
from watchword.transport.wire import fetch, resolve

HERE = Terms(timeout=300, allow_cleartext=True, allow_private=True)
QUICK = HERE._replace(timeout=0.2)  # what is waited for never comes: a fetch that overlooks it hangs


def fault(url, terms=HERE, **options):
    with pytest.raises(FetchFailed) as caught:
        fetch(Get(url), terms, **options)
    return caught.value.fault


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_a_fetch_brings_status_fields_and_body():
    with Origin(lambda *_: response(b"[1]", ETag='"x"', Cache_Control="max-age=5")) as origin:
        answer = fetch(Get(origin.url("/keys?a=b")), HERE)
    assert (answer.status, answer.body, answer.field(b"etag"), answer.field(b"cache-control")) == (
        200,
        b"[1]",
        '"x"',
        "max-age=5",
    )
    path, fields = origin.seen[0]
    assert path == "/keys?a=b"
    assert fields["host"] == f"127.0.0.1:{origin.port}"
    assert fields["accept-encoding"] == "identity"
    assert not set(fields) & {"authorization", "cookie", "proxy-authorization"}


def test_a_condition_is_sent_and_not_modified_understood():
    def answer(path, fields, _):
        return response(status=304, content_length="") if fields.get("if-none-match") == '"x"' else response(b"new")

    with Origin(answer) as origin:
        assert fetch(Get(origin.url(), etag='"x"'), HERE).status == 304
        assert fetch(Get(origin.url(), etag='"y"'), HERE).body == b"new"


def test_bodies_come_in_chunks_compressed_or_until_the_end():
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[1\r\n1;x=y\r\n]\r\n0\r\n\r\n"
    for raw in (chunked, b"HTTP/1.0 200 OK\r\n\r\n[1]", response(gzip.compress(b"[1]"), content_encoding="gzip")):
        with Origin(lambda *_, raw=raw: raw) as origin:
            assert fetch(Get(origin.url()), HERE).body == b"[1]"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[1]",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3, 4\r\n\r\n[1]",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n[1]\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n[1]\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1]\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"1" * 100_000,
        b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 3\r\n\r\n[1]",
    ],
)
def test_what_is_not_http_or_ends_early_is_broken(raw):
    with Origin(lambda *_: raw) as origin:
        assert fault(origin.url()) is Fault.BROKEN


def test_nothing_listening_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert fault(f"http://127.0.0.1:{port}/") is Fault.UNREACHABLE


def test_the_second_address_serves_if_the_first_does_not():
    with Origin(lambda *_: response(b"[1]")) as origin:
        answer = fetch(Get(origin.url(host="keys.example")), HERE, resolver=lambda *_: ["127.0.0.2", "127.0.0.1"])
    assert answer.body == b"[1]"


@pytest.mark.parametrize("declared", [True, False])
def test_a_huge_body_is_not_read_to_its_end(declared):
    sent = []

    def answer(path, fields, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + (b"content-length: 100000000\r\n\r\n" if declared else b"\r\n"))
        for _ in range(1000):
            connection.sendall(bytes(100_000))
            sent.append(100_000)

    with Origin(answer) as origin:
        assert fault(origin.url(), HERE._replace(max_size=1000)) is Fault.TOO_LARGE
    assert sum(sent) < 50_000_000


def test_a_body_of_just_the_limit_is_read():
    with Origin(lambda *_: response(bytes(1000))) as origin:
        assert len(fetch(Get(origin.url()), HERE._replace(max_size=1000)).body) == 1000
        assert fault(origin.url(), HERE._replace(max_size=999)) is Fault.TOO_LARGE


def drip(prefix, octet):
    """A server that says `prefix` at once and then an octet now and then, until the client leaves."""

    def answer(path, fields, connection):
        connection.sendall(prefix)
        connection.settimeout(0.02)
        while True:
            try:
                connection.recv(1)
                return
            except TimeoutError:
                connection.sendall(octet)

    return answer


@pytest.mark.parametrize(
    ("prefix", "octet"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\nx: ", b"y"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n"),
    ],
)
def test_a_server_that_drips_is_left_at_the_deadline(prefix, octet):
    with Origin(drip(prefix, octet)) as origin:
        assert fault(origin.url(), QUICK) is Fault.TIMEOUT


def test_a_tls_handshake_that_never_ends_is_left_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert fault(f"https://127.0.0.1:{port}/", QUICK) is Fault.TIMEOUT


def test_a_handshake_dripped_octet_by_octet_is_left_at_the_deadline():
    def handle(listener):
        connection, _ = listener.accept()
        with connection:
            try:
                connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")  # the head of a record and of a message
                while True:
                    time.sleep(0.02)
                    connection.sendall(b"\0")
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=handle, args=(listener,))
        thread.start()
        assert fault(f"https://127.0.0.1:{listener.getsockname()[1]}/", QUICK) is Fault.TIMEOUT
        thread.join()


def test_redirects_share_one_deadline():
    def answer(path, fields, _):
        time.sleep(0.15)
        return response(status=302, location="/again")

    with Origin(answer) as origin:
        assert fault(origin.url(), QUICK._replace(redirects=100)) is Fault.TIMEOUT


def test_an_address_that_swallows_everything_leaves_time_for_the_next():
    with socket.socket() as full, Origin(lambda *_: response(b"[1]")) as origin:
        full.bind(("127.0.0.2", origin.port))
        full.listen(0)
        fillers = []
        for _ in range(3):  # the queue of a listener that never accepts: further connections get no answer
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            fillers.append(filler)
        try:
            terms = HERE._replace(timeout=4)  # half of it is lost on the first address
            answer = fetch(Get(origin.url(host="keys.example")), terms, resolver=lambda *_: ["127.0.0.2", "127.0.0.1"])
            assert answer.body == b"[1]"
        finally:
            for filler in fillers:
                filler.close()


# ---- certificates ------------------------------------------------------------------------------------------------------


def test_the_certificate_is_checked_for_the_name_and_the_name_is_sent(tmp_path):
    context, trusted = certificate(tmp_path, "keys.example")
    names = []
    context.sni_callback = lambda _, name, __: names.append(name)
    terms = HERE._replace(ca_file=trusted)
    with Origin(lambda *_: response(b"[1]"), context) as origin:
        answer = fetch(Get(origin.url(host="keys.example")), terms, resolver=lambda *_: ["127.0.0.1"])
        assert answer.body == b"[1]"
        assert names == ["keys.example"]
        assert origin.seen[0][1]["host"] == f"keys.example:{origin.port}"
        assert fault(origin.url(host="other.example"), terms, resolver=lambda *_: ["127.0.0.1"]) is Fault.TLS
        assert fault(origin.url(), terms) is Fault.TLS  # the address is no name of the certificate
    assert len(origin.seen) == 1


def test_an_untrusted_certificate_is_refused_whatever_else_is_allowed(tmp_path):
    context, _ = certificate(tmp_path, "keys.example")
    with Origin(lambda *_: response(b"[1]"), context) as origin:
        assert fault(origin.url(host="keys.example"), HERE, resolver=lambda *_: ["127.0.0.1"]) is Fault.TLS
    assert origin.seen == []


def test_https_to_a_server_without_tls_fails():
    with Origin(lambda *_: response(b"[1]")) as origin:
        assert fault(f"https://127.0.0.1:{origin.port}/", QUICK) in {Fault.TLS, Fault.TIMEOUT}


def test_a_file_without_certificates_is_a_mistake(tmp_path):
    (tmp_path / "empty.pem").write_text("none")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(ConfigurationError, match="ca_file"):
            fetch(Get("https://127.0.0.1/"), HERE._replace(ca_file=str(tmp_path / name)))


# ---- names -------------------------------------------------------------------------------------------------------------


def test_this_host_is_not_fetched_from_unasked():
    with Origin(lambda *_: response(b"[1]")) as origin:
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1"):
            url = f"http://{host}:{origin.port}/"
            assert fault(url, HERE._replace(allow_private=False)) in {Fault.PRIVATE_ADDRESS, Fault.UNRESOLVED}
    assert origin.connections == 0


def test_a_name_is_looked_up_once_for_a_fetch():
    asked = []

    def resolver(host, port):
        asked.append((host, port))
        return ["127.0.0.1"]

    with Origin(lambda *_: response(b"[1]")) as origin:
        fetch(Get(origin.url(host="keys.example")), HERE, resolver=resolver)
    assert asked == [("keys.example", origin.port)]


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64 + ".example", ".."])
def test_a_name_that_leads_nowhere_is_unresolved(host):
    with pytest.raises(FetchFailed) as caught:
        resolve(host, 443)
    assert caught.value.fault is Fault.UNRESOLVED


def test_the_environments_proxies_are_not_used(monkeypatch):
    with Origin(lambda *_: response(b"[1]")) as origin, Origin(lambda *_: response(b"proxy")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        assert fetch(Get(origin.url()), HERE).body == b"[1]"
    assert proxy.connections == 0
