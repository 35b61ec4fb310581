"""What ``flask mtp doctor`` looks at: one small function a subject, each giving findings."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from typing import Literal

import msgspec
from flask import Flask

from ..errors import ModelError, MTPError, UnavailableError
from ..feedback.loop import troubles
from ..live import Serving
from ..privacy.subjects import ANSWER_DAYS
from ..state import State
from ..watching import loop_days

Status = Literal["well", "advice", "broken"]
MARKS: dict[str, str] = {"well": "ok     ", "advice": "advice ", "broken": "BROKEN "}
STALE_DAYS = 7
LOOP_DAYS = 7
"""Days whose slates are compared."""
LEARN_DAYS = 30
"""Days of events below which sessions and baskets are few to learn from."""
BEHIND_S = 60.0
"""Seconds that events may wait in the stream before somebody should look."""
WEAK_KEY = 16
MEND_MODEL = "flask mtp train, or an older one: flask mtp models list, flask mtp models activate {kind} VERSION"


class Finding(msgspec.Struct, frozen=True):
    """What was found of one subject, and what to do about it (empty when all is well)."""

    subject: str
    status: Status
    says: str
    remedy: str = ""


def examine(app: Flask, state: State) -> list[Finding]:
    """All findings, in the order in which one sets up a shop."""
    findings = [*_switch(state), *_secret(app), *_stores(state)]
    if any(finding.status == "broken" for finding in findings):
        return findings
    try:
        findings += _stream(state)
        serving = state.pipeline.live.refresh()
        findings += [*_catalog(state, serving), *_models(state, serving), *_events(state), *_loaders(state)]
        findings += [
            *_enrichment(state),
            *_jobs(state),
            *_open_alerts(state),
            *_loop(state),
            *_privacy(app, state),
            *_parts(),
        ]
    except MTPError as error:
        findings.append(Finding("stores", "broken", str(error), "mend the store named and run doctor again"))
    return findings


def _switch(state: State) -> Iterator[Finding]:
    if not state.settings.enabled:
        yield Finding("switch", "advice", "the plugin is switched off", "set MTP_ENABLED = True")
    off = [name for name, placement in state.pipeline.placements.items() if not placement.enabled]
    off += [name for name in state.settings.placements_off if name not in off]
    if off:
        yield Finding("placements", "advice", f"switched off: {', '.join(off)}", "take them out of MTP_PLACEMENTS_OFF")


def _secret(app: Flask) -> Iterator[Finding]:
    if len(app.secret_key or "") < WEAK_KEY:
        remedy = "python -c 'import secrets; print(secrets.token_hex())'"
        yield Finding("secret key", "advice", f"shorter than {WEAK_KEY} characters", f"make one: {remedy}")
    else:
        yield Finding("secret key", "well", "set")


def _stores(state: State) -> Iterator[Finding]:
    for name, probe in state.probes.items():
        trouble = probe()
        if trouble:
            yield Finding(name, "broken", trouble, "check that it runs and that its URL is right")
        else:
            yield Finding(name, "well", "answers")


def _stream(state: State) -> Iterator[Finding]:
    lag = state.bus.lag()
    if lag is None:
        return
    if loss := state.bus.durability():
        remedy = "in Redis: appendonly yes, appendfsync always; or accept the loss"
        yield Finding("stream's durability", "advice", loss, remedy)
    else:
        yield Finding("stream's durability", "well", "appendfsync is always: what was answered survives a crash")
    waiting = f"{lag.events:,} events wait, the oldest for {lag.oldest_seconds:.0f} s; {lag.workers} workers"
    if not lag.workers:
        yield Finding("stream", "broken", f"{waiting}: nothing is recorded", "run `flask mtp worker`")
    elif lag.oldest_seconds > BEHIND_S:
        yield Finding("stream", "advice", waiting, "run more workers, or see in their logs what holds them up")
    else:
        yield Finding("stream", "well", waiting)
    if lag.dead:
        text = f"{lag.dead:,} entries could not be recorded"
        yield Finding("stream", "advice", text, "see why: `flask mtp dead-letters`, then try again with --retry")


def _catalog(state: State, serving: Serving) -> Iterator[Finding]:
    table = serving.table
    visible = int((table.visible & table.in_stock).sum())
    if not len(table):
        yield Finding(
            "catalogue", "broken", "no product was imported", "flask mtp import-catalog FILE, or mtp.catalog(...)"
        )
        return
    yield Finding("catalogue", "well", f"{len(table):,} products, {visible:,} can be bought")
    for field, missing in (
        ("price", sum(p.price is None for p in table.products)),
        ("image", sum(not p.image for p in table.products)),
        ("url", sum(not p.url for p in table.products)),
        ("category_path", sum(not p.category_path for p in table.products)),
    ):
        if missing:
            yield Finding("catalogue", "advice", f"{missing:,} products have no {field}", f"map {field} in the import")
    currencies = {p.currency for p in table.products if p.currency}
    if len(currencies) > 1:
        yield Finding(
            "catalogue", "advice", f"several currencies: {', '.join(sorted(currencies))}", "import one shop an app"
        )


def _models(state: State, serving: Serving) -> Iterator[Finding]:
    unserved = state.pipeline.live.unserved()
    for kind in unserved.keys() - {"behaviour", "content"}:
        yield Finding(f"{kind} model", "broken", f"{unserved[kind]} cannot be served", MEND_MODEL.format(kind=kind))
    for kind, version in zip(("behaviour", "content"), serving.wanted[1:3], strict=True):
        if not version:
            yield Finding(
                f"{kind} model", "advice", "none yet; slates come from the catalogue alone", "flask mtp train"
            )
            continue
        try:
            state.registry.load(kind, version)
            info = next((i for i in state.registry.list(kind) if i.version == version), None)
        except (ModelError, UnavailableError) as error:
            yield Finding(f"{kind} model", "broken", str(error), MEND_MODEL.format(kind=kind))
            continue
        if info is None:
            yield Finding(f"{kind} model", "broken", f"{version} is not there", MEND_MODEL.format(kind=kind))
            continue
        if kind in unserved:
            yield Finding(
                f"{kind} model", "broken", f"{version} cannot be served, see the log", MEND_MODEL.format(kind=kind)
            )
            continue
        age = (time.time() - info.created_at) / 86400
        if age > STALE_DAYS and kind == "behaviour":
            yield Finding(
                f"{kind} model", "advice", f"{version} is {age:.0f} days old", "run `flask mtp jobs run-due` by cron"
            )
        else:
            yield Finding(f"{kind} model", "well", f"{version} serves")


def _events(state: State) -> Iterator[Finding]:
    count = state.journal.count()
    if count:
        yield Finding("events", "well", f"{count:,} stored")
    else:
        yield Finding(
            "events", "advice", "none yet", "put {{ mtp_scripts() }} into the base template, or import history"
        )


def _loaders(state: State) -> Iterator[Finding]:
    for name, declared, why in (
        ("user_loader", state.loaders.user, "customers are not known across devices"),
        ("cart_loader", state.loaders.cart, "products in the cart can be recommended again"),
        ("nonce_loader", state.loaders.nonce, "a strict Content-Security-Policy would block the script"),
    ):
        if declared is None:
            yield Finding(name, "advice", f"not declared: {why}", f"decorate a function with @mtp.{name}")
        else:
            yield Finding(name, "well", "declared")


def _enrichment(state: State) -> Iterator[Finding]:
    settings = state.settings
    for subject, setting, probe, remedy in (
        ("places", settings.place_database, state.places.probe, "put a whole .mmdb file there: MTP_PLACE_DATABASE"),
        ("weather", settings.weather_url, state.weather.probe, "try MTP_WEATHER_URL by hand; until then it is unknown"),
    ):
        if not setting:
            continue
        trouble = probe()
        yield Finding(
            subject, "broken" if trouble else "well", trouble or "can be looked up", remedy if trouble else ""
        )


def _jobs(state: State) -> Iterator[Finding]:
    runs = state.leases.last_runs()
    if not runs and not state.settings.scheduler:
        yield Finding(
            "jobs", "advice", "none ever ran", "run `flask mtp jobs run-due` by cron, or set MTP_SCHEDULER = True"
        )
    learners = [name for name in ("feedback", "bandits") if name not in runs]
    if state.bandits.rows and learners and not state.settings.scheduler:
        lacking = f"policies that learn wait for what the jobs {' and '.join(learners)} tell them, which never ran"
        yield Finding("bandits", "advice", lacking, "run `flask mtp jobs run-due` by cron, or set MTP_SCHEDULER = True")
    for run in runs.values():
        if not run.ok:
            yield Finding("jobs", "broken", f"{run.name} failed: {run.message}", f"flask mtp jobs run {run.name}")


def _open_alerts(state: State) -> Iterator[Finding]:
    found = state.alerts.kept(open_only=True)
    if found:
        titles = "; ".join(alert.title for alert in found[:3])
        yield Finding("alerts", "advice", f"{len(found)} open: {titles}", "look at `flask mtp alerts list`")


def _loop(state: State) -> Iterator[Finding]:
    for text in troubles(loop_days(state, LOOP_DAYS)):
        yield Finding("feedback loop", "advice", text, "look at `flask mtp feedback`")


def _privacy(app: Flask, state: State) -> Iterator[Finding]:
    yield Finding("consent", "well", f"regime {state.settings.regime}, policy version {state.settings.policy_version}")
    if not state.settings.pii_key:
        yield Finding(
            "pii key",
            "advice",
            "derived from the secret key: when that changes, so does every mtp.hash_email and mtp.hash_phone",
            "set MTP_PII_KEY",
        )
    yield from _retention(state)
    waiting = state.subjects.waiting()
    if waiting:
        oldest = (time.time() - waiting[0].requested_at) / 86_400
        yield Finding(
            "exports",
            "broken" if oldest > ANSWER_DAYS else "advice",
            f"{len(waiting)} requests wait for an export, the oldest for {oldest:.0f} of {ANSWER_DAYS} days",
            "hand them out: `flask mtp subject waiting`, or Requests in the console",
        )


def _retention(state: State) -> Iterator[Finding]:
    """How long visitors' data lies; both limits are off until the shop says what it promises its customers."""
    events, profiles = state.settings.event_days, state.settings.profile_days
    if not events and not profiles:
        yield Finding(
            "retention",
            "advice",
            "events and profiles are kept until their visitor asks to be erased",
            "set MTP_PROFILE_DAYS to what the shop's privacy policy says, such as 400",
        )
        return
    if events and events < LEARN_DAYS:
        yield Finding(
            "retention",
            "advice",
            f"events are deleted after {events} days: models learn from so little history only",
            f"set MTP_EVENT_DAYS to {LEARN_DAYS} at least, or accept weaker recommendations",
        )
    else:
        kept = f"events {events} days" if events else "events as long as their visitor"
        gone = f"visitors go after {profiles} days without an event" if profiles else "visitors stay"
        yield Finding("retention", "well", f"{kept}, {gone}")


def _parts() -> Iterator[Finding]:
    for module, lack in (("numba", "neighbour search is several times slower"),):
        if importlib.util.find_spec(module) is None:
            yield Finding(module, "advice", f"not installed: {lack}", "fine on a Python it does not support yet")
        else:
            yield Finding(module, "well", "installed")
