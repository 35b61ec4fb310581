"""Writes the table of ``docs/authorisation.md`` from what routes answer: run it with ``python -m``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..security.matrix import ACTORS, Row, matrix

PAGE = Path(__file__).parents[2] / "docs" / "authorisation.md"
START, END = "<!-- routes -->", "<!-- /routes -->"


def table(rows: Iterable[Row]) -> str:
    """The rows as Markdown."""
    lines = [f"| route | {' | '.join(ACTORS)} |", "|---" * (len(ACTORS) + 1) + "|"]
    lines += [f"| {row.route} | {' | '.join(row.cells)} |" for row in rows]
    return "\n".join(lines)


def page(text: str, rows: Iterable[Row]) -> str:
    """The page with the table as routes answer now."""
    before, _, rest = text.partition(START)
    return f"{before}{START}\n{table(rows)}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), matrix(Path(folder))), encoding="utf-8")
