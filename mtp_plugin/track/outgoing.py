"""Events in the words of those they are forwarded to: Segment's batch, GA4's measurement protocol, a signed webhook."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from ..errors import SettingError
from ..ports import Letter
from ..records import Event
from .aliases import GA4
from .webhooks.signature import OWN_HEADER, sign

SETTING = "MTP_FORWARD"
KINDS = ("segment", "ga4", "webhook", "broker")
SEGMENT_URL = "https://api.segment.io/v1/batch"
GA4_URL = "https://www.google-analytics.com/mp/collect"
TOPIC_SAFE = " !#$&'()*+,/:;=?@[]^`{|}~"
"""What of an event's name stands in a header as it is; the rest is percent-encoded UTF-8."""
GA4_EVENTS = 25
"""Events of one request that GA4 takes, all of one client."""
SEGMENT_EVENTS = 100
TO_GA4 = {ours: theirs for theirs, ours in reversed(GA4.items())}
PURPOSES = ("necessary", "functional", "analytics", "personalisation", "advertising")


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To whom events are forwarded.

    ``events`` are the names forwarded, all when empty. ``purpose`` is what the visitor must have permitted.
    ``write_key`` is Segment's, ``measurement_id`` and ``api_secret`` are GA4's, ``secret`` signs a webhook,
    ``exchange`` is where a broker takes them.
    """

    kind: Literal["segment", "ga4", "webhook", "broker"]
    url: str = ""
    purpose: str = "analytics"
    events: tuple[str, ...] = ()
    write_key: str = ""
    measurement_id: str = ""
    api_secret: str = ""
    secret: str = ""
    exchange: str = ""
    timeout_s: float = 5.0


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One request: where to, what, under which headers, and which of the events (by place) are in it."""

    url: str
    body: bytes
    headers: dict[str, str] = {}
    user: str = ""
    places: tuple[int, ...] = ()


def load_targets(given: Mapping[str, Any]) -> dict[str, Target]:
    """The targets by name.

    :raises SettingError: one that cannot work, with the remedy
    """
    return {str(name): _target(str(name), value) for name, value in given.items()}


_NEEDED = {
    "segment": ("write_key",),
    "ga4": ("measurement_id", "api_secret"),
    "webhook": ("url", "secret"),
    "broker": ("exchange",),
}


def _target(name: str, value: Any) -> Target:
    try:
        target = msgspec.convert(value, Target)
    except msgspec.ValidationError as error:
        raise _wrong(name, str(error).replace("`", "")) from None
    lacking = [field for field in _NEEDED[target.kind] if not getattr(target, field)]
    if lacking:
        raise _wrong(name, f"a target of kind {target.kind} needs {' and '.join(lacking)}")
    if target.purpose not in PURPOSES:
        raise _wrong(name, f"purpose must be one of {', '.join(PURPOSES)}")
    if target.url and urlsplit(target.url).scheme not in ("https", "http"):
        raise _wrong(name, "url must begin with https://")
    if not 0 < target.timeout_s <= 60:
        raise _wrong(name, "timeout_s must be seconds, above 0 and at most 60")
    return target


def _wrong(name: str, remedy: str) -> SettingError:
    return SettingError(f"{SETTING}[{name!r}]", "...", remedy)


def parcels(target: Target, events: Sequence[Event], now: float) -> Iterator[Parcel]:
    """The requests that bring these events to a target, in order."""
    if target.kind == "segment":
        for start in range(0, len(events), SEGMENT_EVENTS):
            yield _segment(target, events[start : start + SEGMENT_EVENTS], start, now)
    elif target.kind == "ga4":
        yield from _ga4(target, events)
    else:
        for place, event in enumerate(events):
            yield _webhook(target, event, place, now)


def _segment(target: Target, events: Sequence[Event], start: int, now: float) -> Parcel:
    batch = [_segment_call(event) for event in events]
    return Parcel(
        url=target.url or SEGMENT_URL,
        body=msgspec.json.encode({"batch": batch, "sentAt": _iso(now)}),
        user=target.write_key,
        places=tuple(range(start, start + len(events))),
    )


