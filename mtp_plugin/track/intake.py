"""Foreign bodies in, events out: what is believed, what is dropped and why, what is wrong and where."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from ..config import Settings
from ..errors import InputError, TooLargeError
from ..records import ConsentLevel, Dropped, Event, Rejected
from .aliases import canonical
from .bodies import BatchBody, Ga4Body, decode_object, decode_whole, given_object, plain_object
from .bots import is_bot
from .clock import corrected, parse_time
from .contacts import Contacts
from .ga4 import event_call, ga4_field, shared_call
from .identifiers import dedupe_key, time_ordered_id
from .limits import MAX_NAME, PERSONAL_TRAITS, bounded, identifier, plain
from .page import kept_context, without_queries
from .products import products_of
from .sender import Sender
from .told import Describe, nothing_known, told

__all__ = ["Intake", "Parsed", "Sender"]

IGNORED = ("group", "screen")
KINDS = ("track", "page", "identify", "alias", *IGNORED)
ORDERS = frozenset({"Order Completed", "Order Refunded", "Order Cancelled"})
"""What is paid or given back is told by the shop: a browser can send anything, and twice."""
MAX_MESSAGE_ID = 200
MAX_RECOMMENDATION_ID = 64
_NAMES = {"page": "Page Viewed", "identify": "Identify", "alias": "Alias"}


class Parsed(msgspec.Struct, frozen=True):
    """What became of a body: events to keep, events dropped on purpose, events that are wrong.

    ``refused`` are the names of events dropped because their visitor did not agree: to count, not to keep.
    """

    events: tuple[Event, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    errors: tuple[Rejected, ...] = ()
    refused: tuple[str, ...] = ()


class _Drop(Exception):
    """An event is understood and not kept; the argument is the reason."""

    refused: tuple[str, ...] = ()
    """The event's name, where its visitor did not agree."""


