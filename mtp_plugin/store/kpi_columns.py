"""Slates and what came of them, read as columns that :mod:`mtp_plugin.kpi.tally` counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import repeat
from typing import Any, NamedTuple

import msgspec
import numpy as np
from sqlalchemy import Connection, Integer, Select, and_, case, cast, func, null, select, text

from ..kpi.days import HOUR_S
from ..kpi.sketch import Hashes, Young, hashes
from ..kpi.tally import KINDS, Came, Made, numbered
from ..records import BoolArray, IntArray
from .chunks import chunks
from .schema import OWED, kpi_new, outcome, slate, slate_profile

BITS = 2048
"""Hashes that known visitors are counted by: as many bits as are set, so many there were at least."""
NAMES = ("placement", "strategy", "segment_id", "device", "consent_level")
SOME = 2000
"""Ids asked for by one statement."""

Which = Callable[[Any], Any]
"""Makes the condition of some slates, for a column that holds their ids."""
Cell = tuple[Any, ...]
_HOUR = cast(func.floor(slate.c.created_at / HOUR_S), Integer)
_SLATE = (
    slate.c.recommendation_id, _HOUR, *(slate.c[name] for name in NAMES), slate.c["items"],
    slate.c.fallback_level, slate.c.took_us, slate.c.experiments, kpi_new.c.recommendation_id, slate.c.products,
)  # fmt: skip
_OUTCOME = (
    outcome.c.recommendation_id,
    outcome.c.number,
    case(*((outcome.c.kind == kind, number) for number, kind in enumerate(KINDS)), else_=-1),
    # Of what is not asked for no text is made: of most outcomes, as blocks are seen more often than anything else.
    case((outcome.c.kind == "click", outcome.c.profile_id), else_=null()),
    outcome.c.position,
    case((outcome.c.kind == "purchase", outcome.c.order_id), else_=null()),
    outcome.c.quantity,
    outcome.c.value,
    outcome.c.margin,
)


@dataclass(frozen=True, slots=True)
class Products:
    """Products of slates: the row of the slate and the hash of each."""

    slate: IntArray
    hashes: Hashes


@dataclass(frozen=True, slots=True)
class Slates:
    """Slates as columns: each row's id, cell (hour, placement, strategy, segment, device, consent) and experiments.

    ``fresh``: not counted yet.
    """

    row_of: dict[str, int]
    cells: list[Cell]
    experiments: list[str]
    fresh: BoolArray
    made: Made
    products: Products


@dataclass(frozen=True, slots=True)
class Found:
    """Outcomes, the number of each, and the names of orders by their numbers."""

    came: Came
    numbers: IntArray
    orders: list[str]


class Line(NamedTuple):
    """What a slate led to of an order: 1, or -1 where it was taken back."""

    cell: Cell
    recommendation_id: str
    order_id: str
    number: int
    sign: float
    fresh: bool


def among(names: Sequence[str]) -> list[Which]:
    """These slates, some at a time."""
    return [partial(_in, some) for some in chunks(names, SOME)]


def from_to(names: Sequence[str]) -> list[Which]:
    """All from the first to the last of these, which a range of the index reads; ids begin with the time."""
    return [partial(_between, min(names), max(names))] if names else []


def _in(names: Sequence[str], column: Any) -> Any:
    return column.in_(names)


def _between(low: str, high: str, column: Any) -> Any:
    return and_(column >= low, column <= high)


def of_hour(connection: Connection, hour: int, young: Young) -> Slates:
    """All slates made in an hour.

    :param young: hashes of the products that are new in an hour
    """
    made = slate.c.created_at
    return _slates(_rows(connection, _select().where(made >= hour * HOUR_S, made < (hour + 1) * HOUR_S)), young)


def of_names(connection: Connection, names: Sequence[str], young: Young | None = None, *, counted: bool) -> Slates:
    """Those of these slates that there are, and that are counted already, or not yet."""
    found: list[Any] = []
    state = kpi_new.c.recommendation_id.is_(None) if counted else kpi_new.c.recommendation_id.is_not(None)
    for some in chunks(names, SOME):
        found += _rows(connection, _select().where(slate.c.recommendation_id.in_(some), state))
    return _slates(found, young)


def came_of(connection: Connection, slates: Slates, which: Iterable[Which], upto: int) -> Found:
    """The outcomes of these slates up to a number."""
    rows: list[Any] = []
    for one in which:
        query = select(*_OUTCOME).where(one(outcome.c.recommendation_id), outcome.c.number <= upto)
        rows += _rows(connection, query)
    names, numbers, kinds, visitors, positions, orders, *worth = zip(*rows, strict=True) if rows else _NONE
    quantity, value, margin = (np.array(column, np.float64) for column in worth)
    row, order_of = np.fromiter(map(slates.row_of.get, names, repeat(-1)), np.int64, len(rows)), dict[str, int]()
    came = Came(
        slate=row,
        kind=np.array(kinds, np.int64),
        visitor=numbered(visitors, {}),
        position=np.array(positions, np.int64),
        order=numbered(orders, order_of),
        sign=np.sign(quantity),
        value=value,
        margin=margin,
    )
    own = row >= 0
    return Found(came.only(own), np.array(numbers, np.int64)[own], list(order_of))


def lines_of(connection: Connection, orders: Sequence[str], upto: int) -> list[Line]:
    """What is owed of these orders, up to a number, by the cells of its slates."""
    columns = outcome.c.recommendation_id, outcome.c.order_id, outcome.c.number, outcome.c.quantity
    own = _HOUR, *(slate.c[name] for name in NAMES), kpi_new.c.recommendation_id
    joined = (
        select(*columns, *own)
        .join_from(outcome, slate, outcome.c.recommendation_id == slate.c.recommendation_id)
        .outerjoin(kpi_new, kpi_new.c.recommendation_id == slate.c.recommendation_id)
        # In so many words, or the index of orders is not taken.
        .where(text(OWED), outcome.c.kind == "purchase", outcome.c.number <= upto)
    )
    found: list[Line] = []
    for some in chunks(orders, SOME):
        for row in _rows(connection, joined.where(outcome.c.order_id.in_(some))):
            name, order_id, number, quantity, *cell, new = row
            found.append(Line(tuple(cell), name, order_id, number, float(np.sign(quantity)), new is not None))
    return found


def known_of(
    connection: Connection, slates: Slates, which: Iterable[Which], bits: dict[str, int]
) -> tuple[IntArray, IntArray]:
    """Known visitors of slates of a segment: rows of slates, and which bit each visitor sets.

    :param bits: what was worked out before; it grows
    """
    rows: list[Any] = []
    columns = slate_profile.c.recommendation_id, slate_profile.c.profile_id
    for one in which:
        rows += _rows(connection, select(*columns).where(one(slate_profile.c.recommendation_id)))
    row_of, segment = slates.row_of, 1 + NAMES.index("segment_id")
    own = [(place, who) for name, who in rows if (place := row_of.get(name, -1)) >= 0 and slates.cells[place][segment]]
    for who in {who for _, who in own} - bits.keys():
        bits[who] = _bit(who)
    return (
        np.fromiter((place for place, _ in own), np.int64, len(own)),
        np.fromiter((bits[who] for _, who in own), np.int64, len(own)),
    )


def exposures(slates: Slates) -> list[tuple[int, str, str]]:
    """Of each slate that an experiment made a difference to: its row, the experiment and the variation."""
    return [
        (place, key, str(variation))
        for place, said in enumerate(slates.experiments)
        if said != "[]"
        for key, variation in _decode(said)
    ]


_AT = 2 + len(NAMES)
"""Where in a row of a slate its cell ends."""
_decode = msgspec.json.Decoder(list[tuple[str, int]]).decode
_NONE: tuple[tuple[Any, ...], ...] = ((),) * len(_OUTCOME)


def _select() -> Select[Any]:
    return select(*_SLATE).outerjoin_from(slate, kpi_new, slate.c.recommendation_id == kpi_new.c.recommendation_id)


def _slates(rows: Sequence[Any], young: Young | None = None) -> Slates:
    count, cells = len(rows), [row[1:_AT] for row in rows]
    names, items, rung, took, experiments, new, stored = (
        [row[place] for row in rows] for place in (0, *range(_AT, _AT + 6))
    )
    shown = np.array([len(one) // 4 if one else 0 for one in stored], np.int64)
    products = Products(np.repeat(np.arange(count), shown), hashes(b"".join(filter(None, stored))))
    fresh = _fresh(products, [cell[0] for cell in cells], young) if young else np.zeros(count, np.int64)
    return Slates(
        row_of=dict(zip(names, range(count), strict=True)),
        cells=cells,
        experiments=experiments,
        fresh=np.array([name is not None for name in new], np.bool_),
        made=Made(np.array(items, np.int64), np.array(rung, np.int64), np.array(took, np.float64), shown, fresh),
        products=products,
    )


def _fresh(products: Products, hours: Sequence[int], young: Young) -> IntArray:
    """How many of each slate's products were new when it was made."""
    at = np.array(hours, np.int64)
    found = np.zeros(len(at), np.int64)
    for hour in np.unique(at).tolist():
        then = young(hour)
        if len(then):
            rows = products.slate[np.isin(products.hashes, then) & (at[products.slate] == hour)]
            found += np.bincount(rows, minlength=len(at))
    return found


def _rows(connection: Connection, query: Select[Any]) -> list[Any]:
    """The driver's own rows: there are many, and no column here needs to be turned into anything."""
    result = connection.execute(query)
    rows = list(result.cursor.fetchall()) if result.cursor is not None else []
    result.close()
    return rows


def _bit(profile_id: str) -> int:
    return int.from_bytes(blake2b(profile_id.encode(), digest_size=4).digest(), "big") % BITS
