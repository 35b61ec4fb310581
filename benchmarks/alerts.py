"""Detection delay against false alarms, on the daily and hourly series of Online Retail with planted drops. Prints one
JSON object; ``--plot FILE`` draws the curve.

``python benchmarks/alerts.py FILE [--plot alerts.png]`` where FILE is ``online_retail.csv.gz``. The series are what the
shop lived through: orders and revenue by day and by hour; a day or an hour in which the shop took no order was closed.
A drop takes 3.5 residual standard deviations of that moment off each value, from one step on, and stays. Where so much
cannot be lost (an hour with five orders), none is planted: ``possible`` says how often it can. False alarms are those
of the untouched series: it has its real ups and downs in it, so they are rather too many.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from collections import defaultdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from mtp_plugin.kpi.anomaly import SCALES, Kind, band

DEPTH = 3.5
THRESHOLDS = [round(1.0 + step * 0.25, 2) for step in range(17)]
WARM = {"day": 40, "hour": 300}
"""Steps before anything is counted: the season is being learnt."""
STAYS = 8
"""Steps that a drop is looked at."""


def read(path: Path) -> dict[datetime, tuple[set[str], float]]:
    """Orders and revenue by hour; cancellations and returns are left out."""
    orders: dict[datetime, set[str]] = defaultdict(set)
    revenue: dict[datetime, float] = defaultdict(float)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["InvoiceNo"].startswith("C") or int(row["Quantity"]) <= 0:
                continue
            hour = datetime.fromisoformat(row["InvoiceDate"]).replace(minute=0, second=0)
            orders[hour].add(row["InvoiceNo"])
            revenue[hour] += int(row["Quantity"]) * float(row["UnitPrice"])
    return {hour: (orders[hour], revenue[hour]) for hour in sorted(orders)}


def series(hours: dict[datetime, tuple[set[str], float]]) -> dict[str, tuple[Kind, list[float], list[int], float]]:
    """By name: kind, values, slots and steps a month."""
    days: dict[date, list[Any]] = defaultdict(lambda: [set(), 0.0])
    for hour, (orders, revenue) in hours.items():
        days[hour.date()][0] |= orders
        days[hour.date()][1] += revenue
    months = (max(days) - min(days)).days / 30.4
    by_hour, by_day = [hour.weekday() * 24 + hour.hour for hour in hours], [day.weekday() for day in days]
    return {
        "orders by day": ("count", [float(len(one[0])) for one in days.values()], by_day, len(days) / months),
        "revenue by day": ("amount", [one[1] for one in days.values()], by_day, len(days) / months),
        "orders by hour": ("count", [float(len(one[0])) for one in hours.values()], by_hour, len(hours) / months),
        "revenue by hour": ("amount", [one[1] for one in hours.values()], by_hour, len(hours) / months),
    }


def planted(
    kind: Kind, values: list[float], slots: list[int], warm: int, drops: int
) -> tuple[list[list[float]], float]:
    """Scores from the beginning of each drop on, and the share of moments at which one is possible."""
    before, scale, found, chance = band(values, slots, kind=kind), SCALES[kind], [], np.random.default_rng(8)
    places = [
        place
        for place in range(warm, len(values) - STAYS)
        if before.sigma[place] > 0
        and scale.to(before.expected[place], 1) - DEPTH * before.sigma[place] >= scale.to(0, 1)
    ]
    for place in chance.permutation(places)[:drops].tolist():
        with_drop = list(values[: place + STAYS])
        for at in range(place, place + STAYS):
            sigma = before.sigma[at] if before.sigma[at] > 0 else 0.0
            lower = scale.back(scale.to(values[at], 1) - DEPTH * sigma, 1)
            with_drop[at] = round(lower) if kind == "count" else lower
        found.append(band(with_drop, slots[: place + STAYS], kind=kind).score[place:].tolist())
    return found, len(places) / (len(values) - STAYS - warm)


def curve(kind: Kind, values: list[float], slots: list[int], month: float, warm: int, drops: int) -> dict[str, Any]:
    """Points of the curve, one a threshold."""
    plain = band(values, slots, kind=kind).score[warm:]
    found, possible = planted(kind, values, slots, warm, drops)
    points = []
    for threshold in THRESHOLDS:
        first = [next((step for step, score in enumerate(one) if score <= -threshold), None) for one in found]
        hits = [step for step in first if step is not None]
        points.append(
            {
                "threshold": threshold,
                "false_drops_a_month": round(alarms(plain <= -threshold) / len(plain) * month, 3),
                "false_alarms_a_month": round(alarms(np.abs(plain) >= threshold) / len(plain) * month, 3),
                "found_at_once": round(sum(step == 0 for step in hits) / len(found), 3),
                "found_within_a_step": round(sum(step <= 1 for step in hits) / len(found), 3),
                "found": round(len(hits) / len(found), 3),
                "mean_delay_steps": round(sum(hits) / len(hits), 2) if hits else None,
            }
        )
    return {"steps": len(values), "drops": len(found), "possible": round(possible, 3), "points": points}


def alarms(off: np.ndarray) -> int:
    """Values in a row that are off are one alarm."""
    return int(off[0]) + int(np.sum(off[1:] & ~off[:-1])) if len(off) else 0


def bench(path: Path, drops: int) -> dict[str, Any]:
    """All series."""
    found = {}
    for name, (kind, values, slots, month) in series(read(path)).items():
        found[name] = curve(kind, values, slots, month, WARM[name.split()[-1]], drops)
    return {"depth_sigma": DEPTH, "series": found}


def plot(result: dict[str, Any], path: Path) -> None:
    """One line a series: found within a step against false alarms of drops a month."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for name, one in result["series"].items():
        points = one["points"]
        x = [point["false_drops_a_month"] for point in points]
        left.plot(x, [point["found_within_a_step"] for point in points], marker="o", markersize=3, label=name)
        right.plot(x, [point["mean_delay_steps"] for point in points], marker="o", markersize=3, label=name)
    for axes, label in ((left, "found within a step"), (right, "mean delay of those found, steps")):
        axes.set(xlabel="false alarms of a drop a month", ylabel=label, xlim=(0, 4))
        axes.axvline(1, color="grey", linewidth=0.8)
        axes.grid(alpha=0.3)
    left.axhline(0.9, color="grey", linewidth=0.8)
    left.legend(loc="lower right")
    figure.savefig(path, dpi=120)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="online_retail.csv.gz")
    parser.add_argument("--drops", type=int, default=200, help="planted in each series, one at a time")
    parser.add_argument("--plot", type=Path, help="a PNG of the curve")
    given = parser.parse_args()
    result = bench(given.file, given.drops)
    if given.plot:
        plot(result, given.plot)
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
