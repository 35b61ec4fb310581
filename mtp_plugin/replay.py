"""A slate made again from what was logged with it: the same products, order and scores, or why that cannot be.

What the models proposed, whom rules spoke for, what policies chose and what the shop refused come from the log; rules'
effects, ranking, diversity and the places of the slate are computed anew. So models may be gone. The catalogue may
not: it is kept in one version only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal, cast

import msgspec
import numpy as np

from .bandit.null import Chosen
from .draft import Pick, Placed, Question
from .errors import MTPError
from .live import KINDS, Serving
from .pipeline import SPARES, Pipeline
from .ports import SlateLog
from .records import BoolArray, Candidates, Placement, ProductTable, Query, Rung, Slate, SlateEntry, Stand
from .rule_source import Served
from .rules.plan import NO_PLAN, Plan, plan_of
from .steer import Steering
from .track.identifiers import made_at

DAY = 86400.0
UNHURRIED_MS = 1e9
"""A latency budget that nothing exceeds: how far the time went is told by the rungs that were logged."""

Chose = Callable[[Placement, Sequence[Any]], Chosen]
Rules = Callable[[int], Served]


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a replay.

    ``verdict``: ``same`` (products, order and scores), ``other`` (it could be made, and is another), ``gone`` (it could
    not be made). ``reasons`` say why, ``versions`` what became of those it was made by: ``serves``, ``kept`` or
    ``gone``.
    """

    recommendation_id: str
    verdict: Literal["same", "other", "gone"]
    reasons: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    logged: Slate | None = None
    replayed: Slate | None = None


class Replay:
    """Replays slates of one installation.

    :param rules: loads a version of the rules
    :param chose: what policies chose, from a slate's log
    :param kept: whether a bundle of this kind and version is still there
    :param slate_days: how long slates are kept
    """

    def __init__(
        self,
        pipeline: Pipeline,
        slates: SlateLog,
        *,
        rules: Rules,
        chose: Chose,
        kept: Callable[[str, str], bool],
        slate_days: float,
    ) -> None:
        self._pipeline, self._slates, self._rules, self._chose = pipeline, slates, rules, chose
        self._kept, self._slate_days = kept, slate_days

    def __call__(self, recommendation_id: str, now: float) -> Replayed:
        """Replay a slate.

        :param now: seconds since 1970; tells whether retention took it
        """
        entry = self._slates.get(recommendation_id)
        if entry is None:
            return self._gone(recommendation_id, self._missing(recommendation_id, now))
        rungs, lacks = self._inputs(entry)
        if lacks or entry.placement is None:
            return self._gone(recommendation_id, lacks or "it was logged by a release that kept less", entry)
        serving = self._pipeline.live.get()
        versions = {name: self._version(name, version, serving) for name, version in entry.versions.items()}
        try:
            served = self._rules(int(entry.versions.get("rules", "0")))
            plan = plan_of(served.rules.again(entry.slate.rules, entry.request.now)) if entry.slate.rules else NO_PLAN
            chosen = self._chose(entry.placement, entry.slate.choices)
        except (MTPError, KeyError) as error:
            return self._gone(recommendation_id, f"rules or a policy it was made by are gone: {error}", entry, versions)
        replayed = Again(self._pipeline, entry, rungs).slate(plan, chosen, served)
        return self._judged(entry, replayed, versions, serving.table)

    def _inputs(self, entry: SlateEntry) -> tuple[tuple[Rung, ...], str]:
        """The candidates a slate was made of, and what is missing of them."""
        if not entry.draft_id:
            withheld = not entry.rungs
            return entry.rungs, "a visitor who did not agree had a cart: what was made of it is not kept" * withheld
        shared = self._slates.get(entry.draft_id)
        if shared is None:
            return (), f"the draft {entry.draft_id} that it shares with others is gone"
        return shared.rungs + entry.rungs, ""

    def _missing(self, recommendation_id: str, now: float) -> str:
        made = made_at(recommendation_id)
        if made is None or not 0 < made <= now + DAY:
            return "that is no id of a slate"
        day = f"{datetime.fromtimestamp(made, UTC):%Y-%m-%d %H:%M} UTC"
        if now - made > self._slate_days * DAY:
            return f"made on {day}, deleted by retention: MTP_SLATE_DAYS is {self._slate_days:g}"
        return f"made on {day}, within retention: erased with its visitor, lost in a crash, or never served"

    def _version(self, name: str, version: str, serving: Serving) -> str:
        current = dict(zip(("catalog", *KINDS, "segment_book"), serving.versions, strict=True))
        if str(current.get(name, serving.rules.version)) == version or not version:
            return "serves"
        if name in ("catalog", "segment_book"):
            return "gone"
        return "kept" if name == "rules" or self._kept(name, version) else "gone"

    def _gone(
        self, recommendation_id: str, why: str, entry: SlateEntry | None = None, versions: dict[str, str] | None = None
    ) -> Replayed:
        logged = entry.slate if entry else None
        return Replayed(
            recommendation_id=recommendation_id, verdict="gone", reasons=(why,), logged=logged, versions=versions or {}
        )

    def _judged(self, entry: SlateEntry, replayed: Slate, versions: dict[str, str], table: ProductTable) -> Replayed:
        reasons = []
        if versions.get("catalog") == "gone":
            lost = sum(item.product_id not in table.index for item in entry.slate.items)
            reasons.append(
                f"version {entry.versions['catalog']} of the catalogue is gone, {table.version} serves"
                + (f"; {lost} of its products are no longer in it" if lost else "")
            )
        same = shown(replayed) == shown(entry.slate)
        if not same and not reasons:
            reasons.append("made by another release of the plugin, or under other settings")
        return Replayed(
            recommendation_id=entry.slate.recommendation_id,
            verdict="same" if same else "other",
            reasons=tuple(reasons),
            versions=versions,
            logged=entry.slate,
            replayed=replayed,
        )


