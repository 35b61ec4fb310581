"""Rules tried before they serve: which would hold and why not, what they would do to a slate, how many they touch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from .conditions import compile_condition
from .experiments import LiveExperiments
from .facts import FactReader, Subject, vocabulary
from .pipeline import Pipeline
from .ports import ModelRegistry, SlateLog
from .records import Decision, Rule, RuleSet, Slate, SlateRequest
from .rule_source import RuleSource
from .rules.checks import Finding, Shop, check_rules
from .rules.compile import check_usable
from .rules.schedule import in_force
from .rules.summary import summary
from .rules.tree import leaves, parse

WEEK_S = 7 * 86_400.0


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One rule in a trial. ``why_not`` is ``disabled``, ``placement``, ``schedule``, ``condition``, ``experiment``, or
    empty for a rule that holds.
    """

    rule_id: str
    name: str
    summary: str
    holds: bool
    why_not: str = ""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What rules do to one request: ``before`` with those that serve, ``after`` with those that were tried.

    ``facts`` are what the rules saw, ``moved`` by product the place before and after, 0 for none.
    """

    facts: dict[str, Any]
    rules: tuple[Tried, ...]
    decision: Decision
    before: Slate
    after: Slate
    moved: dict[str, tuple[int, int]]


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """Of the slates that were ``looked`` at, how many the rules would have ``touched``, and each rule by its id.

    Slates of visitors who did not agree are logged without their context, and once for all who shared them.
    """

    looked: int
    touched: int
    by_rule: dict[str, int]

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.touched / self.looked if self.looked else 0.0


def try_rules(
    pipeline: Pipeline, source: RuleSource, ruleset: RuleSet, request: SlateRequest, *, against: RuleSet | None = None
) -> Trial:
    """Try rules on a request; pure but for reading profile, catalogue and availability.

    :param request: a visitor's (``profile_ids``), a segment's (``segment_id``), or one with a made-up ``context``
    :param against: rules of the slate before; ``None`` is what serves
    :raises mtp_plugin.errors.NotFoundError: no such placement or segment
    """
    before, _ = pipeline.preview(request, None if against is None else source.ready(against))
    after, question = pipeline.preview(request, source.ready(ruleset))
    about = pipeline.steering.about(question.serving, question.segment)
    subject = Subject(
        request, question.profile, question.segment, question.serving.table, about, question.serving.likely
    )
    facts = reader_of(ruleset, source).facts(subject)
    return Trial(
        facts=facts,
        rules=tuple(_tried(rule, request, facts, source.zone) for rule in ruleset.rules),
        decision=question.plan.decision,
        before=before,
        after=after,
        moved=_moved(before, after),
    )


def reader_of(ruleset: RuleSet, source: RuleSource) -> FactReader:
    """Reads all facts that any rule looks at, those switched off too."""
    paths = {leaf.path for rule in ruleset.rules for leaf in leaves(parse(rule.when))}
    gates = {rule.experiment.experiment_id: rule.experiment for rule in ruleset.rules if rule.experiment}
    return source.reader(paths, gates)


def touched(
    pipeline: Pipeline,
    slates: SlateLog,
    source: RuleSource,
    ruleset: RuleSet,
    *,
    until: float,
    seconds: float = WEEK_S,
    limit: int = 2000,
) -> Touched:
    """How many of the latest slates these rules would have had a say in.

    :param until: seconds since 1970
    :param seconds: how far back
    :param limit: slates looked at, spread over the time
    """
    served, serving = source.ready(ruleset), pipeline.live.get()
    counts: Counter[str] = Counter()
    entries = slates.sample(until - seconds, until, limit)
    hit = 0
    for entry in entries:
        about = pipeline.steering.about(serving, entry.slate.segment)
        subject = Subject(entry.request, entry.profile, entry.slate.segment, serving.table, about, serving.likely)
        decision = served.rules.decide(entry.slate.placement, entry.request.now, served.reader.facts(subject))
        counts.update(fired.rule_id for fired in decision.fired)
        hit += bool(decision)
    return Touched(looked=len(entries), touched=hit, by_rule=dict(counts))


def check(
    pipeline: Pipeline,
    source: RuleSource,
    ruleset: RuleSet,
    *,
    now: float,
    only: Any = None,
    registry: ModelRegistry | None = None,
    experiments: LiveExperiments | None = None,
) -> list[Finding]:
    """What is wrong with rules, against the catalogue and the placements of this shop.

    :param only: ids of the rules to look at; ``None`` is all
    :param experiments: those of the shop
    :param registry: tells which models there are; without it nobody knows
    """
    table = pipeline.live.get().table
    shop = Shop(
        table=table,
        placements=pipeline.placements,
        mask=lambda where: pipeline.filters.mask(where, table, now, private=True),
        now=now,
        zone=source.zone,
        vocabulary=vocabulary(),
        experiments={key: row.shares for key, row in experiments.known().items()} if experiments is not None else {},
        models={info.version for info in registry.list("behaviour")} if registry is not None else None,
    )
    return check_rules(ruleset, shop, only)


def _tried(rule: Rule, request: SlateRequest, facts: Mapping[str, Any], zone: ZoneInfo) -> Tried:
    why_not = _why_not(rule, request, facts, zone)
    return Tried(
        rule_id=rule.rule_id,
        name=rule.name,
        summary=summary(rule, vocabulary()),
        holds=not why_not,
        why_not=why_not,
    )


def _why_not(rule: Rule, request: SlateRequest, facts: Mapping[str, Any], zone: ZoneInfo) -> str:
    check_usable(rule)
    if not rule.enabled:
        return "disabled"
    if rule.placements and request.placement not in rule.placements:
        return "placement"
    if not in_force(rule.schedule, request.now, zone):
        return "schedule"
    if not compile_condition(rule.when)(facts):
        return "condition"
    gate = rule.experiment
    if gate is not None and facts.get("experiment", {}).get(gate.experiment_id) not in gate.variations:
        return "experiment"
    return ""


def _moved(before: Slate, after: Slate) -> dict[str, tuple[int, int]]:
    old = {item.product_id: item.position for item in before.items}
    new = {item.product_id: item.position for item in after.items}
    return {name: (old.get(name, 0), new.get(name, 0)) for name in [*new, *(name for name in old if name not in new)]}
