"""The matrix itself: its tables, the cells that hold every pair, its pages, and that its checks see what they are for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.clients.origin import Answer, Seen, ok, origin
from tests.interop.matrix import report
from tests.interop.matrix.cells import checks_of, covering, every, missing, pairs
from tests.interop.matrix.checks import CHANGES, CHECKS, Bench, Elsewhere, Verdicts
from tests.interop.matrix.clients import CLIENTS, Asked, Client, Got, Threads
from tests.interop.matrix.schemes import SCHEMES, Scheme, User
from tests.interop.matrix.servers import SERVERS
from watchword.schemes import SCHEMES as ROWS

ROOT = Path(__file__).parents[1]
TABLES: tuple[Any, ...] = (SCHEMES, CLIENTS, SERVERS)
BY_NAME = {scheme.name: scheme for scheme in SCHEMES}

# ---- the tables -------------------------------------------------------------------------------------------------------


def test_every_scheme_is_in_the_matrix():
    assert sorted(scheme.name for scheme in SCHEMES) == sorted(row.name for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_proof_of_a_scheme_and_whatever_it_covers_is_changed_on_the_way(row):
    assert BY_NAME[row.name].refusals.keys() == {"proof"} | row.covers
    assert row.covers <= CHANGES.keys()


@pytest.mark.parametrize("table", TABLES, ids=["schemes", "clients", "servers"])
def test_names_are_different(table):
    assert len({entry.name for entry in table}) == len(table)


# ---- the cells --------------------------------------------------------------------------------------------------------


def test_the_cells_that_are_run_hold_every_pair_that_there_is():
    chosen = covering(every())
    counted = {(one, other): 0 for one in range(3) for other in range(one + 1, 3)}
    for one, other in counted:
        together = {(cell.names[one], cell.names[other]) for cell in every()}
        assert {(cell.names[one], cell.names[other]) for cell in chosen} == together
        counted[one, other] = len(together)
    lacking = sum(len(each.what) for each in missing() if set(each.what) <= BY_NAME.keys())
    assert counted == {
        (0, 1): len(SCHEMES) * len(CLIENTS) - lacking,
        (0, 2): len(SCHEMES) * len(SERVERS),
        (1, 2): len(CLIENTS) * len(SERVERS),
    }
    assert len(pairs(chosen)) == sum(counted.values())


def test_they_are_few_and_the_same_each_time():
    chosen = covering(every())
    assert [cell.names for cell in chosen] == [cell.names for cell in covering(every())]
    largest = len(SERVERS) * max(len(SCHEMES), len(CLIENTS))  # below it no choice can hold every pair
    assert largest <= len(chosen) <= 1.2 * largest


# ---- the pages --------------------------------------------------------------------------------------------------------


def test_what_the_matrix_lacks_is_named_with_its_reason_and_nothing_else_is():
    page = (ROOT / "docs" / "limitations.md").read_text("utf-8")
    head = "| client | cells and checks that there are not | why |\n|---|---|---|\n"
    assert page.count(head) == 1
    shown = page.partition(head)[2].partition("\n\n")[0].splitlines()
    assert shown == [report.row_of(each) for each in missing()]


def test_the_page_shows_every_entry_of_the_tables():
    """Else `make matrix` has not been run since one came or went."""
    results: report.Results = dict.fromkeys([cell.names for cell in every()], ())
    shown = report.between(report.PAGE.read_text("utf-8"))
    assert f"of {len(results)} cells are green" in shown
    assert tables_of(shown) == tables_of(report.written(results, "", ""))


def tables_of(part: str) -> list[str]:
    """The tables, whatever their numbers are."""
    return [re.sub(r"\b\d+( of \d+)?(?= \|)", "n", line) for line in part.splitlines() if line.startswith("|")]


def test_a_cell_that_failed_is_not_counted_green_and_its_check_is_named():
    results: dict[tuple[str, str, str], tuple[str, ...]] = dict.fromkeys([cell.names for cell in every()], ())
    results["hmac", "httpx", "Flask"] = ("replayed",)
    part = report.written(results, "2026-01-01", "abc")
    assert f"2026-01-01, `src` of commit abc: {len(results) - 1} of {len(results)} cells are green" in part
    assert "- replayed, by httpx: 1 cells are not" in part
    assert f"{len(SERVERS) - 1} of {len(SERVERS)}" in part
    assert report.written(results, "2026-01-01", "abc") == part


def test_a_run_that_left_cells_out_is_not_written():
    results: report.Results = {cell.names: () for cell in every()[1:]}
    with pytest.raises(ValueError, match="1 cells were not run"):
        report.written(results, "", "")


def test_the_results_are_read_from_the_file_that_pytest_writes(tmp_path):
    file = tmp_path / "results.xml"
    told = {"scheme": "hmac", "client": "httpx, async", "server": "Flask", "failed": "401, replayed"}
    lines = "".join(f'<property name="{name}" value="{value}"/>' for name, value in told.items())
    cases = f"<testcase><properties>{lines}</properties></testcase><testcase/>"
    file.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    assert report.read(file) == {("hmac", "httpx, async", "Flask"): ("401", "replayed")}


def test_the_rest_of_the_page_stays():
    page = f"before\n\n{report.BEGIN}\nold\n{report.END}\n\nafter\n"
    assert report.replaced(page, "new") == f"before\n\n{report.BEGIN}\n\nnew\n\n{report.END}\n\nafter\n"
    assert report.between(report.replaced(page, "new")) == "new"


# ---- the checks -------------------------------------------------------------------------------------------------------


@contextmanager
def blind(scheme: Scheme, client: Client, folder: Path, maybe: str | None) -> Iterator[Bench]:
    """A server that refuses nothing, and says that all is well; who asks for /maybe is `maybe`."""
    log = folder / "verdicts"
    log.touch()
    who = {"subject": scheme.subject(User(client.user)), "scheme": scheme.name}

    def answer(seen: Seen) -> Answer:
        path = seen.target.partition("?")[0]
        subject = maybe if path == "/maybe" else who["subject"]
        with log.open("a") as lines:
            lines.write(json.dumps({"path": path, "reason": None, "subject": subject}) + "\n")
        said = {**who, "subject": subject, "size": len(seen.body), "sha256": sha256(seen.body).hexdigest()}
        headers = [("Location", elsewhere.url)] if path == "/away" else []
        return 307 if headers else 200, headers, json.dumps(said).encode()

    with origin(ok) as foreign, origin(answer) as server:
        elsewhere = Elsewhere(foreign)
        yield Bench(scheme, client, SERVERS[0], server.port, Verdicts(log), elsewhere, "", folder)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
@pytest.mark.parametrize("check", ["nobody", "tampered", "replayed", "401", "foreign redirect"])
def test_a_server_that_refuses_nothing_fails_each_check_that_is_about_refusals(check, client, tmp_path):
    scheme = BY_NAME["hmac" if client.schemes is None else "digest"]
    if check not in checks_of(client):
        check = "tampered"
    with blind(scheme, client, tmp_path, scheme.subject(User(client.user))) as bench:
        if client.schemes is None:
            CHECKS["genuine"](bench)
        with pytest.raises(AssertionError):
            CHECKS[check](bench)


def test_credentials_that_go_along_to_another_origin_are_seen(tmp_path):
    @contextmanager
    def leaking(scheme: Scheme, user: User) -> Iterator[Any]:
        with httpx2.Client(headers={"X-API-Key": user.api_key}, follow_redirects=True, trust_env=False) as session:

            def send(asked: Asked) -> Got:
                answer = session.request(asked.method, asked.url)
                return Got(answer.status_code, answer.content)

            yield Threads(send)

    site = blind(BY_NAME["api_key"], Client("leaking", leaking), tmp_path, None)
    with site as bench, pytest.raises(AssertionError, match="x-api-key"):
        CHECKS["foreign redirect"](bench)
