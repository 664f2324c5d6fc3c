"""Attacks by fields that only a proxy may set: an app that believes them from any peer lets everybody be whoever they like."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from ipaddress import ip_network

from watchword.core.message import Request
from watchword.testing.attacks.outcome import NotTried
from watchword.testing.attacks.routes import Route
from watchword.testing.attacks.signing import Signed
from watchword.testing.attacks.trial import Trial

__all__ = [
    "addresses_in",
    "another_identity",
    "believed_addresses",
    "believed_identity",
    "believed_urls",
    "header_names_in",
]

IDENTITY = (
    "x-forwarded-user", "x-forwarded-email", "x-forwarded-preferred-username", "x-forwarded-groups", "x-remote-user", "remote-user",
    "x-user", "x-user-id", "x-userid", "x-user-name", "x-username", "x-user-email", "x-email", "x-auth-user", "x-auth-username",
    "x-auth-request-user", "x-auth-request-email", "x-authenticated-user", "x-authenticated-userid", "x-webauth-user", "x-consumer-username",
    "x-consumer-id", "x-consumer-custom-id", "x-credential-identifier", "x-authentik-username", "remote-email", "remote-name", "x-vouch-user",
    "x-goog-authenticated-user-email", "x-goog-authenticated-user-id", "x-ms-client-principal-name", "x-ms-client-principal-id",
    "cf-access-authenticated-user-email", "tailscale-user-login", "x-amzn-oidc-identity", "x-subject", "x-sub", "x-identity", "x-principal",
    "x-account", "x-account-id", "x-tenant", "x-tenant-id", "x-client-id", "x-client-cn", "x-client-dn", "x-gateway-user", "x-proxy-user",
    "x-api-user", "x-uid", "x-login", "x-caller", "x-actor", "x-impersonate-user", "impersonate-user", "x-on-behalf-of", "x-sso-user",
    "oidc-claim-sub", "oidc-claim-email", "x-token-subject", "x-jwt-claim-sub", "x-kubernetes-user",
)  # fmt: skip
"""Fields in which proxies say who asks."""
RIGHTS = (
    "x-role",
    "x-roles",
    "x-user-role",
    "x-user-roles",
    "x-scope",
    "x-scopes",
    "x-groups",
    "x-forwarded-roles",
    "x-admin",
    "x-is-admin",
    "remote-groups",
)
CERTIFICATE = (
    "x-ssl-client-verify", "ssl-client-verify", "x-client-verify", "x-ssl-client-s-dn", "ssl-client-s-dn", "x-ssl-client-cn", "x-client-cert",
    "x-ssl-client-cert", "client-cert", "x-forwarded-client-cert", "x-client-certificate-cn", "x-tls-client-subject",
)  # fmt: skip
"""Fields in which proxies show a client's certificate (RFC 9440)."""
ADDRESS = (
    "x-forwarded-for", "x-real-ip", "x-client-ip", "client-ip", "x-originating-ip", "x-remote-ip", "x-remote-addr", "x-cluster-client-ip",
    "true-client-ip", "cf-connecting-ip", "fastly-client-ip", "x-original-forwarded-for", "x-forwarded", "forwarded-for",
)  # fmt: skip
INSIDE = ("127.0.0.1", "::1", "localhost", "10.0.0.1", "192.168.1.1", "172.16.0.1")
TRUTHS = ("true", "1", "yes", "internal")
MARKER = "watchword-mallory"
"""A name that no app knows."""

NAME_IN_SOURCE = re.compile(
    r"""["'](?:HTTP_|http_)?((?:x|remote|client|forwarded|ssl|tls|cf|true|proxy|gateway|internal|oidc)[-_][A-Za-z0-9_-]{2,40})["']"""
    r"""|\b(x_[a-z0-9_]{2,40})\s*:""",
    re.IGNORECASE,
)
MOST_NAMES = 40
NETWORK_IN_SOURCE = re.compile(
    r"""(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?)(?![\d.])|["']([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:/\d{1,3})?)["']"""
)
MOST_NETWORKS = 20

PROXY = (
    "Believe such a field only from the proxy's address, and have the proxy remove what clients send: in watchword "
    "Policy(public_url=PublicURL(trusted=[…])); elsewhere compare the connection's peer with a list, never the field."
)
ANYBODY = "Any peer can send this field; no proxy stood between."


def header_names_in(source: str) -> list[str]:
    """The names of fields that an app's source mentions and that a proxy might set, in lower case with hyphens.

    >>> header_names_in('request.headers.get("X-Gateway-User"); environ["HTTP_X_TENANT"]')
    ['x-gateway-user', 'x-tenant']
    """
    found = (match[1] or match[2] for match in NAME_IN_SOURCE.finditer(source))
    names = dict.fromkeys(name.lower().replace("_", "-").removeprefix("http-") for name in found)
    return list(names)[:MOST_NAMES]


