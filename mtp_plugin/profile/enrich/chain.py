"""All enrichers in their order; one that fails is logged and left out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ...ports import Places
from ...records import Context, Place, Signals
from .base import Enricher, Found

log = logging.getLogger(__name__)

MOST_EXTRA = 20
"""Names that the shop's own enrichers may add."""
LONGEST = 200
"""Characters of a text that an enricher may add."""

EVENT_FIELDS = (
    *("device", "os", "browser", "daypart", "weekday", "commuting", "time_zone"),
    *("country", "region", "city", "urban", "source", "medium"),
)
"""What an event keeps of what was known when it happened."""

_KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("device", "os", "browser", "daypart", "weekday", "time_zone", "weather"), (str,)),
    **dict.fromkeys(("country", "region", "city", "source", "medium", "campaign", "referrer", "locale"), (str,)),
    **dict.fromkeys(("urban", "commuting"), (bool,)),
    "hour": (int,),
    "temperature": (int, float),
}
_BESIDE = frozenset({"latitude", "longitude"})
"""What enrichers tell each other and nobody else."""


class OwnEnricher:
    """A callable of the shop as an enricher: what it gives is checked, as it may be anything.

    :param function: gets the signals and what is known so far, gives what it adds
    """

    live = True

    def __init__(self, name: str, function: Callable[[Signals, Found], Mapping[str, Any] | None]) -> None:
        if not callable(function):
            raise TypeError(f"the enricher {name!r} must be callable, not {type(function).__name__}")
        self.name, self._function = name, function

    def enrich(self, signals: Signals, found: Found) -> Found:
        given = self._function(signals, found) or {}
        return {name: value for name, value in given.items() if _fits(name, value)}


class Enrichment:
    """What a request is about.

    :param enrichers: asked in this order, each seeing what those before it found
    :param places: where networks are
    """

    def __init__(self, enrichers: Sequence[Enricher], places: Places) -> None:
        self._enrichers, self._places = tuple(enrichers), places
        self._earlier = tuple(enricher for enricher in enrichers if not enricher.live)
        self._failures: dict[str, int] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(enricher.name for enricher in self._enrichers)

    @property
    def failures(self) -> Mapping[str, int]:
        """How often each enricher failed."""
        return self._failures

    def place(self, address: str) -> Place | None:
        """Where the network of an address is; the address itself goes no further."""
        return self._places.find(address) if address else None

    def context(
        self, signals: Signals, *, page_type: str = "", category: str = "", query: str = "", locale: str = ""
    ) -> Context:
        """The context of a request; page, category and query are what the page says of itself."""
        found = self._ask(self._enrichers, signals)
        extra = {name: found.pop(name) for name in list(found) if name not in _KINDS}
        return Context(
            page_type=page_type,
            category=category,
            query=query,
            locale=found.pop("locale", locale),
            extra={name: value for name, value in list(extra.items())[:MOST_EXTRA] if name not in _BESIDE},
            **found,
        )

    def of_event(self, signals: Signals, address: str = "") -> dict[str, Any]:
        """What an event keeps of the moment it happened in.

        :param address: where it came from, if that is known and not part of the signals yet
        """
        place = self.place(address)
        if place is not None:
            signals = msgspec.structs.replace(signals, place=place)
        found = self._ask(self._earlier, signals)
        return {
            name: found[name] for name in EVENT_FIELDS if found.get(name) not in (None, "") and _telling(name, found)
        }

    def _ask(self, enrichers: Sequence[Enricher], signals: Signals) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for enricher in enrichers:
            try:
                more = enricher.enrich(signals, found)
            except Exception:
                self._failed(enricher.name)
                continue
            if more:
                found.update(more)
        return found

    def _failed(self, name: str) -> None:
        """Logged at first and then ever more seldom: a page should not be slowed by writing the same each time."""
        count = self._failures[name] = self._failures.get(name, 0) + 1
        if count & (count - 1) == 0:
            log.exception("the enricher %s failed (%d times so far), going on without it", name, count)


def _telling(name: str, found: Found) -> bool:
    """Most moments are in no commuting hour, which needs no words."""
    return name != "commuting" or bool(found[name])


def _fits(name: Any, value: Any) -> bool:
    """Whether an enricher may say this: a known name with its kind of value, or another name with something plain."""
    if not isinstance(name, str) or not 0 < len(name) <= 40 or not name.isidentifier():
        return False
    if isinstance(value, str) and len(value) > LONGEST:
        return False
    if name in _KINDS:
        return isinstance(value, _KINDS[name]) and (bool in _KINDS[name] or not isinstance(value, bool))
    if name in _BESIDE:
        return isinstance(value, (int, float))
    return value is not None and isinstance(value, (str, int, float, bool))
