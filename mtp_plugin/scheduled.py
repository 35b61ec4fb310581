"""The jobs every shop has. What only training needs is loaded when one of them trains, not in every worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .catalog.importer import import_catalog
from .config import Settings
from .errors import MTPError, SetupError, UnavailableError
from .feedback_source import FeedbackSource
from .jobs import DAY, HOUR, MINUTE, Job
from .joining import Joiner, JoinResult
from .privacy.retention import Kept, RetentionRow, rows, words
from .profile.enrich.join import Crm
from .records import ImportResult, ProductTable
from .state import OrderSource, State
from .subjects import without_objections

if TYPE_CHECKING:
    from .contest import Bounds, Verdict
    from .propensity_training import Source

Progress = Callable[[str], None]


def _silent(text: str) -> None:
    """Scheduled work reports its end only."""


def standard_jobs(state: State) -> list[Job]:
    """Catalogue (if the shop declared one), models, retention."""
    jobs = [
        Job(
            "train",
            DAY,
            "Learn from the events; the new model serves if it wins against the one that does.",
            lambda: _train(state),
        ),
        Job(
            "refresh",
            HOUR,
            "Count what happened since into the model that serves; what it learnt stays.",
            lambda: _refresh(state),
        ),
        Job("segments", 7 * DAY, "Find segments among all visitors and publish them.", lambda: _segments(state)),
        Job(
            "segment-slates",
            5 * MINUTE,
            "Train anew where a segment written by hand changed after the last training.",
            lambda: _segment_slates(state),
        ),
        Job(
            "retention",
            DAY,
            "Delete what is older than its setting: slates, known message ids, webhooks.",
            lambda: _retention(state),
        ),
        Job("webhooks", MINUTE, "Try webhooks again that waited.", lambda: _webhooks(state)),
        Job("carts", 5 * MINUTE, "Notice carts that were left alone.", lambda: _carts(state)),
        Job(
            "feedback",
            10.0,
            "Find what came of slates: seen, clicked, put into carts, bought.",
            lambda: _feedback(state),
            lease=MINUTE,
        ),
        Job(
            "kpi",
            10.0,
            "Count the key figures of hours in which anything happened.",
            lambda: _kpi(state),
            lease=MINUTE,
        ),
        Job("forward", MINUTE, "Forward events to whom the shop named.", lambda: _forward(state)),
        Job("alerts", 5 * MINUTE, "Find what is unusual, and tell.", lambda: _alerts(state)),
        Job("bandits", MINUTE, "Learn from what came of slates.", lambda: learn_from_outcomes(state)),
        Job("experiments", HOUR, "Stop variations that are worse for certain.", lambda: _experiments(state)),
        Job("identity", DAY, "Suggest profiles that are alike as one person's.", lambda: suggest_links(state)),
    ]
    for source in state.order_sources.values():
        pull = partial(_orders, state, source)
        jobs.append(Job(f"orders-{source.name}", source.every, f"Ask {source.name} for orders.", pull))
    if state.crms:
        every = state.settings.crm_hours * HOUR
        jobs.append(Job("traits", every, "Take traits from the declared CRMs.", lambda: _traits(state)))
    jobs.append(Job("erasures", HOUR, "Bring requests of data subjects to their end.", lambda: _erasures(state)))
    if state.catalog is not None:
        jobs.insert(0, Job("catalog", HOUR, "Import the shop's catalogue.", lambda: import_declared(state).line()))
    return jobs


def _experiments(state: State) -> str:
    from .experiment_results import stop_harmful

    return stop_harmful(state)


def _webhooks(state: State) -> str:
    from .receiving import run_due

    return run_due(state)


def _orders(state: State, source: OrderSource) -> str:
    from .sources import pull

    return pull(state, source).line()


def _carts(state: State) -> str:
    from .abandonment import notice

    return notice(state)


def _feedback(state: State) -> str:
    from .attributing import attribute_new

    return attribute_new(state)


def _kpi(state: State) -> str:
    from .kpis import roll_up

    return roll_up(state)


def _forward(state: State) -> str:
    from .forwarding import forward

    return forward(state)


def _alerts(state: State) -> str:
    from .alerts.run import run

    return run(state, time.time())


def learn_from_outcomes(state: State) -> str:
    """Tell the policies that learn what came of the slates they chose; see :mod:`mtp_plugin.rewarding`."""
    from .rewarding import Rewarder

    rows = state.bandits.rows
    counted = Rewarder(rows, state.outcomes, state.slates, state.bandit_state, state.cursors).run(time.time())
    if not rows:
        return "MTP_BANDITS names none"
    return ", ".join(f"{name}: {count} impressions" for name, count in counted.items())


def suggest_links(state: State) -> str:
    """Look for profiles that are alike; see :mod:`mtp_plugin.suggest`."""
    from .suggest import suggest

    settings = state.settings
    links = suggest(
        state.journal,
        state.people,
        now=time.time(),
        suggest_above=settings.identity_suggest_above,
        link_above=settings.identity_link_above,
    )
    made = sum(link.state == "active" for link in links)
    waiting = sum(link.state == "suggested" for link in links)
    return f"{made} linked, {waiting} suggested"


def import_declared(state: State, progress: Progress = _silent) -> ImportResult:
    """Import the catalogue the shop declared and learn its words: the job, the command and ``mtp.import_catalog``.

    :raises SetupError: the shop declared none, or its own code failed
    """
    if state.catalog is None:
        raise SetupError("no catalogue is declared: call mtp.catalog(...), or give `flask mtp import-catalog` a file")
    try:
        result = import_catalog(state.catalog, state.catalog_store, currency=state.settings.currency)
    except MTPError:
        raise
    except Exception as error:  # the shop's own code; nothing of it was imported
        first = (str(error).splitlines() or [""])[0]
        raise SetupError(
            f"the declared catalogue failed, nothing was changed: {type(error).__name__}: {first}"
        ) from error
    learn_catalog(state, progress)
    return result


def learn_catalog(state: State, progress: Progress = _silent) -> str:
    """After an import: renew the content model if the catalogue changed, and serve both. Gives its version."""
    from .training import renew_content

    version = renew_content(state.registry, state.pipeline.live.refresh().table, seed=0, progress=progress)
    state.pipeline.live.refresh()
    return version


def _train(state: State, *, contest: bool = True) -> str:
    """Learn anew; in a contest the new model serves only if it wins against the one that does."""
    from .feedback_training import train_feedback, words_of
    from .memberships import Sorter
    from .training import NothingToLearnError, challenge_behaviour, train_behaviour

    content, now = learn_catalog(state), time.time()
    table = state.pipeline.live.refresh().table
    how: dict[str, Any] = {"now": now, "seed": 0, "progress": _silent, "sorter": Sorter.of(state.pipeline)}
    how["only"] = state.subjects.suppressed.without
    try:
        if not contest:
            behaviour = train_behaviour(state.journal, state.registry, table, **how)
        else:
            version, verdict = challenge_behaviour(
                state.journal, state.registry, table, bounds=bounds_of(state.settings), **how
            )
            tell_verdict(state, version, verdict, now)
            behaviour = f"{version} {'serves' if verdict.won else 'does not serve'}: {verdict.reason}".strip()
    except NothingToLearnError:
        return f"content {content or 'none'}, behaviour: nothing to learn from yet"
    propensity = _train_propensity(state, table, now, contest=contest)
    feedback = words_of(*train_feedback(feedback_source(state), now=now, seed=0, progress=_silent))
    state.pipeline.live.refresh()
    return f"content {content or 'none'}, behaviour {behaviour}, propensity {propensity}, feedback {feedback}"


def _train_propensity(state: State, table: ProductTable, now: float, *, contest: bool) -> str:
    from .errors import TooLittleError
    from .propensity_training import challenge_propensity, renew_propensity

    how: dict[str, Any] = {"now": now, "seed": 0, "progress": _silent}
    source = propensity_source(state)
    if not contest:
        return renew_propensity(source, table, **how)
    try:
        version, verdict = challenge_propensity(source, table, bounds=bounds_of(state.settings), **how)
    except TooLittleError:
        return "nothing to learn from yet"
    tell_verdict(state, version, verdict, now, "propensity")
    return f"{version} {'serves' if verdict.won else 'does not serve'}: {verdict.reason}".strip()


def _refresh(state: State) -> str:
    from .training import refresh_behaviour

    version = refresh_behaviour(
        state.journal, state.registry, now=time.time(), progress=_silent, only=state.subjects.suppressed.without
    )
    state.pipeline.live.refresh()
    return f"behaviour {version}" if version else "nothing new to count, or no model yet"


def propensity_source(state: State) -> Source:
    """What a propensity model is learnt from: the jobs, the commands."""
    from .propensity_training import Source

    folding = state.pipeline.folding(state.pipeline.live.get().table)
    return Source(state.journal, state.registry, state.settings, folding, state.subjects.suppressed.without)


def feedback_source(state: State) -> FeedbackSource:
    """What weights are learnt from slates of: the jobs, the commands."""
    without = without_objections(state.subjects.suppressed)
    return FeedbackSource(state.slates, state.outcomes, state.registry, state.settings, without)


def bounds_of(settings: Settings) -> Bounds:
    """What a new model has to reach, by the settings."""
    from .contest import Bounds

    return Bounds(metric=settings.model_metric, confidence=settings.model_confidence, **settings.model_bounds)


def tell_verdict(state: State, version: str, verdict: Verdict, now: float, kind: str = "behaviour") -> None:
    """Write into the audit log whether a new model serves and why."""
    if version:
        action = "model.promoted" if verdict.won else "model.refused"
        details = {"against": verdict.against, "reason": verdict.reason}
        state.audit.append("job:train", action, f"model:{kind}/{version}", details, at=now)


def _segment_slates(state: State) -> str:
    """A segment just written is answered as everybody until training met it: it need not wait for tomorrow's."""
    trained = max(
        (info.lineage.get("trained_at", 0.0) for info in state.registry.list("behaviour") if info.current), default=0.0
    )
    changed = [one.name for one in state.segments.made() if one.enabled and one.changed_at > trained > 0]
    if not changed:
        return "no segment written by hand is new"
    return f"{_train(state, contest=False)}, for {', '.join(changed)}"


