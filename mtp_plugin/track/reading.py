"""The calls of one body as events: what is believed, what is dropped and why, what is wrong and where.

What is the same for all of them (whose word it is, what is refused in any case) is decided once.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec import UNSET

from ..errors import InputError
from ..records import ConsentLevel, Event
from .aliases import canonical
from .bodies import Call, PlainCall, object_or_none
from .bots import is_bot
from .clock import corrected, parse_time
from .contacts import Contacts
from .identifiers import dedupe_key, ids_at
from .limits import MAX_NAME, PERSONAL_TRAITS, bounded, identifier, is_kept_whole
from .page import without_queries
from .products import products_of
from .sender import Sender
from .told import Moments

IGNORED = ("group", "screen")
KINDS = ("track", "page", "identify", "alias", *IGNORED)
ORDERS = frozenset({"Order Completed", "Order Refunded", "Order Cancelled"})
"""What is paid or given back is told by the shop: a browser can send anything, and twice."""
MAX_MESSAGE_ID = 200
MAX_RECOMMENDATION_ID = 64
_NAMES = {"page": "Page Viewed", "identify": "Identify", "alias": "Alias"}


class Drop(Exception):
    """An event is understood and not kept; the argument is the reason."""

    refused: tuple[str, ...] = ()
    """The event's name, where its visitor did not agree."""


class Reader:
    """Reads the calls of one body.

    :param moments: what to keep of the moment that an event happened in
    :param contacts: makes hashes of the e-mail and phone of a customer
    :param browser_orders: whether a browser's word on orders is taken
    :param now: seconds since 1970, when the body was received
    :param sent_at: when it was sent, by its sender's clock
    """

    def __init__(
        self,
        moments: Moments,
        contacts: Contacts,
        sender: Sender,
        now: float,
        *,
        sent_at: float | None = None,
        browser_orders: bool,
    ) -> None:
        self._moments, self._contacts, self._sender, self._now, self._sent_at = moments, contacts, sender, now, sent_at
        self._trusted = sender.trusted
        self._orders = self._trusted or browser_orders
        self._unwanted = _unwanted(sender)
        self._scope = "server" if self._trusted else sender.kind
        self._event_id = ids_at(now)
        self._browser = f"a:{sender.anonymous_id}" if sender.kind == "browser" and sender.anonymous_id else ""

    def event(self, call: Call, index: int) -> Event:
        """The event of a call.

        :param index: its place in the body
        :raises Drop: it is not to be kept
        :raises InputError: something in it is wrong
        """
        kind, now, trusted = call.type, self._now, self._trusted
        name = _name(kind, call)
        properties = call.properties
        if type(call) is not PlainCall or properties is None or not is_kept_whole(properties):
            properties = bounded(object_or_none(properties, "properties"), "properties")
        traits = {}
        if kind == "identify":
            traits = bounded(object_or_none(call.traits, "traits"), "traits", PERSONAL_TRAITS)
        products = products_of(name, properties)
        timestamp = optional_time(call.timestamp, "timestamp")
        sent_at = self._sent_at if call.sent_at is UNSET else optional_time(call.sent_at, "sentAt")
        message_id = _message_id(call.message_id)
        if self._unwanted or not trusted:
            self._drop_if_unwanted(kind, name)
        profile_id, anonymous_id, user_id = _whose(call, self._sender)
        if kind == "alias":
            properties["previous_id"] = identifier(call.previous_id, "previousId")
        if kind == "identify" and trusted:
            properties |= self._contacts(object_or_none(call.traits, "traits"))
        properties.pop("products", None)
        without_queries(properties)
        happened = corrected(timestamp, sent_at, now, trusted=trusted)
        return Event(
            event_id=self._event_id(index),
            name=name,
            profile_id=profile_id,
            timestamp=happened,
            received_at=now,
            # A browser's own id stays when its visitor signs in: what is sent again then is still a repetition.
            dedupe_key=dedupe_key(self._scope, self._browser or profile_id, message_id or secrets.token_hex(16)),
            message_id=message_id,
            anonymous_id=anonymous_id,
            user_id=user_id,
            products=products,
            properties=properties,
            traits=traits,
            context=self._moments.kept(call.context, happened),
            source=self._sender.kind,
            recommendation_id=_recommendation(properties),
        )

    def _drop_if_unwanted(self, kind: str, name: str) -> None:
        """Of a sender of whom nothing is kept, or who is not trusted."""
        if self._unwanted:
            drop = Drop(self._unwanted)
            drop.refused = (name,) if self._unwanted == "no-consent" else ()
            raise drop
        if kind != "track" and kind != "page":
            raise Drop("not-allowed")
        if name in ORDERS and not self._orders:
            raise Drop("order")


def _unwanted(sender: Sender) -> str:
    """Why nothing of this sender is kept, ``""`` if it is."""
    if sender.kind == "anonymous":
        return "no-visitor"
    if sender.kind in ("browser", "other-origin") and is_bot(sender.user_agent):
        return "bot"
    if sender.consent is not ConsentLevel.FULL:
        return "no-consent"
    return "staff" if sender.staff else ""


def _name(kind: Any, call: Call) -> str:
    if kind == "track":
        name = call.event
        if not isinstance(name, str):
            raise _no_name()
        return _track_name(name)
    if kind not in KINDS:
        raise InputError(f"this must be one of {', '.join(KINDS)}", field="type")
    if kind in IGNORED:
        raise Drop("ignored")
    return _NAMES[kind]


@lru_cache(maxsize=1024)
def _track_name(name: str) -> str:
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise _no_name()
    return canonical(name)


def _no_name() -> InputError:
    return InputError(f"this must be the name of the event, at most {MAX_NAME} characters", field="event")


def optional_time(value: Any, field: str) -> float | None:
    """Seconds since 1970, ``None`` where none is given.

    :raises InputError: it is no time
    """
    return None if value is None or value is UNSET or value == "" else parse_time(value, field)


def _message_id(value: Any) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or len(value) > MAX_MESSAGE_ID or not value.isprintable():
        raise InputError(f"this must be a text of at most {MAX_MESSAGE_ID} characters", field="messageId")
    return value


def shown_id(call: Call) -> str:
    """The ``messageId`` of a call, to tell its sender which it was."""
    return call.message_id[:MAX_MESSAGE_ID] if isinstance(call.message_id, str) else ""


def _whose(call: Call, sender: Sender) -> tuple[str, str, str]:
    """Profile, anonymous id and user id: those of the sender, or those a server names."""
    if sender.kind == "server":
        user, anonymous = _named(call.user_id, "userId"), _named(call.anonymous_id, "anonymousId")
        if not user and not anonymous:
            raise InputError("say whose event this is: userId or anonymousId", field="userId")
        return (f"u:{user}" if user else f"a:{anonymous}"), anonymous, user
    if sender.kind == "other-origin":
        anonymous = f"{sender.key}/{identifier(call.anonymous_id, 'anonymousId')}"
        return f"a:{anonymous}", anonymous, ""
    if not sender.profile_id:
        raise Drop("no-visitor")
    return sender.profile_id, sender.anonymous_id, sender.user_id


def _named(value: Any, field: str) -> str:
    return "" if value is None or value == "" else identifier(value, field)


def _recommendation(properties: Mapping[str, Any]) -> str:
    value = properties.get("recommendation_id")
    if value and isinstance(value, str) and len(value) <= MAX_RECOMMENDATION_ID and value.isprintable():
        return value
    return ""
