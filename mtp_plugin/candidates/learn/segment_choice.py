"""What visitors of each segment chose next, and what each part of the blend had said of it: weights of the mixture.

The parts are distributions over the candidates, the mixture is theirs with weights that move from one end (nothing is
known) to the other (all is). Weights that make the choices likeliest are found by expectation and maximisation
(Dempster, Laird and Rubin 1977); a Dirichlet prior draws each segment's to its parent's and the shop's to the defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...records import FloatArray, IntArray, Query
from ..membership import EVERYBODY, Membership
from ..mixture import CONTENT, DEFAULTS, PARTS, evidence
from ..recommender import Recommender

FEWEST_CASES = 200
PRIOR_OF_SHOP = 40.0
PRIOR_OF_SEGMENT = 120.0
"""Choices that the defaults, and the weights of a segment's parent, are worth."""
ROUNDS = 60


class Choice(NamedTuple):
    """A question as it would have been asked at a moment of the past, and the row that was then looked at."""

    query: Query
    row: int


class Said(NamedTuple):
    """What the parts said of the products chosen: ``chance`` of shape ``(cases, parts)``, NaN for parts with no say."""

    chance: FloatArray
    known: FloatArray
    segment: IntArray


def mixture_choice(
    recommender: Recommender, choices: Sequence[Choice], membership: Membership
) -> dict[str, Any] | None:
    """The mixture as :class:`~mtp_plugin.candidates.mixture.Mixture` reads it, ``None`` from too few choices.

    :param recommender: of what was known before the first of the *choices*
    """
    said = _said(recommender, choices, membership)
    if len(said.known) < FEWEST_CASES:
        return None
    everybody = fit_mixture(said, np.array(DEFAULTS), PRIOR_OF_SHOP)
    ends: list[FloatArray] = []
    for place, parent in enumerate(membership.parents):
        mine = _under(said, place, membership.parents)
        above = everybody if parent == EVERYBODY else ends[parent]
        ends.append(fit_mixture(mine, above, PRIOR_OF_SEGMENT))
    return {
        "parts": list(PARTS),
        "cases": len(said.known),
        "everybody": np.round(everybody, 4).tolist(),
        "segments": {
            name: np.round(weights, 4).tolist() for name, weights in zip(membership.segment_ids, ends, strict=True)
        },
    }


def _said(recommender: Recommender, choices: Sequence[Choice], membership: Membership) -> Said:
    place = {name: at for at, name in enumerate(membership.segment_ids)}
    chance, known, segments = [], [], []
    for query, row in choices:
        if query.segment is None or query.segment.segment_id not in place:
            continue
        weighed = recommender.personal.weigh(query)
        said = weighed.said_of(row) if weighed is not None else None
        if said:
            chance.append([said.get(name, np.nan) for name in PARTS])
            known.append(evidence(query))
            segments.append(place[query.segment.segment_id])
    return Said(np.array(chance).reshape(-1, len(PARTS)), np.array(known), np.array(segments, dtype=np.int64))


def _under(said: Said, place: int, parents: tuple[int, ...]) -> Said:
    """The cases of a segment and of those that lie in it."""
    inside = {place}
    for child, parent in enumerate(parents):
        if parent in inside:
            inside.add(child)
    mine = np.isin(said.segment, list(inside))
    return Said(said.chance[mine], said.known[mine], said.segment[mine])


def fit_mixture(said: Said, prior: FloatArray, worth: float) -> FloatArray:
    """Weights at both ends, shape ``(2, parts)``, each summing to 1.

    What goes by content never counts less where less is known: ends that say otherwise are drawn together.

    :param prior: weights that count like *worth* choices, shape ``(2, parts)``
    """
    weights = prior / prior.sum(axis=1, keepdims=True)
    first = weights
    gate = np.stack((1.0 - said.known, said.known), axis=1)
    has_say = ~np.isnan(said.chance)
    chance = np.nan_to_num(said.chance, nan=0.0)
    for _ in range(ROUNDS if len(said.known) else 0):
        each = gate[:, :, None] * weights
        joint = each * chance[:, None, :]
        total = joint.sum(axis=(1, 2), keepdims=True)
        share = np.divide(joint, total, out=np.zeros_like(joint), where=total > 0).sum(axis=0)
        # A part without a say could not have been the one: each choice stands for the draws that it hid.
        heard = (each * has_say[:, None, :]).sum(axis=(1, 2), keepdims=True)
        hidden = (each * ~has_say[:, None, :] / np.maximum(heard, 1e-9)).sum(axis=0)
        weights = share + hidden + worth * first
        weights = weights / weights.sum(axis=1, keepdims=True)
    return _ordered(weights)


def _ordered(weights: FloatArray) -> FloatArray:
    """Both ends, with no less content where less is known."""
    thin, thick = weights[:, CONTENT].sum(axis=1)
    if thin >= thick:
        return weights
    both: FloatArray = np.repeat(weights.mean(axis=0, keepdims=True), 2, axis=0)
    return both
