"""What a request may ask of a placement, read from a query string or a JSON body and checked once."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from flask import request
from msgspec import Meta

from ..block.placements import MAX_SIZE
from ..errors import InputError
from ..records import MAX_ID
from .body import json_body
from .errors import invalid

Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
Word = Annotated[str, Meta(max_length=200)]
MAX_IDS = 200
Ids = Annotated[list[Id], Meta(max_length=MAX_IDS)]


class PageQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the page says of itself, and what is wanted for it."""

    product_ids: Annotated[Ids, Meta(description="Products in view; anchors of related products.")] = []
    limit: Annotated[int, Meta(ge=0, le=MAX_SIZE, description="Most products; 0 is the placement's own size.")] = 0
    exclude_ids: Annotated[Ids, Meta(description="Products that must not appear.")] = []
    filter: Annotated[dict[str, Any], Meta(description="Condition that every product must meet.")] = {}
    segment_id: Annotated[Word, Meta(description="Answer as for this segment.")] = ""
    page_type: Annotated[Word, Meta(description="Such as home, category, product, cart or search.")] = ""
    category: Annotated[Word, Meta(description="Category in view, its path joined by ' > '.")] = ""
    query: Annotated[Word, Meta(description="What was searched for.")] = ""


class BlockQuery(PageQuery, kw_only=True, forbid_unknown_fields=True):
    """A question for a fragment."""

    shared: Annotated[bool, Meta(description="For shared caches: nothing of the visitor is read.")] = False


class RecommendationQuery(PageQuery, kw_only=True, forbid_unknown_fields=True):
    """A question for a slate. Naming a visitor takes a secret key."""

    placement: Annotated[Id, Meta(description="Name of the placement.")]
    explain: Annotated[bool, Meta(description="Add origins, because and the time it took.")] = False
    user_id: Annotated[Word, Meta(description="Answer for this account; servers only.")] = ""
    anonymous_id: Annotated[Word, Meta(description="Answer for this visitor; servers only.")] = ""


LISTS = ("product_ids", "exclude_ids")
FLAGS = ("explain", "shared")


def read_arguments(kind: type[PageQuery]) -> Any:
    """Read a query string: lists are comma-separated, ``filter`` is JSON. What is not ours (``utm_...``) is let be.

    :raises InputError: naming the field
    """
    values: dict[str, Any] = {name: request.args[name] for name in kind.__struct_fields__ if name in request.args}
    for name in LISTS:
        if name in values:
            values[name] = id_list(name, request.args.getlist(name))
    if "filter" in values:
        values["filter"] = _condition(values["filter"])
    for name in FLAGS:
        if name in values:
            values[name] = flag(name, values[name])
    if "limit" in values:
        values["limit"] = _number(values["limit"])
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise invalid(error) from None


def read_json(kind: type[Any]) -> Any:
    """Read a JSON body.

    :raises InputError: naming the field
    """
    try:
        values = msgspec.json.decode(json_body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the body is not JSON: {error}", code="malformed") from None
    if isinstance(values, dict) and isinstance(limit := values.get("limit"), float) and limit.is_integer():
        values["limit"] = int(limit)  # to JSON, 6.0 is a whole number
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise invalid(error) from None


def id_list(name: str, values: list[str]) -> list[str]:
    parts = ",".join(values).split(",")
    if len(parts) > MAX_IDS:  # empty ones are passed over, but they count
        raise InputError(f"there are {len(parts)} ids, {MAX_IDS} are allowed", field=name)
    return [part for part in parts if part]


def _condition(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text.encode(), type=dict[str, Any]) if text else {}
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise InputError('filter must be a JSON object, such as {"brand": "Acme"}', field="filter") from None


def flag(name: str, text: str) -> bool:
    """What an argument of a query string says.

    :raises InputError: neither yes nor no
    """
    if text.lower() not in ("1", "true", "0", "false"):
        raise InputError(f"{name} must be true or false", field=name)
    return text.lower() in ("1", "true")


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InputError(f"limit must be a whole number from 0 to {MAX_SIZE}", field="limit")
    return int(text)
