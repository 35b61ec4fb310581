"""Country, region, city, and whether that is a big one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...memory import Remembered
from ...records import Place, Signals
from .base import Found

LIMIT = 5000
"""Places remembered."""
DENSE = 1500.0
"""People on a square kilometre from which a place is urban where nothing else tells: the degree of urbanisation that
Eurostat and the UN take for an urban centre."""


class PlaceEnricher:
    """``country``, ``region``, ``city``, ``urban``, ``time_zone``, and for other enrichers ``latitude``, ``longitude``.

    A city is urban when the merchant lists it, or when its population reaches *urban_population*. Without either list
    or population of any city nobody knows. A list alone decides for all cities.

    :param population: of cities, by GeoNames number or by :func:`city_key`
    :param urban_cities: GeoNames numbers, ``London`` or ``GB/London``
    """

    name = "place"
    live = False

    def __init__(
        self,
        *,
        urban_population: int = 100_000,
        population: Mapping[str, int] | None = None,
        urban_cities: Iterable[str] = (),
    ) -> None:
        if urban_population < 1:
            raise ValueError(f"urban_population must be at least 1, not {urban_population}")
        self._least, self._population = urban_population, population or {}
        self._listed = frozenset(_folded(name) for name in urban_cities)
        self._known: Remembered[Place, Found] = Remembered(LIMIT)

    def enrich(self, signals: Signals, found: Found) -> Found:
        place = signals.place
        if place is None:
            return {}
        known = self._known.get(place)
        return self._known.keep(place, self._read(place)) if known is None else known

    def _read(self, place: Place) -> Found:
        values = {
            "country": place.country,
            "region": place.region,
            "city": place.city,
            "time_zone": place.time_zone,
            "latitude": place.latitude,
            "longitude": place.longitude,
            "urban": self.urban(place),
        }
        return {name: value for name, value in values.items() if value not in ("", None)}

    def urban(self, place: Place) -> bool | None:
        """Whether a place is in a big city, ``None`` when it cannot be told."""
        keys = _keys(place)
        if any(key in self._listed for key in keys):
            return True
        people = next((self._population[key] for key in keys if key in self._population), None)
        if people is not None:
            return people >= self._least
        if place.density is not None:
            return place.density >= DENSE
        if not keys:
            return None
        return False if self._listed or self._population else None


def city_key(country: str, city: str) -> str:
    """Under which a city's population is found when its number is not known."""
    return _folded(f"{country}/{city}")


def _keys(place: Place) -> tuple[str, ...]:
    if not place.city and not place.city_id:
        return ()
    return str(place.city_id), city_key(place.country, place.city), _folded(place.city)


def _folded(name: str) -> str:
    return name.strip().casefold()
