"""Segments: what they say of real households, and what finding them costs. Prints one JSON object.

``python benchmarks/segments.py journey DIR`` reads a year of groceries (Complete Journey) and answers three things with
demographics held out of the features: whether segments have to do with age, income and household though nobody said a
word of them; how much of them is found again when other households had been met; whether a segment's own best sellers
serve households that were not there better than everybody's do. ``python benchmarks/segments.py scale`` measures times
and memory on made-up visitors; ``read`` what reading features off profiles costs.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))

from mtp_plugin.catalog.table import build_table
from mtp_plugin.config import Settings
from mtp_plugin.profile.columns import Columns
from mtp_plugin.profile.features import features_of
from mtp_plugin.profile.fold import Fold
from mtp_plugin.records import EventProduct, Product, ProductFacts, Profile
from mtp_plugin.segment.learn.columns import choose_columns
from mtp_plugin.segment.learn.refresh import Found, Plan, find_segments, project
from mtp_plugin.segment.matrix import FeatureTable
from mtp_plugin.segmenting import WEIGHTS, groups_of
from mtp_plugin.track.imported import imported_event

DAY = 86_400.0
HALF_LIFE_DAYS = 180.0
"""Groceries are bought for a household that changes over seasons, not over a fortnight."""
TEST_DAYS = 30
RECENT_DAYS = 120
"""Days before the test that best sellers are counted on."""
SIZE = 20
TRUST = 30.0
"""Households of a segment from which its own best sellers weigh as much as everybody's."""
AGAIN = 1_000


def say(text: str) -> None:
    print(f"[{time.process_time():6.1f} s] {text}", file=sys.stderr, flush=True)


