"""From stored events and catalogue to a published model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from .errors import ModelError
from .lineage import code_version
from .ports import Bundle, BundleInfo, Journal, ModelRegistry
from .records import IntArray, Interactions, ProductTable

if TYPE_CHECKING:
    from .candidates.log import TrainingLog
    from .candidates.recommender import Recommender
    from .candidates.train import Learnt
    from .contest import Bounds, Verdict
    from .memberships import Sorter

Progress = Callable[[str], None]


class NothingToLearnError(ModelError):
    """The shop has no behaviour yet; no fault, and it passes with the first visitors."""


Filter = Callable[[Iterable[Interactions]], Iterable[Interactions]]
"""Leaves out what may not be learnt from."""


def _everything(batches: Iterable[Interactions]) -> Iterable[Interactions]:
    return batches


def train_behaviour(
    journal: Journal,
    registry: ModelRegistry,
    table: ProductTable,
    *,
    now: float,
    seed: int,
    progress: Progress,
    sorter: Sorter | None = None,
    only: Filter = _everything,
) -> str:
    """Learn from all events and publish the bundle, which serves from then on; gives its version.

    :param sorter: puts visitors into segments; what is a segment's own is then learnt, too
    :param only: leaves out visitors who do not want anything learnt of them
    :raises NothingToLearnError: there are no events to learn from
    """
    number = journal.last_number()
    read = [_log(journal, only, progress, until=number)]
    lineage = {"interactions": len(read[0]), **_window(read[0])}
    # Popped: whoever else held a long log would keep it in memory while what is learnt from is a shorter one.
    learnt = _learn(read.pop(), journal, registry, table, now=now, seed=seed, progress=progress, sorter=sorter)
    lineage |= {"events": journal.count(), "seed": seed, "trained_at": now, "last_number": number}
    return registry.publish(
        "behaviour", learnt.arrays, learnt.strings, learnt.meta, figures=learnt.figures, lineage=lineage
    )


def challenge_behaviour(
    journal: Journal,
    registry: ModelRegistry,
    table: ProductTable,
    *,
    now: float,
    seed: int,
    progress: Progress,
    sorter: Sorter | None = None,
    only: Filter = _everything,
    bounds: Bounds | None = None,
) -> tuple[str, Verdict]:
    """Learn a model that serves only if it wins; gives its version, ``""`` for none, and the verdict.

    The newest sessions since the serving model's training are held out from both, and both predict them. The first
    model has nobody to win against, and serves.

    :raises NothingToLearnError: there are no events to learn from
    """
    from .contest import Bounds, Verdict, head_of, held_out, judge, lead_of, measure, sampled

    champion = next((info for info in registry.list("behaviour") if info.current), None)
    more: dict[str, Any] = {"now": now, "seed": seed, "progress": progress, "sorter": sorter}
    serving = _opened(registry, champion, table) if champion else None
    if champion is None or serving is None:
        version = train_behaviour(journal, registry, table, only=only, **more)
        return version, Verdict(won=True, reason="there was no model that serves")
    log = _log(journal, only, progress)
    row = held_out(log, float(champion.lineage.get("trained_at", champion.created_at)))
    if row is None:
        return "", Verdict(
            won=False, reason="too few sessions since the serving model was trained", against=champion.version
        )
    past, asked = log.take(slice(0, row)), sampled(log, row, seed)
    if "refreshed_at" in champion.lineage:
        # It has counted the sessions that judge: as it would be without them.
        serving = _recounted(registry, champion, past, table, now=float(log.time[row]))
    learnt = _learn(past, journal, registry, table, **more)
    progress(f"both models predict {len(asked):,} next products")
    bounds, challenger = bounds or Bounds(), _recommender(registry, learnt.bundle("behaviour"), table)
    head, moment = head_of(past, serving), float(log.time[row])
    ours, theirs = (measure(one, asked, head, moment) for one in (challenger, serving))
    session: IntArray = np.array([case.session for case in asked], dtype=np.int64)
    lead = lead_of(ours.gains[bounds.metric], theirs.gains[bounds.metric], session, seed)
    won, reason = judge(ours.figures, theirs.figures, lead, bounds)
    verdict = Verdict(
        won=won,
        reason=reason,
        metric=bounds.metric,
        against=champion.version,
        cases=len(asked),
        challenger=ours.figures,
        champion=theirs.figures,
        lead=lead,
    )
    lineage = {
        "events": journal.count(), "interactions": len(past), "seed": seed, "trained_at": moment,
        "settings": asdict(bounds), "contest": msgspec.to_builtins(verdict),
    }  # fmt: skip
    version = registry.publish(
        "behaviour",
        learnt.arrays,
        learnt.strings,
        learnt.meta,
        figures=learnt.figures,
        lineage=lineage | _window(past),
        activate=won,
    )
    return version, verdict


def refresh_behaviour(
    journal: Journal,
    registry: ModelRegistry,
    *,
    now: float,
    progress: Progress,
    only: Filter = _everything,
) -> str:
    """Count what happened since into the model that serves; what it learnt stays. Gives the version, ``""`` for none.

    Only the events since are read, where the bundle says up to which it knows them.
    """
    from .candidates.log import TrainingLog
    from .candidates.recount import log_of, recount

    serving = next((info for info in registry.list("behaviour") if info.current), None)
    if serving is None or journal.last_number() <= serving.lineage.get("last_number", -1):
        return ""
    bundle, number = registry.load("behaviour", serving.version), journal.last_number()
    if not bundle.meta["timed"]:
        return ""
    progress("reading events")
    known = log_of(bundle)
    if "last_number" in serving.lineage:
        since = only(journal.interactions(after=serving.lineage["last_number"], until=number))
        log = known.joined(TrainingLog.from_interactions(since, items=known.items))
    else:
        log = _reread(known, only(journal.interactions(until=number)))
    if len(log) == len(known):
        return ""
    progress("counting")
    learnt = recount(bundle, log, now=now)
    lineage = {
        **serving.lineage, "last_number": number, "interactions": len(log), "events": journal.count(),
        "refreshed_at": now, "refreshed_from": serving.version,
        "model": serving.lineage.get("model", serving.version),
    }  # fmt: skip
    return registry.publish(
        "behaviour",
        learnt.arrays,
        learnt.strings,
        learnt.meta,
        figures=serving.figures,
        lineage=lineage | _window(log),
    )


def _reread(known: TrainingLog, batches: Iterable[Interactions]) -> TrainingLog:
    """All that happened, visitors and products in the places that *known* has them at."""
    from .candidates.log import TrainingLog

    return known.take(slice(0, 0)).joined(TrainingLog.from_interactions(batches, items=known.items))


def _log(journal: Journal, only: Filter, progress: Progress, until: int | None = None) -> TrainingLog:
    from .candidates.log import TrainingLog

    progress("reading events")
    log = TrainingLog.from_interactions(only(journal.interactions(until=until)))
    if not len(log):
        raise NothingToLearnError(
            "there are no product views, carts or orders to learn from; import some with `flask mtp import-events`"
        )
    return log


def _learn(
    log: TrainingLog,
    journal: Journal,
    registry: ModelRegistry,
    table: ProductTable,
    *,
    now: float,
    seed: int,
    progress: Progress,
    sorter: Sorter | None,
) -> Learnt:
    from .candidates.train import train
    from .memberships import membership_now, past_of

    content = _content_of(registry, table)
    today = past = None
    if sorter is not None and sorter.segments.all():
        progress("reading who is in which segment")
        today = membership_now(log, journal, sorter, now)
        past = past_of(log, journal, sorter, table, today, seed)
    whole = [log]
    del log
    return train(
        whole.pop(), table=table, content=content, now=now, seed=seed, progress=progress, membership=today, past=past
    )


def _window(log: TrainingLog) -> dict[str, Any]:
    """Of which time the data is, and which code learnt from it."""
    return {"data_from": float(log.time.min()), "data_until": log.end, "code": code_version()}


def _opened(registry: ModelRegistry, info: BundleInfo, table: ProductTable) -> Recommender | None:
    try:
        return _recommender(registry, registry.load("behaviour", info.version), table)
    except ModelError:
        return None  # nobody can win against what cannot be read


def _recounted(
    registry: ModelRegistry, info: BundleInfo, past: TrainingLog, table: ProductTable, *, now: float
) -> Recommender:
    """What a model learnt, over the counts of a log."""
    from .candidates.recount import log_of, recount

    bundle = registry.load("behaviour", info.version)
    known = log_of(bundle)
    learnt = recount(bundle, known.take(slice(0, 0)).joined(_under(past, known.items)), now=now)
    return _recommender(registry, learnt.bundle("behaviour"), table)


def _under(log: TrainingLog, items: tuple[str, ...]) -> TrainingLog:
    """The log with a vocabulary that begins with *items*."""
    place = {name: code for code, name in enumerate(items)}
    codes = np.array([place.setdefault(name, len(place)) for name in log.items], dtype=np.int32)
    return replace(log, item=codes[log.item], items=tuple(place))


def _recommender(registry: ModelRegistry, bundle: Bundle, table: ProductTable) -> Recommender:
    from .candidates.recommender import Recommender

    made = Recommender(table, bundle, _content_of(registry, table))
    made.warm()
    return made


def train_content(registry: ModelRegistry, table: ProductTable, *, seed: int, progress: Progress) -> str:
    """Learn what products are like each other from their words and publish the bundle; gives its version."""
    from .candidates.train import train_content as learn

    learnt = learn(table, seed=seed, progress=progress)
    return registry.publish(
        "content",
        learnt.arrays,
        learnt.strings,
        learnt.meta,
        figures=learnt.figures,
        lineage={"products": len(table), "catalog_version": table.version, "seed": seed, "code": code_version()},
    )


def renew_content(registry: ModelRegistry, table: ProductTable, *, seed: int, progress: Progress) -> str:
    """Learn anew what products are like each other if the catalogue is another than the serving bundle's.

    Gives the version that serves, ``""`` while there are no products.
    """
    if not len(table):
        return ""
    serving = _serving_content(registry, table)
    if serving is not None:
        return serving.version
    progress("learning what products are like each other")
    return train_content(registry, table, seed=seed, progress=progress)


def _serving_content(registry: ModelRegistry, table: ProductTable) -> BundleInfo | None:
    """The content bundle that serves, if it was learnt from this very catalogue."""
    serving = next((info for info in registry.list("content") if info.current), None)
    return serving if serving is not None and serving.lineage.get("catalog_version") == table.version else None


def _content_of(registry: ModelRegistry, table: ProductTable) -> Bundle | None:
    serving = _serving_content(registry, table)
    try:
        return registry.load("content", serving.version) if serving else None
    except ModelError:
        return None  # it is learnt anew, for weighing it


def forget_visitors(
    journal: Journal,
    registry: ModelRegistry,
    table: ProductTable,
    profile_ids: Sequence[str],
    *,
    now: float,
    seed: int,
    progress: Progress,
    sorter: Sorter | None = None,
    only: Filter = _everything,
) -> int:
    """Make the behaviour model anew if any version holds these visitors, whose events are gone, and delete the others.

    The new one is what a training without them gives, bit for bit, as it is that training. Gives how many versions
    held them.
    """
    tainted = [info for info in registry.list("behaviour") if _holds(registry, info, profile_ids)]
    if not tainted:
        return 0
    try:
        train_behaviour(journal, registry, table, now=now, seed=seed, progress=progress, sorter=sorter, only=only)
    except NothingToLearnError:
        _publish_without(registry, tainted, profile_ids)
    registry.prune("behaviour", 1)
    return len(tainted)


def _holds(registry: ModelRegistry, info: BundleInfo, profile_ids: Sequence[str]) -> bool:
    from .candidates.log import owner

    try:
        owners = registry.load(info.kind, info.version).arrays["log_owners"]
    except (ModelError, KeyError):
        return True  # nobody can say, so it goes
    return bool(np.isin(owners, np.array([owner(name) for name in profile_ids], dtype=np.int64)).any())


def _publish_without(registry: ModelRegistry, tainted: Sequence[BundleInfo], profile_ids: Sequence[str]) -> None:
    """They were the only ones: what is left is a model of nothing."""
    from .candidates.forget import forget

    bundle = registry.load("behaviour", tainted[0].version)
    registry.publish("behaviour", forget(bundle, profile_ids), bundle.strings, bundle.meta, figures={}, lineage={})
