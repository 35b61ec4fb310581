"""What a shop configures: each policy a row of ``MTP_BANDITS``, checked before anything runs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from ..errors import SettingError
from ..records import MAX_POSITION, Placement, Strategy
from .epsilon_greedy import EpsilonGreedy
from .linucb import LinUCB
from .thompson import Thompson
from .ucb1 import UCB1

KEY = "MTP_BANDITS"
MAX_ARMS = 50
WINDOW_HOURS = {"click": 0.5, "cart": 2.0, "purchase": 24.0, "revenue": 24.0, "margin": 24.0}
"""How long after it was seen a slate may earn a reward, by kind."""
FLOOR = 0.01

Text = str | Mapping[str, Any]


class Creative(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands over a block: an empty title is the placement's own."""

    title: str = ""
    message: str = ""
    message_url: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One policy and what it chooses.

    ``arms`` of a ``strategy`` are those that may stand first in the placement's ladder, its own ladder when empty; of
    a ``product`` ids, or a number: so many of the best candidates for the place ``position``; of a ``creative`` titles,
    or names with title, message and message_url. ``reward`` is what a slate that was seen earns within
    ``window_hours``; ``scale`` is the money that counts as 1. A day's impressions count ``discount`` times as much the
    day after; ``days`` limits how many days count at all, 0 does not. ``shared`` is how many impressions of everybody
    count beside a segment's own; 0 keeps segments apart, ``segments`` false knows none. ``floor`` is the least
    probability of an arm.
    """

    placement: str
    about: Literal["strategy", "product", "creative"]
    policy: Literal["thompson", "epsilon-greedy", "ucb1", "linucb"] = "thompson"
    arms: Any = ()
    position: int = 1
    reward: Literal["click", "cart", "purchase", "revenue", "margin"] = "click"
    window_hours: float | None = None
    scale: float | None = None
    floor: float | None = None
    discount: float = 0.97
    days: int = 0
    segments: bool = True
    shared: float = 200.0
    epsilon: float = 0.1
    alpha: float = 1.0
    note: str = ""
    name: str = ""
    creatives: dict[str, Creative] = {}

    @property
    def window(self) -> float:
        """Seconds after it was seen in which a slate may earn its reward."""
        return 3600.0 * (WINDOW_HOURS[self.reward] if self.window_hours is None else self.window_hours)

    @property
    def first(self) -> int:
        """How many of the best candidates are arms; 0 where the arms are named."""
        return self.arms if isinstance(self.arms, int) else 0

    @property
    def named(self) -> tuple[str, ...]:
        """The arms that the settings name; none where they are candidates."""
        return () if isinstance(self.arms, int) else tuple(self.arms)

    def made(self) -> Thompson | EpsilonGreedy | UCB1 | LinUCB:
        """The policy itself."""
        floor = FLOOR if self.floor is None else self.floor
        arms = self.first or len(self.named)
        floor = min(floor, 1.0 / arms) if arms else floor
        if self.policy == "thompson":
            return Thompson(floor=floor)
        if self.policy == "epsilon-greedy":
            return EpsilonGreedy(self.epsilon, floor)
        return UCB1(self.alpha, floor) if self.policy == "ucb1" else LinUCB(self.alpha, floor=floor)


def load_bandits(given: Mapping[str, Any], placements: Mapping[str, Placement]) -> dict[str, Row]:
    """The policies by name.

    :raises SettingError: one that cannot work, with the remedy
    """
    rows = {str(name): _row(str(name), value, placements) for name, value in given.items()}
    taken: dict[tuple[str, str], str] = {}
    for name, row in rows.items():
        other = taken.setdefault((row.placement, row.about), name)
        if other != name:
            raise _wrong(name, "about", row.about, f"{other!r} chooses that for {row.placement} already; remove one")
    return rows


def _row(name: str, value: Any, placements: Mapping[str, Placement]) -> Row:
    if set(value) & {"name", "creatives"}:
        raise SettingError(f"{KEY}[{name!r}]", value, "leave out name and creatives; creatives are arms")
    try:
        row = msgspec.convert(dict(value), Row)
    except msgspec.ValidationError as error:
        raise SettingError(f"{KEY}[{name!r}]", value, str(error).replace("`", "")) from None
    if row.placement not in placements:
        raise _wrong(name, "placement", row.placement, _nearest(row.placement, placements))
    row = msgspec.structs.replace(row, name=name)
    row = {"strategy": _strategies, "product": _products, "creative": _creatives}[row.about](row, placements)
    _numbers(row)
    return row


def _numbers(row: Row) -> None:
    arms = row.first or len(row.named)
    ranges = {
        "window_hours": (0.01, 24 * 90), "scale": (1e-9, 1e12), "discount": (0.5, 1.0), "days": (0, 3650),
        "shared": (0, 1e9), "epsilon": (0.0, 1.0), "alpha": (0.0, 100.0), "floor": (0.0, 1.0 / arms),
    }  # fmt: skip
    for field, (low, high) in ranges.items():
        value = getattr(row, field)
        if value is not None and not low <= value <= high:
            raise _wrong(row.name, field, value, f"use a number from {low:g} to {high:g}")
    if row.reward in ("revenue", "margin") and row.scale is None:
        remedy = "say how much money counts as a whole reward, such as 200: rewards lie between 0 and 1"
        raise _wrong(row.name, "scale", None, remedy)
    if row.policy == "ucb1" and row.alpha == 0.0:
        raise _wrong(row.name, "alpha", 0.0, "use a number above 0")


def _strategies(row: Row, placements: Mapping[str, Placement]) -> Row:
    arms = _texts(row, row.arms or placements[row.placement].strategies)
    for arm in arms:
        if arm not in tuple(Strategy):
            raise _wrong(row.name, "arms", arm, _nearest(arm, Strategy))
    return msgspec.structs.replace(row, arms=arms)


def _products(row: Row, placements: Mapping[str, Placement]) -> Row:
    size = placements[row.placement].size
    if not 1 <= row.position <= min(size, MAX_POSITION):
        raise _wrong(row.name, "position", row.position, f"use a place of the block, from 1 to {size}")
    if isinstance(row.arms, int) and not isinstance(row.arms, bool):
        if not 2 <= row.arms <= MAX_ARMS:
            raise _wrong(row.name, "arms", row.arms, f"use 2 to {MAX_ARMS} candidates")
        return row
    return msgspec.structs.replace(row, arms=_texts(row, row.arms))


def _creatives(row: Row, placements: Mapping[str, Placement]) -> Row:
    given = row.arms if isinstance(row.arms, Mapping) else {title: title for title in _texts(row, row.arms)}
    arms = _texts(row, list(given))
    try:
        made = {
            str(arm): Creative(title=text) if isinstance(text, str) else msgspec.convert(dict(text), Creative)
            for arm, text in given.items()
        }
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise _wrong(row.name, "arms", row.arms, f"give titles, or names with a title each: {error}") from None
    return msgspec.structs.replace(row, arms=arms, creatives=made)


def _texts(row: Row, value: Any) -> tuple[str, ...]:
    good = isinstance(value, (list, tuple)) and all(isinstance(arm, str) and 0 < len(arm) <= 200 for arm in value)
    if not good or not 2 <= len(value) <= MAX_ARMS or len(set(value)) < len(value):
        kind = "two or more different" if row.about != "product" else "a number, or two or more different"
        raise _wrong(row.name, "arms", value, f"give {kind} texts, {MAX_ARMS} at most")
    return tuple(str(arm) for arm in value)


def _wrong(name: str, field: str, value: Any, remedy: str) -> SettingError:
    return SettingError(f"{KEY}[{name!r}][{field!r}]", value, remedy)


def _nearest(word: str, known: Any) -> str:
    names = [str(one) for one in known]
    close = difflib.get_close_matches(word, names, n=1)
    return f"there is no such one; did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
