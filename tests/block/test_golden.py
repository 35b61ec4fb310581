"""Block HTML is pinned; ``python -m tests.golden.blocks.refresh`` changes it on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.blocks.refresh import golden

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "blocks"
RENDERED = golden()


def test_every_golden_file_is_rendered():
    assert {path.name for path in GOLDEN.glob("*.html")} == set(RENDERED)


@pytest.mark.parametrize("name", sorted(RENDERED))
def test_block_html_is_as_recorded(name):
    assert RENDERED[name] + "\n" == (GOLDEN / name).read_text(encoding="utf-8")


def test_an_empty_slate_is_no_block_at_all():
    assert RENDERED["empty.html"] == ""