class Intake:
    """Reads bodies in Segment's and GA4's shapes.

    :param settings: limits on sizes
    :param describe: what to keep of the moment that an event happened in
    :param contacts: makes hashes of the e-mail and phone of a customer
    """

    def __init__(
        self, settings: Settings, describe: Describe = nothing_known, contacts: Contacts | None = None
    ) -> None:
        self._describe, self._contacts = describe, contacts or Contacts({})
        self._browser_orders = settings.browser_orders
        self._event_max = settings.event_max_kb * 1024
        self._body_max = settings.body_max_kb * 1024
        self._batch_max = settings.batch_max_events

    def segment(self, kind: str, body: bytes, sender: Sender, now: float) -> Parsed:
        """Read the body of one of Segment's calls.

        :param kind: ``track``, ``page``, ``identify``, ``alias``, ``group``, ``screen`` or ``batch``
        :param now: seconds since 1970, when it was received
        :raises InputError: the body, or the one event in it, is wrong
        """
        if kind == "batch":
            return self._batch(body, sender, now)
        return self._one({**self._sized_object(body), "type": kind}, sender, now)

    def message(self, body: bytes, message_id: str, sender: Sender, now: float) -> Parsed:
        """Read a message of a queue: one of Segment's calls, which says its ``type``, or a batch of them.

        :param message_id: what its sender calls the message, empty if nothing; makes a redelivery recognisable where
            the calls have no ``messageId`` of their own
        :raises InputError: the message is wrong as a whole
        """
        if len(body) > self._body_max:
            raise TooLargeError(f"this message has {len(body)} bytes, {self._body_max} are allowed")
        told = decode_object(body)
        batch = told.get("batch")
        calls = batch if isinstance(batch, list) else [told]
        if message_id and all(isinstance(call, dict) for call in calls):
            for place, call in enumerate(calls):
                call.setdefault("messageId", f"{message_id}:{place}"[:MAX_MESSAGE_ID])
            body = msgspec.json.encode(told)
        if "batch" in told:
            return self._batch(body, sender, now)
        return self._one(self._sized_object(body), sender, now)

    def ga4(self, body: bytes, sender: Sender, now: float) -> Parsed:
        """Read a body in the shape of GA4's measurement protocol.

        :raises InputError: the body is wrong as a whole
        """
        whole = decode_whole(body, Ga4Body, "events")
        if not whole.events:
            raise InputError("this must be a list with at least one event", field="events")
        shared = shared_call(whole)

        def read(raw: msgspec.Raw) -> dict[str, Any]:
            return event_call(self._sized_object(raw), shared)

        parsed = self._many(whole.events, read, sender, now, "events")
        errors = tuple(msgspec.structs.replace(error, field=ga4_field(error.field)) for error in parsed.errors)
        return msgspec.structs.replace(parsed, errors=errors)

    def own(self, name: str, properties: Mapping[str, Any], sender: Sender, now: float) -> Parsed:
        """An event of the shop's own code; ``message_id`` among the properties makes a repetition recognisable.

        :raises InputError: it is wrong
        """
        given = plain_object(properties)
        self._check_size(msgspec.json.encode(given))
        message_id = given.pop("message_id", None)
        call = {"type": "track", "event": name, "properties": given, "messageId": message_id}
        return self._one(call, sender, now)

    def about(self, traits: Mapping[str, Any], sender: Sender, now: float) -> Parsed:
        """What the shop's own code says of a customer; ``email`` and ``phone`` are kept as hashes.

        :raises InputError: it is wrong
        """
        given = plain_object(traits)
        self._check_size(msgspec.json.encode(given))
        return self._one({"type": "identify", "traits": given}, sender, now)

    # ------------------------------------------------------------------------------------------------

    def _batch(self, body: bytes, sender: Sender, now: float) -> Parsed:
        whole = decode_whole(body, BatchBody, "batch")
        if whole.batch is None:
            raise InputError("this must be a list of events", field="batch")
        shared = {"sentAt": _time({"sentAt": whole.sent_at}, "sentAt")}
        context = whole.context if isinstance(whole.context, dict) else {}

        def read(raw: msgspec.Raw) -> dict[str, Any]:
            call = {**shared, **self._sized_object(raw)}
            if context:
                own = call.get("context")
                call["context"] = {**context, **own} if isinstance(own, dict) else context
            return call

        return self._many(whole.batch, read, sender, now, "batch")

    def _one(self, call: dict[str, Any], sender: Sender, now: float) -> Parsed:
        try:
            return Parsed(events=(self._event(call, sender, now, 0),))
        except _Drop as drop:
            return Parsed(dropped=(Dropped(0, _shown_id(call), str(drop)),), refused=drop.refused)

    def _many(
        self,
        raws: Iterable[msgspec.Raw],
        read: Callable[[msgspec.Raw], dict[str, Any]],
        sender: Sender,
        now: float,
        field: str,
    ) -> Parsed:
        events, dropped, errors, refused = [], [], [], list[str]()
        for index, raw in enumerate(self._counted(list(raws), field)):
            call: dict[str, Any] = {}
            try:
                call = read(raw)
                events.append(self._event(call, sender, now, index))
            except _Drop as drop:
                dropped.append(Dropped(index, _shown_id(call), str(drop)))
                refused += drop.refused
            except InputError as error:
                where = f"{field}.{index}.{error.field}".rstrip(".")
                errors.append(Rejected(index, error.code, error.message, where))
        return Parsed(tuple(events), tuple(dropped), tuple(errors), tuple(refused))

    def _counted(self, raws: list[msgspec.Raw], field: str) -> list[msgspec.Raw]:
        if len(raws) > self._batch_max:
            message = f"there are {len(raws)} events, {self._batch_max} are allowed in one batch"
            raise TooLargeError(message, field=field)
        return raws

    def _sized_object(self, body: bytes | msgspec.Raw) -> dict[str, Any]:
        self._check_size(body)
        return decode_object(body)

    def _check_size(self, body: bytes | msgspec.Raw) -> None:
        size = memoryview(body).nbytes
        if size > self._event_max:
            raise TooLargeError(f"this event has {size} bytes, {self._event_max} are allowed")

    def _event(self, call: Mapping[str, Any], sender: Sender, now: float, index: int) -> Event:
        kind = call.get("type")
        if kind not in KINDS:
            raise InputError(f"this must be one of {', '.join(KINDS)}", field="type")
        if kind in IGNORED:
            raise _Drop("ignored")
        name = _name(kind, call)
        properties = bounded(given_object(call, "properties"), "properties")
        traits = bounded(given_object(call, "traits"), "traits", PERSONAL_TRAITS) if kind == "identify" else {}
        products = products_of(name, properties)
        timestamp, sent_at = _time(call, "timestamp"), _time(call, "sentAt")
        message_id = _message_id(call)
        _drop_if_unwanted(kind, name, sender)
        if name in ORDERS and not (sender.trusted or self._browser_orders):
            raise _Drop("order")
        profile_id, anonymous_id, user_id = _whose(call, sender)
        if kind == "alias":
            properties["previous_id"] = identifier(call.get("previousId"), "previousId")
        if kind == "identify" and sender.trusted:
            properties |= self._contacts(given_object(call, "traits"))
        properties.pop("products", None)
        without_queries(properties)
        happened = corrected(timestamp, sent_at, now, trusted=sender.trusted)
        known = self._describe(*told(call.get("context"), sender, happened))
        return Event(
            event_id=time_ordered_id(now, index),
            name=name,
            profile_id=profile_id,
            timestamp=happened,
            received_at=now,
            dedupe_key=_dedupe_key(sender, profile_id, message_id),
            message_id=message_id,
            anonymous_id=anonymous_id,
            user_id=user_id,
            products=products,
            properties=properties,
            traits=traits,
            context={**_plain(known), **kept_context(call.get("context"))},
            source=sender.kind,
            recommendation_id=_recommendation(properties),
        )


