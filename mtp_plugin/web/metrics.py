"""Counts and durations for Prometheus, in a registry of each application's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

SOURCES = frozenset({"banner", "preferences", "api", "tcf", "consent-mode", "onetrust", "trustarc"})
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
        self._of_route = lru_cache(maxsize=1024)(self._counters)
        self._requests = Counter(
            "mtp_requests", "Requests by route and status.", ("app", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "mtp_request_seconds", "Time to answer.", ("app", "route"), registry=self.registry, buckets=SECONDS
        )
        self._events = Counter("mtp_events", "Events by outcome.", ("app", "outcome"), registry=self.registry)
        rungs = ("app", "placement", "fallback_level")
        self._slates = Counter("mtp_slates", "Slates by placement and rung.", rungs, registry=self.registry)
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

    def events(self, outcome: str, count: int) -> None:
        """Count events: ``accepted``, ``repeated``, ``dropped`` or ``rejected``."""
        if count:
            self._events.labels(self._app, outcome).inc(count)

    def slate(self, placement: str, fallback_level: int, consent_level: str = "", *, empty: bool = False) -> None:
        """Count one slate."""
        self.slates_of(placement, fallback_level, consent_level, empty=empty)()

    def slates_of(
        self, placement: str, fallback_level: int, consent_level: str = "", *, empty: bool = False
    ) -> Callable[[], None]:
        """What counts one slate of this placement and rung, and of this consent level if one is given."""
        count = self._slates.labels(self._app, placement, str(fallback_level)).inc
        if not consent_level:
            return count
        of_level = self._level(consent_level, "slate", "empty" if empty else "shown")

        def both() -> None:
            count()
            of_level()

        return both

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
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
