"""Placements: the ones every shop starts with, and those it adds or changes in code or in a JSON file."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..errors import SettingError
from ..records import Placement, Strategy

KEY = "MTP_PLACEMENTS"
LAYOUTS = ("grid", "carousel", "list")
MAX_SIZE = 48
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

DEFAULTS: tuple[Placement, ...] = (
    Placement(
        name="home-hero",
        title="",
        strategies=(Strategy.RECOMMENDED_FOR_YOU, Strategy.TRENDING_ITEMS, Strategy.BEST_SELLERS),
    ),
    Placement(name="home-trending", title="", strategies=(Strategy.TRENDING_ITEMS,), size=12, layout="carousel"),
    Placement(name="product-similar", title="", strategies=(Strategy.RELATED_PRODUCTS,), size=12, layout="carousel"),
    Placement(
        name="product-together",
        title="",
        strategies=(Strategy.FREQUENTLY_BOUGHT_TOGETHER, Strategy.RELATED_PRODUCTS),
        size=4,
    ),
    Placement(
        name="cart-complete",
        title="",
        strategies=(Strategy.FREQUENTLY_BOUGHT_TOGETHER, Strategy.RECOMMENDED_FOR_YOU),
        size=4,
        layout="list",
    ),
    Placement(name="category-top", title="", strategies=(Strategy.BEST_SELLERS,), size=6),
    Placement(name="search-empty", title="", strategies=(Strategy.RECOMMENDED_FOR_YOU, Strategy.BEST_SELLERS), size=6),
    Placement(name="recently-viewed", title="", strategies=(Strategy.RECENTLY_VIEWED,), size=12, layout="carousel"),
)
"""An empty title means: named after the strategy that answered, in the shop's language (:mod:`.words`)."""


MOST_EXPLORED = 0.5
"""The largest share of slates that may hold a new product for the sake of trying it."""


def load_placements(value: Mapping[str, Any] | str | Path) -> dict[str, Placement]:
    """The default placements with the shop's own added or laid over them, by name.

    :param value: placement name to its options (those of :class:`~mtp_plugin.records.Placement`, ``strategy`` being
        short for a ladder of one) or to a whole ``Placement``; or the path of a JSON file with such a mapping
    :raises SettingError: an option that does not exist or cannot work, named with its placement, and the remedy
    """
    placements = {placement.name: placement for placement in DEFAULTS}
    for name, options in _mapping(value).items():
        placements[name] = _placement(name, options, placements.get(name))
    return placements


def with_options(placement: Placement, options: Mapping[str, Any]) -> Placement:
    """A placement with *options* laid over it, checked as those of the configuration are.

    :raises SettingError: an option that does not exist or cannot work
    """
    return _placement(placement.name, options, placement)


def _mapping(value: Mapping[str, Any] | str | Path) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, str) and not value.strip():
        return {}
    try:
        read = json.loads(Path(value).read_text(encoding="utf-8"))
    except OSError as error:
        remedy = f"the file cannot be read ({error.strerror}); give the path of a JSON file"
        raise SettingError(KEY, str(value), remedy) from error
    except ValueError as error:
        raise SettingError(KEY, str(value), f"the file is not JSON ({error}); mend it") from error
    if not isinstance(read, dict):
        raise SettingError(KEY, str(value), "the file must hold an object of placement names, each with its options")
    return read


def _placement(name: Any, options: Any, base: Placement | None) -> Placement:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingError(KEY, name, "name a placement with small letters, digits and hyphens, such as home-hero")
    if isinstance(options, Placement):
        base, options = options, {}
    if not isinstance(options, Mapping):
        raise SettingError(_at(name), options, 'give options, such as {"strategy": "best-sellers", "size": 6}')
    checked = {key: _option(name, key, options[key]) for key in options}
    if "strategy" in checked:
        checked["strategies"] = checked.pop("strategy")
    if base is None:
        if "strategies" not in checked:
            raise SettingError(_at(name), dict(options), f"say which strategy fills it: one of {', '.join(Strategy)}")
        base = Placement(name=name, title="", strategies=checked["strategies"])
    placement = msgspec.structs.replace(base, name=name, **checked)
    return _whole(placement)


def _whole(placement: Placement) -> Placement:
    """Check a finished placement, whichever way it came."""
    for field in ("title", "strategies", "size", "min_items", "layout"):
        _option(placement.name, field, getattr(placement, field))
    if placement.min_items > placement.size:
        raise SettingError(
            _at(placement.name, "min_items"), placement.min_items, f"use at most its size, {placement.size}"
        )
    return placement


def _option(name: str, key: str, value: Any) -> Any:
    if key not in _CHECKS:
        raise SettingError(_at(name, key), value, _nearest("option", key, _CHECKS))
    return _CHECKS[key](_at(name, key), value)


def _at(name: str, key: str = "") -> str:
    return f"{KEY}[{name!r}]" + (f"[{key!r}]" if key else "")


def _nearest(kind: str, word: object, known: Collection[str]) -> str:
    close = difflib.get_close_matches(str(word), known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
    return f"there is no such {kind}; {hint}"


def _text(at: str, value: Any) -> str:
    if not isinstance(value, str):
        raise SettingError(at, value, "use a string")
    return value.strip()


def _flag(at: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise SettingError(at, value, "use true or false")
    return value


def _whole_number(low: int, high: int) -> Callable[[str, Any], int]:
    def check(at: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise SettingError(at, value, f"use a whole number from {low} to {high}")
        return value

    return check


def _share(at: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_EXPLORED:
        raise SettingError(at, value, f"use a share from 0 to {MOST_EXPLORED}")
    return float(value)


def _layout(at: str, value: Any) -> str:
    if value not in LAYOUTS:
        raise SettingError(at, value, _nearest("layout", value, LAYOUTS))
    return str(value)


def _strategies(at: str, value: Any) -> tuple[str, ...]:
    ladder = (value,) if isinstance(value, str) else value
    if not isinstance(ladder, (list, tuple)) or not ladder:
        raise SettingError(at, value, f"use one strategy or a list of them: {', '.join(Strategy)}")
    names = tuple(str(strategy) for strategy in Strategy)
    for strategy in ladder:
        if strategy not in names:
            raise SettingError(at, strategy, _nearest("strategy", strategy, names))
    if len(set(ladder)) < len(ladder):
        raise SettingError(at, value, "name each strategy once")
    return tuple(str(strategy) for strategy in ladder)


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "title": _text,
    "strategy": _strategies,
    "strategies": _strategies,
    "size": _whole_number(1, MAX_SIZE),
    "min_items": _whole_number(1, MAX_SIZE),
    "layout": _layout,
    "enabled": _flag,
    "exclude_in_view": _flag,
    "allow_repeats": _flag,
    "exploration": _share,
}
