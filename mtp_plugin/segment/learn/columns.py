"""Which features a refresh learns from: those of the configuration that this shop's visitors have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from .claims import PLACES

LEAST_KNOWN = 0.01
"""Share of visitors of whom a column must say something."""
LEAST_SPREAD = 0.02
"""Standard deviation of a share below which it tells nobody from anybody."""
MOST = {"category": 24, "brand": 12, "color": 8, "style": 8, "country": 8, "traits": 24}
MOST_OTHER = 12
"""Most columns of a family."""
MOST_WORDS = 8
"""Most columns of one trait that is a word, such as the city: the most frequent, so that others have room."""
WORDS = frozenset({"top_category", "top_brand", "top_price_tier", "top_device", "new_or_returning", "cart_abandoned"})


def choose_columns(
    features: Sequence[Mapping[str, Any]], wanted: Sequence[str] = (), most: Mapping[str, int] = MOST
) -> tuple[str, ...]:
    """Names of columns, scalars first, then the values of families that tell visitors apart most.

    :param features: of a sample of visitors
    :param wanted: features to use, all if empty; a name with a minus before it is left out
    """
    scalars: dict[str, int] = {}
    families: dict[str, dict[str, list[float]]] = {}
    known: dict[str, int] = {}
    for one in features:
        for name, value in one.items():
            if name in WORDS or not _asked(name, wanted):
                continue
            known[name] = known.get(name, 0) + 1
            if isinstance(value, Mapping):
                _collect(families.setdefault(name, {}), name, value)
            else:
                scalars[name] = scalars.get(name, 0) + 1
    enough = max(1.0, LEAST_KNOWN * len(features))
    names = [name for name in scalars if scalars[name] >= enough]
    for family in sorted(families):
        names += _best(family, families[family], known[family], most.get(family, MOST_OTHER), enough)
    return tuple(names)


def spoken_columns(
    features: Sequence[Mapping[str, Any]], wanted: Sequence[str], learnt_from: Collection[str]
) -> tuple[str, ...]:
    """Names of further columns that names and lifts may speak of where segments are found by some features only.

    Where somebody is and on what they look says much of a segment that was found by taste. Of the traits only places
    are taken: what else a shop knows of people is spoken of where it asks for it.

    :param features: of a sample of visitors
    :param wanted: features to find segments by; a name with a minus before it is not spoken of either
    :param learnt_from: the columns that segments are found by
    """
    if all(name.startswith("-") for name in wanted):
        return ()  # all there is was learnt from
    left_out = [name for name in wanted if name.startswith("-")]
    found = choose_columns(features, left_out)
    return tuple(name for name in found if name not in learnt_from and _may_be_spoken_of(name))


def _may_be_spoken_of(column: str) -> bool:
    family, _, value = column.partition(".")
    return family != "traits" or value.partition("=")[0] in (*PLACES, "urban")


def _asked(name: str, wanted: Sequence[str]) -> bool:
    if f"-{name}" in wanted:
        return False
    positive = [one for one in wanted if not one.startswith("-")]
    return not positive or name in positive


def _collect(values: dict[str, list[float]], family: str, said: Mapping[str, Any]) -> None:
    for name, value in said.items():
        if family == "traits" and (isinstance(value, (str, bool)) or value is None):
            if value is not None and len(str(value)) <= 60:
                text = str(value).lower() if isinstance(value, bool) else value
                values.setdefault(f"{name}={text}", []).append(1.0)
        elif isinstance(value, (int, float)):
            values.setdefault(name, []).append(float(value))


def _best(family: str, values: Mapping[str, Sequence[float]], known: int, most: int, enough: float) -> list[str]:
    """The values with the widest spread, none that says the same as one above it."""
    spread = {
        name: (_spread(numbers, known) if _is_share(family, name) else 1.0)
        for name, numbers in values.items()
        if len(numbers) >= enough
    }
    chosen: list[str] = []
    words: Counter[str] = Counter()
    for name in sorted(spread, key=lambda one: (-spread[one], one)):
        above = name.rpartition(" > ")[0]
        only_child = above in spread and spread[name] >= 0.98 * spread[above] and f"{family}.{above}" in chosen
        trait = name.partition("=")[0] if family == "traits" and "=" in name else ""
        if spread[name] < LEAST_SPREAD or only_child or words[trait] == MOST_WORDS:
            continue
        words[trait] += bool(trait)
        chosen.append(f"{family}.{name}")
        if len(chosen) == most:
            break
    return sorted(chosen)


def _is_share(family: str, name: str) -> bool:
    return family != "traits" or "=" in name


def _spread(numbers: Sequence[float], known: int) -> float:
    """Standard deviation, those of whom nothing of this value is said counting as zero."""
    array = np.asarray(numbers)
    mean = array.sum() / known
    return float(np.sqrt(max(0.0, (array**2).sum() / known - mean**2)))