def _plain(known: dict[str, Any]) -> dict[str, Any]:
    """Campaign tags are written by hand, and sometimes somebody's address is in one."""
    return {name: plain(value) if isinstance(value, str) else value for name, value in known.items()}


def _name(kind: str, call: Mapping[str, Any]) -> str:
    if kind != "track":
        return _NAMES[kind]
    name = call.get("event")
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise InputError(f"this must be the name of the event, at most {MAX_NAME} characters", field="event")
    return canonical(name)


def _time(call: Mapping[str, Any], key: str) -> float | None:
    value = call.get(key)
    return None if value is None or value == "" else parse_time(value, key)


def _message_id(call: Mapping[str, Any]) -> str:
    value = call.get("messageId")
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or len(value) > MAX_MESSAGE_ID or not value.isprintable():
        raise InputError(f"this must be a text of at most {MAX_MESSAGE_ID} characters", field="messageId")
    return value


def _shown_id(call: Mapping[str, Any]) -> str:
    value = call.get("messageId")
    return value[:MAX_MESSAGE_ID] if isinstance(value, str) else ""


def _drop_if_unwanted(kind: str, name: str, sender: Sender) -> None:
    if sender.kind == "anonymous":
        raise _Drop("no-visitor")
    if sender.kind in ("browser", "other-origin") and is_bot(sender.user_agent):
        raise _Drop("bot")
    if sender.consent is not ConsentLevel.FULL:
        drop = _Drop("no-consent")
        drop.refused = (name,)
        raise drop
    if sender.staff:
        raise _Drop("staff")
    if kind in ("identify", "alias") and not sender.trusted:
        raise _Drop("not-allowed")


def _whose(call: Mapping[str, Any], sender: Sender) -> tuple[str, str, str]:
    """Profile, anonymous id and user id: those of the sender, or those a server names."""
    if sender.kind == "server":
        user, anonymous = _named(call, "userId"), _named(call, "anonymousId")
        if not user and not anonymous:
            raise InputError("say whose event this is: userId or anonymousId", field="userId")
        return (f"u:{user}" if user else f"a:{anonymous}"), anonymous, user
    if sender.kind == "other-origin":
        anonymous = f"{sender.key}/{identifier(call.get('anonymousId'), 'anonymousId')}"
        return f"a:{anonymous}", anonymous, ""
    if not sender.profile_id:
        raise _Drop("no-visitor")
    return sender.profile_id, sender.anonymous_id, sender.user_id


def _named(call: Mapping[str, Any], key: str) -> str:
    value = call.get(key)
    return "" if value is None or value == "" else identifier(value, key)


def _dedupe_key(sender: Sender, profile_id: str, message_id: str) -> str:
    """A browser's own id stays when its visitor signs in: what is sent again then is still a repetition."""
    scope = "server" if sender.trusted else sender.kind
    whose = f"a:{sender.anonymous_id}" if sender.kind == "browser" and sender.anonymous_id else profile_id
    return dedupe_key(scope, whose, message_id or secrets.token_hex(16))


def _recommendation(properties: Mapping[str, Any]) -> str:
    value = properties.get("recommendation_id")
    short = isinstance(value, str) and len(value) <= MAX_RECOMMENDATION_ID
    return str(value) if short and str(value).isprintable() else ""
