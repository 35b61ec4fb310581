"""``evaluate sessions`` on small files: forms of input, shape of output, and figures that a known pattern must give."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from mtp_plugin.errors import InputError
from mtp_plugin.evaluate.read import read_cases, read_sessions
from mtp_plugin.evaluate.sessions import evaluate_sessions


def ring(path: Path, sessions: int, seed: int, *, tabs: bool) -> Path:
    """Visitors who walk along a ring of 60 products, one step at a time."""
    random = np.random.default_rng(seed)
    lines = ["SessionId\tItemId\tTime" if tabs else "session,item,seq"]
    for session in range(sessions):
        start = int(random.integers(60))
        for step in range(5):
            item, order = f"i{(start + step) % 60}", 1_600_000_000 + session * 900 + step if tabs else step
            lines.append("\t".join((f"s{session}", item, str(order))) if tabs else f"s{session},{item},{order}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("tabs", [False, True])
def test_a_pattern_is_learnt(tmp_path: Path, tabs: bool) -> None:
    train, test = ring(tmp_path / "train.csv", 900, 1, tabs=tabs), ring(tmp_path / "test.csv", 40, 2, tabs=tabs)
    found = evaluate_sessions(train, test)
    assert found["cases"] == 160
    assert found["metrics"]["hr@20"] > 0.99
    assert found["metrics"]["mrr@20"] > 0.85
    assert found["metrics"]["mrr@20"] > found["baselines"]["popularity"]["mrr@20"]
    assert found["baselines"]["prefix-echo"]["novel"]["hr@20"] == 0.0


def test_the_answer_has_its_shape_and_is_json(tmp_path: Path) -> None:
    found = evaluate_sessions(
        ring(tmp_path / "train.csv", 100, 1, tabs=False), ring(tmp_path / "test.csv", 9, 2, tabs=False), limit=10
    )
    assert set(json.loads(json.dumps(found))) == {"protocol", "cases", "metrics", "baselines", "train_seconds"}
    assert found["cases"] == 10
    assert {"hr@20", "mrr@20", "ndcg@20", "recall@20", "coverage@20", "novel", "p50_us", "p90_us"} <= set(
        found["metrics"]
    )
    assert set(found["baselines"]) == {"popularity", "prefix-echo", "markov", "item-item"}


def test_prefixes_and_targets_compressed(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("prefix,target\na b,c\nx,y\n")
    assert read_cases(path) == [(["a", "b"], "c"), (["x"], "y")]


def test_whole_sessions_are_predicted_place_by_place(tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text("session,item,seq\ns,b,1\ns,a,0\ns,c,2\n", encoding="utf-8")
    assert read_cases(path) == [(["a"], "b"), (["a", "b"], "c")]


def test_targets_nobody_knows_count_as_missed(tmp_path: Path) -> None:
    train, test = ring(tmp_path / "train.csv", 200, 1, tabs=False), tmp_path / "test.csv"
    test.write_text("prefix,target\ni1,unheard-of\nunheard-of,i2\n", encoding="utf-8")
    found = evaluate_sessions(train, test)
    assert found["cases"] == 2
    assert found["metrics"]["hr@20"] <= 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("who,what\n1,2\n", "has no column 'session'"),
        ("session,item,seq\n", "no rows"),
        ("session,item,seq\ns,a,0\ns,b,soon\n", "line 3"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "train.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_sessions(path)
