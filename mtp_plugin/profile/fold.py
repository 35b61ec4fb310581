"""Events into a profile: pure, and the same whatever the batches were."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..config import Settings
from ..records import ACTIONS, Action, Event, EventProduct, Funnel, ProductFacts, Profile, Purchase, RecentItem
from .decay import landmark_of, moved, weight_at

Facts = Callable[[str, float], ProductFacts | None]

MAX_VALUES = 200
"""Values kept of one facet; the weakest go first."""
MAX_PURCHASES = 200
MAX_SEARCHES = 20
MAX_TRAITS = 50
MAX_FUNNELS = 200
ROUNDING = 1e-9


class Fold:
    """Folds events, in order of arrival, into the next revision of a profile.

    Folding a list at once or piece by piece gives the same profile, so does folding everything again from the start.

    :param settings: action weights, half-life, session length and how many recent products to keep
    """

    def __init__(self, settings: Settings) -> None:
        self._weights = {Action(name): weight for name, weight in settings.action_weights.items()}
        self._half_life = settings.half_life_days * 86400
        self._idle = settings.session_idle_minutes * 60
        self._recent = settings.recent_items

    def __call__(self, profile: Profile | None, events: Sequence[Event], facts: Facts) -> Profile:
        """The profile after *events*.

        :param profile: as it is, ``None`` for a new visitor
        :param events: of this visitor, at least one, in order of arrival
        :param facts: what is known of a product at a time, ``None`` for a product nobody knows
        """
        draft = _Draft(profile or Profile(profile_id=events[0].profile_id), self._half_life)
        for event in events:
            self._event(draft, event, facts)
        return draft.freeze()

    def _event(self, draft: _Draft, event: Event, facts: Facts) -> None:
        draft.clock(event.timestamp, self._idle)
        if event.traits:
            draft.learn_traits(event.traits)
        if event.name == "Products Searched":
            draft.search(event.properties.get("query"))
        action = ACTIONS.get(event.name)
        if action is None:
            return
        for product in event.products:
            self._product(draft, action, product, event.timestamp, facts(product.product_id, event.timestamp))
        draft.money(action, event)

    def _product(
        self, draft: _Draft, action: Action, product: EventProduct, t: float, facts: ProductFacts | None
    ) -> None:
        if action is Action.UNCART:
            given = draft.forget_recent(product.product_id, Action.CART, t)
            if given is not None:
                draft.add(facts, -self._weights[Action.CART], given)
                draft.count(facts, carts=-1)
            return
        if action is Action.RETURN:
            given = draft.give_back(product)
            if given is not None:
                draft.add(facts, -self._weights[Action.PURCHASE], given)
                draft.count(facts, purchases=-1)
            return
        draft.add(facts, self._weights[action], t)
        draft.remember(RecentItem(product.product_id, t, str(action)), self._recent)
        if action is Action.PURCHASE:
            draft.buy(product, t)
        draft.count(facts, **{_COUNTED[action]: 1})


_COUNTED = {Action.VIEW: "views", Action.CART: "carts", Action.PURCHASE: "purchases"}


class _Draft:
    """A profile while events are folded into it."""

    def __init__(self, profile: Profile, half_life: float) -> None:
        self._profile, self._half_life = profile, half_life
        self._landmark = profile.landmark or landmark_of(0.0, half_life)
        self._affinities = {facet: dict(values) for facet, values in profile.affinities.items()}
        self._margin, self._discount = profile.margin, profile.discount
        self._recent, self._purchases = list(profile.recent), {p.product_id: p for p in profile.purchases}
        self._funnels, self._traits = dict(profile.funnels), dict(profile.traits)
        self._searches = list(profile.searches)
        self._first, self._last = profile.first_seen, profile.last_seen
        self._sessions, self._session_start = profile.sessions, profile.session_start
        self._events, self._orders, self._revenue = profile.events, profile.orders, profile.revenue

    def clock(self, t: float, idle: float) -> None:
        """Count the event and its session; an event that arrives late belongs to what was there already."""
        if not self._events or t - self._last > idle:
            self._sessions, self._session_start = self._sessions + 1, t
        self._first = t if not self._events else min(self._first, t)
        self._last = t if not self._events else max(self._last, t)
        self._events += 1
        self._move(landmark_of(t, self._half_life))

    def _move(self, landmark: float) -> None:
        if landmark <= self._landmark:
            return
        factor = moved(self._landmark, landmark, self._half_life)
        self._landmark = landmark
        self._affinities = {
            facet: {name: value * factor for name, value in values.items()}
            for facet, values in self._affinities.items()
        }
        self._margin = (self._margin[0] * factor, self._margin[1] * factor)
        self._discount = (self._discount[0] * factor, self._discount[1] * factor)

    def add(self, facts: ProductFacts | None, weight: float, t: float) -> None:
        """Add to the affinities what an action of this weight at *t* says."""
        if facts is None:
            return
        amount = weight * weight_at(t, self._landmark, self._half_life)
        for facet, values in _facets(facts):
            for value in values:
                self._add(facet, value, amount / len(values))
        if facts.margin is not None:
            self._margin = (self._margin[0] + amount * facts.margin, self._margin[1] + amount)
        self._discount = (self._discount[0] + amount * facts.on_sale, self._discount[1] + amount)

    def _add(self, facet: str, value: str, amount: float) -> None:
        known = self._affinities.setdefault(facet, {})
        known[value] = known.get(value, 0.0) + amount
        if known[value] <= -amount * ROUNDING:  # what was given was taken back whole, but for rounding
            del known[value]
        if len(known) > MAX_VALUES:
            del known[min(known, key=lambda name: (known[name], name))]

    def count(self, facts: ProductFacts | None, *, views: int = 0, carts: int = 0, purchases: int = 0) -> None:
        """Count in the funnel of the product's category; what was taken back counts no more."""
        if facts is None or not facts.category:
            return
        if facts.category not in self._funnels and len(self._funnels) >= MAX_FUNNELS:
            return
        before = self._funnels.get(facts.category, Funnel())
        self._funnels[facts.category] = Funnel(
            views=before.views + views,
            carts=max(0, before.carts + carts),
            purchases=max(0, before.purchases + purchases),
        )

    def remember(self, item: RecentItem, most: int) -> None:
        insort(self._recent, item, key=lambda known: known.timestamp)
        del self._recent[:-most]

    def forget_recent(self, product_id: str, action: Action, t: float) -> float | None:
        """Take away the newest such entry up to *t* and give its time, ``None`` if there is none."""
        for place in range(len(self._recent) - 1, -1, -1):
            item = self._recent[place]
            if item.product_id == product_id and item.action == action and item.timestamp <= t:
                del self._recent[place]
                return item.timestamp
        return None

    def buy(self, product: EventProduct, t: float) -> None:
        known = self._purchases.pop(product.product_id, None) or Purchase(product.product_id, 0.0, 0, t, t)
        self._purchases[product.product_id] = Purchase(
            product.product_id,
            known.quantity + product.quantity,
            known.orders + 1,
            min(known.first, t),
            max(known.last, t),
        )
        if len(self._purchases) > MAX_PURCHASES:
            del self._purchases[min(self._purchases.values(), key=lambda p: (p.last, p.product_id)).product_id]

    def give_back(self, product: EventProduct) -> float | None:
        """Take pieces off a purchase; when none is left it never was, and the time of it is given."""
        known = self._purchases.get(product.product_id)
        if known is None:
            return None
        left = known.quantity - product.quantity
        if left > 0:
            self._purchases[product.product_id] = Purchase(
                known.product_id, left, known.orders, known.first, known.last
            )
            return None
        del self._purchases[product.product_id]
        self.forget_recent(product.product_id, Action.PURCHASE, known.last)
        return known.last

    def money(self, action: Action, event: Event) -> None:
        """Count orders and what they earned, net of what was given back."""
        if action is Action.PURCHASE:
            self._orders, self._revenue = self._orders + 1, self._revenue + _amount(event)
        elif action is Action.RETURN:
            self._revenue -= _amount(event)

    def learn_traits(self, traits: dict[str, Any]) -> None:
        self._traits.update(traits)
        for name in sorted(self._traits)[MAX_TRAITS:]:
            del self._traits[name]

    def search(self, query: object) -> None:
        if isinstance(query, str) and (text := " ".join(query.lower().split())):
            self._searches = [*(known for known in self._searches if known != text), text][-MAX_SEARCHES:]

    def freeze(self) -> Profile:
        """The next revision."""
        return Profile(
            profile_id=self._profile.profile_id,
            revision=self._profile.revision + 1,
            landmark=self._landmark,
            first_seen=self._first,
            last_seen=self._last,
            recent=tuple(self._recent),
            purchases=tuple(self._purchases.values()),
            affinities=self._affinities,
            margin=self._margin,
            discount=self._discount,
            funnels=self._funnels,
            sessions=self._sessions,
            session_start=self._session_start,
            events=self._events,
            orders=self._orders,
            revenue=self._revenue,
            searches=tuple(self._searches),
            traits=self._traits,
        )


def _facets(facts: ProductFacts) -> Iterable[tuple[str, tuple[str, ...]]]:
    if facts.category:
        yield "category", (facts.category,)
    if facts.brand:
        yield "brand", (facts.brand,)
    if facts.colors:
        yield "color", facts.colors
    if facts.style:
        yield "style", (facts.style,)
    if facts.price_tier:
        yield "price_tier", (facts.price_tier,)


def _amount(event: Event) -> float:
    """What an order is worth: as said, else the sum of its lines."""
    for name in ("revenue", "total", "value"):
        said = event.properties.get(name)
        if isinstance(said, (int, float)) and not isinstance(said, bool):
            return float(said)
    return float(sum((product.price or 0.0) * product.quantity for product in event.products))
