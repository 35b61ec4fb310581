"""A profile while events are folded into it."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from typing import Any

from ..records import Action, Event, Funnel, ProductFacts, Profile, RecentItem
from .bought import Bought
from .decay import STEP, landmark_of, moved, weight_at
from .habits import Coming
from .traits import learn

AFFINITIES = ("category", "brand", "color", "style", "price_tier")
MAX_VALUES = 200
"""Values kept of one facet; the weakest make room for a new one."""
MAX_SEARCHES = 20
MAX_FUNNELS = 200
MAX_EXTRA = 50
"""Products with several pieces in a cart that are remembered."""
ROUNDING = 1e-9
"""What is left of a weight, as a share of what is taken off it, that is only rounding."""


class Draft:
    """Changes a copy of a profile; :meth:`freeze` gives the next revision.

    :param half_life: seconds
    """

    __slots__ = (
        *("_profile", "_half_life", "_landmark", "_until", "_affinities", "_margin", "_discount", "_recent", "bought"),
        *("_funnels", "_traits", "_origins", "_searches", "_first", "_last", "_sessions", "_session_start", "_events"),
        *("habits", "abandoned_at", "_extra"),
    )

    def __init__(self, profile: Profile, half_life: float) -> None:
        self._profile, self._half_life = profile, half_life
        self._landmark = profile.landmark or landmark_of(0.0, half_life)
        self._until = self._landmark + STEP * half_life
        self._affinities = {facet: dict(values) for facet, values in profile.affinities.items()}
        self._margin, self._discount = profile.margin, profile.discount
        self._recent, self.bought = list(profile.recent), Bought(profile)
        self._funnels = dict(profile.funnels)
        self._traits, self._origins = dict(profile.traits), dict(profile.origins)
        self._searches = profile.searches
        self._first, self._last = profile.first_seen, profile.last_seen
        self._sessions, self._session_start = profile.sessions, profile.session_start
        self._events = profile.events
        self.habits = Coming(profile.habits)
        self.abandoned_at, self._extra = profile.abandoned_at, profile.extra

    def clock(self, t: float, idle: float) -> None:
        """Count the event and its session; an event that arrives late belongs to what was there already.

        :param idle: seconds that end a session
        """
        if self._events:
            since = t - self._last
            if since > idle:
                self._begin(t)
            else:
                self.habits.go_on(since)
            if since > 0:
                self._last = t
            elif t < self._first:
                self._first = t
        else:
            self._begin(t)
            self._first = self._last = t
        self._events += 1
        if t >= self._until:
            self._move(landmark_of(t, self._half_life))

    def _begin(self, t: float) -> None:
        self._sessions, self._session_start = self._sessions + 1, t
        self.habits.begin()

    def _move(self, landmark: float) -> None:
        factor = moved(self._landmark, landmark, self._half_life)
        self._landmark, self._until = landmark, landmark + STEP * self._half_life
        self._affinities = {
            facet: {name: later for name, value in values.items() if (later := value * factor)}
            for facet, values in self._affinities.items()
        }
        self._margin = (self._margin[0] * factor, self._margin[1] * factor)
        self._discount = (self._discount[0] * factor, self._discount[1] * factor)

    def add(self, facts: ProductFacts | None, weight: float, t: float, *, category_only: bool = False) -> None:
        """Add to the affinities what an action of this weight at *t* says; a negative weight takes it back.

        :param category_only: leave brand, colour, style, price, margin and discount out
        """
        if facts is None:
            return
        amount = weight * weight_at(t, self._landmark, self._half_life)
        if category_only:
            self._add("category", facts.category, amount)
            return
        if facts.category:
            self._add("category", facts.category, amount)
        if facts.brand:
            self._add("brand", facts.brand, amount)
        if facts.style:
            self._add("style", facts.style, amount)
        if facts.price_tier:
            self._add("price_tier", facts.price_tier, amount)
        for color in facts.colors:
            self._add("color", color, amount / len(facts.colors))
        if facts.margin is not None:
            self._margin = _sum(self._margin, amount, facts.margin)
        self._discount = _sum(self._discount, amount, facts.on_sale)

    def _add(self, facet: str, value: str, amount: float) -> None:
        known = self._affinities.get(facet)
        if known is None:
            known = self._affinities[facet] = {}
        total = known[value] = known.get(value, 0.0) + amount
        if total <= -amount * ROUNDING:  # what was given was taken back whole, but for rounding
            del known[value]
            if not known:
                del self._affinities[facet]
        elif len(known) > MAX_VALUES:
            del known[min(known.keys() - {value}, key=lambda name: (known[name], name))]

    def count(self, facts: ProductFacts | None, *, views: int = 0, carts: int = 0, purchases: int = 0) -> None:
        """Count in the funnel of the product's category; what was taken back counts no more."""
        if facts is None or not facts.category:
            return
        before = self._funnels.get(facts.category)
        if before is None and len(self._funnels) >= MAX_FUNNELS:
            return
        before = before or Funnel()
        self._funnels[facts.category] = Funnel(
            before.views + views, max(0, before.carts + carts), max(0, before.purchases + purchases)
        )

    def remember(self, item: RecentItem, most: int) -> None:
        """Put among the recent products, of which the latest *most* stay."""
        recent = self._recent
        if recent and item.timestamp < recent[-1].timestamp:
            insort(recent, item, key=_when)
        else:
            recent.append(item)
        if len(recent) > most:
            del recent[:-most]

    def forget_recent(self, product_id: str, action: Action, t: float) -> float | None:
        """Take away the newest such entry up to *t* and give its time, ``None`` if there is none."""
        for place in range(len(self._recent) - 1, -1, -1):
            item = self._recent[place]
            if item.product_id == product_id and item.action == action and item.timestamp <= t:
                del self._recent[place]
                return item.timestamp
        return None

    def put_in(self, product_id: str, pieces: float) -> None:
        """Note pieces in the cart beyond the one that putting a product there stands for."""
        if pieces > 1 and (product_id in self._extra or len(self._extra) < MAX_EXTRA):
            self._extra = {**self._extra, product_id: self._extra.get(product_id, 0.0) + pieces - 1}

    def take_out(self, product_id: str, pieces: float) -> float:
        """Take pieces out of the cart; gives for how many of the times that it was put there nothing is left."""
        had = self._extra.get(product_id, 0.0)
        if not had:
            return pieces
        if had > pieces:
            self._extra = {**self._extra, product_id: had - pieces}
            return 0.0
        self.empty(product_id)
        return pieces - had

    def empty(self, product_id: str) -> None:
        """Nothing more of it is in the cart but what each time of putting it there stands for."""
        if product_id in self._extra:
            self._extra = {name: pieces for name, pieces in self._extra.items() if name != product_id}

    def learn_traits(self, event: Event) -> None:
        """Take what an event says of its visitor."""
        learn(self._traits, self._origins, event)

    def edit_interest(self, properties: Mapping[str, Any], weight: float, t: float) -> None:
        """Take a visitor's own word on an interest: wanted, it counts like *weight*; unwanted, it is forgotten."""
        facet, value = properties.get("facet"), properties.get("value")
        if facet not in AFFINITIES or not isinstance(value, str) or not value:
            return
        if properties.get("wanted"):
            self._add(facet, value, weight * weight_at(t, self._landmark, self._half_life))
        else:
            self._affinities.get(facet, {}).pop(value, None)

    def search(self, query: object) -> None:
        """Take what was searched for, the latest last."""
        self.habits.search()
        if isinstance(query, str) and (text := " ".join(query.lower().split())):
            self._searches = (*(known for known in self._searches if known != text), text)[-MAX_SEARCHES:]

    def freeze(self) -> Profile:
        """The next revision."""
        return Profile(
            profile_id=self._profile.profile_id,
            revision=self._profile.revision + 1,
            landmark=self._landmark,
            first_seen=self._first,
            last_seen=self._last,
            recent=tuple(self._recent),
            purchases=self.bought.purchases,
            placed=self.bought.placed,
            affinities=self._affinities,
            margin=self._margin,
            discount=self._discount,
            funnels=self._funnels,
            sessions=self._sessions,
            session_start=self._session_start,
            events=self._events,
            orders=self.bought.orders,
            revenue=self.bought.revenue,
            searches=self._searches,
            traits=self._traits,
            habits=self.habits.freeze(),
            origins=self._origins,
            abandoned_at=self.abandoned_at,
            extra=self._extra,
        )


def _when(item: RecentItem) -> float:
    return item.timestamp


def _sum(pair: tuple[float, float], amount: float, value: float) -> tuple[float, float]:
    """A weighted sum and its weight; when all weight was taken back nothing but rounding is left."""
    weight = pair[1] + amount
    return (pair[0] + amount * value, weight) if weight > -amount * ROUNDING else (0.0, 0.0)
