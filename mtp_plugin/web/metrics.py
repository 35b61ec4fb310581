"""Counts and durations for Prometheus, in a registry of each application's own."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ..pipeline import STEPS
from ..records import Slate

SOURCES = frozenset({"banner", "preferences", "api", "tcf", "consent-mode", "onetrust", "trustarc"})
MOST_UNCOUNTED = 256
"""Slates that may wait to be counted: who brings one more counts them."""
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class Metrics:
    """What one application counts.

    With ``PROMETHEUS_MULTIPROC_DIR`` set before the start all workers' figures are added up.

    :param app: label of every figure, so that two applications of one process stay apart
    """

    def __init__(self, app: str) -> None:
        self.registry = CollectorRegistry()
        self._app = app
        self._level = lru_cache(maxsize=64)(self._outcome)
        self._of_slate = lru_cache(maxsize=1024)(self._counted)
        self._uncounted: deque[tuple[Slate, str, tuple[float, ...]]] = deque()
        self._lost = 0
        self._more: list[Collector] = []
        self._of_route = lru_cache(maxsize=1024)(self._counters)
        self._of_outcome = lru_cache(maxsize=16)(self._event_counter)
        self._requests = Counter(
            "mtp_requests", "Requests by route and status.", ("app", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "mtp_request_seconds", "Time to answer.", ("app", "route"), registry=self.registry, buckets=SECONDS
        )
        self._events = Counter("mtp_events", "Events by outcome.", ("app", "outcome"), registry=self.registry)
        rungs = ("app", "placement", "fallback_level", "consent_level", "cache")
        self._slates = Counter(
            "mtp_slates", "Slates by placement, rung, consent level and cache.", rungs, registry=self.registry
        )
        steps = Histogram(
            "mtp_step_seconds", "Time of a step of the path.", ("app", "step"), registry=self.registry, buckets=SECONDS
        )
        self._steps = {name: steps.labels(app, name).observe for name in (*STEPS, "render", "ingest")}
        self._of_path = [self._steps[name] for name in STEPS]
        self._queue = Gauge(
            "mtp_slate_queue",
            "Slates that wait to be stored.",
            ("app",),
            registry=self.registry,
            multiprocess_mode="livesum",
        ).labels(app)
        self._slates_lost = Counter(
            "mtp_slates_lost", "Slates that were never stored.", ("app",), registry=self.registry
        ).labels(app)
        self._choices = Counter(
            "mtp_consent_choices", "Choices by who asked and level.", ("app", "source", "level"), registry=self.registry
        )
        levels = ("app", "level", "kind", "outcome")
        self._levels = Counter(
            "mtp_consent_outcomes",
            "What was shown and kept at each level: slates by whether one was shown, events by whether they were kept.",
            levels,
            registry=self.registry,
        )
        self._arms = Counter(
            "mtp_bandit_choices",
            "Choices of policies that learn; arms that are products are not told apart.",
            ("app", "policy", "about", "arm"),
            registry=self.registry,
        )
        self._failures = Counter(
            "mtp_block_failures", "Blocks left out of a page.", ("app", "placement"), registry=self.registry
        )

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one request to the API."""
        count, observe = self._of_route(route, status)
        count()
        observe(seconds)

    def _counters(self, route: str, status: int) -> tuple[Callable[[], None], Callable[[float], None]]:
        count = self._requests.labels(self._app, route, str(status)).inc
        return count, self._seconds.labels(self._app, route).observe

    def _outcome(self, level: str, kind: str, outcome: str) -> Callable[..., None]:
        return self._levels.labels(self._app, level, kind, outcome).inc

    def _event_counter(self, outcome: str) -> Callable[[float], None]:
        return self._events.labels(self._app, outcome).inc

    def events(self, outcome: str, count: int) -> None:
        """Count events: ``queued``, ``accepted``, ``repeated``, ``dropped`` or ``rejected``."""
        if count:
            self._of_outcome(outcome)(count)

    def answered(self, slate: Slate, cache: str, seconds: tuple[float, ...]) -> None:
        """Count a slate and what its steps took; see :data:`mtp_plugin.pipeline.Observe`.

        Seven figures are seven locks. So a slate that is to be written waits for the thread that writes it.
        """
        if cache == "draft":
            self._count_slate(slate, cache, seconds)
            return
        self._uncounted.append((slate, cache, seconds))
        if len(self._uncounted) >= MOST_UNCOUNTED:
            self._count_slates()

    def _count_slates(self) -> None:
        while self._uncounted:
            try:
                told = self._uncounted.popleft()
            except IndexError:  # another thread counts them, too
                return
            self._count_slate(*told)

    def _count_slate(self, slate: Slate, cache: str, seconds: tuple[float, ...]) -> None:
        level = slate.consent_level.value
        self._of_slate(slate.placement, slate.fallback_level, level, cache, "shown" if slate.items else "empty")()
        for observe, took in zip(self._of_path, seconds, strict=True):
            observe(took)

    def given_again(self, slate: Slate) -> Callable[[], None]:
        """What counts that a whole answer was given out again."""
        return self._of_slate(slate.placement, slate.fallback_level, slate.consent_level.value, "answer", "shown")

    def _counted(self, placement: str, rung: int, level: str, cache: str, outcome: str) -> Callable[[], None]:
        count = self._slates.labels(self._app, placement, str(rung), level, cache).inc
        of_level = self._level(level, "slate", outcome)

        def both() -> None:
            count()
            of_level()

        return both

    def step(self, name: str, seconds: float) -> None:
        """Count what ``render`` or ``ingest`` took."""
        self._steps[name](seconds)

    def slate_queue(self, waiting: int, lost: int) -> None:
        """How many slates of this process wait, and how many it lost by now; by one thread of a process."""
        self._count_slates()
        self._queue.set(waiting)
        self._slates_lost.inc(max(0, lost - self._lost))
        self._lost = lost

    def chosen(self, policy: str, about: str, arm: str) -> None:
        """Count what a policy that learns chose."""
        self._arms.labels(self._app, policy, about, "" if about == "product" else arm).inc()

    def choice(self, source: str, level: str) -> None:
        """Count a visitor's choice; a name that is not our own counts as ``manager``."""
        own = source if source in SOURCES else "manager"
        self._choices.labels(self._app, own, level).inc()

    def outcome(self, level: str, kind: str, outcome: str, count: int = 1) -> None:
        """Count what a consent level meant; *kind* is ``slate``, ``event``, ``click``, ``cart`` or ``order``."""
        if count:
            self._level(level, kind, outcome)(count)

    def failure(self, placement: str) -> None:
        """Count a block that could not be rendered."""
        self._failures.labels(self._app, placement).inc()

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        self._count_slates()
        together = CollectorRegistry()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        else:
            together.register(_Whole(self.registry))
        for collector in self._more:
            together.register(collector)
        return generate_latest(together)

    def also(self, collector: Collector) -> None:
        """Tell these figures too: they are read anew for each scrape, and are the same whichever worker answers."""
        self._more.append(collector)


class _Whole(Collector):
    """All that a registry holds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        return self._registry.collect()

    def describe(self) -> Iterable[Metric]:
        return ()
