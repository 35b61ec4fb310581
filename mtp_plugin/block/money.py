"""Prices as the shop's country writes them."""

from __future__ import annotations

import math
from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency

from .words import parse_locale


class Money:
    """Writes a price in a locale's notation: ``Money("de-DE")(24.5, "EUR")`` is ``24,50 €``.

    :param locale: such as ``en`` or ``de-DE``
    :raises SettingError: no such locale
    """

    def __init__(self, locale: str = "en") -> None:
        self.locale = parse_locale(locale)

    def __call__(self, amount: float, currency: str) -> str:
        """The price in words and signs; a currency that nobody knows is written with its code.

        :param amount: in the currency's major unit; what is no number gives ``""``
        :param currency: ISO 4217 code; empty writes the bare number
        """
        return _written(amount, currency, self.locale) if math.isfinite(amount) else ""


@lru_cache(maxsize=8192)
def _written(amount: float, currency: str, locale: Locale) -> str:
    if not currency:
        return format_currency(amount, "XXX", "#,##0.00", locale=locale, currency_digits=False).strip()
    return format_currency(amount, currency, locale=locale)