def addresses_in(source: str) -> list[str]:
    """One address of each network, and each address, that an app's source mentions.

    >>> addresses_in('INSIDE = ["172.18.0.0/16", "fd00::/8"]; EDGE = "198.51.100.17/32"')
    ['172.18.0.1', 'fd00::1', '198.51.100.17']
    """
    found: dict[str, None] = {}
    for match in NETWORK_IN_SOURCE.finditer(source):
        try:
            network = ip_network(match[1] or match[2], strict=False)
        except ValueError:
            continue
        if network.prefixlen and not network.is_unspecified:
            found[str(network[min(1, network.num_addresses - 1)])] = None
    return list(found)[:MOST_NETWORKS]


def believed_identity(trial: Trial) -> None:
    """Fields in which a proxy says who asks (X-Forwarded-User, Remote-User, a client's certificate …), from a peer that is no proxy."""
    trial.closed()
    for value in _names(trial):
        _together(trial, [(name, value) for name in IDENTITY], f"fields of a proxy that say that {value!r} asks")
        _together(
            trial, [(name.replace("-", "_"), value) for name in IDENTITY], f"the same with underscores, {value!r}"
        )
        rights = [(name, "admin") for name in RIGHTS]
        _together(trial, [*((name, value) for name in IDENTITY), *rights], f"the same with roles, {value!r}")
        principal = base64.b64encode(
            json.dumps({"userId": value, "userDetails": value, "userRoles": ["admin"]}).encode()
        ).decode()
        _together(
            trial,
            [("x-ms-client-principal", principal), ("x-ms-client-principal-name", value)],
            f"a principal of a platform, {value!r}",
        )
        subject = f"CN={value}"
        _together(
            trial,
            [(name, "SUCCESS" if "verify" in name else subject) for name in CERTIFICATE],
            f"a client's certificate of {value!r}",
        )
    for name in _mentioned(trial):
        for value in (*_names(trial), *TRUTHS):
            _together(trial, [(name, value)], f"{name}: {value}")


def _together(trial: Trial, lines: list[tuple[str, str]], tried: str) -> None:
    request, body = trial.plain(stranger=True)
    fields = [(name.encode(), value.encode("utf-8")) for name, value in lines]
    names = tuple(name for name, _ in fields)
    if len(fields) > 1 and _passes(trial, request.with_headers(fields), body):
        for field in fields:  # which of them it is
            trial.attempt(f"{field[0].decode()}: {field[1].decode()}", request.with_headers([field]), body, attack=(field[0],),
                          why=ANYBODY, write=PROXY)  # fmt: skip
    trial.attempt(tried, request.with_headers(fields), body, attack=names, why=ANYBODY, write=PROXY)


def _passes(trial: Trial, request: Request, body: bytes) -> bool:
    answer = trial.send(request, body)
    return trial.same_handler(answer) if trial.watched else trial.let_in(answer)


def _names(trial: Trial) -> list[str]:
    """Whom to be: the user of the genuine credentials if they say it, and usual names."""
    found: list[str] = []
    try:
        for _, signed, _ in trial.each_genuine():
            found += _subjects(signed)
    except NotTried:
        pass
    return list(dict.fromkeys([*found, "admin", "alice"]))


def _subjects(signed: Signed) -> Iterator[str]:
    token = signed.token
    if token is not None:
        claims = _claims(token)
        yield from (str(claims[name]) for name in ("sub", "preferred_username", "email") if name in claims)
    for value in signed.request.values(b"authorization"):
        word, _, rest = value.partition(b" ")
        if word.lower() == b"basic":
            try:
                yield base64.b64decode(rest).partition(b":")[0].decode()
            except ValueError:
                continue
        named = re.search(rb'username="([^"]+)"', rest)
        if named is not None:
            yield named[1].decode("latin-1")


