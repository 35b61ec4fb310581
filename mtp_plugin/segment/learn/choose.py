"""Which method and how many segments, and why, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...parallel import each
from ...records import FloatArray
from .candidates import COUNTS, METHODS, Candidate, candidates
from .judge import Judge
from .oneness import is_one_crowd
from .partition import Partition
from .resample import Fit, resample

CLEAR_FORM, CLEAR_SILHOUETTE = 0.45, 0.4
"""From which clusters are said to stand apart, or at least to be compact."""
AS_GOOD = 0.95
"""Share of the best score that counts as the same."""
FOUND_AGAIN = 0.8
"""Agreement from which a division is said to be found again."""
OUTDONE = 0.85
"""Share of the best score among all that are found again from which clusters that stand apart are taken: a division
that leaves many between its clusters, or tells little, must not displace one that says much more of everybody."""
SURELY, LEAST_SILHOUETTE = 0.9, 0.25
"""Agreement and silhouette from which clusters count that noise hides."""
LEAST_SORTED = 0.5
"""Share of visitors that must lie in a cluster and not between."""
MOST_IN_ONE = 0.6
"""Share of the sorted visitors that the largest cluster may hold: what singles out a few and lumps the rest together
sorts hardly anybody."""
SAME = 0.95
"""Adjusted Rand index from which a simpler method finds the same groups."""
AS_STABLE = 0.95
"""Share of the best agreement that counts as the same."""
FINE = 8
"""Fewest segments where visitors go over into each other: with fewer, slates are hardly anybody's own."""
KEPT_IF = 0.8
"""Share of the best agreement from which the number of the refresh before is kept."""
FINEST = 24
"""Most segments there."""
ROUNDS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A candidate and how much of it stays when other visitors had been met."""

    candidate: Candidate
    agreement: float
    null: float

    @property
    def stays(self) -> float:
        """Agreement beyond chance, 0 to 1."""
        return max(0.0, self.agreement - max(0.0, self.null))

    @property
    def score(self) -> float:
        figures = self.candidate.figures
        return figures.form * figures.told * figures.sorted * self.stays**2

    def row(self) -> dict[str, Any]:
        """The figures, for people."""
        figures = self.candidate.figures
        return {
            "method": self.candidate.method,
            "segments": figures.count,
            "silhouette": round(figures.silhouette, 3),
            "davies_bouldin": round(figures.davies_bouldin, 3),
            "gap": round(figures.gap, 3),
            "sorted": round(figures.sorted, 3),
            "largest": round(figures.largest, 3),
            "agreement": round(self.agreement, 3),
            "null": round(self.null, 3),
            "score": round(self.score, 3),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The method that was chosen, its number of clusters, how to find them, why, and what it was compared with."""

    method: str
    count: int
    fit: Fit
    why: str
    compared: tuple[dict[str, Any], ...]


