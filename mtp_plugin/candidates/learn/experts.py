"""Learning the weights of the experts on the latest part of a history, from an index of what was before.

An index that already holds the sessions to be predicted would teach to trust it blindly, so both are cut apart by time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
from typing import Any

import numpy as np

from ...ports import Bundle
from ...records import ProductTable
from ..blend import Expert
from ..log import PURCHASE, UNCART, VIEW, TrainingLog
from ..membership import Earlier
from ..recommender import Recommender
from ..sources import FORMAT
from .bare_table import bare_table
from .basket_choice import complete_choice, complete_questions, return_choice, return_questions
from .behaviour import learn_behaviour
from .ease import RIDGE
from .ease_ridge import ease_ridge
from .leanings import item_categories, leaning_arrays
from .neighbour_settings import neighbour_settings
from .rankings import half_life
from .related_lists import Orders
from .reranker import Case, Grown, grow_reranker
from .segment_rankings import PRIOR
from .session_choice import session_choice, session_choices, session_questions

HELD_OUT = 0.1
"""Part of the sessions, the latest, that weights are learnt from."""

MOST_ASKED = 24_000
"""Places in the earlier held-out sessions that re-rankers learn from, and in the latest, where they are judged."""
RERANKING = "growing the re-ranker"
"""What training says it is doing, and the task."""
BASKET_DAYS = 30
BASKET_PART = 0.15
"""Of a short history, instead."""
STRETCHES = 3
"""Of orders that are held out, one before the other: trees of two found more than trees of one, of three still more."""
DAY_S = 86_400.0


@dataclass(slots=True)
class Experts:
    """What is learnt of how to blend: ``weights`` by expert, ``settings`` of the neighbours by index, the ``ridge`` of
    EASE, the ``rerankers`` by task where they are better, and ``figures`` on held-out history.
    """

    weights: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    ridge: float = RIDGE
    rerankers: dict[str, Grown] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    progress: Callable[[str], None] = print

    def add(
        self, task: str, learnt: dict[str, Any] | None, earlier: Iterable[Case], later: Iterable[Case], seed: int
    ) -> None:
        """Take an expert, and grow its re-ranker: on the held-out history before, judged on what the expert is of."""
        if not learnt:
            return
        self.weights[task] = learnt
        self.progress(f"{RERANKING}: {task}")
        names, buckets = tuple(learnt["features"]), len(learnt["weights"])
        grown = grow_reranker(earlier, later, Expert(names, {}, buckets, learnt), seed=seed)
        self.figures.setdefault("rerankers", {})[task] = grown.figures
        if grown.trees is not None:
            self.rerankers[task] = grown


def learn_experts(
    log: TrainingLog,
    *,
    table: ProductTable | None,
    content: Bundle | None,
    seed: int,
    progress: Callable[[str], None],
    earlier: Earlier | None = None,
    prior: float = PRIOR,
) -> Experts:
    """Learn how to blend, from what held-out history chose.

    :param earlier: tells who was in which segment
    :param prior: interactions that the ranking of a segment's parent is worth
    """
    models = Models(table if table is not None and len(table) else bare_table(log.items), content, earlier, prior)
    found = Experts(progress=progress)
    if (log.action == VIEW).any():
        progress("learning what predicts the next view")
        _session(found, log, models, seed)
    if (log.action == PURCHASE).any():
        progress("learning what predicts the next basket")
        _baskets(found, log, models, seed)
    return found


def _session(found: Experts, log: TrainingLog, models: Models, seed: int) -> None:
    """The expert, the neighbours' settings, and from how many cases."""
    cut = _cut(log)
    before = log.take(slice(0, cut))
    found.settings[""], found.figures["session_cases"] = {}, 0
    if not len(before) or cut == len(log):
        return
    recommender = models.of(before, buying=False)
    held_out = log.take(slice(cut, None)).views()
    settings = found.settings[""] = neighbour_settings(recommender, held_out, seed=seed)
    _tune(recommender, settings)
    cases = session_choices(recommender, held_out, seed=seed)
    found.figures["session_cases"] = len(cases)
    del recommender  # of a long log one model is held at a time: this one is made again to judge by

    def questions(known: TrainingLog, asked: TrainingLog) -> Iterator[Case]:
        known_of = _tune(models.of(known, float(asked.time.min(initial=np.inf)), buying=False), settings)
        yield from session_questions(known_of, asked, MOST_ASKED, seed + 1, models.earlier)

    earlier = _cut(before)
    long_before, middle = before.take(slice(0, earlier)), before.take(slice(earlier, None)).views()
    found.add("session", session_choice(cases), questions(long_before, middle), questions(before, held_out), seed)


