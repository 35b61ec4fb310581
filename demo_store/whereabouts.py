"""Where the simulated shoppers are and on what they look: as made up as they are themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtp_plugin.config import Settings
from mtp_plugin.profile.enrich.chain import EVENT_FIELDS
from mtp_plugin.profile.enrich.clock import ClockEnricher

from .personas import Persona

CLOCK = ClockEnricher("Europe/Berlin", Settings().commuting)
BROWSERS = {"mobile": ("ios", "safari"), "tablet": ("android", "chrome"), "desktop": ("windows", "chrome")}


@dataclass(frozen=True, slots=True)
class Town:
    """A place with what a place database would say of it."""

    city: str
    country: str
    region: str
    urban: bool
    time_zone: str
    latitude: float
    longitude: float


NEW_YORK = Town("New York", "US", "NY", True, "America/New_York", 40.7, -74.0)
LONDON = Town("London", "GB", "ENG", True, "Europe/London", 51.5, -0.1)
BERLIN = Town("Berlin", "DE", "BE", True, "Europe/Berlin", 52.5, 13.4)
ULM = Town("Ulm", "DE", "BW", True, "Europe/Berlin", 48.4, 10.0)
ZELL = Town("Zell am See", "AT", "5", False, "Europe/Vienna", 47.3, 12.8)
GHENT = Town("Ghent", "BE", "VLG", True, "Europe/Brussels", 51.1, 3.7)
BERGEN = Town("Bergen", "NO", "46", True, "Europe/Oslo", 60.4, 5.3)
LISBON = Town("Lisbon", "PT", "11", True, "Europe/Lisbon", 38.7, -9.1)

HOMES: Mapping[str, tuple[Town, ...]] = {
    "vera": (NEW_YORK, NEW_YORK, NEW_YORK, NEW_YORK, NEW_YORK, LONDON),
    "ben": (BERLIN, BERLIN, LONDON),
    "flora": (GHENT, ULM, ZELL),
    "niko": (BERLIN, ULM, GHENT),
    "greta": (ZELL, ULM, GHENT),
    "milo": (LONDON, NEW_YORK, BERLIN),
    "dora": (ULM, ZELL, LISBON),
    "tove": (BERGEN, BERGEN, LISBON),
}
"""Where each kind of shopper lives, its own account in the first."""
MOBILE = {"vera": 0.85, "ben": 0.9, "flora": 0.5, "niko": 0.15, "greta": 0.35, "milo": 0.8, "dora": 0.55, "tove": 0.7}
"""Part of each kind that looks on a telephone; of the others one in five has a tablet."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """One shopper's town and device."""

    town: Town
    device: str

    def context(self, at: float) -> dict[str, Any]:
        """What an event of theirs keeps of its moment, as the plugin's enrichers would have said it.

        :param at: seconds since 1970
        """
        town = self.town
        system, browser = BROWSERS[self.device]
        known = {
            **CLOCK.at(at, town.time_zone),
            **{"device": self.device, "os": system, "browser": browser},
            **{"city": town.city, "country": town.country, "region": town.region, "urban": town.urban},
        }
        return {name: known[name] for name in EVENT_FIELDS if name in known and (known[name] or name == "urban")}


def whereabouts_of(persona: Persona, dice: np.random.Generator | None = None) -> Whereabouts:
    """Where somebody of this kind is; without dice the one whose account it is."""
    homes, mobile = HOMES[persona.key], MOBILE[persona.key]
    if dice is None:
        return Whereabouts(homes[0], "mobile" if mobile >= 0.5 else "desktop")
    town = homes[int(dice.integers(len(homes)))]
    if dice.random() < mobile:
        return Whereabouts(town, "mobile")
    return Whereabouts(town, "tablet" if dice.random() < 0.2 else "desktop")
