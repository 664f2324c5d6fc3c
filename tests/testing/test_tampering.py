"""Changed requests: each differs in what it says, and in nothing else."""

from __future__ import annotations

import pytest

from watchword import Peer, Request
from watchword.testing import changed, flips, tamperings

GENUINE = Request(
    "PUT", "https", "api.example", "/orders?id=7", [("Authorization", "Bearer a7+"), ("X-A", "1"), ("X-A", "2")]
)


def parts(request: Request) -> dict[str, object]:
    return {
        name: getattr(request, name) for name in ("method", "scheme", "authority", "target", "headers", "peer", "exact")
    }


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("method", "GET"), ("scheme", "http"), ("authority", "other.example"), ("target", b"/"), ("peer", Peer("192.0.2.1")),
    ],
)  # fmt: skip
def test_one_part_is_changed_and_the_others_stay(part: str, value: object) -> None:
    before = parts(GENUINE)
    after = parts(changed(GENUINE, **{part: value}))  # type: ignore[arg-type]
    assert after == {**before, part: value}
    assert parts(GENUINE) == before


def test_fields_are_replaced_added_and_left_out() -> None:
    other = changed(GENUINE, headers=[(b"x-b", b"3")], without=[b"x-a"])
    assert other.headers == ((b"authorization", b"Bearer a7+"), (b"x-b", b"3"))
    assert changed(GENUINE, headers=[(b"x-a", b"3")]).values(b"x-a") == [b"3"]


@pytest.mark.parametrize("body", [b"", b"pay 10"])
@pytest.mark.parametrize("target", ["/orders?id=7", "/", "/orders?"])
def test_every_tampering_differs_in_its_part_alone(target: str, body: bytes) -> None:
    genuine = changed(GENUINE, target=target)
    found = list(tamperings(genuine, body))
    assert {tampering.part for tampering in found} == {"method", "path", "query", "headers", "body"}
    assert len({(each.part, each.change) for each in found}) == len(found)
    for each in found:
        differs = {name for name, value in parts(each.request).items() if value != parts(genuine)[name]}
        differs |= {"body"} if each.body != body else set()
        assert differs == {"target" if each.part in ("path", "query") else each.part}
        assert (each.request.path == genuine.path) is (each.part != "path")
        assert "pay" not in repr(each)


def test_each_octet_of_the_first_line_is_flipped_and_keeps_its_kind() -> None:
    lines = [other.headers for other in flips(GENUINE, b"authorization")]
    values = [value for (_, value), *_ in lines]
    assert len(values) == len(b"Bearer a7+") == len(set(values))
    for place, value in enumerate(values):
        assert [at for at in range(len(value)) if value[at] != b"Bearer a7+"[at]] == [place]
        assert value[place : place + 1].isalnum() == b"Bearer a7+"[place : place + 1].isalnum() or place in (6, 9)
    assert [other.values(b"x-a") for other in flips(GENUINE, b"x-a")] == [[b"2", b"2"]]
    assert list(flips(GENUINE, b"x-b")) == []
