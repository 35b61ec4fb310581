"""Fields of a product, whatever shape they come in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.catalog.readers import MAX_ID, BadField
from mtp_plugin.catalog.values import FIELDS, Reading, product_from
from mtp_plugin.records import Product, Variant

BARE = {"product_id": "a", "title": "Lamp"}


def made(**values):
    return product_from(BARE | values, Reading("EUR"))


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("product_id", 17, "17"),
        ("product_id", 17.0, "17"),
        ("product_id", " A 1 ", "A 1"),
        ("title", "Cafe\u0301  cre\u0300me", "Café crème"),
        ("title", "قميص 红色 👩‍👩‍👧 z̷̢", "قميص 红色 👩‍👩‍👧 z̷̢"),
        ("title", "a\x00b\x07\nc", "ab c"),
        ("description", "a\nb", "a\nb"),
        ("category_path", "Home > Lamps >", ("Home", "Lamps")),
        ("category_path", ["Home", "A > B", ""], ("Home", "A › B")),
        ("tags", "a, b,,a", ("a", "b")),
        ("tags", {"b", "c", "a"}, ("a", "b", "c")),
        ("colors", "red", ("red",)),
        ("price", Decimal("12.50"), 12.5),
        ("price", "12,50 €", 12.5),
        ("stock", "3", 3),
        ("stock", 3.0, 3),
        ("stock", -2, 0),
        ("margin", "40 %", 0.4),
        ("margin", 0.4, 0.4),
        ("rating", "4,5", 4.5),
        ("created", date(2026, 1, 1), 1767225600.0),
        ("created", datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), 1767225600.0),
        ("created", datetime(2026, 1, 1), 1767225600.0),
        ("created", "2026-01-01", 1767225600.0),
        ("created", "2026-01-01 00:00:00 UTC", 1767225600.0),
        ("created", "1767225600", 1767225600.0),
        ("hidden", "yes", True),
        ("url", "/p/a b", "/p/a%20b"),
        ("url", "HTTPS://x.example/", "HTTPS://x.example/"),
        ("image", "data:image/png;base64,AA", "data:image/png;base64,AA"),
        ("attributes", {"fit.cut": "slim", "years": [2025, 2026], "eco": True, "none": None}, None),
        ("variants", [{"variant_id": "v", "size": "M"}], (Variant(variant_id="v", size="M"),)),
    ],
)
def test_taken(field, value, read):
    if field == "attributes":
        read = {"fit_cut": "slim", "years": [2025, 2026], "eco": True}
    assert getattr(made(**{field: value}), field) == read


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("product_id", "", "is missing"),
        ("product_id", "x" * (MAX_ID + 1), "200 are allowed"),
        ("product_id", "a\nb", "line break"),
        ("product_id", ["a"], "a text is needed"),
        ("title", "  ", "is missing"),
        ("title", b"x", "a text is needed"),
        ("title", "\ud800", "half a character"),
        ("category_path", 5, "from broad to narrow"),
        ("price", "?", "no price"),
        ("price", -1, "from 0 on"),
        ("price", float("nan"), "from 0 on"),
        ("price", True, "is bool"),
        ("price", [1], "is list"),
        ("sale_price", "5 USD", "is in USD, the price in EUR"),
        ("currency", "Euro", "ISO 4217"),
        ("stock", "many", "no number of pieces"),
        ("stock", "1.000", "no number of pieces"),
        ("stock", float("inf"), "no number of pieces"),
        ("stock", 2**31, "no number of pieces"),
        ("margin", 1.5, "no share"),
        ("margin", "half", "no share"),
        ("rating", "good", "no number"),
        ("created", "yesterday", "is no time"),
        ("created", 1e20, "no number of seconds"),
        ("hidden", "perhaps", "neither yes nor no"),
        ("url", "javascript:alert(1)", "no address"),
        ("url", " JavaScript:alert(1)", "no address"),
        ("image", "data:text/html,x", "no address"),
        ("attributes", [1], "an object"),
        ("attributes", {"a": float("nan")}, "no number that can be kept"),
        ("attributes", {"a": 2**63}, "no number that can be kept"),
        ("attributes", {"a": {"b": 1}}, "a text is needed"),
        ("variants", "M", "a list"),
        ("variants", [{"size": "M"}], "variant_id"),
        ("prize", 5, "there is no such field"),
    ],
)
def test_refused(field, value, words):
    with pytest.raises(BadField) as caught:
        made(**{field: value})
    assert caught.value.field.split(".")[0] == field
    assert words in caught.value.reason


def test_derived():
    assert made(price="10", cost="4").margin == 0.6
    assert made(price="10", sale_price="5", cost="4").margin == 0.2
    assert made(price="10", cost="12").margin == 0.0
    assert made(price="10", cost="4", margin=0.1).margin == 0.1
    assert made(in_stock="no", stock=5).stock == 0
    assert made(in_stock="in stock").stock is None
    assert made(published="false").hidden
    assert not made(published="true").hidden
    assert (made(sale_price=5).price, made(sale_price=5).sale_price) == (5.0, None)
    assert made(price="5 USD").currency == "USD"
    assert made(price=5).currency == "EUR"
    with pytest.raises(BadField, match="not after"):
        made(sale_from=2, sale_until=2)


@given(
    st.fixed_dictionaries(
        {"product_id": st.text(min_size=1, max_size=5), "title": st.text(min_size=1, max_size=5)},
        optional={
            field: st.one_of(
                st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.datetimes(),
                st.lists(st.text(max_size=3), max_size=2),
                st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
            )
            for field in FIELDS[2:]
        },
    )
)  # fmt: skip
def test_anything_is_a_product_or_a_bad_field(values):
    try:
        product = product_from(values)
    except BadField as error:
        product = Product(product_id=error.field or "row", title=error.reason)
    assert product.title
    assert product.title.encode()
    assert product_from({name: getattr(product, name) for name in Product.__struct_fields__}) == product


def test_utc_is_assumed():
    assert made(created=datetime(2026, 1, 1, tzinfo=UTC)).created == made(created="2026-01-01T00:00:00").created
