"""How much a segment's own popularity may be trusted: tried on what its visitors looked at next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...records import FloatArray, ProductTable
from ..log import TrainingLog
from ..membership import Membership
from .rankings import half_life
from .segment_choice import FEWEST_CASES, Choice
from .segment_rankings import PRIOR, counts, smoothed

PRIORS = (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)
"""Interactions that a segment's parent may be worth."""


def segment_prior(
    before: TrainingLog, membership: Membership, choices: Sequence[Choice], table: ProductTable, now: float
) -> tuple[float, dict[str, float]]:
    """The prior under which what was chosen is likeliest, and what the segments gain over everybody's popularity.

    :param before: what happened before the first of the *choices*
    :param membership: as it was then
    :returns: :data:`~mtp_plugin.candidates.learn.segment_rankings.PRIOR` where there are too few choices; and
        ``segment_gain``, the mean gain in log likelihood of a choice, with its standard error
    """
    own, everybody = counts(before, membership, now, half_life(before))
    own, everybody = {"popular": own["popular"]}, {"popular": everybody["popular"]}
    code = {item: place for place, item in enumerate(before.items)}
    place = {name: at for at, name in enumerate(membership.segment_ids)}
    asked = [
        (place[query.segment.segment_id], code[name], query.segment.confidence)
        for query, row in choices
        if query.segment is not None
        and query.segment.segment_id in place
        and (name := table.products[row].product_id) in code
        and everybody["popular"][code[name]] > 0
    ]
    if len(asked) < FEWEST_CASES:
        return PRIOR, {}
    segment, item, sure = (np.array(column) for column in zip(*asked, strict=True))
    of_all = (everybody["popular"] / everybody["popular"].sum())[item]

    def gain(prior: float) -> FloatArray:
        found = smoothed(own, everybody, membership.parents, membership.visitors, prior)["popular"]
        shares = found / np.maximum(found.sum(axis=1, keepdims=True), 1e-12)
        better: FloatArray = np.log(sure * shares[segment, item] + (1 - sure) * of_all) - np.log(of_all)
        return better

    best = max(PRIORS, key=lambda prior: float(gain(prior).mean()))
    gains = gain(best)
    error = float(gains.std() / np.sqrt(len(gains)))
    return best, {"segment_gain": round(float(gains.mean()), 4), "segment_gain_error": round(error, 4)}
