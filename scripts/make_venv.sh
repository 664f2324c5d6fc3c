#!/bin/sh
# Makes .venv, or brings it up to date: sh scripts/make_venv.sh PYTHON GROUP…
#
# It is made anew when another Python version, another place or a missing interpreter says that the old one is not ours.
# watchword (editable, all extras) and the dependency groups of pyproject.toml named on the command line are installed;
# what is up to date is left alone, which takes a tenth of a second. Nothing is written outside .venv.
set -eu

python=$1
shift
venv=.venv

say() { printf '%s\n' "$*" >&2; }

if ! command -v "$python" >/dev/null 2>&1; then
    say "make: $python is not there. Install Python 3.11 or newer, or name yours: make PYTHON=/path/to/python3.12"
    exit 1
fi
version=$("$python" -c 'import platform, sys; print(sys.implementation.name, platform.python_version())') || {
    say "make: $python does not run. Name another: make PYTHON=/path/to/python3.12"
    exit 1
}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "make: watchword needs Python 3.11 or newer, and $python is $version. Name another: make PYTHON=/path/to/python3.12"
    exit 1
fi

made="$version in $(pwd)"
if [ "$(cat "$venv/made" 2>/dev/null)" != "$made" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then
    if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        say "make: $python has no venv. On Debian and Ubuntu: apt install python3-venv"
        exit 1
    fi
    say "making $venv with $version"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

# A cache in .venv would be copied into every clone of a machine image and help nobody; a read-only HOME has none.
PIP_DISABLE_PIP_VERSION_CHECK=1
PIP_NO_INPUT=1
export PIP_DISABLE_PIP_VERSION_CHECK PIP_NO_INPUT
pip() { "$venv/bin/python" -m pip -qq "$@"; }

wanted=$(cksum <pyproject.toml)
if [ "$(cat "$venv/made" 2>/dev/null)" != "$made" ]; then
    pip install --upgrade 'pip>=25.1' # the first that knows dependency groups
    printf '%s\n' "$made" >"$venv/made"
fi
for group in "$@"; do
    if [ "$(cat "$venv/ready-$group" 2>/dev/null)" != "$wanted" ]; then
        say "installing watchword and its $group group into $venv"
        pip install --editable '.[all]' --group "$group"
        printf '%s\n' "$wanted" >"$venv/ready-$group"
    fi
done