def letter_of(event: Event) -> Letter:
    """The event as other systems of the shop take it from an exchange: in Segment's words, its name as routing key."""
    topic = re.sub(r"\W+", ".", event.name.lower()).strip(".")[:100] or "event"
    return Letter(topic=topic, message_id=event.event_id, body=msgspec.json.encode(_segment_call(event)))


def _segment_call(event: Event) -> dict[str, Any]:
    call: dict[str, Any] = {
        "type": "track",
        "event": event.name,
        "messageId": event.event_id,
        "timestamp": _iso(event.timestamp),
        "properties": _properties(event),
        "context": {**event.context, "library": {"name": "mtp_plugin", "version": "1"}},
    }
    if event.name == "Identify":
        call |= {"type": "identify", "traits": event.traits}
        del call["event"], call["properties"]
    elif event.name == "Page Viewed":
        call["type"] = "page"
        del call["event"]
    return call | _ids(event)


def _ids(event: Event) -> dict[str, str]:
    ids = {"userId": event.user_id, "anonymousId": event.anonymous_id}
    return {name: value for name, value in ids.items() if value}


def _ga4(target: Target, events: Sequence[Event]) -> Iterator[Parcel]:
    by_person: dict[str, list[int]] = {}
    for place, event in enumerate(events):
        by_person.setdefault(event.profile_id, []).append(place)
    address = urlencode({"measurement_id": target.measurement_id, "api_secret": target.api_secret})
    for profile_id, places in by_person.items():
        for start in range(0, len(places), GA4_EVENTS):
            some = places[start : start + GA4_EVENTS]
            body = {"client_id": _client_id(profile_id), "events": [_ga4_event(events[place]) for place in some]}
            if profile_id.startswith("u:"):
                body["user_id"] = profile_id[2:]
            yield Parcel(url=f"{target.url or GA4_URL}?{address}", body=msgspec.json.encode(body), places=tuple(some))


def _ga4_event(event: Event) -> dict[str, Any]:
    name = TO_GA4.get(event.name) or (re.sub(r"\W+", "_", event.name.lower()).strip("_") or "event")[:40]
    params: dict[str, Any] = {
        key[:40]: value for key, value in event.properties.items() if isinstance(value, (str, int, float))
    }
    if "order_id" in params:
        params["transaction_id"] = params.pop("order_id")
    for amount in ("revenue", "total"):
        if amount in params:
            params.setdefault("value", params.pop(amount))
    if event.products:
        params["items"] = [
            {"item_id": product.product_id, "quantity": product.quantity, "price": product.price}
            for product in event.products
        ]
    params = dict(list(params.items())[:25])
    return {"name": name, "params": params, "timestamp_micros": int(event.timestamp * 1e6)}


def _client_id(profile_id: str) -> str:
    """Stands for a visitor at GA4 and is of no use anywhere else."""
    digest = hashlib.sha256(b"ga4" + profile_id.encode("utf-8", "surrogatepass")).digest()
    return f"{int.from_bytes(digest[:4], 'big')}.{int.from_bytes(digest[4:8], 'big')}"


def _webhook(target: Target, event: Event, place: int, now: float) -> Parcel:
    body = msgspec.json.encode(
        {
            "id": event.event_id,
            "type": event.name,
            "timestamp": _iso(event.timestamp),
            "source": event.source,
            "properties": _properties(event),
            "traits": event.traits,
            **_ids(event),
        }
    )
    headers = {OWN_HEADER: sign(target.secret, body, now), "X-Mtp-Delivery": event.event_id}
    headers["X-Mtp-Topic"] = quote(event.name.strip(), safe=TOPIC_SAFE)
    return Parcel(url=target.url, body=body, headers=headers, places=(place,))


def _properties(event: Event) -> dict[str, Any]:
    hidden = ("email_hash", "phone_hash", "previous_id")
    told = {name: value for name, value in event.properties.items() if name not in hidden}
    if event.products:
        told["products"] = [msgspec.to_builtins(product) for product in event.products]
    return told


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
