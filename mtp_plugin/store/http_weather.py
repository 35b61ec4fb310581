"""The weather from an HTTP service: any that answers a GET with JSON."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from ..errors import UnavailableError
from ..outbound import Outbound
from ..records import Reading
from .later import Later
from .trait_sources import at_path

LARGEST = 100_000
"""Bytes of an answer that are read."""
KNOWN_FORMS: tuple[Mapping[str, str], ...] = (
    {"weather": "current.weather_code", "temperature": "current.temperature_2m"},
    {"weather": "weather.0.main", "temperature": "main.temp"},
)
"""Where Open-Meteo and OpenWeather have them."""
WMO = {
    **dict.fromkeys((0, 1), "clear"),
    **dict.fromkeys((2, 3), "clouds"),
    **dict.fromkeys((45, 48), "fog"),
    **dict.fromkeys((51, 53, 55, 56, 57), "drizzle"),
    **dict.fromkeys((61, 63, 65, 66, 67, 80, 81, 82), "rain"),
    **dict.fromkeys((71, 73, 75, 77, 85, 86), "snow"),
    **dict.fromkeys((95, 96, 99), "thunderstorm"),
}
"""Words for the codes of the World Meteorological Organization (table 4677, as weather services abridge it)."""


class HttpWeather:
    """Implements :class:`mtp_plugin.ports.WeatherSource`.

    :param template: address with ``{latitude}`` and ``{longitude}``
    :param fields: dotted paths of ``weather`` and ``temperature`` in the answer; empty tries :data:`KNOWN_FORMS`
    :param seconds: how long a reading holds
    :param timeout: seconds for the connection, and again for each piece of the answer
    :param outbound: opens the connections; without one only public addresses are reached
    :param pause: seconds without a try after a first failure
    """

    def __init__(
        self,
        template: str,
        *,
        fields: Mapping[str, str] | None = None,
        seconds: float = 1800.0,
        timeout: float = 3.0,
        pause: float = 10.0,
        outbound: Outbound | None = None,
    ) -> None:
        if timeout <= 0:
            raise ValueError(f"timeout must be positive seconds, not {timeout}")
        self._template, self._timeout, self._outbound = template, timeout, outbound or Outbound()
        self._forms = (dict(fields),) if fields else KNOWN_FORMS
        self._later: Later[tuple[float, float], Reading] = Later("weather", self._fetch, seconds=seconds, pause=pause)
        self.flush, self.close = self._later.flush, self._later.close

    def now(self, latitude: float, longitude: float) -> Reading | None:
        return self._later.get((latitude, longitude))

    def probe(self) -> str:
        return self._later.trouble

    def _fetch(self, where: tuple[float, float]) -> Reading:
        latitude, longitude = where
        address = self._template.format(latitude=latitude, longitude=longitude)
        # A key may stand in the address, so an error names the host alone.
        host = urlsplit(address).hostname
        try:
            with (
                self._outbound.session() as session,
                session.get(address, timeout=self._timeout, stream=True) as answer,
            ):
                if answer.status_code != 200:
                    raise UnavailableError(f"{host} answered {answer.status_code}")
                body = _whole(answer, time.monotonic() + 3 * self._timeout)
        except (requests.RequestException, OSError) as error:
            raise UnavailableError(f"{host}: {type(error).__name__}") from error
        return self._read(body, host or "")

    def _read(self, body: bytes, host: str) -> Reading:
        try:
            answer = json.loads(body) if len(body) <= LARGEST else None
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise UnavailableError(f"{host} answered no JSON object of at most {LARGEST} bytes")
        for form in self._forms:
            reading = Reading(_word(_at(answer, form.get("weather"))), _degrees(_at(answer, form.get("temperature"))))
            if reading != Reading():
                return reading
        raise UnavailableError(f"{host} answered without weather where MTP_WEATHER_FIELDS looks for it")


def _whole(answer: requests.Response, until: float) -> bytes:
    """The body, read byte by byte: a timeout of the library starts anew with each one that drips in."""
    body = bytearray()
    for byte in answer.iter_content(1):
        body += byte
        if len(body) > LARGEST:
            break
        if time.monotonic() > until:
            raise TimeoutError("the answer does not end")
    return bytes(body)


def _at(answer: Any, path: str | None) -> Any:
    return at_path(answer, path) if path else None


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return WMO.get(value, "")
    return value.strip().lower()[:40] if isinstance(value, str) and value.isprintable() else ""


def _degrees(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = float(value)
    return round(number, 1) if math.isfinite(number) and -100 < number < 70 else None