def _tune(recommender: Recommender, settings: dict[str, float]) -> Recommender:
    """With these settings of the session neighbours."""
    if recommender.sources.neighbours is not None:
        recommender.sources.neighbours = recommender.sources.neighbours.tuned(settings)
    return recommender


def _cut(log: TrainingLog) -> int:
    """The first row of the latest sessions, which are held out."""
    views = np.flatnonzero(log.action == VIEW)
    return int(np.searchsorted(log.session, log.session[views[int(len(views) * (1 - HELD_OUT))]])) if len(views) else 0


def _baskets(found: Experts, log: TrainingLog, models: Models, seed: int) -> None:
    """Both experts, and the ridge of EASE they were learnt with."""
    purchases = log.purchases()
    length = min(BASKET_DAYS * DAY_S, log.span * BASKET_PART) if log.timed else log.span * HELD_OUT
    cut = log.end - length
    before = history_before(log, cut)
    if not len(before):
        return
    orders = Orders.of(before.purchases(), before.end, 8 * half_life(before))
    ridge = found.ridge = ease_ridge(orders, purchases.take(purchases.time >= cut), seed=seed)
    recommender = models.of(before, cut, viewing=False, ridge=ridge)
    choices = {"return": (return_choice, return_questions), "complete": (complete_choice, complete_questions)}
    learnt = {task: choice(recommender, purchases, cut, seed=seed) for task, (choice, _) in choices.items()}
    found.progress(f"{RERANKING}: what was known before")
    middle = _middle(purchases, cut)
    cuts = [log.end - length * number for number in range(STRETCHES, 0, -1)]
    asked = [
        (models.of(history_before(log, start), start, viewing=False, ridge=ridge), start, end)
        for start, end in pairwise(cuts)
    ]
    asked.append((recommender, cut, middle))
    for task, (_, questions) in choices.items():
        learnt_from = chain.from_iterable(
            questions(older, purchases.take(purchases.time < end), start, seed, models.earlier)
            for older, start, end in asked
        )
        judged_by = questions(recommender, purchases, middle, seed, models.earlier)
        found.add(task, learnt[task], learnt_from, judged_by, seed)


def _middle(purchases: TrainingLog, cut: float) -> float:
    """The moment that halves the orders from *cut* on: seasons turn, so trees are judged on what follows at once."""
    late = purchases.time >= cut
    _, first = np.unique(purchases.basket[late], return_index=True)
    return float(np.median(purchases.time[late][first])) if len(first) else cut


def history_before(log: TrainingLog, cut: float) -> TrainingLog:
    """What happened before a moment.

    A long log is not copied: what comes after its last row before *cut* is left out, and later rows among the others,
    of sessions that went on, are made to say nothing.
    """
    early = log.time < cut
    part = log.take(slice(0, len(log) - int(np.argmax(early[::-1])) if early.any() else 0))
    return replace(part, action=np.where(part.time < cut, part.action, np.int8(UNCART)))


@dataclass(frozen=True, slots=True)
class Models:
    """Makes recommenders of what was known at moments of the past.

    :param earlier: tells who was in which segment, ``None`` in a shop without any
    :param prior: as :func:`learn_behaviour` takes it
    """

    table: ProductTable
    content: Bundle | None
    earlier: Earlier | None
    prior: float

    def of(self, log: TrainingLog, cut: float | None = None, **options: Any) -> Recommender:
        """The recommender as far as one expert asks it.

        :param log: what happened before
        :param cut: the moment, for how the asker's like leaned until then; ``None`` where that is not asked for
        :param options: as :func:`learn_behaviour` takes
        """
        members = self.earlier.membership(log, cut) if self.earlier is not None and cut is not None else None
        arrays = learn_behaviour(log, now=log.end, membership=members, prior=self.prior, **options)
        arrays |= leaning_arrays(log, item_categories(self.table, log.items)) if cut is not None else {}
        strings = {"items": log.items, "segments": members.segment_ids if members is not None else ()}
        strings["categories"] = self.table.category_names
        bundle = Bundle(kind="behaviour", version="", arrays=arrays, strings=strings, meta={"format": FORMAT})
        return Recommender(self.table, bundle, self.content)
