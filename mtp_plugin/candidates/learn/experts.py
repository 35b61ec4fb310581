"""Learning the weights of the experts on the latest part of a history, from an index of what was before.

An index that already holds the sessions to be predicted would teach to trust it blindly, so both are cut apart by time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...ports import Bundle
from ...records import ProductTable
from ..log import PURCHASE, UNCART, VIEW, TrainingLog
from ..recommender import Recommender
from ..sources import FORMAT
from .bare_table import bare_table
from .basket_choice import complete_choice, return_choice
from .behaviour import learn_behaviour
from .ease import RIDGE
from .ease_ridge import ease_ridge
from .neighbour_settings import neighbour_settings
from .rankings import half_life
from .related_lists import Orders
from .session_choice import session_choice

HELD_OUT = 0.1
"""Part of the sessions, the latest, that weights are learnt from."""

BASKET_DAYS = 45
DAY_S = 86_400.0


def learn_experts(
    log: TrainingLog, *, table: ProductTable | None, content: Bundle | None, seed: int, progress: Callable[[str], None]
) -> tuple[dict[str, Any], dict[str, Any], float, dict[str, Any]]:
    """Weights by expert, settings of the neighbours, the ridge of EASE, and figures on held-out history."""
    known = table if table is not None and len(table) else bare_table(log.items)
    experts: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    figures: dict[str, Any] = {}
    ridge = RIDGE
    if (log.action == VIEW).any():
        progress("learning what predicts the next view")
        experts["session"], settings[""], figures["session_cases"] = _session(log, known, content, seed)
    if (log.action == PURCHASE).any():
        progress("learning what predicts the next basket")
        experts["return"], experts["complete"], ridge = _baskets(log, known, content, seed)
    return {name: learnt for name, learnt in experts.items() if learnt}, settings, ridge, figures


def _session(
    log: TrainingLog, table: ProductTable, content: Bundle | None, seed: int
) -> tuple[dict[str, Any] | None, dict[str, float], int]:
    """The expert, the neighbours' settings, and from how many cases."""
    cut = _first_held_out(log)
    before, held_out = log.take(slice(0, cut)), log.take(slice(cut, None)).views()
    if not len(before) or not len(held_out):
        return None, {}, 0
    recommender = _recommender(before, table, content, buying=False)
    settings = neighbour_settings(recommender, held_out, seed=seed)
    if recommender.sources.neighbours is not None:
        recommender.sources.neighbours = recommender.sources.neighbours.tuned(settings)
    learnt, cases = session_choice(recommender, held_out, seed=seed)
    return learnt, settings, len(cases)


def _first_held_out(log: TrainingLog) -> int:
    """The row from which on the sessions are held out."""
    views = np.flatnonzero(log.action == VIEW)
    return int(np.searchsorted(log.session, log.session[views[int(len(views) * (1 - HELD_OUT))]]))


def _baskets(log: TrainingLog, table: ProductTable, content: Bundle | None, seed: int) -> tuple[Any, Any, float]:
    """Both experts, and the ridge of EASE they were learnt with."""
    purchases = log.purchases()
    cut = log.end - min(BASKET_DAYS * DAY_S, log.span * 0.2) if log.timed else log.end - log.span * HELD_OUT
    before = history_before(log, cut)
    if not len(before):
        return None, None, RIDGE
    orders = Orders.of(before.purchases(), before.end, 8 * half_life(before))
    ridge = ease_ridge(orders, purchases.take(purchases.time >= cut), seed=seed)
    recommender = _recommender(before, table, content, viewing=False, ridge=ridge)
    return (
        return_choice(recommender, purchases, cut, seed=seed),
        complete_choice(recommender, purchases, cut, seed=seed),
        ridge,
    )


def history_before(log: TrainingLog, cut: float) -> TrainingLog:
    """What happened before a moment.

    A long log is not copied: what comes after its last row before *cut* is left out, and later rows among the others,
    of sessions that went on, are made to say nothing.
    """
    early = log.time < cut
    part = log.take(slice(0, len(log) - int(np.argmax(early[::-1])) if early.any() else 0))
    return replace(part, action=np.where(part.time < cut, part.action, np.int8(UNCART)))


def _recommender(log: TrainingLog, table: ProductTable, content: Bundle | None, **options: Any) -> Recommender:
    """The recommender as far as one expert asks it.

    :param options: as :func:`learn_behaviour` takes
    """
    arrays = learn_behaviour(log, now=log.end, **options)
    bundle = Bundle(kind="behaviour", version="", arrays=arrays, strings={"items": log.items}, meta={"format": FORMAT})
    return Recommender(table, bundle, content)
