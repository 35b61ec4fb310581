"""Why a product is, or is not, in a slate: every gate it had to pass, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...draft import origins_in
from ...records import ConsentLevel, Placement, ProductTable, Rung, SlateEntry


@dataclass(frozen=True, slots=True)
class Gate:
    """One question: *passed*, what it found, and what to do where it did not pass."""

    question: str
    passed: bool
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All gates, and the answer in a sentence."""

    shown: bool
    sentence: str
    gates: tuple[Gate, ...]


def why(
    entry: SlateEntry, placement: Placement, table: ProductTable, product_id: str, *, available: bool, off: bool
) -> Verdict:
    """Follow a product through what *entry* tells of one slate.

    :param available: the shop's word on whether it can be bought now
    :param off: whether the placement is switched off
    """
    position = next((item.position for item in entry.slate.items if item.product_id == product_id), 0)
    gates = [
        *_of_placement(off),
        *_of_catalogue(table, product_id, available),
        *_of_request(entry, placement, product_id),
        *_of_strategies(entry, product_id),
        _of_rank(entry, placement, position),
    ]
    shown = bool(position) and not off
    if shown:
        return Verdict(True, f"Shown at position {position} of {len(entry.slate.items)}.", tuple(gates))
    first = next((gate for gate in gates if not gate.passed), None)
    return Verdict(False, f"Not shown: {_lower(first.found)}" if first else "Not shown.", tuple(gates))


def _of_placement(off: bool) -> Iterator[Gate]:
    found = "The placement is switched off" if off else "The placement is on"
    yield Gate("Is the placement on?", not off, found, "Switch it on at its page." if off else "")


def _of_catalogue(table: ProductTable, product_id: str, available: bool) -> Iterator[Gate]:
    row = table.index[product_id]
    visible, stock = bool(table.visible[row]), bool(table.in_stock[row])
    yield Gate(
        "Does the catalogue show it?",
        visible,
        "It is visible" if visible else "It is hidden in the catalogue",
        "" if visible else "Show it in the shop and import the catalogue.",
    )
    left = table.products[row].stock
    pieces = "the shop does not count pieces" if left is None else f"{left} left"
    yield Gate("Was it in stock at the last import?", stock, f"In stock ({pieces})" if stock else "It is out of stock")
    yield Gate(
        "Does the shop say it can be bought now?",
        available,
        "It can be bought" if available else "The shop says that it cannot be bought now",
    )


def _of_request(entry: SlateEntry, placement: Placement, product_id: str) -> Iterator[Gate]:
    request, profile = entry.request, entry.profile
    personal = request.consent_level is not ConsentLevel.NON_PERSONAL
    if product_id in request.exclude_ids:
        yield Gate("Is it left out by the page?", False, "The page asked to leave it out")
    if product_id in request.shown_ids:
        told = "Another block of the page shows it, so it comes after those that none shows"
        yield Gate("Does another block show it?", True, told)
    if personal and product_id in request.cart_ids:
        yield Gate("Is it in the cart?", False, "It is in the cart already")
    if placement.exclude_in_view and product_id in request.product_ids:
        yield Gate("Is it in view already?", False, "It is what the page shows")
    seen = profile is not None and any(item.product_id == product_id for item in profile.recent)
    if seen and not placement.allow_repeats:
        yield Gate("Was it seen lately?", False, "The visitor saw it lately, and this placement repeats nothing")


def _of_strategies(entry: SlateEntry, product_id: str) -> Iterator[Gate]:
    proposed = [rung for rung in entry.rungs if product_id in rung.product_ids]
    tried = ", ".join(rung.strategy for rung in entry.rungs) or "none"
    if not proposed:
        yield Gate("Did a strategy propose it?", False, f"No strategy proposed it (tried: {tried})")
    for rung in proposed:
        yield Gate(f"Did {rung.strategy} propose it?", True, _told(rung, product_id))


def _told(rung: Rung, product_id: str) -> str:
    place = rung.product_ids.index(product_id)
    origins = ", ".join(origins_in(rung.sources)[rung.origins[place]]) or "no source by name"
    return f"Proposed at place {place + 1} of {len(rung.product_ids)}, score {rung.scores[place]:.3g}, by {origins}"


def _of_rank(entry: SlateEntry, placement: Placement, position: int) -> Gate:
    size = entry.request.limit or placement.size
    question = "Was it good enough for the room there is?"
    if position:
        return Gate(question, True, f"Position {position} of {size}")
    if not entry.slate.items:
        return Gate(question, False, f"The block stays empty: fewer than {placement.min_items} products were found")
    return Gate(question, False, f"Others ranked before it; the block has room for {size}")


def _lower(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}."
