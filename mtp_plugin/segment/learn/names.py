"""Names for segments: only what is true of most members, what sets them apart first, and no name twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...records import BoolArray
from ..naming import HEAD, Part, leaf, name_of
from .claims import Claim

MOST = 0.6
"""What is said of a segment is true of more than this share of its members."""
APART, APART_COMPARED = 1.2, 1.35
"""How many times more often it must hold than among everyone to be worth saying; comparisons more so."""
TAGS = 2
SURE = 0.15
"""Distinctiveness from which a second tag is worth its room."""
AMONG = 3
"""Categories that the name of a coarser segment lists."""
SLOTS = (
    "tier",
    "category",
    "who",
    "device",
    "place",
    "urban",
    "daypart",
    "brand",
    "style",
    "color",
    "visit",
    "trait",
    "much",
)
_COMPARING = ("more", "less", "much")
_WHERE = ("place", "urban")


class Said(NamedTuple):
    """A claim about one segment: how many of its members, and of everyone, it holds for."""

    part: Part
    inside: float
    everyone: float

    @property
    def lift(self) -> float:
        return self.inside / max(self.everyone, 1e-9)

    @property
    def telling(self) -> float:
        """How much it tells: members by the logarithm of the lift (their part of the Kullback-Leibler divergence)."""
        return float(self.inside * np.log(max(self.lift, 1e-9)))


def true_of_most(claims: Sequence[Claim], members: BoolArray) -> list[Said]:
    """What holds for most members of a segment, the most telling first.

    :param members: mask ``(n,)``
    """
    size = max(int(members.sum()), 1)
    said = [
        Said(claim.part, float((claim.holds & members).sum() / size), float(claim.holds.mean())) for claim in claims
    ]
    return sorted((one for one in said if one.inside > MOST), key=lambda one: (-round(one.telling, 9), one.part))


def parts_of_all(
    claims: Sequence[Claim], masks: Sequence[BoolArray], before: Sequence[tuple[Part, ...]] = ()
) -> list[tuple[Part, ...]]:
    """The parts of each segment's name; no two segments have the same.

    :param masks: members of each segment, ``(n,)`` each
    :param before: what each was called, empty for a new one; an old name stays while all of it is true of most
    """
    said = [true_of_most(claims, members) for members in masks]
    leaves = Counter(leaf(claim.part[1]) for claim in claims if claim.part[0] == "category")
    alike = {word for word, count in leaves.items() if count > 1}
    chosen = [_first_choice(one, alike) for one in said]
    for place, old in enumerate(before):
        if old and {part for part in old if part[0] != "number"} <= {one.part for one in said[place]}:
            chosen[place] = tuple(part for part in old if part[0] != "number")
    while True:
        double = [place for place, count in _places(chosen).items() if count > 1]
        longer = [(place, more) for place in _members(chosen, double) if (more := _next(place, chosen, said))]
        if not longer:
            break
        for place, part in longer:
            chosen[place] = (*chosen[place], part)
    return _numbered(chosen)


def with_what_lies_in(
    parts: Sequence[tuple[Part, ...]], parents: Sequence[int], sizes: Sequence[int]
) -> list[tuple[Part, ...]]:
    """Segments that nothing sets apart say so where others have a category; coarser ones what lies in them.

    :param parts: of the coarser segments, then of the others
    :param parents: the number of the coarser segment of each of the others, -1 for none
    :param sizes: visitors of each of the others
    """
    found, above = list(parts), len(parts) - len(parents)
    taken = Counter(name_of(one).lower() for one in parts)
    if not any(slot == "category" for one in parts for slot, _ in one):
        return found
    for place, own in enumerate(parts):
        if any(slot not in ("who", "number") for slot, _ in own):
            continue
        below = sorted((at for at, one in enumerate(parents) if one == place), key=lambda at: (-sizes[at], at))
        about = [leaf(value) for at in below for slot, value in parts[above + at] if slot == "category"]
        among: Part = ("among", ", ".join(list(dict.fromkeys(about))[:AMONG])) if about else ("mixed", "interests")
        named = (*(part for part in own if part[0] == "who"), among)
        same = taken[name_of(named).lower()]
        taken[name_of(named).lower()] += 1
        found[place] = (*named, ("number", str(same + 1))) if same else named
    return found


def attributes_of(said: Sequence[Said]) -> dict[str, Any]:
    """What the members have in common, for the stages that serve them; what is mixed is left out."""
    by_slot: dict[str, list[Said]] = {}
    for one in said:
        by_slot.setdefault(one.part[0], []).append(one)
    names = {"tier": "price_tier", "device": "device", "place": "place", "brand": "brand", "daypart": "daypart"}
    found: dict[str, Any] = {
        name: max(by_slot[slot], key=lambda one: one.inside).part[1] for slot, name in names.items() if slot in by_slot
    }
    tops = [one for one in by_slot.get("category", ()) if " > " not in one.part[1]]
    if tops:
        found["top_category"] = max(tops, key=lambda one: one.inside).part[1]
    if "visit" in by_slot:
        found["new_or_returning"] = {"first": "new"}.get(by_slot["visit"][0].part[1], "returning")
    if any(one.part == ("who", "bargain") for one in said):
        found["discount_seeker"] = True
    return found


def _first_choice(said: Sequence[Said], alike: Collection[str] = ()) -> tuple[Part, ...]:
    """Head and tags: of each slot at most one, what is worth saying and nothing that another part implies."""
    chosen: dict[str, Part] = {}
    for one in said:
        slot = one.part[0]
        if slot in HEAD and slot not in chosen and one.lift >= APART:
            chosen[slot] = one.part
    if "category" in chosen:
        chosen["category"] = _narrowest(said, chosen["category"], alike)
    if "who" not in chosen:
        chosen["who"] = _whoever(said)
    tags: list[Part] = []
    for one in sorted(said, key=lambda one: one.part[0] in _COMPARING):  # what speaks for itself comes first
        comparing = one.part[0] in _COMPARING
        enough = len(tags) == TAGS or (comparing and tags) or (tags and one.telling < SURE)
        apart = one.lift >= (APART_COMPARED if comparing else APART)
        if apart and not enough and one.part[0] not in HEAD and not _implied(one.part, chosen, tags):
            tags.append(one.part)
    order = {slot: place for place, slot in enumerate(SLOTS)}
    tags.sort(key=lambda part: (order.get(part[0], len(order)), part))
    return (*(chosen[slot] for slot in HEAD if slot in chosen), *tags)


def _narrowest(said: Sequence[Said], chosen: Part, alike: Collection[str]) -> Part:
    """The narrowest category above or below the chosen one that most members are in, and that its last word names.

    :param alike: last words of more than one category: *Men* says neither shoes nor watches
    """
    paths = [one.part[1] for one in said if one.part[0] == "category"]
    near = [path for path in paths if path.startswith(chosen[1]) or chosen[1].startswith(path)]
    telling = [path for path in near if leaf(path) not in alike] or [chosen[1]]
    return "category", max(telling, key=lambda path: (path.count(" > "), path))


def _whoever(said: Sequence[Said]) -> Part:
    """Nothing of what they do sets them apart: what is true of nearly all, buyer or browser, else visitors."""
    plain = [one.part for one in said if one.part in (("who", "buyers"), ("who", "browsers")) and one.inside >= 0.8]
    return plain[0] if plain else ("who", "visitors")


_SAME = (
    {"orders_per_month", "spend_per_month", "days_since_order", "sessions_per_month", "regulars", "occasional",
     "lapsed", "browsers", "abandoners", "once"},
    {"recency_days", "sessions_per_month", "tenure_days", "first", "returning"},
    {"view_to_buy", "abandonment", "abandoners", "browsers", "orders_per_month", "regulars"},
    {"discount_share", "bargain"},
    {"searches_per_session", "searchers"},
    {"events_per_session", "session_minutes", "bounce_share", "dwell_seconds"},
    {"price_level", "margin_affinity", "average_order", "luxury", "premium", "mid", "budget"},
    {"category_focus", "brand_focus"},
)  # fmt: skip
"""Values that say nearly the same; one of each is enough."""


def _implied(part: Part, chosen: Mapping[str, Part], tags: Sequence[Part]) -> bool:
    said = [*chosen.values(), *tags]
    slot, value = part
    if slot in {one[0] for one in tags} - {"more", "less", "much", "trait"} or part in said:
        return True
    if slot == "much":
        near = [other for kind, other in said if kind in ("category", "much")]
        return any(value.startswith(other) or other.startswith(value) for other in near)
    if slot in _WHERE:
        return any(kind in _WHERE for kind, _ in tags)
    if slot == "color" or slot == "style" or slot == "brand":
        return any(kind in ("brand", "color", "style") for kind, _ in tags)
    return any(value in group and other in group for group in _SAME for _, other in said)


def _places(chosen: Sequence[tuple[Part, ...]]) -> Counter[str]:
    return Counter(name_of(parts).lower() for parts in chosen)


def _members(chosen: Sequence[tuple[Part, ...]], names: Sequence[str]) -> list[int]:
    return [place for place, parts in enumerate(chosen) if name_of(parts).lower() in names]


def _next(place: int, chosen: Sequence[tuple[Part, ...]], said: Sequence[Sequence[Said]]) -> Part | None:
    """One more thing that is true of most here and not said of all that have the same name."""
    mine = name_of(chosen[place]).lower()
    rivals = [other for other, parts in enumerate(chosen) if other != place and name_of(parts).lower() == mine]
    theirs = [{one.part: one.inside for one in said[other]} for other in rivals]
    slots = {part[0] for part in chosen[place] if part[0] in ("device", "place", "daypart", "visit")}
    best: tuple[float, Part] | None = None
    for one in said[place]:
        if one.part[0] in (*HEAD, *slots) or one.part in chosen[place] or _implied(one.part, {}, chosen[place]):
            continue
        gap = max(one.inside - other.get(one.part, 0.0) for other in theirs)
        if gap > 0 and any(one.part not in other for other in theirs) and (best is None or gap > best[0] + 1e-9):
            best = gap, one.part
    return best[1] if best else None


def _numbered(chosen: Sequence[tuple[Part, ...]]) -> list[tuple[Part, ...]]:
    """A number where nothing true tells two segments apart."""
    counts, seen, found = _places(chosen), Counter[str](), []
    for parts in chosen:
        name = name_of(parts).lower()
        seen[name] += 1
        more: tuple[Part, ...] = (("number", str(seen[name])),) if counts[name] > 1 and seen[name] > 1 else ()
        found.append((*parts, *more))
    return found
