"""What an experiment says: every metric of every variation beside the control, and a verdict in words."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .corrections import Shrunk, benjamini_hochberg, holm, shrunk
from .crossing import Factors
from .effects import Arm, Effect, arms
from .factorial import FactorEffect, factor_effects
from .ratio_check import BROKEN, sample_ratio_p
from .readings import ALPHA, Belief, Interval, belief, mixing
from .units import UnitTable

DAY = 86400.0
FEW = 100
"""Units in a variation below which nothing is said."""
TUNED = 10_000
"""Units in two variations at which sequences are tightest where no size was planned."""
MATTERS = 0.02
"""The relative change that a shop would act on, where it says nothing else."""
LEAST_PART = 50
"""Units in each variation of a part of the visitors that is told apart."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured: ``better`` is 1 where more is better and -1 where less is; ``money`` is in the shop's."""

    name: str
    title: str
    better: int = 1
    money: bool = False
    share: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric in one variation beside the control. Intervals are of the relative effect; ``adjusted`` is the always
    valid p-value after Benjamini and Hochberg over all metrics and variations. ``parts`` are its effects in parts of
    the visitors, drawn together, and ``sure`` their p-values, looked at once and corrected in the same way over all
    parts, metrics and variations.
    """

    metric: str
    variation: int
    control: Arm
    treatment: Arm
    lift: float
    always: Interval
    once: Interval
    belief: Belief
    adjusted: float = 1.0
    parts: dict[str, Shrunk] = field(default_factory=dict)
    sure: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``word`` is ``ship``, ``stop``, ``keep-running``, ``no-difference`` or ``broken``; ``why`` says it in a sentence,
    ``until`` (seconds since 1970) when the answer may be expected, 0 where that cannot be told.
    """

    word: str
    why: str
    variation: int = -1
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """All that is known of an experiment by now."""

    names: tuple[str, ...]
    counts: tuple[int, ...]
    mixed: int
    sample_ratio_p: float
    arms: dict[str, tuple[Arm, ...]]
    readings: tuple[Reading, ...]
    verdict: Verdict
    factors: tuple[FactorEffect, ...] = ()
    """Of the goal, where several things are tested at once."""
    part_units: dict[str, int] = field(default_factory=dict)
    """Units of each part that is told apart."""

    def of(self, metric: str, variation: int) -> Reading:
        """One reading."""
        return next(one for one in self.readings if (one.metric, one.variation) == (metric, variation))


def analyse(
    table: UnitTable,
    metrics: Sequence[Metric],
    *,
    goal: str,
    guardrails: Sequence[str] = (),
    planned: int = 0,
    matters: float = MATTERS,
    started: float = 0.0,
    now: float = 0.0,
    part: str = "",
    factors: Factors | None = None,
    stopped: Collection[int] = (),
    alpha: float = ALPHA,
) -> Result:
    """Read all metrics and judge by the goal.

    :param metrics: of those in the table
    :param guardrails: metrics that must not get worse
    :param planned: units in two variations together that were planned, 0 where none were
    :param matters: the smallest relative change worth acting on
    :param started: when the first unit was exposed, and *now*: seconds since 1970
    :param factors: where variations are all combinations of these, in the order of
        :func:`mtp_plugin.experiment.factorial.cells`
    :param stopped: variations that nobody sees any more: their units do not grow with those of the others
    :param part: the label whose values are told apart, such as ``segment``
    """
    count = len(table.names)
    weights = table.weights or (1.0 / count,) * count
    counts = tuple(int(number) for number in table.counts)
    live = [number for number in range(count) if number not in stopped]
    share = sum(weights[number] for number in live)
    ratio_p = sample_ratio_p([counts[number] for number in live], [weights[number] / share for number in live])
    found = {one.name: tuple(arms(table.metrics[one.name], table.variation, count)) for one in metrics}
    rho2 = mixing(planned or TUNED, alpha)
    pairs = [(one, number) for one in metrics for number in range(1, count)]
    plain = [_reading(one, number, found[one.name], rho2, alpha) for one, number in pairs]
    adjusted = benjamini_hochberg([one.always.p for one in plain])
    tables = _tables(table, part) if part else {}
    parts, sure = _parts(tables, table.names, metrics)
    readings = tuple(
        Reading(
            one.metric, one.variation, one.control, one.treatment, one.lift, one.always, one.once, one.belief, p,
            parts.get((one.metric, one.variation), {}), sure.get((one.metric, one.variation), {}),
        )
        for one, p in zip(plain, adjusted, strict=True)
    )  # fmt: skip
    result = Result(table.names, counts, table.mixed, ratio_p, found, readings, Verdict("keep-running", ""))
    better = {one.name: one.better for one in metrics}
    judge = _Judge(result, better, goal, tuple(guardrails), matters, planned, started, now, alpha, frozenset(stopped))
    said = judge.verdict()
    crossed = tuple(factor_effects(found[goal], factors, rho2, alpha)) if factors else ()
    units = {value: len(cut.variation) for value, cut in tables.items()}
    return Result(table.names, counts, table.mixed, ratio_p, found, readings, said, crossed, units)


def _reading(metric: Metric, number: int, found: Sequence[Arm], rho2: float, alpha: float) -> Reading:
    effect = Effect(found[0], found[number])
    lift, error = effect.lift, effect.lift_error
    return Reading(
        metric=metric.name,
        variation=number,
        control=found[0],
        treatment=found[number],
        lift=lift,
        always=effect.always(rho2, alpha),
        once=effect.once(alpha),
        belief=belief(lift * metric.better, error),
    )


