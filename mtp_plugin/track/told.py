"""What an event tells of the moment it happened in: the signals that the enrichers read device, place and time from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from ..memory import Remembered
from ..records import Signals
from .limits import plain
from .page import kept_context
from .sender import Sender

LONGEST = 2000
MOST = 512
"""Descriptions that are remembered."""
ALIKE_S = 900.0
"""Seconds in which no clock of the world says anything that matters: events of one body are told apart by it."""

_Said = tuple[float, str, str, str, str, str, str, str]
"""The quarter of an hour, time zone, referrer, search, source, medium, user agent, address."""


class Describe(Protocol):
    """Gives what to keep of a moment, from its signals and, of events that a server hands on, an address.

    Asked once for all events of one body that say the same within :data:`ALIKE_S`.
    """

    def __call__(self, signals: Signals, address: str = "") -> dict[str, Any]: ...


Known = Remembered[_Said, dict[str, Any]]
"""Moments of which servers said the same, none with an address in it: that of most bodies was described before."""


def nothing_known(signals: Signals, address: str = "") -> dict[str, Any]:
    """A :class:`Describe` where nobody can tell."""
    return {}


class Moments:
    """The moments that the events of one body happened in; those alike are described once.

    A browser's own headers count; what stands in the event counts where a server hands on what it was told, as
    Segment's libraries do (``userAgent``, ``ip``). ``timezone`` and ``page`` are the browser's word in either case.
    """

    def __init__(self, describe: Describe, sender: Sender, known: Known | None = None) -> None:
        self._describe, self._signals = describe, sender.signals
        self._handed_on = sender.trusted and sender.signals is None
        self._own = Known(MOST)
        self._shared = known if known is not None and self._handed_on else self._own
        self._last: tuple[Any, float, dict[str, Any]] = (None, -1.0, {})

    def kept(self, context: Any, happened: float) -> dict[str, Any]:
        """What an event keeps of its moment and of its ``context``.

        :param happened: seconds since 1970
        """
        quarter = happened // ALIKE_S
        last, at, kept = self._last
        # A server's library says the same of all its events.
        if at != quarter or (last is not context and not _same(last, context)):
            given = context if isinstance(context, dict) else {}
            said = self._said(given, quarter)
            place = self._own if said[-1] else self._shared
            known = place.get(said)
            if known is None:
                known = place.keep(said, self._described(said, happened))
            kept = {**known, **kept_context(given)}
            self._last = (context, quarter, kept)
        return kept.copy()

    def _said(self, given: Mapping[str, Any], quarter: float) -> _Said:
        if not given:
            return quarter, "", "", "", "", "", "", ""
        zone, page, campaign = given.get("timezone"), given.get("page"), given.get("campaign")
        referrer = search = source = medium = agent = address = ""
        if page and isinstance(page, dict):
            referrer, search = _text(page.get("referrer")), _text(page.get("search"))
        if campaign and isinstance(campaign, dict):
            source, medium = _text(campaign.get("source"))[:100], _text(campaign.get("medium"))[:100]
        if self._handed_on:
            agent, address = _text(given.get("userAgent")), _text(given.get("ip"))
        return quarter, _text(zone), referrer, search, source, medium, agent, address

    def _described(self, said: _Said, happened: float) -> dict[str, Any]:
        _, zone, referrer, search, source, medium, agent, address = said
        signals = msgspec.structs.replace(
            self._signals or Signals(at=happened),
            at=happened,
            time_zone=zone,
            referrer=referrer,
            search=search,
            campaign={name: value for name, value in (("source", source), ("medium", medium)) if value},
        )
        if self._handed_on:
            signals = msgspec.structs.replace(signals, user_agent=agent)
        # Campaign tags are written by hand, and sometimes somebody's address is in one.
        known = self._describe(signals, address)
        return {name: plain(value) if isinstance(value, str) else value for name, value in known.items()}


def _same(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except RecursionError:  # as deep as JSON may be
        return False


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= LONGEST else ""
