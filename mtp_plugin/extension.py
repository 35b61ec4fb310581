"""The Flask extension: ``MTP(app)`` and everything a shop says to it."""

from __future__ import annotations

import atexit
import hmac
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click
from blinker import NamedSignal
from flask import Blueprint, Flask, current_app

from .alert_targets import load_alert_targets
from .audience import Audiences
from .bandit.rows import load_bandits
from .bandits import LiveBandits
from .block.placements import load_placements
from .bus.open import open_broker, open_bus
from .config import Settings
from .errors import InputError, MTPError, SetupError, UnavailableError
from .experiment.rows import load_experiments
from .experiments import Assigned, LiveExperiments
from .jobs import Jobs, Scheduler
from .live import Live
from .patience import patiently
from .people import People
from .pipeline import Pipeline, Stages
from .placed import LivePlacements
from .ports import AuditLog, Catalog, ConsentDecision
from .privacy.holders import CartHolder, ForwardHolder, IdentityHolder, OutcomeHolder, StreamHolder, WebhookHolder
from .privacy.pii import Hasher
from .privacy.subjects import KINDS
from .profile.enrich.base import Enricher, Found
from .profile.enrich.browser import prepare
from .profile.enrich.chain import Enrichment, OwnEnricher
from .profile.enrich.standard import standard_enrichers
from .records import Event, ImportResult, Link, Placement, Receipt, Rejected, Signals, Slate
from .rule_source import RuleSource
from .rulebook import Rulebook
from .scheduled import import_declared, standard_jobs
from .signals import consent_changed, model_changed
from .state import Loaders, OrderSource, State
from .store.background import Background
from .store.cities import read_cities
from .store.crm import crm_of, declared_crm
from .store.open import is_far, open_stores, stores_exist
from .subjects import open_subjects, tell
from .track.contacts import Contacts
from .track.identifiers import time_ordered_id
from .track.intake import Intake
from .track.outgoing import load_targets
from .track.webhooks.sources import load_sources
from .trial import check
from .web.blueprint import create_blueprint, install
from .web.collect import accept
from .web.parts import get_state, signing_keys
from .web.sender import own_sender
from .web.slates import slate_for_request
from .web.subjects import SubjectReceipt, ask_for_visitor
from .web.variations import variation_of_visitor
from .web.visitor import PURPOSE, current_visitor

log = logging.getLogger(__name__)

EXTENSION = "mtp"
F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E", bound=Callable[[Signals, Found], Mapping[str, Any] | None])


