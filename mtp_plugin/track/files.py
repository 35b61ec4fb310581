"""History in files: which format it is, and one iterator for all of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import InputError
from ..records import Event, RowError
from .clock import FileTimes
from .csv_events import open_text, read_csv
from .online_retail import is_online_retail, read_online_retail
from .parquet_events import read_parquet
from .segment_lines import read_lines

Reader = Callable[[Path, Mapping[str, Any], FileTimes], Iterator[Event | RowError]]

FORMATS: Mapping[str, Reader] = {
    "csv": read_csv,
    "parquet": read_parquet,
    "jsonl": read_lines,
    "online-retail": read_online_retail,
}


def read_events(
    path: str | Path,
    *,
    format: str = "",
    mapping: Mapping[str, Any] | None = None,
    time_zone: str = "UTC",
    now: float | None = None,
) -> Iterator[Event | RowError]:
    """The events in a file, and an error for each row that is none.

    Reading the same file again gives the same event ids, so what is stored already stays as it is.

    :param path: ``.csv``, ``.tsv``, ``.csv.gz``, ``.parquet``, ``.jsonl``
    :param format: ``csv``, ``parquet``, ``jsonl`` or ``online-retail``; told by name and content if empty
    :param mapping: our field to the file's column, see ``docs/events.md``
    :param time_zone: of times that name none
    :param now: seconds since 1970; later times are errors. ``None`` takes any
    :raises InputError: no such format, or the file as a whole cannot be read
    """
    file = Path(path)
    name = format or told_format(file)
    if name not in FORMATS:
        raise InputError(f"there is no format {name!r}; use one of {', '.join(FORMATS)}", field="format")
    return _read(file, FORMATS[name], mapping or {}, FileTimes(ZoneInfo(time_zone), now))


def _read(path: Path, reader: Reader, mapping: Mapping[str, Any], times: FileTimes) -> Iterator[Event | RowError]:
    try:
        yield from reader(path, mapping, times)
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8: {error.reason} at byte {error.start}", field="file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path.name} cannot be read: {error}", field="file") from error


def told_format(path: Path) -> str:
    """The format of a file by its name and, for CSV, its header.

    :raises InputError: it cannot be told
    """
    name = path.name.lower().removesuffix(".gz")
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    if name.endswith((".jsonl", ".ndjson")):
        return "jsonl"
    if name.endswith((".csv", ".tsv", ".txt")):
        return "online-retail" if is_online_retail(_header(path)) else "csv"
    raise InputError(f"the format of {path.name} cannot be told; say --format", field="format")


def _header(path: Path) -> str:
    try:
        with open_text(path, errors="replace") as file:
            return file.readline(10_000)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path.name} cannot be read: {error}", field="file") from error
