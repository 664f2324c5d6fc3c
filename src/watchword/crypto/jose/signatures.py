"""JSON Web Signatures in every form: `verify`, and `sign_json` and `verify_json` (RFC 7515 §7.2, RFC 7797).

Compact tokens that are verified all day go through `compact.Compact`, which takes no other form.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

import msgspec.json

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.jose.compact import JWS, MAX_TOKEN, check_header, decode, prove, read_header
from watchword.crypto.jose.envelope import (
    MAX_RECIPIENTS, check_disjoint, disjoint, document, member_object, member_text, merged, text,
)  # fmt: skip
from watchword.crypto.keys import Key, KeySet, check_key

__all__ = ["Require", "Signature", "SignedJSON", "Signer", "sign_json", "verify", "verify_json"]


class Require(Enum):
    """Which of several signatures have to be genuine (RFC 7515 §5.2 leaves it to the application).

    ALL: each one, by a key of ours. ANY: one is enough; those by unknown keys, with extensions that aren't understood,
    or that don't fit are passed over. Only the verified ones are ever returned.
    """

    ALL = "all"
    ANY = "any"


class Signer(NamedTuple):
    """One who signs.

    Args:
        key: signs, and gives `alg` and `kid`.
        header: further protected members.
        unprotected: further members that nothing protects.
        protect: which of the members are protected, by name; None: all. Without "alg" among them `verify` refuses the
            signature unless it is told otherwise.
    """

    key: Key
    header: Mapping[str, object] = {}
    unprotected: Mapping[str, object] = {}
    protect: Collection[str] | None = None


def sign_json(
    payload: bytes,
    signers: Sequence[Signer | Key],
    *,
    flattened: bool = False,
    detached: bool = False,
    b64: bool = True,
) -> dict[str, Any]:
    """A JWS in its general or flattened JSON form (RFC 7515 §7.2).

    Args:
        payload: any octets.
        signers: who signs.
        flattened: the flattened form, for one signer.
        detached: leave the payload out; the verifier must be handed it (RFC 7515 appendix F).
        b64: False signs the payload as it is, not its base64url (RFC 7797); it must then be UTF-8 unless detached.

    Raises:
        ConfigurationError: no signer, several for the flattened form, a public key, or a header that contradicts its key.

    >>> key = Key.from_secret(bytes(32), algorithm="HS256")
    >>> sign_json(b"hello", [key], flattened=True)["payload"]
    'aGVsbG8'
    """
    by = [each if isinstance(each, Signer) else Signer(each) for each in signers]
    if not by or (flattened and len(by) > 1):
        raise ConfigurationError("signers= holds at least one, and just one for the flattened form")
    try:
        shown = {} if detached else {"payload": text(payload) if b64 else payload.decode()}
    except UnicodeDecodeError:
        raise ConfigurationError("a payload that is no UTF-8 goes detached, or encoded (RFC 7797 §5.3)") from None
    body = b64url_encode(payload) if b64 else payload
    each = [_signature(one, body, b64=b64) for one in by]
    return {**shown, **(each[0] if flattened else {"signatures": each})}


def _signature(by: Signer, body: bytes, *, b64: bool) -> dict[str, Any]:
    check_key(by.key)
    own = {"alg": by.key.algorithm, **({} if by.key.key_id is None else {"kid": by.key.key_id})}
    members = merged(own, by.header)
    protected = {name: value for name, value in members.items() if by.protect is None or name in by.protect}
    unprotected = merged({name: value for name, value in members.items() if name not in protected}, by.unprotected)
    if "b64" in members or "b64" in unprotected:
        raise ConfigurationError("say b64= to sign_json, not in a header: it is the same for all signatures")
    if not b64:
        protected |= {"b64": False, "crit": ["b64"]}
    check_disjoint(protected, unprotected)
    head = b64url_encode(msgspec.json.encode(protected)) if protected else b""
    return {
        **({"protected": head.decode()} if head else {}),
        **({"header": unprotected} if unprotected else {}),
        "signature": text(by.key.sign(head + b"." + body)),
    }


class Signature(NamedTuple):
    """One signature that was verified.

    Args:
        header: its protected members.
        unprotected: those that anybody may have changed.
        key: made it.
    """

    header: Mapping[str, Any]
    unprotected: Mapping[str, Any]
    key: Key


class SignedJSON(NamedTuple):
    """A payload, and those of its signatures that were verified: at least one."""

    payload: bytes
    signatures: tuple[Signature, ...]


class _Part(NamedTuple):
    """One signature of a JWS, taken apart."""

    head: bytes
    protected: dict[str, Any]
    unprotected: Mapping[str, Any]
    signature: bytes


def verify(
    token: str | bytes | Mapping[str, Any],
    keys: Key | KeySet,
    *,
    payload: bytes | None = None,
    require: Require = Require.ALL,
    allow_unprotected: bool = False,
    max_token: int = MAX_TOKEN,
) -> JWS:
    """What a JWS says, and which key made it: compact, or JSON as text or as the object that was parsed from it.

    Args:
        token: the JWS.
        keys: public, or shared; each verifies what is made by its own algorithm alone.
        payload: what was signed, if it is detached.
        require: which of several signatures have to be genuine; the first that is counts here.
        allow_unprotected: let `alg` stand in a header that nothing protects (RFC 7520 §4.7); it must still be the key's.
        max_token: octets of the longest token that is looked at.

    Raises:
        Rejected: HEADER_TOO_LARGE, MALFORMED_CREDENTIALS, UNKNOWN_CRITICAL, WRONG_ALGORITHM, UNKNOWN_KEY or
            WRONG_SIGNATURE.
    """
    held = keys if isinstance(keys, KeySet) else KeySet([keys])
    found = document(token, max_token)
    if isinstance(found, bytes):
        return _verify_compact(found, held, payload)
    signed = _verify_document(found, held, payload, require, allow_unprotected)
    return JWS(signed.signatures[0].header, signed.payload, signed.signatures[0].key)


def verify_json(
    token: str | bytes | Mapping[str, Any],
    keys: Key | KeySet,
    *,
    payload: bytes | None = None,
    require: Require = Require.ALL,
    allow_unprotected: bool = False,
    max_token: int = MAX_TOKEN,
) -> SignedJSON:
    """`verify` for the JSON forms alone: every signature that was verified, with its unprotected header.

    Raises:
        Rejected: as `verify`.
    """
    found = document(token, max_token)
    if isinstance(found, bytes):
        raise _malformed("token", "not a JSON object (RFC 7515 §7.2)")
    held = keys if isinstance(keys, KeySet) else KeySet([keys])
    return _verify_document(found, held, payload, require, allow_unprotected)


def _verify_document(
    found: Mapping[str, Any], keys: KeySet, payload: bytes | None, require: Require, allow_unprotected: bool
) -> SignedJSON:
    parts = _parts(found)
    unencoded = {part.protected.get("b64", True) is False for part in parts}
    if len(unencoded) > 1:
        raise _malformed("b64", "signatures that don't agree on b64 (RFC 7797 §3)")
    raw = True in unencoded
    body = _body(found, payload, raw)
    octets = payload if payload is not None else body if raw else decode(body, "payload")
    good: list[Signature] = []
    refusal: Rejected | None = None
    for part in parts:
        try:
            key = _proven(part, body, keys, allow_unprotected)
        except Rejected as error:
            if require is not Require.ANY or error.reason is Reason.MALFORMED_CREDENTIALS:
                raise
            refusal = refusal or error
        else:
            good.append(Signature(part.protected, part.unprotected, key))
    if not good and refusal is not None:
        raise refusal
    return SignedJSON(octets, tuple(good))


def _verify_compact(token: bytes, keys: KeySet, payload: bytes | None) -> JWS:
    parts = token.split(b".", 3)
    if len(parts) != 3:
        raise _malformed("token", "not three segments of base64url (RFC 7515 §7.1)")
    head, body, tail = parts
    protected = read_header(head)
    if payload is not None and body:
        raise _malformed("payload", "a payload in the token, and another one beside it")
    raw = protected.get("b64", True) is False
    if payload is not None:
        body = payload if raw else b64url_encode(payload)
    key = _proven(_Part(head, protected, {}, decode(tail, "signature")), body, keys, allow_unprotected=False)
    octets = payload if payload is not None else body if raw else decode(body, "payload")
    return JWS(protected, octets, key)


def _body(found: Mapping[str, Any], payload: bytes | None, raw: bool) -> bytes:
    """The payload as it was signed."""
    if payload is None:
        return member_text(found, "payload")
    if found.get("payload", "") != "":  # some leave the member in, empty
        raise _malformed("payload", "a payload in the token, and another one beside it")
    return payload if raw else b64url_encode(payload)


def _parts(found: Mapping[str, Any]) -> list[_Part]:
    members = found.get("signatures", [found])
    if "signatures" in found and any(name in found for name in ("signature", "protected", "header")):
        raise _malformed("signatures", "flattened and general form at once (RFC 7515 §7.2.2)")
    if not isinstance(members, (list, tuple)) or not 1 <= len(members) <= MAX_RECIPIENTS:
        raise _malformed("signatures", f"not a list of 1 to {MAX_RECIPIENTS}")
    parts = []
    for member in members:
        if not isinstance(member, Mapping):
            raise _malformed("signatures", "not a list of objects")
        head = member_text(member, "protected", b"")
        if "protected" in member and not head:
            raise _malformed("protected", "an empty header is left out (RFC 7515 §7.2.1)")
        part = _Part(
            head,
            read_header(head) if head else {},
            member_object(member, "header"),
            decode(member_text(member, "signature"), "signature"),
        )
        disjoint(part.protected, part.unprotected)
        parts.append(part)
    return parts


def _proven(part: _Part, body: bytes, keys: KeySet, allow_unprotected: bool) -> Key:
    """The key that made one signature."""
    protected = part.protected
    if "crit" in part.unprotected or "b64" in part.unprotected:  # RFC 7515 §4.1.11, RFC 7797 §3
        raise _malformed("crit", "crit and b64 have to be protected")
    if "alg" not in protected and not allow_unprotected:
        raise _malformed("alg", "the protected header names no algorithm")
    if "crit" in protected:
        if protected["crit"] != ["b64"] or not isinstance(protected.get("b64"), bool):
            raise Rejected(
                Reason.UNKNOWN_CRITICAL, "the header demands an extension that is not supported", where="crit"
            )
        protected = {name: value for name, value in protected.items() if name not in ("crit", "b64")}
    header = check_header({**part.unprotected, **protected})
    candidates = keys.candidates(header["alg"], header.get("kid"))
    return prove(candidates, part.head + b"." + body, part.signature)


def _malformed(where: str, detail: str) -> Rejected:
    return Rejected(Reason.MALFORMED_CREDENTIALS, detail, where=where)
