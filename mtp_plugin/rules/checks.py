"""What is wrong with rules that can be read: told before they are saved."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from ..errors import ConditionError
from ..records import (
    BoolArray,
    Boost,
    Bury,
    Decision,
    Filter,
    Fired,
    Gate,
    Lock,
    Pin,
    Placement,
    Prefer,
    ProductTable,
    Require,
    Rule,
    RuleSet,
    UseModel,
)
from .compile import in_order
from .plan import Plan, has_tags, plan_of
from .possible import possible
from .schedule import moment
from .tree import parse
from .vocabulary import Vocabulary, check_where

MOST_PAIRS = 50_000
"""Pairs of rules compared."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something about a rule. An ``error`` cannot be saved; a ``warning`` can, by somebody who means it.

    ``other`` is the rule that it is about, too, if there is one.
    """

    level: str
    rule_id: str
    code: str
    message: str
    field: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class Shop:
    """What rules are checked against.

    :param mask: which rows of *table* meet a condition now
    :param now: seconds since 1970
    :param experiments: of the shop, and the shares of their variations
    :param models: versions of behaviour models that there are, ``None`` where nobody knows
    """

    table: ProductTable
    placements: Mapping[str, Placement]
    mask: Callable[[Mapping[str, Any]], BoolArray]
    now: float
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    models: Collection[str] | None = None
    experiments: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def sellable(self) -> BoolArray:
        return self.table.visible & self.table.in_stock


def check_rules(ruleset: RuleSet, shop: Shop, only: Collection[str] | None = None) -> list[Finding]:
    """Everything that is found, errors first.

    :param only: look at these rules alone, and at what they do together with the others
    """
    rules = in_order(ruleset.rules)
    chosen = [rule for rule in rules if only is None or rule.rule_id in only]
    found = [finding for rule in chosen for finding in _words(rule, shop)]
    wrong = {finding.rule_id for finding in found}
    sound = [rule for rule in chosen if rule.rule_id not in wrong]
    found += [finding for rule in sound for finding in _alone(rule, shop)]
    never = {finding.rule_id for finding in found if finding.code in ("never-matches", "over")}
    living = [rule for rule in rules if rule.rule_id not in wrong | never]
    found += _together(living, shop, only)
    return sorted(found, key=lambda finding: finding.level)


# ----------------------------------------------------------------------------------------------- one rule


def _words(rule: Rule, shop: Shop) -> Iterator[Finding]:
    """Facts, fields and placements that do not exist."""
    try:
        shop.vocabulary.check(rule.when)
        for place, effect in enumerate(rule.then):
            check_where(getattr(effect, "where", {}), f"then.{place}.where")
    except ConditionError as error:
        yield _error(rule, "unknown-fact", error.message, error.field)
    for name in rule.placements:
        if name not in shop.placements:
            known = ", ".join(shop.placements)
            yield _error(rule, "unknown-placement", f"there is no placement {name!r}; there are {known}", "placements")


def _alone(rule: Rule, shop: Shop) -> Iterator[Finding]:
    if not possible([parse(rule.when)], shop.vocabulary):
        yield _warning(rule, "never-matches", "no visitor can ever meet this condition", "when")
    yield from _schedule(rule, shop)
    if rule.experiment is not None and not _assigned(rule.experiment, shop):
        yield _warning(rule, "never-matches", "nobody is assigned to this variation", "experiment")
    yield from _products(rule, shop)
    for place, effect in enumerate(rule.then):
        if isinstance(effect, UseModel) and shop.models is not None and effect.version not in shop.models:
            message = f"there is no behaviour model {effect.version!r}: the one that serves would answer"
            yield _warning(rule, "unknown-model", message, f"then.{place}.version")
    yield from _emptied(rule, shop)


def _assigned(gate: Gate, shop: Shop) -> bool:
    """Whether anybody can be in one of the variations: as the shop's experiment says, else as the rule does."""
    known = shop.experiments.get(gate.experiment_id)
    weights = known or gate.weights or (0.5, 0.5)
    some = any(weights[number] > 0 for number in gate.variations if number < len(weights))
    return some and (known is not None or gate.coverage > 0)


def _schedule(rule: Rule, shop: Shop) -> Iterator[Finding]:
    schedule = rule.schedule
    if schedule is None or not schedule.until:
        return
    end = moment(schedule.until, shop.zone)
    if schedule.start and moment(schedule.start, shop.zone) >= end:
        yield _warning(rule, "never-matches", "it ends before it begins", "schedule.until")
    elif end <= shop.now:
        yield _warning(rule, "over", f"its time was over at {schedule.until}", "schedule.until")


def _products(rule: Rule, shop: Shop) -> Iterator[Finding]:
    """Effects on products that there are none of."""
    for place, effect in enumerate(rule.then):
        at = f"then.{place}"
        if isinstance(effect, Lock):
            gone = [name for name in effect.product_ids if name not in shop.table.index]
            for name in gone:
                yield _warning(rule, "unknown-product", f"there is no product {name!r}", f"{at}.product_ids")
        elif isinstance(effect, Pin) and effect.product_id:
            if effect.product_id not in shop.table.index:
                message = f"there is no product {effect.product_id!r}"
                yield _warning(rule, "unknown-product", message, f"{at}.product_id")
        elif isinstance(effect, (Boost, Bury, Prefer, Pin)):
            where = has_tags(effect.tags) if isinstance(effect, Prefer) else effect.where
            if not (shop.mask(where) & shop.sellable).any():
                yield _warning(rule, "matches-nothing", "no product on sale in the shop meets this now", at)


