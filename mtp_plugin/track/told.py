"""What an event tells of the moment it happened in: the signals that the enrichers read device, place and time from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from ..records import Signals
from .sender import Sender

LONGEST = 2000
_CAMPAIGN = {"source": "source", "medium": "medium"}


class Describe(Protocol):
    """Gives what to keep of a moment, from its signals and, of events that a server hands on, an address."""

    def __call__(self, signals: Signals, address: str = "") -> dict[str, Any]: ...


def nothing_known(signals: Signals, address: str = "") -> dict[str, Any]:
    """A :class:`Describe` where nobody can tell."""
    return {}


def told(given: Any, sender: Sender, happened: float) -> tuple[Signals, str]:
    """The signals of an event and the address it came from, empty when it came with this very request.

    A browser's own headers count; what stands in the event counts where a server hands on what it was told, as
    Segment's libraries do (``userAgent``, ``ip``). ``timezone`` and ``page`` are the browser's word in either case.

    :param given: the event's ``context``
    :param happened: seconds since 1970
    """
    context = given if isinstance(given, dict) else {}
    page, campaign = _mapping(context, "page"), _mapping(context, "campaign")
    signals = sender.signals or Signals(at=happened)
    of_event = msgspec.structs.replace(
        signals,
        at=happened,
        time_zone=_text(context, "timezone"),
        referrer=_text(page, "referrer"),
        search=_text(page, "search"),
        campaign={ours: value for name, ours in _CAMPAIGN.items() if (value := _text(campaign, name)[:100])},
    )
    if not sender.trusted or sender.signals is not None:
        return of_event, ""
    return msgspec.structs.replace(of_event, user_agent=_text(context, "userAgent")), _text(context, "ip")


def _mapping(context: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = context.get(name)
    return value if isinstance(value, dict) else {}


def _text(context: Mapping[str, Any], name: str) -> str:
    value = context.get(name)
    return value if isinstance(value, str) and len(value) <= LONGEST else ""
