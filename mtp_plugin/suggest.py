"""The daily look for profiles that are alike: suggestions for somebody to review, links only above a threshold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from .identity.likeness import Trace, bits, pairs_by_product, probability
from .people import People
from .ports import Journal
from .records import ACTIONS, Claim, Event, Link, Profile

RARE = 12
"""Visitors of a product at most for it to bring two of them together."""
MOST_PAIRS = 2000
MOST_VISITORS = 50_000
"""Profiles looked at, those seen last: what nobody came back to is left alone."""
BATCH = 500
LATEST = 300
"""Events of a visitor that are compared at most."""
ACTOR = "job:identity"


def suggest(journal: Journal, people: People, *, now: float, suggest_above: float, link_above: float) -> list[Link]:
    """Compare visitors that met the same rare products; gives the links made and suggested.

    :param suggest_above: probability from which a pair is shown to somebody, 0 to 1
    :param link_above: probability from which it is linked at once; 0 never links
    """
    met, total = _products_met(journal)
    visitors = {product: len(names) for product, names in met.items()}
    claims = []
    traces: dict[str, Trace] = {}
    for one, other in pairs_by_product(met, RARE, MOST_PAIRS):
        if not _open(people, one, other):
            continue
        found = bits(_trace(journal, one, traces), _trace(journal, other, traces), visitors, total)
        sure = probability(found, total)
        if sure >= suggest_above or (link_above and sure >= link_above):
            wait = not link_above or sure < link_above
            claims.append(
                Claim(left=one, right=other, kind="likeness", confidence=sure, suggest=wait, evidence={"bits": found})
            )
    claims.sort(key=lambda claim: -claim.confidence)
    return [link for link in people.claim(claims, now, ACTOR) if link.decided_at == now]


def _products_met(journal: Journal) -> tuple[dict[str, set[str]], int]:
    """Visitors by product, and how many visitors there are."""
    met: dict[str, set[str]] = {}
    total = 0
    for names in journal.profile_ids(batch=BATCH):
        total += len(names)
        if total > MOST_VISITORS:
            continue
        for profile in journal.profiles(names):
            for product in _products(profile):
                met.setdefault(product, set()).add(profile.profile_id if profile else "")
    return met, total


def _products(profile: Profile | None) -> set[str]:
    if profile is None:
        return set()
    return {item.product_id for item in profile.recent} | {bought.product_id for bought in profile.purchases}


def _open(people: People, one: str, other: str) -> bool:
    """Whether a link of the two is to be thought of: they are not one yet, and are not two accounts."""
    together = set(people.identity.cluster(one))
    if other in together:
        return False
    accounts = {node for node in together | set(people.identity.cluster(other)) if node.startswith("u:")}
    return len(accounts) < 2


def _trace(journal: Journal, profile_id: str, known: dict[str, Trace]) -> Trace:
    if profile_id not in known:
        (profile,) = journal.profiles([profile_id])
        known[profile_id] = trace_of(profile, list(journal.events_of(profile_id))[-LATEST:])
    return known[profile_id]


def trace_of(profile: Profile | None, events: Sequence[Event]) -> Trace:
    """What a visitor left that can be compared."""
    return Trace(
        products=frozenset(_products(profile)),
        taste=dict(profile.affinities.get("category", {})) if profile else {},
        hours=Counter(str(int(event.timestamp // 3600 % 24)) for event in events),
        places=_places(event.context for event in events),
        minutes=frozenset(int(event.timestamp // 60) for event in events if event.name in ACTIONS),
    )


def _places(contexts: Iterable[Mapping[str, object]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for context in contexts:
        for name in ("city", "country", "locale", "device", "browser"):
            value = context.get(name)
            if isinstance(value, str) and value:
                found.setdefault(name, set()).add(value)
    return {name: frozenset(values) for name, values in found.items()}
