"""The grammar of client mistakes: each description is the scheme's own computation, and each deviation of it is found and named."""

from __future__ import annotations

import hmac
import random
from base64 import a85encode, b85encode
from collections.abc import Callable

import pytest

from bench.explain import DESCRIBED, Described, component, described, every, on_the_way
from bench.explain_worlds import Maker
from watchword import Request
from watchword.crypto.usual_hashes import keyed
from watchword.schemes.explaining.computation import (
    FORMS, Computation, Encoding, Hash, Join, Leaf, Mac, Node, Parameters, Style,
)  # fmt: skip
from watchword.schemes.explaining.deviations import Deviation
from watchword.schemes.explaining.search import MAX_STEPS, Asked, look_for, unexplained
from watchword.schemes.explaining.received import Received

REQUEST = Request("POST", "https", "api.example", "/a?b=c")
SAMPLE = 12  # deviations of each request, drawn at random


@pytest.mark.parametrize("make", DESCRIBED, ids=lambda make: make.__name__)
def test_a_description_is_the_schemes_own_computation(make: Maker) -> None:
    for seed in range(5):
        for each in described(make, seed, 8):
            made = [Computation(root).value(root) for root in each.roots]
            assert set(made) & set(each.received), (each.name, each.request)


def changed(root: Node, each: Deviation) -> bytes | None:
    try:
        return Computation(root).changed({each.node: each.make, **each.also})
    except ValueError:
        return None


@pytest.mark.sweep
@pytest.mark.parametrize("make", DESCRIBED, ids=lambda make: make.__name__)
def test_a_deviation_of_any_step_is_found_and_the_step_is_named(make: Maker) -> None:
    rng = random.Random(make.__name__)
    for each in described(make, 3):
        root = next(root for root in each.roots if Computation(root).value(root) in each.received)
        found_at: dict[bytes, set[str]] = {}
        for deviation in every(root):
            value = changed(root, deviation)
            if value is not None and len(value) >= 16:
                found_at.setdefault(value, set()).add(component(deviation))
        found_at.pop(Computation(root).value(root), None)
        for value in rng.sample(sorted(found_at), min(SAMPLE, len(found_at))):
            told = explained(each, root, value)
            assert told, (each.name, found_at[value])
            assert told[0] in found_at[value] | on_the_way(root), (each.name, told)


def explained(each: Described, root: Node, value: bytes) -> list[str]:
    form = root.form if isinstance(root, Encoding) else "raw octets"
    found = look_for(Asked("mac", root, Received(value, form), each.request, each.body))
    return [check.component for check in found.causes]


# ---- the engine, for a scheme that there is not --------------------------------------------------------------------------


def tree(secret: bytes = b"a secret of 20 octets", time: bytes = b"1700000000") -> Encoding:
    body = Hash("the digest", "sha256", Leaf("the body", b"{}", "body"))
    parts = (Leaf("the method", b"POST", "method", "@method"), Leaf("the time", time, "time", "header x-time"),
             Leaf("the target", b"/a?b=c", "target", "@path"), Encoding("the digest", "hex digits", body))  # fmt: skip
    key = Leaf("the secret", secret, "key", "key")
    return Encoding("the MAC", "base64", Mac("the MAC", "sha256", key, Join("the string to sign", parts)))


def sent(mine: Encoding, theirs: bytes, steps: int = MAX_STEPS) -> tuple[list[tuple[str, str]], bool]:
    found = look_for(Asked("mac", mine, Received(theirs, mine.form), REQUEST), steps=steps)
    return [(check.component, check.mend) for check in found.causes], found.cut


def value(root: Encoding) -> bytes:
    return Computation(root).value(root)


