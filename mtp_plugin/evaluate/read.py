"""Files of sessions, compressed or not, comma- or tab-separated; columns are found by their names."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ..errors import InputError

SESSION = ("session", "sessionid", "session_id")
ITEM = ("item", "itemid", "item_id", "product_id")
TIME = ("time", "timestamp", "ts", "eventdate")
PLACE = ("seq", "position", "order", "timeframe")
UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""From the first number on, a time counts so many parts of a second: as seconds it would lie beyond the year 5138."""

Row = tuple[str, str, float]


def open_text(path: str | Path) -> IO[str]:
    """Open a text file, unpacking gzip by what it holds, not by its name."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return open(path, encoding="utf-8-sig", newline="")


def header(path: str | Path) -> list[str]:
    """The column names, lower case."""
    with open_text(path) as file:
        line = file.readline()
    names = next(csv.reader([line], delimiter=delimiter_of(line)), [])
    return [name.strip().lower() for name in names]


def delimiter_of(line: str) -> str:
    """What parts the columns of a header."""
    return "\t" if "\t" in line else ";" if ";" in line and "," not in line else ","


def read_sessions(path: str | Path, *, field: str = "train") -> tuple[list[Row], bool]:
    """Rows of session, item, time or place; and whether it is a time, in seconds.

    :param field: what errors name
    :raises InputError: columns are missing, or a row cannot be read; the message names the line
    """
    with _named(path, field):
        names = header(path)
        session, item = _column(names, SESSION, path, field), _column(names, ITEM, path, field)
        timed = any(name in names for name in TIME)
        order = _column(names, TIME if timed else PLACE, path, field)
        rows = []
        for number, row in _rows(path):
            try:
                rows.append((row[session], row[item], _moment(row[order])))
            except (IndexError, ValueError) as error:
                raise InputError(f"{path}, line {number}: {_reason(error)}", field=field) from error
    if not rows:
        raise InputError(f"{path} has no rows", field=field)
    return (_in_seconds(rows) if timed else rows), timed


def read_cases(path: str | Path) -> list[tuple[list[str], str]]:
    """Prefixes and targets: as they stand in the file, or every place but the first of whole sessions.

    :raises InputError: neither form can be read from the file, or there is nothing to be predicted in it
    """
    with _named(path, "test"):
        names = header(path)
        cases = _prefixes(path, names) if {"prefix", "target"} <= set(names) else _places(path)
    if not cases:
        raise InputError(f"{path} has no place to predict: no session of two products or more", field="test")
    return cases


def _prefixes(path: str | Path, names: list[str]) -> list[tuple[list[str], str]]:
    prefix, target = names.index("prefix"), names.index("target")
    cases = []
    for number, row in _rows(path):
        if len(row) <= max(prefix, target) or not row[target].strip():
            raise InputError(f"{path}, line {number}: there is no target", field="test")
        cases.append((row[prefix].split(), row[target].strip()))
    return cases


def _places(path: str | Path) -> list[tuple[list[str], str]]:
    sessions: dict[str, list[tuple[float, str]]] = {}
    for session, item, order in read_sessions(path, field="test")[0]:
        sessions.setdefault(session, []).append((order, item))
    cases = []
    for views in sessions.values():
        items = [item for _, item in sorted(views, key=lambda view: view[0])]
        cases += [(items[:place], items[place]) for place in range(1, len(items))]
    return cases


@contextmanager
def _named(path: str | Path, field: str) -> Iterator[None]:
    """What a broken file raises, as an error that names the file."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: {error.reason} at byte {error.start}", field=field) from error
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}", field=field) from error


def _rows(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    with open_text(path) as file:
        delimiter = delimiter_of(file.readline())
        for number, row in enumerate(csv.reader(file, delimiter=delimiter), 2):
            if row:
                yield number, row


def _column(names: list[str], known: tuple[str, ...], path: str | Path, field: str) -> int:
    for name in known:
        if name in names:
            return names.index(name)
    raise InputError(f"{path} has no column {known[0]!r}; it has {', '.join(names)[:200]}", field=field)


def _reason(error: Exception) -> str:
    return "a column is missing" if isinstance(error, IndexError) else str(error)


def _moment(text: str) -> float:
    """A number as it stands; a date, in UTC where it names no zone, as seconds since 1970."""
    try:
        number = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is no time")
    return number


def _in_seconds(rows: list[Row]) -> list[Row]:
    """Times of one file have one unit: that of the latest."""
    latest = max(order for _, _, order in rows)
    parts = next((parts for least, parts in UNITS if latest >= least), 1.0)
    return [(session, item, order / parts) for session, item, order in rows] if parts > 1 else rows
