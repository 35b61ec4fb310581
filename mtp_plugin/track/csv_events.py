"""Events in CSV or tab-separated files, with a header."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from ..errors import InputError
from ..records import Event, RowError
from .tables import Columns, table_events


def read_csv(path: Path, mapping: Mapping[str, Any], zone: ZoneInfo) -> Iterator[Event | RowError]:
    """The events of a CSV file; the first line names the columns.

    :raises InputError: it is empty, not UTF-8, or lacks a column
    """
    with open_text(path) as file:
        try:
            header_line = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter="\t" if "\t" in header_line else _delimiter(header_line))
            if not reader.fieldnames:
                raise InputError(f"{path.name} is empty", field="file")
            columns = Columns(reader.fieldnames, mapping)
            yield from table_events(((reader.line_num, row) for row in reader), columns, zone)
        except UnicodeDecodeError as error:
            raise InputError(f"{path.name} is not UTF-8: {error.reason} at byte {error.start}", field="file") from error
        except csv.Error as error:
            raise InputError(f"{path.name} is no CSV file: {error}", field="file") from error


def open_text(path: Path) -> IO[str]:
    """A text file, compressed or not."""
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _delimiter(header: str) -> str:
    return ";" if header.count(";") > header.count(",") else ","
