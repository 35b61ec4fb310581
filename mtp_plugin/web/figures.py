"""Figures that lie in the stores and are read when Prometheus asks: queues, models, jobs."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ..abandonment import CURSOR as CARTS
from ..attributing import CURSOR as FEEDBACK
from ..errors import MTPError
from ..feedback.loop import LoopDay
from ..scheduled import standard_jobs
from ..state import State
from ..watching import DAY, loop_days

log = logging.getLogger(__name__)

Row = tuple[str, float]

LOOP = ("gini", "coverage", "new", "new_products", "popular")
"""Figures of :class:`LoopDay` that are told."""


class StoreFigures(Collector):
    """How far behind each reader of events is, how old the models are, how jobs went, how varied slates were.

    Labels are names of the shop's own configuration, so there are no more of them than it has. Without a database there
    is only ``mtp_database_up``, which is then 0.

    :param app: label of every figure
    """

    def __init__(self, app: str, state: State) -> None:
        self._app, self._state = app, state
        self._yesterday: tuple[float, LoopDay] | None = None

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        yield from self._stream()
        try:
            found = [*self._events_behind(), *self._models(), *self._jobs(), *self._loop(time.time())]
        except MTPError as error:
            log.error("figures of the stores cannot be told: %s", error)
            found = []
        yield self._gauge("mtp_database_up", "Whether the stores answer.", "", [("", float(bool(found)))])
        yield from found

    def _events_behind(self) -> Iterator[Metric]:
        state, end = self._state, self._state.journal.last_number()
        reached = {name: int(position) for name in (FEEDBACK, CARTS) if (position := state.cursors.get(name))}
        for name in state.targets:
            if (at := state.forwards.get(name)) is not None:
                reached[f"forward:{name}"] = at.number
        rows = [(name, float(max(0, end - number))) for name, number in reached.items()]
        yield self._gauge("mtp_events_behind", "Events that a reader has not come to.", "reader", rows)

    def _stream(self) -> Iterator[Metric]:
        try:
            lag = self._state.bus.lag()
        except MTPError as error:
            log.error("figures of the stream cannot be told: %s", error)
            return
        if lag is None:
            return
        for name, help, figure in (
            ("mtp_stream_events", "Events that wait in the stream.", lag.events),
            ("mtp_stream_entries", "Entries of the stream that wait.", lag.entries),
            ("mtp_stream_taken", "Entries of these that workers are at.", lag.taken),
            ("mtp_stream_oldest_seconds", "How long the first has waited.", lag.oldest_seconds),
            ("mtp_stream_workers", "Workers that asked in the last minute.", lag.workers),
            ("mtp_stream_dead", "Entries that could not be recorded.", lag.dead),
        ):
            yield self._gauge(name, help, "", [("", float(figure))])

    def _models(self) -> Iterator[Metric]:
        rows = [(info.kind, info.created_at) for info in self._state.registry.list() if info.current]
        yield self._gauge("mtp_model_trained_timestamp_seconds", "When the serving model was made.", "kind", rows)

    def _jobs(self) -> Iterator[Metric]:
        runs = self._state.leases.last_runs()
        jobs = standard_jobs(self._state)
        ran = [runs[job.name] for job in jobs if job.name in runs]
        every = [(job.name, job.every) for job in jobs]
        yield self._gauge("mtp_job_interval_seconds", "How often a job is due.", "task", every)
        for name, help, rows in (
            ("mtp_job_started_timestamp_seconds", "When a job last began.", [(r.name, r.started_at) for r in ran]),
            ("mtp_job_seconds", "What a job last took.", [(r.name, r.seconds) for r in ran]),
            ("mtp_job_ok", "Whether a job last went well.", [(r.name, float(r.ok)) for r in ran]),
        ):
            yield self._gauge(name, help, "task", rows)

    def _loop(self, now: float) -> Iterator[Metric]:
        """Yesterday is over, so a process reads its slates once."""
        today = now // DAY * DAY
        if self._yesterday is None or self._yesterday[0] != today:
            self._yesterday = today, loop_days(self._state, 2, now)[0]
        day = self._yesterday[1]
        yield self._gauge("mtp_loop_slates", "Slates of yesterday that mtp_loop is of.", "", [("", float(day.slates))])
        rows = [(name, float(getattr(day, name)) if day.slates else math.nan) for name in LOOP]
        yield self._gauge("mtp_loop", "How varied yesterday's slates were, from 0 to 1.", "figure", rows)

    def _gauge(self, name: str, help: str, label: str, rows: Iterable[Row]) -> Metric:
        family = GaugeMetricFamily(name, help, labels=["app", label] if label else ["app"])
        for value, figure in rows:
            family.add_metric([self._app, value] if label else [self._app], figure)
        return family