def shown(slate: Slate) -> list[tuple[str, int, float]]:
    """What replay has to bring back: products, places, scores."""
    return [(item.product_id, item.position, item.score) for item in slate.items]


class Again(Pipeline):
    """The pipeline as it was for one slate: its stages, over what was logged instead of what is asked."""

    def __init__(self, pipeline: Pipeline, entry: SlateEntry, rungs: Sequence[Rung]) -> None:
        vars(self).update(vars(pipeline))
        self._logged, self._rungs = entry, rungs
        self.settings = replace(pipeline.settings, latency_budget_ms=UNHURRIED_MS)
        refused = frozenset(entry.unavailable)
        self.availability = lambda product_ids: {name: name not in refused for name in product_ids}
        self.new_id = lambda now: entry.slate.recommendation_id
        self.steering = cast(Steering, LoggedSteering(pipeline.steering, entry.stands))

    def slate(self, plan: Plan, chosen: Chosen, served: Served) -> Slate:
        """The slate made again."""
        entry, serving = self._logged, self.live.get()
        assert entry.placement is not None  # noqa: S101  it is looked at before
        chosen = chosen.under(plan.ladder, worded=bool(plan.title or plan.message))
        recommender: Any = LoggedCandidates(self._rungs, serving.table)
        question = Question(
            placement=entry.placement,
            request=entry.request,
            profile=entry.profile,
            serving=replace(serving, recommender=recommender, others={}, rules=served),
            segment=entry.slate.segment,
            assignment=entry.slate.experiment,
            chosen=chosen,
            plan=plan,
        )
        draft = self._compose(question, SPARES)
        found, _, draft = self._sellable(question, draft)
        slate = self._slate(question, draft, found, (0.0, 0.0, 0.0))
        logged = entry.slate
        return msgspec.structs.replace(slate, took_us=logged.took_us, availability_us=logged.availability_us)


class LoggedCandidates:
    """Answers as the recommender did."""

    def __init__(self, rungs: Sequence[Rung], table: ProductTable) -> None:
        self._rungs = {(rung.strategy, rung.depth): rung for rung in rungs}
        self._index = table.index

    def candidates(self, strategy: str, query: Query, limit: int) -> Candidates:
        """What was proposed; nothing where it was not asked."""
        rung = self._rungs.get((strategy, limit))
        names = rung.product_ids if rung else ()
        there = [place for place, name in enumerate(names) if name in self._index]
        anchors = rung.anchors if rung else ()
        return Candidates(
            rows=np.array([self._index[names[place]] for place in there], dtype=np.int32),
            scores=np.array([rung.scores[place] for place in there] if rung else [], dtype=np.float32),
            origins=np.array([rung.origins[place] for place in there] if rung else [], dtype=np.int64),
            anchors=np.array([self._index.get(anchors[place], -1) for place in there], dtype=np.int32),
            sources=rung.sources if rung else (),
        )


class LoggedSteering:
    """Steers as it is; what rules put at places of their own comes from the log."""

    def __init__(self, steering: Steering, stands: Sequence[Stand]) -> None:
        self._stands = stands
        self.depth, self.allowed, self.steered = steering.depth, steering.allowed, steering.steered

    def placed(self, question: Question, query: Query, eligible: BoolArray) -> tuple[Placed, ...]:
        """The places of the log."""
        return tuple(Placed(stand.position, tuple(_picks(stand))) for stand in self._stands)


def _picks(stand: Stand) -> list[Pick]:
    return [
        Pick(name, score, (), "", 0, stand.strategy, (stand.rule_id,), True)
        for name, score in zip(stand.product_ids, stand.scores, strict=True)
    ]


def as_text(found: Replayed) -> str:
    """A replay in lines, for whoever asked."""
    words: Mapping[str, str] = {
        "same": "the same products, order and scores",
        "other": "another slate",
        "gone": "cannot be replayed",
    }
    lines = [f"{found.recommendation_id}: {words[found.verdict]}", *(f"  {why}" for why in found.reasons)]
    lines += [f"  {name}: {state}" for name, state in found.versions.items() if state != "serves"]
    if found.replayed and found.logged:
        pairs = zip(_shown(found.logged), _shown(found.replayed), strict=False)
        lines += [
            f"{'=' if one == other else '!'} {one}{'' if one == other else f'  now {other}'}" for one, other in pairs
        ]
    return "\n".join(lines)


def _shown(slate: Slate) -> list[str]:
    return [f"{item.position:>3} {item.product_id}  {item.score:.6g}" for item in slate.items]
