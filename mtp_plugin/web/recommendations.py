"""``v1/recommendations``: a slate as data, each product with what a page needs to show it."""

from __future__ import annotations

import time

import msgspec
from flask import Response, request

from ..errors import ForbiddenError, UnavailableError
from ..records import Assignment, Choice, ConsentLevel, Product, SegmentRef, Slate, SlateItem
from ..state import State
from ..track.limits import identifier
from ..track.sender import Sender
from .parts import get_parts, get_state
from .queries import RecommendationQuery, read_arguments, read_json
from .sender import current_sender, limit_rate, recorded_level
from .slates import Asker, is_common, is_off, slate_for, slate_for_request, visitor_asker
from .visitor import keep_apart
from .written import LONGEST, asked, digest, turn_of, write_down, written_before

__all__ = ["recommendations", "slate_for_request"]


class ProductView(msgspec.Struct, kw_only=True, frozen=True):
    """What everybody may know of a product; stock and margin are the shop's own business."""

    product_id: str
    title: str
    brand: str
    category_path: tuple[str, ...]
    url: str
    image: str
    price: float | None
    sale_price: float | None
    currency: str
    rating: float | None
    rating_count: int


class ItemView(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One product of the answer; ``origins`` and ``because`` come with ``explain``."""

    product_id: str
    position: int
    score: float
    reason_codes: tuple[str, ...]
    propensity: float
    product: ProductView
    purchase_probability: float | None = None
    origins: tuple[str, ...] = ()
    because: str = ""


class Recommendations(msgspec.Struct, kw_only=True, frozen=True):
    """The answer. ``fallback_level`` is 0 when the slate is as asked, then one up for each rung.

    ``title`` and ``message`` are what rules or policies put over the block. ``rules``, those that had a say,
    ``choices`` of policies that learn, ``took_us`` and ``availability_us`` come with ``explain``.
    """

    recommendation_id: str
    placement: str
    items: tuple[ItemView, ...]
    strategy: str
    segment: SegmentRef | None
    experiment: Assignment | None
    fallback_level: int
    consent_level: ConsentLevel
    model_version: str
    title: str = ""
    message: str = ""
    message_url: str = ""
    rules: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    choices: tuple[Choice, ...] | msgspec.UnsetType = msgspec.UNSET
    took_us: int | msgspec.UnsetType = msgspec.UNSET
    availability_us: int | msgspec.UnsetType = msgspec.UNSET


def recommendations() -> Response:
    """Answer a question for a slate."""
    state, sender, parts = get_state(), current_sender(), get_parts()
    limit_rate(sender)
    asker = _own_asker(state, sender)
    question = None
    switched_off = is_off(state, request.args.get("placement", ""))  # is refused below, at once
    if asker and request.method == "GET" and not switched_off and is_common(state, asker):
        question = asked(state, digest(asker.level, request.query_string))
    again = written_before(state, parts.written, question) if question else None
    if again is not None:
        return Response(again.body, headers=again.headers)
    query: RecommendationQuery = (
        read_json(RecommendationQuery) if request.method == "POST" else read_arguments(RecommendationQuery)
    )
    asker = asker_of(state, query.user_id, query.anonymous_id, own=asker)
    slate = slate_for(state, query.placement, asker, query, explain=query.explain)
    body = msgspec.json.encode(view(state, slate, explain=query.explain))
    answer = cached(Response(body, content_type="application/json"), asker, state, slate)
    if question and not query.explain and is_whole(slate):
        served = parts.metrics.given_again(slate)
        write_down(state, parts.written, question, slate, body, served=served, headers=tuple(answer.headers))
    return answer


def _own_asker(state: State, sender: Sender) -> Asker | None:
    """Who asks for itself; ``None`` for a server, which asks for others."""
    if sender.kind == "browser":
        return visitor_asker(state)
    return None if sender.kind == "server" else Asker()


def asker_of(state: State, user_id: str = "", anonymous_id: str = "", *, own: Asker | None = None) -> Asker:
    """For whom the current request may ask: its own visitor, or whom a server names.

    :param own: who asks for itself, if that is known already
    :raises ForbiddenError: somebody who is no server names a visitor
    """
    sender = current_sender()
    if sender.kind == "server":
        return _named(state, user_id, anonymous_id)
    if user_id or anonymous_id:
        raise ForbiddenError(
            "only servers with a secret key may name a visitor", field="user_id" if user_id else "anonymous_id"
        )
    return own or _own_asker(state, sender) or Asker()


def _named(state: State, user_id: str, anonymous_id: str) -> Asker:
    named = (("u", user_id, "user_id"), ("a", anonymous_id, "anonymous_id"))
    profile_ids = tuple(f"{letter}:{identifier(value, field)}" for letter, value, field in named if value)
    if not profile_ids:
        return Asker(private_facts=True)
    try:
        refused = any(recorded_level(state, name) is not ConsentLevel.FULL for name in profile_ids)
    except UnavailableError:
        refused = True  # without the record of refusals nobody's profile is used
    if refused:
        return Asker(private_facts=True)
    return Asker(level=ConsentLevel.FULL, profile_ids=profile_ids, private_facts=True)


def cached(response: Response, asker: Asker, state: State, slate: Slate | None) -> Response:
    """Say who may keep an answer: everybody for a short while, or nobody.

    An empty slate, or one from below the placement's own ladder, may be full again a moment later.
    """
    keep_apart(response, personal=not asker.shared)
    if slate is None or not is_whole(slate):
        response.cache_control.no_store = True
    elif asker.shared:
        response.cache_control.public = True
        response.cache_control.max_age = _lasting(state, slate)
    return response


def _lasting(state: State, slate: Slate) -> int:
    """Whole seconds for which an answer stays true, 60 at most: we may give it out again :data:`LONGEST` later."""
    now = time.time()
    return int(max(0, min(60, state.settings.cache_seconds, turn_of(state, slate, now) - now - LONGEST)))


def is_whole(slate: Slate) -> bool:
    """Whether the slate has products, from a strategy that its ladder names, and there was time for all of it."""
    return bool(slate.items) and not slate.late and slate.fallback_level < slate.rungs


def view(state: State, slate: Slate, *, explain: bool = False) -> Recommendations:
    """A slate as the API tells it."""
    now = time.time()
    table = state.pipeline.live.get().table
    items = tuple(
        _item(item, table.products[table.index[item.product_id]], now, state.settings.currency, explain)
        for item in slate.items
        if item.product_id in table.index
    )
    return Recommendations(
        recommendation_id=slate.recommendation_id,
        placement=slate.placement,
        items=items,
        strategy=slate.strategy,
        segment=slate.segment,
        experiment=slate.experiment,
        fallback_level=slate.fallback_level,
        consent_level=slate.consent_level,
        model_version=slate.model_version,
        title=slate.title,
        message=slate.message,
        message_url=slate.message_url,
        rules=slate.rules if explain else msgspec.UNSET,
        choices=slate.choices if explain else msgspec.UNSET,
        took_us=slate.took_us if explain else msgspec.UNSET,
        availability_us=slate.availability_us if explain else msgspec.UNSET,
    )


def _item(item: SlateItem, product: Product, now: float, currency: str, explain: bool) -> ItemView:
    return ItemView(
        product_id=item.product_id,
        position=item.position,
        score=item.score,
        reason_codes=item.reason_codes,
        propensity=item.propensity,
        product=_product(product, now, currency),
        purchase_probability=item.purchase_probability,
        origins=item.origins if explain else (),
        because=item.because if explain else "",
    )


def _product(product: Product, now: float, currency: str) -> ProductView:
    return ProductView(
        product_id=product.product_id,
        title=product.title,
        brand=product.brand,
        category_path=product.category_path,
        url=product.url,
        image=product.image,
        price=product.price,
        sale_price=product.sale_price if product.on_sale(now) else None,
        currency=product.currency or currency,
        rating=product.rating,
        rating_count=product.rating_count,
    )
