"""These are programs for the environments of old releases; nothing of them is collected as tests or doctests."""

collect_ignore_glob = ["*.py"]
