"""Everything one mounted plugin holds: one object in ``app.extensions["mtp"]``, built by ``extension``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .alert_targets import AlertTarget
from .audience import Audiences
from .bandits import LiveBandits
from .config import Settings
from .experiments import LiveExperiments
from .outbound import Outbound
from .people import People
from .pipeline import Pipeline
from .placed import LivePlacements
from .ports import (
    Activity,
    AlertBook,
    AuditLog,
    BanditState,
    Broker,
    Bus,
    Cache,
    CartBook,
    Catalog,
    CatalogStore,
    ChangeLog,
    ConsentLog,
    Cursors,
    ForwardBook,
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
from .privacy.pii import Hasher
from .privacy.subjects import Subjects
from .profile.enrich.chain import Enrichment
from .profile.enrich.join import Crm
from .rule_source import RuleSource
from .rulebook import Rulebook
from .track.intake import Intake
from .track.outgoing import Target
from .track.webhooks.sources import Source


@dataclass(slots=True)
class Loaders:
    """What the shop tells the plugin; each is set by the decorator of the same name on ``MTP``."""

    user: Callable[[], str | None] | None = None
    """The account id of the signed-in customer, ``None`` when nobody is signed in."""
    staff: Callable[[], bool] | None = None
    """Whether a member of the staff acts as the customer in this request."""
    cart: Callable[[], Iterable[str]] | None = None
    """Product ids in the cart of this request."""
    nonce: Callable[[], str] | None = None
    """The nonce of this response's Content-Security-Policy."""
    price: Callable[[float, str], str] | None = None
    """A price and its currency as the shop writes it."""
    admin: Callable[[], Any] | None = None
    """Who may open the console, and as what; without it there is none."""


@dataclass(frozen=True, slots=True)
class OrderSource:
    """A system of the shop that holds orders: *rows* gives those changed since a time, asked every *every* seconds."""

    name: str
    rows: Callable[[float], Iterable[Mapping[str, Any]]]
    every: float = 3600.0


@dataclass(slots=True)
class State:
    """The parts of one mounted plugin."""

    settings: Settings
    pipeline: Pipeline
    intake: Intake
    journal: Journal
    bus: Bus
    catalog_store: CatalogStore
    slates: SlateLog
    outcomes: Outcomes
    consents: ConsentLog
    audit: AuditLog
    requests: SubjectLog
    subjects: Subjects
    leases: Leases
    registry: ModelRegistry
    segments: SegmentBook
    cache: Cache
    rules: RuleStore
    rule_source: RuleSource
    rulebook: Rulebook
    placements: LivePlacements
    activity: Activity
    bandit_state: BanditState
    bandits: LiveBandits
    experiments: LiveExperiments
    experiment_log: ChangeLog
    hasher: Hasher
    enrichment: Enrichment
    places: Places
    weather: WeatherSource
    people: People
    webhooks: WebhookBox
    cursors: Cursors
    carts: CartBook
    forwards: ForwardBook
    audiences: Audiences
    alerts: AlertBook
    kpis: KpiBook
    outbound: Outbound
    broker: Broker | None = None
    """Takes events to other systems of the shop."""
    order_sources: dict[str, OrderSource] = field(default_factory=dict)
    """Where past and new orders are asked for, by name."""
    crms: dict[str, Crm] = field(default_factory=dict)
    """The CRMs that traits come from, by name."""
    catalog: Catalog | None = None
    """The shop's own catalogue, if it gave one; else the imported one answers."""
    sources: dict[str, Source] = field(default_factory=dict)
    """Who may post webhooks."""
    targets: dict[str, Target] = field(default_factory=dict)
    """To whom events are forwarded."""
    told: dict[str, AlertTarget] = field(default_factory=dict)
    """Who is told of alerts."""
    loaders: Loaders = field(default_factory=Loaders)
    probes: dict[str, Callable[[], str]] = field(default_factory=dict)
    """Health probes by name; each gives ``""`` when well, else what is wrong."""
    close: Callable[[], None] = lambda: None
