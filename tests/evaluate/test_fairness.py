"""What is measured knows nothing of the test: not its products, not the order of ids, not how ties fall."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtp_plugin.candidates.train import Learnt, train
from mtp_plugin.evaluate import baskets
from mtp_plugin.evaluate.baskets import evaluate_baskets
from mtp_plugin.evaluate.sessions import evaluate_sessions

DAY_S = 86_400
START = 1_600_000_000


def orders(path: Path, name: dict[int, str], *, future: int = 0) -> Path:
    """40 customers, an order every ten days out of a shelf; *future* draws the last 20 days anew."""
    random = np.random.default_rng(5)
    drawn = [[random.choice(12, 3, replace=False).tolist() for _ in range(40)] for _ in range(12)]
    if future:
        later = np.random.default_rng(future)
        drawn[10:] = [[later.choice(12, 3, replace=False).tolist() for _ in range(40)] for _ in range(2)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("event", "timestamp", "user_id", "product_id", "price", "order_id", "title"))
        for turn, customers in enumerate(drawn):
            for customer, things in enumerate(customers):
                for thing in things:
                    row, at = (customer % 5) * 12 + thing, START + turn * 10 * DAY_S + customer * 60
                    title = f"thing {row} sold {'late' if turn > 9 and future else 'early'}"
                    writer.writerow(("Order Completed", at, customer, name[row], 2 + turn, f"{turn}-{customer}", title))
    return path


def walks(path: Path, name: dict[int, str], seed: int, sessions: int) -> Path:
    """Walks along a ring of 40 products, with many ties."""
    random = np.random.default_rng(seed)
    lines = ["session,item,seq"]
    for session in range(sessions):
        at = int(random.integers(40))
        for step in range(int(random.integers(1, 7))):
            lines.append(f"s{session},{name[at]},{step}")
            at = (at + int(random.integers(0, 4))) % 40
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def names(n: int, seed: int | None) -> dict[int, str]:
    """Ids in order, or another set of ids in an order drawn by *seed*."""
    if seed is None:
        return {row: f"{row:03}" for row in range(n)}
    drawn = np.random.default_rng(seed).permutation(n).tolist()
    return {row: f"x{drawn[row]:03}" for row in range(n)}


def figures(found: dict[str, Any]) -> dict[str, Any]:
    """All but times."""
    metrics = {name: value for name, value in found["metrics"].items() if not name.endswith("_us")}
    return {"cases": found["cases"], "metrics": metrics, "baselines": found["baselines"]}


def test_ids_say_nothing_in_sessions(tmp_path: Path) -> None:
    found = [
        evaluate_sessions(
            walks(tmp_path / "train.csv", names(40, seed), 1, 500), walks(tmp_path / "test.csv", names(40, seed), 2, 60)
        )
        for seed in (None, 1)
    ]
    assert figures(found[0]) == figures(found[1])


def test_ids_say_nothing_in_baskets(tmp_path: Path) -> None:
    found = [evaluate_baskets(orders(tmp_path / "orders.csv", names(60, seed)), test_days=20) for seed in (None, 1)]
    assert figures(found[0]) == figures(found[1])


def test_another_future_changes_nothing_that_was_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learnt: list[Learnt] = []

    def watched(*args: Any, **kwargs: Any) -> Learnt:
        learnt.append(train(*args, **kwargs))
        return learnt[-1]

    monkeypatch.setattr(baskets, "train", watched)
    found = [
        evaluate_baskets(orders(tmp_path / "orders.csv", names(60, None), future=future), test_days=20)
        for future in (0, 7)
    ]
    one, other = learnt
    assert one.meta == other.meta
    assert one.strings == other.strings
    assert all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)
    assert figures(found[0]) != figures(found[1]), "the futures do differ"


def test_ties_are_not_broken_in_favour_of_the_target(tmp_path: Path) -> None:
    """One view a session: nothing tells products apart but chance, so 20 of 400 are right in 5 % of cases.

    600 cases give a standard error of .009; what exceeds .05 by four of them is not chance.
    """
    train_file, test_file = tmp_path / "train.csv", tmp_path / "test.csv"
    lines = [f"s{turn}-{item},p{item:03},0" for turn in range(3) for item in range(400)]
    train_file.write_text("session,item,seq\n" + "\n".join(lines) + "\n", encoding="utf-8")
    drawn = np.random.default_rng(3).integers(0, 400, (600, 2))
    cases = [f"p{one:03},p{other:03}" for one, other in drawn.tolist() if one != other]
    test_file.write_text("prefix,target\n" + "\n".join(cases) + "\n", encoding="utf-8")
    found = evaluate_sessions(train_file, test_file)
    assert found["metrics"]["hr@20"] < 0.09
    assert found["metrics"]["novel"]["hr@20"] < 0.09
    assert found["baselines"]["popularity"]["hr@20"] < 0.09
