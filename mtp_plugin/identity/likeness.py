"""How alike two visitors are: the weights of Fellegi and Sunter, "A Theory for Record Linkage" (JASA 64, 1969).

For each thing that can be compared, ``m`` is how often it turns out so for one person's two profiles, ``u`` how often
for two strangers'. It adds ``log2(m / u)`` bits for or against; the bits of all, and those of the prior, give the
probability that both are one person. What only one side tells counts nothing. Products are compared by how rare they
are: that two people looked at the best-seller says little, that both looked at what three of ten thousand visitors
ever saw says much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

M_PRODUCT = 0.25
"""How often somebody meets again, on another device, a product met on the first."""
MOST_PRODUCTS = 5
DAMPING = 0.6
"""Products of one visit are not independent: each further one counts this much of the one before."""
MIN_HOURS = 5
"""Events of each side below which times of day say nothing."""

STEPS = {
    "taste": ((0.2, 0.05, 0.42), (0.6, 0.15, 0.34), (0.9, 0.40, 0.18), (math.inf, 0.40, 0.06)),
    "time": ((0.2, 0.12, 0.40), (0.5, 0.38, 0.42), (math.inf, 0.50, 0.18)),
}
"""Rows of (likeness below, m, u) for what is alike by degrees."""
SAME = {
    "city": (0.75, 0.05),
    "country": (0.97, 0.60),
    "locale": (0.93, 0.55),
    "device": (0.45, 0.40),
    "browser": (0.55, 0.35),
}
"""(m, u) of being the same; the opposite has what is left to one."""
TOGETHER = (0.02, 0.25)
"""(m, u) of acting within the same minute: one person seldom uses two devices at once."""


@dataclass(frozen=True)
class Trace:
    """What a visitor left that can be compared.

    ``products`` that were viewed, put into the cart or bought; ``taste`` weights of categories; ``hours`` how many
    events fell into each hour of the day; ``places`` by the names of :data:`SAME`; ``minutes`` in which something
    happened, since 1970.
    """

    products: frozenset[str] = frozenset()
    taste: Mapping[str, float] = field(default_factory=dict)
    hours: Mapping[str, float] = field(default_factory=dict)
    places: Mapping[str, frozenset[str]] = field(default_factory=dict)
    minutes: frozenset[int] = frozenset()


def bits(a: Trace, b: Trace, visitors: Mapping[str, int], total: int) -> dict[str, float]:
    """For and against, in bits, by what they come from.

    :param visitors: how many visitors met each product
    :param total: how many visitors there are
    """
    found = {"products": _product_bits(a.products & b.products, visitors, total)}
    if a.taste and b.taste:
        found["taste"] = _step("taste", _cosine(a.taste, b.taste))
    if min(sum(a.hours.values()), sum(b.hours.values())) >= MIN_HOURS:
        found["time"] = _step("time", _cosine(a.hours, b.hours))
    for name, (m, u) in SAME.items():
        ours, theirs = a.places.get(name), b.places.get(name)
        if ours and theirs:
            found[name] = _log(m, u) if ours & theirs else _log(1 - m, 1 - u)
    if a.minutes and b.minutes:
        at_once = not a.minutes.isdisjoint(b.minutes)
        found["together"] = _log(*TOGETHER) if at_once else _log(1 - TOGETHER[0], 1 - TOGETHER[1])
    return {name: round(value, 3) for name, value in found.items()}


def probability(found: Mapping[str, float], total: int) -> float:
    """How likely both are one person, 0 to 1.

    The prior is that of each visitor's other profile among all: one in *total*.

    >>> probability({"products": 0.0}, 1000)
    0.001
    >>> probability({"products": 14.0, "city": 4.0}, 1000) > 0.99
    True
    """
    odds = sum(found.values()) - math.log2(max(total - 1, 1))
    if odds < -60:
        return 0.0
    return round(1 / (1 + 2**-odds), 6)


def _product_bits(both: Iterable[str], visitors: Mapping[str, int], total: int) -> float:
    """What the rarest of the products that both met say; none in common counts nothing, people move on."""
    each = sorted((_log(M_PRODUCT, visitors.get(name, 2) / max(total, 1)) for name in both), reverse=True)
    return sum(max(0.0, value) * DAMPING**place for place, value in enumerate(each[:MOST_PRODUCTS]))


def _step(name: str, likeness: float) -> float:
    return next(_log(m, u) for below, m, u in STEPS[name] if likeness < below)


def _log(m: float, u: float) -> float:
    return math.log2(m / min(max(u, 1e-6), 1.0))


def _cosine(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    dot = sum(value * b.get(key, 0.0) for key, value in a.items())
    sizes = math.hypot(*a.values()) * math.hypot(*b.values())
    return dot / sizes if sizes else 0.0


def pairs_by_product(met: Mapping[str, Iterable[str]], most_visitors: int, most_pairs: int) -> list[tuple[str, str]]:
    """Pairs of visitors worth comparing: those who met the same rare product, the rarest first.

    :param met: visitors by product
    :param most_visitors: of a product; more than that and it is not rare
    :param most_pairs: to give at most
    """
    found: dict[tuple[str, str], None] = {}
    rare = sorted((sorted(set(names)) for names in met.values()), key=lambda names: (len(names), names))
    for names in rare:
        if len(names) > most_visitors:
            break
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                found[one, other] = None
                if len(found) >= most_pairs:
                    return list(found)
    return list(found)
