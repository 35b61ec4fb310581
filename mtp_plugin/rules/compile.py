"""One version of the rules, ready to decide: engines built, schedules read, decisions remembered."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from ..conditions import compile_condition
from ..errors import InputError
from ..memory import Remembered
from ..records import AnyEffect, Decision, Exposure, Fired, Gate, Lock, Rule, RuleSet, UseModel
from .engine import Engine, MakeEngine
from .native_engine import NativeEngine
from .plan import NO_PLAN, Plan, plan_of
from .schedule import in_force, moment, next_change
from .tree import leaves, parse

log = logging.getLogger(__name__)

REMEMBERED = 10_000
"""Decisions kept; each is small and most of them are the same one."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, *begin* to *end*, in which the same ``rules`` (by place) are in force."""

    begin: float
    end: float
    rules: frozenset[int]


class Compiled:
    """The enabled rules of one version, weightiest first.

    A rule that cannot be used (a condition or a date that is none) is left out, and told to *faulty* with the error.

    :param version: of the rules; 0 where there are none
    :param zone: the shop's time zone, for schedules
    :param make_engine: what evaluates the conditions
    """

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        *,
        version: int = 0,
        zone: ZoneInfo | None = None,
        make_engine: MakeEngine = NativeEngine,
        faulty: Callable[[str, Exception], None] = lambda rule_id, error: None,
    ) -> None:
        self.version, self._zone, self._make_engine = version, zone or ZoneInfo("UTC"), make_engine
        self.rules = tuple(_usable(in_order(rules), faulty))
        self.paths = tuple(sorted({leaf.path for rule in self.rules for leaf in leaves(parse(rule.when))}))
        """Every fact that a rule looks at, as dotted paths."""
        self.about_visitors = frozenset(rule.rule_id for rule in self.rules if _asks_of_visitor(rule))
        """Ids of the rules that look at anything of the visitor's past."""
        self.gates = {rule.experiment.experiment_id: rule.experiment for rule in self.rules if rule.experiment}
        """The experiments that rules are variations of."""
        effects = (effect for rule in self.rules for effect in rule.then)
        self.models = tuple(sorted({effect.version for effect in effects if isinstance(effect, UseModel)}))
        """Versions of behaviour models that rules let answer."""
        self._engines: dict[tuple[int, ...], tuple[tuple[int, ...], Engine]] = {}
        self._of_placement: Remembered[str, tuple[tuple[int, ...], Engine]] = Remembered(1000)
        self._window = Window(math.inf, -math.inf, frozenset())
        self._plans: Remembered[Hashable, Plan] = Remembered(REMEMBERED)
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self.rules)

    def window(self, now: float) -> Window:
        """Which rules are in force at *now*, and until when that holds."""
        known = self._window
        if known.begin <= now < known.end:
            return known
        chosen = [place for place, rule in enumerate(self.rules) if in_force(rule.schedule, now, self._zone)]
        ends = [next_change(rule.schedule, now, self._zone) for rule in self.rules]
        ends += [end for rule in self.rules for end in self._lock_ends(rule) if end > now]
        self._window = known = Window(now, min(ends, default=math.inf), frozenset(chosen))
        return known

    def plan(self, placement: str, now: float, key: Hashable, facts: Callable[[], Mapping[str, Any]]) -> Plan:
        """What is to be done with a slate of *placement*.

        :param key: differs where any of the facts in :attr:`paths` does
        :param facts: gives the facts, asked only where the decision is not remembered
        """
        if not self.rules:
            return NO_PLAN
        window = self.window(now)
        whole = (placement, window.begin, key)
        found = self._plans.get(whole)
        if found is None:
            found = self._plans.keep(whole, plan_of(self.decide(placement, now, facts())))
        return found

    def decide(self, placement: str, now: float, facts: Mapping[str, Any]) -> Decision:
        """The rules that hold for these facts; pure, and nothing is remembered."""
        window = self.window(now)
        places, engine = self._engine(placement)
        holding = engine.holding(facts)
        fired: list[Fired] = []
        exposures: list[Exposure] = []
        for at in sorted(holding):
            place = places[at]
            if place not in window.rules:
                continue
            rule = self.rules[place]
            then = self._effects(rule, now)
            if rule.experiment is not None:
                exposure = _exposure(rule, rule.experiment, facts, len(fired), then)
                exposures += [exposure] if exposure else []
                if exposure is None or not exposure.shown:
                    continue
            fired.append(Fired(rule_id=rule.rule_id, then=then))
        return Decision(version=self.version, fired=tuple(fired), exposures=tuple(exposures))

    def again(self, rule_ids: Iterable[str], now: float) -> Decision:
        """The decision that these rules hold, as a slate's log tells it.

        :raises KeyError: there is no such rule in this version
        """
        known = {rule.rule_id: rule for rule in self.rules}
        fired = (Fired(rule_id=name, then=self._effects(known[name], now)) for name in rule_ids)
        return Decision(version=self.version, fired=tuple(fired))

    def warm(self, placements: Iterable[str]) -> None:
        """Build the engines of these placements before a visitor needs them."""
        for placement in placements:
            self._engine(placement)

    def _engine(self, placement: str) -> tuple[tuple[int, ...], Engine]:
        known = self._of_placement.get(placement)
        if known is not None:
            return known
        places = tuple(
            place for place, rule in enumerate(self.rules) if not rule.placements or placement in rule.placements
        )
        found = self._engines.get(places)
        if found is None:
            with self._lock:
                engine = self._make_engine([self.rules[place].when for place in places])
                found = self._engines[places] = (places, engine)
        return self._of_placement.keep(placement, found)

    def _effects(self, rule: Rule, now: float) -> tuple[AnyEffect, ...]:
        return tuple(
            effect
            for effect in rule.then
            if not (isinstance(effect, Lock) and effect.until and moment(effect.until, self._zone) <= now)
        )

    def _lock_ends(self, rule: Rule) -> Iterable[float]:
        return [moment(effect.until, self._zone) for effect in rule.then if isinstance(effect, Lock) and effect.until]


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """The enabled rules, weightiest first: by priority, then as they stand."""
    return sorted((rule for rule in rules if rule.enabled), key=lambda rule: -rule.priority)


