"""Slates in SQLite or PostgreSQL, written by a thread of their own, so that no page waits for them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from ..kpi.sketch import product_hash
from ..records import Choice, ExposedSlate, SlateEntry
from .background import Background
from .chunks import chunks
from .database import Database
from .schema import slate, slate_profile
from .words import storable

log = logging.getLogger(__name__)

PARTS = 20
"""Stretches of time that a sample is spread over."""
SOME = 500
"""Ids asked for by one statement."""
PURGE = 1000
"""Slates deleted in one transaction."""

FEW, BREATH = 4, 0.0002
"""After so many slates were written out the thread sleeps so many seconds: a request that waits for the interpreter's
lock would else wait until it is taken from the thread, five milliseconds."""

_NEW = text(
    "INSERT INTO mtp_kpi_new (recommendation_id) SELECT :name"
    " WHERE NOT EXISTS (SELECT 1 FROM mtp_slate WHERE recommendation_id = :name) ON CONFLICT DO NOTHING"
)
"""Slates that key figures are still to count."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(SlateEntry).decode


Unmade = SlateEntry | Callable[[], SlateEntry]


class SqlSlates:
    """Implements :class:`mtp_plugin.ports.SlateLog`.

    :param limit: most slates waiting to be written; beyond it the oldest are lost and counted in ``lost``
    """

    def __init__(self, database: Database, *, limit: int = 10_000) -> None:
        self._database = database
        self._writer: Background[Unmade] = Background("mtp-slates", self._write, limit=limit)

    @property
    def lost(self) -> int:
        """How many slates were dropped in this process."""
        return self._writer.lost

    def watch(self, told: Callable[[int, int], None]) -> None:
        self._writer.watch = told

    def append(self, entry: Unmade) -> None:
        self._writer.put(entry)

    def flush(self, timeout: float = 5.0) -> None:
        self._writer.flush(timeout)

    def close(self) -> None:
        self._writer.close()

    def _write(self, unmade: list[Unmade]) -> None:
        entries: list[SlateEntry] = []
        rows: list[dict[str, Any]] = []
        for few in chunks(unmade, FEW):
            made = [entry for one in few if (entry := _made(one))]
            entries += made
            rows += [row for entry in made if (row := _row(entry))]
            time.sleep(BREATH)
        if not rows:
            return
        ids = {row["recommendation_id"] for row in rows}
        owners = list(_owners(entry for entry in entries if entry.slate.recommendation_id in ids))
        dialect: Any = sqlite if self._database.is_sqlite else postgresql
        with self._database.writing() as connection:
            # Before the slates are there: one that is written again was counted already.
            connection.execute(_NEW, [{"name": name} for name in sorted(ids)])
            connection.execute(dialect.insert(slate).on_conflict_do_nothing(), rows)
            if owners:
                connection.execute(dialect.insert(slate_profile).on_conflict_do_nothing(), owners)

    def get(self, recommendation_id: str) -> SlateEntry | None:
        if not storable(recommendation_id):
            return None
        query = select(slate.c.body).where(slate.c.recommendation_id == recommendation_id)
        with self._database.reading() as connection:
            body = connection.execute(query).scalar()
        return _entry(recommendation_id, body) if body is not None else None

    def sample(self, since: float, until: float, limit: int) -> list[SlateEntry]:
        columns = slate.c.recommendation_id, slate.c.body
        parts = min(PARTS, limit)
        edges = [since + (until - since) * part / parts for part in range(parts + 1)]
        found: list[SlateEntry] = []
        with self._database.reading() as connection:
            for begin, end in pairwise(edges):
                within = slate.c.created_at >= begin, slate.c.created_at < end
                query = select(*columns).where(*within).order_by(slate.c.created_at).limit(limit // parts)
                read = [_entry(name, body) for name, body in connection.execute(query)]
                found += [entry for entry in read if entry is not None]
        return found

    def between(self, since: float, until: float, *, batch: int = 500) -> Iterator[list[SlateEntry]]:
        columns = slate.c.created_at, slate.c.recommendation_id, slate.c.body
        place = tuple_(slate.c.created_at, slate.c.recommendation_id)
        last: tuple[float, str] = (since, "")
        while True:
            query = select(*columns).where(place > last, slate.c.created_at >= since, slate.c.created_at < until)
            with self._database.reading() as connection:
                query = query.order_by(slate.c.created_at, slate.c.recommendation_id).limit(batch)
                rows = connection.execute(query).all()
            if not rows:
                return
            last = (rows[-1][0], rows[-1][1])
            yield [entry for _, name, body in rows if (entry := _entry(name, body)) is not None]

    def exposed(self, since: float, until: float, *, batch: int = 500) -> Iterator[list[ExposedSlate]]:
        names = ("recommendation_id", "created_at", "segment_id", "device", "experiments")
        columns = [slate.c[name] for name in names]
        place, last = tuple_(slate.c.created_at, slate.c.recommendation_id), (since, "")
        while True:
            within = place > last, slate.c.created_at >= since, slate.c.created_at < until
            query = select(*columns).where(*within, slate.c.experiments != "[]")
            with self._database.reading() as connection:
                query = query.order_by(slate.c.created_at, slate.c.recommendation_id).limit(batch)
                rows = connection.execute(query).all()
            if not rows:
                return
            last = (rows[-1].created_at, rows[-1].recommendation_id)
            yield [_exposed(*row) for row in rows]

    def took(self, recommendation_ids: Sequence[str]) -> dict[str, float]:
        found: dict[str, float] = {}
        columns = slate.c.recommendation_id, slate.c.took_us
        with self._database.reading() as connection:
            for some in chunks([name for name in dict.fromkeys(recommendation_ids) if storable(name)], SOME):
                for name, took in connection.execute(select(*columns).where(slate.c.recommendation_id.in_(some))):
                    found[name] = took / 1000
        return found

    def erase(self, profile_id: str) -> int:
        if not storable(profile_id):
            return 0
        # What is still queued would otherwise be written after the erasure.
        self.flush()
        own = select(slate_profile.c.recommendation_id).where(slate_profile.c.profile_id == profile_id)
        with self._database.writing() as connection:
            return connection.execute(delete(slate).where(slate.c.recommendation_id.in_(own))).rowcount

    def of(self, profile_id: str) -> Iterator[SlateEntry]:
        if not storable(profile_id):
            return
        self.flush()
        own = select(slate_profile.c.recommendation_id).where(slate_profile.c.profile_id == profile_id)
        query = select(slate.c.recommendation_id, slate.c.body).where(slate.c.recommendation_id.in_(own))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(slate.c.created_at)).all()
        yield from (entry for entry in (_entry(*row) for row in rows) if entry is not None)

    def purge(self, before: float, *, dry: bool = False) -> int:
        if dry:
            query = select(func.count()).select_from(slate).where(slate.c.created_at < before)
            with self._database.reading() as connection:
                return connection.execute(query).scalar_one()
        old = select(slate.c.recommendation_id).where(slate.c.created_at < before).limit(PURGE)
        purged = 0
        while True:
            with self._database.writing() as connection:
                count = connection.execute(delete(slate).where(slate.c.recommendation_id.in_(old))).rowcount
            purged += count
            if count < PURGE:
                return purged


