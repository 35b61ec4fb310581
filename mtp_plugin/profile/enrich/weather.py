"""The weather where the visitor is, as far as it is known without waiting."""

from __future__ import annotations

from ...ports import WeatherSource
from ...records import Signals
from .base import Found


class WeatherEnricher:
    """``weather`` and ``temperature`` at ``latitude`` and ``longitude``.

    :param source: asked with coordinates rounded to a tenth of a degree, about ten kilometres: no weather is finer,
        and nobody lives alone in such a square
    """

    name = "weather"
    live = True

    def __init__(self, source: WeatherSource) -> None:
        self._source = source

    def enrich(self, signals: Signals, found: Found) -> Found:
        latitude, longitude = found.get("latitude"), found.get("longitude")
        if latitude is None or longitude is None:
            return {}
        reading = self._source.now(round(latitude, 1), round(longitude, 1))
        if reading is None:
            return {}
        return {"weather": reading.weather, "temperature": reading.temperature}
