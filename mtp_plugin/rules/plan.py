"""What a decision comes to: conflicts settled, effects sorted by the step of the path that they belong to.

The order in which rules have their way is written in ``docs/rules.md``: filters all count, factors multiply, of
everything there can be only one of the weightiest rule's counts, a locked slot goes before a pin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..records import (
    NO_DECISION,
    AnyEffect,
    Boost,
    Bury,
    Decision,
    Exposure,
    Filter,
    Fired,
    Limit,
    Lock,
    Message,
    Pin,
    Prefer,
    Require,
    Retitle,
    UseModel,
    UseStrategies,
)


@dataclass(frozen=True, slots=True)
class Sieve:
    """Only rows whose answer to ``where`` is ``keep`` may be shown."""

    rule_id: str
    where: Mapping[str, Any]
    keep: bool


@dataclass(frozen=True, slots=True)
class Weight:
    """Rows that meet ``where`` rank as if they stood ``by`` times as far up; below 1 it is down."""

    rule_id: str
    where: Mapping[str, Any]
    by: float


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of the slate (from 1) that a rule fills: with one of ``product_ids``, else the best that meets ``where``.

    ``locked`` slots heed no other rule.
    """

    rule_id: str
    position: int
    product_ids: tuple[str, ...]
    where: Mapping[str, Any]
    locked: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The effects of a decision. Empty ``ladder``, ``title`` and ``message``: the placement's own; empty
    ``model``: the one that serves.
    """

    decision: Decision = NO_DECISION
    sieves: tuple[Sieve, ...] = ()
    weights: tuple[Weight, ...] = ()
    slots: tuple[Slot, ...] = ()
    limits: tuple[tuple[str, int], ...] = ()
    ladder: tuple[str, ...] = ()
    title: str = ""
    message: Message | None = None
    model: str = ""

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The rules behind it, weightiest first."""
        return tuple(fired.rule_id for fired in self.decision.fired)


NO_PLAN = Plan()


def plan_of(decision: Decision) -> Plan:
    """Settle what the rules of a decision want."""
    if not decision and not decision.exposures:
        return NO_PLAN
    effects = [(fired.rule_id, effect) for fired in decision.fired for effect in fired.then]
    ladders = [effect.strategies for _, effect in effects if isinstance(effect, UseStrategies)]
    models = [effect.version for _, effect in effects if isinstance(effect, UseModel)]
    titles = [effect.title for _, effect in effects if isinstance(effect, Retitle)]
    messages = [effect for _, effect in effects if isinstance(effect, Message)]
    return Plan(
        decision=decision,
        sieves=tuple(_sieves(effects)),
        weights=tuple(_weights(effects)),
        slots=_slots(effects),
        limits=_limits(effects),
        ladder=tuple(map(str, ladders[0])) if ladders else (),
        title=titles[0] if titles else "",
        message=messages[0] if messages else None,
        model=models[0] if models else "",
    )


def alternatives(decision: Decision, experiment_id: str) -> Iterator[Decision]:
    """The decisions that the other variations of an experiment would have been.

    Where no rule is the control's, that is what no rule of the experiment has a part in.
    """
    mine = [one for one in decision.exposures if one.experiment_id == experiment_id]
    named = sorted({number for one in mine for number in one.variations})
    known = {frozenset(one.rule_id for one in mine if one.shown)}
    for number in named if 0 in named else (-1, *named):
        rules = frozenset(one.rule_id for one in mine if number in one.variations)
        if rules not in known:
            known.add(rules)
            yield _with(decision, mine, rules)


def _with(decision: Decision, mine: Sequence[Exposure], rules: frozenset[str]) -> Decision:
    """The decision with these rules of an experiment and no others of it, all at their places."""
    gone = {one.rule_id for one in mine} - rules
    there = [(place, 1, fired) for place, fired in enumerate(decision.fired) if fired.rule_id not in gone]
    more = [
        (one.place, 0, Fired(rule_id=one.rule_id, then=one.then))
        for one in mine
        if one.rule_id in rules and not one.shown
    ]
    fired = (one for _, _, one in sorted((*there, *more), key=lambda placed: placed[:2]))
    return Decision(version=decision.version, fired=tuple(fired))


def has_tags(tags: tuple[str, ...]) -> dict[str, Any]:
    """The condition that a product carries any of these tags."""
    return {"tags": {"$in": list(tags)}}


def wheres(effects: Iterable[AnyEffect]) -> Iterator[Mapping[str, Any]]:
    """All conditions on products that effects have."""
    for effect in effects:
        if isinstance(effect, (Prefer, Require)):
            yield has_tags(effect.tags)
        elif isinstance(effect, (Filter, Boost, Bury, Pin)) and effect.where:
            yield effect.where


def _sieves(effects: list[tuple[str, Any]]) -> list[Sieve]:
    return [
        Sieve(rule_id, effect.where, not effect.exclude)
        if isinstance(effect, Filter)
        else Sieve(rule_id, has_tags(effect.tags), True)
        for rule_id, effect in effects
        if isinstance(effect, (Filter, Require))
    ]


def _weights(effects: list[tuple[str, Any]]) -> list[Weight]:
    found = []
    for rule_id, effect in effects:
        if isinstance(effect, Boost):
            found.append(Weight(rule_id, effect.where, effect.by))
        elif isinstance(effect, Bury):
            found.append(Weight(rule_id, effect.where, 1.0 / effect.by))
        elif isinstance(effect, Prefer):
            found.append(Weight(rule_id, has_tags(effect.tags), effect.by))
    return found


def _slots(effects: list[tuple[str, Any]]) -> tuple[Slot, ...]:
    """Locked slots, then pins, each weightiest first; of one position the first has it, the others stand behind it."""
    locks = [
        Slot(rule_id, effect.position, effect.product_ids, {}, True)
        for rule_id, effect in effects
        if isinstance(effect, Lock)
    ]
    pins = [
        Slot(rule_id, effect.position, (effect.product_id,) if effect.product_id else (), effect.where, False)
        for rule_id, effect in effects
        if isinstance(effect, Pin)
    ]
    return (*locks, *pins)


def _limits(effects: list[tuple[str, Any]]) -> tuple[tuple[str, int], ...]:
    """The strictest limit of each kind."""
    found: dict[str, int] = {}
    for _, effect in effects:
        if isinstance(effect, Limit):
            found[effect.per] = min(effect.most, found.get(effect.per, effect.most))
    return tuple(sorted(found.items()))
