"""What the plugin knows of the visitor of this request, made readable for the inspector and the preferences page."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from mtp_plugin.errors import MTPError
from mtp_plugin.profile.read import affinities, discount_share, merge
from mtp_plugin.records import ConsentLevel, Context, Product, Profile, Slate, SlateEntry, SlateItem, SlateRequest
from mtp_plugin.web.context import build_context
from mtp_plugin.web.parts import get_state
from mtp_plugin.web.visitor import Visitor, current_visitor

from .basket import current_basket
from .shop import current_shop

FACETS = (
    ("category", "Categories"),
    ("brand", "Makers"),
    ("style", "Styles"),
    ("color", "Colours"),
    ("price_tier", "Price tier"),
)
FRONT = ("home-hero", "home-trending", "recently-viewed")
LEVELS = {
    ConsentLevel.FULL: ("Full", "Your own profile is used."),
    ConsentLevel.CONTEXTUAL: ("Contextual", "Only this page and this moment are used. Nothing is kept."),
    ConsentLevel.NON_PERSONAL: ("Non-personal", "Everybody sees the same. Nothing about you is used."),
}


@dataclass(frozen=True, slots=True)
class VisitorView:
    """A visitor as the plugin sees one; without permission there is no profile.

    ``bars`` are (title, ((value, share from 0 to 1), ...)), ``context`` what is true of this request as (what, value),
    ``traits`` are (name, value, where it came from).
    """

    visitor: Visitor
    level: str
    meaning: str
    profile: Profile | None
    bars: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    recent: tuple[tuple[Product, str], ...]
    sale_share: float | None
    context: tuple[tuple[str, str], ...] = ()
    traits: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Apart:
    """Something that sets a segment apart: its share among these visitors and among everyone, 0 to 1."""

    name: str
    here: float
    everyone: float


@dataclass(frozen=True, slots=True)
class SegmentView:
    """The visitor's segment: how sure that is (0 to 1), its part of all visitors and what sets it apart."""

    name: str
    confidence: float
    share: float
    apart: tuple[Apart, ...]


