"""What the plugin's own stores keep of a visitor, as :class:`mtp_plugin.ports.Holder` each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from ..ports import Bus, CartBook, ConsentLog, ForwardBook, Identity, Journal, KpiBook, Outcomes, SlateLog, WebhookBox
from ..records import Profile, SegmentRef

HOUR_S = 3600.0


class EventHolder:
    """Events, visits counted from them and the profile folded from them; copies in Redis and other processes go, too.

    :param day_of: the day of the shop's calendar that an hour (hours since 1970) belongs to
    """

    name = "events"

    def __init__(self, journal: Journal, kpis: KpiBook, day_of: Callable[[int], int]) -> None:
        self._journal, self._kpis, self._day_of = journal, kpis, day_of

    def linked(self, profile_id: str) -> Iterable[str]:
        return ()

    def export(self, profile_ids: Sequence[str]) -> Any:
        profiles = [profile for profile in self._journal.profiles(profile_ids) if profile is not None]
        events = [event for name in profile_ids for event in self._journal.events_of(name)]
        if not profiles and not events:
            return {}
        return {"profiles": [_named(profile) for profile in profiles], "events": msgspec.to_builtins(events)}

    def erase(self, profile_ids: Sequence[str]) -> int:
        gone = self._kpis.erase_events(profile_ids, self._day_of)
        return gone + sum(self._journal.erase(name) for name in profile_ids)


class StreamHolder:
    """Events that wait to be recorded, or could not be."""

    name = "stream"

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def linked(self, profile_id: str) -> Iterable[str]:
        return ()

    def export(self, profile_ids: Sequence[str]) -> Any:
        return msgspec.to_builtins(list(self._bus.find(profile_ids)))

    def erase(self, profile_ids: Sequence[str]) -> int:
        return self._bus.erase(profile_ids)


class KpiHolder:
    """Nothing of a visitor: sums that their slates and orders had a part in, which are counted anew without them.

    It comes before those who delete, while it can still be told which hours that are.
    """

    name = "key-figures"

    def __init__(self, kpis: KpiBook, journal: Journal, clock: Callable[[], float]) -> None:
        self._kpis, self._journal, self._clock = kpis, journal, clock

    def linked(self, profile_id: str) -> Iterable[str]:
        return ()

    def export(self, profile_ids: Sequence[str]) -> Any:
        return []

    def erase(self, profile_ids: Sequence[str]) -> int:
        orders = (event for name in profile_ids for event in self._journal.events_of(name) if "Order " in event.name)
        hours = {int(event.timestamp // HOUR_S) for event in orders} | self._kpis.of_visitors(profile_ids)
        self._kpis.mark(hours, self._clock())
        return 0


class SlateHolder:
    """Slates and what replaying them needs: the profile as it was, candidates, experiments' variations."""

    name = "slates"

    def __init__(self, slates: SlateLog) -> None:
        self._slates = slates

    def linked(self, profile_id: str) -> Iterable[str]:
        return ()

    def export(self, profile_ids: Sequence[str]) -> Any:
        return [_shown(msgspec.to_builtins(entry)) for name in profile_ids for entry in self._slates.of(name)]

    def erase(self, profile_ids: Sequence[str]) -> int:
        self._slates.flush()
        return sum(self._slates.erase(name) for name in profile_ids)


class OutcomeHolder:
    """What came of slates: seen, clicked, put into the cart, bought, given back."""

    name = "outcomes"

    def __init__(self, outcomes: Outcomes) -> None:
        self._outcomes = outcomes

    def linked(self, profile_id: str) -> Iterable[str]:
        return ()

    def export(self, profile_ids: Sequence[str]) -> Any:
        return msgspec.to_builtins([one for name in profile_ids for one in self._outcomes.of_visitor(name)])

    def erase(self, profile_ids: Sequence[str]) -> int:
        return sum(self._outcomes.erase(name) for name in profile_ids)


