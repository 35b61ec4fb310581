"""Block HTML is pinned; ``tests/golden/blocks/refresh.py`` changes it on purpose."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "blocks"


def _refresh():
    spec = importlib.util.spec_from_file_location("golden_blocks", GOLDEN / "refresh.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RENDERED = _refresh().golden()


def test_every_golden_file_is_rendered():
    assert {path.name for path in GOLDEN.glob("*.html")} == set(RENDERED)


@pytest.mark.parametrize("name", sorted(RENDERED))
def test_block_html_is_as_recorded(name):
    assert RENDERED[name] + "\n" == (GOLDEN / name).read_text(encoding="utf-8")


def test_an_empty_slate_is_no_block_at_all():
    assert RENDERED["empty.html"] == ""
