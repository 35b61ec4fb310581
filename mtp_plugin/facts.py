"""What conditions on a request can speak of: one dictionary of facts, reached by dotted paths.

``segment`` (who the visitor is like), ``context`` (what is true of this request, the cart included), ``profile`` (what
is known of the visitor), ``product`` (the product in view) and ``experiment`` (the variations the visitor is in).
What is unknown is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

from .catalog.facts import FACTS_OF_TIME, product_facts
from .experiment.assign import assign
from .likely import Likely
from .profile.features import FEATURES, WORDS, Feature, features_of
from .records import ConsentLevel, Context, Gate, ProductTable, Profile, Segment, SegmentRef, SlateRequest
from .rules.vocabulary import Fact, Vocabulary

ROOTS = ("segment", "context", "profile", "product", "experiment")
SEEKER = 0.5
"""Share of actions on reduced products from which a visitor counts as a discount seeker."""
SEEN_ENOUGH = 3
"""Events before that is said of anybody."""
MINUTE = 60.0
VALUES = {"new_or_returning": ("new", "returning"), "cart_abandoned": ("yes",)}
"""Features that are one of a few words."""
PROBABILITY = Feature(
    "purchase_probability",
    "likely",
    "0 to 1",
    "How probable a purchase from a category, or one below it, is within 7 days; known with full consent alone.",
    True,
)
"""Of a visitor and a category, by the model that serves: for conditions, told when one asks."""
CONTEXT_FIELDS = tuple(name for name in Context.__struct_fields__ if name != "extra")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A request with what was found out about it; ``about`` is what is known of the segment itself, ``likely`` tells
    purchases.
    """

    request: SlateRequest
    profile: Profile | None
    segment: SegmentRef | None
    table: ProductTable
    about: Segment | None = None
    likely: Likely | None = None


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """All facts that there are, the features of profiles among them."""
    return Vocabulary(
        Fact(
            path=f"profile.{feature.name}",
            kind="text" if feature in WORDS else "number",
            help=feature.help,
            values=VALUES.get(feature.name, ()),
            unit=feature.unit,
            family=feature.family,
        )
        for feature in (*FEATURES, *WORDS, PROBABILITY)
    )


Vary = Callable[[Gate, str, float], int]
"""The variation of a visitor at a time, -1 for none."""