def compiled(ruleset: RuleSet, **options: Any) -> Compiled:
    """A ruleset ready to decide; *options* as for :class:`Compiled`."""
    return Compiled(ruleset.rules, **options)


def _exposure(
    rule: Rule, gate: Gate, facts: Mapping[str, Any], place: int, then: tuple[AnyEffect, ...]
) -> Exposure | None:
    """What an experiment makes of a rule that holds otherwise; ``None`` for visitors who take no part."""
    variation = facts.get("experiment", {}).get(gate.experiment_id)
    if variation is None:
        return None
    return Exposure(
        experiment_id=gate.experiment_id,
        variation=variation,
        rule_id=rule.rule_id,
        shown=variation in gate.variations,
        variations=gate.variations,
        place=place,
        then=then,
    )


def _asks_of_visitor(rule: Rule) -> bool:
    roots = {leaf.path.partition(".")[0] for leaf in leaves(parse(rule.when))}
    return not roots.isdisjoint(("profile", "segment"))


def _usable(rules: Iterable[Rule], faulty: Callable[[str, Exception], None]) -> Iterable[Rule]:
    for rule in rules:
        try:
            check_usable(rule)
        except (InputError, ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            log.error("rule %r is switched off: %s", rule.rule_id, error)
            faulty(rule.rule_id, error)
        else:
            yield rule


def check_usable(rule: Rule) -> None:
    """Compile all that a rule has of conditions and times.

    :raises mtp_plugin.errors.ConditionError: a condition is malformed
    :raises ValueError: a date does not exist
    """
    utc = ZoneInfo("UTC")
    compile_condition(rule.when)
    in_force(rule.schedule, 0.0, utc)
    for text in (rule.schedule.start, rule.schedule.until) if rule.schedule else ():
        if text:
            moment(text, utc)
    for effect in rule.then:
        compile_condition(getattr(effect, "where", {}))
        if isinstance(effect, Lock) and effect.until:
            moment(effect.until, utc)


NO_RULES = Compiled()
