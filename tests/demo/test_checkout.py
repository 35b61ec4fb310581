"""From the basket to the order, with everything that can be wrong on the way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from demo_store import create_app
from demo_store.forms import _luhn
from demo_store.ledger import Ledger, Line, SoldOut
from tests.demo.conftest import BROWSER
from tests.demo.html import Page
from tests.demo.test_pages import shop_of

GOOD = {
    "key": "k", "email": "you@example.org", "name": "Ada Lund", "address": "Lake Road 4", "postcode": "1234",
    "city": "Tarnby",
    "card": "4242 4242 4242 4242", "expiry": "12/39",
}  # fmt: skip


def buyable(app: Flask, at_least: int = 5):
    """A product and a variant of which there are some."""
    shop = shop_of(app)
    for product in shop.catalogue.products.values():
        for variant, left in shop.stock(product).items():
            if left >= at_least:
                return product, variant
    raise AssertionError("nothing to buy")


def fill(client: FlaskClient, app: Flask, quantity: int = 1) -> tuple[str, str]:
    product, variant = buyable(app)
    answer = client.post(f"/basket/add/{product.product_id}", data={"variant": variant, "quantity": quantity})
    assert answer.location == "/basket"
    return product.product_id, variant


def key_of(client: FlaskClient) -> str:
    found = re.search(r'name="key" value="([^"]+)"', client.get("/checkout").text)
    assert found
    return found[1]


def test_basket_adds_changes_and_takes_out(client: FlaskClient, shop: Flask) -> None:
    product_id, variant = fill(client, shop, 2)
    page = Page(client.get("/basket").text)
    assert page.problems == []
    assert page.having("data-mtp-remove") == [product_id]
    assert page.having("data-mtp-quantity") == ["2"]
    fill(client, shop, 1)
    assert Page(client.get("/basket").text).having("data-mtp-quantity") == ["3"]
    client.post(f"/basket/change/{product_id}", data={"variant": variant, "quantity": 0})
    assert "Nothing in it yet" in client.get("/basket").text


def test_colour_and_size_name_the_variant(client: FlaskClient, shop: Flask) -> None:
    product = next(p for p in shop_of(shop).catalogue.products.values() if len(p.variants) > 4 and p.in_stock)
    variant = next(v for v in product.variants[1:] if v.stock)
    form = {"variant": product.variants[0].variant_id, "colour": variant.color, "size": variant.size, "quantity": 1}
    client.post(f"/basket/add/{product.product_id}", data=form)
    assert variant.title in client.get("/basket").text


def test_what_is_sold_out_cannot_be_added(client: FlaskClient, shop: Flask) -> None:
    shop_ = shop_of(shop)
    product = next(p for p in shop_.catalogue.products.values() if not p.in_stock)
    answer = client.post(
        f"/basket/add/{product.product_id}", data={"variant": product.variants[0].variant_id, "quantity": 1}
    )
    assert answer.location.startswith(product.url)
    assert "sold out" in client.get(answer.location).text.lower()
    assert shop_.availability([product.product_id, "nonsense"]) == {product.product_id: False}


def test_an_order(client: FlaskClient, shop: Flask) -> None:
    product_id, variant = fill(client, shop, 2)
    product = shop_of(shop).catalogue.products[product_id]
    before = shop_of(shop).stock(product)[variant]
    answer = client.post("/checkout", data=GOOD | {"key": key_of(client)})
    assert answer.location.startswith("/thanks/")
    page = Page(client.get(answer.location).text)
    assert page.problems == []
    assert "Thank you, Ada." in page.text
    assert product.title in page.text
    assert shop_of(shop).stock(product)[variant] == before - 2
    assert "Nothing in it yet" in client.get("/basket").text
    stranger = shop.test_client()
    assert stranger.get(answer.location).status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("email", "", "Where may we write to?"),
        ("email", "you@", "does not look like an e-mail"),
        ("name", " ", "Who is it for?"),
        ("address", "x", "street with its number"),
        ("postcode", "", "postcode is missing"),
        ("city", "", "town is missing"),
        ("card", "1234 5678 9012 3456", "not a card number"),
        ("card", "", "4242 4242 4242 4242"),
        ("expiry", "13/30", "MM/YY"),
        ("expiry", "01/20", "expired"),
        ("note", "x" * 141, "140"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    client: FlaskClient, shop: Flask, field: str, value: str, word: str
) -> None:
    fill(client, shop)
    answer = client.post("/checkout", data=GOOD | {field: value})
    assert answer.status_code == 422
    page = Page(answer.text)
    assert page.problems == []
    wrong = [box for box in page.all("input") if box.get("aria-invalid")]
    assert [box["name"] for box in wrong] == [field]
    error = re.search(rf'id="{field}-error">(.*?)</p>', answer.text, re.S)
    assert error
    assert word in error[1]
    # What was right is kept, and the summary leads to what was not.
    assert page.all("a")
    assert f"#{field}" in page.having("href")
    if field != "name":
        assert any(box.get("value") == "Ada Lund" for box in page.all("input"))


def test_the_same_order_sent_twice_is_one(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "books.sqlite")
    line = Line("p", "p-1", "P", 2, 10.0, stock=3)
    first = ledger.place("key", "a", "Ada", [line])
    assert ledger.place("key", "a", "Ada", [line]) == first
    assert ledger.sold(["p"]) == {"p-1": 2}
    assert first.total == 20.0
    assert [order.number for order in ledger.orders_of("a")] == [first.number]


def test_the_last_piece_is_sold_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "books.sqlite")
    ledger.place("one", "", "Ada", [Line("p", "p-1", "P", 2, 10.0, stock=3)])
    with pytest.raises(SoldOut, match="only 1 of P left"):
        ledger.place("two", "", "Bo", [Line("q", "q-1", "Q", 1, 1.0, stock=9), Line("p", "p-1", "P", 2, 10.0, stock=3)])
    assert ledger.order("two") is None
    assert ledger.sold(["q"]) == {}


def test_forms_need_their_token(instance: Path) -> None:
    app = create_app({"TESTING": True, "DEMO_INSTANCE": str(instance)})
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = BROWSER
    product, variant = buyable(app)
    form = {"variant": variant, "quantity": 1}
    assert client.post(f"/basket/add/{product.product_id}", data=form).status_code == 400
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(product.url).text)
    assert token
    answer = client.post(f"/basket/add/{product.product_id}", data=form | {"csrf_token": token[1]})
    assert answer.location == "/basket"
    app.extensions["mtp"].close()


def test_luhn() -> None:
    assert _luhn("4242424242424242")
    assert not _luhn("4242424242424243")
