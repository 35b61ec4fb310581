"""Places of networks from a MaxMind database; a broken or missing one costs a line in the log and nothing else."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import islice
from pathlib import Path
from typing import Any

import maxminddb

from ..memory import Remembered
from ..records import Place
from .breaker import first_line

log = logging.getLogger(__name__)

LOOK_AGAIN = 60.0
"""Seconds between two looks whether the file was replaced."""
DAMAGED = "is damaged: what it says of some networks cannot be read"
"""Instead of the library's words, which name the address that was looked up."""
LIMIT = 20_000
TRIED = 200
"""Networks read to see whether a database is whole."""
Address = IPv4Address | IPv6Address
_KEPT = {4: 24, 6: 48}
"""Bits of an address, by its version, that may be kept."""
_FAULTS = (maxminddb.InvalidDatabaseError, OSError, ValueError, KeyError, TypeError, UnicodeDecodeError)


class MaxMindPlaces:
    """Implements :class:`mtp_plugin.ports.Places`.

    What was found is remembered by network, /24 or /48, and only where the database says that it holds for all of it;
    an address is never kept. The file may be replaced while it is in use, as MaxMind's updater does.

    :param path: of an ``.mmdb`` file, a city or country database
    :param clock: seconds, for looking whether the file changed
    """

    def __init__(self, path: str | Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = Path(path), clock
        self._lock = threading.Lock()
        self._reader: maxminddb.Reader | None = None
        self._mark: tuple[int, int] | None = None
        self._looked = float("-inf")
        self._trouble = ""
        self._known: Remembered[str, tuple[Place | None]] = Remembered(LIMIT)

    def find(self, address: str) -> Place | None:
        if self._clock() - self._looked > LOOK_AGAIN:
            self._look()
        network = network_of(address)
        known = self._known.get(network)
        if known is not None:
            return known[0]
        reader, where = self._reader, _address(address)
        if reader is None or where is None:
            return None
        try:
            found, bits = reader.get_with_prefix_len(where)
            place = _place(found)
        except _FAULTS:
            self._broken(DAMAGED)
            return None
        if network and bits <= _KEPT[where.version]:
            self._known.keep(network, (place,))
        return place

    def probe(self) -> str:
        self._look()
        if self._reader is None:
            return self._trouble
        try:
            for _, found in islice(self._reader, TRIED):
                _place(found)
        except _FAULTS:
            return self._broken(DAMAGED)
        return ""

    def _look(self) -> None:
        """Open the file if it is new."""
        with self._lock:
            self._looked = self._clock()
            try:
                stat = self._path.stat()
                mark = (stat.st_mtime_ns, stat.st_size)
                if mark == self._mark and self._reader is not None:
                    return
                # Not closed: another thread may be reading the old one, which goes when the last lets go of it.
                self._reader, self._mark = maxminddb.open_database(str(self._path)), mark
            except _FAULTS as error:
                self._reader = None
                missing = isinstance(error, FileNotFoundError)
                self._broken("is not there" if missing else f"cannot be opened: {first_line(error)}")
            else:
                self._trouble = ""
            self._known = Remembered(LIMIT)

    def _broken(self, how: str) -> str:
        """Say it once, however many visitors come."""
        trouble = f"the place database {self._path} {how}"
        if trouble != self._trouble:
            self._trouble = trouble
            log.warning("%s; places are unknown where it fails", trouble)
        return trouble


def network_of(address: str) -> str:
    """The network of an address as far as it may be kept: 24 bits of IPv4 or 48 of IPv6, ``""`` for what is none.

    >>> network_of("81.2.69.142"), network_of("2001:db8:1:2::7"), network_of("2001:db8::7"), network_of("nowhere")
    ('81.2.69', '2001:db8:1', '2001:db8:0', '')
    """
    if ":" not in address:
        return address.rpartition(".")[0]
    where = _address(address)
    if where is None:
        return ""
    if where.version == 4:
        return str(where).rpartition(".")[0]
    return ":".join(f"{int(where) >> shift & 0xFFFF:x}" for shift in (112, 96, 80))


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _place(found: Any) -> Place | None:
    if not isinstance(found, Mapping):
        return None
    location, city = found.get("location") or {}, found.get("city") or {}
    regions: list[Mapping[str, Any]] = found.get("subdivisions") or [{}]
    country = (found.get("country") or {}).get("iso_code", "")
    if not country and not city:
        return None
    return Place(
        country=country,
        region=regions[0].get("iso_code", ""),
        city=(city.get("names") or {}).get("en", ""),
        city_id=city.get("geoname_id", 0),
        latitude=location.get("latitude"),
        longitude=location.get("longitude"),
        time_zone=location.get("time_zone", ""),
        density=location.get("population_density"),
    )