Parts = dict[tuple[str, int], dict[str, Shrunk]]
Sure = dict[tuple[str, int], dict[str, float]]


def _tables(table: UnitTable, label: str) -> dict[str, UnitTable]:
    """The units of each part, of those with enough of them in every variation."""
    values = table.labels.get(label)
    if values is None:
        return {}
    tables = {str(value): table.part(values == value) for value in np.unique(values)}
    return {value: cut for value, cut in tables.items() if value and cut.counts.min() >= LEAST_PART}


def _parts(tables: Mapping[str, UnitTable], names: Sequence[str], metrics: Sequence[Metric]) -> tuple[Parts, Sure]:
    """Relative effects by part, drawn together, and p-values of each."""
    found: Parts = {}
    alone: list[tuple[tuple[str, int], str, float]] = []
    for metric in metrics:
        by = {value: arms(cut.metrics[metric.name], cut.variation, len(cut.names)) for value, cut in tables.items()}
        for number in range(1, len(names)):
            effects = {value: Effect(one[0], one[number]) for value, one in by.items()}
            told = {value: one for value, one in effects.items() if math.isfinite(one.lift_error) and one.lift_error}
            drawn = shrunk([one.lift for one in told.values()], [one.lift_error for one in told.values()])
            found[metric.name, number] = dict(zip(told, drawn, strict=True))
            alone += [((metric.name, number), value, one.once().p) for value, one in told.items()]
    sure: Sure = {}
    for (pair, value, _), p in zip(alone, benjamini_hochberg([p for _, _, p in alone]), strict=True):
        sure.setdefault(pair, {})[value] = p
    return found, sure


@dataclass(frozen=True, slots=True)
class _Judge:
    result: Result
    better: dict[str, int]
    goal: str
    guardrails: tuple[str, ...]
    matters: float
    planned: int
    started: float
    now: float
    alpha: float
    stopped: frozenset[int]

    def verdict(self) -> Verdict:
        result = self.result
        if result.sample_ratio_p < BROKEN:
            told = " and ".join(f"{count:,} in {name}" for name, count in zip(result.names, result.counts, strict=True))
            return Verdict("broken", f"Units are not divided as planned ({told}): no figure can be trusted.")
        if not self._readings(self.goal):
            return Verdict("no-difference", "All variations but the control were stopped.")
        if min(count for number, count in enumerate(result.counts) if number not in self.stopped) < FEW:
            return Verdict("keep-running", f"Fewer than {FEW} units in a variation: too early to say anything.")
        for name in (self.goal, *self.guardrails):
            harmed = self._harmed(name)
            if harmed is not None:
                return harmed
        return self._by_goal()

    def _harmed(self, name: str) -> Verdict | None:
        """Stop what is worse for certain, be it the goal or a guardrail."""
        better = self.better[name]
        for one in self._readings(name):
            if (one.always.below if better > 0 else one.always.above) and one.adjusted < self.alpha:
                said = f"{self._name(one)} is worse by {name}: {_change(one.always)}."
                return Verdict("stop", said, one.variation)
        return None

    def _by_goal(self) -> Verdict:
        """Ship the best of those that are better for certain; else say whether it is worth waiting."""
        better, readings = self.better[self.goal], self._readings(self.goal)
        p_values = holm([one.always.p for one in readings])
        sure = [
            one
            for one, p in zip(readings, p_values, strict=True)
            if p < self.alpha and (one.always.above if better > 0 else one.always.below)
        ]
        if sure:
            best = max(sure, key=lambda one: better * one.lift)
            said = f"{self._name(best)} is better by {self.goal}: {_change(best.always)}."
            return Verdict("ship", said, best.variation)
        if all(-self.matters < one.always.low and one.always.high < self.matters for one in readings):
            return Verdict("no-difference", f"Whatever difference there is is smaller than {self.matters:.0%}.")
        return self._wait(readings)

    def _wait(self, readings: Sequence[Reading]) -> Verdict:
        """When, at this pace and if effects are what they seem to be, each is told from none or from one that matters.

        Intervals shrink with the root of units.
        """
        factors = [self._grows(one) for one in readings]
        if not all(map(math.isfinite, factors)) or self.now <= self.started:
            return Verdict("keep-running", "Nothing can be said yet.")
        until = self.started + (self.now - self.started) * max(1.0, *factors)
        said = "No difference is certain yet; it should be by then, at this pace and if it is as it seems."
        if self.planned and sum(self.result.counts) >= self.planned:
            said = f"All planned units are there and nothing is certain. {said}"
        return Verdict("keep-running", said, until=until)

    def _grows(self, one: Reading) -> float:
        """How many times the units that there are it takes."""
        reach, seems = (one.always.high - one.always.low) / 2, abs(one.lift)
        wanted = max(seems, self.matters - seems)
        return (reach / wanted) ** 2 if math.isfinite(reach) and math.isfinite(seems) else math.inf

    def _readings(self, name: str) -> list[Reading]:
        return [one for one in self.result.readings if one.metric == name and one.variation not in self.stopped]

    def _name(self, one: Reading) -> str:
        return self.result.names[one.variation]


def _change(interval: Interval) -> str:
    return f"between {interval.low:+.1%} and {interval.high:+.1%}, however often it was looked at"
