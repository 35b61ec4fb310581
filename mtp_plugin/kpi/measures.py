"""What sums over slates say: rates, money, latency; and what of a small group may be told."""

from __future__ import annotations

from collections.abc import Mapping

BUCKETS_MS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Upper ends of the buckets that latencies are counted in; one more holds the rest."""
SUMS = (
    "slates", "empty", "fallback", *(f"took_{place}" for place in range(len(BUCKETS_MS) + 1)), "seen", "clicked",
    "clicks", "carts", "purchases", "orders", "revenue", "margin", "refunds", "shown", "fresh",
)  # fmt: skip
"""What is summed up of slates, see :mod:`mtp_plugin.kpis`."""
MEASURES = (
    "slates", "seen", "clicked", "ctr", "carts", "orders", "conversion", "revenue", "aov", "revenue_per_1000",
    "margin", "fallback_share", "empty_share", "p50_ms", "p95_ms", "novelty",
)  # fmt: skip
"""Names of what :func:`measures` gives, in the order of tables."""
WIDE = ("coverage", "attributed_share")
"""Figures that need more than sums: products told apart, and all that the shop sold."""


def measures(sums: Mapping[str, float]) -> dict[str, float | None]:
    """The figures of a group; ``None`` where they are of nothing.

    ``ctr`` is slates clicked over slates seen, ``conversion`` orders over slates seen, ``aov`` revenue an order,
    ``revenue_per_1000`` that of a thousand slates seen, ``novelty`` new products over products shown. Latency is the
    time a slate took without asking the shop.

    >>> told = measures({**dict.fromkeys(SUMS, 0.0), "slates": 4.0, "seen": 2.0, "clicked": 1.0, "took_1": 4.0})
    >>> told["ctr"], told["conversion"], told["aov"], told["p50_ms"]
    (0.5, 0.0, None, 0.75)
    """
    slates, seen, orders = sums["slates"], sums["seen"], sums["orders"]
    took = [sums[f"took_{place}"] for place in range(len(BUCKETS_MS) + 1)]
    return {
        "slates": slates,
        "seen": seen,
        "clicked": sums["clicked"],
        "ctr": _share(sums["clicked"], seen),
        "carts": sums["carts"],
        "orders": orders,
        "conversion": _share(orders, seen),
        "revenue": sums["revenue"],
        "aov": _share(sums["revenue"], orders),
        "revenue_per_1000": _share(1000 * sums["revenue"], seen),
        "margin": sums["margin"],
        "fallback_share": _share(sums["fallback"], slates),
        "empty_share": _share(sums["empty"], slates),
        "p50_ms": quantile(took, 0.5),
        "p95_ms": quantile(took, 0.95),
        "novelty": _share(sums["fresh"], sums["shown"]),
    }


def quantile(counts: list[float], share: float) -> float | None:
    """Milliseconds below which a share of what was counted lies, read off in a straight line within its bucket.

    >>> quantile([0, 0, 10, 0, 0, 0, 0, 0, 0], 0.5)
    1.5
    """
    total = sum(counts)
    if total <= 0:
        return None
    wanted, below = share * total, 0.0
    ends = (0.0, *BUCKETS_MS, 2 * BUCKETS_MS[-1])
    for place, count in enumerate(counts):
        if count and below + count >= wanted:
            low, high = ends[place], ends[place + 1]
            return low + (high - low) * (wanted - below) / count
        below += count
    return ends[-1]


def added(groups: list[Mapping[str, float]]) -> dict[str, float]:
    """Groups together."""
    return {name: sum(group[name] for group in groups) for name in SUMS}


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
