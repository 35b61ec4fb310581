"""Events go on to Segment, GA4 and webhooks: what the visitor permits, in order, tried again, and never in the way.

The queue is the journal itself, read from where each target has come to: nothing is written while events come in, and
what is erased there is not sent any more. A target that is away is tried again with growing pauses, and waits alone;
an event that it refuses is put aside and the next ones go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import msgspec
import requests

from .errors import UnavailableError
from .ports import ForwardState
from .privacy.consent import on_record, permitted
from .records import Event
from .state import State
from .track.outgoing import Parcel, Target, letter_of, parcels

log = logging.getLogger(__name__)

BATCH = 200
LONGEST_S = 50.0
"""Seconds that one run spends on a target at most."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 10.0, 3600.0
REFUSED = frozenset({400, 410, 413, 415, 422})
"""Statuses that say the event is wrong; others say that the target is, now."""
OLD = frozenset({"import", "source"})
"""Sources of events that happened long ago: nobody wants them as news."""

Numbered = tuple[int, Event]


class _Away(Exception):
    """The target cannot be reached, or does not want to be now; the argument says why, without secrets."""

    def __init__(self, why: str, pause_s: float = 0.0) -> None:
        super().__init__(why)
        self.pause_s = pause_s
        self.sent_before = 0
        """Events that were sent before it failed."""
        self.reached: ForwardState | None = None
        """Where the target stands by them."""


def forward(state: State) -> str:
    """Bring each target what is new; the job. Gives a line on what was sent."""
    said = [f"{name}: {_run(state, name, target)}" for name, target in state.targets.items()]
    return "; ".join(said) or "nobody is forwarded to"


def _run(state: State, name: str, target: Target) -> str:
    now = time.time()
    begun = at = state.forwards.get(name)
    if at is None or begun is None:
        state.forwards.put(ForwardState(name=name, number=state.journal.last_number()))
        return "begins with the next event"
    if at.next_try_at > now:
        return f"waits, {at.error}"
    while time.time() < now + LONGEST_S:
        found, last = state.journal.tail(at.number, limit=BATCH)
        try:
            at = _one_batch(state, target, at, found, last)
        except _Away as error:
            at = _later(error.reached or at, error)
            break
        if len(found) < BATCH:
            break
        state.forwards.put(at)
    state.forwards.put(at)
    trouble = f", {at.error}" if at.error else ""
    return f"{at.sent - begun.sent} sent, {at.withheld - begun.withheld} withheld{trouble}"


def _one_batch(state: State, target: Target, at: ForwardState, found: Sequence[Numbered], last: int) -> ForwardState:
    """Send what is wanted and permitted of these events; gives where the target stands then.

    :raises _Away: it could not all be sent
    """
    wanted = [(number, event) for number, event in found if _is_wanted(target, at.name, event)]
    allowed = _allowed(state, target, wanted)
    try:
        _send(state, at.name, target, allowed)
    except _Away as error:
        done = error.sent_before
        if done and target.kind != "ga4":  # whose parcels are in order, so it goes on after the last one
            error.reached = msgspec.structs.replace(at, number=allowed[done - 1][0], sent=at.sent + done)
        raise
    return msgspec.structs.replace(
        at,
        number=last,
        tries=0,
        next_try_at=0.0,
        error="",
        sent=at.sent + len(allowed),
        withheld=at.withheld + len(wanted) - len(allowed),
    )


def _is_wanted(target: Target, name: str, event: Event) -> bool:
    if event.source in OLD or event.properties.get("via") == name:
        return False
    return event.name in target.events if target.events else event.name != "Alias"


def _allowed(state: State, target: Target, events: Sequence[Numbered]) -> list[Numbered]:
    """Those of visitors who permit the purpose now, whatever they permitted when it happened."""
    known: dict[tuple[str, str], bool] = {}

    def may(event: Event) -> bool:
        who = (event.profile_id, event.anonymous_id)
        if who not in known:
            known[who] = permits(state, event, target.purpose)
        return known[who]

    return [(number, event) for number, event in events if may(event)]


