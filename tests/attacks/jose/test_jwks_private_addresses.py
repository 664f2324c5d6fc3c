"""Server-side request forgery by way of key sets: what an attacker names must not reach what only this host reaches."""

from __future__ import annotations

import pytest

from tests.stores.issuer import Issuer, new_key
from tests.transport.origin import Origin, certificate, response
from watchword.stores import RemoteKeySet
from watchword.transport import wire
from watchword.transport.get import Answer, Fault, FetchFailed, Get, Terms

PUBLIC = "93.184.215.14"


def fault(remote):
    with pytest.raises(FetchFailed) as caught:
        remote.refresh()
    return caught.value.fault


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0", "0x7f.1"])
def test_a_key_set_on_this_host_is_not_fetched(host):
    with Origin(lambda *_: response(b"{}")) as origin:
        remote = RemoteKeySet(f"http://{host}:{origin.port}/", allow_cleartext=True)
        assert fault(remote) in {Fault.PRIVATE_ADDRESS, Fault.UNRESOLVED}
        assert origin.connections == 0


def test_a_name_that_changes_its_address_between_check_and_use_gains_nothing():
    """DNS rebinding: the first answer is public, every later one is this host."""
    answers = iter([PUBLIC])
    lookups = []

    def rebinding(host, port):
        lookups.append(host)
        return [next(answers, "127.0.0.1")]

    with Origin(lambda *_: response(b"{}")) as origin:
        terms = Terms(timeout=0.3, allow_cleartext=True)
        with pytest.raises(FetchFailed) as caught:  # it goes to the public address, and nowhere else
            wire.fetch(Get(f"http://evil.example:{origin.port}/"), terms, resolver=rebinding)
        assert caught.value.fault in {Fault.TIMEOUT, Fault.UNREACHABLE}
        assert lookups == ["evil.example"]
        with pytest.raises(FetchFailed) as caught:
            wire.fetch(Get(f"http://evil.example:{origin.port}/"), terms, resolver=rebinding)
        assert caught.value.fault is Fault.PRIVATE_ADDRESS
        assert origin.connections == 0


def test_a_name_with_a_private_address_besides_a_public_one_is_refused():
    with Origin(lambda *_: response(b"{}")) as origin, pytest.raises(FetchFailed) as caught:
        wire.fetch(
            Get(f"http://evil.example:{origin.port}/"), Terms(allow_cleartext=True),
            resolver=lambda *_: [PUBLIC, "127.0.0.1"],
        )  # fmt: skip
    assert caught.value.fault is Fault.PRIVATE_ADDRESS


def test_a_redirect_is_not_followed():
    with Issuer(new_key("1")) as inside, Origin(lambda *_: response(status=302, location=inside.url())) as origin:
        remote = RemoteKeySet(origin.url(), allow_cleartext=True, allow_private=True)
        assert fault(remote) is Fault.REDIRECTED
        assert inside.connections == 0


def test_an_allowed_redirect_to_a_private_address_is_refused(tmp_path):
    context, trusted = certificate(tmp_path, "keys.example")
    terms = Terms(redirects=3, ca_file=trusted, allow_private=True)
    with Origin(lambda *_: response(b"{}")) as inside:
        with (
            Origin(lambda *_: response(status=302, location=inside.url()), context) as origin,
            pytest.raises(FetchFailed) as caught,
        ):
            wire.fetch(Get(origin.url(host="keys.example")), terms, resolver=lambda *_: ["127.0.0.1"])
        assert caught.value.fault is Fault.REDIRECTED  # out of https
        assert inside.connections == 0


def test_metadata_that_names_a_private_key_set_leads_nowhere():
    """The metadata may be public and genuine and still name what is inside: its URL is judged like any other."""
    issuer = "https://id.example"
    asked, named = [], []

    def fetch(get, terms):
        if "well-known" in get.url:
            return Answer(200, (), b'{"issuer":"https://id.example","jwks_uri":"%s"}' % named[-1])
        asked.append(get.url)
        return wire.fetch(get, terms)

    with Origin(lambda *_: response(b"{}")) as origin:
        for target, expected in (
            (f"https://127.0.0.1:{origin.port}/".encode(), Fault.PRIVATE_ADDRESS),
            (origin.url().encode(), Fault.REFUSED_URL),
            (b"file:///etc/passwd", Fault.REFUSED_URL),
            (b"https://169.254.169.254/latest/meta-data/", Fault.PRIVATE_ADDRESS),
        ):
            named.append(target)
            assert fault(RemoteKeySet(issuer=issuer, fetch=fetch)) is expected
        assert origin.connections == 0
    assert len(asked) == 4
