"""Whether units were divided as they should have been: where not, something is broken and no figure means anything."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import gammaln

BROKEN = 0.001
"""Below this the division is not by chance."""
SURE = 100.0
"""How closely a faulty division is thought to lie to the right one before anything is known, in pseudo-counts."""


def sample_ratio_p(counts: Sequence[int], weights: Sequence[float]) -> float:
    """An always-valid p-value that these counts come of these weights, however often one looks.

    The inverse of a Bayes factor against a Dirichlet mixture around the weights (Lindon and Malek, Anytime-valid
    inference for multinomial count data, 2022).

    :param weights: adding up to 1, none of them 0
    """
    total = sum(counts)
    if not total or len(counts) < 2:
        return 1.0
    prior = [SURE * weight for weight in weights]
    factor = float(gammaln(SURE) - gammaln(SURE + total))
    for count, weight, alpha in zip(counts, weights, prior, strict=True):
        factor += float(gammaln(alpha + count) - gammaln(alpha)) - count * math.log(weight)
    return min(1.0, math.exp(-max(min(factor, 700.0), -700.0)))
