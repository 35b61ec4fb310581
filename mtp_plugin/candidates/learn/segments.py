"""What is learnt for segments: how far each may differ from all others, and how its visitors' blend leans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ports import Bundle
from ...records import ProductTable
from ..log import TrainingLog
from ..membership import Membership
from ..recommender import Recommender
from .behaviour import learn_behaviour
from .experts import history_before
from .segment_choice import Choice, mixture_choice
from .segment_prior import segment_prior


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What was known at a moment of the past, and what visitors chose after it.

    Nothing from after a choice may be in its query: the visitor is as they were, their segment the one of then.

    :param cut: the moment, seconds since 1970
    :param membership: as it was at the moment; visitors whose segment of then is not known have none
    """

    cut: float
    membership: Membership
    choices: Sequence[Choice]


def learn_segments(
    log: TrainingLog,
    past: Past,
    meta: Mapping[str, Any],
    *,
    table: ProductTable,
    content: Bundle | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """``segment_prior`` and ``mixture`` for a bundle's meta, and figures on held-out choices.

    :param meta: of the bundle, with what is learnt by now
    """
    before = history_before(log, past.cut)
    if not len(before):
        return {}, {}
    prior, figures = segment_prior(before, past.membership, past.choices, table, past.cut)
    arrays = learn_behaviour(before, now=past.cut, ridge=meta["ease_ridge"], membership=past.membership, prior=prior)
    strings = {"items": before.items, "segments": past.membership.segment_ids}
    bundle = Bundle(kind="behaviour", version="", arrays=arrays, strings=strings, meta=dict(meta))
    mixture = mixture_choice(Recommender(table, bundle, content), past.choices, past.membership)
    cases = mixture["cases"] if mixture else 0
    return {"segment_prior": prior, "mixture": mixture}, {"segment_cases": cases, **figures}
