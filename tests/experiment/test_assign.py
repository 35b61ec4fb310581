"""Assignment is GrowthBook's: golden cases, and what must hold for any visitors."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.experiment.assign import assign, bucket, bucket_ranges, choose, fnv1a_32, in_namespace

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "experiment" / "assign.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("text", "hashed"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_the_hash_is_fnv_1a(text: str, hashed: int) -> None:
    """Vectors of the authors, www.isthe.com/chongo/tech/comp/fnv."""
    assert fnv1a_32(text) == hashed


def test_golden_cases() -> None:
    for seed, key, version, number in GOLDEN["bucket"]:
        assert bucket(seed, key, version) == number
    for name, variations, coverage, weights, ranges in GOLDEN["ranges"]:
        found = [[round(end, 6) for end in one] for one in bucket_ranges(variations, coverage, weights)]
        assert found == ranges, name
    for number, ranges, variation in GOLDEN["choose"]:
        assert choose(number, ranges) == variation
    for key, (name, begin, end), inside in GOLDEN["namespace"]:
        assert in_namespace(key, (name, begin, end)) is inside
    for key, given_, variation in GOLDEN["assign"]:
        namespace = tuple(given_.pop("namespace")) if "namespace" in given_ else None
        assert assign(key, namespace=namespace, **given_) == variation


def test_another_version_of_the_hash() -> None:
    with pytest.raises(ValueError, match="version"):
        bucket("a", "b", 3)


@given(st.text(max_size=20), st.text(min_size=1, max_size=20), st.floats(0, 1))
def test_the_same_always_and_nobody_leaves_who_took_part(seed: str, key: str, coverage: float) -> None:
    """Raising the coverage brings visitors in; it sends none out and into no other variation."""
    before = assign(key, seed=seed, coverage=coverage)
    assert before == assign(key, seed=seed, coverage=coverage)
    assert 0 <= bucket(seed, key) < 1
    if before >= 0:
        assert assign(key, seed=seed, coverage=1.0) == before


def test_shares_are_as_asked_for() -> None:
    """5,000 visitors: five standard deviations of a share are below 0.036."""
    found = Counter(assign(f"a:{n}", seed="calm", coverage=0.8, weights=(0.25, 0.75)) for n in range(5000))
    assert found[0] / 5000 == pytest.approx(0.2, abs=0.036)
    assert found[1] / 5000 == pytest.approx(0.6, abs=0.036)
    both = Counter((assign(f"a:{n}", seed="calm"), assign(f"a:{n}", seed="other")) for n in range(5000))
    assert all(count / 5000 == pytest.approx(0.25, abs=0.036) for count in both.values()), "experiments are independent"


def test_namespaces_keep_experiments_apart() -> None:
    for number in range(500):
        key = f"a:{number}"
        assert in_namespace(key, ("home", 0.0, 0.5)) != in_namespace(key, ("home", 0.5, 1.0))
