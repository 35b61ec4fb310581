"""A segment's name from its parts, in the shop's language: ``Luxury watch browsers · mobile · New York``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .english import ENGLISH
from .german import GERMAN

CATALOGS: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "de": GERMAN}
"""Words by language; a language that is not here is answered in English."""
DOT = " · "
HEAD = ("tier", "category", "who")

Part = tuple[str, str]
"""What is said and of what, such as ``("device", "mobile")`` or ``("category", "Shop > Watches")``."""

_PLURAL_ONLY = frozenset(
    {"clothes", "jeans", "glasses", "sunglasses", "shorts", "trousers", "pants", "news", "sports", "goods", "tights",
     "leggings", "cosmetics", "electronics", "ceramics", "textiles", "accessories", "essentials", "series"}
)  # fmt: skip


def name_of(parts: Sequence[Part], locale: str = "en") -> str:
    """The name that these parts make.

    >>> name_of([("tier", "luxury"), ("category", "Watches"), ("who", "browsers"), ("device", "mobile")])
    'Luxury watch browsers · mobile'
    """
    language = locale.replace("_", "-").split("-")[0].lower()
    words = CATALOGS.get(language, ENGLISH)
    said = {slot: value for slot, value in parts if slot in HEAD}
    what = [words[f"tier.{said['tier']}"]] if "tier" in said else []
    what += [_noun(leaf(said["category"]), words is ENGLISH)] if "category" in said else []
    joint, who = words["joint"], words[f"who.{said.get('who', 'visitors')}"]
    head = who.format(what=joint.join(what)) if what else who.replace("{what}" + joint, "")
    return DOT.join([head[:1].upper() + head[1:], *(_tag(part, words) for part in parts if part[0] not in HEAD)])


def leaf(category: str) -> str:
    """The narrowest step of a category's path."""
    return category.rsplit(" > ", 1)[-1].replace("·", ".")


def _tag(part: Part, words: Mapping[str, str]) -> str:
    slot, value = part
    whole = words.get(f"{slot}.{value}")
    if whole is not None:
        return whole
    if slot == "trait":
        name, _, said = value.partition("=")
        return words["trait"].format(name=name.replace("_", " "), value=said.replace("·", "."))
    if slot == "much":
        return words["much"].format(value=_lower(leaf(value)) if words is ENGLISH else leaf(value))
    return words.get(slot, "{value}").format(value=value.replace("·", "."))


def _noun(category: str, english: bool) -> str:
    """A category as the first word of a compound: ``Watches`` is ``watch`` there, in English."""
    if not english:
        return category
    *before, last = category.split(" ")
    return " ".join([*map(_lower, before), _singular(_lower(last))])


def _singular(word: str) -> str:
    if word in _PLURAL_ONLY or len(word) < 4 or not word.isascii() or not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word if word.endswith(("ss", "us", "is", "'s")) else word[:-1]


def _lower(word: str) -> str:
    """In small letters, but for what is written otherwise on purpose: TV, iPhone."""
    return word.lower() if word[1:] == word[1:].lower() else word
