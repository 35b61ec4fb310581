"""Purchase propensity on a year of real grocery purchases (Complete Journey), as JSON; see ``docs/propensity.md``.

    python benchmarks/propensity.py DATA [--households N]

DATA is the folder that holds ``complete_journey/``. Whether a household buys from each of the 50 categories that most
households bought from within the next seven days, asked at four moments a week apart. Everything is learnt from what
was before the first of them: categories, settings, model and calibration. Beside it stand a logistic regression over
the same rows, learnt and calibrated in the same way, and what was bought in the four weeks before.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq  # the extra `parquet`
from sklearn.metrics import average_precision_score

from mtp_plugin.catalog.table import build_table
from mtp_plugin.config import Settings
from mtp_plugin.profile.fold import Fold
from mtp_plugin.propensity.features import DAY, Features, Standing
from mtp_plugin.propensity.learn.estimators import HIST, LINEAR
from mtp_plugin.propensity.learn.examples import Examples, Plan, examples
from mtp_plugin.propensity.learn.history import WINDOW, History, Visitors
from mtp_plugin.propensity.learn.judge import calibration_error, figures
from mtp_plugin.propensity.learn.train import Learnt, Options, learn
from mtp_plugin.propensity.scorer import Scorer
from mtp_plugin.records import Event, EventProduct, Product, ProductTable
from mtp_plugin.track.imported import imported_event

TRAITS = ("age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count")
WEEKS, CATEGORIES, RESAMPLES = 4, 50, 200
PROTOCOL = (
    "Complete Journey: {households} households, at {weeks} moments a week apart, each with the {categories} categories "
    "that most households bought from before the first moment: {pairs} pairs. Learnt from before the first moment "
    "alone, not learnt again after. Intervals: 95 %, {resamples} bootstrap resamples of households"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--households", type=int, default=0, help="Only so many, those of the lowest ids; 0: all.")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(json.dumps(measure(given.data, given.households, given.seed), indent=1))


def say(text: str) -> None:
    """Progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr)


def measure(data: Path, households: int, seed: int) -> dict[str, Any]:
    """All figures."""
    say("reading")
    orders, table = read(data / "complete_journey", households)
    end = max(event.timestamp for events in orders.values() for event in events)
    first = end - WEEKS * 7 * DAY
    moments = tuple(first + week * 7 * DAY for week in range(WEEKS))
    fold, settings = Fold(Settings()), Settings()

    def folding(profile: Any, events: tuple[Event, ...]) -> Any:
        return fold(profile, events, table.facts)

    def visitors() -> Any:
        return orders.items()

    learnt, seconds = {}, {}
    for name, estimator in (("boosting", HIST), ("logistic_regression", LINEAR)):
        options = Options(
            half_life=settings.half_life_days * DAY, idle=1800.0, estimator=estimator, most=CATEGORIES, traits=TRAITS,
            others=0, products=False, seed=seed,
        )  # fmt: skip
        began = time.perf_counter()
        learnt[name] = learn(visitors, folding, table, now=first, options=options, progress=say)
        seconds[name] = round(time.perf_counter() - began, 1)
    say("asking at the moments of the test")
    test, bought = _test(visitors, folding, table, learnt["boosting"], moments, settings, seed)
    said = {name: Scorer.of_arrays(one.arrays, "category").probabilities(test.x) for name, one in learnt.items()}
    told = {name: figures(test.y, p, test.weight) for name, p in said.items()}
    said |= {"last_4_weeks": bought}
    told["last_4_weeks"] = {"pr_auc": round(float(average_precision_score(test.y, bought)), 5)}
    say("bootstrap")
    return {
        "protocol": PROTOCOL.format(
            households=len(orders), weeks=WEEKS, categories=CATEGORIES, pairs=len(test), resamples=RESAMPLES
        ),
        "figures": told,
        "intervals": intervals(test, said, seed),
        "by_week_ece": [
            figures(test.y[one], said["boosting"][one], test.weight[one])["ece"]
            for one in (test.cut == week for week in range(WEEKS))
        ],
        "params": learnt["boosting"].meta["report"]["category"]["params"],
        "importance": learnt["boosting"].meta["report"]["category"]["importance"][:10],
        "train_seconds": seconds,
        "us_per_visitor": _speed(visitors, folding, table, learnt["boosting"], settings, first),
    }


def _standing(learnt: Learnt) -> Standing:
    return Standing(
        learnt.strings["categories"], learnt.arrays["category_standing"],
        learnt.strings["products"], learnt.arrays["product_standing"],
    )  # fmt: skip


