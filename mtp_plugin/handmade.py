"""Segments written by hand, before they are saved: checked, and counted on the profiles there are."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from .conditions import compile_condition
from .config import Settings
from .errors import ConditionError, InputError
from .facts import PROBABILITY, profile_facts
from .likely import Likely
from .ports import Journal, MadeSegment, SegmentBook
from .profile.features import FEATURES, WORDS
from .profile.traits import last_context
from .records import Context, Profile, Segment
from .segment.found import is_minor
from .segment.made import ROOTS, context_facts, paths_of

MAX_NAME = 80
SAMPLE = 20_000
"""Profiles that are looked at when there are more."""
BATCH = 1_000
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_OURS = re.compile(r"[sp]\d+")
_KNOWN = {feature.name for feature in (*FEATURES, *WORDS, PROBABILITY)} | {"returning", "customer", "discount_seeker"}

Progress = Callable[[str], None]


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many visitors a condition holds for.

    ``size`` is that number, an estimate where not all of the ``visitors`` were ``looked`` at; ``holds`` is how many it
    held for among those. ``size`` is ``None`` where it is below ``floor``, and then so is ``holds``. ``unknown`` are
    facts of a request: device, place and the like were taken as they were last, others as not known.
    """

    size: int | None
    share: float | None
    holds: int | None
    looked: int
    visitors: int
    floor: int
    unknown: tuple[str, ...] = ()

    def line(self) -> str:
        """The count as one readable line."""
        if self.size is None:
            return f"fewer than {self.floor} of {self.visitors:,} visitors"
        about = "" if self.looked == self.visitors else f"about, from {self.looked:,} looked at: "
        return f"{about}{self.size:,} of {self.visitors:,} visitors ({self.share or 0:.1%})"


def checked(made: MadeSegment, others: Sequence[Segment | MadeSegment] = ()) -> MadeSegment:
    """The segment with an id, if it lacks one made of its name.

    :param others: all other segments: neither id nor name may be theirs
    :raises InputError: an id or a name that cannot be, or is taken
    :raises ConditionError: a condition that cannot be read, or asks for what nobody knows
    """
    name = " ".join(made.name.split())
    if not 0 < len(name) <= MAX_NAME:
        raise InputError(f"a name has 1 to {MAX_NAME} characters, not {len(name)}", field="name")
    segment_id = made.segment_id or _slug(name)
    if not _ID.fullmatch(segment_id) or _OURS.fullmatch(segment_id):
        raise InputError(
            "an id has up to 60 small letters, digits and hyphens, such as margin-browsers; "
            "s or p with a number are ids of found segments",
            field="segment_id",
        )
    for other in others:
        if other.segment_id != segment_id and other.name.lower() == name.lower():
            raise InputError(f"segment {other.segment_id} has this name already", field="name")
    check_condition(made.condition)
    return msgspec.structs.replace(made, segment_id=segment_id, name=name)


def check_condition(condition: Mapping[str, Any]) -> None:
    """Refuse what could never be as it was meant.

    :raises ConditionError: malformed, empty, or a path that leads nowhere
    """
    compile_condition(condition)
    paths = paths_of(condition)
    if not paths:
        raise ConditionError(
            'an empty condition holds for everybody: say something, as {"profile.orders": {"$gte": 1}}'
        )
    for path in sorted(paths):
        root, _, rest = path.partition(".")
        step = rest.partition(".")[0]
        if root not in ROOTS or step not in _of(root):
            near = difflib.get_close_matches(path, [f"{one}.{name}" for one in ROOTS for name in sorted(_of(one))], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConditionError(f"{path} is nothing that is known of a visitor{hint}", field=path)


def count(
    journal: Journal,
    settings: Settings,
    condition: Mapping[str, Any],
    *,
    now: float,
    seed: int = 0,
    most: int = SAMPLE,
    likely: Likely | None = None,
    progress: Progress = lambda text: None,
) -> Count:
    """How many visitors it holds for now, from a sample where there are many; says how far it is.

    :param most: profiles to look at
    :param likely: tells purchases, for conditions that ask
    :raises ConditionError: malformed
    """
    holds, excluded = compile_condition(condition), frozenset(settings.segment_exclude_categories)
    ids = [one for batch in journal.profile_ids() for one in batch]
    chosen = _sample(ids, most, seed)
    looked = held = 0
    for profile in _profiles(journal, chosen, progress):
        if profile.events and not is_minor(profile.traits, settings.segment_min_age):
            context = context_facts(last_context(profile))
            held += holds({"profile": profile_facts(profile, now, excluded, likely), "context": context})
            looked += 1
    visitors = round(len(ids) * looked / len(chosen)) if chosen else 0
    share = held / looked if looked else 0.0
    size, floor = round(share * visitors), settings.segment_min_size
    shows = size >= floor
    return Count(
        size=size if shows else None,
        share=share if shows else None,
        holds=held if shows else None,
        looked=looked,
        visitors=visitors,
        floor=floor,
        unknown=tuple(sorted(path for path in paths_of(condition) if path.startswith("context"))),
    )


def recount(
    journal: Journal,
    book: SegmentBook,
    settings: Settings,
    *,
    now: float,
    seed: int = 0,
    likely: Likely | None = None,
) -> dict[str, int]:
    """Count all segments written by hand anew, as each refresh does; those below the floor count as 0."""
    made = book.made()
    sizes = {
        one.segment_id: count(journal, settings, one.condition, now=now, seed=seed, likely=likely).size or 0
        for one in made
        if _readable(one)
    }
    if sizes:
        book.counted(sizes, now)
    return sizes


def _of(root: str) -> set[str]:
    return _KNOWN if root == "profile" else set(Context.__struct_fields__)


def _slug(name: str) -> str:
    plain = name.lower()
    for letter, spelt in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        plain = plain.replace(letter, spelt)
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    return f"segment-{slug}" if not slug or _OURS.fullmatch(slug) else slug


def _sample(ids: Sequence[str], most: int, seed: int) -> Sequence[str]:
    if len(ids) <= most:
        return ids
    places = np.sort(np.random.default_rng(seed).choice(len(ids), size=most, replace=False))
    return [ids[place] for place in places]


def _profiles(journal: Journal, ids: Sequence[str], progress: Progress) -> Iterator[Profile]:
    for start in range(0, len(ids), BATCH):
        if start:
            progress(f"{start:,} of {len(ids):,} profiles looked at")
        yield from (profile for profile in journal.profiles(ids[start : start + BATCH]) if profile)


def _readable(made: MadeSegment) -> bool:
    try:
        compile_condition(made.condition)
    except ConditionError:
        return False
    return True