@pytest.mark.parametrize(
    ("part", "signed", "component", "words"),
    [
        ("time", b"1700000000417", "header x-time", "in milliseconds"),
        ("time", b"1700000000.417", "header x-time", "with a fraction"),
        ("time", b"undefined", "header x-time", "it was not set"),
        ("time", b"0x6553F100".lower(), "header x-time", "0x"),
        ("method", b"HttpMethod.POST", "@method", "an enum"),
        ("target", b"%2Fa%2Fb?c=d", "@path", "percent-encoded"),
        ("target", b"/a%2Fb?c=d", "@path", "slashes but the first"),
        ("target", b"/a/b/index.html?c=d", "@path", "index file"),
        ("target", b"/index.php/a/b?c=d", "@path", "a prefix"),
        ("target", b"/a/b?c=d&c=d", "@query", "each parameter of the query twice"),
        ("target", REQUEST.authority.encode() + b"/a/b?c=d", "@path", "with the host before it"),
        ("target", f"{REQUEST.scheme}://{REQUEST.authority}/a/b?c=d".encode(), "@path", "a URL"),
        ("authority", b"api.example.com/", "host", "slash"),
        ("authority", b"example.com", "host", "first label"),
    ],
)
def test_a_leaf_of_any_kind_that_is_signed_otherwise_is_named_with_what_was_done(
    part: str, signed: bytes, component: str, words: str
) -> None:
    def of(**other: bytes) -> Encoding:
        values = {
            "time": b"1700000000",
            "method": b"POST",
            "target": b"/a/b?c=d",
            "authority": b"api.example.com",
            **other,
        }
        places = {"time": "header x-time", "method": "@method", "target": "@path", "authority": "host"}
        parts = [Leaf(f"the {name}", value, name, places[name]) for name, value in values.items()]
        key = Leaf("the secret", b"a secret of 20 octets", "key", "key")
        return Encoding("the MAC", "base64", Mac("the MAC", "sha256", key, Join("the string to sign", parts)))

    told, cut = sent(of(), value(of(**{part: signed})))
    assert not cut
    assert told[0][0] == component, told
    assert words in told[0][1], told


LINES = [b"POST", b"1700000000", b"/a/b", b"k-1"]


@pytest.mark.parametrize(
    ("signed", "words"),
    [
        (b"\n" + b"\n".join(LINES), "begins the text with a line feed"),
        (b"\n    POST\n    1700000000\n    /a/b\n    k-1\n  ", "indents the lines"),
        (b"\t".join(LINES), "by a tab"),
        (b"1700000000\nk-1\nPOST\n/a/b", "in another order"),
        (b"/a/b", "it leaves out the method, the time, the key id"),
    ],
)
def test_lines_that_are_put_together_otherwise_are_named_with_what_was_done(signed: bytes, words: str) -> None:
    names = {"method": "@method", "time": "field time", "path": "@path", "key id": "field key id"}
    parts = [
        Leaf(f"the {name}", value, "text", where) for (name, where), value in zip(names.items(), LINES, strict=True)
    ]
    key = Leaf("the secret", b"a secret of 20 octets", "key", "key")

    def of(text: Node) -> Encoding:
        return Encoding("the MAC", "base64", Mac("the MAC", "sha256", key, text))

    told, cut = sent(of(Join("the text", parts)), value(of(Leaf("the text", signed))))
    assert not cut
    assert words in told[0][1], told


def parameters(pairs: dict[bytes, bytes], text: bytes = b"") -> Encoding:
    leaves = [(name, Leaf(f"the value of {name.decode()}", value, component="@query")) for name, value in pairs.items()]
    node = Leaf("the parameters", text) if text else Parameters("the parameters", leaves, Style())
    parts = (Encoding("the path", "percent-encoded", Leaf("the path", b"/a b")), Encoding("the parameters", "percent-encoded", node))  # fmt: skip
    return Encoding("the MAC", "base64", Mac("the MAC", "sha256", Leaf("the key", b"of 16 octets 123", "key", "key"), Join("the text", parts)))  # fmt: skip


@pytest.mark.parametrize(
    ("signed", "words"),
    [
        (b"a.b=x%20y&f=false&n=0&t%5B0%5D=1", "brackets counted"),
        (b"a_b=x%20y&f=false&n=0&t%5B%5D=1", "with _ for a dot"),
        (b"a.b=x%20y&t%5B%5D=1", "without those that are empty, 0 or false"),
        (b"a.b=x%20y&f=false&n=0&t=1", "without brackets"),
        (b'{"t[]": "1", "n": "0", "f": "false", "a.b": "x y"}', "as a JSON object"),
        (b'{"a.b":"x y","f":"false","n":"0","t[]":"1"}', "as a JSON object"),
        (b"a.b=&f=&n=&t%5B%5D=", "by their names alone, with empty values"),
        (b"a.b=x%20y&a.b=x%20y&f=false&f=false&n=0&n=0&t%5B%5D=1&t%5B%5D=1", "twice, each of them"),
        (b"t%5B%5D=1%26n%3D0%26f%3Dfalse%26a.b%3Dx%20y", "one parameter"),
    ],
)
def test_parameters_that_are_written_otherwise_are_named_with_what_was_done(signed: bytes, words: str) -> None:
    pairs = {b"t[]": b"1", b"n": b"0", b"f": b"false", b"a.b": b"x y"}
    told, _ = sent(parameters(pairs), value(parameters(pairs, signed)))
    assert words in told[0][1], told


