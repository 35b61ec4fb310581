"""Writes sums: an hour or a day anew, or what is to be added to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, delete, select

from ..kpi.measures import SUMS
from ..records import FloatArray
from .kpi_columns import BITS, NAMES
from .schema import kpi, kpi_experiment, kpi_group, kpi_position

HOUR, DAY = 0, 1
"""Spans."""
Cell = tuple[Any, ...]
EXPERIMENT, POSITION = ("experiment", "variation"), ("placement", "position")
CUBES: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (kpi, NAMES),
    (kpi_experiment, EXPERIMENT),
    (kpi_position, POSITION),
)
GROUPS = ("", *NAMES, "experiment")
"""What days are summed up by; ``""`` is all slates together."""


@dataclass(slots=True)
class Cube:
    """Sums by cell, and bits of the visitors that are known, of cells that have any. A cell begins with its time."""

    sums: dict[Cell, FloatArray] = field(default_factory=dict)
    people: dict[Cell, int] = field(default_factory=dict)

    def add(self, cell: Cell, sums: FloatArray, people: int = 0) -> None:
        """Add to a cell."""
        known = self.sums.get(cell)
        self.sums[cell] = sums if known is None else known + sums
        if people:
            self.people[cell] = self.people.get(cell, 0) | people

    def moved(self, key: Callable[[Cell], Cell]) -> Cube:
        """The same by another key, cells with the same one together."""
        found = Cube()
        for cell, sums in self.sums.items():
            found.add(key(cell), sums, self.people.get(cell, 0))
        return found


Cubes = tuple[Cube, Cube, Cube]
"""By what slates are, by experiment, by position."""


def empty() -> Cubes:
    """Nothing counted yet."""
    return Cube(), Cube(), Cube()


def grouped(cells: Cube, experiments: Cube) -> Cube:
    """Days by each dimension alone: cells are (dimension, day, key). People are kept of segments only."""
    found = Cube()
    for cell, sums in cells.sums.items():
        day, names = cell[0], cell[1:]
        found.add(("", day, ""), sums)
        for dimension, name in zip(NAMES, names, strict=True):
            own = dimension == "segment_id" and name
            found.add((dimension, day, name), sums, cells.people.get(cell, 0) if own else 0)
    for (day, experiment, variation), sums in experiments.sums.items():
        found.add(("experiment", day, f"{experiment}: {variation}"), sums)
    return found


class Sheet:
    """A table of sums by its keys, written in the driver's own way: SQLAlchemy's costs more than the counting.

    :param lead: values of the first columns, the same for all that is written
    """

    def __init__(self, table: Table, keys: Sequence[str], lead: Mapping[str, int] | None = None) -> None:
        self.table, self.keys, self._lead = table, tuple(keys), dict(lead or {})

    def put(self, connection: Connection, cube: Cube) -> None:
        """Write cells that are not there yet."""
        rows = self._rows(cube)
        if connection.dialect.name == "postgresql":
            bare: Any = connection.connection.driver_connection
            with bare.cursor() as cursor, cursor.copy(f"COPY {self.table.name} ({self._columns()}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        elif rows:
            connection.exec_driver_sql(self._insert("?"), rows)

    def add(self, connection: Connection, cube: Cube) -> None:
        """Add to cells, those that are not there yet among them."""
        if not cube.sums:
            return
        name = self.table.name
        sums = ", ".join(f"{one} = {name}.{one} + excluded.{one}" for one in SUMS)
        people = f"people = COALESCE(excluded.people, {name}.people)"
        known = f"known = CASE WHEN excluded.known > {name}.known THEN excluded.known ELSE {name}.known END"
        mark = "%s" if connection.dialect.name == "postgresql" else "?"
        keys = ", ".join((*self._lead, *self.keys))
        text = f"{self._insert(mark)} ON CONFLICT ({keys}) DO UPDATE SET {sums}, {people}, {known}"
        # In order, as two who write the same rows would else lock each other out.
        rows = self._rows(Cube(dict(sorted(cube.sums.items())), self._with_known(connection, cube)))
        connection.exec_driver_sql(text, rows)

    def _with_known(self, connection: Connection, cube: Cube) -> dict[Cell, int]:
        """The bits to be written: those that are new and those that are there."""
        if not cube.people:
            return {}
        people, columns, time = dict(cube.people), [self.table.c[key] for key in self.keys], self._time()
        at = {cell[self.keys.index(time)] for cell in people}
        within = [self.table.c[name] == value for name, value in self._lead.items()]
        query = select(*columns, self.table.c.people).where(*within, self.table.c[time].in_(at))
        for row in connection.execute(query.where(self.table.c.people.is_not(None))):
            cell = tuple(row[:-1])
            if cell in people:
                people[cell] |= int.from_bytes(row[-1], "big")
        return people

    def remove(self, connection: Connection, at: Iterable[int]) -> None:
        """Delete what is there of these times."""
        within = [self.table.c[name] == value for name, value in self._lead.items()]
        connection.execute(delete(self.table).where(*within, self.table.c[self._time()].in_(list(at))))

    def _time(self) -> str:
        return "day" if "day" in self.keys else "at"

    def _columns(self) -> str:
        return ", ".join((*self._lead, *self.keys, *SUMS, "known", "people"))

    def _insert(self, mark: str) -> str:
        count = len(self._lead) + len(self.keys) + len(SUMS) + 2
        return f"INSERT INTO {self.table.name} ({self._columns()}) VALUES ({', '.join([mark] * count)})"  # noqa: S608

    def _rows(self, cube: Cube) -> list[tuple[Any, ...]]:
        if not cube.sums:
            return []
        lead, values = tuple(self._lead.values()), np.array(list(cube.sums.values())).tolist()
        return [
            (*lead, *cell, *sums, (people := cube.people.get(cell, 0)).bit_count(), packed(people))
            for cell, sums in zip(cube.sums, values, strict=True)
        ]


def sheets(span: int) -> list[Sheet]:
    """The tables of an hour or a day, in the order of :data:`CUBES`."""
    return [Sheet(table, ("at", *names), {"span": span}) for table, names in CUBES]


GROUP = Sheet(kpi_group, ("dimension", "day", "key"))


def packed(people: int) -> bytes | None:
    """Bits as they are stored."""
    return people.to_bytes(BITS // 8, "big") if people else None
