"""One small app for each framework, as `docs/how-to` builds them up."""