def test_parameters_that_are_encoded_one_by_one_are_named_and_what_is_left_between_them() -> None:
    key, text = Leaf("the key", b"of 16 octets 123", "key", "key"), b"%2Fa%20b\na%3D1&q%3Dx%2520y"
    theirs = value(Encoding("the MAC", "base64", Mac("the MAC", "sha256", key, Leaf("the text", text))))
    told, _ = sent(parameters({b"q": b"x y", b"a": b"1"}), theirs)
    assert "percent-encoded for itself, and leaves an ampersand, '&', between them" in told[0][1]


@pytest.mark.parametrize("order", [("@query", "body", ""), ("", "body", "@query"), ("body", "", "@query")])
def test_parameters_that_are_put_together_and_not_sorted_are_named(order: tuple[str, ...]) -> None:
    sources = {"": {b"k": b"1", b"n": b"2"}, "@query": {b"z": b"3", b"b": b"4"}, "body": {b"y": b"5"}}
    pairs = [
        (name, Leaf(f"{name!r}", text, component=each or "own"))
        for each, some in sources.items()
        for name, text in some.items()
    ]
    key = Leaf("the key", b"of 16 octets 123", "key", "key")
    text = b"&".join(b"%b=%b" % pair for each in order for pair in sources[each].items())
    mine = Encoding(
        "the MAC", "base64", Mac("the MAC", "sha256", key, Parameters("the parameters", pairs, Style(), "parameters"))
    )
    told, _ = sent(mine, value(Encoding("the MAC", "base64", Mac("the MAC", "sha256", key, Leaf("the text", text)))))
    assert told[0][0] == "parameters"
    assert "not sorted" in told[0][1]


@pytest.mark.parametrize("name", ["blake2s", "blake2b"])
def test_a_hash_that_takes_a_key_itself_is_told_from_hmac(name: str) -> None:
    mine = tree()
    graph = Computation(mine)
    mac = mine.of
    assert isinstance(mac, Mac)
    theirs = keyed(name, graph.value(mac.key), graph.value(mac.of))
    ((component, mend),) = sent(mine, FORMS["base64"](theirs))[0]
    assert component == "algorithm"
    assert f"by {name}, a hash with a key, not by HMAC" in mend


def test_a_key_that_is_derived_from_the_day_is_named() -> None:
    day = hmac.digest(b"a secret of 20 octets", b"20231114", "sha256")
    ((component, mend),) = sent(tree(), value(tree(day)))[0]
    assert (component, "the day of the time" in mend) == ("key", True)


def test_lines_in_one_row_with_the_end_of_the_last_one_are_named() -> None:
    key, lines = (
        Leaf("the key", b"of 16 octets 123", "key", "key"),
        [Leaf(f"line {each.decode()}", each) for each in LINES],
    )

    def of(separator: bytes) -> Encoding:
        return Encoding("the MAC", "base64", Mac("the MAC", "sha256", key, Join("the text", lines, separator, b"\n")))

    told, _ = sent(of(b"\n"), value(of(b";")))
    assert "by a semicolon, ';'" in told[0][1]
    assert "ends it with a line feed" in told[0][1]


def test_one_function_that_encodes_all_is_one_mistake() -> None:
    root = parameters({b"q": b"x y"})
    text = b"%2Fa+b\n" + b"q%3Dx%2By"
    key = Leaf("the key", b"of 16 octets 123", "key", "key")
    told, _ = sent(root, value(Encoding("the MAC", "base64", Mac("the MAC", "sha256", key, Leaf("the text", text)))))
    assert "has all that is encoded percent-encoded with + for a space" in told[0][1]
    assert len(told) == 1


def test_a_mac_that_is_empty_is_said_to_be() -> None:
    ((component, mend),) = sent(tree(), b"")[0]
    assert (component, mend.partition(":")[0]) == ("MAC", "the value is empty")


