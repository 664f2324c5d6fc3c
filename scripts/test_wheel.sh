#!/bin/sh
# Builds the sdist and from it the wheel, installs the wheel with all extras into a fresh environment, and runs the
# tests there from a copy that has no src beside it: what is tested is what would be published.
set -eu

cd "$(dirname "$0")/.."
root=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

.venv/bin/python -m build --outdir "$work/dist" . >"$work/build.log" 2>&1 || {
    cat "$work/build.log" >&2
    exit 1
}
wheel=$(echo "$work"/dist/*.whl)
echo "built $(basename "$wheel") and $(basename "$work"/dist/*.tar.gz)"

.venv/bin/python -m venv "$work/venv"
pip() { "$work/venv/bin/python" -m pip --disable-pip-version-check -qq "$@"; }
pip install --upgrade 'pip>=25.1'
pip install "watchword[all] @ file://$wheel" --group "$root/pyproject.toml:test"

mkdir "$work/tree"
for part in tests bench docs docs_site examples scripts Makefile pyproject.toml README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE; do
    cp -R "$part" "$work/tree/"
done
rm -rf "$work/tree/tests/interop/node_modules"
cd "$work/tree"
"$work/venv/bin/python" -c '
import pathlib, sys, watchword
home = pathlib.Path(watchword.__file__).resolve()
assert pathlib.Path(sys.prefix).resolve() in home.parents, f"not the wheel: {home}"
'
"$work/venv/bin/python" -m pytest -q -n auto --dist loadfile -m "not sweep"
"$work/venv/bin/python" -m pytest -q -m sweep tests/test_house.py tests/examples
