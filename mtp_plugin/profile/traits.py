"""Traits of one visitor from several sources, each with its origin: which of two statements holds.

1. What the shop itself states (``identify``, imports) holds over a CRM, and both over what requests show
   (``request``): an account whose country is known stays there while its owner travels.
2. Of two CRMs the one whose name comes first in the alphabet holds.
3. Of two statements of one source the later holds.

So it does not matter in which order they arrive, and a CRM that repeats itself every night overrules nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..records import Context, Event, Profile, TraitOrigin

SHOP, CRM, REQUEST = "shop", "crm:", "request"
"""Sources; the name of the CRM follows its colon."""
REQUEST_TRAITS = ("device", "os", "browser", "country", "region", "city", "urban", "time_zone", "locale")
"""What is kept as traits of what an event's context says: as it was last."""
_OF_REQUEST = frozenset(REQUEST_TRAITS)
MAX_TRAITS = 50
"""Stated traits of one visitor; when there are more, the first by name stay."""
UNKNOWN = TraitOrigin("", 0.0)
"""Of traits from before origins were kept: stated, long ago."""

Traits = dict[str, Any]
Origins = dict[str, TraitOrigin]


def source_of(event: Event) -> str:
    """Where the traits of an event come from."""
    return event.source if event.source.startswith(CRM) else SHOP


def holds_over(new: TraitOrigin, old: TraitOrigin) -> bool:
    """Whether a statement from *new* replaces one from *old*."""
    of_new, of_old = _rank(new.source), _rank(old.source)
    return of_new > of_old if of_new != of_old else _newer(new, old)


def learn(traits: Traits, origins: Origins, event: Event) -> None:
    """Take what an event says of its visitor into *traits* and *origins*, which change."""
    if event.traits:
        _take(traits, origins, event.traits, TraitOrigin(source_of(event), event.timestamp))
        _bound(traits, origins)
    if event.context:
        _take_request(traits, origins, event.context, TraitOrigin(REQUEST, event.timestamp))


def last_context(profile: Profile) -> Context:
    """What requests said of a visitor last and does not change with the hour: device, place and such."""
    names = (name for name in REQUEST_TRAITS if profile.origins.get(name, UNKNOWN).source == REQUEST)
    return Context(**{name: profile.traits[name] for name in names if name in profile.traits})


def merged(a: Mapping[str, Any], a_from: Origins, b: Mapping[str, Any], b_from: Origins) -> tuple[Traits, Origins]:
    """The traits of two profiles of one visitor as one; of equal statements that of *a* holds."""
    traits, origins = dict(b), dict(b_from)
    for name, value in a.items():
        new, old = a_from.get(name, UNKNOWN), origins.get(name, UNKNOWN)
        if name not in traits or holds_over(new, old):
            traits[name] = value
            _note(origins, name, new)
    return traits, origins


def _take(traits: Traits, origins: Origins, given: Mapping[str, Any], origin: TraitOrigin) -> None:
    for name, value in given.items():
        if name not in traits or holds_over(origin, origins.get(name, UNKNOWN)):
            traits[name], origins[name] = value, origin


def _take_request(traits: Traits, origins: Origins, context: Mapping[str, Any], origin: TraitOrigin) -> None:
    if _OF_REQUEST.isdisjoint(context):
        return
    for name in REQUEST_TRAITS:
        if name not in context:
            continue
        old = origins.get(name)
        if old is None and name in traits:
            continue  # stated before origins were kept
        if old is None or (old.source == REQUEST and old.timestamp <= origin.timestamp):
            traits[name], origins[name] = context[name], origin


def _bound(traits: Traits, origins: Origins) -> None:
    if len(traits) <= MAX_TRAITS:
        return
    stated = sorted(name for name in traits if origins.get(name, UNKNOWN).source != REQUEST)
    for name in stated[MAX_TRAITS:]:
        del traits[name]
        origins.pop(name, None)


def _note(origins: Origins, name: str, origin: TraitOrigin) -> None:
    if origin is UNKNOWN:
        origins.pop(name, None)
    else:
        origins[name] = origin


def _rank(source: str) -> int:
    return 0 if source == REQUEST else 1 if source.startswith(CRM) else 2


def _newer(new: TraitOrigin, old: TraitOrigin) -> bool:
    """Of two of the same rank; origins from before they were kept are of no source and are the shop's."""
    if new.source != old.source and new.source.startswith(CRM):
        return new.source < old.source
    return new.timestamp >= old.timestamp
