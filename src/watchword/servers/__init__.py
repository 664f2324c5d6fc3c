"""Where a guard meets a server; an adapter knows requests and refusals, and no scheme."""