class MTP:
    """Micro-targeted personalisation for one Flask application.

    .. code-block:: python

        app = Flask(__name__)
        app.secret_key = "..."
        mtp = MTP(app)

    or, in an application factory, ``mtp = MTP()`` and later ``mtp.init_app(app)``, or
    ``app.register_blueprint(mtp.blueprint, url_prefix="/shop/mtp")``. What is declared on the object (loaders,
    catalogue, placements) holds for every application that it is mounted on; what runs is kept per application in
    ``app.extensions["mtp"]``.

    :param app: the application to mount on at once
    """

    def __init__(self, app: Flask | None = None) -> None:
        self._loaders = Loaders()
        self._catalog: Catalog | None = None
        self._enrichers: list[Enricher] = []
        self._crms: dict[str, tuple[Any, dict[str, Any]]] = {}
        self._order_sources: dict[str, OrderSource] = {}
        if app is not None:
            self.init_app(app)

    # ------------------------------------------------------------------------------------------ mounting

    def init_app(self, app: Flask) -> None:
        """Mount on *app* under ``MTP_URL_PREFIX``.

        :raises SetupError: mounted already, no secret key, or a setting that cannot work
        """
        app.register_blueprint(self.blueprint)

    @property
    def blueprint(self) -> Blueprint:
        """A blueprint to register by hand, under any prefix; registering it mounts the plugin."""
        return create_blueprint(self._set_up)

    def _set_up(self, app: Flask, url_prefix: str) -> None:
        _refuse_second(app)
        if not app.secret_key:
            raise SetupError("mtp signs its cookies: set app.secret_key (a long random string) before mounting")
        settings = Settings.read(app.config)
        placements = load_placements(settings.placements)
        unknown = set(settings.placements_off) - set(placements)
        if unknown:
            raise SetupError(
                f"MTP_PLACEMENTS_OFF names {', '.join(sorted(unknown))}; there are {', '.join(placements)}"
            )
        state = _build(app, settings, placements, self._loaders, self._catalog, self._enrichers, self._crms)
        state.order_sources = dict(self._order_sources)
        app.extensions[EXTENSION] = state
        _part_who_withdraws(app, state.people)
        install(app, state, url_prefix)
        app.cli.add_command(_commands())
        atexit.register(state.close)
        if not _serves():
            return
        prepare()
        if settings.scheduler:
            _schedule(app, state)
        if stores_exist(settings, app.instance_path):
            _preload(state)

    # ---------------------------------------------------------------------------------------- declarations

    def user_loader(self, function: F) -> F:
        """Declare who is signed in: a callable that gives the account id or ``None``."""
        self._loaders.user = function
        return function

    def staff_loader(self, function: F) -> F:
        """Declare whether a member of the staff acts as the customer: nothing that then happens is the customer's."""
        self._loaders.staff = function
        return function

    def cart_loader(self, function: F) -> F:
        """Declare what is in the cart: a callable that gives product ids."""
        self._loaders.cart = function
        return function

    def nonce_loader(self, function: F) -> F:
        """Declare the nonce of this response's Content-Security-Policy."""
        self._loaders.nonce = function
        return function

    def price_formatter(self, function: F) -> F:
        """Declare how the shop writes a price: a callable of amount and currency that gives text."""
        self._loaders.price = function
        return function

    def admin_guard(self, function: F) -> F:
        """Declare who may open the console: a callable that gives ``None``, a role, or a role and a name.

        The roles are ``viewer``, ``merchandiser`` and ``administrator``; the name is written beside each change.
        Without a guard there is no console. It may answer by itself, such as by ``abort(redirect("/sign-in"))``.
        """
        self._loaders.admin = function
        return function

    def catalog(self, catalog: Catalog) -> None:
        """Declare the shop's own catalogue; it is asked what can be bought, and imported from by ``import-catalog``."""
        self._catalog = catalog

    def enricher(self, function: E) -> E:
        """Declare something that the shop knows of a request: a callable of
        :class:`~mtp_plugin.records.Signals` and what is known so far, which gives names and values.

        Names of :class:`~mtp_plugin.records.Context` replace what the plugin found; others appear as
        ``context.extra.<name>``. It runs before the clock and the weather are looked up, so that a ``time_zone``,
        ``latitude`` and ``longitude`` it gives count for them. It runs in each request: what takes longer than
        microseconds it has to remember. One that fails is logged and left out.
        """
        self._enrichers.append(OwnEnricher(getattr(function, "__name__", type(function).__name__), function))
        return function

    def crm(self, name: str, source: Any, **join: Any) -> None:
        """Declare a system that knows customers; the job ``traits`` and ``flask mtp import-traits`` read it.

        :param name: stands in the origin of its traits, ``crm:<name>``
        :param source: a CSV file, an address that answers JSON or CSV, a database's URL (with *query*), or a callable
            that gives mappings
        :param join: ``id`` or ``email`` name the column of the account's id or of an address (or its hash);
            ``traits`` our names and their columns; ``everyone`` keeps traits of accounts never seen here; ``headers``,
            ``items``, ``next`` are an address's
        :raises SetupError: it cannot work so, or the name is taken
        """
        if name in self._crms:
            raise SetupError(f"there is a CRM {name!r} already: give the second one another name")
        crm_of(name, source, join)  # whether it can work is said here; the one that serves knows the settings
        self._crms[name] = source, join

    def order_source(self, name: str, *, hours: float = 1.0) -> Callable[[F], F]:
        """Declare where the shop's orders are: a callable that is asked for those changed since a time.

        It takes seconds since 1970, 0 the first time, and gives mappings with ``order_id``, ``placed_at``,
        ``changed_at``, one of ``user_id``, ``email`` and ``anonymous_id``, ``products``, ``total`` and ``status``.

        :param name: in small letters; part of what makes a row recognisable, so it must stay
        :param hours: how often it is asked
        :raises SetupError: the name is taken, or a number that cannot work
        """
        if name in self._order_sources or not name or not hours > 0:
            raise SetupError(
                f"order_source({name!r}, hours={hours}): give each source a name of its own, and hours above 0"
            )

        def declare(function: F) -> F:
            self._order_sources[name] = OrderSource(name, function, hours * 3600)
            return function

        return declare

    # ---------------------------------------------------------------------------------------------- use

    @patiently()
    def track(
        self,
        name: str,
        properties: Mapping[str, Any] | None = None,
        *,
        user_id: str | None = None,
        strict: bool = False,
    ) -> Receipt:
        """Record an event from the shop's own code, such as ``mtp.track("Order Completed", {...})``.

        Inside a request it belongs to the visitor of the request, under the visitor's consent. Outside, or for
        somebody else, say *user_id*.

        An event that cannot be kept does not take the shop's page with it: it is logged, and the receipt's ``errors``
        say why, with code ``unavailable`` when sending it again may help.

        :param strict: raise instead, as in the application's debug mode
        :raises InputError: the event is malformed (strict or debug only)
        :raises UnavailableError: it could not be stored (strict or debug only)
        """
        state = get_state()
        if not state.settings.enabled:
            return Receipt(accepted=0)
        try:
            parsed = state.intake.own(name, dict(properties or {}), own_sender(state, user_id), time.time())
            return accept(state, parsed)
        except Exception as error:
            if strict or current_app.debug:
                raise
            return _not_kept(name, error)

    @patiently()
    def identify(
        self,
        traits: Mapping[str, Any] | None = None,
        *,
        email: str = "",
        phone: str = "",
        user_id: str | None = None,
        strict: bool = False,
    ) -> Receipt:
        """Say what is known of the visitor of this request, or of the account *user_id*.

        E-mail and phone are kept as keyed hashes, and link the visitor to whoever gave the same before. Faults are
        treated as by :meth:`track`.

        :param traits: such as ``{"plan": "gold"}``; what says who somebody is, is left out
        """
        state = get_state()
        if not state.settings.enabled:
            return Receipt(accepted=0)
        try:
            given = {**(traits or {}), "email": email, "phone": phone}
            parsed = state.intake.about(given, own_sender(state, user_id), time.time())
            return accept(state, parsed)
        except Exception as error:
            if strict or current_app.debug:
                raise
            return _not_kept("Identify", error)

    def recommend(self, placement: str, **options: Any) -> Slate:
        """The slate of a placement for the visitor of this request, as data; *options* as for ``mtp_block``."""
        return slate_for_request(get_state(), placement, **options)

    def variation(self, experiment: str) -> Assigned:
        """What the visitor of this request is to see of an experiment of ``MTP_EXPERIMENTS``.

        Asking counts as an exposure: ask where the difference is shown, not before. Visitors without full consent,
        bots, and code outside of a request get the control and are not counted.

        :raises NotFoundError: no such experiment (in the application's debug mode; else a variation without variables)
        """
        return variation_of_visitor(get_state(), experiment)

    def subject_request(self, kind: str, traits: Mapping[str, Any] | None = None) -> SubjectReceipt:
        """What the visitor of this request asks of their data, for an account page of the shop's own.

        :param kind: ``erase``, ``restrict``, ``lift``, ``object`` or ``rectify``
        :param traits: for ``rectify``: new values by name, ``None`` empties one
        :raises UnauthorizedError: nobody is signed in and there is no cookie
        """
        if kind not in KINDS:
            raise InputError(f"kind must be one of {', '.join(KINDS)}", field="kind")
        return ask_for_visitor(kind, dict(traits or {}))

    def edit_interest(self, value: str, *, facet: str = "category", wanted: bool = True) -> bool:
        """The visitor's own word on an interest: wanted, it counts like a purchase; unwanted, it is forgotten.

        It is kept as an event, so that folding profiles anew keeps it.

        :param value: such as ``Things > Lamps``, as affinities name it
        :param facet: ``category``, ``brand``, ``color``, ``style`` or ``price_tier``
        :returns: whether there was a profile to change
        """
        state, properties = get_state(), {"facet": facet, "value": value, "wanted": wanted}
        known = [profile for profile in state.journal.profiles(current_visitor().profile_ids) if profile]
        for profile in known:
            tell(state.pipeline, profile.profile_id, "Interests Edited", properties=properties)
        return bool(known)

    def hash_email(self, address: str) -> str:
        """The keyed hash of an e-mail address, such as ``k1:9f86...``, to name a customer without the address.

        :raises InputError: it is none
        """
        return get_state().hasher.email(address)

    def hash_phone(self, number: str, region: str = "US") -> str:
        """The keyed hash of a phone number; *region* is the ISO 3166 country of a number without a country code.

        :raises InputError: it is none
        """
        return get_state().hasher.phone(number, region)

    def import_catalog(self) -> ImportResult:
        """Import the declared catalogue now, as the job ``catalog`` does; what vanished from it is hidden.

        :raises SetupError: none is declared, or it failed
        """
        return import_declared(get_state())


