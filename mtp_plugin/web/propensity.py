"""``v1/propensity``: how probable it is that a visitor buys from a category, or a product, within a week."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
from flask import Response, request
from msgspec import Meta

from ..propensity.model import HORIZON_DAYS
from ..records import ConsentLevel
from .errors import invalid
from .parts import get_state
from .queries import Ids, Word, id_list
from .recommendations import asker_of
from .sender import current_sender, limit_rate
from .visitor import keep_apart


class PropensityQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """About whom, and about what. A visitor on the shop's own pages needs to say nothing."""

    product_ids: Annotated[Ids, Meta(description="Products to tell of, beside the categories.")] = []
    limit: Annotated[int, Meta(ge=1, le=200, description="Most categories, the most probable first.")] = 20
    user_id: Annotated[Word, Meta(description="This account; servers only.")] = ""
    anonymous_id: Annotated[Word, Meta(description="This visitor; servers only.")] = ""


class CategoryPropensity(msgspec.Struct, frozen=True, kw_only=True):
    """A category, as a whole path."""

    category: str
    purchase_probability: float


class ProductPropensity(msgspec.Struct, frozen=True, kw_only=True):
    """A product; null where nothing tells."""

    product_id: str
    purchase_probability: float | None


class Propensities(msgspec.Struct, frozen=True, kw_only=True):
    """What is told, the most probable category first; nothing below full consent, nor before there is a model."""

    categories: tuple[CategoryPropensity, ...]
    products: tuple[ProductPropensity, ...]
    horizon_days: int
    consent_level: ConsentLevel
    model_version: str


def read_propensity() -> Response:
    """Tell of the visitor, or of whom a server names."""
    state = get_state()
    limit_rate(current_sender())
    query = _query()
    asker, now = asker_of(state, query.user_id, query.anonymous_id), time.time()
    profile = state.pipeline.profile_of(asker.profile_ids, asker.level, now)
    serving = state.pipeline.live.get()
    categories: dict[str, float] = {}
    products: list[float | None] = [None] * len(query.product_ids)
    if profile is not None:
        categories = serving.likely.by_category(profile, now)
        products = serving.likely.by_id(serving.table, profile, query.product_ids, now)
    answer = Propensities(
        categories=tuple(
            CategoryPropensity(category=name, purchase_probability=value)
            for name, value in list(categories.items())[: query.limit]
        ),
        products=tuple(
            ProductPropensity(product_id=name, purchase_probability=value)
            for name, value in zip(query.product_ids, products, strict=True)
        ),
        horizon_days=HORIZON_DAYS,
        consent_level=asker.level,
        model_version=serving.propensity.version,
    )
    response = Response(msgspec.json.encode(answer), content_type="application/json")
    keep_apart(response, personal=True)
    return response


def _query() -> PropensityQuery:
    known: dict[str, object] = {
        name: request.args[name] for name in PropensityQuery.__struct_fields__ if name in request.args
    }
    if "product_ids" in known:
        known["product_ids"] = id_list("product_ids", request.args.getlist("product_ids"))
    try:
        return msgspec.convert(known, PropensityQuery, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(error) from error
