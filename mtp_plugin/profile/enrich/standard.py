"""The enrichers that every shop has, in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...config import Settings
from ...ports import WeatherSource
from .arrival import ArrivalEnricher
from .base import Enricher
from .browser import BrowserEnricher
from .clock import ClockEnricher
from .null import NoWeather
from .place import PlaceEnricher
from .weather import WeatherEnricher


def standard_enrichers(
    settings: Settings, weather: WeatherSource, population: Mapping[str, int], own: Sequence[Enricher] = ()
) -> list[Enricher]:
    """Browser, place, arrival, the shop's *own*, clock, weather: the last two look at what all others say of the place.

    :param population: of cities, as :class:`PlaceEnricher` takes it
    """
    place = PlaceEnricher(
        urban_population=settings.urban_population, population=population, urban_cities=settings.urban_cities
    )
    clock = ClockEnricher(settings.time_zone, settings.commuting)
    known: list[Enricher] = [BrowserEnricher(), place, ArrivalEnricher(), *own, clock]
    return known if isinstance(weather, NoWeather) else [*known, WeatherEnricher(weather)]
