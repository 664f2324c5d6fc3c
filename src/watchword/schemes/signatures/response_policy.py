"""What a signed answer has to prove to a client (RFC 9421 §2.4, §5): `ResponsePolicy`."""

from __future__ import annotations

from collections.abc import Sequence

from watchword.core.rejection import ConfigurationError
from watchword.crypto.keys import Key
from watchword.schemes.freshness import Freshness
from watchword.schemes.signatures.accept import Wanted
from watchword.schemes.signatures.components import components_of
from watchword.schemes.signatures.consequential import field_component

__all__ = ["ResponsePolicy"]


class ResponsePolicy:
    """What an answer has to prove.

    Args:
        components: what its signature has to cover of it.
        request_components: what it has to cover of the request, so that it is the answer to that one and no other.
        request_proofs: whether it has to cover the Content-Digest and the signatures that the request carries. Else it may
            be the answer to the same request without them, with another body or in nobody's name (RFC 9421 §7.3.7).
        fields: whether it has to cover every field on which something depends: of the request all that were sent, but
            those of the connection and those that intermediaries change; of the answer all of `OF_ANSWER` that came.
        credentials: whether it has to prove for which credentials it is, by `Credentials-Digest`, which only servers with a
            `SignatureSeal` know.
        request_content: whether the request gets a Content-Digest of its body, so that the answer is for that one, or for none.
        content: whether it has to cover a Content-Digest that the content has, wherever there is content.
        max_content: octets of content that are read for that.
        nonce: whether it has to repeat the nonce of the Accept-Signature with which it was asked for (RFC 9421 §5.1).
        tag: the application's mark (§2.3) that it has to have; None: none.
        expires: whether it has to say when it ends.
        max_age: seconds for which it is good.
        skew: seconds by which the server's clock may be ahead.

    Raises:
        ConfigurationError: components that no answer has, times that are none, or nothing that binds it to its request.

    >>> ResponsePolicy(tag="orders").components[0]
    Component(name='@status', params=())
    """

    __slots__ = (
        "components", "content", "credentials", "expires", "fields", "freshness", "max_content", "nonce", "request_content",
        "request_proofs", "tag",
    )  # fmt: skip

    def __init__(
        self,
        components: Sequence[str] = ("@status",),
        *,
        request_components: Sequence[str] = ("@method", "@authority", "@path", "@query"),
        request_proofs: bool = True,
        fields: bool = True,
        credentials: bool = True,
        request_content: bool = True,
        content: bool = True,
        max_content: int = 16 * 1024 * 1024,
        nonce: bool = True,
        tag: str | None = None,
        expires: bool = False,
        max_age: float = 300,
        skew: float = 30,
    ) -> None:
        of_request = (f"{one.removesuffix(';req')};req" for one in _listed(request_components))
        self.components = components_of((*_listed(components), *of_request))
        if not nonce and not any(one.has("req") for one in self.components):
            raise ConfigurationError("nothing binds an answer to its request: nonce=True, or request_components=(…)")
        if not max_content >= 0:
            raise ConfigurationError("max_content is a number of octets: max_content=16 * 1024 * 1024")
        self.request_proofs = request_proofs
        self.fields = fields
        self.credentials = credentials
        self.request_content = request_content
        self.content = content
        self.max_content = max_content
        self.expires = expires
        self.nonce = nonce
        self.tag = tag
        self.freshness = Freshness(max_age, skew)

    def wanted(self, method: str, nonce: str, keys: Sequence[Key] = (), fields: Sequence[bytes] = ()) -> Wanted:
        """What to ask for, for an answer that fits this policy (§5.1); `fields` of the request are to be covered too."""
        components = (*self.components, *(field_component(name, of_request=True) for name in fields))
        if self.content and method != "HEAD":
            components = (*components, *components_of(("content-digest",)))
        params: dict[str, str | bool] = {"created": True, "nonce": nonce}
        if self.expires:
            params["expires"] = True
        if len(keys) == 1 and keys[0].key_id is not None:
            params["keyid"] = keys[0].key_id
        if self.tag is not None:
            params["tag"] = self.tag
        return Wanted("seal", tuple(dict.fromkeys(components)), params)


def _listed(components: Sequence[str]) -> Sequence[str]:
    if isinstance(components, str):
        raise ConfigurationError(f"a sequence of component identifiers is needed: ({components!r},)")
    return components
