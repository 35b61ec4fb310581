"""``evaluate policy`` on logs in the layout of the Open Bandit Dataset."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from flask import Flask

from mtp_plugin.cli import mtp
from mtp_plugin.errors import InputError
from mtp_plugin.evaluate.policies import evaluate_policy

RATES = (0.05, 0.2)


def write_log(path: Path, policy: tuple[float, ...], n: int = 4000, seed: int = 1) -> Path:
    """A log of a policy over two products, the second of which is clicked four times as often."""
    dice = np.random.default_rng(seed)
    items = dice.choice(len(policy), n, p=policy)
    clicks = dice.random(n) < np.array(RATES)[items]
    lines = [
        f"{item},{row % 2 + 1},{int(click)},{policy[item]}"
        for row, (item, click) in enumerate(zip(items, clicks, strict=True))
    ]
    path.write_text("\n".join(["item_id,position,click,propensity_score", *lines]) + "\n")
    return path


def test_each_log_foretells_the_other(tmp_path: Path) -> None:
    """Intervals of level 0.999: a test that fails once in a thousand seeds, and the seed is fixed."""
    one, two = write_log(tmp_path / "one", (0.6, 0.4)), write_log(tmp_path / "two", (0.3, 0.7), seed=2)
    for served, judged, word in ((one, two, "better"), (two, one, "worse")):
        found = evaluate_policy(str(served), like=str(judged), level=0.999)
        told = found["estimates"]["doubly-robust"]
        assert told["low"] < found["on_policy"]["value"] < told["high"]
        assert found["verdict"]["word"] == word


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    for text, said in (("a,b\n1,2\n", "lacks one of the columns"), ("", "no rows")):
        file.write_text(text)
        with pytest.raises(InputError, match=said):
            evaluate_policy(str(file))
    file.write_text("item_id,position,click,propensity_score\nx,1,0,0.5\n")
    with pytest.raises(InputError, match="cannot be read"):
        evaluate_policy(str(file))
    file.write_text("item_id,position,click,propensity_score\n1,1,0,0\n")
    with pytest.raises(InputError, match="propensities"):
        evaluate_policy(str(file))


def test_products_that_the_log_never_showed(tmp_path: Path) -> None:
    served = write_log(tmp_path / "served", (1.0,))
    judged = write_log(tmp_path / "judged", (0.5, 0.5))
    with pytest.raises(InputError, match="never showed"):
        evaluate_policy(str(served), like=str(judged))


@pytest.mark.data
def test_forty_clicks_cannot_tell(test_data: Path) -> None:
    """Both ways between the two policies of the Open Bandit Dataset: the intervals hold the truth and are too wide."""
    folder = test_data / "open_bandit"
    files = [str(folder / name) for name in ("random_all.csv.gz", "bts_all.csv.gz")]
    app = Flask("measure")
    app.cli.add_command(mtp)
    for served, judged in (files, files[::-1]):
        done = app.test_cli_runner().invoke(
            args=["mtp", "evaluate", "policy", "--events", served, "--like", judged, "--json"]
        )
        found = json.loads(done.stdout)
        assert found["verdict"]["word"] == "cant-tell"
        told = found["estimates"]["doubly-robust"]
        assert told["low"] < found["on_policy"]["value"] < told["high"]
        assert found["support"]["ess"] < 3000
