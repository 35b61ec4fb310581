"""What the visitor of the current request sees of an experiment, for the shop's code and its templates."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from flask import current_app, has_request_context, request

from ..errors import NotFoundError
from ..experiments import Assigned
from ..patience import within
from ..records import ConsentLevel, Event, SlateRequest
from ..state import State
from .context import build_context
from .kept import kept
from .sender import own_sender
from .visitor import current_visitor

log = logging.getLogger(__name__)


def variation_of_visitor(state: State, experiment: str) -> Assigned:
    """The variation, and that it was looked at.

    :raises NotFoundError: no such experiment (in debug mode; else it is logged and nothing varies)
    """
    with within(state.settings.latency_budget_ms / 1000):
        return _seen_by_visitor(state, experiment)


def _seen_by_visitor(state: State, experiment: str) -> Assigned:
    now, unit = time.time(), _unit(state)
    try:
        seen = state.experiments.assign(experiment, unit, now)
    except NotFoundError as error:
        if current_app.debug:
            raise
        log.error("%s", error)
        return Assigned(experiment=experiment, variation=0, name="", variables={}, takes_part=False)

    if seen.takes_part and experiment in state.audiences and not _fits(state, experiment, now):
        return state.experiments.assign(experiment, "", now)

    def event(name: str, properties: dict[str, Any]) -> Sequence[Event]:
        segment = state.audiences.segment(_asking(state, now))
        said = {**properties, "message_id": f"{experiment}:{seen.variation}:{unit}"}
        if segment is not None:
            said["segment_id"] = segment.segment_id
        return state.intake.own(name, said, own_sender(state, None), now).events

    if seen.takes_part:
        kept().personal = True
        if "prefetch" in request.headers.get("Sec-Purpose", ""):
            return seen  # nobody sees it yet
        try:
            state.experiments.exposed(seen, unit, event)
        except Exception:  # a page does not fail because it cannot be counted
            log.exception("an exposure to %s could not be recorded", experiment)
    return seen


def _fits(state: State, experiment: str, now: float) -> bool:
    """Whether the visitor is one of those whom the experiment is for; where that cannot be told, not."""
    kept().personal = True  # what is known of the visitor decides
    try:
        return state.audiences.holds(experiment, _asking(state, now))
    except Exception:
        log.exception("who takes part in %s could not be told, nobody does", experiment)
        return False


def _asking(state: State, now: float) -> SlateRequest:
    """The visitor of the current request, as conditions see them."""
    visitor, cart = current_visitor(), state.loaders.cart() if state.loaders.cart else ()
    return SlateRequest(
        placement="",
        now=now,
        consent_level=visitor.level,
        profile_ids=visitor.profile_ids,
        context=build_context(visitor.level, now, state.enrichment),
        cart_ids=tuple(map(str, cart)),
    )


def _unit(state: State) -> str:
    """Whom experiments assign, empty for who is not to be known."""
    if not state.settings.enabled or not has_request_context():
        return ""
    kept().rendered = True  # the page depends on who sees it
    visitor = current_visitor()
    if visitor.level is not ConsentLevel.FULL or visitor.bot or not visitor.profile_ids:
        return ""
    return state.people.resolve(visitor.profile_ids).unit
