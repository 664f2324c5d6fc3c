"""Data structures that know nothing of requests: the line for slow work, locks, bounded tables, networks of addresses."""
