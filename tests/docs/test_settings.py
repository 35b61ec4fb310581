"""The page of settings is complete and true."""

from __future__ import annotations

import re
from pathlib import Path

from mtp_plugin.config import rows

from .settings_page import PAGE, page

DOCS = Path(__file__).parents[2]


def test_the_page_is_the_rows() -> None:
    assert PAGE.read_text() == page(), "write it anew: python -m tests.docs.settings_page"


def test_no_page_speaks_of_a_setting_that_is_none() -> None:
    known = {row["name"] for row in rows()} | {"MTP_TEST_DATA"}
    for path in [DOCS / "README.md", *(DOCS / "docs").rglob("*.md")]:
        named = set(re.findall(r"\bMTP_[A-Z_]*[A-Z]\b", path.read_text()))
        assert named <= known, path


def test_links_between_pages_lead_somewhere() -> None:
    for path in [DOCS / "README.md", *(DOCS / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"
