"""From visitors' events to a bundle: rows at cut-offs, search, fit, calibration, report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ...errors import TooLittleError
from ...records import FoldFunction, ProductTable
from ..features import Features, Standing, trait_word
from ..model import FORMAT, HORIZON_DAYS, TARGETS
from ..scorer import Scorer
from .calibrate import calibrate
from .distil import fidelity
from .estimators import HIST, Fitted, load
from .examples import HORIZON, Examples, Plan, examples
from .history import MIN_CUTS, History, Visitors
from .judge import figures, importance
from .search import search

Progress = Callable[[str], None]
MAX_TRAITS = 30
COMMON = 0.02
"""Share of visitors that a trait's word must be said of to be a column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a propensity model is learnt.

    :param half_life: seconds, of profiles
    :param idle: idle seconds that end a session
    :param estimator: dotted name
    :param params: of the estimator, by target; with any, nothing is searched
    :param tries: settings that the search begins with; below 2 there is none
    :param most: categories
    :param excluded: sensitive categories, as whole paths
    :param traits: that may be learnt from
    :param others: pairs drawn of those a visitor neither met nor bought; 0: all categories
    :param products: whether products are learnt, too
    """

    half_life: float
    idle: float
    estimator: str = HIST
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tries: int = 9
    most: int = 100
    excluded: frozenset[str] = frozenset()
    traits: tuple[str, ...] = ()
    others: int = 8
    products: bool = True
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What a bundle is published from."""

    arrays: dict[str, Any]
    strings: dict[str, tuple[str, ...]]
    meta: dict[str, Any]
    figures: dict[str, Any]


def learn(
    visitors: Visitors,
    fold: FoldFunction,
    table: ProductTable,
    *,
    now: float,
    options: Options,
    progress: Progress,
) -> Learnt:
    """Learn from what was before *now*.

    The report judges, at the latest cut-off, what was learnt from all but the two latest and calibrated at the last
    but one. What is published is one step further: learnt from all but the latest, which calibrates it.

    :param fold: events into profiles
    :raises TooLittleError: the history is too short, or nothing was bought
    :raises mtp_plugin.errors.SetupError: an estimator that cannot be served
    """
    load(options.estimator)
    progress("reading orders")
    history = History.read(visitors, table, now)
    now = history.last  # history that ended long ago is learnt from as of its end
    cuts = history.cuts(now)
    if len(cuts) < MIN_CUTS or not len(history.row):
        raise TooLittleError(f"propensity needs orders over {(MIN_CUTS + 1) * HORIZON_DAYS} days at least")
    names = history.categories(table, options.most, options.excluded)
    traits = choose_traits(visitors, options.traits, cuts[-2])

    @lru_cache(maxsize=64)
    def at(boundary: float) -> Features:
        standing = history.standing(table, names, boundary)
        return Features(table, standing, half_life=options.half_life, idle=options.idle, traits=traits)

    def latest(moment: float) -> Features:
        known = [cut for cut in (cuts[0] - HORIZON, *cuts) if cut <= moment]
        return at(max(known, default=cuts[0] - HORIZON))

    progress(f"making rows of {len(history.names):,} visitors at {len(cuts)} moments")
    plan = Plan(cuts, latest, options.others, visits=True, seed=options.seed)
    found = examples(visitors, fold, table, plan, products=options.products)
    final = at(now)
    columns = {"category": final.category_columns, "product": final.product_columns}
    arrays, report = _standing_arrays(final.standing), {}
    for target, rows in zip(TARGETS, found, strict=True):
        if not options.products and target == "product":
            continue
        progress(f"learning to tell purchases of a {target}")
        scorer, report[target] = _learn_target(target, rows, len(cuts), columns[target], options, progress)
        arrays |= scorer.arrays(target)
    strings = {
        "categories": names, "products": final.standing.product_ids, "traits": traits,
        "category_columns": final.category_columns, "product_columns": final.product_columns,
    }  # fmt: skip
    meta = {
        "format": FORMAT, "half_life": options.half_life, "idle": options.idle, "estimator": options.estimator,
        "horizon_days": HORIZON_DAYS, "cuts": list(cuts), "excluded": sorted(options.excluded), "report": report,
    }  # fmt: skip
    return Learnt(arrays, strings, meta, {target: _short(said) for target, said in report.items()})


def _learn_target(
    target: str, rows: Examples, cuts: int, names: Sequence[str], options: Options, progress: Progress
) -> tuple[Scorer, dict[str, Any]]:
    """What serves, and the report on its like of one step before."""
    early = rows.rows(rows.cut < cuts - 2)
    if not 0 < early.y.sum() < len(early):
        raise TooLittleError("nobody bought anything in the weeks to learn from")
    params: dict[str, Any] = dict(options.params.get(target, {}))
    tried: list[dict[str, Any]] = []
    if not params:
        params, tried = search(options.estimator, early, tries=options.tries, seed=options.seed, progress=progress)
    fitted = Fitted(options.estimator, params, options.seed).fit(early)
    judged = calibrate(fitted.export(), rows.rows(rows.cut == cuts - 2))
    last = rows.rows(rows.cut == cuts - 1)
    said = figures(last.y, judged.probabilities(last.x), last.weight)
    said |= {
        "params": params,
        "search": tried,
        "importance": importance(judged.probabilities, last, names, options.seed)[:20],
        "calibration": "isotonic" if judged.steps.shape[1] else "sigmoid",
    }
    if not fitted.exact:
        said["fidelity"] = round(fidelity(fitted.probabilities(last.x), judged.raw(last.x)), 4)
    fitted = Fitted(options.estimator, params, options.seed).fit(rows.rows(rows.cut < cuts - 1))
    return calibrate(fitted.export(), last), said


def choose_traits(visitors: Visitors, wanted: Sequence[str], until: float) -> tuple[str, ...]:
    """Columns of these traits as said before *until*: numbers as they are, common words one column each."""
    if not wanted:
        return ()
    words: dict[str, Counter[str]] = {name: Counter() for name in wanted}
    numbers: Counter[str] = Counter()
    people = 0
    for _, events in visitors():
        people += 1
        said = {name: value for one in events if one.timestamp < until for name, value in one.traits.items()}
        for name in wanted:
            value = said.get(name)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                numbers[name] += 1
            elif value is not None:
                words[name][trait_word(value)] += 1
    found = [name for name in wanted if numbers[name] > COMMON * people]
    for name in wanted:
        ranked = sorted(words[name].items(), key=lambda row: (-row[1], row[0]))
        found += [f"{name}={word}" for word, count in ranked if count > COMMON * people]
    return tuple(found[:MAX_TRAITS])


def _standing_arrays(standing: Standing) -> dict[str, Any]:
    return {"category_standing": standing.categories, "product_standing": standing.products}


def _short(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ("roc_auc", "pr_auc", "log_loss", "brier", "ece", "base_rate")}
