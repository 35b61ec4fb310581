"""What the re-ranker looks at closely in a session, of the few candidates that are ordered anew."""

from __future__ import annotations

import numpy as np

from ..records import FloatArray, IntArray
from .scratch import Scratch
from .session_kernels import look_closely
from .sources import SESSION, Sources
from .sources import VOTERS as VOTED

SESSION_DETAILS = (
    "kind", "rank-of-kind", "best", "seen-probability", "followed", "preceded", "viewed-with-last",
    "viewed-with-previous", "nearest", "returns", "current-popular", "fresh", "revisits",
    "voters", "votes", "behind-next",
)  # fmt: skip
"""Whether the candidate was seen in this session, its rank among those that were or were not, the best candidate's
probability and that of all seen ones; how lately it came after, or before, an earlier visit to the current product;
its cosine with the last and the previous product, and the largest with the last one; the part of the steps that led
back to what was seen, the current product's popularity; how lately anybody saw the candidate, and how often its
visitors come back to it; how many neighbours vote for it, the logarithm of all their votes, and the expert's score less
that of the candidate before it."""
VOTERS = 200.0
"""Neighbours that all vote for a candidate say 1, about."""


def session_details(
    sources: Sources, scratch: Scratch, rows: IntArray, way: tuple[int, ...], places: IntArray, scores: FloatArray
) -> FloatArray:
    """Shape ``(len(places), len(SESSION_DETAILS))``, float32.

    :param rows: distinct products of the session, latest first
    :param way: the products of the session, one a step
    :param places: of the candidates asked about, best first
    :param scores: the expert's, of all candidates
    """
    found: FloatArray = look_closely(
        scratch.buffers, scratch.epoch, scratch.count, sources.lists("viewed"), rows,
        np.array(way[-64:], dtype=np.int32), sources.close_by_row, SESSION, VOTED, VOTERS, places, scores,
    )  # fmt: skip
    return found
