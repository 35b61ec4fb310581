"""Blocks in a page: the same function behind ``mtp_block`` in templates and ``v1/blocks/<placement>``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec
from flask import Response, current_app, has_request_context, request
from markupsafe import Markup

from ..block.links import absolute, safe_url
from ..block.page import Banner, Scripts, banner_variables, block_variables, scripts_variables
from ..errors import NotFoundError
from ..records import Slate
from ..state import State
from .edge import limit_shared, of_known_segment, shared_response
from .kept import kept
from .parts import Parts, get_parts, get_state
from .queries import BlockQuery, PageQuery, flag, read_arguments
from .recommendations import asker_of, cached
from .sender import current_sender, limit_rate
from .slates import (
    Asker,
    is_common,
    is_off,
    mark_rendered,
    page_of,
    remember_shown,
    shown_elsewhere,
    slate_for,
    visitor_asker,
)
from .variations import variation_of_visitor
from .visitor import current_visitor
from .written import asked, digest, products_of, write_down, written_before

log = logging.getLogger(__name__)

NOTHING = Markup("")


def render_block(
    state: State,
    parts: Parts,
    placement: str,
    *,
    heading_level: int = 2,
    preferences_url: str = "",
    **options: Any,
) -> Markup:
    """A block for the visitor of the current request, empty when there is nothing to show.

    Whatever fails is logged and leaves the page without the block; in debug it is raised.

    :param heading_level: of the block's heading, 2 to 5
    :param preferences_url: where the visitor changes what may be remembered
    :param options: as for :func:`mtp_plugin.web.slates.page_of`
    """
    if is_off(state, placement):
        return NOTHING
    try:
        if not has_request_context():
            slate = slate_for(state, placement, Asker(private_facts=True), page_of(options))
            return _html(state, slate, heading_level=heading_level, preferences_url=preferences_url)
        asker = visitor_asker(state)
        mark_rendered(asker)
        key, shown_ids = None, shown_elsewhere(state, placement)
        if is_common(state, asker):
            key = _key(options, (asker.level, placement, heading_level, preferences_url, shown_ids))
        question = asked(state, key) if key else None
        if question and (again := written_before(state, parts.written, question)):
            remember_shown(state, placement, again.product_ids)
            return Markup(again.body)  # noqa: S704  it was one
        asker = msgspec.structs.replace(asker, private_facts=True)
        slate = slate_for(state, placement, asker, page_of(options), shown_ids=shown_ids)
        remember_shown(state, placement, tuple([item.product_id for item in slate.items]))
        html = _html(state, slate, heading_level=heading_level, preferences_url=preferences_url)
        if (
            question
            and html
            and not slate.late
            and state.loaders.price is None
            and parts.frames.usable(current_app.jinja_env)
        ):
            served = parts.metrics.given_again(slate)
            write_down(state, parts.written, question, slate, html, served=served)
        return html
    except Exception:
        if current_app.debug:
            raise
        log.exception("block %r is left out of the page", placement)
        parts.metrics.failure(placement if placement in state.pipeline.placements else "unknown")
        return NOTHING


def _key(options: dict[str, Any], where: tuple[Any, ...]) -> Hashable:
    """What a block is asked with, as a key; ``None`` where it cannot be one."""
    if all(type(value) is int for value in options.values()):  # such as a limit: the usual case
        return (*where, *options.items())
    return digest(where, page_of(options))


def block(placement: str) -> Response:
    """Answer with the fragment, for the widget and for edge includes."""
    if flag("shared", request.args.get("shared", "0")):
        return _shared_block(placement)
    state, sender = get_state(), current_sender()
    limit_rate(sender)
    _require(state, placement)
    page: PageQuery = read_arguments(BlockQuery)
    asker = asker_of(state)
    slate = None if is_off(state, placement) else slate_for(state, placement, asker, page)
    root = request.host_url if sender.kind == "other-origin" else ""
    html = _html(state, slate, root=root) if slate else NOTHING
    response = Response(str(html), content_type="text/html; charset=utf-8")
    response.headers["X-Content-Type-Options"] = "nosniff"
    cached(response, asker, state, slate)
    if root:  # it says what host it was asked of, which a shared cache may take for another one's
        response.cache_control.public, response.cache_control.private = False, True
    return response


def _shared_block(placement: str) -> Response:
    """The fragment for a shared cache, which everybody gets who asks the same; who asks is not looked at."""
    state = get_state()
    limit_shared(state)
    _require(state, placement)
    page, now = of_known_segment(state, read_arguments(BlockQuery)), time.time()
    slate = None if is_off(state, placement) else slate_for(state, placement, Asker(), page)
    return shared_response(state, slate, str(_html(state, slate)) if slate else "", now)


def _require(state: State, placement: str) -> None:
    if placement not in state.pipeline.placements:
        raise NotFoundError(f"there is no placement {placement!r}", field="placement")


def _html(state: State, slate: Slate, *, heading_level: int = 2, preferences_url: str = "", root: str = "") -> Markup:
    """*root* is the shop's address for a page that has another one, where ``/p/1`` would lead elsewhere."""
    if not slate.items:
        return NOTHING
    parts, began, environment = get_parts(), time.perf_counter(), current_app.jinja_env
    placement, now = state.pipeline.placements[slate.placement], time.time()
    if not root and state.loaders.price is None and parts.frames.usable(environment):
        html = parts.frames.html(
            environment, slate, placement, state.pipeline.live.get().table.find, price=parts.money, now=now,
            heading_level=heading_level, preferences_url=preferences_url,
        )  # fmt: skip
    else:
        price, products = state.loaders.price or parts.money, products_of(state, slate)
        built = parts.dresser.block(slate, placement, products, price=price, now=now, preferences_url=preferences_url)
        built = absolute(built, root) if root else built
        cards = parts.card_pages
        variables = block_variables(built, parts.words, environment, cards, heading_level=heading_level)
        html = _render("mtp/block.html", variables)
    parts.metrics.step("render", time.perf_counter() - began)
    return html


