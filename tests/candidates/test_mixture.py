"""The blend moves from content to collaboration with what is known, and each segment's weights to what it did."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.candidates.learn.segment_choice import PRIOR_OF_SEGMENT, Said, fit_mixture
from mtp_plugin.candidates.mixture import CONTENT, DEFAULTS, PARTS, Mixture, evidence
from mtp_plugin.candidates.recommender import BIT, Recommender
from mtp_plugin.records import Profile, Purchase, Query, SegmentRef

from .shop import bundle
from .test_segments import NOW, learnt, table

UNSURE, SURE = SegmentRef("cups", "", 0.1), SegmentRef("cups", "", 1.0)
PROFILE = Profile(profile_id="u:1", affinities={"category": {"Home > Lamp": 3.0, "Home > Cup": 1.0}})


def content_share(weights: np.ndarray) -> float:
    return float(weights[CONTENT].sum())


@given(st.floats(0.0, 1.0), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_evidence_grows_with_data_and_confidence(confidence: float, few: int, more: int) -> None:
    def known(met: int, sure: float) -> float:
        return evidence(Query(now=0.0, history=(1,) * met, segment=SegmentRef("s", "", sure)))

    assert 0.0 <= known(few, confidence) <= 1.0
    assert known(few, confidence) <= known(few + more, confidence)
    assert known(few, confidence / 2) <= known(few, confidence)
    assert evidence(Query(now=0.0, history=(1,) * few)) == 0.0


def test_purchases_are_evidence() -> None:
    profile = Profile(profile_id="u:1", purchases=(Purchase("p1", 1, 1, 0.0, 0.0),))
    assert evidence(Query(now=0.0, profile=profile, segment=SURE)) > evidence(Query(now=0.0, segment=SURE)) == 0.0


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
@settings(max_examples=100, deadline=None)
def test_content_counts_less_the_more_is_known_and_never_jumps(one: float, other: float) -> None:
    mixture, (low, high) = Mixture(), sorted((one, other))
    little, much = mixture.weights(SURE, low), mixture.weights(SURE, high)
    assert little.sum() == pytest.approx(1.0, abs=1e-5)
    assert content_share(little) >= content_share(much) - 1e-6
    assert np.abs(little - much).max() <= (high - low) * 0.5 + 1e-6


def test_a_blend_of_other_parts_is_not_read() -> None:
    assert not Mixture({"parts": ["session"], "everybody": [[1.0], [1.0]], "segments": {}}).learnt


@pytest.fixture(scope="module")
def shop() -> Recommender:
    return Recommender(table(), bundle("behaviour", learnt()))


def test_codes_say_what_the_slate_leans_on(shop: Recommender) -> None:
    """One product met and an unsure segment: content. Many met and a sure one: what people did."""
    thin = Query(now=NOW, session=(0,), profile=PROFILE, segment=UNSURE)
    thick = Query(now=NOW, session=(2, 8, 14), history=(2, 8, 14, 20, 26) * 6, profile=PROFILE, segment=SURE)
    leaning = []
    for query in (thin, thick):
        found = shop.candidates("recommended-for-you", query, 8)
        named = found.origins[:8] & (BIT["leans-on-content"] | BIT["leans-on-behaviour"])
        assert set(named.tolist()) <= {BIT["leans-on-content"], BIT["leans-on-behaviour"]}, "each leans on one of both"
        leaning.append(int((named == BIT["leans-on-content"]).sum()))
    assert leaning[0] > leaning[1]
    plain = shop.candidates("recommended-for-you", Query(now=NOW, session=(0,), profile=PROFILE), 8)
    assert not (plain.origins & (BIT["leans-on-content"] | BIT["leans-on-behaviour"] | BIT["segment-top"])).any()


def test_a_segment_brings_its_favourites(shop: Recommender) -> None:
    query = Query(now=NOW, session=(0,), history=(2,) * 30, segment=SURE)
    found = shop.candidates("recommended-for-you", query, 12)
    named = found.rows[found.origins & BIT["segment-top"] > 0]
    assert len(named)
    assert set((named % 6).tolist()) == {2}


def planted(truth: np.ndarray, n: int, silent: float, seed: int) -> Said:
    """Choices drawn from a known mixture of parts, each a distribution over 30 candidates."""
    dice = np.random.default_rng(seed)
    chance, known = np.full((n, len(PARTS)), np.nan), dice.random(n)
    for case in range(n):
        has = dice.random(len(PARTS)) >= silent
        has[0] = True
        weights = ((1 - known[case]) * truth[0] + known[case] * truth[1]) * has
        parts = dice.dirichlet(np.full(30, 0.15), len(PARTS))
        chosen = dice.choice(30, p=parts[dice.choice(len(PARTS), p=weights / weights.sum())])
        chance[case, has] = parts[has, chosen]
    return Said(chance, known, np.zeros(n, dtype=np.int64))


@pytest.mark.parametrize("silent", [0.0, 0.3])
def test_planted_weights_are_found(silent: float) -> None:
    """The bound is three standard errors of a share at 4,000 cases, doubled for two ends told apart by evidence."""
    truth = np.array([[0.3, 0.1, 0.3, 0.25, 0.05], [0.5, 0.15, 0.05, 0.05, 0.25]])
    found = fit_mixture(planted(truth, 4000, silent, 1), np.array(DEFAULTS), 1.0)
    assert np.abs(found - truth).max() < 6 * np.sqrt(0.25 / 2000)


def test_few_choices_stay_near_the_prior() -> None:
    truth, prior = np.array([[0.05, 0.05, 0.05, 0.05, 0.8]] * 2), np.array(DEFAULTS)
    off = [
        np.abs(fit_mixture(planted(truth, n, 0.0, 2), prior, PRIOR_OF_SEGMENT) - prior).max()
        for n in (0, 20, 200, 2000)
    ]
    assert off[0] == pytest.approx(0.0, abs=1e-9)
    assert off == sorted(off)


def test_content_is_never_trusted_more_where_more_is_known() -> None:
    odd = np.array([[0.7, 0.1, 0.05, 0.05, 0.1], [0.2, 0.1, 0.35, 0.25, 0.1]])
    thin, thick = fit_mixture(planted(odd, 3000, 0.0, 3), np.array(DEFAULTS), 1.0)
    assert content_share(thin) >= content_share(thick) - 1e-9
