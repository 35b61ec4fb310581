"""A short rule that tells most members of a segment from everybody else, in the project's condition language.

A beam search over conjunctions of thresholds (as in CN2, Clark and Niblett 1989), with the F-measure as its aim: at
most a few conditions, at thresholds rounded before they are judged, so that what is printed is what was measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

MAX_CONDITIONS = 3
BEAM = 4
GAIN = 0.01
"""What another condition must add to the F-measure."""
LEARN_ROWS = 8_000
JUDGE_ROWS = 20_000
QUANTILES = np.linspace(0.05, 0.95, 19)
PREFIX = "profile."
"""Where conditions find features."""
DECIMALS = 6
"""Of a value that is compared: 32-bit 0.7 is 0.7 then, as it is where a condition reads it."""

Values = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A condition and how well it does on visitors who had no part in finding it.

    ``precision`` is the share of those it holds for who are members, ``recall`` the share of members it holds for;
    ``holds`` and ``members`` are the numbers of these visitors, ``judged`` that of all. Nobody held: precision is 0.
    """

    condition: dict[str, Any]
    precision: float
    recall: float
    holds: int
    members: int
    judged: int


class Literal(NamedTuple):
    """One condition: a column is at least *cut*, or below it."""

    column: int
    cut: float
    below: bool


class _Literals:
    """All thresholds of all columns as one matrix over the visitors; each also means its opposite."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        self.all = [Literal(at, cut, False) for at in range(values.shape[1]) for cut in thresholds(values[:, at])]
        self.holds = np.zeros((len(self.all), len(values)), dtype=np.float32)
        for row, literal in enumerate(self.all):
            self.holds[row] = values[:, literal.column] >= literal.cut
        self.all += [literal._replace(below=True) for literal in self.all]

    def scores(self, mask: Mask, mine: Mask) -> NDArray[np.floating[Any]]:
        """The F-measure of *mask* and each literal."""
        both = np.stack([mask & mine, mask]).astype(np.float32)
        hits, held = (self.holds @ both.T).T
        hits, held = np.concatenate([hits, both[0].sum() - hits]), np.concatenate([held, both[1].sum() - held])
        score: NDArray[np.floating[Any]] = 2 * hits / (held + mine.sum())
        return score

    def mask(self, place: int) -> Mask:
        holds: Mask = self.holds[place % len(self.holds)] > 0
        return holds ^ self.all[place].below


def distil(
    names: Sequence[str], values: Values, labels: Labels, count: int, *, seed: int, most: int = MAX_CONDITIONS
) -> list[Rule]:
    """A rule for each segment, found on one half of the visitors and judged on the other.

    :param names: of the columns, as :class:`mtp_plugin.profile.columns.Columns` has them, ``(f,)``
    :param values: ``(n, f)``, NaN where unknown, which compares as 0, as in a condition
    :param labels: ``(n,)``, the segment of each visitor, -1 for none
    :param count: number of segments
    :param most: conditions in one rule
    """
    comparable = compared(values)
    learn, judge = halves(len(values), seed)
    literals = _Literals(comparable[learn])
    rules = []
    for segment in range(count):
        chosen = _search(literals, labels[learn] == segment, most) if len(learn) else ()
        rule = [literals.all[place] for place in chosen]
        held = holds(rule, comparable[judge])
        rules.append(_judged(condition_of(rule, names), held, labels[judge] == segment))
    return rules


def halves(n: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to learn from and rows to judge by, apart from each other and bounded in number."""
    order = np.random.default_rng(seed).permutation(n)
    middle = min(n // 2, LEARN_ROWS)
    return np.sort(order[:middle]), np.sort(order[middle : middle + JUDGE_ROWS])


def compared(values: Values) -> NDArray[np.float64]:
    """Values as a condition compares them: nothing is 0."""
    wide: NDArray[np.float64] = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    return wide.round(DECIMALS)


def thresholds(column: NDArray[np.float64]) -> list[float]:
    """Readable values that part a column: its quantiles to two digits, those of what is not zero too."""
    used = column[column != 0]
    if not len(used) or column.min() == column.max():
        return []
    cuts = np.concatenate([np.quantile(column, QUANTILES), np.quantile(used, QUANTILES)])
    low, high = float(column.min()), float(column.max())
    return sorted({cut for value in cuts if low < (cut := readable(float(value))) <= high})


def readable(value: float, digits: int = 2) -> float:
    """A number to two significant digits; small whole ones stay as they are.

    >>> readable(0.4567), readable(12345.0), readable(37.0)
    (0.46, 12000.0, 37.0)
    """
    if value == 0 or (value == int(value) and abs(value) < 100):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def holds(rule: Sequence[Literal], values: NDArray[np.float64]) -> Mask:
    """For whom a rule holds: what its compiled condition would say, for many at once.

    :param values: as :func:`compared` gives them, ``(n, f)``
    """
    mask = np.ones(len(values), dtype=bool)
    for column, cut, below in rule:
        mask &= (values[:, column] >= cut) != below
    return mask


def condition_of(rule: Sequence[Literal], names: Sequence[str]) -> dict[str, Any]:
    """A rule in the condition language; a column of a word becomes a test of that word."""
    condition: dict[str, Any] = {}
    for column, cut, below in rule:
        path, is_word, word = names[column].partition("=")
        tests = condition.setdefault(PREFIX + path, {})
        if is_word:
            spelt = [word, word == "true"] if word in ("true", "false") else [word]
            tests.setdefault("$nin" if below else "$in", []).extend(spelt)
        elif below:
            tests["$lt"] = min(tests.get("$lt", cut), cut)
        else:
            tests["$gte"] = max(tests.get("$gte", cut), cut)
    return condition


def _search(literals: _Literals, mine: Mask, most: int) -> tuple[int, ...]:
    """The conjunction of literals with the best F-measure; each one more must be worth it."""
    total = int(mine.sum())
    if not total or not literals.all:
        return ()
    beam: list[tuple[tuple[int, ...], Mask]] = [((), np.ones(len(mine), dtype=bool))]
    best: tuple[int, ...] = ()
    best_score = 2 * total / (len(mine) + total)
    for _ in range(most):
        wider = _widened(literals, mine, beam)
        if not wider or wider[0][0] < best_score + GAIN:
            break
        best_score, best = wider[0][:2]
        beam = [(chosen, mask) for _, chosen, mask in wider]
    return best


def _widened(
    literals: _Literals, mine: Mask, beam: Sequence[tuple[tuple[int, ...], Mask]]
) -> list[tuple[float, tuple[int, ...], Mask]]:
    """The best conjunctions of one literal more."""
    found: dict[tuple[int, ...], tuple[float, Mask, int]] = {}
    for chosen, mask in beam:
        scores = literals.scores(mask, mine)
        for place in map(int, np.argsort(-scores, kind="stable")[: BEAM * 3]):
            found.setdefault(tuple(sorted({*chosen, place})), (float(scores[place]), mask, place))
    length = len(beam[0][0]) + 1
    ordered = sorted((key for key in found if len(key) == length), key=lambda key: (-found[key][0], key))[:BEAM]
    return [(found[key][0], key, found[key][1] & literals.mask(found[key][2])) for key in ordered]


def _judged(condition: dict[str, Any], held: Mask, mine: Mask) -> Rule:
    both, members = int((held & mine).sum()), int(mine.sum())
    return Rule(
        condition=condition,
        precision=both / max(int(held.sum()), 1),
        recall=both / max(members, 1),
        holds=int(held.sum()),
        members=members,
        judged=len(mine),
    )
