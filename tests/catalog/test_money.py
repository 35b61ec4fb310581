"""Prices in the ways of the world, and the ones that nobody can read for sure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.catalog.money import Ambiguous, MoneyError, decimal_of, parse_money


@pytest.mark.parametrize(
    ("text", "own", "amount", "currency"),
    [
        ("12", "", 12.0, ""),
        ("12 USD", "", 12.0, "USD"),
        ("usd12.5", "", 12.5, "USD"),
        ("105.29 USD", "", 105.29, "USD"),
        ("1.299,00 €", "", 1299.0, "EUR"),
        ("€ 1.299,00", "", 1299.0, "EUR"),
        ("1,299.00", "", 1299.0, ""),
        ("1 299,50 zł", "", 1299.5, "PLN"),
        ("1\u202f299,50\u00a0€", "", 1299.5, "EUR"),
        ("CHF 1'299.-", "", 1299.0, "CHF"),
        ("1’299.50", "", 1299.5, ""),
        ("1,29,999.00", "INR", 129999.0, ""),
        ("1.234.567", "", 1234567.0, ""),
        ("1,234,567.8", "", 1234567.8, ""),
        ("0,125", "", 0.125, ""),
        ("1234,5678", "", 1234.5678, ""),
        (".5", "", 0.5, ""),
        ("5.-", "", 5.0, ""),
        ("٣٫٥٠", "", 3.5, ""),
        ("１２００", "", 1200.0, ""),
        ("$5", "CAD", 5.0, "CAD"),
        ("R$ 10,00", "", 10.0, "BRL"),
        ("¥1200", "JPY", 1200.0, "JPY"),
        ("99 kr", "SEK", 99.0, "SEK"),
        ("1.299 KWD", "", 1.299, "KWD"),
        ("1.299", "KWD", 1.299, ""),
    ],
)
def test_read(text, own, amount, currency):
    assert parse_money(text, currency=own) == (amount, currency)


@pytest.mark.parametrize("text", ["1.299", "1,299", "12,500 €", "999.999 USD"])
def test_one_separator_before_three_digits_is_ambiguous(text):
    with pytest.raises(Ambiguous, match='"decimal"'):
        parse_money(text)


@pytest.mark.parametrize(
    ("text", "decimal", "amount"),
    [("1.299", ".", 1.299), ("1.299", ",", 1299.0), ("1,299", ".", 1299.0), ("1,299", ",", 1.299), ("12", ",", 12.0)],
)
def test_unless_the_file_is_known_to_use_one(text, decimal, amount):
    assert parse_money(text, decimal=decimal).amount == amount


@pytest.mark.parametrize(
    ("text", "own", "words"),
    [
        ("", "", "no price"),
        ("free", "", "no price"),
        ("-5", "", "below zero"),
        ("1.2.3", "", "no number"),
        ("12,34,56", "", "no number"),
        ("1,2.3,4", "", "no number"),
        ("12 13", "", "no price"),
        ("5 - 10", "", "no price"),
        ("1e5", "", "no price"),
        ("from 5", "", "no price"),
        ("EUR 5 USD", "", "two currencies"),
        ("$5", "EUR", "several currencies"),
        ("kr 5", "", "several currencies"),
        ("9" * 13, "", "too large"),
        ("12,50", "EUR", None),
    ],
)
def test_refused(text, own, words):
    if words is None:
        with pytest.raises(MoneyError):
            parse_money(text, currency=own, decimal=".")
        return
    with pytest.raises(MoneyError, match=words):
        parse_money(text, currency=own)


@given(st.text(alphabet="0123456789.,' -€$KrUSD\u00a0٣", max_size=14), st.sampled_from(["", ".", ","]))
def test_anything_is_an_amount_or_an_error(text, decimal):
    try:
        amount = parse_money(text, currency="USD", decimal=decimal).amount
    except MoneyError:
        amount = 0.0
    assert amount >= 0


@given(st.integers(0, 10**9), st.integers(0, 99))
def test_written_two_ways_it_is_the_same(whole, cents):
    english = f"{whole:,}.{cents:02d}"
    german = english.replace(",", "x").replace(".", ",").replace("x", ".")
    swiss = english.replace(",", "'")
    amounts = {parse_money(text).amount for text in (english, german, swiss, f"EUR {german}")}
    assert amounts == {float(f"{whole}.{cents:02d}")}


def test_a_column_tells_its_mark():
    assert decimal_of(["1.299", "5,50", "7"]) == ","
    assert decimal_of(["1,299", "1,299,000"]) == "."
    assert decimal_of(["1.299", "7", "", "words"]) == ""
    with pytest.raises(MoneyError, match="some numbers use"):
        decimal_of(["5.50", "5,50"])
