"""How visitors with a device, at a time of day, from a country or a region differ from all others in what they look at.

Of a category the logarithm of how often they did something there, over how often they would have if they were like
everybody. To both :data:`EXPECTED` interactions are added, so that little says little (a gamma prior on the ratio,
Clayton and Kaldor 1987). A region is compared with its country, on top of what the country has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...records import FloatArray, IntArray, ProductTable, Surroundings
from ..counts import CHUNK, WORTH
from ..log import TrainingLog
from .segment_rankings import FEWEST

EXPECTED = 20.0
MOST_VALUES = 200
"""Of each kind, those that most visitors have."""

Arrays = dict[str, NDArray[Any]]
FACETS: tuple[Callable[[Surroundings], Surroundings | None], ...] = (
    lambda one: Surroundings(device=one.device) if one.device else None,
    lambda one: Surroundings(daypart=one.daypart) if one.daypart else None,
    lambda one: Surroundings(country=one.country) if one.country else None,
    lambda one: Surroundings(country=one.country, region=one.region) if one.country and one.region else None,
)


def item_categories(table: ProductTable, items: tuple[str, ...]) -> IntArray:
    """The category of each product of a log, int32, as the catalogue numbers them; -1 for none."""
    rows = np.array([table.index.get(item, -1) for item in items], dtype=np.int64)
    found: IntArray = np.where(rows >= 0, table.category[rows] if len(table) else -1, -1).astype(np.int32)
    return found


def leaning_arrays(log: TrainingLog, category: IntArray) -> Arrays:
    """``leaning_lifts``, float32 ``(values, categories)``, and ``leaning_values``, what the rows are of; nothing where
    nothing is known of what was around, or products have no categories.

    :param category: of each product of the log
    """
    codes, known = log.around
    n = int(category.max(initial=-1)) + 1
    if not len(codes) or n < 2:
        return {}
    lifts: dict[Surroundings, FloatArray] = {}
    for facet in FACETS:
        values, of_code = _values(facet, known)
        did, came = _did(log, category, n, values, of_code), _came(log, values, of_code)
        often = [at for at in np.argsort(-came, kind="stable")[:MOST_VALUES].tolist() if came[at] >= FEWEST]
        lifts |= dict(_lifts(values, often, did, lifts))
    found: FloatArray = np.array(list(lifts.values()), dtype=np.float32).reshape(-1, n)
    return {
        "leaning_lifts": found,
        "leaning_values": np.frombuffer(msgspec.json.encode(list(lifts)), dtype=np.uint8),
        "leaning_category": category,
    }


def _values(
    facet: Callable[[Surroundings], Surroundings | None], known: tuple[Surroundings, ...]
) -> tuple[list[Surroundings], IntArray]:
    """What there is of a facet, and which each code has, -1 for none."""
    place: dict[Surroundings, int] = {}
    of_code = [-1 if (one := facet(code)) is None else place.setdefault(one, len(place)) for code in known]
    return list(place), np.array(of_code, dtype=np.int64)


def _did(log: TrainingLog, category: IntArray, n: int, values: list[Surroundings], of_code: IntArray) -> FloatArray:
    """How much was done in each category by those with each value, shape ``(values, n)``."""
    found = np.zeros(len(values) * n)
    for start in range(0, len(log), CHUNK):
        rows = slice(start, start + CHUNK)
        value, of_item = of_code[log.around[0][log.session[rows]]], category[log.item[rows]]
        told = (value >= 0) & (of_item >= 0)
        at, worth = value[told] * n + of_item[told], WORTH[log.action[rows][told]]
        found += np.bincount(at, worth, len(found))
    return found.reshape(len(values), n)


def _came(log: TrainingLog, values: list[Surroundings], of_code: IntArray) -> IntArray:
    """How many visitors had each value."""
    starts = np.flatnonzero(np.append(True, log.session[1:] != log.session[:-1])[: len(log)])
    value = of_code[log.around[0][log.session[starts]]]
    pairs = np.unique(value * len(log.owners) + log.visitor[starts])
    found: IntArray = np.bincount(pairs[pairs >= 0] // max(1, len(log.owners)), minlength=len(values))
    return found


def _lifts(
    values: list[Surroundings], often: list[int], did: FloatArray, above: dict[Surroundings, FloatArray]
) -> Iterator[tuple[Surroundings, FloatArray]]:
    """Of each value that is met often enough; of regions on top of what their countries have *above*."""
    everybody = did.sum(axis=0)
    for at in often:
        one = values[at]
        country = Surroundings(country=one.country) if one.region else None
        if country is None:
            yield one, _lift(did[at], everybody)
        elif country in above:
            compatriots = [place for place, other in enumerate(values) if other.country == one.country]
            yield one, above[country] + _lift(did[at], did[compatriots].sum(axis=0))


def _lift(did: FloatArray, all_did: FloatArray) -> FloatArray:
    expected = did.sum() * all_did / max(float(all_did.sum()), 1e-12)
    found: FloatArray = np.log((did + EXPECTED) / (expected + EXPECTED))
    return found
