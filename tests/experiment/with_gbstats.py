"""Writes what gbstats says of the generated cases: ``python tests/experiment/with_gbstats.py > FILE``.

Run it in an environment of its own (``pip install gbstats==0.8.0``): that version wants a pandas of before numpy 2.
"""

import json
import sys
from pathlib import Path

import numpy as np
from gbstats.bayesian.tests import EffectBayesianABTest, EffectBayesianConfig, GaussianPrior
from gbstats.frequentist.tests import FrequentistConfig, SequentialConfig, SequentialTwoSidedTTest, TwoSidedTTest
from gbstats.models.statistics import (
    ProportionStatistic,
    RatioStatistic,
    RegressionAdjustedStatistic,
    SampleMeanStatistic,
    compute_theta,
)
from gbstats.utils import check_srm

sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES, generated


def mean(x):
    return SampleMeanStatistic(n=len(x), sum=x.sum(), sum_squares=(x**2).sum())


def statistics(kind, parts):
    if kind == "mean":
        return [mean(above) for above, _, _ in parts]
    if kind == "share":
        return [ProportionStatistic(n=len(above), sum=int(above.sum())) for above, _, _ in parts]
    if kind == "ratio":
        return [
            RatioStatistic(
                n=len(above),
                m_statistic=mean(above),
                d_statistic=mean(below),
                m_d_sum_of_products=(above * below).sum(),
            )
            for above, below, _ in parts
        ]
    found = [
        RegressionAdjustedStatistic(
            n=len(above),
            post_statistic=mean(above),
            pre_statistic=mean(before),
            post_pre_sum_of_products=(above * before).sum(),
            theta=0,
        )
        for above, _, before in parts
    ]
    theta = compute_theta(*found)
    for one in found:
        one.theta = theta
    return found


def said(kind, seed):
    variation, above, below, before = generated(kind, seed)
    parts = [(above[variation == v], below[variation == v], before[variation == v]) for v in (0, 1)]
    a, b = statistics(kind, parts)
    once = TwoSidedTTest(a, b, FrequentistConfig(difference_type="relative")).compute_result()
    always = SequentialTwoSidedTTest(a, b, SequentialConfig(difference_type="relative")).compute_result()
    prior = GaussianPrior(mean=0, variance=0.09, proper=True)
    believed = EffectBayesianABTest(
        a, b, EffectBayesianConfig(difference_type="relative", prior_effect=prior)
    ).compute_result()
    return {
        "kind": kind,
        "seed": seed,
        "lift": once.expected,
        "once": {"interval": list(map(float, once.ci)), "p": float(once.p_value)},
        "always": {"interval": list(map(float, always.ci)), "p": float(always.p_value)},
        "belief": {"chance": float(believed.chance_to_win), "interval": list(map(float, believed.ci))},
        "units": [int(np.sum(variation == v)) for v in (0, 1)],
        "sample_ratio_chi2_p": float(check_srm([int(np.sum(variation == v)) for v in (0, 1)], [0.5, 0.5])),
    }


print(json.dumps({"engine": "gbstats 0.8.0", "cases": [said(*case) for case in CASES]}, indent=1))