class Journey:
    """The files of Complete Journey as baskets of households in order of time."""

    def __init__(self, folder: Path) -> None:
        import pyarrow.parquet as parquet

        read = {
            name: parquet.read_table(folder / f"{name}.parquet").to_pydict() for name in ("products", "demographics")
        }
        bought = parquet.read_table(folder / "transactions.parquet")
        self.demographics = {
            str(household): {name: read["demographics"][name][row] for name in ("age", "income", "household_size")}
            for row, household in enumerate(read["demographics"]["household_id"])
        }
        self._products(read["products"])
        columns = bought.to_pydict()
        self.baskets: dict[str, list[tuple[float, str, list[tuple[str, float, float]]]]] = defaultdict(list)
        self.on_sale: set[tuple[str, int]] = set()
        known: dict[str, list[tuple[str, float, float]]] = {}
        names = ("household_id", "basket_id", "product_id", "quantity", "sales_value", "retail_disc")
        for household, basket, product, quantity, value, discount, at in zip(
            *(columns[name] for name in names),
            bought["transaction_timestamp"].cast("timestamp[s]").cast("int64").to_pylist(),
            strict=True,
        ):
            key = f"{household}|{basket}"
            if key not in known:
                known[key] = []
                self.baskets[str(household)].append((float(at), str(basket), known[key]))
            known[key].append((str(product), max(1.0, float(quantity)), float(value)))
            if discount > 0:
                self.on_sale.add((str(product), int(at // (7 * DAY))))
        for baskets in self.baskets.values():
            baskets.sort(key=lambda one: (one[0], one[1]))
        self.end = max(baskets[-1][0] for baskets in self.baskets.values())
        self._prices()

    def _products(self, rows: Mapping[str, Sequence[Any]]) -> None:
        self.paths = {
            str(rows["product_id"][row]): (
                tuple(str(text).title() for text in (rows["department"][row], rows["product_category"][row]) if text),
                str(rows["brand"][row] or ""),
            )
            for row in range(len(rows["product_id"]))
        }

    def _prices(self) -> None:
        sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for baskets in self.baskets.values():
            for _, _, lines in baskets:
                for product, quantity, value in lines:
                    sums[product][0] += value
                    sums[product][1] += quantity
        products = [
            Product(
                product_id=product,
                title=product,
                brand=self.paths.get(product, ((), ""))[1],
                category_path=self.paths.get(product, ((), ""))[0],
                price=round(value / quantity, 2) or None,
                currency="USD",
            )
            for product, (value, quantity) in sums.items()
        ]
        self.table = build_table(iter(products), 1)

    def facts(self, product: str, at: float) -> ProductFacts | None:
        found = self.table.facts(product, at)
        if found is None:
            return None
        sale = (product, int(at // (7 * DAY))) in self.on_sale
        return ProductFacts(
            found.category, found.brand, found.colors, found.style, found.price_tier, found.price, None, sale
        )

    def folded(self, fold: Fold, since: float, until: float, before: Mapping[str, Profile]) -> dict[str, Profile]:
        """Profiles of all households that bought something before *until*."""
        profiles = dict(before)
        for household, baskets in self.baskets.items():
            events = [
                imported_event(
                    "Order Completed",
                    key=basket,
                    timestamp=at,
                    user_id=household,
                    products=tuple(EventProduct(product, quantity=q, price=v / q) for product, q, v in lines),
                    properties={"order_id": basket, "total": sum(v for _, _, v in lines)},
                    context=_clock(at),
                )
                for at, basket, lines in baskets
                if since <= at < until
            ]
            if events:
                profiles[household] = fold(profiles.get(household), events, self.facts)
        return profiles


def _clock(at: float) -> dict[str, Any]:
    hour, day = int(at // 3600) % 24, int(at // DAY + 3) % 7
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return {"daypart": ("night", "morning", "afternoon", "evening")[hour // 6], "weekday": days[day]}


def table_of(profiles: Mapping[str, Profile], now: float, names: Sequence[str] = ()) -> FeatureTable:
    columns = Columns(names or choose_columns([features_of(one, now) for one in profiles.values()]))
    rows = np.stack([columns.row(profile, now) for profile in profiles.values()])
    return FeatureTable(columns.names, rows, list(profiles))


def told(found: Found, table: FeatureTable, journey: Journey, seed: int) -> dict[str, Any]:
    """Adjusted mutual information with what was held out, and with the same shuffled."""
    from sklearn.metrics import adjusted_mutual_info_score

    random, answer = np.random.default_rng(seed), {}
    rows = [row for row, one in enumerate(table.profile_ids) if one in journey.demographics]
    labels = found.labels[rows]
    for name in ("age", "income", "household_size"):
        said = [str(journey.demographics[table.profile_ids[row]][name]) for row in rows]
        real = adjusted_mutual_info_score(said, labels)
        shuffled = [adjusted_mutual_info_score(said, random.permutation(labels)) for _ in range(200)]
        answer[name] = {
            "ami": round(float(real), 4),
            "shuffled_mean": round(float(np.mean(shuffled)), 4),
            "shuffled_95th": round(float(np.quantile(shuffled, 0.95)), 4),
            "p_value": round((1 + sum(one >= real for one in shuffled)) / 201, 4),
        }
    return {"households": len(rows), **answer}


def found_again(found: Found, table: FeatureTable, seed: int) -> dict[str, Any]:
    """Adjusted Rand index of K-Means learnt from halves, for each number of segments, beside permuted labels."""
    from functools import partial

    from mtp_plugin.segment.learn.kmeans import kmeans
    from mtp_plugin.segment.learn.resample import resample

    places = project(table.values, found.scaling, found.components)
    answer = {}
    for count in (2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24):
        again = resample(
            kmeans(places, count, seed=seed, tries=8), places, partial(_kmeans, count), seed=seed, rounds=10
        )
        answer[str(count)] = {"agreement": round(again.agreement, 3), "permuted": round(again.null, 3)}
    return answer


def _kmeans(count: int, places: Any, seed: int) -> Any:
    from mtp_plugin.segment.learn.kmeans import kmeans

    return kmeans(places, count, seed=seed, tries=8)


def slates(journey: Journey, profiles: Mapping[str, Profile], cut: float, seed: int, plan: Plan) -> dict[str, Any]:
    """A segment's best sellers against everybody's, for households that nothing was learnt from."""
    random = np.random.default_rng(seed)
    names = sorted(profiles)
    held = set(random.choice(names, size=len(names) // 3, replace=False))
    train = table_of({one: profiles[one] for one in names if one not in held}, cut)
    found = find_segments(train, groups_of(train.names), plan=plan, seed=seed, progress=say)
    labels = dict(zip(train.profile_ids, found.labels.tolist(), strict=True))
    bought = {one: _products(journey, one, cut - RECENT_DAYS * DAY, cut) for one in names}
    lists = _best_sellers(bought, labels, found.partition.count)
    tests = table_of({one: profiles[one] for one in names if one in held}, cut, train.names)
    segments = found.partition.assign(project(tests.values, found.scaling, found.components))[0]
    rows = []
    for household, segment in zip(tests.profile_ids, segments.tolist(), strict=True):
        wanted = _products(journey, household, cut, journey.end + 1)
        past = _products(journey, household, 0.0, cut)
        if wanted:
            own, all_ = lists[segment], lists[-1]
            rows.append(
                (
                    *_hits(own, wanted, set()),
                    *_hits(all_, wanted, set()),
                    *_hits(own, wanted, past),
                    *_hits(all_, wanted, past),
                )
            )
    figures = np.array(rows)
    return {
        "households_held_out": len(figures),
        "segments": found.partition.count,
        "all_products": _compare(figures[:, :2], figures[:, 2:4], random),
        "products_new_to_the_household": _compare(figures[:, 4:6], figures[:, 6:8], random),
    }


def _products(journey: Journey, household: str, since: float, until: float) -> set[str]:
    return {product for at, _, lines in journey.baskets[household] if since <= at < until for product, _, _ in lines}


def _best_sellers(bought: Mapping[str, set[str]], labels: Mapping[str, int], count: int) -> dict[int, list[str]]:
    """Products by the share of a segment's households that bought them, drawn to everybody's share; -1 is everybody."""
    counts: dict[int, dict[str, float]] = {label: defaultdict(float) for label in range(-1, count)}
    sizes: dict[int, int] = defaultdict(int)
    for household, label in labels.items():
        for group in (-1, label):
            sizes[group] += 1
            for product in bought[household]:
                counts[group][product] += 1
    whole = {product: number / sizes[-1] for product, number in counts[-1].items()}
    return {
        group: sorted(
            whole,
            key=lambda one: (-(counts[group].get(one, 0.0) + TRUST * whole[one]) / (sizes[group] + TRUST), one),
        )[:2_000]
        for group in counts
    }


def _hits(ranked: Sequence[str], wanted: set[str], without: set[str]) -> tuple[float, float]:
    """Share of the slate that is bought, and NDCG."""
    shown = [one for one in ranked if one not in without][:SIZE]
    gains = [1.0 / np.log2(place + 2) for place in range(SIZE)]
    hits = [one in wanted for one in shown]
    ideal = sum(gains[: min(SIZE, max(1, len(wanted - without)))])
    return sum(hits) / SIZE, sum(gain for gain, hit in zip(gains, hits, strict=False) if hit) / ideal


def _compare(own: Any, everybody: Any, random: np.random.Generator) -> dict[str, Any]:
    answer = {}
    for place, name in enumerate((f"precision@{SIZE}", f"ndcg@{SIZE}")):
        gain = own[:, place] - everybody[:, place]
        means = [gain[random.integers(len(gain), size=len(gain))].mean() for _ in range(AGAIN)]
        answer[name] = {
            "segment": round(float(own[:, place].mean()), 4),
            "global": round(float(everybody[:, place].mean()), 4),
            "gain": round(float(gain.mean()), 4),
            "gain_95": [round(float(one), 4) for one in np.quantile(means, (0.025, 0.975))],
            "relative": round(float(gain.mean() / everybody[:, place].mean()), 4),
        }
    return answer


def journey_figures(folder: Path, seed: int, method: str) -> dict[str, Any]:
    say("reading")
    journey = Journey(folder)
    cut = journey.end - TEST_DAYS * DAY
    fold = Fold(Settings(half_life_days=HALF_LIFE_DAYS))
    say("folding")
    early = journey.folded(fold, 0.0, cut, {})
    late = journey.folded(fold, cut, journey.end + 1, early)
    plan = Plan(method, 0, 20, WEIGHTS)
    table = table_of(late, journey.end)
    started = time.process_time()
    found = find_segments(table, groups_of(table.names), plan=plan, seed=seed, progress=say)
    seconds = time.process_time() - started
    say("what they tell of demographics")
    return {
        "households": len(table),
        "features": len(table.names),
        "segments": found.partition.count,
        "sizes": np.bincount(found.labels).tolist(),
        "why": found.choice.why,
        "agreement": found.figures,
        "cpu_seconds": round(seconds, 1),
        "demographics": told(found, table, journey, seed),
        "found_again": found_again(found, table, seed),
        "slates": slates(journey, early, cut, seed, plan),
    }


def scale_figures(sizes: Sequence[int], features: int, seed: int) -> dict[str, Any]:
    """Times of a refresh from the table on, and of putting one visitor into a segment."""
    answer: dict[str, Any] = {}
    for size in sizes:
        random = np.random.default_rng(seed)
        centres = random.normal(size=(12, features)).astype(np.float32) * 2
        values = random.normal(size=(size, features)).astype(np.float32)
        values += centres[random.integers(12, size=size)]
        values[random.random(size=size) < 0.1, :5] = np.nan
        table = FeatureTable(tuple(f"f{place}" for place in range(features)), values, range(size))  # type: ignore[arg-type]
        wall, cpu = time.perf_counter(), time.process_time()
        found = find_segments(table, table.names, plan=Plan(), seed=seed, progress=say)
        answer[f"{size}x{features}"] = {
            "seconds": round(time.perf_counter() - wall, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
            "segments": found.partition.count,
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }
        answer["assign"] = assign_figures(found, values[:2_000])
    return answer


def assign_figures(found: Found, rows: Any) -> dict[str, float]:
    """Microseconds of one assignment: the arithmetic alone, best of several runs."""
    from mtp_plugin.segment import kernels

    arrays = (
        found.scaling.logs, found.scaling.centre, found.scaling.inverse, found.scaling.clip,
        found.components * found.scaling.weight[:, None], found.partition.points, found.partition.labels,
    )  # fmt: skip
    kernels.find(rows[0], *arrays)
    best = 1e9
    for _ in range(7):
        started = time.perf_counter()
        for row in rows:
            kernels.find(row, *arrays)
        best = min(best, (time.perf_counter() - started) / len(rows))
    return {"us": round(best * 1e6, 2), "points": len(found.partition.points)}


def read_figures(visitors: int, features: int, seed: int) -> dict[str, Any]:
    """Microseconds of reading a visitor's row off the profile, beside all features in words and then as a row.

    Of each visitor the best of several runs, over made-up visitors of some twenty events each.
    """
    profiles, now = made_up(visitors, seed)
    names = choose_columns([features_of(one, now) for one in profiles])[:features]
    columns = Columns(names)
    rows = {
        "row_us": _each(lambda one: columns.row(one, now), profiles),
        "in_words_us": _each(lambda one: columns.row_of(features_of(one, now)), profiles),
    }
    same = all(columns.row(one, now).tobytes() == columns.row_of(features_of(one, now)).tobytes() for one in profiles)
    events = sum(one.events for one in profiles) / len(profiles)
    return {"visitors": visitors, "columns": len(names), "events": round(events, 1), **rows, "same_bits": same}


def made_up(visitors: int, seed: int) -> tuple[list[Profile], float]:
    """Visitors of a shop with eight categories, of which each likes one."""
    chance, now, fold = random.Random(seed), 1.75e9, Fold(Settings())
    products = [
        Product(
            product_id=f"p{n}",
            title=f"P {n}",
            brand=f"Brand {n % 30}",
            category_path=("Shop", f"{n % 8}", f"{n % 40}"),
            price=5 + n % 97 * 7.0,
            currency="EUR",
            colors=(f"c{n % 9}",),
            style=f"s{n % 6}",
        )
        for n in range(600)
    ]
    table, found = build_table(iter(products), 1), []
    for visitor in range(visitors):
        liked, events = chance.randrange(8), []
        for session in range(chance.randrange(1, 8)):
            at = now - chance.uniform(0, 60) * DAY
            context = {"device": chance.choice(["mobile", "desktop"]), "country": "DE", "city": "Berlin", **_clock(at)}
            for step in range(chance.randrange(2, 9)):
                number = chance.randrange(75) * 8 + (liked if chance.random() < 0.7 else chance.randrange(8))
                name = chance.choice(["Product Viewed"] * 8 + ["Product Added", "Order Completed"])
                key = f"{visitor}-{session}-{step}"
                line, said = (EventProduct(f"p{number}", price=9.0),), {"order_id": key} if name[0] == "O" else {}
                at += 60
                more = {"products": line, "properties": said, "context": context}
                events.append(imported_event(name, key=key, timestamp=at, anonymous_id=f"v{visitor}", **more))
        found.append(fold(None, events, table.facts))
    return found, now


def _each(read: Any, profiles: Sequence[Profile]) -> dict[str, float]:
    best = []
    for one in profiles:
        least = 1e9
        for _ in range(20):
            started = time.perf_counter()
            read(one)
            least = min(least, time.perf_counter() - started)
        best.append(least * 1e6)
    return {"mean": round(float(np.mean(best)), 1), "95th": round(float(np.quantile(best, 0.95)), 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("what", choices=("journey", "scale", "read"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--method", default="auto")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000])
    parser.add_argument("--features", type=int, default=60)
    given = parser.parse_args()
    if given.what == "journey":
        print(json.dumps(journey_figures(given.folder, given.seed, given.method), indent=1, default=str))
    elif given.what == "read":
        print(json.dumps(read_figures(200, given.features, given.seed), indent=1))
    else:
        print(json.dumps(scale_figures(given.sizes, given.features, given.seed), indent=1))


if __name__ == "__main__":
    main()