class FactReader:
    """Reads the facts that some conditions look at, and no others.

    :param paths: dotted paths of those facts
    :param gates: experiments to assign visitors to, by id
    :param excluded: categories of which nothing is said of visitors
    :param vary: the variation that a visitor is in at a time, -1 for none
    """

    def __init__(
        self,
        paths: Collection[str] = (),
        gates: Mapping[str, Gate] | None = None,
        *,
        excluded: Collection[str] = (),
        vary: Vary = lambda gate, unit, now: variation_of(gate, unit),
    ) -> None:
        self._gates, self._excluded, self._vary = dict(gates or {}), frozenset(excluded), vary
        self._paths = {root: [path for path in sorted(paths) if path.partition(".")[0] == root] for root in ROOTS}
        names = {path.partition(".")[2].partition(".")[0] for path in self._paths["context"]}
        known = sorted(names.intersection(CONTEXT_FIELDS))
        self._context: Callable[[Any], Any] | None = attrgetter(*known) if known else None
        self._extra, self._cart = "extra" in names, "cart" in names
        self._timed = any(
            path.split(".")[1:2] and path.split(".")[1] in FACTS_OF_TIME for path in self._paths["product"]
        )
        self.asks_of_segment = bool(self._paths["segment"])
        """Whether anything of a segment is looked at."""
        self.page_alone = names <= {"page_type", "category", "query", "cart"}
        """Whether it is the same for all who see a page without a cart and a profile."""

    def key(self, of: Subject) -> Hashable:
        """Something that differs where any fact looked at does."""
        request, paths = of.request, self._paths
        parts: list[Hashable] = []
        if self._context is not None:
            parts.append(self._context(request.context))
        if self._extra:
            parts.append(_frozen(request.context.extra))
        if self._cart:
            parts.append(request.cart_ids)
        if paths["segment"]:
            parts.append(self._segment_key(of))
        if paths["product"]:
            moment = int(request.now // MINUTE) if self._timed else 0
            parts.append((of.table.version, request.product_ids[:1], moment))
        if paths["profile"]:
            known = self._profile(of)
            parts.append(_frozen([_at(known, path.split(".")[1:]) for path in paths["profile"]]))
        if self._gates:
            parts.append(tuple(self._variations(of).items()))
        return tuple(parts)

    def _segment_key(self, of: Subject) -> Hashable:
        """Visitors of one segment are one to rules that do not ask how sure it is."""
        segment, about = of.segment, of.about
        if segment is None:
            return None
        sure = segment.confidence if "segment.confidence" in self._paths["segment"] else 0.0
        return segment.segment_id, segment.name, sure, about.refreshed_at if about else 0.0

    def facts(self, of: Subject) -> dict[str, Any]:
        """The facts, as far as anything looks at them."""
        paths = self._paths
        found: dict[str, Any] = {"context": self._context_facts(of)}
        if paths["segment"] and of.segment is not None:
            found["segment"] = segment_facts(of.segment, of.about)
        if paths["profile"]:
            found["profile"] = self._profile(of)
        if paths["product"] and of.request.product_ids:
            row = of.table.index.get(of.request.product_ids[0])
            if row is not None:
                found["product"] = product_facts(of.table.products[row], of.request.now)
        if self._gates:
            found["experiment"] = self._variations(of)
        return found

    def _context_facts(self, of: Subject) -> dict[str, Any]:
        context = of.request.context
        found = {name: value for name in CONTEXT_FIELDS if (value := getattr(context, name)) not in ("", None)}
        if self._extra:
            found["extra"] = context.extra
        if self._cart and of.request.consent_level is not ConsentLevel.NON_PERSONAL:
            found["cart"] = cart_facts(of.request, of.table)
        return found

    def _profile(self, of: Subject) -> dict[str, Any]:
        if of.profile is None:
            return {}
        return profile_facts(of.profile, of.request.now, self._excluded, of.likely)

    def _variations(self, of: Subject) -> dict[str, int]:
        request = of.request
        own = request.consent_level is ConsentLevel.FULL and request.profile_ids
        key = (request.unit or request.profile_ids[0]) if own else ""
        found = {name: self._vary(gate, key, request.now) for name, gate in self._gates.items()}
        return {name: variation for name, variation in found.items() if variation >= 0}


def variation_of(gate: Gate, key: str) -> int:
    """The variation that a visitor is in, -1 for one who takes no part."""
    return assign(
        key,
        seed=gate.seed or gate.experiment_id,
        coverage=gate.coverage,
        weights=gate.weights,
        namespace=gate.namespace,
    )


def segment_facts(segment: SegmentRef, about: Segment | None = None) -> dict[str, Any]:
    """What conditions see of a segment: ``id``, ``name``, ``confidence``, ``kind`` and the ``attributes``."""
    known = {"kind": about.kind, "attributes": about.attributes, "parent_id": about.parent_id} if about else {}
    return {**known, "id": segment.segment_id, "name": segment.name, "confidence": segment.confidence}


def profile_facts(
    profile: Profile, now: float, excluded: frozenset[str] = frozenset(), likely: Likely | None = None
) -> dict[str, Any]:
    """What conditions see of a profile: the features, in plain words who is what, and what is likely to be bought.

    :param likely: tells purchases; without it nothing is known of them
    """
    found = features_of(profile, now, excluded)
    if likely:
        found[PROBABILITY.name] = likely.facts(profile, now)
    share = found.get("discount_share")
    found["returning"] = profile.sessions > 1
    found["customer"] = profile.orders > 0
    found["discount_seeker"] = share is not None and share >= SEEKER and profile.events >= SEEN_ENOUGH
    return found


def cart_facts(request: SlateRequest, table: ProductTable) -> dict[str, Any]:
    """What conditions see of a cart: ``count`` of products, their ``value`` at this moment, ids and categories."""
    rows = [table.index[name] for name in request.cart_ids if name in table.index]
    products = [table.products[row] for row in rows]
    return {
        "count": len(request.cart_ids),
        "value": sum(product.effective_price(request.now) or 0.0 for product in products),
        "product_ids": list(request.cart_ids),
        "categories": sorted({name for product in products for name in product.category_path}),
    }


def _at(facts: Any, path: list[str]) -> Any:
    for part in path:
        facts = facts.get(part) if isinstance(facts, Mapping) else None
    return facts


def _frozen(value: Any) -> Hashable:
    """The value as part of a key; ``True`` and ``1`` are two."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return tuple(sorted((str(name), _frozen(part)) for name, part in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(map(_frozen, value))
    return type(value).__name__, value if isinstance(value, Hashable) else repr(value)
