"""The grammar of RFC 9110 §11: strict for credentials, lenient for challenges."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.counting import steps
from watchword import Reason, Rejected
from watchword.core.answer import Challenge, Token
from watchword.fields.auth_params import (
    MAX_CHALLENGE_OCTETS,
    Credentials,
    parse_auth_info,
    parse_challenges,
    parse_credentials,
)

TCHAR = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
tokens = st.text(TCHAR, min_size=1, max_size=12)
names = tokens.map(str.lower)
token68s = st.from_regex(r"[A-Za-z0-9._~+/-]{1,20}={0,2}", fullmatch=True)
# What a quoted string may hold, as octets: HTAB, SP, VCHAR and obs-text.
quotable = st.text([chr(n) for n in (9, *range(32, 127), *range(128, 256))], max_size=20)
values = st.one_of(tokens.map(Token), quotable)
param_lists = st.lists(st.tuples(names, values), max_size=6, unique_by=lambda pair: pair[0]).map(tuple)
with_params = st.builds(Challenge, names, param_lists, st.none())
with_token68 = st.builds(lambda word, blob: Challenge(word, (), blob), names, token68s)
challenges = st.one_of(with_params, with_token68)
noise = st.text(' \t,="\\abZ-@;\0\r\n\x80', max_size=60).map(lambda text: text.encode("latin-1"))


def octets(challenge: Challenge) -> bytes:
    """What goes over the wire where each character stands for an octet."""
    return challenge.encode().decode("utf-8").encode("latin-1")


# ---- credentials ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"Basic dXNlcjpwYXNz", Credentials("basic", "dXNlcjpwYXNz", {})),
        (b"bASIC   dXNlcg==", Credentials("basic", "dXNlcg==", {})),
        (b"Negotiate", Credentials("negotiate", None, {})),
        (b"Negotiate  ", Credentials("negotiate", None, {})),
        (b"X a=b", Credentials("x", None, {"a": "b"})),
        (b'X A=B, c = "d" ,e\t=\tf', Credentials("x", None, {"a": "B", "c": "d", "e": "f"})),
        (b"X ,, a=b,\t,c=d, ,", Credentials("x", None, {"a": "b", "c": "d"})),
        (b"X , ", Credentials("x", None, {})),
        (b'X a="b, c=\\"d\\\\", e=""', Credentials("x", None, {"a": 'b, c="d\\', "e": ""})),
        (b'X a="\xc3\xa4\xff\t"', Credentials("x", None, {"a": "\xc3\xa4\xff\t"})),
        (b"X a=", Credentials("x", "a=", {})),
        (b"X a==", Credentials("x", "a==", {})),
    ],
)
def test_credentials_follow_the_grammar(value: bytes, expected: Credentials) -> None:
    assert parse_credentials(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        b"", b" ", b" Basic abc", b",", b"Basic, a=b", b'"Basic" abc', b"Basic\tabc", b"Bas:ic abc", b"B\xe4sic abc",
        b"Basic abc def", b"Basic abc, a=b", b"Basic abc,", b"Basic a=b, abc", b"Basic ab@c",
        b"X a=b c=d", b"X a=b; c=d", b'X a="b"c', b'X a="b" c="d"', b'X a="b', b'X a="b\\"', b'X a="b\\', b"X a=b=c",
        b"X a=b, =c", b"X a=b, c=", b"X a=b, c", b"X a=b@c", b'X a="b\0"', b'X a="b\x7f"', b'X a="b\r\n c"',
        b'X a="\\\0"', b"X a=b\n", b"X a=b\r\n c=d", b"X a\xe4=b", b"X a=\xe4", b"X\xa0a=b", b"X a*=b, \x0bc=d",
        b"X a=1, a=2", b"X a=1, A=1", b'X nonce="1", b=2, NONCE="2"', b"Basic dXNl\n", b"Basic =", b"Basic ==a",
    ],
)  # fmt: skip
def test_credentials_off_the_grammar_are_malformed(value: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        parse_credentials(value)
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS


@given(challenges)
def test_credentials_that_were_encoded_read_the_same(challenge: Challenge) -> None:
    expected = Credentials(challenge.scheme, challenge.token68, dict(challenge.params))
    assert parse_credentials(octets(challenge)) == expected


@given(st.one_of(st.binary(), noise, noise.map(lambda tail: b"Digest " + tail)))
def test_any_octets_are_credentials_or_malformed(value: bytes) -> None:
    try:
        credentials = parse_credentials(value)
    except Rejected as rejected:
        reason = rejected.reason
    else:
        assert credentials.scheme == credentials.scheme.lower()
        assert credentials.token68 is None or not credentials.params
        return
    assert reason is Reason.MALFORMED_CREDENTIALS


@given(with_params)
def test_what_a_server_accepts_a_client_reads_the_same(challenge: Challenge) -> None:
    credentials = parse_credentials(octets(challenge))
    assert parse_challenges([octets(challenge)]) == [
        Challenge(credentials.scheme, tuple(credentials.params.items()), None)
    ]


def test_values_give_back_their_octets() -> None:
    name = "Jäsøn Doe"
    params = parse_credentials(f'Digest username="{name}"'.encode()).params
    assert params["username"].encode("latin-1") == name.encode("utf-8")


@pytest.mark.parametrize("value", [b"Basic c2VjcmV0", b'X token="c2VjcmV0"'])
def test_no_secret_in_the_repr(value: bytes) -> None:
    assert "c2VjcmV0" not in repr(parse_credentials(value))


@pytest.mark.parametrize("value", [b"Bearer c2VjcmV0 c2VjcmV0", b'Bearer a="c2VjcmV0" b', b'c2VjcmV0="'])
def test_no_secret_in_the_error(value: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        parse_credentials(value)
    assert "c2VjcmV0" not in str(caught.value) + repr(caught.value.rejection)


# ---- Authentication-Info ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", {}),
        (b" , ", {}),
        (b'NextNonce="a, b", qop = auth,, nc=00000001', {"nextnonce": "a, b", "qop": "auth", "nc": "00000001"}),
        (b",, a=b", {"a": "b"}),
    ],
)
def test_authentication_info_is_a_list_of_parameters(value: bytes, expected: dict[str, str]) -> None:
    assert parse_auth_info(value) == expected


@pytest.mark.parametrize(
    "value", [b"Digest a=b", b'a=b, rspauth="', b"a=b c=d", b"rspauth=1, RSPAUTH=2", b"a", b"a=b" + b"," * 70000]
)
def test_broken_authentication_info_says_nothing(value: bytes) -> None:
    assert parse_auth_info(value) == {}


@given(st.one_of(st.binary(), noise))
def test_authentication_info_never_raises(value: bytes) -> None:
    assert all(name == name.lower() for name in parse_auth_info(value))


# ---- challenges -------------------------------------------------------------------------------------------------------


def read(*lines: bytes) -> list[tuple[str, dict[str, str], str | None]]:
    return [(challenge.scheme, dict(challenge.params), challenge.token68) for challenge in parse_challenges(lines)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([b""], []),
        ([b" , ,"], []),
        ([b"A, B , C"], [("a", {}, None), ("b", {}, None), ("c", {}, None)]),
        ([b"A a=1,b=2, B c=3,", b",C"], [("a", {"a": "1", "b": "2"}, None), ("b", {"c": "3"}, None), ("c", {}, None)]),
        ([b"A YWJj==, B YWJj , C a=b"], [("a", {}, "YWJj=="), ("b", {}, "YWJj"), ("c", {"a": "b"}, None)]),
        ([b'A a="x, B b=\\"y\\"", C c="d"'], [("a", {"a": 'x, B b="y"'}, None), ("c", {"c": "d"}, None)]),
        ([b"A , ,a = b\t,\tc\t=d"], [("a", {"a": "b", "c": "d"}, None)]),
        ([b"A\r\n a=b,\r\n\tB c=d"], [("a", {"a": "b"}, None), ("b", {"c": "d"}, None)]),
        ([b"A\ta=b"], [("a", {"a": "b"}, None)]),
        # No line continues another.
        ([b"A ", b"a=b"], [("a", {}, None)]),
        ([b'A a="b', b'c", B'], [("a", {"a": "b"}, None)]),
        # A scheme that has the name of a parameter, and the other way round.
        ([b"realm realm=realm, realm"], [("realm", {"realm": "realm"}, None), ("realm", {}, None)]),
        # No scheme has both a token68 and parameters, or parameters without a space before them.
        ([b"A YWJj, a=b, B c=d"], [("b", {"c": "d"}, None)]),
        ([b"a=b, A c=d"], [("a", {"c": "d"}, None)]),
        ([b"A, a=b"], [("a", {}, None)]),
    ],
)
def test_challenges_are_read_from_any_lines(
    lines: list[bytes], expected: list[tuple[str, dict[str, str], str | None]]
) -> None:
    assert read(*lines) == expected


@pytest.mark.parametrize(
    "broken",
    [
        b"A a b c", b"A a=b c=d", b'A a="b"c', b'A a="b" c="d"', b"A a=b, @", b"A a=b, c=", b"A @", b"A a=b=c d",
        b'A a=b"c"', b'A algorithm=, nonce="n"', b'A x=y, "quoted, Z q=r"',
    ],
)  # fmt: skip
def test_a_broken_challenge_is_left_out_and_the_others_are_found(broken: bytes) -> None:
    assert read(b"X x=y, " + broken + b', Z q="r"') == [("x", {"x": "y"}, None), ("z", {"q": "r"}, None)]


def test_what_is_neither_scheme_nor_parameter_counts_against_the_challenge_before_it() -> None:
    assert read(b"X x=y, A\\, Z q=r") == [("z", {"q": "r"}, None)]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b'A a="b', "b"), (b'A a="', ""), (b'A a="b\\', "b"), (b'A a="b\\"', 'b"'), (b'A a="b, c=d', "b, c=d"),
        (b"A a=x@y.z", "x@y.z"), (b"A a=\\x", "\\x"), (b"A a=/p?q=1", "/p?q=1"), (b"A a=b=c", "b=c"),
        (b"A a=\xc3\xa4", "\xc3\xa4"), (b"A a=1, A=2, a=3", "1"), (b'A a="b\0c\rd"', "b c d"), (b'A a="\x01"', "\x01"),
    ],
)  # fmt: skip
def test_what_can_be_recovered_is(line: bytes, value: str) -> None:
    assert read(line) == [("a", {"a": value}, None)]


def test_an_unclosed_quote_does_not_swallow_the_next_line() -> None:
    assert read(b'A a="b', b"B c=d") == [("a", {"a": "b"}, None), ("b", {"c": "d"}, None)]


@given(st.lists(challenges, max_size=4), st.booleans())
def test_challenges_that_were_encoded_read_the_same(sent: list[Challenge], in_one_line: bool) -> None:
    lines = [octets(challenge) for challenge in sent]
    assert parse_challenges([b", ".join(lines)] if in_one_line else lines) == sent


@given(st.lists(challenges, max_size=3))
def test_words_and_names_are_case_insensitive(sent: list[Challenge]) -> None:
    shouted = [
        Challenge(one.scheme.upper(), tuple((name.upper(), value) for name, value in one.params), one.token68)
        for one in sent
    ]
    assert parse_challenges([octets(challenge) for challenge in shouted]) == sent


@given(st.lists(st.one_of(st.binary(), noise), max_size=4))
def test_any_octets_are_read_without_raising(lines: list[bytes]) -> None:
    for challenge in parse_challenges(lines):
        assert challenge.scheme
        assert not any(char in value for _, value in challenge.params for char in "\r\n\0")


def test_no_more_than_the_limit_is_read() -> None:
    fits = b"A a=b" + b" " * (MAX_CHALLENGE_OCTETS - 5)
    assert read(fits) == [("a", {"a": "b"}, None)]
    assert read(fits + b" ") == []
    assert read(b"B c=d", fits, b"C") == [("b", {"c": "d"}, None)]


# ---- work -------------------------------------------------------------------------------------------------------------

ADVERSARIAL: dict[str, Callable[[int], bytes]] = {
    "commas": lambda n: b"A " + b"," * n,
    "spaced commas": lambda n: b"A " + b" \t," * (n // 3),
    "spaces, then no equals sign": lambda n: b"A a" + b" " * n + b"b",
    "spaces after a value": lambda n: b"A a=b" + b" " * n + b"c",
    "one token": lambda n: b"a" * n,
    "words": lambda n: b"a " * (n // 2),
    "words and commas": lambda n: b"a, " * (n // 3),
    "token68 without an end": lambda n: b"A " + b"a" * n + b"@",
    "equals signs": lambda n: b"A a" + b"=" * n + b"@",
    "open quotes": lambda n: b'A a="' * (n // 5),
    "quotes": lambda n: b'"' * n,
    "quoted values without commas": lambda n: b'A a="b" ' * (n // 8),
    "backslashes": lambda n: b'A a="' + b"\\" * n,
    "quoted pairs and no end": lambda n: b'A a="' + b"\\a" * (n // 2),
    "quoted pairs, then garbage": lambda n: b'A a="' + b"\\a" * (n // 2) + b'"b',
    "many parameters": lambda n: b"A " + b",".join(b"a%d=b" % i for i in range(n // 8)),
    "parameters, then garbage": lambda n: b"A " + b"a=b," * (n // 4) + b"@",
    "folds": lambda n: b"A" + b"\r\n " * (n // 3) + b"a=b",
    "NULs": lambda n: b"A " + b"\0" * n,
}


def _strict(value: bytes) -> None:
    try:
        parse_credentials(value)
    except Rejected:
        return


@pytest.mark.parametrize("shape", ADVERSARIAL)
@pytest.mark.parametrize("parse", [_strict, lambda value: parse_challenges([value])], ids=["strict", "lenient"])
def test_work_grows_no_faster_than_the_input(
    parse: Callable[[bytes], object], shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls are counted. Inside a pattern nothing is, so a megabyte must be parsed at all.

    The square of that is more steps back than any machine takes within the limit for tests that hang.
    """
    monkeypatch.setattr("watchword.fields.auth_params.MAX_CHALLENGE_OCTETS", 10**7)
    small, large = ADVERSARIAL[shape](8_000), ADVERSARIAL[shape](128_000)
    assert steps(lambda: parse(large)) <= 17 * steps(lambda: parse(small))  # of 16 times the input
    parse(ADVERSARIAL[shape](1_000_000))


def test_credentials_have_64_parameters_at_most() -> None:
    def value(count: int, text: bytes = b'"a,b\\,c"') -> bytes:
        return b"Any " + b", ".join(b"p%d=%b" % (number, text) for number in range(count))

    for text in (b"x", b'"x"', b'"a,b\\,c"'):
        assert len(parse_credentials(value(64, text)).params) == 64
        with pytest.raises(Rejected, match="more than 64 parameters"):
            parse_credentials(value(65, text))
    # Commas in a quoted string part nothing.
    assert parse_credentials(b'Any a="' + b"," * 1000 + b'", b=c').params == {"a": "," * 1000, "b": "c"}
    with pytest.raises(Rejected, match="member 2 is not a parameter"):
        parse_credentials(b'Any a="' + b"," * 1000 + b'", b')
