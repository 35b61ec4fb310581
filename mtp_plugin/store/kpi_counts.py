"""Counts slates and what came of them: an hour as a whole, or what is new of any hour.

``upto`` is the number of the last outcome that is counted. A slate is counted as soon as it is no longer among those
that wait; both change in the transaction that writes the sums, which is rolled back and done again where somebody else
counted since what it is of was read. So nothing is counted twice or left out.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, func, select

from ..kpi.days import DayOf
from ..kpi.measures import SUMS
from ..kpi.sketch import Young
from ..kpi.tally import PLACE, PURCHASE, Came, by_cell, came_sums, numbered, owed, place_sums, slate_sums
from ..records import FloatArray, IntArray
from .chunks import chunks
from .database import Database
from .kpi_columns import (
    BITS,
    SOME,
    Cell,
    Found,
    Line,
    Slates,
    among,
    came_of,
    exposures,
    from_to,
    known_of,
    lines_of,
    of_hour,
    of_names,
)
from .kpi_sketches import Sketches, merge_sketches, replace_sketches, sketched
from .kpi_tables import CUBES, DAY, GROUP, HOUR, Cube, Cubes, empty, grouped, sheets
from .reaching import Mark, marked, reach, reading_again, take
from .schema import kpi, kpi_group, kpi_new, outcome
from .uncollected import uncollected

CURSOR = "kpi-outcomes"
ORDERS = PLACE["orders"]


class KpiCounts:
    """The counting half of :class:`mtp_plugin.store.sql_kpi.SqlKpis`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _mark(self) -> Mark:
        with self._database.reading() as connection:
            return marked(connection, CURSOR)

    def begin(self) -> None:
        with self._database.writing() as connection:
            upto = int(connection.execute(select(func.max(outcome.c.number))).scalar() or 0)
            reach(connection, CURSOR, upto)
            _group_days(connection)

    @reading_again
    def recount(self, day: int, hours: Sequence[int], rest: Sequence[int], young: Young) -> None:
        mark, bits, products = self._mark(), dict[str, int](), Sketches()
        cubes, fresh = empty(), list[str]()
        for hour in (*hours, *rest):
            with uncollected(), self._database.reading() as connection:
                slates = of_hour(connection, hour, young)
                if slates.row_of and hour not in rest:
                    _whole(connection, slates, from_to(list(slates.row_of)), mark[0], bits, cubes)
            sketched(products, slates, lambda hour: day)
            if hour not in rest:
                fresh += (name for name, new in zip(slates.row_of, slates.fresh, strict=True) if new)
            time.sleep(0)  # a job is not to keep requests of this process from their turn
        with self._database.writing() as connection:
            take(connection, CURSOR, mark)
            for sheet, cube in zip(sheets(HOUR), cubes, strict=True):
                sheet.remove(connection, hours)
                sheet.put(connection, cube)
            replace_sketches(connection, day, products)
            _no_longer_new(connection, fresh)

    def sum_day(self, day: int, hours: Sequence[int]) -> None:
        with self._database.writing() as connection:
            found = [_summed(connection, place, day, hours) for place in range(len(CUBES))]
            for sheet, cube in zip(sheets(DAY), found, strict=True):
                sheet.remove(connection, [day])
                sheet.put(connection, cube)
            GROUP.remove(connection, [day])
            GROUP.put(connection, grouped(found[0], found[1]))

    @reading_again
    def add_outcomes(self, limit: int, day_of: DayOf) -> int:
        mark = self._mark()
        last = mark[0]
        with self._database.reading() as connection:
            columns = outcome.c.number, outcome.c.recommendation_id
            query = select(*columns).where(outcome.c.number > last).order_by(outcome.c.number).limit(limit)
            rows = connection.execute(query).all()
            if not rows:
                return 0
            upto, names = rows[-1].number, list(dict.fromkeys(row.recommendation_id for row in rows))
            slates = of_names(connection, names, counted=True)
            cubes = _more(connection, slates, last, upto)
        with self._database.writing() as connection:
            take(connection, CURSOR, mark)
            _add(connection, cubes, day_of)
            reach(connection, CURSOR, upto)
        return len(rows)

    @reading_again
    def add_slates(self, limit: int, day_of: DayOf, young: Young) -> int:
        mark, products = self._mark(), Sketches()
        upto = mark[0]
        with self._database.reading() as connection:
            names = list(connection.execute(select(kpi_new.c.recommendation_id).limit(limit)).scalars())
            slates, cubes = of_names(connection, names, young, counted=False), empty()
            if slates.row_of:
                found = _whole(connection, slates, among(list(slates.row_of)), upto, {}, cubes, orders=False)
                sketched(products, slates, day_of)
                lines = lines_of(connection, found.orders, upto)
                _add_orders(
                    cubes[0],
                    _owed(lines, upto, lambda line: not line.fresh or line.recommendation_id in slates.row_of),
                    _owed(lines, upto, lambda line: not line.fresh),
                )
        if names:
            with self._database.writing() as connection:
                take(connection, CURSOR, mark)
                _add(connection, cubes, day_of)
                merge_sketches(connection, products)
                _no_longer_new(connection, names)
        return len(names)