def _not_kept(name: str, error: Exception) -> Receipt:
    """Log why an event of the shop's own code was lost, and say it; values of unexpected errors may be personal."""
    if isinstance(error, InputError):
        rejected = Rejected(index=0, code=error.code, message=error.message, field=error.field)
    elif isinstance(error, UnavailableError):
        rejected = Rejected(index=0, code="unavailable", message=str(error), field="")
    else:
        rejected = Rejected(index=0, code="internal", message=type(error).__name__, field="")
    expected = isinstance(error, MTPError)
    log.error("event %r was not kept: %s %s", name, rejected.field, rejected.message, exc_info=not expected)
    return Receipt(accepted=0, errors=(rejected,))


def _refuse_second(app: Flask) -> None:
    if EXTENSION in app.extensions:
        raise SetupError(
            "mtp is mounted on this application already: remove the second MTP(app), init_app or register_blueprint; "
            "a second shop needs an application of its own"
        )


def _build(
    app: Flask,
    settings: Settings,
    placements: dict[str, Placement],
    loaders: Loaders,
    catalog: Catalog | None,
    enrichers: Sequence[Enricher],
    crms: Mapping[str, tuple[Any, dict[str, Any]]],
) -> State:
    stores = open_stores(settings, app.instance_path, _audit_keys(app))
    rules = RuleSource(stores.rules, settings, placements)
    placed = LivePlacements(placements, stores.placements)
    live = Live(
        stores.catalog_store,
        stores.registry,
        book=stores.segments,
        excluded=settings.segment_exclude_categories,
        min_age=settings.segment_min_age,
        changed=lambda kind, version: _send(model_changed, app, kind=kind, version=version),
        rules=rules,
        first_s=settings.latency_budget_ms / 1000 if is_far(settings) else math.inf,
    )
    bandits = LiveBandits(load_bandits(settings.bandits, placements), stores.bandits)
    hasher = _hasher(app, settings)
    people = People(stores.identity, _merges_in(stores.audit, hasher))
    pipeline = Pipeline(
        settings=settings,
        journal=stores.journal,
        slates=stores.slates,
        live=live,
        cache=stores.cache,
        placements=placed,
        availability=(catalog or stores.catalog_store).availability,
        new_id=time_ordered_id,
        stages=Stages(bandit=bandits) if bandits.rows else None,
        switch_off=rules.switch_off,
        people=people,
    )
    bus = open_bus(settings, pipeline.ingest)
    exposures = _written_later(pipeline)
    experiments = LiveExperiments(
        load_experiments(settings.experiments), stores.cursors, exposures.put, written=stores.experiments
    )
    rules.vary = experiments.vary
    stores.registry.spared = rules.models
    population = read_cities(settings.cities) if settings.cities else {}
    enrichment = Enrichment(standard_enrichers(settings, stores.weather, population, enrichers), stores.places)
    subjects = open_subjects(
        settings=settings,
        pipeline=pipeline,
        journal=stores.journal,
        slates=stores.slates,
        consents=stores.consents,
        audit=stores.audit,
        requests=stores.requests,
        registry=stores.registry,
        book=stores.segments,
        outcomes=stores.outcomes,
        kpis=stores.kpis,
        hasher=hasher,
        first=[StreamHolder(bus)] if settings.stream_url else (),
        others=[
            IdentityHolder(stores.identity, people.erase),
            OutcomeHolder(stores.outcomes),
            CartHolder(stores.carts),
            ForwardHolder(stores.forwards),
            WebhookHolder(stores.webhooks),
        ],
    )
    return State(
        settings=settings,
        pipeline=pipeline,
        intake=Intake(settings, enrichment.of_event, Contacts({"email": hasher.email, "phone": hasher.phone})),
        journal=stores.journal,
        bus=bus,
        broker=open_broker(settings),
        catalog_store=stores.catalog_store,
        slates=stores.slates,
        outcomes=stores.outcomes,
        consents=stores.consents,
        audit=stores.audit,
        requests=stores.requests,
        subjects=subjects,
        leases=stores.leases,
        registry=stores.registry,
        segments=stores.segments,
        cache=stores.cache,
        rules=stores.rules,
        rule_source=rules,
        rulebook=Rulebook(
            stores.rules,
            stores.audit,
            lambda ruleset, only: check(
                pipeline,
                rules,
                ruleset,
                now=time.time(),
                only=only,
                registry=stores.registry,
                experiments=experiments,
            ),
        ),
        placements=placed,
        activity=stores.activity,
        bandit_state=stores.bandits,
        bandits=bandits,
        experiments=experiments,
        experiment_log=stores.experiments,
        audiences=Audiences(experiments, pipeline, settings.segment_exclude_categories),
        enrichment=enrichment,
        places=stores.places,
        weather=stores.weather,
        crms={
            **{name: declared_crm(name, given, stores.outbound) for name, given in settings.crm.items()},
            **{name: crm_of(name, source, join, stores.outbound) for name, (source, join) in crms.items()},
        },
        outbound=stores.outbound,
        hasher=hasher,
        people=people,
        webhooks=stores.webhooks,
        cursors=stores.cursors,
        carts=stores.carts,
        forwards=stores.forwards,
        alerts=stores.alerts,
        kpis=stores.kpis,
        told=load_alert_targets(settings.alerts),
        sources=load_sources(settings.webhooks),
        targets=load_targets(settings.forward),
        catalog=catalog,
        loaders=loaders,
        probes=_probes(stores.probes, live, bus.probe if settings.stream_url else None),
        close=_closing(exposures.close, bus.close, live.close, stores.close),
    )


