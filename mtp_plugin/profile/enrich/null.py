"""Where nothing is configured: no places, no weather."""

from __future__ import annotations

from ...records import Place, Reading


class NoPlaces:
    """Implements :class:`mtp_plugin.ports.Places`: nobody knows."""

    def find(self, address: str) -> Place | None:
        return None

    def probe(self) -> str:
        return ""


class NoWeather:
    """Implements :class:`mtp_plugin.ports.WeatherSource`: it is unknown."""

    def now(self, latitude: float, longitude: float) -> Reading | None:
        return None

    def probe(self) -> str:
        return ""