# ------------------------------------------------------------------------------------------------------------ counting


def _whole(
    connection: Connection, slates: Slates, which: Sequence[Any], upto: int, bits: dict[str, int], cubes: Cubes,
    *, orders: bool = True,
) -> Found:  # fmt: skip
    """Add all that is counted of slates; gives their outcomes.

    :param orders: that of their cells, too: right if all slates of these cells are here
    """
    found = came_of(connection, slates, which, upto)
    known = known_of(connection, slates, which, bits)
    places = lambda *shape: place_sums(slates.made, found.came, *shape)  # noqa: E731
    _fold(cubes, slates, slate_sums(slates.made, found.came), places, found.came, known)
    if orders:
        rows, numbers = owed(found.came)
        own = {(slates.cells[row], number) for row, number in zip(rows.tolist(), numbers.tolist(), strict=True)}
        _add_orders(cubes[0], own, set())
    return found


def _more(connection: Connection, slates: Slates, last: int, upto: int) -> Cubes:
    """What outcomes after *last* make of slates that are counted: their sums after, less those before."""
    cubes = empty()
    if not slates.row_of:
        return cubes
    found, count = came_of(connection, slates, among(list(slates.row_of)), upto), len(slates.row_of)
    came, before = found.came, found.came.only(found.numbers <= last)

    def places(*shape: Any) -> FloatArray:
        return place_sums(slates.made, came, *shape) - place_sums(slates.made, before, *shape)

    _fold(cubes, slates, came_sums(came, count) - came_sums(before, count), places, came)
    bought = np.unique(came.order[(came.kind == PURCHASE) & (found.numbers > last)]).tolist()
    lines = lines_of(connection, [found.orders[number] for number in bought], upto)
    after, then = (_owed(lines, end, lambda line: not line.fresh) for end in (upto, last))
    _add_orders(cubes[0], after, then)
    return cubes


def _fold(
    cubes: Cubes, slates: Slates, sums: FloatArray, places: Callable[..., FloatArray], came: Came,
    known: tuple[IntArray, IntArray] | None = None,
) -> None:  # fmt: skip
    """Sums of slates by cell, by experiment and by position; orders of cells are left out."""
    by_what, by_test, by_place = cubes
    cells, number = _numbered(slates.cells)
    total = by_cell(sums, number, len(cells))
    total[:, ORDERS] = 0.0
    people = _people(number, known, len(cells)) if known is not None else {}
    for place, cell in enumerate(cells):
        by_what.add(cell, total[place], people.get(place, 0))
    exposed = exposures(slates)
    if exposed:
        tests, number = _numbered([(slates.cells[row][0], key, variation) for row, key, variation in exposed])
        of_tests = by_cell(sums[[row for row, _, _ in exposed]], number, len(tests))
        for place, cell in enumerate(tests):
            by_test.add(cell, of_tests[place])
    kinds, number = _numbered([cell[:2] for cell in slates.cells])
    most = max(int(slates.made.items.max(initial=0)), int(came.position.max(initial=0))) + 1
    found = places(number, len(kinds), most)
    for kind, position in np.argwhere(found.any(axis=2)).tolist():
        by_place.add((*kinds[kind], f"{position:02d}"), found[kind, position])


