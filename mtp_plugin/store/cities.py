"""How many people live in which city, from a file the merchant gives."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from ..errors import SettingError
from ..profile.enrich.place import city_key

GEONAMES = 19
"""Columns of GeoNames' files: number first, then name, with country at 8 and population at 14."""
REMEDY = (
    "use GeoNames' cities15000.txt, or a CSV with population and either geoname_id or city (and country) as its columns"
)


def read_cities(path: str) -> dict[str, int]:
    """Population by GeoNames number and by country and name, as :class:`PlaceEnricher` takes it.

    :raises SettingError: no such file, or of another form
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            rows = _geonames(file) if first.count("\t") == GEONAMES - 1 else _csv(file)
            found: dict[str, int] = {}
            for keys, people in rows:
                for key in keys:
                    # Of two places with one name the larger is the one that is meant.
                    found[key] = max(people, found.get(key, 0))
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise SettingError("MTP_CITIES", path, f"{REMEDY} ({type(error).__name__}: {error})") from error
    if not found:
        raise SettingError("MTP_CITIES", path, f"{REMEDY} (there is no city in it)")
    return found


def _geonames(lines: Iterator[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    for line in lines:
        row = line.rstrip("\n").split("\t")
        if len(row) == GEONAMES:
            yield (row[0], city_key(row[8], row[1]), city_key(row[8], row[2])), int(row[14] or 0)


def _csv(lines: Iterator[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    for row in csv.DictReader(lines):
        values = {str(name).strip().lower(): (value or "").strip() for name, value in row.items() if name}
        number, city, country = values.get("geoname_id", ""), values.get("city", ""), values.get("country", "")
        named = (city_key(country, city) if country else city.casefold(),) if city else ()
        keys = (*((number,) if number else ()), *named)
        if not keys:
            raise KeyError("geoname_id or city")
        yield keys, int(values["population"])