def choose(places: FloatArray, method: str, count: int, least: int, *, seed: int, keep: int = 0) -> Choice:
    """Compare divisions of a sample.

    :param places: a sample of rows on the axes, in random order
    :param method: ``auto``, or the one to use
    :param count: number of segments, 0 to choose it
    :param least: fewest rows of a cluster
    :param keep: number of segments of the refresh before, kept where it is about as good
    """
    if len(np.unique(places[:200], axis=0)) < 2 and len(np.unique(places, axis=0)) < 2:
        return _one("all visitors are the same in what is looked at")
    most = max(1, len(places) // (2 * least))
    counts = [count] if count else [one for one in COUNTS if one <= most]
    found = _judged(places, METHODS if method == "auto" else (method,), counts, least, seed)
    if not found:
        return _one("no division leaves every segment large enough")
    clear = _clearest(found) or (found if count else [])
    if clear:
        best = _best(clear)
        simpler = _simpler(places, best, least, seed) if method == "auto" else None
        return _clear(found, simpler or best, best if simpler else None, method, count)
    if is_one_crowd(places, seed=seed):
        return _one("visitors differ no more than those of one crowd do: every cut would be arbitrary", found)
    return _continuum(places, found, method, most, least, seed, keep)


def _judged(
    places: FloatArray, names: Sequence[str], counts: Sequence[int], least: int, seed: int, *, all_of: bool = False
) -> list[Judged]:
    """The most promising divisions of each method, learnt again from halves."""
    judge = Judge(places)

    def of_method(name: str) -> list[Judged]:
        made = list(candidates(name, places, counts, least, judge, seed=seed))
        told = sorted(made, key=lambda one: -one.figures.form * one.figures.told * one.figures.sorted)
        apart = sorted(made, key=lambda one: -one.figures.silhouette)
        short = made if all_of else [one for one in made if one in told[:2] or one in apart[:1]]
        return [_again(one, places, seed) for one in short]

    return [one for found in each(of_method, names) for one in found]


def _clearest(found: Sequence[Judged]) -> list[Judged]:
    """Those that are found again, say about as much as any and whose clusters stand apart; else, are compact."""
    stable = [one for one in found if one.stays >= FOUND_AGAIN and _sorts(one)]
    best = max((one.score for one in stable), default=0.0)
    again = [one for one in stable if one.score >= OUTDONE * best]
    apart = [one for one in again if one.candidate.figures.form >= CLEAR_FORM]
    compact = [one for one in again if one.candidate.figures.silhouette >= CLEAR_SILHOUETTE]
    return apart or compact or [one for one in again if _surely(one)]


def _sorts(one: Judged) -> bool:
    """Whether it sorts most visitors, and not most of them into one cluster."""
    figures = one.candidate.figures
    return figures.sorted >= LEAST_SORTED and figures.largest <= MOST_IN_ONE


def _surely(one: Judged) -> bool:
    """Whether three clusters or more are found again nearly whole; any long cloud can be cut in two again."""
    return one.stays >= SURELY and one.candidate.figures.silhouette >= LEAST_SILHOUETTE and one.candidate.count > 2


def _best(found: Sequence[Judged]) -> Judged:
    """The one of the best score, or of a simpler method if that is as good."""
    best = max(one.score for one in found)
    good = [one for one in found if one.score >= AS_GOOD * best]
    return min(good, key=lambda one: (METHODS.index(one.candidate.method), -one.score))


def _simpler(places: FloatArray, best: Judged, least: int, seed: int) -> Judged | None:
    """The groups that density found by a simpler method, which puts nobody between them."""
    from sklearn.metrics import adjusted_rand_score

    kept = best.candidate.labels >= 0
    for name in ("kmeans", "agglomerative") if best.candidate.method in ("hdbscan", "dbscan") else ():
        for one in candidates(name, places, [best.candidate.count], least, Judge(places), seed=seed):
            if adjusted_rand_score(best.candidate.labels[kept], one.labels[kept]) >= SAME:
                return _again(one, places, seed)
    return None


def _again(one: Candidate, places: FloatArray, seed: int) -> Judged:
    partition = one.fit(places, seed)
    if partition.count < 2:
        return Judged(one, 0.0, 0.0)
    again = resample(partition, places, one.fit, seed=seed, rounds=ROUNDS)
    return Judged(one, again.agreement, again.null)


def _clear(found: Sequence[Judged], chosen: Judged, than: Judged | None, method: str, count: int) -> Choice:
    figures = chosen.candidate.figures
    apart = f"silhouette {figures.silhouette:.2f}, Davies-Bouldin {figures.davies_bouldin:.2f}"
    why = (
        f"{NAMES[chosen.candidate.method]} with {chosen.candidate.count} clusters: {apart}, "
        f"{_gap_words(figures.gap)}; learnt again from halves of the visitors they agree by {chosen.agreement:.2f} "
        f"(permuted {chosen.null:.2f}); {figures.sorted:.0%} of visitors lie in a cluster, the largest has "
        f"{figures.largest:.0%} of them. {_against(chosen, found)}"
    )
    if than is not None:
        why += f" {NAMES[than.candidate.method]} finds the same groups, but leaves visitors between them."
    if method != "auto":
        why = f"{NAMES[method]} was asked for. {why}"
    if count:
        why = f"{count} segments were asked for. {why}"
    return _choice(chosen, found, why)


def _against(chosen: Judged, found: Sequence[Judged]) -> str:
    """The best of each other method, in a few words."""
    words = []
    for name in METHODS:
        others = [one for one in found if one.candidate.method == name and name != chosen.candidate.method]
        if others:
            other = max(others, key=lambda one: one.score)
            words.append(f"{NAMES[name]} scored {other.score:.2f} with {other.candidate.count}")
    return f"It scores {chosen.score:.2f}; {', '.join(words)}." if words else f"It scores {chosen.score:.2f}."


def _continuum(
    places: FloatArray, found: Sequence[Judged], method: str, most: int, least: int, seed: int, keep: int
) -> Choice:
    """Visitors go over into each other: as many segments as can be found again, and not too few to be of use."""
    name = "agglomerative" if method == "agglomerative" else "kmeans"
    counts = [one for one in COUNTS if FINE <= one <= min(most, FINEST)] or [max(2, min(FINE, most))]
    tried = _judged(
        places, (name,), sorted({*counts, *([keep] if 2 <= keep <= most else [])}), least, seed, all_of=True
    )
    if not tried:
        return _one("no division leaves every segment large enough", found)
    best = max(one.stays for one in tried)
    before = [one for one in tried if one.candidate.count == keep and one.stays >= KEPT_IF * best]
    chosen = (before or sorted((one for one in tried if one.stays >= AS_STABLE * best), key=_count)[-1:])[0]
    return _choice(chosen, (*found, *tried), _continuum_words(chosen, found, tried, bool(before)))


def _continuum_words(chosen: Judged, found: Sequence[Judged], tried: Sequence[Judged], before: bool) -> str:
    figures = chosen.candidate.figures
    silhouette = max(one.candidate.figures.silhouette for one in (*found, *tried))
    counts = ", ".join(str(one.candidate.count) for one in tried)
    return (
        "no method found clusters that stand apart, are found again and take in most visitors (the best silhouette is "
        f"{silhouette:.2f}): "
        f"visitors go over into each other. So {NAMES[chosen.candidate.method]} with {chosen.candidate.count} "
        f"segments: of {counts}, {BEFORE if before else 'it is the most stable'} when learnt again from halves of "
        f"the visitors (they agree by {chosen.agreement:.2f}, permuted {chosen.null:.2f}); silhouette "
        f"{figures.silhouette:.2f}, Davies-Bouldin {figures.davies_bouldin:.2f}, the largest has "
        f"{figures.largest:.0%} of visitors."
    )


BEFORE = "that of the refresh before, it is still about as stable as the best"


def _count(one: Judged) -> int:
    return one.candidate.count


NAMES = {"kmeans": "K-Means", "agglomerative": "hierarchical clustering", "hdbscan": "HDBSCAN", "dbscan": "DBSCAN"}


def _gap_words(gap: float) -> str:
    if gap >= 0.9:
        return "nobody lies between them"
    return "it is much emptier between them than inside" if gap > 0.4 else "it is hardly emptier between them"


def _choice(chosen: Judged, found: Sequence[Judged], why: str) -> Choice:
    candidate = chosen.candidate
    return Choice(candidate.method, candidate.count, candidate.fit, why, tuple(one.row() for one in found))


def _one(why: str, found: Sequence[Judged] = ()) -> Choice:
    def fit(places: FloatArray, seed: int) -> Partition:
        return Partition("kmeans", places.mean(axis=0, keepdims=True).astype(np.float64), np.zeros(1, dtype=np.int32))

    return Choice("kmeans", 1, fit, f"one segment: {why}", tuple(one.row() for one in found))