def test_secret_and_key_id_that_stand_in_each_others_place_are_named() -> None:
    def of(secret: bytes, key_id: bytes) -> Encoding:
        text = Join("the text", (Leaf("the key id", key_id), Leaf("the method", b"POST", "method")))
        return Encoding("the MAC", "base64", Mac("the MAC", "sha256", Leaf("the secret", secret, "key", "key"), text))

    one, other = b"a secret of 20 octets", b"robot-1"
    told, _ = sent(of(one, other), value(of(other, one)))
    assert told == [("key", "the client exchanges the secret and the key id: each stands in the other's place: have both sides read it alike")]  # fmt: skip
    told, _ = sent(of(one, other), value(of(other, other)))
    assert "signs with the key id as the key" in told[0][1]


def test_two_deviations_are_found_together_and_are_two_causes() -> None:
    root = tree()
    made = {component(each) + each.did: each for each in every(root)}
    lower = next(each for each in made.values() if each.did == "signs the method in lower case")
    key = next(each for each in made.values() if each.did.endswith("with a line break at its end") and each.component == "" and each.node.name == "the secret")  # fmt: skip
    both = Computation(root).changed({lower.node: lower.make, key.node: key.make})
    found, cut = sent(root, both)
    assert {name for name, _ in found} == {"@method", "key"}
    assert not cut


@pytest.mark.parametrize("form", [form for form in FORMS if form != "base64"])
def test_a_right_mac_in_another_spelling_is_named(form: str) -> None:
    root = tree()
    found, _ = sent(root, FORMS[form](Computation(root.of).value(root.of)))
    assert found[0][0] == "MAC"


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda octets: "-".join(f"{each:02X}" for each in octets), "in hex with dashes"),
        (lambda octets: "".join(f"{each:x}" for each in octets), "without the zeros before single digits"),
        (lambda octets: str(int.from_bytes(octets, "big")), "in one decimal number"),
        (lambda octets: b85encode(octets).decode(), "in base85"),
        (lambda octets: a85encode(octets).decode(), "in Ascii85"),
    ],
)
def test_a_right_mac_in_an_alphabet_of_few_is_named(write: Callable[[bytes], str], words: str) -> None:
    root = tree()
    ((component, mend),) = sent(root, write(Computation(root.of).value(root.of)).encode())[0]
    assert (component, words in mend) == ("MAC", True), mend


@pytest.mark.parametrize("around", [b'"%b"', b'\\"%b\\"', b"*%b*"])
def test_a_right_mac_with_characters_around_it_is_not_said_to_be_in_base64_alone(around: bytes) -> None:
    mine = tree()
    ((_, mend),) = sent(mine, around % value(mine))[0]
    assert "writes the MAC in base64:" not in mend


def test_a_spelling_and_a_mistake_are_both_named() -> None:
    right, wrong = tree(), tree(time=b"1700000000000")
    found, _ = sent(right, FORMS["hex digits"](Computation(wrong.of).value(wrong.of)))
    assert [name for name, _ in found] == ["header x-time", "MAC"]
    assert "in milliseconds" in found[0][1]
    assert "hex" in found[1][1]


def test_a_short_or_foreign_mac_is_explained_by_nothing() -> None:
    for theirs in (b"AAAA", b"c2hvcnQ=", value(tree(b"another secret altogether"))):
        found, _ = sent(tree(), theirs)
        assert not found, theirs


def test_a_search_that_is_cut_says_so_and_one_that_is_not_does_not() -> None:
    found, cut = sent(tree(), value(tree(b"another secret altogether")), steps=1000)
    assert (found, cut) == ([], True)
    outcome = look_for(Asked("mac", tree(), Received(bytes(44), "base64"), REQUEST), steps=1000)
    assert "cut" in unexplained(outcome, "compare")
    whole = look_for(Asked("mac", Encoding("the MAC", "base64", Leaf("the text", b"abc", "fixed")), Received(b"A" * 44, "base64"), REQUEST))  # fmt: skip
    assert not whole.cut
    assert "cut" not in unexplained(whole, "compare")


def test_no_secret_is_in_the_repr_of_a_description() -> None:
    assert "Tr0ub4dor" not in repr(tree(b"Tr0ub4dor&3-and-more"))


@pytest.mark.sweep
def test_no_secret_and_no_body_is_in_what_is_told() -> None:
    root, secret = tree(b"Tr0ub4dor&3-and-more"), "Tr0ub4dor"
    rng = random.Random(1)
    for each in rng.sample(every(root), 300):
        made = changed(root, each)
        if made is None or len(made) < 16:
            continue
        asked = Asked("mac", root, Received(made, root.form), REQUEST)
        for check in look_for(asked, steps=6000).causes:
            assert secret not in " ".join(check[2:]).replace("\\", ""), each.did
