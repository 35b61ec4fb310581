"""The page on rules: what it shows can be imported, and does what it says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import msgspec
import pytest

from mtp_plugin import Product
from mtp_plugin.facts import vocabulary
from mtp_plugin.records import AnyEffect, Rule
from mtp_plugin.rules.checks import Finding
from mtp_plugin.rules.vocabulary import FACTS

from ..core.shops import mounted, watches
from .fences import ROOT, blocks, rows

PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")


def test_the_rules_shown_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handy = [
        Product(product_id=f"q{number}", title=f"Folding Cup {number}", tags=("portable", "quick"), price=9.0)
        for number in range(3)
    ]
    flash = Product(
        product_id="f1", title="Pen", price=9.0, sale_price=5.0, sale_until=4e9, tags=("flash-sale",), stock=1
    )
    app, state = mounted(tmp_path, [*watches(), *handy, flash])
    monkeypatch.chdir(tmp_path)
    Path("rules.json").write_text(blocks("rules.md", "json")[0], encoding="utf-8")
    runner = app.test_cli_runner()
    for line in blocks("rules.md", "sh")[0].splitlines():
        done = runner.invoke(args=shlex.split(line)[1:])
        assert done.exit_code == 0, done.output
    assert "holds      commuters-quick" in done.output
    before, after = done.output.split("after:")
    assert after.count("rule:commuters-quick") == 3
    assert before.count(" q") < after.count(" q")
    exported = json.loads(runner.invoke(args=["mtp", "rules", "export"]).output)
    assert [rule["rule_id"] for rule in exported["rules"]] == ["budget-flash", "commuters-quick"]
    state.close()


def test_every_effect_field_and_code_is_named() -> None:
    effects = {kind.__struct_config__.tag for kind in AnyEffect.__args__}
    listed = {name for cell, *_ in rows("rules.md", "effect") for name in re.findall(r"`([^`]+)`", cell)}
    assert listed == effects
    fields = {name for cell, *_ in rows("rules.md", "field") for name in re.findall(r"`([^`]+)`", cell)}
    assert fields == set(Rule.__struct_fields__)
    source = (ROOT / "mtp_plugin" / "rules" / "checks.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'"((?:unknown|never|matches|empties)-[a-z]+|over|contradicts)"', source))
    assert codes <= set(re.findall(r"`([a-z-]+)`", PAGE))
    assert Finding.__struct_fields__


def test_every_fact_is_named() -> None:
    for fact in FACTS:
        if not fact.path.startswith(("product.", "experiment")):
            assert f"`{fact.path}" in PAGE or f"`{fact.path.rpartition('.')[2]}`" in PAGE, fact.path
    assert vocabulary().find("profile.brand.Acme") is not None


def test_the_schema_takes_what_is_shown() -> None:
    shown = json.loads(blocks("rules.md", "json")[0])
    assert msgspec.convert(shown["rules"][0], Rule).rule_id == "budget-flash"