@dataclass(frozen=True, slots=True)
class Interest:
    """Something the visitor seems to like: its name and page, its share from 0 to 1, and what that rests on."""

    name: str
    key: str
    share: float
    because: tuple[Product, ...]
    value: str
    """As the profile names it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One product of a slate: as it would be served now, and where it stood when the page was made (0: nowhere).

    ``strength`` is its score as a share of the slate's best.
    """

    item: SlateItem
    product: Product
    because: Product | None
    before: int
    strength: float


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block of the page: the slate it was served with, the one it would be served with now, line by line."""

    served: Slate
    now: Slate
    lines: tuple[Line, ...]
    gone: tuple[Product, ...]

    @property
    def changed(self) -> bool:
        """Whether the next page would show something else."""
        return bool(self.gone) or any(line.before != line.item.position for line in self.lines)


def visitor_view(now: float) -> VisitorView:
    """The visitor of this request.

    :param now: seconds since 1970
    """
    state, visitor = get_state(), current_visitor()
    half_life = state.settings.half_life_days * 86400
    found = [p for p in state.journal.profiles(visitor.profile_ids) if p] if visitor.profile_ids else []
    profile = merge(found, half_life)
    level, meaning = LEVELS[visitor.level]
    context = _context(visitor, now)
    if profile is None:
        return VisitorView(visitor, level, meaning, None, (), (), None, context)
    bars = tuple(
        (
            title,
            tuple((_last(name), share) for name, share in list(affinities(profile, facet, now, half_life).items())[:4]),
        )
        for facet, title in FACETS
    )
    recent, share = _recent(profile), discount_share(profile)
    return VisitorView(visitor, level, meaning, profile, bars, recent, share, context, _traits(profile))


def _context(visitor: Visitor, now: float) -> tuple[tuple[str, str], ...]:
    """The request in a few lines; below consent there is none to tell of."""
    said = build_context(visitor.level, now, get_state().enrichment)
    place = ", ".join(part for part in (said.city, said.region, said.country) if part)
    simulated = " (simulated)" if said.extra.get("simulated_place") else ""
    city = {True: ", urban", False: ", not urban", None: ""}[said.urban]
    hour = f"{said.weekday.capitalize()}, {said.hour} h, {said.daypart}" if said.hour is not None else ""
    commuting = ", commuting hours" if said.commuting else ""
    weather = " ".join(part for part in (said.weather, _degrees(said.temperature)) if part)
    lines = (
        ("Device", " · ".join(part for part in (said.device, said.os, said.browser) if part)),
        ("Place", f"{place}{city}{simulated}" if place else ""),
        ("Time", f"{hour}{commuting}{f' in {said.time_zone}' if said.time_zone else ''}"),
        ("Weather", weather),
        ("Came by", " · ".join(part for part in (said.source, said.medium, said.campaign) if part)),
    )
    return tuple((what, text) for what, text in lines if text)


def _degrees(temperature: float | None) -> str:
    return "" if temperature is None else f"{temperature:.0f} °C"


def _traits(profile: Profile) -> tuple[tuple[str, str, str], ...]:
    """What was stated first, then what requests show."""
    found = [
        (name.replace("_", " "), _said(value), profile.origins[name].source if name in profile.origins else "shop")
        for name, value in profile.traits.items()
        if value is not None
    ]
    return tuple(sorted(found, key=lambda trait: (trait[2] == "request", trait[0])))


def _said(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def segment_view(profile: Profile | None, now: float) -> SegmentView | None:
    """The segment that the visitor is in now, ``None`` where there is none."""
    state = get_state()
    segments = state.pipeline.live.get().segments
    ref = segments.assign(profile, build_context(current_visitor().level, now, state.enrichment), now)
    if ref is None:
        return None
    known = {segment.segment_id: segment for segment in segments.all()}
    segment = known.get(ref.segment_id)
    if segment is None:
        return SegmentView(ref.name, ref.confidence, 0.0, ())
    told = tuple(
        Apart(label, here, everyone)
        for name, here, everyone in segment.lifts
        if (label := _in_words(name)) and 0 <= everyone < here <= 1
    )
    return SegmentView(ref.name, ref.confidence, segment.share, told[:5])


def _in_words(feature: str) -> str:
    """A feature as people say it, ``""`` for one that is no share of something."""
    family, _, value = feature.partition(".")
    if feature == "discount_share":
        return "Reduced things"
    return _last(value) if family in {"category", "brand", "style", "color"} else ""


def interests(view: VisitorView, limit: int = 5) -> tuple[Interest, ...]:
    """The categories that the visitor seems to like most, each with the products of late that say so."""
    categories = next((values for title, values in view.bars if title == "Categories"), ())
    known = view.profile.affinities.get("category", {}) if view.profile else {}
    values = {_last(value): value for value in known}
    shelves = {shelf[0].category_path[-1]: key for key, shelf in current_shop().catalogue.by_category.items()}
    return tuple(
        Interest(
            name,
            shelves.get(name, ""),
            share,
            tuple(product for product, _ in view.recent if product.category_path[-1] == name)[:3],
            values.get(name, name),
        )
        for name, share in categories[:limit]
    )


def block_views(recommendation_ids: Sequence[str], now: float) -> list[BlockView]:
    """The blocks of a page, with what each would hold if the page were made at *now*.

    :param recommendation_ids: slates of the page; without any, the front page's blocks are asked for
    """
    entries = _entries(recommendation_ids) if recommendation_ids else [_front(name, now) for name in FRONT]
    return [view for entry in entries if (view := _block_view(entry, now)).served.items]


def _block_view(entry: SlateEntry, now: float) -> BlockView:
    products = current_shop().catalogue.products
    fresh = _ask_again(entry, now)
    before = {item.product_id: item.position for item in entry.slate.items}
    best = max((item.score for item in fresh.items), default=0.0)
    lines = tuple(
        Line(
            item,
            products[item.product_id],
            products.get(item.because),
            before.get(item.product_id, 0),
            max(0.0, item.score / best) if best > 0 else 0.0,
        )
        for item in fresh.items
        if item.product_id in products
    )
    kept = {item.product_id for item in fresh.items}
    gone = tuple(products[name] for name in before if name not in kept and name in products)
    return BlockView(entry.slate, fresh, lines, gone)


class _Nowhere:
    """Takes slates and keeps none: what the inspector asks for was not served to anybody."""

    def append(self, entry: SlateEntry) -> None:
        """Forget it."""


def _ask_again(entry: SlateEntry, now: float) -> Slate:
    try:
        return _ask(entry.request, now)
    except MTPError:
        return entry.slate


def _front(placement: str, now: float) -> SlateEntry:
    """A block of the front page as if it had just been served."""
    request = SlateRequest(placement=placement, now=now, context=Context(page_type="home"))
    return SlateEntry(slate=_ask(request, now), request=request)


def _ask(request: SlateRequest, now: float) -> Slate:
    """The question as of this moment and for this visitor, without a trace in the log of slates."""
    pipeline, visitor = copy.copy(get_state().pipeline), current_visitor()
    pipeline.slates = _Nowhere()
    return pipeline.recommend(
        msgspec.structs.replace(
            request,
            now=now,
            consent_level=visitor.level,
            profile_ids=visitor.profile_ids,
            cart_ids=tuple(current_basket().product_ids),
        )
    )


def _entries(recommendation_ids: Sequence[str], limit: int = 8) -> list[SlateEntry]:
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
