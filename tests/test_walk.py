"""How much of the library one request goes through, counted; `docs/explanation/how-a-request-is-judged.md` says the numbers.

A module counts if one of its functions runs, a type if one of its own functions runs or if it is instantiated. Only code of
ours counts. Instances that C makes, as `msgspec` does when it reads JSON, are not seen.
"""

from __future__ import annotations

import dis
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, NamedTuple

import msgspec
import pytest

from watchword import DigestAuth, DigestVerifier, Guard, Identity, JWTVerifier, Key, Rejected, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received, Send
from watchword.crypto import jose
from watchword.stores import MemoryStore

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "how-a-request-is-judged.md"
MOST_TYPES = {"first Digest request": 35, "first JWT": 15}


class Walk(NamedTuple):
    """The names of what was touched."""

    modules: set[str]
    types: set[str]


def walk(work: Callable[[], object]) -> Walk:
    """What `work` touches in this thread."""
    touched = Walk(set(), set())
    calls: dict[CodeType, dict[int, str]] = {}

    def note_type(kind: object) -> None:
        if isinstance(kind, type) and is_ours(kind.__module__):
            touched.types.add(f"{kind.__module__}.{kind.__qualname__}")

    def trace_instructions(frame: FrameType, event: str, argument: object) -> Any:
        code = frame.f_code
        if event == "opcode":
            if code not in calls:
                calls[code] = called_names(code)
            if frame.f_lasti in calls[code]:
                note_type(frame.f_globals.get(calls[code][frame.f_lasti]))
        return trace_instructions

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        code, module = frame.f_code, frame.f_globals.get("__name__", "")
        if code.co_filename.startswith("<"):  # generated: the constructors of named tuples and of dataclasses
            made = frame.f_locals.get("_cls") or type(frame.f_locals.get("self"))
            note_type(made)
        elif is_ours(module):
            touched.modules.add(module)
            owner, dot, _ = code.co_qualname.partition(".<locals>")[0].rpartition(".")
            if dot:
                touched.types.add(f"{module}.{owner}")
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
            return trace_instructions
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return touched


def is_ours(module: str | None) -> bool:
    return module is not None and module.startswith("watchword.")


def called_names(code: CodeType) -> dict[int, str]:
    """The global names that the code calls, by the offset of the instruction that loads them."""
    return {
        one.offset: one.argval
        for one in dis.get_instructions(code)
        if one.opname == "LOAD_GLOBAL" and one.arg is not None and one.arg & 1  # with the NULL that a call needs
    }


def digest() -> Callable[[], Identity[Any]]:
    """The answer to a challenge, from a client that was never admitted before."""
    store = MemoryStore()
    store.add_user("alice", "open sesame", realm="orders")
    guard = Guard([DigestVerifier(realm="orders")], store)
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        if len(sent) > 1:
            return Received(Response(200))
        with pytest.raises(Rejected) as caught:
            guard.verify(effect.request)
        assert caught.value.refusal is not None
        return Received(caught.value.refusal.response())

    run(DigestAuth("alice", "open sesame"), Request("GET", "https", "api.example", "/"), send, ClientContext(bytes))
    return lambda: guard.verify(sent[-1])


def jwt() -> Callable[[], Identity[Any]]:
    """The first token that a guard is asked about."""
    key = Key.generate("HS256")
    guard = Guard([JWTVerifier(key, issuer="https://id.example", audience="orders")])
    token = jose.sign(b'{"iss":"https://id.example","aud":"orders","exp":4000000000,"sub":"alice"}', key)
    request = Request("GET", "https", "api.example", "/", {"Authorization": f"Bearer {token}"})
    return lambda: guard.verify(request)


def numbers_of_the_page(name: str) -> tuple[int, int, int]:
    """Modules, those of the store among them, and types."""
    row = re.search(rf"^\| {name} \| (\d+) \| (\d+) \| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert row is not None, f"the page has no row of numbers for {name!r}"
    return int(row[1]), int(row[2]), int(row[3])


@pytest.mark.parametrize(("name", "prepare"), [("first Digest request", digest), ("first JWT", jwt)])
def test_the_page_says_how_much_a_request_touches(
    name: str, prepare: Callable[[], Callable[[], Identity[Any]]]
) -> None:
    verify = prepare()
    identities: list[Identity[Any]] = []
    modules, types = walk(lambda: identities.append(verify()))
    assert [identity.subject for identity in identities] == ["alice"]
    of_the_store = {module for module in modules if module.startswith("watchword.stores.")}
    counted = (len(modules), len(of_the_store), len(types))
    assert counted == numbers_of_the_page(name), "\n".join(["touched:", *sorted(modules), *sorted(types)])
    assert len(types) <= MOST_TYPES[name]


def test_a_walk_sees_methods_and_instances_of_every_kind() -> None:
    source = """
class Base:
    def method(self): pass
class Plain(Base): pass
class Named(NamedTuple):
    field: int
@dataclass
class Data:
    field: int
class Struct(msgspec.Struct):
    field: int
class Asked: pass
def work():
    made = [Plain(), Named(1), Data(1), Struct(1)]
    made[0].method()
    isinstance(made, Asked)
"""
    module = ModuleType("watchword.example")
    names = {"NamedTuple": NamedTuple, "dataclass": dataclass, "msgspec": msgspec}
    vars(module).update(names)
    sys.modules[module.__name__] = module  # where dataclasses look for their module
    try:
        exec(compile(source, "example.py", "exec"), vars(module))
        modules, types = walk(module.work)
    finally:
        del sys.modules[module.__name__]
    assert modules == {"watchword.example"}
    assert types == {f"watchword.example.{name}" for name in ("Base", "Plain", "Named", "Data", "Struct")}
