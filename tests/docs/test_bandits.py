"""The page on policies that learn: its configuration is taken, its options and figures are what there is."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mtp_plugin import MTP
from mtp_plugin.bandit.rows import FLOOR, WINDOW_HOURS, Row
from mtp_plugin.rewarding import DAYS_APART, PATIENCE

from ..core.shops import bare_app
from .fences import PAGES, blocks, names, rows

PAGE = next(path for path in PAGES if path.name == "bandits.md").read_text(encoding="utf-8")
MADE = {"name", "creatives"}
"""Fields that loading fills."""


def test_the_policies_shown_are_taken(tmp_path: Path) -> None:
    app = bare_app(tmp_path)
    (code,) = blocks("bandits.md", "python")
    exec(compile(code, "docs", "exec"), {"app": app})
    MTP(app)
    state = app.extensions["mtp"]
    assert list(state.bandits.rows) == ["hero-strategy", "hero-words", "trending-third"]
    state.close()


def test_every_option_is_listed_with_its_default() -> None:
    listed = {names(row[0])[0]: row[1] for row in rows("bandits.md", "option")}
    fields = {field.name: field.default for field in msgspec.structs.fields(Row) if field.name not in MADE}
    assert set(listed) == set(fields)
    fields["floor"] = FLOOR
    told = {name: said for name, said in listed.items() if said.startswith("`")}
    assert told == {name: f"`{fields[name]}`".replace(".0`", "`" if name == "shared" else ".0`") for name in told}
    assert listed["window_hours"] == "0.5, 2, 24"
    assert set(WINDOW_HOURS.values()) == {0.5, 2.0, 24.0}


def test_figures_are_those_that_hold() -> None:
    assert f"Days older than {DAYS_APART} are put together" in PAGE
    assert "five minutes after its window has closed" in PAGE
    assert PATIENCE == 300
    assert 0.5 ** (1 / 23) > 0.97 > 0.5 ** (1 / 22), "half after 23 days"