def template_globals(state: State, parts: Parts) -> dict[str, Callable[..., Any]]:
    """The functions that a shop's templates call; each fails like a block does."""

    def mtp_scripts(*, style: bool = True, data_layer: str = "", consent_manager: str = "") -> Markup:
        return _quietly("scripts", lambda: _scripts(state, parts, style, data_layer, consent_manager))

    def mtp_consent(*, policy_url: str = "", always: bool = False) -> Markup:
        return _quietly("consent", lambda: _consent(state, parts, policy_url, always))

    return {
        "mtp_block": partial(render_block, state, parts),
        "mtp_scripts": mtp_scripts,
        "mtp_consent": mtp_consent,
        "mtp_variation": partial(variation_of_visitor, state),
    }


def _quietly(what: str, make: Callable[[], Markup]) -> Markup:
    try:
        return make()
    except Exception:
        if current_app.debug:
            raise
        log.exception("%s are left out of the page", what)
        return NOTHING


def _scripts(state: State, parts: Parts, style: bool, data_layer: str, manager: str) -> Markup:
    """Tags of script and style; the page then depends on the visitor's choice, so caches are told."""
    if not state.settings.enabled:
        return NOTHING
    kept().rendered = True
    nonce = state.loaders.nonce() if state.loaders.nonce else ""
    scripts = Scripts(
        script_url=_asset_url(parts, "widget.js", "mtp.js"),
        style_url=_asset_url(parts, "mtp.css", "mtp.css") if style else "",
        consent_level=current_visitor().level,
        nonce=nonce or "",
        data_layer=data_layer,
        manager=manager,
        manager_url=_asset_url(parts, "widget-managers.js", "mtp-managers.js") if manager else "",
    )
    return _render("mtp/_scripts.html", scripts_variables(scripts))


def _consent(state: State, parts: Parts, policy_url: str, always: bool) -> Markup:
    """The question, until it is answered; *always* is for the page where one changes one's mind.

    Whoever sends Global Privacy Control has answered already.
    """
    if not state.settings.enabled or not has_request_context():
        return NOTHING
    kept().rendered = True
    visitor = current_visitor()
    if not always and (visitor.decided or visitor.gpc or visitor.bot):
        return NOTHING
    action = f"{request.script_root}{parts.prefix}/v1/privacy/consent"
    banner = Banner(
        action=action,
        next=_here(),
        policy_url=safe_url(policy_url),
        purposes=state.settings.consent_purposes,
        # A box is ticked only where the visitor ticked it: what a regime permits unasked is no choice.
        permitted=frozenset(name for name, yes in visitor.choices.items() if yes and name in visitor.purposes),
        source="preferences" if always else "banner",
    )
    return _render("mtp/_consent.html", banner_variables(banner, parts.words))


def _here() -> str:
    """This page's address below the host; what is no ``GET`` cannot be gone back to."""
    if request.method != "GET":
        return f"{request.script_root}/"
    query = request.query_string.decode("ascii", "ignore")
    return quote(f"{request.script_root}{request.path}") + (f"?{query}" if query else "")


def _render(template: str, variables: Mapping[str, Any]) -> Markup:
    """Render without the shop's context processors: they may ask a database, and would for every block of a page."""
    text = current_app.jinja_env.get_template(template).render(variables)
    return Markup(text.strip())  # noqa: S704  our templates escape


def _asset_url(parts: Parts, route: str, name: str) -> str:
    return f"{request.script_root}{parts.prefix}/{route}?v={parts.assets[name].version}"
