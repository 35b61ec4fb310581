"""Measures against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from mtp_plugin.evaluate.measures import Measures


def test_one_target() -> None:
    found = Measures(3)
    found.add([5, 6, 7, 8], {7}, 1)
    found.add([5, 6, 7, 8], {8}, 1)
    found.add([5], set(), 1)
    figures = found.single()
    assert figures["hr@3"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["mrr@3"] == pytest.approx(1 / 9, abs=1e-4)
    assert figures["ndcg@3"] == pytest.approx(1 / 2 / 3, abs=1e-4)


def test_several_targets() -> None:
    found = Measures(4)
    found.add([1, 2, 3, 4], {1, 4, 9})
    best = 1 + 1 / math.log2(3) + 1 / 2
    assert found.several()["recall@4"] == pytest.approx(2 / 3, abs=1e-4)
    assert found.several()["ndcg@4"] == pytest.approx((1 + 1 / math.log2(5)) / best, abs=1e-4)


def test_coverage() -> None:
    found = Measures(2)
    found.add([1, 2, 3], {1})
    found.add([1, 4, 5], {1})
    assert found.coverage(10) == 0.3
