"""Sketches of the products shown, by each dimension and day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from ..kpi.sketch import Hashes, Registers, sketches
from ..kpi.tally import numbered
from ..records import IntArray
from .kpi_columns import NAMES, Cell, Slates, exposures
from .schema import kpi_sketch

Sketches = dict[Cell, Registers]
"""Registers by dimension, day and key."""
KEYS = ("dimension", "day", "key")


def sketched(found: Sketches, slates: Slates, day_of: Callable[[int], int]) -> None:
    """Add the products of slates."""
    row, hashes = slates.products.slate, slates.products.hashes
    if not len(row):
        return
    cells: dict[Cell, int] = {}
    number = numbered(slates.cells, cells)[row]
    for place, dimension in enumerate(NAMES, 1):
        _fold(found, [(dimension, day_of(cell[0]), cell[place]) for cell in cells], number, hashes)
    _fold(found, [("", day_of(cell[0]), "") for cell in cells], number, hashes)
    for slate, experiment, variation in exposures(slates):
        key = "experiment", day_of(slates.cells[slate][0]), f"{experiment}: {variation}"
        _fold(found, [key], np.zeros(int((row == slate).sum()), np.int64), hashes[row == slate])


def _fold(found: Sketches, keys: list[Cell], row: IntArray, hashes: Hashes) -> None:
    """Add products by the key of each; *row* says which."""
    known: dict[Cell, int] = {}
    number = numbered(keys, known)
    registers = sketches(hashes, number[row], len(known))
    for key, place in known.items():
        if not registers[place].any():
            continue  # slates with nothing to show
        before = found.get(key)
        found[key] = registers[place] if before is None else np.maximum(before, registers[place])


def replace_sketches(connection: Connection, day: int, found: Sketches) -> None:
    """Write those of a day anew."""
    connection.execute(delete(kpi_sketch).where(kpi_sketch.c.day == day))
    rows = [_row(key, registers) for key, registers in found.items() if key[1] == day]
    if rows:
        connection.execute(insert(kpi_sketch), rows)


def merge_sketches(connection: Connection, found: Sketches) -> None:
    """Add to those that are there."""
    if not found:
        return
    merged, columns = dict(found), [kpi_sketch.c[name] for name in (*KEYS, "registers")]
    days = {day for _, day, _ in found}
    for *key, registers in connection.execute(select(*columns).where(kpi_sketch.c.day.in_(days))):
        if tuple(key) in merged:
            merged[tuple(key)] = np.maximum(merged[tuple(key)], np.frombuffer(registers, np.uint8))
    new: Any = sqlite.insert(kpi_sketch) if connection.dialect.name == "sqlite" else postgresql.insert(kpi_sketch)
    upsert = new.on_conflict_do_update(index_elements=list(KEYS), set_={"registers": new.excluded.registers})
    connection.execute(upsert, [_row(key, registers) for key, registers in sorted(merged.items(), key=_by_key)])


def read_sketches(connection: Connection, dimension: str, first: int, last: int) -> list[tuple[str, int, bytes]]:
    """Key, day and registers of the days ``first <= day < last``."""
    columns = kpi_sketch.c.key, kpi_sketch.c.day, kpi_sketch.c.registers
    within = kpi_sketch.c.dimension == dimension, kpi_sketch.c.day >= first, kpi_sketch.c.day < last
    return [(key, day, registers) for key, day, registers in connection.execute(select(*columns).where(*within)).all()]


def _by_key(pair: tuple[Cell, Registers]) -> Cell:
    return pair[0]


def _row(key: Cell, registers: Registers) -> dict[str, Any]:
    return {**dict(zip(KEYS, key, strict=True)), "registers": registers.tobytes()}