def permits(state: State, event: Event, purpose: str) -> bool:
    """Whether the visitor of an event permits a purpose: by the latest choice of the account and of the browser."""
    subjects = dict.fromkeys((event.profile_id, *([f"a:{event.anonymous_id}"] if event.anonymous_id else [])))
    decisions = sorted(
        (decision for subject in subjects for decision in state.consents.of(subject)),
        key=lambda decision: decision.decided_at,
    )
    choices = {name: decision.granted for name, decision in on_record(decisions).items()}
    return purpose in permitted(regime=state.settings.regime, choices=choices, gpc=False, dnt=False, bot=False)


def _later(at: ForwardState, error: _Away) -> ForwardState:
    pause = error.pause_s or min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**at.tries)
    return msgspec.structs.replace(at, tries=at.tries + 1, next_try_at=time.time() + pause, error=str(error)[:200])


def _send(state: State, name: str, target: Target, events: Sequence[Numbered]) -> None:
    """Send events; those that are refused are put aside.

    :raises _Away: it cannot be done now
    """
    now, done = time.time(), 0
    if target.kind == "broker":
        return _publish(state, target, [event for _, event in events])
    for parcel in parcels(target, [event for _, event in events], now):
        try:
            status = _post(state, parcel, target.timeout_s)
        except _Away as error:
            error.sent_before = done
            raise
        if status in REFUSED:
            refused = [(events[place][0], events[place][1].profile_id) for place in parcel.places]
            state.forwards.refuse(name, refused, f"answered {status}", now)
        done += len(parcel.places)


def _publish(state: State, target: Target, events: Sequence[Event]) -> None:
    """Hand events to the broker, whose queues keep them.

    :raises _Away: it cannot be done now
    """
    if not events:
        return
    if state.broker is None:
        raise _Away("MTP_BROKER_URL is empty")
    try:
        state.broker.publish(target.exchange, [letter_of(event) for event in events])
    except UnavailableError as error:
        raise _Away(str(error)) from None


def _post(state: State, parcel: Parcel, timeout_s: float) -> int:
    """Post a parcel; gives the status if it was taken or refused.

    :raises _Away: no answer, or one that says to come back
    """
    headers = {"Content-Type": "application/json", "User-Agent": "mtp_plugin"} | parcel.headers
    auth = (parcel.user, "") if parcel.user else None
    try:
        with state.outbound.session() as session:
            answer = session.post(parcel.url, data=parcel.body, headers=headers, auth=auth, timeout=timeout_s)
    except UnavailableError as error:
        raise _Away(str(error)) from None
    except requests.RequestException as error:
        # The text of the error may hold the address with its secret.
        raise _Away(f"could not be reached: {type(error).__name__}") from None
    if answer.ok and not answer.is_redirect:
        return answer.status_code
    if answer.status_code in REFUSED:
        return answer.status_code
    raise _Away(f"answered {answer.status_code}", _asked_pause(answer))


def _asked_pause(answer: requests.Response) -> float:
    told = answer.headers.get("Retry-After", "")
    return min(LONGEST_PAUSE_S, float(told)) if told.isascii() and told.isdigit() else 0.0


def retry(state: State, target: str = "") -> str:
    """Send what was put aside once more, to one target or to all; what is erased meanwhile is forgotten."""
    sent = left = 0
    for letter in state.forwards.dead(target, 10_000):
        known = state.targets.get(letter.target)
        events, _ = state.journal.tail(letter.number - 1, limit=1)
        event = next((one for number, one in events if number == letter.number), None)
        if known is None:
            left += 1
            continue
        if event is not None and permits(state, event, known.purpose):
            try:
                if any(
                    _post(state, parcel, known.timeout_s) in REFUSED for parcel in parcels(known, [event], time.time())
                ):
                    left += 1
                    continue
            except _Away as error:
                return f"{sent} sent, then {letter.target} {error}"
            sent += 1
        state.forwards.remove([letter.dead_id])
    return f"{sent} sent, {left} refused again"
