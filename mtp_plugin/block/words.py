"""The plugin's own words and numbers in the shop's language."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal, format_percent

from ..errors import SettingError
from .english import ENGLISH
from .german import GERMAN

CATALOGS: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "de": GERMAN}
"""Words by language; a language that is not here is answered in English, its numbers in its own notation."""


def parse_locale(tag: str) -> Locale:
    """The locale of a tag such as ``en`` or ``de-DE``.

    :raises SettingError: there is no such locale
    """
    try:
        return Locale.parse(tag.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        raise SettingError("MTP_LOCALE", tag, "use a language, or language and country, such as en or de-DE") from None


class Words(Mapping[str, str]):
    """All words of one language, read as a mapping.

    :param locale: such as ``en`` or ``de-DE``
    :param changes: words to lay over the catalogue's, by key
    :raises SettingError: no such locale, or a change of a word that does not exist
    """

    def __init__(self, locale: str = "en", changes: Mapping[str, str] | None = None) -> None:
        self.locale = parse_locale(locale)
        known = self.locale.language in CATALOGS
        unknown = set(changes or ()) - set(ENGLISH)
        if unknown:
            raise SettingError("words", sorted(unknown), "there are no such words; see mtp_plugin.block.english")
        self._words = {**CATALOGS[self.locale.language if known else "en"], **(changes or {})}
        self.lang = self.locale.language if known or changes else "en"
        """Language of the words, for the ``lang`` attribute."""

    def __getitem__(self, key: str) -> str:
        return self._words[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    @property
    def proof(self) -> str:
        """Names the question as it was asked, in these words: ``en:9f86d081``."""
        asked = [f"{key}={self[key]}" for key in sorted(self) if key.startswith(("consent_", "purpose."))]
        return f"{self.lang}:{hashlib.sha256(chr(10).join(asked).encode()).hexdigest()[:8]}"

    def first(self, *keys: str) -> str:
        """The word of the first of these keys that exists, ``""`` if none does."""
        return next((self._words[key] for key in keys if key in self._words), "")

    def decimal(self, number: float, digits: int = 1) -> str:
        """A number in the shop's notation with *digits* after the point."""
        return _number(number, "#,##0" + ("." + "0" * digits if digits else ""), self.locale)

    def percent(self, share: float) -> str:
        """A share (0.2 is 20 %) in whole per cent, rounded down."""
        return _percent(int(share * 100 + 1e-9), self.locale)


@lru_cache(maxsize=8192)
def _number(number: float, pattern: str, locale: Locale) -> str:
    return format_decimal(number, pattern, locale=locale)


@lru_cache(maxsize=1024)
def _percent(whole: int, locale: Locale) -> str:
    return format_percent(whole / 100, locale=locale)
