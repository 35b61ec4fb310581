"""``evaluate baskets`` on a made-up shop whose customers have habits."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from mtp_plugin.errors import InputError
from mtp_plugin.evaluate.baskets import evaluate_baskets
from mtp_plugin.evaluate.words import read_words

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


def test_titles_come_from_before_the_test_alone(tmp_path: Path) -> None:
    path = history(tmp_path / "orders.csv")
    some = read_words(path, before=(START + timedelta(days=1)).timestamp())
    every = read_words(path, before=(START + timedelta(days=1000)).timestamp())
    assert 0 < len(some) <= len(every) == 80
    assert read_words(path, before=START.timestamp() - 1) == {}


def test_a_file_without_a_test_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="before and in the last"):
        evaluate_baskets(history(tmp_path / "orders.csv"), format="online-retail", test_days=4000)
