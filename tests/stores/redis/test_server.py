"""Where the server is, what is demanded of it, and what is not told of it."""

from __future__ import annotations

import asyncio
import os
import pickle
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.stores.faces import Called, Hidden, Note
from tests.stores.redis.proxy import Proxy
from tests.valkey import Server, new_prefix, shared
from watchword import ConfigurationError, StoreUnavailable
from watchword.core.records import COMMITTED, Add, After, Counter, Once, Put, Ref, Replayed, Take, TakeBack
from watchword.stores import AsyncRedisStore, RedisStore
from watchword.stores.redis.async_connections import _is_dead

Make = Callable[..., Called]


def once(*key: str) -> Once:
    return Once(key, time.time() + 300)


def end_connections(server: Server, store: Called) -> None:
    """Returns once an event loop, if there is one, has heard of it; others look for themselves."""
    server.say("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    if isinstance(store.store, AsyncRedisStore):
        for connection in tuple(store.store._pools[os.getpid()].connections._idle):
            while not store.wait(_is_dead(connection)):
                store.wait(asyncio.sleep(0.01))


# ---- what is demanded ----


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
def test_a_server_that_may_drop_marks_is_refused_on_every_new_connection(
    make: Make, server: Server, policy: str
) -> None:
    store = make(url=server.url)
    assert store.commit(once("while it was well")) == COMMITTED
    server.say("CONFIG", "SET", "maxmemory-policy", policy)
    end_connections(server, store)
    for verb in (store.check, lambda: store.commit(once("mark")), lambda: store.get(Note, "n")):
        with pytest.raises(ConfigurationError, match=f"maxmemory-policy {policy}.*set maxmemory-policy noeviction"):
            verb()
    server.say("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert store.commit(once("mark")) == COMMITTED


def test_a_replica_is_not_asked(make: Make, server: Server) -> None:
    server.say("REPLICAOF", "127.0.0.1", str(shared().port))
    with pytest.raises(StoreUnavailable, match="replica"):
        make(url=server.url).check()


def test_a_server_that_forgets_when_it_is_killed_is_used_and_said_aloud_once(
    make: Make, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    store = make(url=f"redis://:@127.0.0.1:{server.port}")
    store.check()
    assert not caplog.records
    server.say("CONFIG", "SET", "appendonly", "no")
    end_connections(server, store)
    store.check()
    end_connections(server, store)
    store.check()
    assert [record.getMessage() for record in caplog.records] == [
        f"redis://127.0.0.1:{server.port}/0 keeps no append-only file: what was used once is accepted again when it restarts (appendonly yes)"
    ]


ALLOWED = (
    "-@all +info +time +get +pttl +set +del +mget +hget +hset +hdel +zadd +zrem +zcard +zrange +zrevrange +zrangebyscore "
    "+eval +evalsha +scan"
)
"""What `docs/reference/stores.md` says."""


def test_a_user_of_the_server_with_few_rights_does(make: Make, server: Server) -> None:
    assert server.say("ACL", "SETUSER", "watchword", "on", ">open-sesame", "~ww:*", *ALLOWED.split()) == b"+OK\r\n"
    address = f"127.0.0.1:{server.port}"
    store = make(url=f"redis://watchword:open-sesame@{address}", prefix="ww:", max_counters=128)
    end = time.time() + 300
    place: Ref[Any] = Ref(Note, ("n",))
    for writes in (
        [once("mark"), Put(place, Note("n")), Add(("short",), 3, end, 9)],
        [Add(("long",), 1, end, 2, After(("short",), 3)), Put(Ref(Hidden, ("h",)), Hidden("s"), until=end)],
        [Add((str(number),), 1, end, 9) for number in range(140)],
        [TakeBack(("mark",)), Add(("short",), -3, end, 9), Add(("past",), 1, time.time() - 9)],
        [Add(("past",), 1, end)],
    ):
        assert store.commit(*writes) == COMMITTED
    assert store.get(Counter, "long").value == 1
    assert store.get(Hidden, "h") == Hidden("s")
    assert not store.is_used(once("mark"))
    assert store.records(Note) == [(("n",), Note("n"))]
    assert store.commit(Take(place)) == COMMITTED
    with pytest.raises(StoreUnavailable):
        make(url=f"redis://watchword:open-sesame@{address}", prefix="other:").commit(once("mark"))
    with pytest.raises(StoreUnavailable):
        make(url=f"redis://watchword:wrong@{address}", prefix="ww:").check()


def test_the_page_of_stores_names_the_rights_that_a_user_needs() -> None:
    page = Path("docs/reference/stores.md").read_text()
    assert " ".join(ALLOWED.split()) in " ".join(page.split())


# ---- TLS ----


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """For localhost, and the key that it is signed with by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


DAY = timedelta(days=1)


def test_tls_verifies_the_server_and_its_name(make: Make, certificate: tuple[Path, Path]) -> None:
    public, private = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    with Proxy(shared().socket, context) as proxy:
        store = make(url=f"rediss://localhost:{proxy.port}", ca=public)
        mark = once("mark")
        assert store.commit(mark) == COMMITTED
        assert store.commit(mark) == Replayed(mark)
        for url, ca in ((f"rediss://localhost:{proxy.port}", None), (f"rediss://127.0.0.1:{proxy.port}", public)):
            with pytest.raises(StoreUnavailable):
                make(url=url, ca=ca).check()
        store.close()


def test_a_server_that_asks_for_a_certificate_gets_one(make: Make, certificate: tuple[Path, Path]) -> None:
    public, private = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(public)
    with Proxy(shared().socket, context) as proxy:
        url = f"rediss://localhost:{proxy.port}"
        with pytest.raises(StoreUnavailable):
            make(url=url, ca=public, timeout=2).check()
        store = make(url=url, ca=public, certificate=public, key=private)
        assert store.check() is None
        store.close()


# ---- URLs and other arguments ----

WRONG = [
    ({"url": "postgresql://h/d"}, r"begins with redis://, rediss:// \(TLS\) or unix://"),
    ({"url": "redis://"}, "names a host"),
    ({"url": "redis://h:port"}, "no URL of a Redis server"),
    ({"url": "redis://h/name"}, "number of the database"),
    ({"url": "redis://h?ssl_cert_reqs=none"}, "has no query"),
    ({"url": "unix://h/s"}, "names a host"),
    ({"url": None}, "is a text"),
    ({"url": "redis://h", "ca": "ca.pem"}, "rediss:// instead of redis://"),
    ({"url": "rediss://h", "ca": "/nowhere/ca.pem"}, "there is no file /nowhere/ca.pem"),
    ({"timeout": 0}, "timeout=0"),
    ({"max_connections": 0}, "max_connections=0"),
    ({"max_counters": 0}, "max_counters=0"),
    ({"prefix": ""}, "printable ASCII"),
    ({"prefix": "ü"}, "printable ASCII"),
    ({"prefix": "x" * 65}, "printable ASCII"),
    ({"secrets": "text"}, "as bytes, not str"),
    ({"secrets": b"short"}, "32 octets or more"),
]


@pytest.mark.parametrize(("fault", "words"), WRONG)
@pytest.mark.parametrize("kind", [RedisStore, AsyncRedisStore])
def test_arguments_that_cannot_be_are_configuration_errors(kind: Any, fault: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        kind(**{"url": "redis://h", **fault})


@pytest.mark.parametrize("url", [
    "redis://u:open-sesame@h:port", "redis://u:open-sesame@h/x", "redis://u:open-sesame@[h", "rediss://u:open-sesame@h?x=y",
    "https://u:open-sesame@h",
])  # fmt: skip
def test_no_error_and_no_repr_repeats_a_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RedisStore(url)
    assert "sesame" not in str(caught.value)
    assert repr(RedisStore("redis://:open-sesame@[::1]")) == "RedisStore('redis://[::1]:6379/0')"
    store = RedisStore("redis://u:open-sesame@127.0.0.1:1/3", timeout=1)
    assert repr(store) == "RedisStore('redis://127.0.0.1:1/3')"
    with pytest.raises(StoreUnavailable) as failed:
        store.check()
    assert "sesame" not in f"{failed.value!r} {failed.value}"


def test_a_store_is_not_pickled_with_its_password() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(RedisStore("redis://u:open-sesame@127.0.0.1"))


def test_a_database_of_its_number_is_another_one(make: Make, server: Server) -> None:
    prefix = new_prefix()
    first, other = (make(url=f"redis://127.0.0.1:{server.port}/{number}", prefix=prefix) for number in (0, 1))
    mark = once("mark")
    assert [first.commit(mark), other.commit(mark), first.commit(mark)] == [COMMITTED, COMMITTED, Replayed(mark)]


# ---- prefixes and secrets ----


def test_stores_of_one_prefix_share_what_they_remember_and_no_others(make: Make) -> None:
    prefix, mark = new_prefix(), once("mark")
    first, second, other = make(prefix=prefix), make(prefix=prefix), make()
    assert first.commit(mark) == COMMITTED
    assert second.commit(mark) == Replayed(mark)
    assert other.commit(mark) == COMMITTED


def test_secrets_lie_sealed_and_only_stores_with_the_key_read_them(make: Make, server: Server) -> None:
    place: Ref[Any] = Ref(Hidden, ("h",))
    store = make(url=server.url, prefix="p:", secrets=bytes(range(32)))
    store.commit(Put(place, Hidden("tr0ub4dor")))
    assert store.get(Hidden, "h") == Hidden("tr0ub4dor")
    assert b"tr0ub4dor" not in server.say("GET", 'p:r:Hidden:["h"]')
    with pytest.raises(ConfigurationError, match="not the key"):
        make(url=server.url, prefix="p:", secrets=bytes(32)).get(Hidden, "h")
    with pytest.raises(ConfigurationError, match="give the store the key"):
        make(url=server.url, prefix="p:", secrets=None).get(Hidden, "h")
    server.say("COPY", 'p:r:Hidden:["h"]', 'p:r:Hidden:["moved"]')
    with pytest.raises(StoreUnavailable, match="does not open"):
        store.get(Hidden, "moved")


def test_a_secret_without_a_key_is_refused_with_what_to_do(make: Make) -> None:
    store = make(secrets=None)
    with pytest.raises(ConfigurationError, match="secrets=…"):
        store.commit(Put(Ref(Hidden, ("h",)), Hidden("s")), once("mark"))
    assert store.commit(once("mark")) == COMMITTED
    clear = make(secrets=None, allow_plaintext_secrets=True)
    clear.commit(Put(Ref(Hidden, ("h",)), Hidden("s")))
    assert clear.get(Hidden, "h") == Hidden("s")
