"""Chooses the stores by the settings and puts them together; nothing connects before it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..config import Settings
from ..ports import Cache, CatalogStore, ConsentLog, Journal, Leases, ModelRegistry, SlateLog
from .bundle_folder import open_bundle_folder
from .cache import SharedCache
from .database import Database
from .registry import Registry, SqlPointers
from .sql_catalog import SqlCatalog
from .sql_consents import SqlConsents
from .sql_journal import SqlJournal
from .sql_leases import SqlLeases
from .sql_slates import SqlSlates

HOUR = 3600.0


@dataclass(slots=True)
class Stores:
    """All stores of one mounted plugin.

    ``probes`` give ``""`` when well, else what is wrong. ``close`` writes what waits and closes all connections; a
    later use opens them again.
    """

    journal: Journal
    catalog_store: CatalogStore
    slates: SlateLog
    consents: ConsentLog
    leases: Leases
    registry: ModelRegistry
    cache: Cache
    probes: dict[str, Callable[[], str]] = field(default_factory=dict)
    close: Callable[[], None] = lambda: None


def open_stores(settings: Settings, instance_path: str) -> Stores:
    """The stores that *settings* ask for.

    With no settings: SQLite in ``mtp.sqlite`` and models in ``mtp_models``, both in *instance_path*, made when first
    used. ``MTP_DATABASE_URL`` puts the tables elsewhere, ``MTP_REDIS_URL`` puts copies of profiles and the cache into
    Redis, ``MTP_MODEL_FOLDER`` the models into another folder or behind an fsspec URL.
    """
    instance = Path(instance_path).absolute()
    database = Database(settings.database_url or f"sqlite:///{instance / 'mtp.sqlite'}", settings.latency_budget_ms)
    journal = SqlJournal(database, settings.dedupe_hours * HOUR)
    slates = SqlSlates(database)
    folder = open_bundle_folder(settings.model_folder or str(instance / "mtp_models"), instance / "mtp_model_copies")
    probes = {"database": database.probe, "models": folder.probe}
    cache = SharedCache()

    def close() -> None:
        slates.close()
        journal.close()
        database.close()

    return Stores(
        journal=journal,
        catalog_store=SqlCatalog(database),
        slates=slates,
        consents=SqlConsents(database),
        leases=SqlLeases(database),
        registry=Registry(folder, SqlPointers(database)),
        cache=cache,
        probes=probes,
        close=close,
    )
