"""Chooses the stores by the settings and puts them together; nothing connects before it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..config import Settings
from ..outbound import Outbound
from ..ports import (
    Activity,
    AlertBook,
    AuditLog,
    BanditState,
    Cache,
    CartBook,
    CatalogStore,
    ChangeLog,
    ConsentLog,
    Cursors,
    ForwardBook,
    Identity,
    Journal,
    KpiBook,
    Leases,
    ModelRegistry,
    Outcomes,
    Places,
    RuleStore,
    SegmentBook,
    SlateLog,
    SubjectLog,
    WeatherSource,
    WebhookBox,
)
from ..profile.enrich.null import NoPlaces, NoWeather
from .breaker import Breaker
from .bundle_folder import open_bundle_folder
from .cache import SharedCache, redis_backend
from .cached_bandits import CachedBandits
from .database import Database
from .http_weather import HttpWeather
from .maxmind import MaxMindPlaces
from .near_journal import NearJournal
from .redis_client import open_redis
from .redis_journal import RedisJournal
from .redis_state import RedisState
from .registry import Registry, SqlPointers
from .replica import Replica
from .schema import experiment_change, placement_change
from .sealed import Seal
from .sql_activity import SqlActivity
from .sql_alerts import SqlAlerts
from .sql_audit import SqlAudit
from .sql_bandits import SqlBandits
from .sql_catalog import SqlCatalog
from .sql_changes import SqlChanges
from .sql_consents import SqlConsents
from .sql_identity import SqlIdentity
from .sql_journal import SqlJournal
from .sql_kpi import SqlKpis
from .sql_leases import SqlLeases
from .sql_outcomes import SqlOutcomes
from .sql_queues import SqlCarts, SqlCursors, SqlForwards
from .sql_rules import SqlRules
from .sql_segments import SqlSegments
from .sql_slates import SqlSlates
from .sql_subjects import SqlSubjects
from .sql_webhooks import SqlWebhooks

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
    outcomes: Outcomes
    consents: ConsentLog
    audit: AuditLog
    requests: SubjectLog
    leases: Leases
    registry: ModelRegistry
    segments: SegmentBook
    cache: Cache
    rules: RuleStore
    identity: Identity
    webhooks: WebhookBox
    cursors: Cursors
    carts: CartBook
    forwards: ForwardBook
    placements: ChangeLog
    experiments: ChangeLog
    activity: Activity
    bandits: BanditState
    alerts: AlertBook
    kpis: KpiBook
    outbound: Outbound = field(default_factory=Outbound)
    places: Places = field(default_factory=NoPlaces)
    weather: WeatherSource = field(default_factory=NoWeather)
    probes: dict[str, Callable[[], str]] = field(default_factory=dict)
    close: Callable[[], None] = lambda: None


def open_stores(settings: Settings, instance_path: str, audit_keys: Sequence[bytes] = ()) -> Stores:
    """The stores that *settings* ask for.

    With no settings: SQLite in ``mtp.sqlite`` and models in ``mtp_models``, both in *instance_path*, made when first
    used. ``MTP_DATABASE_URL`` puts the tables elsewhere, ``MTP_REDIS_URL`` puts copies of profiles and the cache into
    Redis, ``MTP_MODEL_FOLDER`` the models into another folder or behind an fsspec URL.

    :param audit_keys: keys that seal the audit log, the newest last
    """
    instance = Path(instance_path).absolute()
    database = Database(_database_url(settings, instance), settings.latency_budget_ms)
    replica = Replica(settings.replica_url, settings.latency_budget_ms) if settings.replica_url else None
    events = _journal(database, settings, replica)
    slates = SqlSlates(database)
    folder = open_bundle_folder(settings.model_folder or str(instance / "mtp_models"), instance / "mtp_model_copies")
    probes = {"database": database.probe, "models": folder.probe}
    if replica is not None:
        probes["replica"] = replica.probe
    journal: Journal = events
    cache, client = SharedCache(), None
    bandits: BanditState = SqlBandits(database)
    if settings.redis_url:
        client = open_redis(settings.redis_url, settings.latency_budget_ms)
        breaker = Breaker("Redis")
        journal = copied = RedisJournal(events, RedisState(client), breaker)
        cache = SharedCache(redis_backend(client), breaker=breaker)
        bandits = CachedBandits(bandits, cache)
        probes["redis"] = copied.probe

    places = MaxMindPlaces(settings.place_database) if settings.place_database else NoPlaces()
    outbound = Outbound(settings.outbound_allow)
    weather = _weather(settings, outbound)

    def close() -> None:
        if isinstance(weather, HttpWeather):
            weather.close()
        slates.close()
        events.close()
        database.close()
        if replica is not None:
            replica.close()
        if client is not None:
            client.close()

    return Stores(
        journal=journal,
        catalog_store=SqlCatalog(database),
        slates=slates,
        outcomes=SqlOutcomes(database),
        consents=SqlConsents(database),
        audit=SqlAudit(database, audit_keys),
        requests=SqlSubjects(database),
        leases=SqlLeases(database),
        registry=Registry(folder, SqlPointers(database)),
        segments=SqlSegments(database),
        cache=cache,
        rules=SqlRules(database),
        places=places,
        weather=weather,
        outbound=outbound,
        placements=SqlChanges(database, placement_change),
        experiments=SqlChanges(database, experiment_change),
        activity=SqlActivity(database),
        alerts=SqlAlerts(database),
        kpis=SqlKpis(database),
        bandits=bandits,
        webhooks=SqlWebhooks(database, Seal(audit_keys)),
        cursors=SqlCursors(database),
        carts=SqlCarts(database),
        forwards=SqlForwards(database),
        identity=SqlIdentity(
            database,
            events.marks if isinstance(events, NearJournal) else lambda: None,
            settings.identity_max_nodes,
        ),
        probes=probes,
        close=close,
    )


def _journal(database: Database, settings: Settings, replica: Replica | None) -> SqlJournal:
    """With copies of profiles in each process where all of them can be told of changes: on the machine of a SQLite."""
    window_s = settings.dedupe_hours * HOUR
    path = database.url.database
    if not database.is_sqlite or settings.redis_url or not path or path == ":memory:":
        return SqlJournal(database, window_s, replica)
    return NearJournal(database, window_s, Path(f"{Path(path).resolve()}-marks"))


def _weather(settings: Settings, outbound: Outbound) -> HttpWeather | NoWeather:
    if not settings.weather_url:
        return NoWeather()
    return HttpWeather(
        settings.weather_url,
        fields=settings.weather_fields,
        seconds=settings.weather_minutes * 60,
        timeout=settings.weather_timeout,
        outbound=outbound,
    )


def is_far(settings: Settings) -> bool:
    """Whether the database may be away while this machine is well."""
    return bool(settings.database_url) and not settings.database_url.startswith("sqlite")


def stores_exist(settings: Settings, instance_path: str) -> bool:
    """Whether there may be something to load: a database server, or a SQLite file that is there already."""
    url = _database_url(settings, Path(instance_path).absolute())
    return not url.startswith("sqlite") or Path(url.partition("///")[2]).exists()


def _database_url(settings: Settings, instance: Path) -> str:
    return settings.database_url or f"sqlite:///{instance / 'mtp.sqlite'}"