def _written_later(pipeline: Pipeline) -> Background[Sequence[Event]]:
    """Takes events that no page waits for; the newest may be lost in a crash."""

    def write(several: list[Sequence[Event]]) -> None:
        pipeline.ingest([event for events in several for event in events])

    return Background("mtp-exposures", write)


def _probes(
    stores: Mapping[str, Callable[[], str]], live: Live, stream: Callable[[], str] | None
) -> dict[str, Callable[[], str]]:
    """Of the stores, and whether the models that should serve do."""

    def models() -> str:
        unserved = live.unserved()
        named = ", ".join(f"{kind} {version}" for kind, version in unserved.items())
        return stores["models"]() or (f"cannot be served: {named}" if named else "")

    return {**stores, "models": models, **({"stream": stream} if stream else {})}


def _closing(*closes: Callable[[], None]) -> Callable[[], None]:
    def close() -> None:
        for one in closes:
            one()

    return close


def _merges_in(audit: AuditLog, hasher: Hasher) -> Callable[[Link], None]:
    """Writes each merge, and each one taken back, into the audit log."""

    def tell(link: Link) -> None:
        action = "identity.merged" if link.state == "active" else "identity.parted"
        details = {"link": link.link_id, "kind": link.kind, "confidence": link.confidence, "reason": link.reason}
        details["with"] = hasher.subject(link.right)
        audit.append(link.actor, action, hasher.subject(link.left), details, at=link.decided_at)

    return tell


