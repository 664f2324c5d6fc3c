"""A complete API that authenticates its requests by every scheme: `python -m examples.api --port 8000 --json`."""
