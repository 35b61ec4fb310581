"""What models are learnt from: who did what with which product when, as arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records import ACTIONS, NOWHERE, Action, BoolArray, Event, FloatArray, IntArray, Interactions, Surroundings
from .learn.pair_kernels import grouped
from .surroundings import UNKNOWN, Around, SurroundingCodes, around_arrays, around_in, by_session

ACTION_CODES = {action: code for code, action in enumerate(Action)}
VIEW, CART, PURCHASE, UNCART, RETURN = (ACTION_CODES[action] for action in Action)
CODE_OF = {name: ACTION_CODES[action] for name, action in ACTIONS.items()}

IDLE_S = 1800.0
"""Idle seconds that end a session."""

COLUMNS = ("visitor", "item", "time", "action", "session", "basket")


def owner(visitor: str) -> int:
    """The number under which what a visitor did is kept: 63 bits of a hash of the id."""
    return int.from_bytes(hashlib.blake2b(visitor.encode(), digest_size=8).digest(), "big") >> 1


@dataclass(frozen=True, eq=False)
class TrainingLog:
    """Interactions, sessions contiguous and numbered by their start, each oldest first.

    ``visitor``, ``item``: int32 codes, of ``owners`` (int64, the number that :func:`owner` gives each visitor) and of
    the vocabulary ``items``. ``time``: float64 seconds, or the ordinal of the session where the source has no clock
    (``timed`` is False). ``action``: index into :data:`ACTION_CODES`. ``session``: int32, not descending. ``basket``:
    int32, the order of a purchase, -1 none. All but ``owners`` and ``items`` have shape ``(n,)``: 25 bytes a row.
    ``around``: codes of what was around the visitor in each session, two bytes a session, and what they mean; both
    empty where nothing is known.
    """

    visitor: IntArray
    item: IntArray
    time: FloatArray
    action: IntArray
    session: IntArray
    basket: IntArray
    owners: IntArray
    items: tuple[str, ...]
    timed: bool = True
    around: Around = (UNKNOWN, ())

    def __len__(self) -> int:
        return len(self.item)

    @classmethod
    def from_interactions(
        cls, batches: Iterable[Interactions], *, idle_s: float = IDLE_S, items: tuple[str, ...] = ()
    ) -> TrainingLog:
        """Read what happened, in any order.

        :param batches: such as ``Journal.interactions()`` gives
        :param idle_s: idle seconds that end a session
        :param items: product ids that keep their place in the vocabulary, such as those of an older log
        """
        rows = _Rows(items)
        for batch in batches:
            rows.read(batch)
        return rows.log(idle_s)

    @classmethod
    def from_events(cls, batches: Iterable[Sequence[Event]], **options: Any) -> TrainingLog:
        """Read events, in any order; those that say nothing of a product are skipped, and so is what was around.

        :param options: as :meth:`from_interactions` takes
        """
        return cls.from_interactions(map(_interactions, batches), **options)

    @classmethod
    def from_sessions(cls, rows: Iterable[tuple[str, str, float]], *, timed: bool) -> TrainingLog:
        """Read views that are already cut into sessions.

        :param rows: session, item, and its time (*timed*) or place in the session
        :param timed: without clock, sessions are taken to be in order of their first row
        """
        sessions: dict[str, list[tuple[float, str]]] = {}
        for session, item, order in rows:
            sessions.setdefault(session, []).append((order, item))
        names, orders, items = [], [], []
        for number, (session, views) in enumerate(sessions.items()):
            views.sort(key=lambda view: view[0])
            names += [session] * len(views)
            orders += [order if timed else float(number) for order, _ in views]
            items += [item for _, item in views]
        found = _Rows()
        found.read(Interactions(names, ["Product Viewed"] * len(items), orders, [1] * len(items), items))
        return replace(found.log(np.inf), timed=timed)

    @classmethod
    def from_orders(cls, rows: Iterable[tuple[str, str, float, str]]) -> TrainingLog:
        """Read order lines: customer, product, time, order."""
        orders: dict[str, tuple[str, float, list[str]]] = {}
        for visitor, item, time, order in rows:
            orders.setdefault(order, (visitor, time, []))[2].append(item)
        visitors, times, items = zip(*orders.values(), strict=True)
        found = _Rows()
        sizes, flat = [len(some) for some in items], [item for some in items for item in some]
        found.read(Interactions(visitors, ["Order Completed"] * len(sizes), times, sizes, flat))
        return found.log(IDLE_S)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], items: tuple[str, ...], timed: bool) -> TrainingLog:
        """Read what :meth:`arrays` wrote."""
        columns = {name: arrays[f"log_{name}"] for name in (*COLUMNS, "owners")}
        return cls(**columns, items=items, timed=timed, around=around_in(arrays))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The log as a bundle keeps it, each name after ``log_``; serving never touches them."""
        return {f"log_{name}": getattr(self, name) for name in (*COLUMNS, "owners")} | around_arrays(self.around)

    def joined(self, more: TrainingLog, *, idle_s: float = IDLE_S) -> TrainingLog:
        """Both as one: sessions are cut anew, as a visit may go on.

        :param more: read with the ``items`` of this one, so that these keep their places
        :raises ValueError: it was not
        """
        if more.items[: len(self.items)] != self.items:
            raise ValueError("the vocabulary of the longer log must begin with that of the shorter")
        owners = np.concatenate((self.owners, more.owners[~np.isin(more.owners, self.owners)]))
        order = np.argsort(owners)
        codes = order[np.searchsorted(owners, more.owners, sorter=order)].astype(np.int32)
        placed = int(self.basket.max(initial=-1)) + 1
        theirs = {
            "visitor": codes[more.visitor],
            "item": more.item,
            "time": more.time,
            "action": more.action,
            "basket": np.where(more.basket >= 0, more.basket + placed, -1).astype(np.int32),
        }
        columns: dict[str, Any] = {
            name: np.concatenate((getattr(self, name), values)) for name, values in theirs.items()
        }
        places, session = _cut_sessions(columns["visitor"], columns["time"], idle_s)
        around = self._around_both(more, places, session)
        columns = {name: values[places] for name, values in columns.items()}
        return TrainingLog(**columns, session=session, owners=owners, items=more.items, around=around)

    def _around_both(self, more: TrainingLog, places: IntArray, session: IntArray) -> Around:
        """What is around in sessions cut anew, of the rows of both at *places*."""
        if not len(self.around[0]) and not len(more.around[0]):
            return UNKNOWN, ()
        known = SurroundingCodes(self.around[1])
        theirs = known.of(more.around[1])
        codes = np.concatenate((self.codes, theirs[more.codes] if len(theirs) else more.codes))
        return by_session(codes[places], session, known)

    def surroundings(self, rows: IntArray) -> list[Surroundings]:
        """What was around the visitor of each of some rows."""
        codes, known = self.around
        return [known[code] for code in codes[self.session[rows]].tolist()] if len(codes) else [NOWHERE] * len(rows)

    @property
    def codes(self) -> IntArray:
        """Of each row what was around its session, 0 where that is not known."""
        codes, _ = self.around
        return codes[self.session] if len(codes) else np.zeros(len(self), dtype=np.int16)

    def take(self, rows: BoolArray | slice) -> TrainingLog:
        """Some rows, same vocabularies, same numbers of sessions and baskets; those of a slice are not copied."""
        return replace(self, **{name: getattr(self, name)[rows] for name in COLUMNS})

    @cached_property
    def span(self) -> float:
        """Seconds (sessions, without clock) from the first to the last row, at least 1."""
        return max(1.0, float(self.time.max() - self.time.min())) if len(self) else 1.0

    @cached_property
    def end(self) -> float:
        """Time of the last row, 0 when there is none."""
        return float(self.time.max()) if len(self) else 0.0

    def views(self) -> TrainingLog:
        """The rows that are product views."""
        return self.take(self.action == VIEW)

    def purchases(self) -> TrainingLog:
        """The rows that are purchases."""
        return self.take(self.action == PURCHASE)