def _part_who_withdraws(app: Flask, people: People) -> None:
    """A browser whose visitor withdraws the permission is read with no other profile until it is given again."""

    def changed(sender: Flask, decision: ConsentDecision) -> None:
        if not decision.granted and decision.purpose == PURPOSE and decision.subject_id.startswith("a:"):
            people.detach(decision.subject_id, "consent", decision.decided_at, "visitor")

    consent_changed.connect(changed, sender=app, weak=False)


def standard_jobs_of(state: State) -> Jobs:
    """The jobs of a mounted plugin, its catalogue's among them."""
    return Jobs(standard_jobs(state), state.leases, time.time)


def _serves() -> bool:
    """Whether this process is to answer requests; a ``flask`` command other than ``run`` is not."""
    context = click.get_current_context(silent=True)
    return context is None or context.info_name == "run"


def _preload(state: State) -> None:
    """Load catalogue and models when a worker starts, so that no visitor waits for it."""
    try:
        with patiently():
            state.pipeline.live.refresh()
            state.bandits.warm()
            state.subjects.suppressed.look()
    except UnavailableError as error:
        log.warning("catalogue and models are not loaded yet, the first request will try again: %s", error)


def _schedule(app: Flask, state: State) -> None:
    """Run due jobs in a thread of this process, inside the application's context: the shop's catalogue may need it."""

    def in_context() -> None:
        with app.app_context():
            jobs.run_due()

    jobs = standard_jobs_of(state)
    Scheduler(in_context).start()


def _commands() -> click.Group:
    from .cli import mtp

    return mtp


def _send(signal: NamedSignal, app: Flask, **values: Any) -> None:
    signal.send(app, **values)


def _audit_keys(app: Flask) -> list[bytes]:
    """Keys of the audit log's seals, one of each of Flask's: an entry sealed before a rotation can still be checked."""
    return [hmac.digest(_bytes(key), b"mtp-audit", "sha256") for key in signing_keys(app)]


def _bytes(key: str | bytes) -> bytes:
    return key if isinstance(key, bytes) else str(key).encode()


def _hasher(app: Flask, settings: Settings) -> Hasher:
    """E-mail and phone are hashed under a key of their own: neither key opens what the other one keeps."""
    if settings.pii_key:
        older = {f"k{number}": key.encode() for number, key in enumerate(settings.pii_key_fallbacks, 1)}
        return Hasher(settings.pii_key.encode(), f"k{len(older) + 1}", older)
    return Hasher(hmac.digest(_bytes(app.secret_key or ""), b"mtp-pii", "sha256"))
