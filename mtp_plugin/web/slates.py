"""From the current request to a slate: visitor, context, cart, question."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from flask import current_app, has_request_context

from ..errors import ConditionError, NotFoundError
from ..patience import within
from ..pipeline import about_past
from ..records import ConsentLevel, Context, Product, Slate, SlateRequest
from ..signals import slate_served
from ..state import State
from .context import build_context
from .kept import kept
from .parts import get_parts
from .queries import PageQuery
from .visitor import current_visitor


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a slate is, and what may be used for it."""

    level: ConsentLevel = ConsentLevel.NON_PERSONAL
    profile_ids: tuple[str, ...] = ()
    cart_ids: tuple[str, ...] = ()
    private_facts: bool = False
    """Whether a filter may speak of stock and margin."""

    @property
    def shared(self) -> bool:
        """Whether the answer is the same for everybody."""
        return self.level is ConsentLevel.NON_PERSONAL and not self.cart_ids


def visitor_asker(state: State) -> Asker:
    """The visitor of the current request."""
    visitor = current_visitor()
    cart = state.loaders.cart() if state.loaders.cart else ()
    return Asker(level=visitor.level, profile_ids=visitor.profile_ids, cart_ids=tuple(str(item) for item in cart))


def slate_for(
    state: State,
    placement: str,
    asker: Asker,
    page: PageQuery,
    *,
    explain: bool = False,
    shown_ids: tuple[str, ...] = (),
) -> Slate:
    """Ask the pipeline.

    :param shown_ids: what other blocks of the page show
    :raises NotFoundError: no such placement or segment, or it is switched off
    :raises mtp_plugin.errors.ConditionError: a malformed filter
    """
    if is_off(state, placement):
        raise NotFoundError(f"the placement {placement!r} is switched off", field="placement", code="switched-off")
    try:
        with within(state.settings.latency_budget_ms / 1000):
            reading = kept().reading if has_request_context() else None
            slate = state.pipeline.recommend(_request(state, placement, asker, page, explain, shown_ids), reading)
    except ConditionError as error:
        field = f"filter.{error.field}" if error.field else "filter"
        raise ConditionError(error.message, field=field) from error
    if asker.profile_ids and not page.segment_id and has_request_context():
        kept().segment_id = slate.segment.segment_id if slate.segment else ""
    for choice in slate.choices:
        get_parts().metrics.chosen(choice.policy, choice.about, choice.arm)
    if slate_served.receivers:
        slate_served.send(current_app._get_current_object(), slate=slate)  # type: ignore[attr-defined]
    return slate


def _request(
    state: State, placement: str, asker: Asker, page: PageQuery, explain: bool, shown_ids: tuple[str, ...]
) -> SlateRequest:
    now = time.time()
    return SlateRequest(
        placement=placement,
        now=now,
        seed=zlib.crc32(asker.profile_ids[0].encode()) if asker.profile_ids else 0,
        consent_level=asker.level,
        profile_ids=asker.profile_ids,
        context=_context(state, asker, page, now),
        product_ids=tuple(page.product_ids),
        cart_ids=asker.cart_ids,
        limit=page.limit,
        exclude_ids=tuple(page.exclude_ids),
        filter=page.filter,
        segment_id=page.segment_id,
        explain=explain,
        private_facts=asker.private_facts,
        shown_ids=shown_ids,
    )


def slate_for_request(state: State, placement: str, **options: Any) -> Slate:
    """The slate of a placement for the visitor of the current request; outside of one, the slate for everybody.

    :param options: as for :func:`page_of`
    :raises NotFoundError: no such placement, or it is switched off
    :raises TypeError: an option that does not exist
    """
    if not has_request_context():
        return slate_for(state, placement, Asker(private_facts=True), page_of(options))
    asker = msgspec.structs.replace(visitor_asker(state), private_facts=True)
    mark_rendered(asker)
    return slate_for(state, placement, asker, page_of(options))


def is_common(state: State, asker: Asker) -> bool:
    """Whether the same block may be given to others who ask the same: nothing of the visitor is in it.

    Stages that look at more of a request than its page (device, time, place) make it the visitor's own.
    """
    return asker.level is not ConsentLevel.FULL and not asker.cart_ids and state.pipeline.by_page_alone(asker.level)


def mark_rendered(asker: Asker) -> None:
    """Remember for the response's headers that a slate went into it, and whether it was one visitor's own."""
    of_request = kept()
    of_request.rendered = True
    of_request.personal = of_request.personal or not asker.shared


def shown_elsewhere(state: State, placement: str) -> tuple[str, ...]:
    """The products of the page's other blocks so far; what is about the visitor's past repeats them all the same."""
    shown = kept().shown
    if not shown or _about_past(state, placement):
        return ()
    return tuple([name for other, names in shown.items() if other != placement for name in names])


def remember_shown(state: State, placement: str, product_ids: tuple[str, ...]) -> None:
    """Tell the page's later blocks what this one shows."""
    if not _about_past(state, placement):
        kept().shown[placement] = product_ids


def _about_past(state: State, placement: str) -> bool:
    known = state.pipeline.placements.get(placement)
    return known is not None and about_past(known)


def page_of(options: Mapping[str, Any]) -> PageQuery:
    """Options of a template or of the shop's code as a :class:`PageQuery`.

    ``product`` and ``products`` take ids or :class:`Product` records and are short for ``product_ids``; a category may
    be a path.

    :raises TypeError: an option that does not exist
    """
    values = dict(options)
    ids = [*_ids(values.pop("product_ids", ())), *_ids(values.pop("products", ())), *_ids(values.pop("product", ()))]
    category = values.pop("category", "") or ""
    return PageQuery(
        product_ids=ids,
        exclude_ids=_ids(values.pop("exclude_ids", ())),
        category=category if isinstance(category, str) else " > ".join(category),
        **values,
    )


def is_off(state: State, placement: str) -> bool:
    """Whether the whole plugin or this placement is switched off."""
    known = state.pipeline.placements.get(placement)
    off = not state.settings.enabled or placement in state.settings.placements_off
    return off or (known is not None and not known.enabled)


def _ids(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, Product):
        return [value.product_id]
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [str(value)]
    return [found for part in value for found in _ids(part)]


def _context(state: State, asker: Asker, page: PageQuery, now: float) -> Context:
    if not has_request_context():
        return Context(page_type=page.page_type, category=page.category, query=page.query)
    return build_context(
        asker.level, now, state.enrichment, page_type=page.page_type, category=page.category, query=page.query
    )