def _interactions(events: Iterable[Event]) -> Interactions:
    told = [event for event in events if event.name in ACTIONS]
    return Interactions(
        [event.profile_id for event in told],
        [event.name for event in told],
        [event.timestamp for event in told],
        [len(event.products) for event in told],
        [product.product_id for event in told for product in event.products],
    )


class _Codes(dict[str, int]):
    """Numbers for names in order of first appearance."""

    def __missing__(self, name: str) -> int:
        code = self[name] = len(self)
        return code

    def of(self, names: Sequence[str]) -> IntArray:
        return np.fromiter(map(self.__getitem__, names), dtype=np.int32, count=len(names))


class _Rows:
    """Collects rows as arrays."""

    def __init__(self, items: tuple[str, ...] = ()) -> None:
        self._visitors, self._items = _Codes(), _Codes({item: code for code, item in enumerate(items)})
        self._known = SurroundingCodes()
        self._orders = 0
        names = (*(name for name in COLUMNS if name != "session"), "around")
        self._parts: dict[str, list[NDArray[Any]]] = {name: [] for name in names}

    def read(self, told: Interactions) -> None:
        sizes = np.array(told.sizes, dtype=np.int64)
        action = np.fromiter(map(CODE_OF.__getitem__, told.names), dtype=np.int8, count=len(sizes))
        bought = action == PURCHASE
        basket = np.where(bought, self._orders + np.cumsum(bought) - 1, -1).astype(np.int32)
        self._orders += int(bought.sum())
        by_event = {
            "visitor": self._visitors.of(told.profile_ids),
            "time": np.array(told.timestamps, dtype=np.float64),
            "action": action,
            "basket": basket,
            "around": self._known.of(told.surroundings or [NOWHERE] * len(sizes)),
        }
        for name, values in by_event.items():
            self._parts[name].append(np.repeat(values, sizes))
        self._parts["item"].append(self._items.of(told.product_ids))

    def log(self, idle_s: float) -> TrainingLog:
        """What was collected, cut into sessions; it is not kept here any longer."""
        owners = np.fromiter(map(owner, self._visitors), dtype=np.int64, count=len(self._visitors))
        self._visitors.clear()
        none = Interactions((), (), (), (), ())
        self.read(none)
        around = self._parts.pop("around") if len(self._known) > 1 else self._parts.pop("around")[:0]
        columns: dict[str, Any] = {name: _joined(parts) for name, parts in self._parts.items()}
        order, session = _cut_sessions(columns["visitor"], columns["time"], idle_s)
        for name in columns:
            columns[name] = columns[name][order]
        told = by_session(_joined(around)[order], session, self._known) if around else (UNKNOWN, ())
        return TrainingLog(**columns, session=session, owners=owners, items=tuple(self._items), around=told)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    joined = np.concatenate(parts)
    parts.clear()
    return joined


def _cut_sessions(visitor: IntArray, time: FloatArray, idle_s: float) -> tuple[IntArray, IntArray]:
    """The rows in order of their sessions, and the session of each, numbered by the time of its first row."""
    if not len(visitor):
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)
    order = np.lexsort((time, visitor)).astype(np.int32)
    moment, who = time[order], visitor[order]
    starts = np.ones(len(order), dtype=np.bool_)
    starts[1:] = (who[1:] != who[:-1]) | (np.diff(moment) > idle_s)
    local = np.cumsum(starts, dtype=np.int32) - 1
    rank = np.empty(local[-1] + 1, dtype=np.int32)
    rank[np.lexsort((order[starts], moment[starts]))] = np.arange(len(rank), dtype=np.int32)
    del moment, who, starts
    session = rank[local]
    positions = grouped(session, len(rank))[1]
    return order[positions], session[positions]
