"""`watchword.dropin.install`: another package's `import jwt` finds the drop-in, if the application says so first."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

from watchword import ConfigurationError
from watchword.dropin import install, uninstall
from watchword.dropin import jwt as dropin
from watchword.dropin import requests_oauthlib


def of(library: str) -> list[str]:
    """The names of a library's modules that are imported."""
    return [name for name in sys.modules if name == library or name.startswith(f"{library}.")]


@pytest.fixture(autouse=True)
def without_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not imported them; put back at the end."""
    for name in of("jwt") + of("jose") + of("requests_oauthlib"):
        monkeypatch.delitem(sys.modules, name)


def test_an_import_finds_the_drop_in_and_its_submodules_until_it_is_uninstalled() -> None:
    install("jwt")
    install("jwt")  # again: nothing changes
    try:
        assert importlib.import_module("jwt") is dropin
        assert importlib.import_module("jwt.algorithms") is dropin.algorithms
        assert importlib.import_module("jwt.exceptions").DecodeError is dropin.DecodeError
        assert importlib.import_module("jwt._keys") is importlib.import_module("watchword.dropin.jwt._keys")
    finally:
        uninstall("jwt")
    assert not of("jwt")
    uninstall("jwt")


def test_packages_within_the_package_are_the_drop_in_s_too() -> None:
    install("requests_oauthlib")
    try:
        assert importlib.import_module("requests_oauthlib").OAuth2Session is requests_oauthlib.OAuth2Session
        fixes = importlib.import_module("requests_oauthlib.compliance_fixes.slack")
        assert fixes is importlib.import_module("watchword.dropin.requests_oauthlib.compliance_fixes.slack")
        session = importlib.import_module("requests_oauthlib.oauth1_session")
        assert session.TokenRequestDenied.__module__ == "watchword.dropin.requests_oauthlib.oauth1_session"
    finally:
        uninstall("requests_oauthlib")
    assert not of("requests_oauthlib")


def test_packages_inside_a_library_are_found_too() -> None:
    install("jose")
    try:
        backend = importlib.import_module("jose.backends.cryptography_backend")
        assert backend.CryptographyRSAKey is importlib.import_module("watchword.dropin.jose.backends").RSAKey
        for name in ("jwt", "jws", "jwe", "jwk", "exceptions", "constants", "utils", "backends.base"):
            assert importlib.import_module(f"jose.{name}") is importlib.import_module(f"watchword.dropin.jose.{name}")
    finally:
        uninstall("jose")
    assert not of("jose")


@pytest.mark.parametrize("loaded", ["jwt", "jwt.api_jwt"])
def test_it_is_refused_where_the_library_is_imported_already(loaded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = ModuleType(loaded)
    monkeypatch.setitem(sys.modules, loaded, original)
    with pytest.raises(ConfigurationError, match=r"install\('jwt'\) first"):
        install("jwt")
    assert {name: module for name, module in sys.modules.items() if name.startswith("jwt")} == {loaded: original}


@pytest.mark.parametrize("name", ["jwcrypto", "", "jwt.api_jwt", "os"])
@pytest.mark.parametrize("call", [install, uninstall])
def test_there_is_a_drop_in_for_the_libraries_that_are_listed(name: str, call) -> None:
    with pytest.raises(ConfigurationError, match="one of jwt"):
        call(name)


def test_flask_httpauth_has_a_drop_in_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "flask_httpauth"]:
        monkeypatch.delitem(sys.modules, name)
    install("flask_httpauth")
    try:
        assert importlib.import_module("flask_httpauth") is importlib.import_module("watchword.dropin.flask_httpauth")
    finally:
        uninstall("flask_httpauth")
    assert "flask_httpauth" not in sys.modules


def test_importing_watchword_and_its_drop_ins_installs_nothing() -> None:
    program = (
        "import sys, watchword, watchword.dropin.jwt, watchword.dropin.requests_oauthlib, watchword.dropin.jose.jwe; "
        "sys.exit(not {'jwt', 'jose', 'requests_oauthlib', 'oauthlib'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
