"""Long lists: which part of one a page shows, and its way to a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import Response, request

T = TypeVar("T")
SIZE = 25
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Part of a list: *rows* are numbers *first* to *last* (from 1) of *total*."""

    rows: Sequence[T]
    page: int
    pages: int
    total: int

    @property
    def first(self) -> int:
        return (self.page - 1) * SIZE + 1 if self.total else 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1 if self.total else 0


def part_of(rows: Sequence[T]) -> Part[T]:
    """The part that the address asks for with ``page``; one that is not there is the nearest that is."""
    pages = max(1, -(-len(rows) // SIZE))
    asked = request.args.get("page", "1")
    page = min(pages, max(1, int(asked))) if asked.isdecimal() and len(asked) < 8 else 1
    return Part(rows[(page - 1) * SIZE : page * SIZE], page, pages, len(rows))


def searched() -> str:
    """What the address asks for with ``q``."""
    return request.args.get("q", "").strip()[:200]


def csv_answer(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A table as a file. What a spreadsheet would take for a formula is written as text."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(columns)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    response = Response(written.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _plain(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(DANGEROUS) else cell
