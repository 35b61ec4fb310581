"""Foreign bodies in, events out: what is believed, what is dropped and why, what is wrong and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from ..config import Settings
from ..errors import InputError, TooLargeError
from ..records import Dropped, Event, Rejected
from .bodies import (
    BatchBody,
    Call,
    Ga4Body,
    GoodBatch,
    PlainBatch,
    decode_call,
    decode_good,
    decode_object,
    decode_whole,
    plain_object,
)
from .contacts import Contacts
from .ga4 import event_call, ga4_field, shared_call
from .reading import IGNORED, KINDS, MAX_MESSAGE_ID, Drop, Reader, optional_time, shown_id
from .sender import Sender
from .told import MOST, Describe, Known, Moments, nothing_known

__all__ = ["IGNORED", "KINDS", "Intake", "Parsed", "Sender"]

T = TypeVar("T")


class Parsed(msgspec.Struct, frozen=True):
    """What became of a body: events to keep, events dropped on purpose, events that are wrong.

    ``refused`` are the names of events dropped because their visitor did not agree: to count, not to keep.
    """

    events: tuple[Event, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    errors: tuple[Rejected, ...] = ()
    refused: tuple[str, ...] = ()


class Intake:
    """Reads bodies in Segment's and GA4's shapes.

    :param settings: limits on sizes
    :param describe: what to keep of the moment that an event happened in
    :param contacts: makes hashes of the e-mail and phone of a customer
    """

    def __init__(
        self, settings: Settings, describe: Describe = nothing_known, contacts: Contacts | None = None
    ) -> None:
        self._describe, self._known, self._contacts = describe, Known(MOST), contacts or Contacts({})
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
        call = self._sized_call(body)
        call.type = kind
        return self._one(call, sender, now)

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
        return self._one(self._sized_call(body), sender, now)

    def ga4(self, body: bytes, sender: Sender, now: float) -> Parsed:
        """Read a body in the shape of GA4's measurement protocol.

        :raises InputError: the body is wrong as a whole
        """
        whole = decode_whole(body, Ga4Body, "events")
        if not whole.events:
            raise InputError("this must be a list with at least one event", field="events")
        shared = shared_call(whole)

        def read(raw: msgspec.Raw) -> Call:
            self._check_size(raw)
            return event_call(decode_object(raw), shared)

        parsed = self._many(whole.events, read, self._reader(sender, now), "events")
        errors = tuple(msgspec.structs.replace(error, field=ga4_field(error.field)) for error in parsed.errors)
        return msgspec.structs.replace(parsed, errors=errors)

    def own(self, name: str, properties: Mapping[str, Any], sender: Sender, now: float) -> Parsed:
        """An event of the shop's own code; ``message_id`` among the properties makes a repetition recognisable.

        :raises InputError: it is wrong
        """
        given = plain_object(properties)
        self._check_size(msgspec.json.encode(given))
        message_id = given.pop("message_id", None)
        return self._one(Call(type="track", event=name, properties=given, message_id=message_id), sender, now)

    def about(self, traits: Mapping[str, Any], sender: Sender, now: float) -> Parsed:
        """What the shop's own code says of a customer; ``email`` and ``phone`` are kept as hashes.

        :raises InputError: it is wrong
        """
        given = plain_object(traits)
        self._check_size(msgspec.json.encode(given))
        return self._one(Call(type="identify", traits=given), sender, now)

    # ------------------------------------------------------------------------------------------------

    def _batch(self, body: bytes, sender: Sender, now: float) -> Parsed:
        # No event is larger than its body: where that is small enough, they need not be looked at one by one.
        good = decode_good(body) if len(body) <= self._event_max else None
        whole: GoodBatch | PlainBatch | BatchBody = good or decode_whole(body, BatchBody, "batch")
        if whole.batch is None:
            raise InputError("this must be a list of events", field="batch")
        sent_at = optional_time(whole.sent_at, "sentAt")
        context = whole.context if isinstance(whole.context, dict) else {}

        def read(raw: msgspec.Raw) -> Call:
            return told_to_all(self._sized_call(raw))

        def told_to_all(call: Call) -> Call:
            if context:
                call.context = {**context, **call.context} if isinstance(call.context, dict) else context
            return call

        reader = self._reader(sender, now, sent_at)
        if isinstance(whole, BatchBody):
            return self._many(whole.batch, read, reader, "batch")
        return self._many(whole.batch, told_to_all, reader, "batch")

    def _reader(self, sender: Sender, now: float, sent_at: float | None = None) -> Reader:
        moments = Moments(self._describe, sender, self._known)
        return Reader(moments, self._contacts, sender, now, sent_at=sent_at, browser_orders=self._browser_orders)

    def _one(self, call: Call, sender: Sender, now: float) -> Parsed:
        try:
            return Parsed(events=(self._reader(sender, now).event(call, 0),))
        except Drop as drop:
            return Parsed(dropped=(Dropped(0, shown_id(call), str(drop)),), refused=drop.refused)

    def _many(self, given: Sequence[T], read: Callable[[T], Call], reader: Reader, field: str) -> Parsed:
        if len(given) > self._batch_max:
            message = f"there are {len(given)} events, {self._batch_max} are allowed in one batch"
            raise TooLargeError(message, field=field)
        events, dropped, errors, refused = list[Event](), list[Dropped](), list[Rejected](), list[str]()
        event_of = reader.event
        for index, one in enumerate(given):
            try:
                call = read(one)
                events.append(event_of(call, index))
            except Drop as drop:
                dropped.append(Dropped(index, shown_id(call), str(drop)))
                refused += drop.refused
            except InputError as error:
                where = f"{field}.{index}.{error.field}".rstrip(".")
                errors.append(Rejected(index, error.code, error.message, where))
        return Parsed(tuple(events), tuple(dropped), tuple(errors), tuple(refused))

    def _sized_call(self, body: bytes | msgspec.Raw) -> Call:
        self._check_size(body)
        return decode_call(body)

    def _check_size(self, body: bytes | msgspec.Raw) -> None:
        size = memoryview(body).nbytes
        if size > self._event_max:
            raise TooLargeError(f"this event has {size} bytes, {self._event_max} are allowed")
