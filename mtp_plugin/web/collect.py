"""Events come in: Segment's bodies and GA4's, answered only when they are durable, here or in the stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import compress

import msgspec
from flask import Response, current_app, has_request_context

from ..errors import InputError
from ..patience import patiently
from ..records import ConsentLevel, Dropped, Event, Receipt
from ..signals import event_recorded
from ..state import State
from ..track.intake import Parsed, Sender
from .body import event_body
from .kept import kept
from .parts import get_parts, get_state
from .sender import current_sender, limit_rate, require_certain


def segment_view(kind: str) -> Callable[[], Response]:
    """The view of one of Segment's calls, such as ``track``."""

    @patiently(resent=True)
    def view() -> Response:
        state, sender = get_state(), current_sender()
        limit_rate(sender)
        body = event_body()
        if not state.settings.enabled:
            return answer(Receipt(accepted=0))
        require_certain(sender)
        parsed = state.intake.segment(kind, body, sender, time.time())
        return answer(accept(state, parsed, waits=sender.kind == "server"))

    view.__name__ = kind
    return view


@patiently(resent=True)
def ga4() -> Response:
    """Take events in GA4's measurement-protocol shape."""
    state, sender = get_state(), current_sender()
    limit_rate(sender)
    body = event_body()
    if not state.settings.enabled:
        return answer(Receipt(accepted=0))
    require_certain(sender)
    parsed = state.intake.ga4(body, sender, time.time())
    return answer(accept(state, parsed, waits=sender.kind == "server"))


def _admitted(state: State, parsed: Parsed) -> Parsed:
    """The same without events of visitors who were erased, or do not want their data used; the sender is told."""
    admitted = state.pipeline.admitted(parsed.events)
    if all(admitted):
        return parsed
    others = {one.index for one in parsed.dropped} | {one.index for one in parsed.errors}
    places = (index for index in range(len(others) + len(admitted)) if index not in others)
    judged = list(zip(places, parsed.events, admitted, strict=True))
    told = (Dropped(index, event.message_id, "suppressed") for index, event, good in judged if not good)
    dropped = sorted((*parsed.dropped, *told), key=lambda one: one.index)
    return msgspec.structs.replace(
        parsed, events=tuple(event for _, event, good in judged if good), dropped=tuple(dropped)
    )


ANSWER = [("Cache-Control", "no-store")]
TOLD_APART = {"Product Clicked": "click", "Product Added": "cart", "Order Completed": "order"}


def _count_by_level(stored: Sequence[str], refused: Sequence[str]) -> None:
    """What consent costs in events, clicks, carts and orders, without a word about whose they were.

    :param stored: names of events that are new
    :param refused: names of those that were dropped
    """
    if not stored and not refused:
        return
    visitor = kept().visitor if refused and has_request_context() else None
    below = (visitor.level if visitor else ConsentLevel.NON_PERSONAL).value
    metrics = get_parts().metrics
    for level, outcome, names in ((ConsentLevel.FULL.value, "kept", stored), (below, "dropped", refused)):
        metrics.outcome(level, "event", outcome, len(names))
        for name, kind in TOLD_APART.items():
            metrics.outcome(level, kind, outcome, names.count(name))


def accept(state: State, parsed: Parsed, *, waits: bool = False) -> Receipt:
    """Make parsed events durable, fold them, tell who listens, and say what became of each.

    :param waits: nobody needs to see these events at once: they may go by way of the stream, if there is one
    :raises mtp_plugin.errors.UnavailableError: they could not be stored; nothing of them was
    """
    parsed = _admitted(state, parsed)
    metrics = get_parts().metrics
    new = record(state, parsed.events, state.bus.publish if waits else state.pipeline.ingest)
    if new is None:
        metrics.events("queued", len(parsed.events))
    metrics.events("dropped", len(parsed.dropped))
    _count_by_level([event.name for event in compress(parsed.events, new or ())], parsed.refused)
    metrics.events("rejected", len(parsed.errors))
    return Receipt(accepted=len(parsed.events), dropped=tuple(parsed.dropped), errors=tuple(parsed.errors))


def record(
    state: State, events: Sequence[Event], how: Callable[[Sequence[Event]], list[bool] | None]
) -> list[bool] | None:
    """Have events made durable, count them and tell who listens; gives for each whether it was new, if that is known.

    :param how: what makes them durable
    """
    metrics, began = get_parts().metrics, time.perf_counter()
    new = how(events)
    metrics.step("ingest", time.perf_counter() - began)
    if new is None:
        return None
    metrics.events("accepted", sum(new))
    metrics.events("repeated", len(new) - sum(new))
    if event_recorded.receivers:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        for event in compress(events, new):
            event_recorded.send(app, event=event)
    return new


def record_waiting(state: State, events: Sequence[Event]) -> list[bool]:
    """Record events that waited in the stream, but for those of visitors who were erased meanwhile.

    :raises mtp_plugin.errors.UnavailableError: they could not be stored; nothing of them was
    """
    state.subjects.suppressed.look()
    new = record(state, events, state.pipeline.ingest) or []
    _count_by_level([event.name for event in compress(events, new)], ())
    return new


def take_messages(state: State, messages: Sequence[tuple[bytes, str]]) -> list[str]:
    """Record the events of messages that systems of the shop put into a queue, all together.

    :param messages: body of each, one of Segment's calls or a batch, and the id its sender gave it, empty if none
    :returns: for each what is wrong with it, empty for nothing; of a batch the other events are kept
    :raises mtp_plugin.errors.UnavailableError: they could not be stored; nothing of them was
    """
    sender, now = Sender(kind="server", consent=ConsentLevel.FULL), time.time()
    wrong, parsed = list[str](), list[Parsed]()
    for body, message_id in messages:
        try:
            one = _admitted(state, state.intake.message(body, message_id, sender, now))
        except InputError as error:
            wrong.append(f"{error.field}: {error.message}".removeprefix(": "))
            continue
        parsed.append(one)
        wrong.append("; ".join(f"{error.field}: {error.message}" for error in one.errors))
    metrics, events = get_parts().metrics, [event for one in parsed for event in one.events]
    new = record(state, events, state.pipeline.ingest) or []
    _count_by_level([event.name for event in compress(events, new)], [name for one in parsed for name in one.refused])
    metrics.events("dropped", sum(len(one.dropped) for one in parsed))
    metrics.events("rejected", sum(map(bool, wrong)))
    return wrong


def answer(receipt: Receipt) -> Response:
    """A receipt as Segment's clients take it: always 200."""
    return Response(msgspec.json.encode(receipt), headers=ANSWER, content_type="application/json")
