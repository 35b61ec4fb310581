"""Events in CSV or tab-separated files, with a header."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from ..errors import InputError
from ..records import Event, RowError
from .clock import FileTimes
from .columns import Columns
from .tables import Row, table_events


def read_csv(path: Path, mapping: Mapping[str, Any], times: FileTimes) -> Iterator[Event | RowError]:
    """The events of a CSV file; the first line names the columns.

    :raises InputError: it is empty, no CSV, or lacks a column
    """
    with open_text(path) as file:
        header = open_table(file).fieldnames
    if not header:
        raise InputError(f"{path.name} is empty", field="file")
    yield from table_events(lambda: _rows(path), Columns(header, mapping), times)


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    with open_text(path) as file:
        reader = open_table(file)
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            raise InputError(f"line {reader.line_num}: {error}", field="file") from error


def open_text(path: Path, errors: str = "strict") -> IO[str]:
    """A text file in UTF-8, compressed or not."""
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", errors=errors, newline="")
    return path.open(encoding="utf-8-sig", errors=errors, newline="")


def open_table(file: IO[str]) -> csv.DictReader[str]:
    """The rows of a table whose cells are parted by tabs, semicolons or commas, as its header tells."""
    header = file.readline()
    file.seek(0)
    delimiter = max("\t;,", key=header.count) if header else ","
    return csv.DictReader(file, delimiter=delimiter)
