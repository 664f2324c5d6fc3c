"""Every scheme by every client, genuine and attacked: `make demo`."""