def _emptied(rule: Rule, shop: Shop) -> Iterator[Finding]:
    if not any(isinstance(effect, (Filter, Require)) for effect in rule.then):
        return
    left = int(_left(_plan(rule), shop).sum())
    before = int(shop.sellable.sum())
    for name in rule.placements or shop.placements:
        least = shop.placements[name].min_items
        if left < least <= before:
            message = f"it would leave {left} of {before} products, {name} needs {least}: the block would be empty"
            yield _warning(rule, "empties-placement", message, "then")
            return


def _left(plan: Plan, shop: Shop) -> BoolArray:
    left = shop.sellable
    for sieve in plan.sieves:
        hit = shop.mask(sieve.where)
        left = left & (hit if sieve.keep else ~hit)
    return left


def _plan(*rules: Rule) -> Plan:
    return plan_of(Decision(fired=tuple(Fired(rule_id=rule.rule_id, then=rule.then) for rule in rules)))


# ---------------------------------------------------------------------------------------------- two rules


def _together(rules: list[Rule], shop: Shop, only: Collection[str] | None) -> list[Finding]:
    found: list[Finding] = []
    wants = {rule.rule_id: _wants(rule, shop) for rule in rules}
    pairs = (pair for pair in combinations(rules, 2) if only is None or any(rule.rule_id in only for rule in pair))
    for first, second in islice(pairs, MOST_PAIRS):
        code, message = _conflict(wants[first.rule_id], wants[second.rule_id], shop)
        if code and _meet(first, second, shop):
            rule, other = (second, first) if only is None or second.rule_id in only else (first, second)
            found.append(_warning(rule, code, message, "then", other.rule_id))
    return found


def _meet(first: Rule, second: Rule, shop: Shop) -> bool:
    """Whether both can hold for one request."""
    places = set(first.placements or shop.placements) & set(second.placements or shop.placements)
    if not places or _apart(first, second, shop) or _apart(second, first, shop):
        return False
    return possible([parse(first.when), parse(second.when)], shop.vocabulary)


def _apart(first: Rule, second: Rule, shop: Shop) -> bool:
    """Whether the first is over before the second begins."""
    until = first.schedule.until if first.schedule else ""
    start = second.schedule.start if second.schedule else ""
    return bool(until and start) and moment(until, shop.zone) <= moment(start, shop.zone)


@dataclass(frozen=True, slots=True)
class _Wants:
    """What a rule wants, as pairs of rules are compared by: ``left`` are the products that its filters leave."""

    rule: Rule
    plan: Plan
    left: BoolArray | None
    raised: frozenset[str]
    sunk: frozenset[str]


def _wants(rule: Rule, shop: Shop) -> _Wants:
    plan = _plan(rule)
    return _Wants(
        rule=rule,
        plan=plan,
        left=_left(plan, shop) if plan.sieves else None,
        raised=frozenset(_text(effect) for effect in rule.then if isinstance(effect, (Boost, Prefer))),
        sunk=frozenset(_text(effect) for effect in rule.then if isinstance(effect, Bury)),
    )


def _conflict(first: _Wants, second: _Wants, shop: Shop) -> tuple[str, str]:
    """What two rules that hold at once would want of each other; the first has its way where there is one."""
    for up, down in ((first, second), (second, first)):
        if both := up.raised & down.sunk:
            named = f"{up.rule.rule_id!r} boosts what {down.rule.rule_id!r} buries"
            return "contradicts", f"{named} ({min(both)[:100]})"
    if first.left is not None and second.left is not None:
        each = first.left.any() and second.left.any()
        if each and not (first.left & second.left).any():
            return "contradicts", "together they leave no product: each hides what the other shows"
    for pinning, sieving in ((first, second), (second, first)):
        for slot in pinning.plan.slots:
            row = shop.table.index.get(slot.product_ids[0]) if slot.product_ids and not slot.locked else None
            if row is not None and sieving.left is not None and shop.sellable[row] and not sieving.left[row]:
                return "contradicts", f"{slot.product_ids[0]!r} is pinned by one and hidden by the other"
    if first.rule.priority != second.rule.priority:
        return "", ""
    return _same_thing(first.plan, second.plan, first.rule.rule_id)


def _text(effect: Boost | Bury | Prefer) -> str:
    where = has_tags(effect.tags) if isinstance(effect, Prefer) else effect.where
    return msgspec.json.encode(where, order="sorted").decode()


def _same_thing(one: Plan, other: Plan, winner: str) -> tuple[str, str]:
    places = {slot.position for slot in one.slots if slot.locked} & {s.position for s in other.slots if s.locked}
    for both, what in (
        (one.title and other.title and one.title != other.title, "title"),
        (one.message and other.message and one.message != other.message, "message"),
        (one.ladder and other.ladder and one.ladder != other.ladder, "strategies"),
        (one.model and other.model and one.model != other.model, "model"),
        (places, f"position {min(places, default=0)}"),
    ):
        if both:
            return "contradicts", f"both set the {what} at the same priority: {winner!r} has its way, it stands first"
    return "", ""


def _error(rule: Rule, code: str, message: str, at: str = "") -> Finding:
    return Finding(level="error", rule_id=rule.rule_id, code=code, message=message, field=at)


def _warning(rule: Rule, code: str, message: str, at: str = "", other: str = "") -> Finding:
    return Finding(level="warning", rule_id=rule.rule_id, code=code, message=message, field=at, other=other)
