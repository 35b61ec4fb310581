"""What the re-ranker looks at closely in a session, of the few candidates that are ordered anew."""

from __future__ import annotations

import numpy as np

from ..records import FloatArray, IntArray
from .detail_kernels import loops, places_among, standing
from .scratch import Scratch
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
    steps, top = np.array(way[-64:]), scratch.rows[places]
    at = places_among(places, scratch.count)
    found: FloatArray = np.empty((len(places), len(SESSION_DETAILS)), dtype=np.float32)
    found[:, :4] = standing(scores, places, scratch.slot[rows], scratch.count)
    found[:, 4:6] = loops(scratch.slot[steps], at, len(places))
    for step in (0, 1):
        found[:, 6 + step] = sources.strongest("viewed", scratch, rows[step : step + 1], at, len(places))[:, 0]
    found[:, 8] = found[:, 6].max()
    found[:, 9] = 1.0 - len(rows) / len(steps)
    found[:, 10] = sources.popularity[rows[0]]
    found[:, 11] = sources.freshness[top]
    found[:, 12] = sources.revisits[top]
    found[:, 13] = scratch.columns[places, VOTED] / VOTERS
    found[:, 14] = np.log1p(scratch.columns[: scratch.count, SESSION].sum())
    found[:, 15] = np.diff(scores[places], prepend=scores[places[0]])
    return found