class ConsentHolder:
    """Choices about consent. That they were made stays in the audit log, under a keyed hash."""

    name = "consents"

    def __init__(self, consents: ConsentLog) -> None:
        self._consents = consents

    def linked(self, profile_id: str) -> Iterable[str]:
        return ()

    def export(self, profile_ids: Sequence[str]) -> Any:
        return msgspec.to_builtins([decision for name in profile_ids for decision in self._consents.of(name)])

    def erase(self, profile_ids: Sequence[str]) -> int:
        return sum(self._consents.erase(name) for name in profile_ids)


class IdentityHolder:
    """Links between ids of one person, and their history.

    :param forget: deletes a node's links, here and in what this process remembers
    """

    name = "identity"

    def __init__(self, identity: Identity, forget: Callable[[str], int]) -> None:
        self._identity, self._forget = identity, forget

    def linked(self, profile_id: str) -> Iterable[str]:
        return [node for node in self._identity.cluster(profile_id) if node.startswith(("u:", "a:"))]

    def export(self, profile_ids: Sequence[str]) -> Any:
        links = {link.link_id: link for name in profile_ids for link in self._identity.links_of(name)}
        return msgspec.to_builtins(list(links.values()))

    def erase(self, profile_ids: Sequence[str]) -> int:
        return sum(self._forget(name) for name in profile_ids)


class CartHolder:
    """Whose cart was touched lately."""

    name = "carts"

    def __init__(self, carts: CartBook) -> None:
        self._carts = carts

    def linked(self, profile_id: str) -> Iterable[str]:
        return ()

    def export(self, profile_ids: Sequence[str]) -> Any:
        return []  # the events say more

    def erase(self, profile_ids: Sequence[str]) -> int:
        self._carts.close(profile_ids, math.inf)
        return 0


class SegmentHolder:
    """Which segment a visitor is in now, and in which the last refresh found them.

    :param segment_of: puts a profile into a segment, as the next page would
    :param forget: deletes what is remembered of the last refresh; gives whether there was something
    """

    name = "segments"

    def __init__(
        self, journal: Journal, segment_of: Callable[[Profile], SegmentRef | None], forget: Callable[[str], bool]
    ) -> None:
        self._journal, self._segment_of, self._forget = journal, segment_of, forget

    def linked(self, profile_id: str) -> Iterable[str]:
        return ()

    def export(self, profile_ids: Sequence[str]) -> Any:
        found = ((one, self._segment_of(one)) for one in self._journal.profiles(profile_ids) if one is not None)
        return [{"profile_id": one.profile_id, **msgspec.to_builtins(ref)} for one, ref in found if ref is not None]

    def erase(self, profile_ids: Sequence[str]) -> int:
        return sum(map(self._forget, profile_ids))


class ForwardHolder:
    """Events that another service refused; the events themselves are in the journal."""

    name = "forwards"

    def __init__(self, forwards: ForwardBook) -> None:
        self._forwards = forwards

    def linked(self, profile_id: str) -> Iterable[str]:
        return ()

    def export(self, profile_ids: Sequence[str]) -> Any:
        return []  # the events say all

    def erase(self, profile_ids: Sequence[str]) -> int:
        return sum(self._forwards.erase(name) for name in profile_ids)


class WebhookHolder:
    """Bodies that other systems posted."""

    name = "webhooks"

    def __init__(self, webhooks: WebhookBox) -> None:
        self._webhooks = webhooks

    def linked(self, profile_id: str) -> Iterable[str]:
        return ()

    def export(self, profile_ids: Sequence[str]) -> Any:
        return msgspec.to_builtins([one for name in profile_ids for one in self._webhooks.of(name)])

    def erase(self, profile_ids: Sequence[str]) -> int:
        return sum(self._webhooks.erase(name) for name in profile_ids)


def _named(record: msgspec.Struct) -> dict[str, Any]:
    """A record that is stored without names, with them, however deep."""
    return {name: _value(getattr(record, name)) for name in record.__struct_fields__}


def _value(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return _named(value)
    if isinstance(value, dict):
        return {str(key): _value(part) for key, part in value.items()}
    return [_value(part) for part in value] if isinstance(value, (list, tuple)) else value


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    """A slate as its visitor may read it: the profile is exported once, not with each slate."""
    return {"slate": entry["slate"], "request": entry["request"], "strategies": [r["strategy"] for r in entry["rungs"]]}