def _test(
    visitors: Visitors, fold: Any, table: ProductTable, learnt: Learnt, moments: tuple[float, ...], settings: Settings,
    seed: int,
) -> tuple[Examples, np.ndarray]:  # fmt: skip
    """The rows of the test, and whether each pair was bought in the four weeks before."""
    features = Features(
        table, _standing(learnt), half_life=settings.half_life_days * DAY, idle=1800.0, traits=learnt.strings["traits"]
    )
    plan = Plan(moments, lambda moment: features, 0, visits=False, seed=seed)
    test, _ = examples(visitors, fold, table, plan, products=False)
    history = History.read(visitors, table, moments[-1] + 7 * DAY)
    code = features.category[history.row]
    bought = np.zeros(len(test), dtype=float)
    for place, moment in enumerate(moments):
        late = (history.time < moment) & (history.time >= moment - WINDOW) & (code >= 0)
        known = {*zip(history.visitor[late].tolist(), code[late].tolist(), strict=True)}
        for row in np.flatnonzero(test.cut == place).tolist():
            bought[row] = (int(test.visitor[row]), int(test.code[row])) in known
    return test, bought


def intervals(test: Examples, said: dict[str, np.ndarray], seed: int) -> dict[str, Any]:
    """95 % intervals of PR-AUC, of the differences and of the calibration error, by resampling households."""
    random, count = np.random.default_rng(seed), int(test.visitor.max()) + 1
    drawn: dict[str, list[float]] = {}
    for _ in range(RESAMPLES):
        weight = np.bincount(random.integers(0, count, count), minlength=count)[test.visitor].astype(float)
        some = weight > 0
        scores = {
            name: float(average_precision_score(test.y[some], p[some], sample_weight=weight[some]))
            for name, p in said.items()
        }
        for name, score in scores.items():
            drawn.setdefault(f"pr_auc {name}", []).append(score)
            if name != "boosting":
                drawn.setdefault(f"pr_auc boosting - {name}", []).append(scores["boosting"] - score)
        drawn.setdefault("ece boosting", []).append(
            calibration_error(test.y[some], said["boosting"][some], weight[some])
        )
    return {
        name: [round(float(one), 5) for one in np.percentile(values, (2.5, 97.5))] for name, values in drawn.items()
    }


def _speed(
    visitors: Visitors, fold: Any, table: ProductTable, learnt: Learnt, settings: Settings, now: float
) -> dict[str, float]:
    """Microseconds for the probabilities of all categories from one profile."""
    features = Features(
        table, _standing(learnt), half_life=settings.half_life_days * DAY, idle=1800.0, traits=learnt.strings["traits"]
    )
    scorer, codes, took = Scorer.of_arrays(learnt.arrays, "category"), np.arange(CATEGORIES), []
    for _, events in list(visitors())[:300]:
        past = tuple(event for event in events if event.timestamp < now)
        if past:
            profile = fold(None, past)
            began = time.perf_counter()
            scorer.probabilities(features.categories(features.visitor(profile, now), codes))
            took.append((time.perf_counter() - began) * 1e6)
    return {"p50": round(float(np.percentile(took, 50)), 1), "p90": round(float(np.percentile(took, 90)), 1)}


def read(folder: Path, households: int) -> tuple[dict[str, list[Event]], ProductTable]:
    """Each household's events, oldest first: what is known of it, then its orders; and the products as a catalogue."""
    lines = pq.read_table(folder / "transactions.parquet").sort_by("transaction_timestamp")
    stamps = lines["transaction_timestamp"].to_numpy().astype("datetime64[s]").astype(float)
    names = ("household_id", "basket_id", "product_id", "quantity", "sales_value")
    columns = [lines[name].to_pylist() for name in names]
    most = sorted(set(columns[0]))[:households][-1] if households else max(columns[0])
    baskets: dict[tuple[int, int], tuple[float, list[EventProduct]]] = {}
    for stamp, who, basket, product, pieces, value in zip(stamps.tolist(), *columns, strict=True):
        if who <= most:
            item = EventProduct(str(product), float(pieces or 1), value / pieces if pieces else value)
            baskets.setdefault((who, basket), (stamp, []))[1].append(item)
    orders: dict[str, list[Event]] = {}
    people = {row["household_id"]: row for row in pq.read_table(folder / "demographics.parquet").to_pylist()}
    for (who, basket), (stamp, items) in baskets.items():
        mine = orders.setdefault(f"u:{who}", [])
        if not mine and who in people:
            traits = {name: people[who][name] for name in TRAITS if people[who][name]}
            said = imported_event("Identify", key=f"who:{who}", timestamp=stamp - 1, user_id=str(who), traits=traits)
            mine.append(said)
        mine.append(
            imported_event(
                "Order Completed", key=str(basket), timestamp=stamp, user_id=str(who), products=tuple(items),
                properties={"order_id": str(basket)},
            )
        )  # fmt: skip
    products = [
        Product(
            product_id=str(row["product_id"]), title=row["product_type"] or "", brand=row["brand"] or "",
            category_path=tuple(filter(None, (row["department"], row["product_category"]))),
        )
        for row in pq.read_table(folder / "products.parquet").to_pylist()
    ]  # fmt: skip
    return orders, build_table(products, 1)


if __name__ == "__main__":
    main()
