"""Claims as the caller's own type."""

from __future__ import annotations

import json
from typing import Any, cast

from msgspec import Struct, ValidationError
from msgspec.json import Decoder
from msgspec.structs import fields

from watchword.core.rejection import Reason, Rejected
from watchword.schemes.jwt.checks import read_claims, refuse_lone_surrogates

__all__ = ["decoded"]


def decoded(struct: Decoder[Any], payload: bytes) -> Any:
    """The claims that a payload spells, of the decoder's type, which is a `msgspec.Struct`.

    Raises:
        Rejected: WRONG_CLAIM.
    """
    try:
        try:
            return struct.decode(payload)
        except ValidationError:
            raise
        except ValueError:  # half of a surrogate pair, which the type may not read
            return struct.decode(_without_surrogates(struct, payload))
    except ValueError as error:  # its text ends with the place, "… - at `$.tenant`"; the rest may quote a value
        place = str(error).rpartition("`$")[2].strip("`.") if "`$" in str(error) else "claims"
        raise Rejected(Reason.WRONG_CLAIM, "not of the type that claims= demands", where=place) from None


def _without_surrogates(struct: Decoder[Any], payload: bytes) -> bytes:
    """The payload, with another character for each lone surrogate in a claim that the type does not have."""
    claims = read_claims(payload)
    refuse_lone_surrogates(claims, [field.encode_name for field in fields(cast("type[Struct]", struct.type))])
    return json.dumps(claims, ensure_ascii=False).encode("utf-8", "replace")