def _claims(token: bytes) -> dict[str, object]:
    segment = token.split(b".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def _mentioned(trial: Trial) -> list[str]:
    known = {*IDENTITY, *CERTIFICATE, *ADDRESS}
    return [name for name in header_names_in(trial.target.source) if name not in known]


def believed_addresses(trial: Trial) -> None:
    """Fields in which a proxy says from where a request came (X-Forwarded-For: 127.0.0.1 …), from a peer that is no proxy."""
    trial.closed()
    inside = dict.fromkeys((*INSIDE, trial.credentials.peer, *addresses_in(trial.target.source)))
    for address in inside:
        for name in _address_fields(trial):
            _together(trial, [(name, address)], f"{name}: {address}")
        _together(trial, [("forwarded", f'for="{address}";proto=https;host=localhost')], f"Forwarded: for={address}")
    for name in ("x-forwarded-host", "x-host", "x-original-host", "x-forwarded-server"):
        for host in ("localhost", "127.0.0.1"):
            _together(trial, [(name, host), ("x-forwarded-proto", "https")], f"{name}: {host}")
    _from_elsewhere(trial)


def _address_fields(trial: Trial) -> list[str]:
    """The usual fields for an address, and those that the app's source mentions, whatever they are for."""
    return list(dict.fromkeys((*ADDRESS, *header_names_in(trial.target.source))))


def _from_elsewhere(trial: Trial) -> None:
    """Credentials that are good from one address only, from another one that claims to be it."""
    try:
        genuine = list(trial.each_genuine())
    except NotTried:
        return
    for way, _, _ in genuine:
        signed = trial.signed(way)
        if _passes(trial, signed.changed(peer=trial.stranger()).request, signed.body):
            continue  # they are good from everywhere
        for name in _address_fields(trial):
            signed = trial.signed(way)
            moved = signed.changed(peer=trial.stranger()).with_field(name.encode(), trial.credentials.peer.encode())
            trial.attempt(f"credentials that are good from {trial.credentials.peer} only, with {name}", moved.request, moved.body,
                          attack=(name.encode(),), why=ANYBODY, write=PROXY)  # fmt: skip


def believed_urls(trial: Trial) -> None:
    """Fields that put another path in the place of the one in the request line: X-Original-URL, X-Rewrite-URL, X-Forwarded-Prefix …"""
    if trial.route.is_websocket:
        raise NotTried("tried on HTTP routes only")
    trial.closed()
    path = trial.path
    others = [
        _path(trial, route)
        for route in trial.target.routes
        if trial.credentials.is_public(route) and not route.is_websocket
    ]
    for name in (
        "x-original-url",
        "x-rewrite-url",
        "x-original-uri",
        "x-forwarded-uri",
        "x-forwarded-path",
        "x-override-url",
        "x-http-path-override",
    ):
        for other in [*dict.fromkeys(others), "/", "/health"][:6]:
            outside, body = trial.plain(stranger=True)
            inside, _ = trial.plain(stranger=True)
            inside.target = other.encode("latin-1")
            trial.attempt(f"{other} with {name}: {path}", inside.with_headers([(name.encode(), path.encode("latin-1"))]), body,
                          attack=(name.encode(),), elsewhere=True, why=ANYBODY, write=PROXY)  # fmt: skip
            trial.attempt(f"{name}: {other}", outside.with_headers([(name.encode(), other.encode("latin-1"))]), body,
                          attack=(name.encode(),), why=ANYBODY, write=PROXY)  # fmt: skip
    for name, value in (
        ("x-forwarded-prefix", "/public"),
        ("x-script-name", path),
        ("x-middleware-subrequest", "middleware"),
    ):
        _together(trial, [(name, value)], f"{name}: {value}")


def _path(trial: Trial, route: Route) -> str:
    return route.example(trial.credentials.parameters)


def another_identity(trial: Trial) -> None:
    """Genuine credentials, and beside them a field that says that somebody else asks: the answer must not be for that other one."""
    names = [*IDENTITY, *_mentioned(trial)]
    for way, signed, _ in trial.each_genuine():
        own = {name.decode() for name in signed.fields}
        echoed = trial.signed(way).with_field(b"x-watchword-echo", MARKER.encode())
        if MARKER.encode() in trial.send(echoed.request, echoed.body).body:
            raise NotTried("the route gives back the fields of the request, whatever they are")
        fields = [(name.encode(), MARKER.encode()) for name in names if name not in own]
        fresh = trial.signed(way)
        answer = trial.send(fresh.request.with_headers(fields), fresh.body)
        trial.tried += 1
        if MARKER.encode() not in answer.body or not trial.let_in(answer):
            continue
        for field in fields:
            fresh = trial.signed(way)
            request = fresh.request.with_headers([field])
            answer = trial.send(request, fresh.body)
            if MARKER.encode() in answer.body and trial.let_in(answer):
                raise trial.hole(f"{field[0].decode()}: {MARKER} beside genuine credentials", request, fresh.body, answer, attack=(field[0],),
                                 why=f"The answer is for {MARKER!r}, whom the credentials don't name. {ANYBODY}", write=PROXY)  # fmt: skip
