"""Learning all candidate models from a log; figures of the blend are tuned on the latest part of that log alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ports import Bundle
from ..records import ProductTable
from .learn.behaviour import learn_behaviour
from .learn.cap import capped
from .learn.content_lists import content_lists
from .learn.experts import learn_experts
from .learn.leanings import item_categories, leaning_arrays
from .learn.segment_rankings import PRIOR
from .learn.segments import Past, learn_prior, learn_segments
from .log import TrainingLog
from .membership import Membership
from .reranker import prefix_of
from .sources import FORMAT

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What a bundle is published from; ``figures`` say how well it did on held-out history."""

    arrays: Mapping[str, NDArray[np.generic]]
    strings: Mapping[str, tuple[str, ...]]
    meta: Mapping[str, Any]
    figures: Mapping[str, Any]

    def bundle(self, kind: str, version: str = "") -> Bundle:
        """As it serves, without a registry."""
        return Bundle(
            kind=kind, version=version, arrays=dict(self.arrays), strings=dict(self.strings), meta=dict(self.meta)
        )


def _silent(text: str) -> None:
    """Nobody listens."""


def train(
    log: TrainingLog,
    *,
    table: ProductTable | None = None,
    content: Bundle | None = None,
    now: float | None = None,
    seed: int = 0,
    progress: Progress = _silent,
    membership: Membership | None = None,
    past: Past | None = None,
) -> Learnt:
    """Learn sessions, item-item lists, rankings, and how to blend them.

    :param log: what happened; no visitor weighs more than :func:`~mtp_plugin.candidates.learn.cap.capped` lets them
    :param table: the catalogue, if there is one: what its words say is then weighed too
    :param content: what :func:`train_content` learnt of *table*; without it that is learnt here
    :param now: moment that ageing is measured from; the log's last by default, and never before it
    :param seed: of the sample of cases that weights are learnt from
    :param membership: who of *log* is in which segment; each then gets rankings of its own
    :param past: what visitors of the segments chose of late; the blend is then weighed for each segment
    """
    moment = log.end if now is None or not log.timed else max(now, log.end)
    log = capped(log)
    content = content or _content(table)
    prior, gained = learn_prior(log, past, table) if past is not None and table is not None else (PRIOR, {})
    earlier = past.earlier if past is not None else None
    experts = learn_experts(
        log, table=table, content=content, seed=seed, progress=progress, earlier=earlier, prior=prior
    )
    figures = {**experts.figures, **gained}
    meta: dict[str, Any] = {
        "format": FORMAT,
        "experts": experts.weights,
        "neighbours": experts.settings,
        "ease_ridge": experts.ridge,
        "interactions": len(log),
        "trained_at": moment,
        "timed": log.timed,
    }
    if membership is not None:
        meta["segment_prior"] = prior
    if past is not None and table is not None:
        progress("learning what visitors of each segment choose")
        apart, cases = learn_segments(log, past, {**meta, "segment_prior": prior}, table=table, content=content)
        meta |= apart
        figures |= cases
    progress("counting")
    arrays = learn_behaviour(log, now=moment, ridge=experts.ridge, membership=membership, prior=prior)
    for task, grown in experts.rerankers.items():
        arrays |= grown.arrays(prefix_of(task))
    strings: dict[str, tuple[str, ...]] = {"items": log.items}
    if table is not None:
        leanings = leaning_arrays(log, item_categories(table, log.items))
        arrays |= leanings
        strings |= {"categories": table.category_names} if leanings else {}
    if membership is not None:
        arrays |= membership.arrays()
        strings["segments"] = membership.segment_ids
    return Learnt(arrays | log.arrays(), strings, meta, figures)


def _content(table: ProductTable | None) -> Bundle | None:
    """What the content bundle will say, for weighing it; nothing where products have no words."""
    if table is None or not any(product.title for product in table.products[:100]):
        return None
    return train_content(table).bundle("content")


def train_content(table: ProductTable, *, seed: int = 0, progress: Progress = _silent) -> Learnt:
    """Learn what products are like each other from words, brand, category, colour and price.

    :param seed: unused today, so that every training is called alike
    """
    arrays = content_lists(table, progress)
    items = tuple(product.product_id for product in table.products)
    pairs = len(arrays["content_indices"])
    return Learnt(arrays, {"items": items}, {"format": FORMAT}, {"products": len(items), "pairs": pairs})
