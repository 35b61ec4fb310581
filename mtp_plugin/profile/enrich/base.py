"""What an enricher is: it looks at the signals of a request and says what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ...records import Signals

Found = Mapping[str, Any]
"""What is known of a request so far, by the names of :class:`~mtp_plugin.records.Context` and a few beside."""


class Enricher(Protocol):
    """One source of knowledge about a request.

    It is asked in each request of a visitor who allows that much, so it takes microseconds: what takes longer is
    remembered, or fetched after the answer for those who ask next.

    ``name`` stands in logs. ``live`` tells that it speaks of this very moment, so that an event which happened
    earlier is not asked about it.
    """

    name: str
    live: bool

    def enrich(self, signals: Signals, found: Found) -> Found:
        """What this adds to *found*; what is unknown is left out."""


class NullEnricher:
    """Knows nothing."""

    name = "none"
    live = False

    def enrich(self, signals: Signals, found: Found) -> Found:
        return {}
