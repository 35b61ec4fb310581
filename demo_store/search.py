"""Words to products: every word must begin a word of the product; titles weigh most."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mtp_plugin.records import Product

FIELDS = (
    (6.0, lambda p: p.title),
    (4.0, lambda p: p.brand),
    (4.0, lambda p: " ".join((*p.category_path, str(p.attributes["kind"])))),
    (2.0, lambda p: " ".join(p.colors)),
    (2.0, lambda p: " ".join((*p.tags, p.style))),
    (0.6, lambda p: p.description),
)


class Search:
    """An index in memory.

    :param products: what can be found
    """

    def __init__(self, products: Iterable[Product]) -> None:
        self._entries: list[tuple[Product, dict[str, float]]] = []
        phrases: dict[str, int] = {}
        for product in products:
            words: dict[str, float] = {}
            for weight, read in FIELDS:
                for word in _words(read(product)):
                    words[word] = max(words.get(word, 0.0), weight)
            self._entries.append((product, words))
            for phrase in (product.category_path[1], str(product.attributes["kind"]), product.brand):
                phrases[phrase] = phrases.get(phrase, 0) + 1
        self._phrases = sorted(phrases, key=lambda phrase: -phrases[phrase])

    def find(self, query: str) -> list[Product]:
        """Products that match every word, best first."""
        words = _words(query)
        if not words:
            return []
        scored = [
            (sum(scores), product)
            for product, known in self._entries
            if all(scores := [_best(w, known) for w in words])
        ]
        return [product for _, product in sorted(scored, key=lambda pair: (-pair[0], pair[1].product_id))]

    def suggest(self, query: str, limit: int = 5) -> tuple[list[str], list[Product]]:
        """Phrases that begin like the query, and the best products."""
        text = " ".join(_words(query))
        if len(text) < 2:
            return [], []
        phrases = [
            phrase for phrase in self._phrases if any(w.startswith(text) for w in (phrase.lower(), *_words(phrase)))
        ]
        return phrases[:3], self.find(query)[:limit]


def _words(text: str) -> list[str]:
    return [_stem(word) for word in re.findall(r"[a-z0-9]+", text.lower())][:12]


def _stem(word: str) -> str:
    """Plurals are what they are plural of."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _best(word: str, known: dict[str, float]) -> float:
    """How well a word is met: whole words count double."""
    if word in known:
        return known[word] * 2
    return max((weight for other, weight in known.items() if other.startswith(word)), default=0.0)
