"""The authorization server's endpoints, each read > decide > commit. It ends at tokens."""
