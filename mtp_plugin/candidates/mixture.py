"""How far each part of the blend counts for a visitor of a segment: a mixture that moves with what is known.

A visitor of whom little is known is answered mostly by what products are like (content), one well known mostly by what
others did (collaboration). Between both the weights move in a straight line with the *evidence*; there is no step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..records import FloatArray, Query, SegmentRef

PARTS = ("session", "return", "taste", "alike", "segment")
"""The session at hand, the customer's past, the visitor's affinities, products alike, what the segment likes."""
CONTENT = np.array([name in ("taste", "alike") for name in PARTS])
"""Which parts go by what products are like; the others by what people did."""
DEFAULTS = ((0.45, 0.15, 0.20, 0.20, 0.00), (0.62, 0.16, 0.08, 0.02, 0.12))
"""Weights of the parts without any evidence, and with all there can be, where nothing was learnt."""
HALF = 8.0
"""Products met from which on half of what there is to know of a visitor counts as known."""


def evidence(query: Query) -> float:
    """How much is known of a visitor, 0 to 1: the segment's confidence times how much there is to go by.

    ``n / (n + HALF)`` of *n* products looked at or bought: the weight that a mean of *n* values has beside a prior
    worth :data:`HALF` of them.
    """
    if query.segment is None:
        return 0.0
    bought = len(query.profile.purchases) if query.profile is not None else 0
    met = len(query.session) + len(query.history) + bought
    return min(1.0, max(0.0, query.segment.confidence)) * met / (met + HALF)


class Mixture:
    """Weights of the parts by segment and evidence.

    :param learnt: ``{"parts": names, "everybody": two lists, "segments": {id: two lists}}``, ``None`` if nothing was
    """

    def __init__(self, learnt: Mapping[str, Any] | None = None) -> None:
        known = learnt if learnt and tuple(learnt["parts"]) == PARTS else {}
        self.learnt = bool(known)
        self._everybody = _ends(known.get("everybody", DEFAULTS))
        self._by_segment = {name: _ends(ends) for name, ends in known.get("segments", {}).items()}

    def weights(self, segment: SegmentRef, known: float) -> FloatArray:
        """Weights of :data:`PARTS`, summing to 1.

        :param known: the :func:`evidence`, 0 to 1
        """
        thin, thick = self._by_segment.get(segment.segment_id, self._everybody)
        mixed: FloatArray = thin + np.float32(known) * (thick - thin)
        return mixed


def _ends(ends: Any) -> FloatArray:
    weights = np.array(ends, dtype=np.float32)
    found: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return found
