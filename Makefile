# watchword: what can be done here. Nothing has to be installed first but Python 3.11 or newer, make and git.
#
#   make demo         a real server, real clients, every scheme, genuine and forged
#   make test         the tests that need only PyPI, doctests and the documentation's programs among them, but those of make sweep
#   make sweep        what goes through very many cases: explanations of every mistake, sealed answers through every client
#   make cover        what make test runs, under coverage: at least 95 % of the core, line and branch
#   make conformance  the published suites in the folder that WATCHWORD_VECTORS names
#   make interop      against Apache, nginx, curl, wget, Flask-HTTPAuth, PyJWT, joserfc and jose, which it installs
#   make pairs        each scheme by each client, each by each server, over sockets, in few cells;  make matrix  in all, and writes docs/supported.md
#   make lint         ruff, mypy --strict, pyright, import-linter;  make format  puts the code in shape
#   make bench        ratios to the limit and to peers, in one run
#   make docs         the documentation as a site, in build/docs; a broken link or anchor is an error
#   make clean        removes what was made here
#
# make PYTHON=python3.13 test takes that Python; .venv is made anew when the version changes. HYPOTHESIS_PROFILE is dev, ci or
# deep: how many examples a property is tried with (CONTRIBUTING.md).

PYTHON ?= python3
ARGS ?=

.DELETE_ON_ERROR:
.PHONY: all help venv suites demo test sweep cover conformance interop pairs matrix lint format bench docs clean

run := .venv/bin/python -m

all: venv help

help:
	@sed -n 's/^#   //p' Makefile

venv:
	@sh scripts/make_venv.sh "$(PYTHON)" dev

demo: venv
	@$(run) examples.demo $(ARGS)

test: venv
	@$(run) pytest -n auto --dist loadfile -m "not sweep" $(ARGS)

sweep: venv
	@$(run) pytest -n auto --dist loadfile -m sweep $(ARGS)

# Which lines run does not depend on how many examples a property is tried with: the fewest will do.
cover: export HYPOTHESIS_PROFILE = dev
cover: venv
	@$(run) pytest -n auto --dist loadfile -m "not sweep" --cov --cov-report= $(ARGS)
	@$(run) coverage report
	@$(run) coverage report --include='*/watchword/core/*' --fail-under=95

conformance: suites venv
	@$(run) pytest tests/conformance $(ARGS)

suites:
	@if [ -z "$$WATCHWORD_VECTORS" ]; then \
	    echo "make conformance: WATCHWORD_VECTORS is not set. Name the folder of the published suites:" >&2; \
	    echo "    make conformance WATCHWORD_VECTORS=/path/to/vectors    (see tests/conformance/README.md)" >&2; \
	    exit 1; \
	elif [ ! -d "$$WATCHWORD_VECTORS" ]; then \
	    echo "make conformance: there is no folder $$WATCHWORD_VECTORS (WATCHWORD_VECTORS); see tests/conformance/README.md" >&2; \
	    exit 1; \
	fi

interop: venv
	@sh scripts/make_venv.sh "$(PYTHON)" interop
	@sh scripts/interop_peers.sh
	@$(run) pytest tests/interop --ignore=tests/interop/matrix $(ARGS)

pairs: venv
	@$(run) pytest tests/interop/matrix -n auto --dist loadgroup $(ARGS)

# What has failed is written down, too.
matrix: export WATCHWORD_MATRIX = all
matrix: venv
	@$(run) pytest tests/interop/matrix -n auto --dist loadgroup --junitxml=build/matrix.xml $(ARGS); \
	    status=$$?; $(run) tests.interop.matrix.report build/matrix.xml && exit $$status

lint: venv
	@$(run) ruff check .
	@$(run) ruff format --check .
	@$(run) mypy src examples tests/typing
	@$(run) pyright
	@.venv/bin/lint-imports --no-logo
	@find src -name '*.py' -exec wc -l {} + | awk '$$1 > 400 && $$2 != "total" { print "warning: " $$2 " has " $$1 " lines: does it hold two ideas?" }'

format: venv
	@$(run) ruff check --fix-only --quiet .
	@$(run) ruff format .

bench: venv
	@sh scripts/make_venv.sh "$(PYTHON)" bench
	@$(run) bench $(ARGS)

docs: venv
	@sh scripts/make_venv.sh "$(PYTHON)" docs
	@$(run) docs_site.prepare build/docs-source
	@$(run) sphinx --fail-on-warning --keep-going --quiet -c docs_site -b html build/docs-source build/docs $(ARGS)
	@echo "the site is in build/docs: open build/docs/index.html"

clean:
	rm -rf .venv .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist build node_modules
	find src tests examples bench docs -name __pycache__ -type d -prune -exec rm -rf {} +
