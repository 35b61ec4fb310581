"""Events and profiles as rows, and back."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from ..errors import InputError
from ..records import NOWHERE, Event, EventProduct, Interactions, Profile, Surroundings
from .words import storable


class EventBody(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """What of an event is not a column of its own."""

    dedupe_key: str
    message_id: str = ""
    anonymous_id: str = ""
    user_id: str = ""
    products: tuple[EventProduct, ...] = ()
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    context: dict[str, Any] = {}
    source: str = "browser"
    recommendation_id: str = ""


class EventRow(NamedTuple):
    """One row of ``mtp_event``, in the order of its columns; ``seq`` is given when it is stored."""

    seq: int
    event_id: bytes
    name: str
    profile_id: str
    happened_at: float
    received_at: float
    permanent: bool
    body: str
    recommendation_id: str | None


COLUMNS = ", ".join(EventRow._fields)

_encode_body = msgspec.json.Encoder().encode
_decode_body = msgspec.json.Decoder(EventBody).decode

PACKED_BEFORE, PACKED = b"\x01", b"\x02"
"""First byte of a packed profile, before and now; MessagePack begins at 0x80 or above."""
ARRAY = 0xDC
"""First byte of a profile as MessagePack; the form before it was a map, which begins otherwise."""

WORDS_BEFORE = (
    b"\xa5green\xa4blue\xa3red\xa5black\xa5white\xa4grey\xa5brown\xa5beige\xa4pink\xa3men\xa5women\xd9\x22u:\xd9\x22a:"
    b"\xa5style\xa5color\xaaprice_tier\xa6luxury\xa7premium\xa3mid\xa6budget\xa5brand\xa8category > "
    b"\xa4cart\x93\xa8purchase\x93\xa4view\x93"
)
WORDS = (
    b"\xa6sunday\xa8saturday\xa6friday\xa8thursday\xa9wednesday\xa7tuesday\xa6monday\xa7weekday\xa5night\xa7evening"
    b"\xa7morning\xa9afternoon\xa7daypart\xa6tablet\xa7windows\xa7android\xa3ios\xa5macos\xa5linux\xa6chrome\xa7firefox"
    b"\xa6safari\xafAmerica/New_York\xadEurope/London\xadEurope/Berlin\xa5en-US\xa5de-DE\xa7desktop\xa6mobile"
    b"\xa6locale\xa6device\xa2os\xa7browser\xa4city\xa7country\xa6region\xa5urban\xc3\xa9time_zone\x92\xa7request\xcbA"
) + WORDS_BEFORE
"""What profiles have in common as MessagePack. Part of the form: another text would need another first byte."""
_WORDS_OF = {PACKED_BEFORE: WORDS_BEFORE, PACKED: WORDS}

_encode_profile = msgspec.msgpack.Encoder().encode
_decode_profile = msgspec.msgpack.Decoder(Profile).decode
_types = {field.name: field.type for field in msgspec.structs.fields(Profile)}


def event_row(event: Event) -> EventRow:
    """The event as a row, not yet numbered.

    :raises InputError: something in it cannot be stored
    """
    if not storable(event.profile_id + event.name + event.recommendation_id):
        raise InputError("an event's name and ids must be valid text without the character NUL", field="name")
    try:
        return EventRow(
            0,
            bytes.fromhex(event.event_id),
            event.name,
            event.profile_id,
            event.timestamp,
            event.received_at,
            event.permanent,
            _body(event),
            event.recommendation_id or None,
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"the event {event.name!r} holds what JSON cannot: {error}", field="properties") from error


def _body(event: Event) -> str:
    body = EventBody(
        dedupe_key=event.dedupe_key,
        message_id=event.message_id,
        anonymous_id=event.anonymous_id,
        user_id=event.user_id,
        products=event.products,
        properties=event.properties,
        traits=event.traits,
        context=event.context,
        source=event.source,
        recommendation_id=event.recommendation_id,
    )
    return _encode_body(body).decode()


def row_event(row: Sequence[Any]) -> Event:
    """The event of a row."""
    _, event_id, name, profile_id, happened_at, received_at, permanent, text, _ = row
    body = _decode_body(text)
    return Event(
        event_id=event_id.hex(),
        name=name,
        profile_id=profile_id,
        timestamp=happened_at,
        received_at=received_at,
        dedupe_key=body.dedupe_key,
        permanent=bool(permanent),
        message_id=body.message_id,
        anonymous_id=body.anonymous_id,
        user_id=body.user_id,
        products=body.products,
        properties=body.properties,
        traits=body.traits,
        context=body.context,
        source=body.source,
        recommendation_id=body.recommendation_id,
    )


class NamedProduct(msgspec.Struct, gc=False):
    """A product of an event, as far as training asks."""

    product_id: str


class ProductsBody(msgspec.Struct, gc=False):
    """Of the body of an event its products; the rest is skipped unread."""

    products: tuple[NamedProduct, ...] = ()


class ToldBody(msgspec.Struct, gc=False):
    """Also the surroundings among its context."""

    products: tuple[NamedProduct, ...] = ()
    context: Surroundings = NOWHERE


_decode_products = msgspec.json.Decoder(ProductsBody).decode
_decode_told = msgspec.json.Decoder(ToldBody).decode


def row_interactions(rows: Iterable[Sequence[Any]]) -> Interactions:
    """What events say of products.

    :param rows: at least one; profile id, name, time, body, and what else there may be
    """
    profile_ids, names, timestamps, bodies, *_ = zip(*rows, strict=True)
    try:
        told = list(map(_decode_told, bodies))
    except msgspec.ValidationError:
        told = list(map(_told, bodies))
    ids = [one.product_id for body in told for one in body.products]
    sizes = [len(body.products) for body in told]
    return Interactions(profile_ids, names, timestamps, sizes, ids, [body.context for body in told])


def _told(body: str) -> ToldBody:
    """Of a context in which something is no text, as an import may leave it, nothing is known."""
    try:
        return _decode_told(body)
    except msgspec.ValidationError:
        return ToldBody(_decode_products(body).products)


def seen_key(event: Event) -> bytes:
    """16 bytes that stand for the event's ``dedupe_key``."""
    return hashlib.blake2b(event.dedupe_key.encode(), digest_size=16).digest()


def profile_bytes(profile: Profile) -> bytes:
    """The profile as MessagePack without the names of its fields.

    :raises InputError: a trait cannot be stored, such as a number of more than 64 bits
    """
    try:
        return _encode_profile(profile)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"a trait cannot be stored: {error}", field="traits") from error


def packed(body: bytes) -> bytes:
    """A profile's bytes deflated, for where they take up memory: less than half as long, at ten times the time.

    Codes are fixed ones: most of a profile are numbers, which better codes hardly shorten, but take time to read.
    """
    if not body or body[:1] in _WORDS_OF:
        return body
    pack = zlib.compressobj(wbits=-15, strategy=zlib.Z_FIXED, zdict=WORDS)
    return PACKED + pack.compress(body) + pack.flush()


def unpacked(body: bytes) -> bytes:
    """The profile's bytes as :func:`packed` took them."""
    words = _WORDS_OF.get(body[:1])
    return body if words is None else zlib.decompressobj(-15, words).decompress(body[1:])


def bytes_profile(body: bytes) -> Profile | None:
    """The profile of these bytes, in the form of today or the one before; empty bytes are no profile."""
    if not body:
        return None
    return _decode_profile(body) if body[0] == ARRAY else _named_profile(body)


def _named_profile(body: bytes) -> Profile:
    values = msgspec.msgpack.decode(body)
    return Profile(**{name: msgspec.convert(value, _types[name]) for name, value in values.items()})
