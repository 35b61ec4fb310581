"""Groups that were planted are found, whatever else is in the table; where none were, none are made up."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score

from mtp_plugin.segment.learn.candidates import Candidate
from mtp_plugin.segment.learn.choose import Judged, _clearest, choose
from mtp_plugin.segment.learn.floor import with_floor
from mtp_plugin.segment.learn.judge import Figures
from mtp_plugin.segment.learn.partition import Partition, dense
from mtp_plugin.segment.learn.refresh import Plan, find_segments
from mtp_plugin.segment.matrix import FeatureTable


def table_of(values):
    names = tuple(f"f{place}" for place in range(values.shape[1]))
    return FeatureTable(names, values.astype(np.float32), [f"a:{row}" for row in range(len(values))])


def found_in(values, **plan):
    table = table_of(values)
    return find_segments(table, table.names, plan=Plan(**{"method": "kmeans", "least": 10, **plan}), seed=0)


def planted(seed=0, count=4, rows=100):
    random = np.random.default_rng(seed)
    centres = 9.0 * np.eye(count, 5)
    truth = np.repeat(np.arange(count), rows)
    return centres[truth] + random.normal(size=(len(truth), 5)), truth


def test_planted_groups_are_found():
    values, truth = planted()
    found = found_in(values)
    assert adjusted_rand_score(truth, found.labels) > 0.98
    assert found.resampled.agreement > 0.95
    assert abs(found.resampled.null) < 0.1


def test_noise_and_empty_and_constant_features_do_not_hide_them():
    values, truth = planted(1)
    random = np.random.default_rng(2)
    holes = random.random(values.shape) < 0.05
    values[holes] = np.nan
    more = [random.normal(size=(len(values), 2)), np.full((len(values), 1), np.nan), np.full((len(values), 1), 7.0)]
    found = found_in(np.hstack([values, *more]))
    assert adjusted_rand_score(truth, found.labels) > 0.9
    assert list(found.scaling.inverse[-2:]) == [0.0, 0.0]


@pytest.mark.parametrize("method", ["agglomerative", "hdbscan", "dbscan"])
def test_every_method_finds_them(method):
    values, truth = planted(3, rows=60)
    found = found_in(values, method=method)
    assert found.partition.method == method
    assert adjusted_rand_score(truth, found.labels) > 0.9
    assert (found.labels >= 0).all(), "noise has a segment too"


def test_visitors_who_are_all_the_same_are_one_segment():
    found = found_in(np.full((50, 3), 2.0), method="auto")
    assert found.partition.count == 1
    assert "all visitors are the same" in found.choice.why


def test_one_crowd_is_one_segment():
    values = np.random.default_rng(4).normal(size=(400, 4)) * [3, 2, 1, 1]
    found = found_in(values, method="auto")
    assert found.partition.count == 1
    assert "one crowd" in found.choice.why


def test_the_number_that_is_asked_for_is_found():
    values, _ = planted(5)
    assert found_in(values, count=6).partition.count == 6


@pytest.mark.parametrize("least", [10, 60, 150, 1000])
def test_nothing_is_smaller_than_the_floor(least):
    values, _ = planted(6, count=5, rows=50)
    found = found_in(values, count=5, least=least)
    sizes = np.bincount(found.labels[found.labels >= 0])
    assert (sizes >= least).all()
    assert len(sizes) == found.partition.count
    if least > len(values):
        assert (found.labels == -1).all()


def test_exemplars_of_a_small_cluster_go_to_the_nearest():
    places = np.r_[np.zeros((30, 1)), np.full((3, 1), 4.0), np.full((30, 1), 20.0)].astype(np.float32)
    partition = Partition("hdbscan", np.array([[0.0], [3.9], [4.1], [20.0]]), np.array([0, 1, 1, 2], dtype=np.int32))
    kept = with_floor(partition, places, 10)
    assert kept.count == 2
    assert list(kept.labels) == [0, 0, 0, 1]


def test_labels_are_numbered_by_size():
    assert list(dense(np.array([7, 7, -1, 3, 3, 3, 9]))) == [1, 1, -1, 0, 0, 0, 2]


def blobs():
    random = np.random.default_rng(1)
    centres = random.uniform(-9, 9, size=(5, 6))
    return centres[np.repeat(np.arange(5), 90)] + random.normal(size=(450, 6))


def moons():
    random = np.random.default_rng(1)
    return np.vstack([make_moons(500, noise=0.05, random_state=1)[0], random.uniform(-1.5, 2.5, size=(20, 2))])


def nested():
    """Groups of groups of very different sizes."""
    random, rows = np.random.default_rng(0), []
    for _ in range(4):
        centre = random.normal(size=6)
        centre *= 30.0 / np.linalg.norm(centre)
        for _ in range(6):
            off = random.normal(size=6)
            off *= 7.0 / np.linalg.norm(off)
            rows.append(centre + off + random.normal(size=(random.integers(15, 60), 6)))
    return np.vstack(rows)


@pytest.mark.parametrize(
    ("shape", "methods"), [(blobs, {"kmeans"}), (moons, {"hdbscan", "dbscan"}), (nested, {"agglomerative"})]
)
def test_auto_chooses_by_shape_and_says_why(shape, methods):
    places = np.random.default_rng(0).permutation(shape()).astype(np.float32)
    choice = choose(places, "auto", 0, 10, seed=0)
    assert choice.method in methods, choice.why
    assert {row["method"] for row in choice.compared} == {"kmeans", "agglomerative", "hdbscan", "dbscan"}
    for words in ("silhouette", "Davies-Bouldin", "halves of the visitors", "scored"):
        assert words in choice.why


def test_clusters_that_stand_apart_do_not_displace_a_division_that_says_more():
    """As density finds five islands and leaves two in five visitors at sea, while ten groups take everybody in."""

    def judged(method, count, form, largest, share, agreement):
        figures = Figures(count, 0.3, 1.0, 2 * (form - 0.2), share, count, largest)
        places = np.zeros((1, 1), dtype=np.float32)
        fit = lambda rows, seed: Partition(method, places, np.zeros(1, dtype=np.int32))  # noqa: E731
        return Judged(Candidate(method, count, np.zeros(1, dtype=np.int32), figures, fit), agreement, 0.0)

    ten = judged("kmeans", 10, 0.35, 0.2, 1.0, 0.84)
    islands = judged("hdbscan", 5, 0.67, 0.33, 0.57, 0.81)
    assert islands.score < ten.score * 0.85
    assert _clearest([ten, islands]) == []  # so visitors are told to go over into each other
    assert _clearest([islands]) == [islands]
    whole = judged("hdbscan", 5, 0.67, 0.33, 0.9, 0.81)
    assert _clearest([ten, whole]) == [whole]
