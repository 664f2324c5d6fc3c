"""Digests, passwords, keys and the seal on stored secrets: the only importer of cryptography, hmac and hashlib."""
