"""Events in Parquet files, read a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError, SetupError
from ..records import Event, RowError
from .clock import FileTimes
from .columns import Columns
from .tables import Row, table_events

BATCH = 10_000


def read_parquet(path: Path, mapping: Mapping[str, Any], times: FileTimes) -> Iterator[Event | RowError]:
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
        with parquet.ParquetFile(path) as file:
            columns = Columns(file.schema_arrow.names, mapping)
            yield from table_events(lambda: _rows(file, columns), columns, times)
    except arrow.ArrowException as error:
        raise InputError(f"{path.name} is no Parquet file that can be read: {error}", field="file") from error


def _rows(file: Any, columns: Columns) -> Iterator[tuple[int, Row]]:
    line = 0
    for batch in file.iter_batches(batch_size=BATCH, columns=columns.used):
        for row in _whole_microseconds(batch).to_pylist():
            line += 1
            yield line, row


def _whole_microseconds(batch: Any) -> Any:
    """The same rows without nanoseconds, which Python's datetime cannot hold."""
    import pyarrow as arrow

    for place, field in enumerate(batch.schema):
        if arrow.types.is_timestamp(field.type) and field.type.unit == "ns":
            cast = batch.column(place).cast(arrow.timestamp("us", field.type.tz), safe=False)
            batch = batch.set_column(place, field.name, cast)
    return batch
