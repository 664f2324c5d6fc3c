"""Keys: each carries exactly one algorithm, and one explicit constructor reads each format; nothing guesses.

A token's header never chooses an algorithm; the key does (RFC 8725 §3.1). A public key can't be taken for a secret.
"""

from watchword.crypto.keys.key import Key, check_key
from watchword.crypto.keys.key_set import NO_KEYS, KeySet
from watchword.crypto.keys.registered import RegisteredKey, RegisteredPublicKey, Replaceable

__all__ = ["NO_KEYS", "Key", "KeySet", "RegisteredKey", "RegisteredPublicKey", "Replaceable", "check_key"]
