#!/bin/sh
# Installs what tests/interop talks to, where it is missing: from Debian Apache, nginx, curl, wget and Node.js, from npm jose.
# The peers from PyPI are the dependency group "interop". Nothing is started; the tests start and stop their own.
set -eu

say() { printf '%s\n' "$*" >&2; }

# Servers live in /usr/sbin, which is not on every user's PATH.
PATH=$PATH:/usr/sbin:/sbin
export PATH

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need apache2 apache2
need nginx nginx-light
need curl curl
need wget wget
need node nodejs
need npm npm

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

if [ ! -e tests/interop/node_modules/jose/package.json ]; then
    say "installing jose from npm into tests/interop/node_modules"
    npm_config_cache=${npm_config_cache:-$(pwd)/.venv/npm} npm install --prefix tests/interop \
        --no-package-lock --no-audit --no-fund --loglevel=error >/dev/null
fi
