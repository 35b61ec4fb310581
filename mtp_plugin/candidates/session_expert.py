"""What the session at hand says: where people went who came this way, and whether the shop's visitors come back."""

from __future__ import annotations

import numpy as np

from ..compiled import HAS_NUMBA
from ..records import BoolArray, FloatArray, IntArray, Query
from . import feature_kernels, plain
from .blend import SHARPNESS, softmax
from .loudest import EVERYTHING, keep_loudest
from .own import latest_first
from .scratch import Scratch
from .session_kernels import say, speak
from .sources import ALIKE, LAST, NEXT, PATH, SESSION, TOGETHER, VIEWED, VOTERS, Sources

LOGS = (SESSION, VOTERS, VIEWED, LAST, NEXT, PATH, TOGETHER, ALIKE)
SPOKEN = (SESSION, VIEWED, LAST, NEXT, PATH, TOGETHER, ALIKE)
LISTS = ("viewed", "next", "path", "bought", "content")
LONGEST = 64
"""Steps of a way that are looked at, the latest."""
RELATIVE = np.array((SESSION, VIEWED, NEXT, PATH, TOGETHER, ALIKE))
COMMON = (
    "session", "voters", "viewed", "viewed-last", "next", "path", "together", "alike",
    "session-relative", "viewed-relative", "next-relative", "path-relative", "together-relative", "alike-relative",
    "popular", "momentum", "lately", "is-current", "is-previous", "seen", "seen-often", "seen-lately",
)  # fmt: skip
APART = ("session", "voters", "viewed", "viewed-last", "session-relative", "viewed-relative")
"""What these say of a product seen in this session has weights of its own: most votes go to what was seen, and how they
tell one of those from another is not how they tell new products apart."""
FEATURES = (*COMMON, *(f"seen-{name}" for name in APART))
APART_PLACES = np.array([COMMON.index(name) for name in APART])
DEFAULTS = {
    "session": 0.35, "viewed": 0.25, "next": 0.2, "path": 0.1, "together": 0.2, "alike": 0.15, "session-relative": 1.0,
    "viewed-relative": 0.5, "next-relative": 0.5, "together-relative": 0.5, "alike-relative": 0.6, "popular": 0.05,
    "is-current": -4.0, "is-previous": -1.0, "seen": -2.0, "seen-session": 0.35, "seen-viewed": 0.25,
    "seen-session-relative": 1.0, "seen-viewed-relative": 0.5,
}  # fmt: skip
BUCKETS = 4
"""One product, two, three or four, five or more."""

DECAY = np.exp(-np.arange(64) / 5.0).astype(np.float32)
HYPERBOLA = (1.0 / (1.0 + np.arange(64))).astype(np.float32)
LOGARITHMS = np.append(np.float32(0), np.log(np.arange(1, 66, dtype=np.float32)))
POPULAR = 20
ENOUGH = 200
"""Candidates beside the session's own that are weighed, the loudest. On an earlier cut of RetailRocket 160 to all made
no difference that was more than chance, and weighing costs time for each."""

how = feature_kernels if HAS_NUMBA else plain


def bucket(n_distinct: int) -> int:
    """Which weights a session of so many distinct products takes."""
    return (0, 0, 1, 2, 2, 3)[min(n_distinct, 5)]


def anchors(query: Query) -> tuple[int, ...]:
    """The way that led here: the session, and what is in view if it is not in there yet; else what was seen before."""
    session = query.session
    missing = tuple(row for row in query.in_view if not session or row != session[-1])
    return session + missing or query.history[-10:]


def gather(
    sources: Sources, scratch: Scratch, way: tuple[int, ...], allowed: BoolArray = EVERYTHING
) -> tuple[IntArray, IntArray]:
    """Let the sources speak; gives the session's distinct rows, latest first, and their steps.

    :param allowed: mask over the catalogue's rows: of too many candidates those that may not be shown go first
    """
    if HAS_NUMBA and sources.neighbours is not None:
        rows, steps = _spoken(sources, scratch, way, allowed)
    else:
        rows, steps = _one_by_one(sources, scratch, way)
    if scratch.count < 4 * POPULAR and sources.rankings.known:
        scratch.add(sources.rankings["popular"].top(POPULAR))
    # Where all sources spoke in one call it has been done.
    keep_loudest(sources, scratch, len(rows), ENOUGH, RELATIVE, allowed)
    return rows, steps


def _spoken(sources: Sources, scratch: Scratch, way: tuple[int, ...], allowed: BoolArray) -> tuple[IntArray, IntArray]:
    """All sources in one call."""
    neighbours = sources.neighbours
    assert neighbours is not None  # noqa: S101  the caller asked
    rows, steps, scratch.count, unknown = speak(
        np.array(way[-LONGEST:], dtype=np.int32), neighbours.arrays, neighbours.numbers,
        tuple([sources.lists(name) for name in LISTS]), DECAY, HYPERBOLA, SPOKEN, scratch.epoch, scratch.take_turn(),
        scratch.memory, scratch.buffers, ENOUGH, RELATIVE, sources.popularity, allowed,
    )  # fmt: skip
    if unknown:
        sources.compare(scratch, rows[:4], DECAY[steps[:4]], ALIKE)
    return rows, steps


def _one_by_one(sources: Sources, scratch: Scratch, way: tuple[int, ...]) -> tuple[IntArray, IntArray]:
    rows, steps = latest_first(way)
    scratch.add(rows)
    if sources.neighbours is not None:
        sources.neighbours.vote(scratch, rows, steps, SESSION)
    few, last = rows[:8], rows[:1]
    decay = DECAY[steps[:8]]
    sources.spread("viewed", scratch, few, decay, VIEWED)
    sources.spread("viewed", scratch, last, DECAY[:1], LAST)
    sources.spread("next", scratch, last, DECAY[:1], NEXT)
    sources.spread("path", scratch, few, HYPERBOLA[steps[:8]], PATH)
    sources.spread("bought", scratch, few, decay, TOGETHER)
    sources.alike(scratch, rows[:4], DECAY[steps[:4]], ALIKE)
    return rows, steps


def features(sources: Sources, scratch: Scratch, rows: IntArray, steps: IntArray, way: tuple[int, ...]) -> FloatArray:
    """What is known of each candidate, shape ``(scratch.count, len(FEATURES))``."""
    count = scratch.count
    matrix: FloatArray = how.session_features(
        scratch.columns[:count], len(LOGS), RELATIVE, SHARPNESS, scratch.rows[:count], *sources.by_row,
        scratch.slot[rows], HYPERBOLA[steps], scratch.slot[np.array(way[-LONGEST:])],
        LOGARITHMS, APART_PLACES, len(COMMON),
    )  # fmt: skip
    return matrix


def said(
    sources: Sources, scratch: Scratch, rows: IntArray, steps: IntArray, way: tuple[int, ...], weights: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The :func:`features` and what an expert of these *weights* makes of them: scores, and these as probabilities."""
    if not HAS_NUMBA:
        found = features(sources, scratch, rows, steps, way)
        return found, found @ weights, softmax(found @ weights)
    told: tuple[FloatArray, FloatArray, FloatArray] = say(
        scratch.buffers, scratch.count, len(LOGS), RELATIVE, SHARPNESS, sources.by_row, rows, HYPERBOLA, steps,
        np.array(way[-LONGEST:], dtype=np.int32), LOGARITHMS, APART_PLACES, len(COMMON), weights,
    )  # fmt: skip
    return told
