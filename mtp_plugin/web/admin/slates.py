"""A slate as the console shows it: its products with price, score, origins and reasons."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import current_app

from ...records import Card, Placement, Product, Slate, SlateEntry, SlateItem, SlateRequest
from ...state import State
from ..parts import get_parts
from ..written import products_of
from .asking import Asking


@dataclass(frozen=True, slots=True)
class Row:
    """One product; ``weight`` is its score as a share of the slate's best of the same strategy."""

    card: Card
    item: SlateItem
    product: Product
    strategy: str
    weight: float


@dataclass(frozen=True, slots=True)
class SlateView:
    """A slate, ready to be shown."""

    entry: SlateEntry
    placement: Placement
    title: str
    rows: tuple[Row, ...]

    @property
    def product_ids(self) -> tuple[str, ...]:
        return tuple(row.item.product_id for row in self.rows)

    @property
    def tried(self) -> tuple[tuple[str, int], ...]:
        """The strategies that were tried, and how many products each proposed."""
        return tuple((rung.strategy, len(rung.product_ids)) for rung in self.entry.rungs)


def view_of(state: State, entry: SlateEntry, placement: Placement) -> SlateView:
    """Dress a slate in the shop's words and prices."""
    parts, slate = get_parts(), entry.slate
    products = products_of(state, slate)
    block = parts.dresser.block(
        slate, placement, products, price=state.loaders.price or parts.money, now=time.time(), preferences_url=""
    )
    items = {item.position: item for item in slate.items}
    origin = {name: rung.strategy for rung in reversed(entry.rungs) for name in rung.product_ids}
    best = max((abs(item.score) for item in slate.items), default=0.0) or 1.0
    rows = tuple(
        Row(
            card,
            items[card.position],
            products[card.product_id],
            origin.get(card.product_id, slate.strategy),
            max(0.0, min(1.0, items[card.position].score / best)),
        )
        for card in block.cards
    )
    return SlateView(entry, placement, block.title, rows)


def view_of_slate(state: State, slate: Slate, asked: SlateRequest, placement: Placement) -> SlateView:
    """A slate of which nothing more is known."""
    return view_of(state, SlateEntry(slate=slate, request=asked), placement)


def preview(state: State, asking: Asking, name: str, placement: Placement | None = None) -> SlateView:
    """What *asking* would be shown at a placement, which may be another than the one that stands there."""
    placement = placement or state.placements[name]
    entry = state.pipeline.explain(asking.request(name), placement)
    return view_of(state, entry, placement)


def previews(state: State, asking: Asking, names: list[str]) -> list[tuple[str, SlateView | None]]:
    """Several; one that fails is logged and stands empty."""
    found: list[tuple[str, SlateView | None]] = []
    for name in names:
        try:
            found.append((name, preview(state, asking, name)))
        except Exception:
            current_app.logger.exception("the preview of %s failed", name)
            found.append((name, None))
    return found
