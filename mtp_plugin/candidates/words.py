"""The words of a product, in any script: what content similarity compares."""

from __future__ import annotations

import re
import unicodedata

from ..records import Product

WORD = re.compile(r"[^\W_]+")
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
)
"""Thai, Lao, Burmese, Khmer, kana, CJK, Hangul: scripts written without spaces, or with words that carry endings."""


def words(text: str) -> list[str]:
    """The words of a text, case folded; runs of scripts without spaces give pairs of characters."""
    if text.isascii():
        found: list[str] = WORD.findall(text.lower())
        return found
    found = []
    for word in WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        last = 0
        for run in UNSPACED.finditer(word):
            found += [word[last : run.start()]] if run.start() > last else []
            found += _pairs(run.group())
            last = run.end()
        found += [word[last:]] if last < len(word) else []
    return found


def _pairs(run: str) -> list[str]:
    return [run] if len(run) == 1 else [run[place : place + 2] for place in range(len(run) - 1)]


def tokens(product: Product) -> dict[str, float]:
    """What a product is described by, as weighted tokens; a prefix keeps a brand apart from a word of a title."""
    found: dict[str, float] = {}
    for word in words(product.title):
        found["t:" + word] = found.get("t:" + word, 0.0) + 1.0
    if product.brand:
        found["b:" + product.brand.casefold()] = 1.0
    for depth, _ in enumerate(product.category_path, 1):
        found["c:" + ">".join(product.category_path[:depth]).casefold()] = 1.0
    for tag in product.tags:
        found["g:" + tag.casefold()] = 0.7
    for color in product.colors:
        found["o:" + color.casefold()] = 0.5
    if product.style:
        found["s:" + product.style.casefold()] = 0.7
    for word in words(product.description)[:60]:
        found.setdefault("d:" + word, 0.2)
    return found
