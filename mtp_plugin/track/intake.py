"""Foreign bodies in, events out: what is believed, what is dropped and why, what is wrong and where."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from ..config import Settings
from ..errors import InputError, TooLargeError
from ..records import ConsentLevel, Dropped, Event, Rejected
from .aliases import canonical, from_ga4
from .bots import is_bot
from .clock import corrected, parse_time
from .identifiers import dedupe_key, time_ordered_id
from .limits import MAX_NAME, bounded, identifier
from .products import products_of
from .sender import Sender

__all__ = ["Intake", "Parsed", "Sender"]

IGNORED = ("group", "screen")
KINDS = ("track", "page", "identify", "alias", *IGNORED)
MAX_MESSAGE_ID = 200


class Parsed(msgspec.Struct, frozen=True):
    """What became of a body: events to keep, events dropped on purpose, events that are wrong."""

    events: tuple[Event, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    errors: tuple[Rejected, ...] = ()


class _Drop(Exception):
    """An event is understood and not kept; the argument is the reason."""


class Intake:
    """Reads bodies in Segment's and GA4's shapes.

    :param settings: limits on sizes
    """

    def __init__(self, settings: Settings) -> None:
        self._event_max = settings.event_max_kb * 1024
        self._batch_max = settings.batch_max_events

    def segment(self, kind: str, body: bytes, sender: Sender, now: float) -> Parsed:
        """Read the body of one of Segment's calls.

        :param kind: ``track``, ``page``, ``identify``, ``alias``, ``group``, ``screen`` or ``batch``
        :param now: seconds since 1970, when it was received
        :raises InputError: the body, or the one event in it, is wrong
        """
        if kind == "batch":
            return self._batch(body, sender, now)
        self._check_size(body, "")
        call = {"type": kind, **_object(body)}
        return self._one({**call, "type": kind}, sender, now)

    def ga4(self, body: bytes, sender: Sender, now: float) -> Parsed:
        """Read a body in the shape of GA4's measurement protocol.

        :raises InputError: the body is wrong as a whole
        """
        whole = _object(body)
        events = whole.get("events")
        if not isinstance(events, list) or not events:
            raise InputError("this must be a list with at least one event", field="events")
        self._check_count(len(events), "events")
        shared = {
            "type": "track",
            "anonymousId": whole.get("client_id"),
            "userId": whole.get("user_id"),
            "timestamp": _from_micros(whole.get("timestamp_micros")),
        }
        return self._many((lambda e=event: _ga4_call(e, shared) for event in events), sender, now, "events")

    def own(self, name: str, properties: Mapping[str, Any], sender: Sender, now: float) -> Parsed:
        """An event of the shop's own code.

        :raises InputError: it is wrong
        """
        given = dict(properties)
        call = {"type": "track", "event": name, "properties": given, "messageId": given.pop("message_id", None)}
        return self._one(call, sender, now)

    # ------------------------------------------------------------------------------------------------

    def _batch(self, body: bytes, sender: Sender, now: float) -> Parsed:
        whole = _object(body, raw=("batch",))
        raws = whole.get("batch")
        if not isinstance(raws, list):
            raise InputError("this must be a list of events", field="batch")
        self._check_count(len(raws), "batch")
        shared = {key: whole[key] for key in ("sentAt", "context") if key in whole}

        def read(raw: msgspec.Raw) -> dict[str, Any]:
            self._check_size(bytes(raw), "")
            call = _object(bytes(raw))
            context = {**_mapping(shared.get("context")), **_mapping(call.get("context"))}
            return {"sentAt": shared.get("sentAt"), **call, "context": context}

        return self._many((lambda r=raw: read(r) for raw in raws), sender, now, "batch")

    def _one(self, call: dict[str, Any], sender: Sender, now: float) -> Parsed:
        message_id = call.get("messageId")
        try:
            return Parsed(events=(self._event(call, sender, now, 0),))
        except _Drop as drop:
            return Parsed(dropped=(Dropped(0, str(message_id or "")[:MAX_MESSAGE_ID], str(drop)),))

    def _many(
        self, calls: Iterable[Callable[[], dict[str, Any]]], sender: Sender, now: float, field: str
    ) -> Parsed:
        events, dropped, errors = [], [], []
        for index, read in enumerate(calls):
            message_id = ""
            try:
                call = read()
                message_id = str(call.get("messageId") or "")[:MAX_MESSAGE_ID]
                events.append(self._event(call, sender, now, index))
            except _Drop as drop:
                dropped.append(Dropped(index, message_id, str(drop)))
            except InputError as error:
                errors.append(Rejected(index, error.code, error.message, f"{field}.{index}.{error.field}".rstrip(".")))
        return Parsed(tuple(events), tuple(dropped), tuple(errors))

    def _event(self, call: dict[str, Any], sender: Sender, now: float, index: int) -> Event:
        kind = call.get("type")
        if kind not in KINDS:
            raise InputError(f"this must be one of {', '.join(KINDS)}", field="type")
        name = _name(kind, call)
        properties = bounded(_given(call, "properties"), "properties")
        traits = bounded(_given(call, "traits"), "traits") if kind == "identify" else {}
        products = products_of(name, properties)
        timestamp = _time(call, "timestamp")
        message_id = _message_id(call)
        _drop_if_unwanted(kind, sender)
        profile_id, anonymous_id, user_id = _whose(call, sender)
        if kind == "alias":
            properties["previous_id"] = identifier(call.get("previousId"), "previousId")
        properties.pop("products", None)
        unique = message_id or secrets.token_hex(16)
        return Event(
            event_id=time_ordered_id(now, index),
            name=name,
            profile_id=profile_id,
            timestamp=corrected(timestamp, _time(call, "sentAt"), now, trusted=sender.trusted),
            received_at=now,
            dedupe_key=dedupe_key(_scope(sender), profile_id, unique),
            message_id=message_id,
            anonymous_id=anonymous_id,
            user_id=user_id,
            products=products,
            properties=properties,
            traits=traits,
            context=_context(call),
            source=sender.kind,
            recommendation_id=_recommendation(properties),
        )

    def _check_size(self, body: bytes, field: str) -> None:
        if len(body) > self._event_max:
            raise TooLargeError(f"this event has {len(body)} bytes, {self._event_max} are allowed", field=field)

    def _check_count(self, count: int, field: str) -> None:
        if count > self._batch_max:
            raise TooLargeError(f"there are {count} events, {self._batch_max} are allowed in one batch", field=field)


class _RawBatch(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None
    sentAt: Any = None  # noqa: N815  Segment's spelling
    context: Any = None


def _object(body: bytes, raw: tuple[str, ...] = ()) -> dict[str, Any]:
    try:
        if raw:
            whole = msgspec.json.decode(body, type=_RawBatch)
            return {"batch": whole.batch, "sentAt": whole.sentAt, "context": whole.context}
        decoded = msgspec.json.decode(body)
    except msgspec.ValidationError as error:
        raise InputError(f"the body must be an object with a list of events: {error}", field="batch") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the body is not JSON: {error}", code="malformed") from error
    if not isinstance(decoded, dict):
        raise InputError("this must be a JSON object", code="malformed")
    return decoded


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _given(call: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = call.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError("this must be an object", field=key)
    return value


def _name(kind: str, call: Mapping[str, Any]) -> str:
    if kind != "track":
        return {"page": "Page Viewed", "identify": "Identify", "alias": "Alias"}.get(kind, kind.title())
    name = call.get("event")
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise InputError(f"this must be the name of the event, at most {MAX_NAME} characters", field="event")
    return canonical(name)


def _time(call: Mapping[str, Any], key: str) -> float | None:
    value = call.get(key)
    return None if value in (None, "") else parse_time(value, key)


def _message_id(call: Mapping[str, Any]) -> str:
    value = call.get("messageId")
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or len(value) > MAX_MESSAGE_ID:
        raise InputError(f"this must be a text of at most {MAX_MESSAGE_ID} characters", field="messageId")
    return value.replace("\x00", "")


def _drop_if_unwanted(kind: str, sender: Sender) -> None:
    if kind in IGNORED:
        raise _Drop("ignored")
    if sender.kind == "anonymous":
        raise _Drop("no-visitor")
    if sender.kind in ("browser", "other-origin") and is_bot(sender.user_agent):
        raise _Drop("bot")
    if sender.consent != ConsentLevel.FULL:
        raise _Drop("no-consent")
    if kind in ("identify", "alias") and not sender.trusted:
        raise _Drop("not-allowed")


def _whose(call: Mapping[str, Any], sender: Sender) -> tuple[str, str, str]:
    """Profile, anonymous id and user id: those of the sender, or those a server names."""
    if sender.kind == "server":
        user = identifier(call["userId"], "userId") if call.get("userId") not in (None, "") else ""
        anonymous = identifier(call["anonymousId"], "anonymousId") if call.get("anonymousId") not in (None, "") else ""
        if not user and not anonymous:
            raise InputError("say whose event this is: userId or anonymousId", field="userId")
        return (f"u:{user}" if user else f"a:{anonymous}"), anonymous, user
    if sender.kind == "other-origin":
        anonymous = f"{sender.key}/{identifier(call.get('anonymousId'), 'anonymousId')}"
        return f"a:{anonymous}", anonymous, ""
    if not sender.profile_id:
        raise _Drop("no-visitor")
    return sender.profile_id, sender.anonymous_id, sender.user_id


def _scope(sender: Sender) -> str:
    return "server" if sender.trusted else sender.kind


def _recommendation(properties: Mapping[str, Any]) -> str:
    value = properties.get("recommendation_id")
    return value if isinstance(value, str) and len(value) <= 64 else ""


def _context(call: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of an event's context: no addresses, no user agents, no query strings."""
    given = _mapping(call.get("context"))
    page, campaign, locale = _mapping(given.get("page")), _mapping(given.get("campaign")), given.get("locale")
    path = page.get("path")
    kept: dict[str, Any] = {}
    if isinstance(path, str):
        kept["page"] = {"path": path.partition("?")[0][:300]}
    if campaign:
        kept["campaign"] = {str(key)[:40]: str(value)[:100] for key, value in list(campaign.items())[:8]}
    if isinstance(locale, str):
        kept["locale"] = locale[:20]
    return kept


def _from_micros(value: Any) -> float | None:
    """Seconds of GA4's microseconds, a number or its digits; ``None`` when it is neither."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        value = int(value)
    return value / 1e6 if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20 else None


def _ga4_call(event: Any, shared: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(event, dict):
        raise InputError("this must be an object")
    params = event.get("params") or {}
    if not isinstance(params, dict):
        raise InputError("this must be an object", field="params")
    properties = from_ga4(params)
    when = _from_micros(event.get("timestamp_micros"))
    own = {} if when is None else {"timestamp": when}
    return {
        **shared,
        **own,
        "event": event.get("name"),
        "messageId": properties.pop("message_id", None),
        "properties": properties,
    }
