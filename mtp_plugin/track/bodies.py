"""Bodies as they come over the wire, taken apart far enough to read their events one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from ..errors import InputError
from .limits import MAX_INTEGER, MAX_KEYS, MAX_TEXT, is_plain


class Call(msgspec.Struct, rename="camel", gc=False):
    """One of Segment's calls, as far as we look at it; nothing of it is checked yet."""

    type: Any = None
    event: Any = None
    message_id: Any = None
    timestamp: Any = None
    sent_at: Any = msgspec.UNSET
    user_id: Any = None
    anonymous_id: Any = None
    previous_id: Any = None
    properties: Any = None
    traits: Any = None
    context: Any = None


class BatchBody(msgspec.Struct, rename="camel"):
    """The body of Segment's ``batch``; each event is still JSON, so that a bad one spoils itself alone."""

    batch: list[msgspec.Raw] | None = None
    sent_at: Any = None
    context: Any = None


Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Whole = Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER - 1)]
Member = Text | Whole | float | bool | list[Any] | dict[str, Any] | None
Properties = Annotated[dict[str, Member], Meta(max_length=MAX_KEYS)]


class PlainCall(Call, gc=False):
    """The same where members of ``properties`` are within their bounds, and texts need not be cleaned.

    Neither names of members are judged yet, nor what lies deeper.
    """

    properties: Properties | None = None


class GoodBatch(msgspec.Struct, rename="camel"):
    """The same where all events are objects, read in one go."""

    batch: list[Call]
    sent_at: Any = None
    context: Any = None


class PlainBatch(msgspec.Struct, rename="camel"):
    """The same where all events are plain."""

    batch: list[PlainCall]
    sent_at: Any = None
    context: Any = None


class Ga4Body(msgspec.Struct):
    """The body of GA4's measurement protocol, its events still JSON."""

    events: list[msgspec.Raw] | None = None
    client_id: Any = None
    user_id: Any = None
    timestamp_micros: Any = None


Body = TypeVar("Body", BatchBody, Ga4Body)


_decode_good = msgspec.json.Decoder(GoodBatch).decode
_decode_plain = msgspec.json.Decoder(PlainBatch).decode


def decode_good(body: bytes) -> GoodBatch | PlainBatch | None:
    """A batch whose events are all objects, ``None`` of anything else: :func:`decode_whole` tells what is wrong."""
    if is_plain(body):
        try:
            return _decode_plain(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # one of them is not plain: each is looked at
    try:
        return _decode_good(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def decode_whole(body: bytes, shape: type[Body], field: str) -> Body:
    """A body with a list of events.

    :param field: where that list is, for the message
    :raises InputError: not JSON, or not of this shape
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise InputError(f"the body must be an object with a list of events: {error}", field=field) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the body is not JSON: {error}", code="malformed") from error


_decode_call = msgspec.json.Decoder(Call).decode


def decode_call(body: bytes | msgspec.Raw) -> Call:
    """One of Segment's calls.

    :raises InputError: it is no JSON object
    """
    try:
        return _decode_call(body)
    except msgspec.ValidationError:
        raise InputError("this must be a JSON object", code="malformed") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}", code="malformed") from error


def decode_object(body: bytes | msgspec.Raw) -> dict[str, Any]:
    """A JSON object.

    :raises InputError: it is none
    """
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}", code="malformed") from error
    if not isinstance(decoded, dict):
        raise InputError("this must be a JSON object", code="malformed")
    return decoded


def plain_object(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the shop's code hands over, as JSON would carry it: dates as ISO 8601, decimals as text.

    :raises InputError: something in it has no form in JSON
    """
    try:
        decoded = msgspec.json.decode(msgspec.json.encode(values))
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise InputError(f"this has no form in JSON: {error}", field="properties") from error
    if not isinstance(decoded, dict):
        raise InputError("this must be a mapping", field="properties")
    return decoded


def given_object(call: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The object under *key*, empty when there is none.

    :raises InputError: something else is there
    """
    return object_or_none(call.get(key), key)


def object_or_none(value: Any, field: str) -> dict[str, Any]:
    """An object as it was given, an empty one for none.

    :raises InputError: it is something else
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError("this must be an object", field=field)
    return value
