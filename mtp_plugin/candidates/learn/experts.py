"""Learning the weights of the experts on the latest part of a history, from an index of what was before.

An index that already holds the sessions to be predicted would teach to trust it blindly, so both are cut apart by time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ports import Bundle
from ...records import ProductTable
from ..log import TrainingLog
from ..recommender import Recommender
from ..sources import FORMAT
from .bare_table import bare_table
from .behaviour import learn_behaviour
from .session_choice import session_choice

HELD_OUT = 0.1
"""Part of the sessions, the latest, that weights are learnt from."""


def learn_experts(
    log: TrainingLog, *, table: ProductTable | None, seed: int, progress: Callable[[str], None]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Weights by expert, settings of the neighbours, and figures on held-out history."""
    experts: dict[str, Any] = {}
    figures: dict[str, Any] = {}
    views = log.views()
    if len(views):
        table = table or bare_table(log.items)
        numbers = views.session
        cut = int(numbers[int(len(numbers) * (1 - HELD_OUT))])
        before, held_out = log.take(log.session < cut), views.take(numbers >= cut)
        if len(before) and len(held_out):
            progress("learning what predicts the next view")
            learnt, cases = session_choice(_recommender(before, table), held_out, seed=seed)
            figures["session_cases"] = len(cases)
            if learnt:
                experts["session"] = learnt
    return experts, {}, figures


def _recommender(log: TrainingLog, table: ProductTable) -> Recommender:
    arrays = learn_behaviour(log, now=log.end)
    meta = {"format": FORMAT}
    return Recommender(table, Bundle(kind="behaviour", version="", arrays=arrays, strings={"items": log.items}, meta=meta))
