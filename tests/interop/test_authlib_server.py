"""`OAuth2Auth` against Authlib's authorization server for Flask, over sockets: every grant that both have."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant, DeviceCredentialMixin
from flask import Flask, jsonify
from werkzeug.serving import make_server

from tests.oauth_world import browse
from watchword import AuthorizationCode, ClientCredentials, ClientSecret, CredentialsUnavailable, Device, OAuth2Auth
from watchword.clients.direct import perform
from watchword.oauth.token_response import TokenRefused

CALLBACK = "http://127.0.0.1:1/callback"
NAME, SECRET = "shop d:1", "a+b c%ü"  # what has to be encoded inside Basic


class Client(ClientMixin):
    def get_client_id(self):
        return NAME

    def get_default_redirect_uri(self):
        return CALLBACK

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri == CALLBACK

    def check_client_secret(self, client_secret):
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method, endpoint):
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return True


class Kept(dict):
    """What the server remembers of a code or a token, as Authlib asks for it."""

    def __getattr__(self, name):
        return self.get(name)

    def get_redirect_uri(self):
        return self["redirect_uri"]

    def get_scope(self):
        return self["scope"]

    def get_expires_in(self):
        return self["expires_in"]

    def check_client(self, client):
        return True

    def is_expired(self):
        return False

    def is_revoked(self):
        return bool(self.get("revoked"))


class Shown(DeviceCredentialMixin, dict):
    def get_client_id(self):
        return self["client_id"]

    def get_scope(self):
        return self["scope"]

    def get_user_code(self):
        return self["user_code"]

    def is_expired(self):
        return False


def server_of(app: Flask) -> dict[str, Any]:
    codes: dict[str, Kept] = {}
    devices: dict[str, Shown] = {}
    tokens: list[Kept] = []
    methods = ["client_secret_basic", "client_secret_post"]

    class ByCode(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = methods

        def save_authorization_code(self, code, request):
            asked = request.payload
            codes[code] = Kept(code=code, redirect_uri=asked.redirect_uri, scope=asked.scope or "", **{
                name: asked.data.get(name) for name in ("code_challenge", "code_challenge_method")
            })  # fmt: skip

        def query_authorization_code(self, code, client):
            return codes.get(code)

        def delete_authorization_code(self, authorization_code):
            del codes[authorization_code["code"]]

        def authenticate_user(self, authorization_code):
            return "alice"

    class ByRefreshToken(grants.RefreshTokenGrant):
        INCLUDE_NEW_REFRESH_TOKEN = True
        TOKEN_ENDPOINT_AUTH_METHODS = methods

        def authenticate_refresh_token(self, refresh_token):
            return next((each for each in tokens if each.refresh_token == refresh_token and not each.revoked), None)

        def authenticate_user(self, refresh_token):
            return "alice"

        def revoke_old_credential(self, refresh_token):
            refresh_token["revoked"] = True

    class Revocation(RevocationEndpoint):
        def query_token(self, token_string, token_type_hint):
            return next((each for each in tokens if token_string in (each.refresh_token, each.access_token)), None)

        def revoke_token(self, token, request):
            token["revoked"] = True

    class DeviceAuthorization(DeviceAuthorizationEndpoint):
        INTERVAL = 1

        def get_verification_uri(self):
            return "http://127.0.0.1/activate"

        def save_device_credential(self, client_id, scope, data):
            devices[data["device_code"]] = Shown(client_id=client_id, scope=scope, asked=0, **data)

    class ByDevice(DeviceCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = methods

        def query_device_credential(self, device_code):
            return devices.get(device_code)

        def query_user_grant(self, user_code):
            found = next(each for each in devices.values() if each["user_code"] == user_code)
            found["asked"] += 1
            return None if found["asked"] == 1 else ("alice", True)

        def should_slow_down(self, credential):
            return False

    client = Client()
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: client if client_id == NAME else None,
        save_token=lambda token, request: tokens.append(Kept(token)),
    )
    server.register_grant(ByCode, [CodeChallenge(required=True)])
    for grant in (ByRefreshToken, grants.ClientCredentialsGrant, ByDevice):
        server.register_grant(grant)
    for endpoint in (Revocation, DeviceAuthorization):
        server.register_endpoint(endpoint)

    @app.route("/authorize")
    def authorize():
        return server.create_authorization_response(
            grant_user="alice", grant=server.get_consent_grant(end_user="alice")
        )

    app.route("/token", methods=["POST"], endpoint="token")(lambda: server.create_token_response())  # noqa: PLW0108 -- named by Flask
    for path, name in (("/revoke", "revocation"), ("/device", "device_authorization")):
        app.route(path, methods=["POST"], endpoint=name)(lambda name=name: server.create_endpoint_response(name))
    return {"tokens": tokens}


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The server's URL as `url`, and the tokens that it knows."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Flask(__name__)
    app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
    known = server_of(app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"

    @app.route("/.well-known/oauth-authorization-server")
    def metadata():
        return jsonify(
            issuer=url, authorization_endpoint=f"{url}/authorize", token_endpoint=f"{url}/token", revocation_endpoint=f"{url}/revoke",
            device_authorization_endpoint=f"{url}/device", code_challenge_methods_supported=["S256"],
        )  # fmt: skip

    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield {"url": url, **known}
    server.shutdown()
    thread.join()
    server.server_close()


def auth_of(peer: dict[str, Any], grant: Any, secret: str = SECRET, **options: Any) -> OAuth2Auth:
    return OAuth2Auth(issuer=peer["url"], client=ClientSecret(NAME, secret, **options), grant=grant, scope=["read"])


def logged_in(peer: dict[str, Any]) -> OAuth2Auth:
    auth = auth_of(peer, AuthorizationCode(CALLBACK))
    login = perform(auth.begin_login())
    perform(auth.finish_login(login, browse(login.url)))
    return auth


def test_a_code_with_pkce_and_refresh_tokens_that_rotate(peer: dict[str, Any]) -> None:
    auth = logged_in(peer)
    seen = set()
    for _ in range(3):
        token = perform(auth.log_in())
        assert token.scopes == ("read",)
        seen.add(token.refresh)
    assert len(seen) == 3


def test_a_token_that_is_given_back_is_good_no_more(peer: dict[str, Any]) -> None:
    auth = logged_in(peer)
    perform(auth.revoke())
    assert [each.revoked for each in peer["tokens"]] == [True]


def test_a_log_in_that_was_ended_there_says_so(peer: dict[str, Any]) -> None:
    auth = logged_in(peer)
    peer["tokens"][0]["revoked"] = True
    with pytest.raises(CredentialsUnavailable, match="log in again"):
        perform(auth.log_in())


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_client_proves_itself_in_either_way(peer: dict[str, Any], method: str) -> None:
    auth = auth_of(peer, AuthorizationCode(CALLBACK), method=method)
    login = perform(auth.begin_login())
    assert perform(auth.finish_login(login, browse(login.url))).token.scopes == ("read",)


def test_client_credentials(peer: dict[str, Any]) -> None:
    assert perform(auth_of(peer, ClientCredentials()).log_in()).refresh is None


def test_a_device(peer: dict[str, Any]) -> None:
    shown: list[str] = []
    token = perform(auth_of(peer, Device()).log_in(), ask=lambda ask: shown.append(ask.code) or "")
    assert token.scopes == ("read",)
    assert len(shown) == 1


def test_a_wrong_secret_is_named(peer: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused, match="invalid_client"):
        perform(auth_of(peer, ClientCredentials(), "a guess").log_in())
