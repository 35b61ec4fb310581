"""Why a product is shown, in plain words."""

from __future__ import annotations

from collections.abc import Iterable

from ..memory import Remembered
from ..records import ConsentLevel, Product, Slate, SlateItem
from .words import Words

MOST = 4
"""Reasons told for a whole block; more would be read by nobody."""


class Reasons:
    """Says why each product is there.

    :param limit: most answers remembered
    """

    def __init__(self, words: Words, *, limit: int = 10_000) -> None:
        self._words = words
        self._known: Remembered[tuple[tuple[str, ...], str], tuple[str, ...]] = Remembered(limit)

    def of(self, item: SlateItem, because: Product | None) -> tuple[str, ...]:
        """The reasons of one product, weightiest first; codes that have no words are left out.

        :param because: the product that it is there because of, named in the first reason; ``None`` names none
        """
        title = because.title if because is not None and item.because != item.product_id else ""
        key = (item.reason_codes, title)
        told = self._known.get(key)
        return self._known.keep(key, self._tell(*key)) if told is None else told

    def _tell(self, codes: tuple[str, ...], title: str) -> tuple[str, ...]:
        words = self._words
        told: list[str] = []
        for code in codes:
            key = f"reason.{code}"
            named = words.first(f"{key}.because") if title and not told else ""
            text = named.format(title=title) if named else words.first(key)
            if text and text not in told:
                told.append(text)
        return tuple(told)


def block_reasons(reasons: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The reasons of a whole block: every product's first, the commonest first, at most :data:`MOST`."""
    counts: dict[str, int] = {}
    for told in reasons:
        if told:
            counts[told[0]] = counts.get(told[0], 0) + 1
    # A reversed sort leaves equals as they were.
    return tuple(sorted(counts, key=counts.__getitem__, reverse=True)[:MOST])


def leaning(slate: Slate, words: Words) -> tuple[str, ...]:
    """What most of a block leans on, content or what people did, in words; nothing where nobody weighed it."""
    of_content = sum("leans-on-content" in item.reason_codes for item in slate.items)
    of_behaviour = sum("leans-on-behaviour" in item.reason_codes for item in slate.items)
    if not of_content + of_behaviour:
        return ()
    return (words["leaning.content" if of_content > of_behaviour else "leaning.behaviour"],)


PERSONAL = frozenset(
    (
        "session-neighbours", "viewed-similar", "viewed-together", "affinity", "segment-popular", "recently-viewed",
        "buy-it-again", "likely-to-buy",
    )
)  # fmt: skip
"""Codes that, at full consent, come from what this visitor did."""


def is_personal(slate: Slate) -> bool:
    """Whether anything about this visitor had a part in the slate."""
    if slate.consent_level is not ConsentLevel.FULL:
        return False
    return slate.by_visitor or any(not PERSONAL.isdisjoint(item.reason_codes) for item in slate.items)


def block_title(slate: Slate, title: str, words: Words) -> str:
    """The merchant's title, or one named after the strategy that answered.

    It does not promise more than it holds: nothing is "for you" that knows nothing of you, and what nobody has bought
    or looked at yet is new, not popular.
    """
    if title:
        return title
    if slate.items and all(item.reason_codes == ("new",) for item in slate.items):
        return words["reason.new"]
    key = f"title.{slate.strategy}"
    impersonal = () if is_personal(slate) else (f"{key}.not-personal",)
    return words.first(f"title.{slate.placement}.{slate.strategy}", *impersonal, key)


def block_note(slate: Slate, words: Words) -> str:
    """What the consent level means for this block."""
    key = f"note.{slate.consent_level}"
    return words.first(*(() if is_personal(slate) else (f"{key}.not-personal",)), key)
