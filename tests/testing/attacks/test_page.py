"""The page about the attack list is true: its app and its fixture, as they stand there, pass; and its tables are complete."""

from __future__ import annotations

import inspect
import re

import pytest

from tests.test_docs import FENCE
from tests.test_house import ROOT
from tests.testing.attacks.test_plugin import run, shop
from watchword.testing.attacks import Credentials
from watchword.testing.attacks.listed import ATTACKS, PUBLIC

PAGE = (ROOT / "docs" / "how-to" / "attack-your-app.md").read_text("utf-8")
BLOCKS = [block for language, block in FENCE.findall(PAGE) if language == "python"]

__all__ = ["shop"]


@pytest.mark.sweep
def test_the_first_two_programs_of_the_page_are_an_app_that_passes(shop):
    (shop / "shop.py").write_text(BLOCKS[0], "utf-8")
    (shop / "conftest.py").write_text(BLOCKS[1], "utf-8")
    some = "no_credentials or missing_scope or decorator or credentials_in_query or public"
    code, output = run(shop, "--watchword-app=shop:app", "-k", some)
    assert code == 0, output
    assert ": 0 holes, 0 weaknesses" in output
    (shop / "shop.py").write_text(
        BLOCKS[0].replace('@auth.required("orders:write")', '@auth.required("orders:read")'), "utf-8"
    )
    code, output = run(shop, "--watchword-app=shop:app", "-k", some)
    assert code == 1
    assert "missing_scope on DELETE /orders/<int:order_id>: credentials without the right" in output


def test_the_finding_on_the_page_is_one_that_comes_out(shop):
    (text,) = (block.strip() for language, block in FENCE.findall(PAGE) if language == "text")
    code, output = run(shop, "--watchword-app=shop:app", "-k", "no_credentials and report", HOLED="1")
    assert code == 1
    assert text in "\n".join(line.rstrip() for line in output.splitlines())


def test_the_page_names_every_attack_and_every_argument():
    table = PAGE.partition("## The attacks")[2]
    assert set(re.findall(r"`(\w+)`", table)) >= {attack.name for attack in (*ATTACKS, *PUBLIC)}
    arguments = set(inspect.signature(Credentials).parameters) - {"sign"}
    assert arguments <= {name for name in re.findall(r"(\w+)=", PAGE) if name} | {"mint"}
