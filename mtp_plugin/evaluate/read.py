"""Files of sessions, compressed or not, comma- or tab-separated; columns are found by their names."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from ..errors import InputError

SESSION = ("session", "sessionid", "session_id")
ITEM = ("item", "itemid", "item_id", "product_id")
TIME = ("time", "timestamp", "ts")
PLACE = ("seq", "position", "order")


def open_text(path: str | Path) -> IO[str]:
    """Open a text file, unpacking gzip by what it holds, not by its name."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if packed:
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return open(path, encoding="utf-8", newline="")


def header(path: str | Path) -> list[str]:
    """The column names, lower case."""
    with open_text(path) as file:
        line = file.readline()
    names = next(csv.reader([line], delimiter=_delimiter(line)), [])
    return [name.strip().lower().lstrip("\ufeff") for name in names]


def read_sessions(path: str | Path) -> tuple[list[tuple[str, str, float]], bool]:
    """Rows of session, item, time or place; and whether it is a time.

    :raises InputError: columns are missing, or a row cannot be read; the message names the line
    """
    names = header(path)
    session, item = _column(names, SESSION, path), _column(names, ITEM, path)
    timed = any(name in names for name in TIME)
    order = _column(names, TIME if timed else PLACE, path)
    rows = []
    for number, row in _rows(path):
        try:
            rows.append((row[session], row[item], _moment(row[order])))
        except (IndexError, ValueError) as error:
            raise InputError(f"{path}, line {number}: {error}", field="train") from error
    if not rows:
        raise InputError(f"{path} has no rows", field="train")
    return rows, timed


def read_cases(path: str | Path) -> list[tuple[list[str], str]]:
    """Prefixes and targets: as they stand in the file, or every place but the first of whole sessions.

    :raises InputError: neither form can be read from the file
    """
    names = header(path)
    if "prefix" in names and "target" in names:
        prefix, target = names.index("prefix"), names.index("target")
        return [(row[prefix].split(), row[target]) for _, row in _rows(path) if len(row) > max(prefix, target)]
    sessions: dict[str, list[tuple[float, str]]] = {}
    for session, item, order in read_sessions(path)[0]:
        sessions.setdefault(session, []).append((order, item))
    cases = []
    for views in sessions.values():
        items = [item for _, item in sorted(views, key=lambda view: view[0])]
        cases += [(items[:place], items[place]) for place in range(1, len(items))]
    return cases


def _rows(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    with open_text(path) as file:
        delimiter = _delimiter(file.readline())
        for number, row in enumerate(csv.reader(file, delimiter=delimiter), 2):
            if row:
                yield number, row


def _delimiter(line: str) -> str:
    return "\t" if "\t" in line else ";" if ";" in line and "," not in line else ","


def _column(names: list[str], known: tuple[str, ...], path: str | Path) -> int:
    for name in known:
        if name in names:
            return names.index(name)
    raise InputError(f"{path} has no column {known[0]!r}; it has {', '.join(names)}", field="train")


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()
