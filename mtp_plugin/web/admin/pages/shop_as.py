"""The shop as somebody sees it: a visitor, a segment or a made-up request; every placement with its reasons."""

from __future__ import annotations

import time

from flask import Response, request

from ....profile.read import affinities, discount_share
from ....records import Profile
from ....state import State
from ...parts import get_state
from ...slates import is_off
from ..asking import context_fields, read_asking, some_visitors
from ..charts import Bar, bars
from ..frame import page
from ..panel import Page, Panel
from ..segmented import segment_choices
from ..slates import previews

FACETS = (
    ("category", "Categories"), ("brand", "Brands"), ("style", "Styles"), ("color", "Colours"),
    ("price_tier", "Price tier"),
)  # fmt: skip
MOST_BARS = 5
DAY = 86400.0


def show() -> Response:
    """The form, and what it asks for."""
    state = get_state()
    asking = read_asking(state, request.args)
    wanted = [name for name in request.args.getlist("placement") if name in state.placements]
    names = [name for name in wanted or list(state.placements) if not is_off(state, name)]
    slates = previews(state, asking, names) if request.args and not asking.errors else []
    return page(
        "shop_as.html",
        title="See the shop as…",
        asking=asking,
        slates=slates,
        wanted=wanted,
        placements=list(state.placements),
        visitors=some_visitors(state),
        segments=segment_choices(state),
        context_fields=context_fields(),
        taste=_taste(state, asking.profile) if asking.profile else (),
        sale_share=discount_share(asking.profile) if asking.profile else None,
        asked=bool(request.args),
    )


def _taste(state: State, profile: Profile) -> list[tuple[str, tuple[Bar, ...]]]:
    half_life = state.settings.half_life_days * DAY
    found = [
        (title, bars(list(affinities(profile, facet, time.time(), half_life).items())[:MOST_BARS]))
        for facet, title in FACETS
    ]
    return [(title, rows) for title, rows in found if rows]


PANEL = Panel(key="as", title="See the shop as…", group="Shoppers", pages=(Page("/", "show", show),))
