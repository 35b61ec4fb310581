"""What the plugin knows of the visitor of this request, made readable for the inspector and the preferences page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mtp_plugin.profile.read import affinities, discount_share, merge
from mtp_plugin.records import ConsentLevel, Product, Profile, SlateEntry
from mtp_plugin.web.parts import get_state
from mtp_plugin.web.visitor import Visitor, current_visitor

from .shop import current_shop

FACETS = (
    ("category", "Categories"),
    ("brand", "Makers"),
    ("style", "Styles"),
    ("color", "Colours"),
    ("price_tier", "Price tier"),
)
LEVELS = {
    ConsentLevel.FULL: ("Full", "Your own profile is used."),
    ConsentLevel.CONTEXTUAL: ("Contextual", "Only this page and this moment are used. Nothing is kept."),
    ConsentLevel.NON_PERSONAL: ("Non-personal", "Everybody sees the same. Nothing about you is used."),
}


@dataclass(frozen=True, slots=True)
class VisitorView:
    """A visitor as the plugin sees one; without permission there is no profile.

    ``bars`` are (title, ((value, share from 0 to 1), ...)).
    """

    visitor: Visitor
    level: str
    meaning: str
    profile: Profile | None
    bars: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    recent: tuple[tuple[Product, str], ...]
    sale_share: float | None


def visitor_view(now: float) -> VisitorView:
    """The visitor of this request.

    :param now: seconds since 1970
    """
    state, visitor = get_state(), current_visitor()
    half_life = state.settings.half_life_days * 86400
    found = [p for p in state.journal.profiles(visitor.profile_ids) if p] if visitor.profile_ids else []
    profile = merge(found, half_life)
    level, meaning = LEVELS[visitor.level]
    if profile is None:
        return VisitorView(visitor, level, meaning, None, (), (), None)
    bars = tuple(
        (
            title,
            tuple((_last(name), share) for name, share in list(affinities(profile, facet, now, half_life).items())[:4]),
        )
        for facet, title in FACETS
    )
    return VisitorView(visitor, level, meaning, profile, bars, _recent(profile), discount_share(profile))


def slate_entries(recommendation_ids: Sequence[str], limit: int = 8) -> list[SlateEntry]:
    """Slates of this page that were made for this visitor, or for everybody; never another's."""
    state, mine = get_state(), set(current_visitor().profile_ids)
    state.slates.flush(1.0)
    found = (state.slates.get(name) for name in recommendation_ids[:limit])
    return [entry for entry in found if entry and set(entry.request.profile_ids) <= mine]


def _recent(profile: Profile) -> tuple[tuple[Product, str], ...]:
    products, seen = current_shop().catalogue.products, {}
    for item in reversed(profile.recent):
        if item.product_id in products and item.product_id not in seen:
            seen[item.product_id] = (products[item.product_id], item.action)
    return tuple(seen.values())[:8]


def _last(category: str) -> str:
    """The narrowest part of a category path."""
    return category.rsplit(" > ", 1)[-1]
