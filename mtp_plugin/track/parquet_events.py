"""Events in Parquet files, read a row group at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import InputError, SetupError
from ..records import Event, RowError
from .tables import Columns, table_events


def read_parquet(path: Path, mapping: Mapping[str, Any], zone: ZoneInfo) -> Iterator[Event | RowError]:
    """The events of a Parquet file; rows are counted from 1.

    :raises SetupError: pyarrow is not installed
    :raises InputError: it is no Parquet file, or lacks a column
    """
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise SetupError("Parquet needs pyarrow: pip install 'mtp-plugin[parquet]'") from error
    try:
        file = parquet.ParquetFile(path)
    except (arrow.ArrowInvalid, OSError) as error:
        raise InputError(f"{path.name} is no Parquet file: {error}", field="file") from error
    with file:
        columns = Columns(file.schema_arrow.names, mapping)
        yield from table_events(_rows(file), columns, zone)


def _rows(file: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    line = 0
    for batch in file.iter_batches(batch_size=10_000):
        for row in batch.to_pylist():
            line += 1
            yield line, row
