"""Where a CRM's rows come from: a file, a database, an HTTP API, or the shop's own code."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ..errors import InputError, SetupError, UnavailableError
from ..outbound import Outbound
from .breaker import first_line

ROWS = 1000
LARGEST = 50_000_000
"""Bytes of one answer of an API."""
PAGES = 100_000
TRIES = 3
AGAIN = (429, 500, 502, 503, 504)

Rows = Iterator[Mapping[str, Any]]


class CallableRows:
    """Implements :class:`mtp_plugin.ports.TraitSource`: rows that the shop's own code gives.

    :param function: gives an iterable of mappings, each time it is called
    """

    def __init__(self, function: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        if not callable(function):
            raise SetupError(f"a CRM's rows come from a callable, a file or an address, not {function!r}")
        self._function = function

    def rows(self) -> Rows:
        for row in self._function():
            if not isinstance(row, Mapping):
                raise InputError(f"the CRM's callable gives {type(row).__name__}, and mappings are needed")
            yield row


class CsvRows:
    """Implements :class:`mtp_plugin.ports.TraitSource`: a CSV file with a heading line, gzipped if it says so.

    Columns may be parted by comma, semicolon or tab.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def rows(self) -> Rows:
        try:
            opened: Any = gzip.open if self._path.suffix == ".gz" else open
            with opened(self._path, "rt", encoding="utf-8-sig", newline="") as file:
                yield from _table(file)
        except (OSError, UnicodeDecodeError, csv.Error, EOFError, zlib.error) as error:
            raise UnavailableError(f"{self._path} cannot be read: {first_line(error)}") from error


class SqlRows:
    """Implements :class:`mtp_plugin.ports.TraitSource`: the rows of a query, fetched as they are needed.

    :param url: SQLAlchemy URL of the CRM's database; the driver must be installed
    :param query: what to select, such as ``SELECT id, tier FROM customer``
    :raises SetupError: the URL cannot be read
    """

    def __init__(self, url: str, query: str) -> None:
        try:
            self._url = make_url(url)
        except ArgumentError as error:
            raise SetupError("the URL of a CRM's database cannot be read: use one of SQLAlchemy's form") from error
        if self._url.drivername == "postgresql":  # the default before SQLAlchemy 2.1 is another driver
            self._url = self._url.set(drivername="postgresql+psycopg")
        self._query = text(query)

    def rows(self) -> Rows:
        where = self._url.render_as_string(hide_password=True)
        try:
            engine = create_engine(self._url)
        except (SQLAlchemyError, ImportError) as error:
            raise SetupError(f"the CRM's database {where} cannot be opened: {first_line(error)}") from error
        try:
            with engine.connect().execution_options(stream_results=True, max_row_buffer=ROWS) as connection:
                for row in connection.execute(self._query).mappings():
                    yield dict(row)
        except SQLAlchemyError as error:
            raise UnavailableError(f"the CRM's database {where}: {first_line(error)}") from error
        finally:
            engine.dispose()


class HttpRows:
    """Implements :class:`mtp_plugin.ports.TraitSource`: a JSON or CSV answer of an API, page after page.

    :param url: of the first page
    :param headers: such as ``{"Authorization": "Bearer ..."}``; sent to this host alone
    :param items: dotted path of the list of rows in a JSON answer, empty if the answer is the list
    :param next: dotted path of the next page's address; a ``Link`` header with ``rel="next"`` is followed anyway
    :param timeout: seconds for the connection, and again for each piece of the answer
    :param outbound: opens the connections; without one only public addresses are reached
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        items: str = "",
        next: str = "",
        timeout: float = 20.0,
        pause: float = 1.0,
        outbound: Outbound | None = None,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise SetupError("a CRM's address begins with http:// or https://")
        if timeout <= 0:
            raise ValueError(f"timeout must be positive seconds, not {timeout}")
        self._url, self._headers, self._items, self._next = url, dict(headers or {}), items, next
        self._timeout, self._pause = timeout, pause
        self._outbound = outbound or Outbound()

    def rows(self) -> Rows:
        url, seen = self._url, set[str]()
        with self._outbound.session() as session:
            while url and url not in seen and len(seen) < PAGES:
                seen.add(url)
                answer, body = self._get(session, url)
                rows, following = self._read(answer, body)
                yield from rows
                url = self._checked(following or answer.links.get("next", {}).get("url", ""), url)

    def _get(self, session: requests.Session, url: str) -> tuple[requests.Response, bytes]:
        """The answer, tried again when it may be better a moment later."""
        host = urlsplit(url).hostname
        for left in reversed(range(TRIES)):
            try:
                with session.get(url, headers=self._headers, timeout=self._timeout, stream=True) as answer:
                    if answer.status_code == 200:
                        return answer, _bounded_body(answer)
                    trouble = f"{host} answered {answer.status_code}"
                    final = answer.status_code not in AGAIN
            except (requests.RequestException, OSError) as error:
                trouble, final = f"{host}: {type(error).__name__}", False
            if final or not left:
                break
            time.sleep(self._pause * (TRIES - left))
        raise UnavailableError(f"the CRM cannot be read: {trouble}")

    def _read(self, answer: requests.Response, body: bytes) -> tuple[Iterable[Mapping[str, Any]], str]:
        host = urlsplit(answer.url).hostname
        if "csv" in answer.headers.get("Content-Type", ""):
            return _table(io.StringIO(body.decode("utf-8-sig", "replace"), newline="")), ""
        try:
            data = json.loads(body)
        except ValueError as error:
            raise UnavailableError(f"{host} answered no JSON") from error
        rows, following = at_path(data, self._items), at_path(data, self._next) if self._next else ""
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            where = f"at {self._items!r}" if self._items else "as its answer"
            raise UnavailableError(f"{host} has no list of objects {where}; say where with items")
        return rows, following if isinstance(following, str) else ""

    def _checked(self, following: str, url: str) -> str:
        """The next page's address; our headers may hold a key, so it must be of the same host."""
        if not following:
            return ""
        whole, first = urlsplit(urljoin(url, following)), urlsplit(self._url)
        if (whole.scheme, whole.netloc) != (first.scheme, first.netloc):
            raise UnavailableError(f"the next page is on another host, {whole.hostname}")
        return whole.geturl()


def at_path(data: Any, path: str) -> Any:
    """What stands at a dotted path, ``None`` when nothing does; the whole for an empty path."""
    for step in path.split(".") if path else ():
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and step.isdecimal() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def _bounded_body(answer: requests.Response) -> bytes:
    body = bytearray()
    for piece in answer.iter_content(65_536):
        body += piece
        if len(body) > LARGEST:
            raise UnavailableError(f"one answer has more than {LARGEST:,} bytes; ask for smaller pages")
    return bytes(body)


def _table(file: Any) -> Rows:
    first = file.readline()
    file.seek(0)
    delimiter = max(",;\t", key=first.count)
    for row in csv.DictReader(file, delimiter=delimiter):
        yield {name.strip(): value for name, value in row.items() if isinstance(name, str)}
