"""The frame around every page: navigation with counts, who is here, the last notice; and the answers of pages."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, current_app, redirect, request, url_for
from markupsafe import Markup, escape

from ...block.links import safe_url
from ..kept import kept
from ..parts import get_parts, get_state
from .console import get_console
from .notices import Notice
from .panel import Panel
from .roles import Person, Role
from .tokens import FIELD, new_browser
from .words import ago, clock, money, number, percent, share

log = logging.getLogger(__name__)

THEME = "mtp_console_theme"
THEMES = ("light", "dark")
GROUPS = ("", "Shop", "Shoppers", "Results", "Engine", "Trust")
"""Headings of the navigation, in order."""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the navigation."""

    title: str
    url: str
    current: bool
    count: int | None


@dataclass(slots=True)
class Group:
    """Entries under one heading."""

    title: str
    links: list[Link] = field(default_factory=list)


def current_person() -> Person:
    """Who asks; the guard has been asked before any page."""
    person = kept().person
    assert person is not None  # noqa: S101  no page is reached without
    return person


def address(endpoint: str, **values: Any) -> str:
    """Address of a page of the console; *endpoint* is ``<panel>_<page>``."""
    return url_for(f".admin_{endpoint}", **values)


def page(template: str, *, title: str, status: int = 200, **values: Any) -> Response:
    """A page in the frame.

    :param template: its name below ``mtp/admin/``
    :param title: its heading
    """
    console, person = get_console(), current_person()
    browser = console.tokens.browser() or new_browser()
    notice = console.notices.waiting()
    token = console.tokens.make(browser, person.name)
    common: dict[str, Any] = {
        "title": title,
        "person": person,
        "roles": Role,
        "notice": notice,
        "console_note": get_state().settings.console_note,
        "navigation": _navigation(),
        "theme": _theme(),
        "token": Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token),
        "address": address,
        "asset": asset_address,
        "home": f"{request.script_root}/",
        "here": here,
        "stay": here() if request.method == "GET" and status == 200 else address("overview_show"),
        "now": time.time(),
    }
    frame = {**FILTERS, **common}
    if taken := frame.keys() & values.keys():
        raise TypeError(f"{template} would hide {', '.join(sorted(taken))} from the frame: give it another name")
    response = Response(_render(template, frame | values), status=status)
    console.tokens.give(response, browser)
    console.notices.told(response)
    return response


def bare(template: str, *, status: int, **values: Any) -> Response:
    """A page for somebody who may not see the console: nothing of the shop is on it."""
    values = {"asset": asset_address, "home": f"{request.script_root}/", "theme": _theme(), **values}
    return Response(_render(template, values), status=status)


def back_to(url: str, notice: Notice | None = None) -> Response:
    """After a form: go and see the page, which tells *notice*."""
    response = current_app.make_response(redirect(url, 303))
    if notice is not None:
        get_console().notices.leave(response, notice)
    return response


def asset_address(name: str) -> str:
    """Address of a file of the console, named by its content."""
    return url_for(".admin_asset", name=name, v=get_console().assets[name].version)


def here(**changes: Any) -> str:
    """This page's address with some of its parameters changed; ``None`` or ``""`` takes one away."""
    arguments = {**request.args.to_dict(), **changes}
    values = {name: value for name, value in arguments.items() if value not in (None, "")}
    return url_for(str(request.endpoint), **{**(request.view_args or {}), **values})


def _navigation() -> Iterable[Group]:
    from .panels import PANELS

    groups = {title: Group(title) for title in GROUPS}
    for panel in PANELS:
        try:
            if panel.present(get_state()):
                groups[panel.group].links.append(_link(panel))
        except Exception:  # one panel must not take the navigation with it
            log.exception("the panel %s is left out of the navigation", panel.title)
    return [group for group in groups.values() if group.links]


def _link(panel: Panel) -> Link:
    key = panel.key or "overview"
    current = (request.endpoint or "").rpartition(".")[2].startswith(f"admin_{key}_")
    try:
        count = panel.count(get_state())
    except Exception:
        log.exception("the panel %s cannot count", panel.title)
        count = None
    return Link(panel.title, address(panel.pages[0].name_in(key)), current, count)


def _theme() -> str:
    chosen = request.cookies.get(THEME, "")
    return chosen if chosen in THEMES else ""


def _render(template: str, values: Mapping[str, Any]) -> str:
    """Without the shop's context processors: they know nothing of this page, and may ask a database."""
    return current_app.jinja_env.get_template(f"mtp/admin/{template}").render(values)


def price(amount: float | None, currency: str) -> str:
    """A price as the shop's country writes it."""
    return money(amount, currency or get_state().settings.currency, get_parts().money)


def moment(seconds: float) -> str:
    """A time in the shop's time zone."""
    return clock(seconds, shop_zone())


def shop_zone() -> ZoneInfo:
    """The shop's time zone."""
    return ZoneInfo(get_state().settings.time_zone)


def emphasised(text: str) -> Markup:
    """A sentence of the rules, with what stands between stars emphasised."""
    parts = text.split("*")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<em>{}</em>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def to_fields(pieces: Iterable[tuple[str, str]]) -> Markup:
    """A sentence of pieces *text, field*, its words links to their fields: those between stars, or all of a piece."""
    return Markup("").join(_to_field(text, name) if name else emphasised(text) for text, name in pieces)


def _to_field(text: str, name: str) -> Markup:
    parts = text.split("*")
    starred = len(parts) > 1 and len(parts) % 2 == 1
    return Markup("").join(
        Markup('<a href="#{}">{}</a>').format(name, part) if place % 2 == starred else escape(part)
        for place, part in enumerate(parts if starred else [text])
    )


FILTERS: dict[str, Any] = {
    "ago": ago, "number": number, "percent": percent, "share": share, "price": price, "moment": moment,
    "emphasised": emphasised, "to_fields": to_fields, "safe_url": safe_url,
}  # fmt: skip
"""How templates write numbers and times."""
