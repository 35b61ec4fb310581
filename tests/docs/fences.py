"""The fenced blocks of README and documentation, as tests run them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Fence:
    """One block: the page's name, the word after the fence (none is ``sh``), the text."""

    page: str
    language: str
    text: str


def fences(page: str = "") -> list[Fence]:
    """All blocks in order, or those of one page."""
    return [
        Fence(path.name, language or "sh", text)
        for path in PAGES
        if page in ("", path.name)
        for language, text in _FENCE.findall(path.read_text(encoding="utf-8"))
    ]


def blocks(page: str, language: str) -> list[str]:
    """The texts of one language in a page, in order."""
    return [fence.text for fence in fences(page) if fence.language == language]


def rows(page: str, head: str) -> list[list[str]]:
    """The cells of the table whose header begins with *head*."""
    text = next(path for path in PAGES if path.name == page).read_text(encoding="utf-8")
    lines = text.split(f"\n| {head} |", 1)[1].split("\n")[2:]
    found = []
    for line in lines:
        if not line.startswith("|"):
            return found
        found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def names(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)
