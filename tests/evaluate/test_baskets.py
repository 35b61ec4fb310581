"""``evaluate baskets`` on a made-up shop whose customers have habits."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from mtp_plugin.catalog.table import build_table
from mtp_plugin.errors import InputError
from mtp_plugin.evaluate.basket_baselines import basket_baselines
from mtp_plugin.evaluate.baskets import evaluate_baskets
from mtp_plugin.evaluate.words import read_words
from mtp_plugin.records import Product, Profile, Purchase, Query

from ..candidates.shop import DAY, event

START = datetime(2024, 1, 1, tzinfo=UTC)
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")


def history(path: Path) -> Path:
    """80 customers, an order every fortnight, each time out of their own shelf of ten products."""
    random = np.random.default_rng(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for turn in range(14):
            for customer in range(80):
                at = START + timedelta(days=14 * turn, minutes=customer)
                shelf = customer % 8
                for one in random.choice(10, 3, replace=False):
                    code = f"{10000 + shelf * 10 + int(one)}"
                    writer.writerow(
                        (
                            f"{turn:02}{customer:03}",
                            code,
                            f"shelf {shelf} thing {one}",
                            1,
                            f"{at:%Y-%m-%d %H:%M:%S}",
                            2.5,
                            customer,
                            "UK",
                        )
                    )
    return path


def test_habits_are_learnt(tmp_path: Path) -> None:
    found = evaluate_baskets(history(tmp_path / "orders.csv"), format="online-retail", test_days=20)
    metrics = found["metrics"]
    assert set(found) == {"protocol", "cases", "metrics", "baselines", "train_seconds"}
    assert metrics["next_basket"]["cases"] == 80
    assert metrics["next_basket"]["recall@20"] > 0.95
    assert metrics["next_basket"]["recall@20"] > found["baselines"]["popularity"]["next_basket"]["recall@20"]
    assert metrics["completion"]["hr@20"] > 0.95
    assert metrics["completion"]["mrr@20"] > found["baselines"]["popularity"]["completion"]["mrr@20"]
    assert {"recall@20", "ndcg@20"} <= set(metrics["next_basket_new"])
    assert metrics["p50_us"] > 0
    assert set(found["baselines"]) == {"popularity", "prefix-echo", "own-frequency", "markov", "item-item"}


def test_baselines_say_what_their_names_say() -> None:
    """Three customers buy a and b, then c; a fourth, who bought a and b, is asked about."""
    orders = [event("Order Completed", f"u:{who}", 10.0 * DAY + who, "a", "b") for who in range(4)]
    orders += [event("Order Completed", f"u:{who}", 20.0 * DAY + who, "c") for who in range(3)]
    orders += [event("Order Completed", "u:3", 15.0 * DAY, "b"), event("Order Completed", "u:9", 21.0 * DAY, "d")]
    orders.sort(key=lambda one: one.timestamp)
    table = build_table([Product(product_id=one, title="") for one in "abcd"], 1)
    past = Profile(
        profile_id="u:3",
        purchases=(Purchase("a", 1, 1, 10 * DAY, 10 * DAY), Purchase("b", 2, 2, 10 * DAY, 15 * DAY)),
        orders=2,
    )
    found = basket_baselines(orders, table, 30 * DAY)

    def first(name: str, query: Query, k: int = 2) -> list[str]:
        return [table.products[row].product_id for row in found[name].candidates("", query, k).rows.tolist()]

    returning, cart = Query(now=30 * DAY, profile=past), Query(now=30 * DAY, cart=(0,))
    assert first("prefix-echo", returning) == ["b", "a"]
    assert first("own-frequency", returning) == ["b", "a"]
    assert first("popularity", returning, 1) == ["b"]
    assert first("markov", cart, 1) == ["c"], "what followed orders with a"
    assert first("item-item", cart, 1) == ["b"], "what stood beside a"


def test_titles_come_from_before_the_test_alone(tmp_path: Path) -> None:
    path = history(tmp_path / "orders.csv")
    some = read_words(path, before=(START + timedelta(days=1)).timestamp())
    every = read_words(path, before=(START + timedelta(days=1000)).timestamp())
    assert 0 < len(some) <= len(every) == 80
    assert read_words(path, before=START.timestamp() - 1) == {}


def test_titles_of_ids_in_small_letters_and_by_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("at;what;title\n2024-01-01;mug-a;A Mug\n1704153600;mug-a;later\n", encoding="utf-8")
    mapping = {"product_id": "what", "timestamp": "at"}
    assert read_words(path, before=START.timestamp() + 60, mapping=mapping) == {"mug-a": "A Mug"}
    assert read_words(path, before=START.timestamp() + 2e5, mapping=mapping) == {"mug-a": "later"}


def test_orders_by_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    rows = [f"{who};2024-{month:02}-05;{what};{who}-{month}" for who in range(3) for month in (1, 3) for what in "ab"]
    path.write_text("customer;day;article;number\n" + "\n".join(rows) + "\n", encoding="utf-8")
    mapping = {
        "user_id": "customer", "timestamp": "day", "product_id": "article", "order_id": "number",
        "name": {"value": "Order Completed"},
    }  # fmt: skip
    found = evaluate_baskets(path, mapping=mapping)
    assert found["metrics"]["next_basket"]["recall@20"] == 1.0
    with pytest.raises(InputError, match="map one"):
        evaluate_baskets(path)


def test_a_test_without_anybody_known_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    text = "event,timestamp,user_id,product_id,order_id\npurchase,2024-01-01,1,a,1\npurchase,2024-03-01,2,b,2\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="nothing to predict"):
        evaluate_baskets(path)


def test_a_file_without_a_test_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="before and in the last"):
        evaluate_baskets(history(tmp_path / "orders.csv"), format="online-retail", test_days=4000)
