"""What was bought when, as arrays: which categories are told of, and what was known of them at a moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...records import ACTIONS, Action, Event, FloatArray, IntArray, ProductTable
from ..features import DAY, STANDING, Standing, is_excluded
from ..model import HORIZON_DAYS

Visitors = Callable[[], Iterable[tuple[str, Sequence[Event]]]]
"""Gives visitors with their events in order of arrival, anew each time it is called, in the same order."""
WINDOW = 28 * DAY
MAX_CUTS = 8
MIN_CUTS = 4
"""Two to learn from, one to calibrate by, one to judge by."""
MAX_PRODUCTS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Lines of orders before a moment: ``visitor`` int32, ``row`` int32 of the catalogue, ``time`` float64; ``first``
    is when the first visitor came, ``last`` just after the last event, ``names`` are the visitors."""

    visitor: IntArray
    row: IntArray
    time: FloatArray
    names: tuple[str, ...]
    first: float
    last: float

    @classmethod
    def read(cls, visitors: Visitors, table: ProductTable, until: float) -> History:
        """The lines of all orders before *until* of products that the catalogue has."""
        who: list[int] = []
        rows: list[int] = []
        times: list[float] = []
        names: list[str] = []
        first, last = until, 0.0
        for place, (name, events) in enumerate(visitors()):
            names.append(name)
            for event in events:
                if event.timestamp >= until:
                    continue
                first, last = min(first, event.timestamp), max(last, event.timestamp)
                if ACTIONS.get(event.name) is Action.PURCHASE:
                    known = rows_bought(event, table)
                    rows += known
                    who += [place] * len(known)
                    times += [event.timestamp] * len(known)
        return cls(
            np.array(who, dtype=np.int32), np.array(rows, dtype=np.int32), np.array(times), tuple(names), first,
            min(until, last + 1.0),
        )  # fmt: skip

    def cuts(self, now: float, most: int = MAX_CUTS) -> tuple[float, ...]:
        """Moments to learn at, oldest first, each followed by a whole horizon before the next and before *now*.

        They are spread over what there is after a first horizon to look back on.
        """
        weeks = int((now - self.first) / DAY / HORIZON_DAYS) - 1
        every = max(1, weeks // most)
        cuts = [now - HORIZON_DAYS * DAY * (1 + every * step) for step in range(most)]
        return tuple(cut for cut in reversed(cuts) if cut >= self.first + HORIZON_DAYS * DAY)

    def categories(self, table: ProductTable, most: int, excluded: Collection[str]) -> tuple[str, ...]:
        """The categories that most visitors bought from, most bought first; none that is excluded."""
        codes = table.category[self.row]
        pairs = np.unique(np.stack((codes[codes >= 0], self.visitor[codes >= 0])), axis=1)[0]
        buyers = np.bincount(pairs, minlength=len(table.category_names))
        ranked = np.argsort(-buyers, kind="stable")
        names = [table.category_names[code] for code in ranked.tolist() if buyers[code]]
        return tuple([name for name in names if not is_excluded(name, excluded)][:most])

    def standing(self, table: ProductTable, names: Sequence[str], moment: float) -> Standing:
        """What was known of these categories, and of the products bought in them, in the weeks before *moment*."""
        place = {name: code for code, name in enumerate(names)}
        codes = np.array([place.get(name, -1) for name in table.category_names] + [-1])[table.category]
        late = (self.time < moment) & (self.time >= moment - WINDOW)
        recent = late & (self.time >= moment - HORIZON_DAYS * DAY)
        by_category = self._shares(codes[self.row], late, recent, len(names))
        told = codes >= 0
        by_row = self._shares(np.where(told[self.row], self.row, -1), late, recent, len(table))
        rows = np.flatnonzero(by_row[:, 0] > 0)
        rows = rows[np.argsort(-by_row[rows, 0], kind="stable")[:MAX_PRODUCTS]]
        ids = tuple(table.products[row].product_id for row in rows.tolist())
        return Standing(tuple(names), by_category, ids, by_row[rows])

    def _shares(self, codes: IntArray, late: np.ndarray, recent: np.ndarray, count: int) -> FloatArray:
        """The columns of :data:`~mtp_plugin.propensity.features.STANDING` for codes 0 to *count*."""
        buyers, again = _buyers(codes, self.visitor, self.time, late, count)
        lately, _ = _buyers(codes, self.visitor, self.time, recent, count)
        everyone = max(1, len(np.unique(self.visitor[late])))
        of_late = max(1, len(np.unique(self.visitor[recent])))
        found = np.zeros((count, len(STANDING)), dtype=np.float32)
        found[:, 0] = buyers / everyone
        found[:, 1] = np.log((lately / of_late + 1e-3) / (buyers / everyone + 1e-3))
        found[:, 2] = again / np.maximum(buyers, 1)
        return found


def rows_bought(event: Event, table: ProductTable) -> list[int]:
    """Rows of the catalogue that an order holds, each once."""
    ids = dict.fromkeys(product.product_id for product in event.products)
    return [table.index[name] for name in ids if name in table.index]


def _buyers(
    codes: IntArray, visitor: IntArray, time: FloatArray, which: np.ndarray, count: int
) -> tuple[IntArray, IntArray]:
    """Visitors who bought of each code, and those who did so at two times or more."""
    which = which & (codes >= 0)
    times = np.unique(np.stack((codes[which], visitor[which], time[which])), axis=1)
    pairs, often = np.unique(times[:2], axis=1, return_counts=True)
    code = pairs[0].astype(np.int64)
    return np.bincount(code, minlength=count), np.bincount(code, weights=often > 1, minlength=count)
