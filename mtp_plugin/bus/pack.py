"""Events as the bytes of one entry of the stream. Fields go by name: web and worker may be of different versions."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..errors import InputError
from ..records import Event

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Event, ...]).decode


def pack(events: Sequence[Event]) -> bytes:
    """The events as bytes.

    :raises InputError: a property cannot be sent, such as a number of more than 64 bits
    """
    try:
        return _encode(events)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"an event holds what cannot be sent: {error}", field="properties") from error


def unpack(packed: bytes) -> tuple[Event, ...]:
    """The events of these bytes.

    :raises InputError: they are not ours
    """
    try:
        return _decode(packed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"this is no entry of the stream: {error}") from error
