"""From the fields to the signatures that are to be judged: the general way, and a short one for what was seen before.

The general way parses structured fields. The short one knows the covered list of a signature that verified, and the order
of its parameters, so one look-up and one regular expression are left; it takes canonical text only, and gives what the
general way gives.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from watchword.structures.bounded import Bounded
from watchword.core.message import Headers
from watchword.core.rejection import Reason, Rejected
from watchword.fields.structured import InnerList, Item
from watchword.schemes.signatures.base import BasePlan
from watchword.schemes.signatures.components import SignatureInput, params_text
from watchword.schemes.signatures.content import CONTENT, covered_digests
from watchword.schemes.signatures.message import Fields
from watchword.schemes.signatures.policy import SignaturePolicy, coverage
from watchword.schemes.signatures.wire import labelled_dictionary

__all__ = ["CoveredPlan", "ParsedCredentials", "PresentedCredentials", "Reader"]

MAX_PLANS: Final = 256
"""Covered lists that are remembered."""
MAX_LAYOUTS: Final = 4
"""Orders of parameters that are remembered with each."""
LONGEST: Final = 512
"""Characters of a nonce or a key id: stores keep them."""

_PARAMETERS: Final = ("created", "expires", "nonce", "alg", "keyid", "tag")
_INTEGER: Final = "([1-9][0-9]{0,14})"  # 0 is read the general way
_STRING: Final = r'"([ !#-\[\]-~]*+)"'  # without escapes


class CoveredPlan:
    """What follows from a label and a list of covered components alone."""

    __slots__ = ("base", "content", "covered", "digests", "label", "layouts", "octets_at", "shown", "start", "suffices")

    def __init__(self, label: str, covered: SignatureInput) -> None:
        self.suffices = False
        self.label = label
        self.start = label.encode("ascii") + b"=:"
        self.octets_at = len(self.start)
        self.base = BasePlan(covered.components)
        self.covered = coverage(covered.components)
        self.digests = covered_digests(covered.components)
        self.content = self.digests == CONTENT
        self.layouts: tuple[Layout, ...] = ()
        self.shown: tuple[str | None, MappingProxyType[str, object]] | None = None


class Layout:
    """An order of parameters, as a regular expression of their canonical text."""

    __slots__ = ("at", "match", "names")

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        parts = (f";{name}={_INTEGER if name in ('created', 'expires') else _STRING}" for name in names)
        self.match = re.compile("".join(parts) + "((?!))?").fullmatch
        at = {name: number for number, name in enumerate(names, 1)}
        # What is absent is the last group, which nothing matches.
        self.at = tuple(at.get(name, len(names) + 1) for name in _PARAMETERS)


class PresentedCredentials:
    """One signature as presented: what it covers, its parameters, its octets; the reader fills it in.

    `params` are the parameters serialised, for the base; `suffices` says that its list and its parameters are known to be
    what the policy demands of a request in origin-form.
    """

    __slots__ = (
        "alg", "created", "expires", "key_id", "label", "nonce", "params", "plan", "signature", "suffices", "tag",
    )  # fmt: skip

    label: str
    plan: CoveredPlan
    params: bytes
    signature: bytes
    created: int | None
    expires: int | None
    nonce: str | None
    alg: str | None
    key_id: str | None
    tag: str | None
    suffices: bool

    @property
    def claims(self) -> MappingProxyType[str, object]:
        """What the identity says of the signature."""
        plan = self.plan
        shown = plan.shown
        if shown is None or shown[0] != self.tag:
            covered = tuple(map(str, plan.base.components))
            shown = self.tag, MappingProxyType({"label": plan.label, "tag": self.tag, "covered": covered})
            plan.shown = shown
        return shown[1]


class ParsedCredentials(PresentedCredentials):
    """One that was read the general way, and may be read the short way from now on.

    `head` is the label and the covered list as sent, empty if the short way can't take it; `order` that of its parameters.
    """

    __slots__ = ("head", "order")

    head: bytes
    order: tuple[str, ...]


class Reader:
    """Reads the signatures that a policy judges; remembers the covered lists of those that verified."""

    __slots__ = ("_plans", "_tags", "policy")

    def __init__(self, policy: SignaturePolicy) -> None:
        self.policy = policy
        self._tags = policy.tags
        self._plans: Bounded[bytes, CoveredPlan] = Bounded(MAX_PLANS)

    def read(self, fields: Fields) -> Sequence[PresentedCredentials]:
        """The signatures that the policy's tags and label name, in their order; none, if none is for this verifier.

        Raises:
            Rejected: MALFORMED_CREDENTIALS.
        """
        if not fields.several:
            one = self.at_once(fields.single)
            if one is not None:
                return (one,)
        return self._parse(fields.lines(b"signature-input"), fields.lines(b"signature"))

    def tag_of(self, headers: Headers) -> str | None:
        """One tag of the signatures: one of the policy's if there is one, else the first; None: none has one.

        Unverified, for routing only; what can't be parsed has none.
        """
        try:
            members = labelled_dictionary(
                [value for name, value in headers if name == b"signature-input"],
                "signature-input",
                self.policy.max_signatures,
                self.policy.max_components,
            )
        except Rejected:
            return None
        tags = [member.params.get("tag") for member in members.values()]
        tag = next((tag for tag in tags if tag in self.policy.tags), tags[0] if tags else None)
        return tag if isinstance(tag, str) else None

    def remember(self, presented: ParsedCredentials) -> None:
        """Keeps the plan of a signature that verified, for what comes in the same words."""
        if not presented.head:
            return
        head, plan, order = presented.head, presented.plan, presented.order
        if self._plans.get(head) is not plan:
            plan.suffices = self.policy.always_covered_by(plan.covered)
            self._plans.put(head, plan)
        if order and all(layout.names != order for layout in plan.layouts):
            plan.layouts = (Layout(order), *plan.layouts[: MAX_LAYOUTS - 1])

    def at_once(self, single: Mapping[bytes, bytes]) -> PresentedCredentials | None:
        """The one signature, if its covered list is known and all is written canonically; None: `read` it.

        Args:
            single: the fields by name, none of which has two lines.
        """
        try:
            covered, signature = single[b"signature-input"], single[b"signature"]
            end = covered.find(b")") + 1
            plan = self._plans.get(covered[:end])
            if (
                plan is None
                or not signature.startswith(plan.start)
                or signature[-1:] != b":"
                or signature[-4:-1] == b"==="
            ):
                return None
            params = covered[end:]
            text = params.decode("ascii")
            octets = a2b_base64(signature[plan.octets_at : -1], strict_mode=True)
        except (KeyError, ValueError):
            return None
        for layout in plan.layouts:
            match = layout.match(text)
            if match is not None:
                break
        else:
            return None
        created, expires, nonce, alg, key_id, tag = match.group(*layout.at)
        if tag not in self._tags or (len(text) > LONGEST and not (_fits(nonce) and _fits(key_id))):
            return None
        one = PresentedCredentials()
        one.label = plan.label
        one.plan = plan
        one.params = params
        one.signature = octets
        one.created = None if created is None else int(created)
        one.expires = None if expires is None else int(expires)
        one.nonce = nonce
        one.alg = alg
        one.key_id = key_id
        one.tag = tag
        one.suffices = plan.suffices
        return one

    def _is_mine(self, label: str, tag: object) -> bool:
        policy = self.policy
        return tag in policy.tags and (policy.label is None or policy.label == label)

    def _parse(self, input_lines: Sequence[bytes], signature_lines: Sequence[bytes]) -> Sequence[PresentedCredentials]:
        most = self.policy.max_signatures
        inputs = labelled_dictionary(input_lines, "signature-input", most, self.policy.max_components)
        signatures = labelled_dictionary(signature_lines, "signature", most)
        if inputs.keys() != signatures.keys():
            raise _malformed("Signature-Input and Signature do not have the same labels", "signature")
        if len(inputs) > self.policy.max_signatures:
            raise _malformed(f"{len(inputs)} signatures where at most {self.policy.max_signatures} are read")
        found = []
        for label, member in inputs.items():
            if not isinstance(member, InnerList):
                raise _malformed("a member is no list of covered components")
            if not self._is_mine(label, member.params.get("tag")):
                continue
            value = signatures[label]
            if not isinstance(value, Item) or not isinstance(value.value, bytes):
                raise _malformed("a signature is no byte sequence", "signature")
            one = self._presented(label, SignatureInput.of(member, self.policy.max_components), value.value)
            if len(inputs) == 1 and len(input_lines) == 1 and input_lines[0].startswith(one.head):
                one.order = tuple(member.params)
            else:
                one.head = b""
            found.append(_bounded(one))
        return found

    def _presented(self, label: str, covered: SignatureInput, signature: bytes) -> ParsedCredentials:
        plan = CoveredPlan(label, covered)
        head = f"{label}={plan.base.covered}".encode("ascii")
        plan = self._plans.get(head) or plan
        one = ParsedCredentials()
        one.label = label
        one.plan = plan
        one.params = params_text(covered.params).encode("ascii")
        one.signature = signature
        values: Any = (covered.params.get(name) for name in _PARAMETERS)
        one.created, one.expires, one.nonce, one.alg, one.key_id, one.tag = values
        one.suffices = False
        one.head = head if b")" not in head[:-1] else b""
        one.order = ()
        return one


def _fits(text: str | None) -> bool:
    return text is None or len(text) <= LONGEST


def _bounded(one: PresentedCredentials) -> PresentedCredentials:
    for text, name in ((one.nonce, "nonce"), (one.key_id, "keyid")):
        if not _fits(text):
            raise _malformed(f"{name} has more than {LONGEST} characters")
    return one


def _malformed(detail: str, where: str = "signature-input") -> Rejected:
    return Rejected(Reason.MALFORMED_CREDENTIALS, detail, where=where)
