"""The grammars of header fields and of the request target: authentication parameters, `Forwarded`, the public URL."""
