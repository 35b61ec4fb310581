"""Events into a profile: pure, and the same whatever the batches were."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..config import Settings
from ..records import ACTIONS, Action, Event, EventProduct, ProductFacts, Profile, RecentItem
from .draft import Draft
from .features import is_excluded
from .traits import CRM

Facts = Callable[[str, float], ProductFacts | None]
_AMOUNTS = ("revenue", "total", "value")
VIEW, CART, PURCHASE, UNCART, RETURN = Action  # at hand: to ask the class for one costs more than to compare it
MOST_TIMES = 50
"""Times of putting one product into the cart that one removal takes back at most."""


class Fold:
    """Folds events, in order of arrival, into the next revision of a profile.

    Folding a list at once or piece by piece gives the same profile but for its revision, so does folding everything
    again from the start.

    :param settings: action weights, half-life, session length, how many recent products to keep, sensitive categories
    """

    def __init__(self, settings: Settings) -> None:
        weights = {Action(name): weight for name, weight in settings.action_weights.items()}
        self._view, self._cart, self._bought = (weights[action] for action in (VIEW, CART, PURCHASE))
        self._half_life = settings.half_life_days * 86400
        self._idle = settings.session_idle_minutes * 60
        self._recent = settings.recent_items
        self._excluded = frozenset(settings.segment_exclude_categories)

    def __call__(self, profile: Profile | None, events: Sequence[Event], facts: Facts) -> Profile:
        """The profile after *events*.

        :param profile: as it is, ``None`` for a new visitor
        :param events: of this visitor, at least one, in order of arrival
        :param facts: what is known of a product at a time, ``None`` for a product nobody knows
        """
        draft = Draft(profile or Profile(profile_id=events[0].profile_id), self._half_life)
        for event in events:
            self._event(draft, event, facts)
        return draft.freeze()

    def _event(self, draft: Draft, event: Event, facts: Facts) -> None:
        if event.name == "Cart Abandoned":
            # It tells of what the visitor did not do: it is no activity.
            draft.abandoned_at = max(draft.abandoned_at, event.timestamp)
            return
        if event.source.startswith(CRM):  # nothing that the visitor did
            draft.learn_traits(event)
            return
        draft.clock(event.timestamp, self._idle)
        if event.context:
            draft.habits.notice(event.context)
        if event.traits or event.context:
            draft.learn_traits(event)
        action = ACTIONS.get(event.name)
        if action is None:
            if event.name == "Interests Edited":
                draft.edit_interest(event.properties, self._bought, event.timestamp)
            elif event.name == "Products Searched":
                draft.search(event.properties.get("query"))
        elif action is PURCHASE:
            self._purchase(draft, event, facts)
        elif action is RETURN:
            self._take_back_purchase(draft, event, facts)
        elif action is UNCART:
            for product in event.products:
                self._take_back_cart(draft, product, event.timestamp, facts)
        elif action is CART:
            for product in event.products:
                draft.count(self._act(draft, "cart", self._cart, product.product_id, event.timestamp, facts), carts=1)
                draft.put_in(product.product_id, product.quantity)
        else:
            for product in event.products:
                draft.count(self._act(draft, "view", self._view, product.product_id, event.timestamp, facts), views=1)

    def _act(
        self, draft: Draft, action: str, weight: float, product_id: str, t: float, facts: Facts
    ) -> ProductFacts | None:
        """Take an action on a product; gives what is known of it."""
        known = facts(product_id, t)
        self._add(draft, known, weight, t)
        draft.remember(RecentItem(product_id, t, action), self._recent)
        return known

    def _add(self, draft: Draft, known: ProductFacts | None, weight: float, t: float) -> None:
        """What a sensitive product says goes to its category alone, where it can be told from the rest."""
        draft.add(known, weight, t, category_only=known is not None and self._is_sensitive(known))

    def _is_sensitive(self, known: ProductFacts) -> bool:
        return bool(self._excluded) and is_excluded(known.category, self._excluded)

    def _worth(self, event: Event, facts: Facts) -> float:
        """What an order is worth without its sensitive lines, as far as these say what they cost."""
        amount = _amount(event)
        if not self._excluded or not event.products:
            return amount
        known = ((line, facts(line.product_id, event.timestamp)) for line in event.products)
        sensitive = [line for line, fact in known if fact is not None and self._is_sensitive(fact)]
        if len(sensitive) == len(event.products):
            return 0.0
        return max(0.0, amount - sum((line.price or 0.0) * line.quantity for line in sensitive))

    def _purchase(self, draft: Draft, event: Event, facts: Facts) -> None:
        pieces = _pieces(event.products)
        if draft.bought.place(_order_id(event), event.timestamp, self._worth(event, facts), pieces):
            draft.abandoned_at = 0.0
            for product_id in pieces:
                known = self._act(draft, "purchase", self._bought, product_id, event.timestamp, facts)
                draft.count(known, purchases=1)
                draft.empty(product_id)

    def _take_back_cart(self, draft: Draft, product: EventProduct, t: float, facts: Facts) -> None:
        """The newest times it was put into the cart never were, as far as no piece of them is left there.

        Of several pieces put there at once, some can be taken out: the interest stays until all are. Nothing happens if
        it is too long ago to be known.
        """
        for _ in range(min(MOST_TIMES, math.ceil(draft.take_out(product.product_id, product.quantity)))):
            given = draft.forget_recent(product.product_id, CART, t)
            if given is None:
                return
            known = facts(product.product_id, given)
            self._add(draft, known, -self._cart, given)
            draft.count(known, carts=-1)

    def _take_back_purchase(self, draft: Draft, event: Event, facts: Facts) -> None:
        amount = self._worth(event, facts)
        undone = draft.bought.give_back(_order_id(event), event.timestamp, amount, _pieces(event.products))
        for product_id, latest in undone:
            newest = draft.forget_recent(product_id, PURCHASE, latest)
            given = latest if newest is None else newest
            known = facts(product_id, given)
            self._add(draft, known, -self._bought, given)
            draft.count(known, purchases=-1)


def _pieces(products: Sequence[EventProduct]) -> dict[str, float]:
    """Pieces of each product: an order may name one on several lines."""
    pieces: dict[str, float] = {}
    for product in products:
        pieces[product.product_id] = pieces.get(product.product_id, 0.0) + product.quantity
    return pieces


def _order_id(event: Event) -> str:
    value = event.properties.get("order_id")
    return str(value) if isinstance(value, (str, int)) else ""


def _amount(event: Event) -> float:
    """What an order is worth: as said, else the sum of its lines. Some senders write refunds as negative."""
    for name in _AMOUNTS:
        said = event.properties.get(name)
        if isinstance(said, (int, float, str)) and not isinstance(said, bool):
            try:
                number = float(said)
            except ValueError:
                continue
            if math.isfinite(number):
                return abs(number)
    return float(sum((product.price or 0.0) * product.quantity for product in event.products))
