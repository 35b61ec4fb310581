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
from .log import TrainingLog
from .sources import FORMAT

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What a bundle is published from; ``figures`` say how well it did on held-out history."""

    arrays: Mapping[str, NDArray[np.generic]]
    strings: Mapping[str, tuple[str, ...]]
    meta: Mapping[str, Any]
    figures: Mapping[str, Any]


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
) -> Learnt:
    """Learn sessions, item-item lists, rankings, and how to blend them.

    :param log: what happened; no visitor weighs more than :func:`~mtp_plugin.candidates.learn.cap.capped` lets them
    :param table: the catalogue, if there is one: what its words say is then weighed too
    :param content: what :func:`train_content` learnt of *table*; without it that is learnt here
    :param now: moment that ageing is measured from; the log's last by default, and never before it
    :param seed: of the sample of cases that weights are learnt from
    """
    moment = log.end if now is None or not log.timed else max(now, log.end)
    log = capped(log)
    content = content or _content(table)
    experts, settings, ridge, figures = learn_experts(log, table=table, content=content, seed=seed, progress=progress)
    progress("counting")
    arrays = learn_behaviour(log, now=moment, ridge=ridge)
    meta = {
        "format": FORMAT,
        "experts": experts,
        "neighbours": settings,
        "ease_ridge": ridge,
        "interactions": len(log),
        "trained_at": moment,
        "timed": log.timed,
    }
    return Learnt(arrays | log.arrays(), {"items": log.items}, meta, figures)


def _content(table: ProductTable | None) -> Bundle | None:
    """What the content bundle will say, for weighing it; nothing where products have no words."""
    if table is None or not any(product.title for product in table.products[:100]):
        return None
    learnt = train_content(table)
    return Bundle(
        kind="content", version="", arrays=dict(learnt.arrays), strings=dict(learnt.strings), meta=dict(learnt.meta)
    )


def train_content(table: ProductTable, *, seed: int = 0, progress: Progress = _silent) -> Learnt:
    """Learn what products are like each other from words, brand, category, colour and price.

    :param seed: unused today, so that every training is called alike
    """
    arrays = content_lists(table, progress)
    items = tuple(product.product_id for product in table.products)
    pairs = len(arrays["content_indices"])
    return Learnt(arrays, {"items": items}, {"format": FORMAT}, {"products": len(items), "pairs": pairs})
