#!/bin/sh
# Installs what tests/interop talks to, where it is missing: from Debian Apache, nginx, HAProxy, curl, wget, PHP, Chromium, Redis, PostgreSQL, pgbouncer and Node.js, from npm what package.json beside the tests names.
# The peers from PyPI are the dependency group "interop"; releases with a published hole, which
# tests/interop/test_vulnerable_peers.py attacks, get an environment each in .venv/peers, and are used for nothing else.
# Nothing is started; the tests start and stop their own.
set -eu

say() { printf '%s\n' "$*" >&2; }

# Servers live in /usr/sbin, which is not on every user's PATH.
PATH=$PATH:/usr/sbin:/sbin
export PATH

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need apache2 apache2
need nginx nginx-light
need haproxy haproxy
need curl curl
need wget wget
need node nodejs
need php php-cli
need npm npm
need chromium chromium
need redis-server redis-server
need pgbouncer pgbouncer
# Debian keeps the server's programs apart, in a folder for each of its versions.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"

if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        say "make interop: these are missing and there is no apt-get to install them:$missing"
        exit 1
    fi
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        say "make interop: these are missing:$missing"
        say "Installing them needs root. Run: sudo apt-get install --no-install-recommends$missing"
        exit 1
    fi
    say "installing$missing"
    # A package's own service must not start: the tests run their own, on ports of their own.
    # shellcheck disable=SC2086 -- words on purpose
    {
        $as_root apt-get update -qq
        $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qq -y --no-install-recommends $missing
    } >/dev/null
fi

wanted=$(cksum <tests/interop/package.json)
if [ "$(cat tests/interop/node_modules/made 2>/dev/null)" != "$wanted" ]; then
    say "installing the peers from npm into tests/interop/node_modules"
    npm_config_cache=${npm_config_cache:-$(pwd)/.venv/npm} npm install --prefix tests/interop \
        --no-package-lock --no-audit --no-fund --loglevel=error >/dev/null
    printf '%s\n' "$wanted" >tests/interop/node_modules/made
fi

# vulnerable DISTRIBUTION VERSION: an environment of its own, which is kept.
vulnerable() {
    folder=.venv/peers/$1-$2
    [ ! -e "$folder/made" ] || return 0
    say "installing $1 $2, which has a published hole, into $folder"
    rm -rf "$folder"
    .venv/bin/python -m venv --without-pip "$folder"
    .venv/bin/python -m pip -qq --disable-pip-version-check --no-input --python "$folder/bin/python" \
        install "$1==$2" cryptography
    : >"$folder/made"
}
vulnerable pyjwt 1.5.0        # CVE-2017-11424
vulnerable pyjwt 2.3.0        # CVE-2022-29217
vulnerable pyjwt 2.10.0       # CVE-2024-53861
vulnerable pyjwt 2.11.0       # CVE-2026-32597
vulnerable pyjwt 2.12.1       # GHSA-xgmm-8j9v-c9wx, GHSA-jq35-7prp-9v3f, GHSA-993g-76c3-p5m4
vulnerable python-jose 3.3.0  # CVE-2024-33663, CVE-2024-33664
vulnerable authlib 1.3.0      # CVE-2024-37568
vulnerable authlib 1.6.3      # CVE-2025-59420, CVE-2025-62706, CVE-2026-27962
vulnerable joserfc 1.3.4      # CVE-2025-65015
vulnerable flask-httpauth 4.8.0  # GHSA-p44q-vqpr-4xmg