def _made(entry: Unmade) -> SlateEntry | None:
    """The entry; one that cannot be made does not take the others with it."""
    if not callable(entry):
        return entry
    try:
        return entry()
    except Exception:
        log.exception("a slate cannot be stored")
        return None


def _row(entry: SlateEntry) -> dict[str, Any] | None:
    try:
        body = _encode(entry)
    except (TypeError, ValueError, OverflowError) as error:
        log.warning("slate %s cannot be stored: %s", entry.slate.recommendation_id, error)
        return None
    made = entry.slate
    return {
        "recommendation_id": made.recommendation_id,
        "created_at": made.created_at,
        "placement": made.placement,
        "body": body,
        "strategy": made.strategy,
        "segment_id": made.segment.segment_id if made.segment else "",
        "consent_level": made.consent_level.value,
        "device": entry.request.context.device,
        "fallback_level": made.fallback_level,
        "took_us": made.took_us,
        "items": len(made.items),
        "model_version": made.model_version,
        "choices": _text([_chosen(choice) for choice in made.choices]),
        "experiments": _text(entry.exposures),
        "products": b"".join([product_hash(item.product_id) for item in made.items]),
    }


def _chosen(choice: Choice) -> dict[str, Any]:
    return {"policy": choice.policy, "about": choice.about, "arm": choice.arm, "position": choice.position}


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _entry(recommendation_id: str, body: bytes) -> SlateEntry | None:
    try:
        return _decode(body)
    except msgspec.DecodeError as error:
        # Slates do not outlive a change of their form: they are kept for some weeks only and never converted.
        log.warning("slate %s was stored in another form: %s", recommendation_id, error)
        return None


def _exposed(name: str, made: float, segment_id: str, device: str, experiments: str) -> ExposedSlate:
    return ExposedSlate(
        recommendation_id=name,
        created_at=made,
        segment_id=segment_id,
        device=device,
        exposures=dict(msgspec.json.decode(experiments, type=list[tuple[str, int]])),
    )


def _owners(entries: Iterable[SlateEntry]) -> Iterable[dict[str, str]]:
    for entry in entries:
        for profile_id in dict.fromkeys(entry.request.profile_ids):
            yield {"profile_id": profile_id, "recommendation_id": entry.slate.recommendation_id}
