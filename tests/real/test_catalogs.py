"""Real catalogue exports, counted here without the code under test."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mtp_plugin.catalog.facts import product_facts
from mtp_plugin.catalog.files import detect, read_products
from mtp_plugin.catalog.table import build_table
from mtp_plugin.conditions import compile_condition
from mtp_plugin.records import Product, RowError

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def data():
    folder = os.environ.get("MTP_TEST_DATA")
    if not folder:
        pytest.skip("MTP_TEST_DATA is not set")
    assert Path(folder, "catalogs").is_dir(), f"MTP_TEST_DATA={folder} holds no folder catalogs"
    return Path(folder)


def read(path):
    rows = list(read_products(path, currency="USD"))
    return [row for row in rows if isinstance(row, Product)], [row for row in rows if isinstance(row, RowError)]


def test_google_retail(data):
    path = data / "catalogs" / "google_retail_products.jsonl"
    raw = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    products, errors = read(path)
    assert errors == []
    assert len(products) == len(raw) == 316
    for product, given in zip(products, raw, strict=True):
        price = given["priceInfo"]
        title = " ".join(given["title"].split())
        assert (product.product_id, product.title, product.currency) == (given["id"], title, "USD")
        assert (product.price, product.sale_price) == (float(price["originalPrice"]), float(price["price"]))
        earned = 1 - float(price["cost"]) / float(price["price"]) if float(price["price"]) else None
        assert product.margin == (pytest.approx(max(0.0, earned), abs=1e-6) if earned is not None else None)
        assert product.in_stock == (given["availability"] == "IN_STOCK")
        assert product.image == given["images"][0]["uri"]
    counted = Counter(given["categories"][0] for given in raw)
    table = build_table(products, 1)
    assert Counter(table.top_category_names[code] for code in table.top_category) == counted
    apparel = compile_condition({"category": {"$in": ["Apparel"]}, "price": {"$lte": 25}, "in_stock": True})
    cheap = [given for given in raw if given["categories"] == ["Apparel"] and float(given["priceInfo"]["price"]) <= 25]
    found = [product.product_id for product in products if apparel(product_facts(product, 1.7e9))]
    assert found == [given["id"] for given in cheap if given["availability"] == "IN_STOCK"]


def test_google_retail_with_an_invalid_line(data):
    products, errors = read(data / "catalogs" / "google_retail_products_some_invalid.jsonl")
    assert [product.product_id for product in products] == ["GGPRAHPL107110", "GGOEAAKQ137410"]
    (error,) = errors
    assert (error.line, error.field) == (1, "availability")
    assert "'INVALID_VALUE' is unknown" in error.reason


def test_shopify(data):
    path = data / "catalogs" / "shopify_products.csv"
    with open(path, encoding="utf-8", newline="") as file:
        raw = list(csv.DictReader(file))
    products, errors = read(path)
    assert detect(path) == "shopify"
    assert errors == []
    assert {product.product_id: product.title for product in products} == {
        row["Handle"]: row["Title"] for row in raw if row["Title"]
    }
    rows = Counter(row["Handle"] for row in raw)
    assert {product.product_id: len(product.variants) or 1 for product in products} == rows
    assert all(product.image.startswith("https://") for product in products)
    assert sum(product.price for product in products) == sum(float(row["Variant Price"]) for row in raw if row["Title"])


def test_google_merchant(data):
    path = data / "catalogs" / "google_merchant_feed.xml"
    name = "{http://base.google.com/ns/1.0}"
    items = list(ElementTree.parse(path).getroot().iter("item"))
    products, errors = read(path)
    assert errors == []
    (watch,) = products
    assert {item.findtext(f"{name}item_group_id") for item in items} == {watch.product_id}
    assert [variant.variant_id for variant in watch.variants] == [item.findtext(f"{name}id") for item in items]
    assert (watch.price, watch.currency, watch.category) == (105.29, "USD", "accessories > watches")
    assert watch.colors == ("Black", "White", "Yellow")


def test_online_retail(data):
    path = data / "online_retail" / "online_retail.csv.gz"
    codes = set()
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            sold = int(row["Quantity"]) > 0 and float(row["UnitPrice"]) > 0 and row["Description"].strip()
            if sold and re.match(r"\d{5}|DCGS", row["StockCode"]):
                codes.add(row["StockCode"].upper())
    products, errors = read(path)
    assert detect(path) == "online-retail"
    assert errors == []
    assert {product.product_id for product in products} == codes
    assert not {"POST", "DOT", "M", "BANK CHARGES", "AMAZONFEE"} & codes
    holder = next(product for product in products if product.product_id == "85123A")
    assert (holder.title, holder.price, holder.currency) == ("WHITE HANGING HEART T-LIGHT HOLDER", 2.95, "GBP")