def _numbered(values: Sequence[Cell]) -> tuple[list[Cell], IntArray]:
    known: dict[Any, int] = {}
    number = numbered(values, known)
    return list(known), number


def _people(number: IntArray, known: tuple[IntArray, IntArray], cells: int) -> dict[int, int]:
    """The bits of known visitors, by the number of their cell."""
    rows, bits = known
    marks = np.zeros((cells, BITS), np.bool_)
    marks[number[rows], BITS - 1 - bits] = True
    packed = np.packbits(marks, axis=1)
    return {cell: int.from_bytes(packed[cell].tobytes(), "big") for cell in np.unique(number[rows]).tolist()}


def _owed(lines: Iterable[Line], upto: int, counts: Callable[[Line], bool]) -> set[tuple[Cell, str]]:
    """The orders that are owed to each cell: to one of its slates at least."""
    left: dict[tuple[Cell, str, str], float] = defaultdict(float)
    for line in lines:
        if line.number <= upto and counts(line):
            left[line.cell, line.order_id, line.recommendation_id] += line.sign
    return {(cell, order_id) for (cell, order_id, _), sign in left.items() if sign > 0}


def _add_orders(cube: Cube, after: Iterable[tuple[Cell, Any]], before: Iterable[tuple[Cell, Any]]) -> None:
    for pairs, sign in ((after, 1.0), (before, -1.0)):
        for cell, _ in pairs:
            one = np.zeros(len(SUMS))
            one[ORDERS] = sign
            cube.add(cell, one)


# ------------------------------------------------------------------------------------------------------------- writing


def _add(connection: Connection, cubes: Cubes, day_of: DayOf) -> None:
    """Add what was counted to its hours and days."""
    days = [cube.moved(lambda cell: (day_of(cell[0]), *cell[1:])) for cube in cubes]
    for span, found in ((HOUR, cubes), (DAY, days)):
        for sheet, cube in zip(sheets(span), found, strict=True):
            sheet.add(connection, cube)
    GROUP.add(connection, grouped(days[0], days[1]))


def _no_longer_new(connection: Connection, names: Sequence[str]) -> None:
    for some in chunks(names, SOME):
        connection.execute(delete(kpi_new).where(kpi_new.c.recommendation_id.in_(some)))


def _summed(connection: Connection, place: int, day: int, hours: Sequence[int]) -> Cube:
    """A day from its hours."""
    table, names = CUBES[place]
    keys = [table.c[name] for name in names]
    within = table.c.span == HOUR, table.c.at >= min(hours), table.c.at <= max(hours)
    query = select(*keys, *(func.sum(table.c[name]) for name in SUMS)).where(*within).group_by(*keys)
    found = Cube()
    for row in connection.execute(query):
        found.add((day, *row[: len(keys)]), np.array(row[len(keys) :], np.float64))
    for row in connection.execute(select(*keys, table.c.people).where(*within, table.c.people.is_not(None))):
        cell = (day, *row[:-1])
        found.people[cell] = found.people.get(cell, 0) | int.from_bytes(row[-1], "big")
    return found


def _group_days(connection: Connection) -> None:
    """Divide days that are summed up already by each dimension alone."""
    known = set(connection.execute(select(kpi_group.c.day).distinct()).scalars())
    days = set(connection.execute(select(kpi.c.at).where(kpi.c.span == DAY).distinct()).scalars())
    for day in sorted(days - known):
        found = [_of_day(connection, place, day) for place in range(2)]
        GROUP.put(connection, grouped(found[0], found[1]))


def _of_day(connection: Connection, place: int, day: int) -> Cube:
    table, names = CUBES[place]
    columns = [table.c[name] for name in (*names, *SUMS, "people")]
    found = Cube()
    for row in connection.execute(select(*columns).where(table.c.span == DAY, table.c.at == day)):
        *rest, people = row
        bits = int.from_bytes(people, "big") if people else 0
        found.add((day, *rest[: len(names)]), np.array(rest[len(names) :], np.float64), bits)
    return found
