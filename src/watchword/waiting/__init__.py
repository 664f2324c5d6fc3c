"""Lines in which slow work waits: bounded, and fair by network. They know nothing of requests."""