def _segments(state: State) -> str:
    from .segmenting import TooFewVisitorsError, refresh_segments

    try:
        version = refresh_segments(
            state.journal, state.registry, state.segments, state.settings, now=time.time(), seed=0, progress=_silent,
            likely=state.pipeline.live.get().likely,
        )  # fmt: skip
    except TooFewVisitorsError as error:
        return f"none yet: {error}"
    return f"{len(state.pipeline.live.refresh().segments.all())} segments, {version}"


def _erasures(state: State) -> str:
    return f"{len(state.subjects.resume())} requests done"


def _retention(state: State) -> str:
    return words(retention_rows(state, dry=False), dry=False)


def retention_rows(state: State, *, dry: bool) -> list[RetentionRow]:
    """What is older than its setting, kind by kind; deleted unless *dry*."""
    kept = Kept(
        state.journal,
        state.slates,
        state.consents,
        state.requests,
        state.webhooks,
        state.subjects.holders,
        state.outcomes,
        state.alerts,
    )
    return rows(state.settings, kept, time.time(), dry=dry)


def import_traits(state: State, crm: Crm, progress: Progress = _silent) -> JoinResult:
    """Join one CRM with the profiles: the job, the command.

    :raises MTPError: it cannot be read; what was recorded before stays
    """
    joiner = Joiner(
        crm,
        journal=state.journal,
        ingest=state.pipeline.ingest,
        consents=state.consents,
        hasher=state.hasher,
        now=time.time(),
    )
    return joiner.run(progress)


def _traits(state: State) -> str:
    """All CRMs; one that cannot be read does not keep the others from it."""
    lines, troubles = [], []
    for crm in state.crms.values():
        try:
            lines.append(import_traits(state, crm).line())
        except MTPError as error:
            troubles.append(f"{crm.name}: {error}")
    if troubles:
        raise UnavailableError("; ".join([*troubles, *lines]))
    return "; ".join(lines)
