"""What is learnt for segments: how far each may differ from all others, and how its visitors' blend leans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ports import Bundle
from ...records import ProductTable
from ..log import TrainingLog
from ..membership import Earlier, Membership
from ..recommender import Recommender
from .behaviour import learn_behaviour
from .experts import history_before
from .segment_choice import Choice, mixture_choice
from .segment_prior import segment_prior
from .segment_rankings import PRIOR


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What was known at a moment of the past, and what visitors chose after it.

    Nothing from after a choice may be in its query: the visitor is as they were, their segment the one of then.

    :param cut: the moment, seconds since 1970
    :param membership: as it was at the moment; visitors whose segment of then is not known have none
    :param earlier: tells who was in which segment at other moments
    """

    cut: float
    membership: Membership
    choices: Sequence[Choice]
    earlier: Earlier | None = None


def learn_prior(log: TrainingLog, past: Past, table: ProductTable) -> tuple[float, dict[str, float]]:
    """How far segments may differ from everybody, and what they gain by it on held-out choices."""
    before = history_before(log, past.cut)
    return segment_prior(before, past.membership, past.choices, table, past.cut) if len(before) else (PRIOR, {})


def learn_segments(
    log: TrainingLog,
    past: Past,
    meta: Mapping[str, Any],
    *,
    table: ProductTable,
    content: Bundle | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ``mixture`` for a bundle's meta, and how many choices it was learnt from.

    :param meta: of the bundle, with what is learnt by now
    """
    before = history_before(log, past.cut)
    if not len(before):
        return {}, {}
    arrays = learn_behaviour(
        before, now=past.cut, ridge=meta["ease_ridge"], membership=past.membership, prior=meta["segment_prior"]
    )
    strings = {"items": before.items, "segments": past.membership.segment_ids}
    bundle = Bundle(kind="behaviour", version="", arrays=arrays, strings=strings, meta=dict(meta))
    mixture = mixture_choice(Recommender(table, bundle, content), past.choices, past.membership)
    cases = mixture["cases"] if mixture else 0
    return {"mixture": mixture}, {"segment_cases": cases}
