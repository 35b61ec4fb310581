"""``flask mtp bandits``, and the whole way: shown, seen, clicked, learnt from, still known after a restart."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from click.testing import Result
from flask import Flask

from mtp_plugin.bandit.learnt import day_of
from mtp_plugin.ports import BanditSum
from mtp_plugin.records import ConsentLevel, Outcome, SlateRequest
from mtp_plugin.rewarding import PATIENCE
from mtp_plugin.state import State

from .shops import mounted, watches

ROW = {"placement": "home-hero", "about": "strategy", "arms": ["trending-items", "best-sellers"], "window_hours": 0.1}
BANDITS = {"hero": ROW, "slot": {"placement": "home-hero", "about": "product", "arms": 3}}


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["mtp", "bandits", *words])


def told(app: Flask, *words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(app, *words, "--json").stdout)
    return answer


def test_what_there_is_is_listed(tmp_path: Path) -> None:
    app, _ = mounted(tmp_path / "with", watches(6), MTP_BANDITS=BANDITS)
    lines = run(app, "list").stdout.splitlines()
    assert lines[0] == (
        "hero: thompson chooses the strategy of home-hero by click within 0.1 h, among trending-items, best-sellers"
    )
    assert lines[1].endswith("among the first 3 candidates at place 1")
    assert [one["name"] for one in told(app, "list")["bandits"]] == ["hero", "slot"]
    assert run(mounted(tmp_path / "without")[0], "list").stdout == "MTP_BANDITS names none.\n"


def test_arms_are_shown_and_forgotten(tmp_path: Path) -> None:
    app, state = mounted(tmp_path, watches(6), MTP_BANDITS=BANDITS)
    state.bandit_state.add(
        [
            BanditSum("hero", segment, arm, day_of(time.time()), cell, (n, s)[cell])
            for arm, n, s in (("trending-items", 400.0, 80.0), ("best-sellers", 400.0, 20.0))
            for segment in ("", "seg-1")
            for cell in (0, 1)
        ]
    )
    shown = told(app, "show", "hero")
    assert shown["verdict"] == "trending-items is ahead of all others."
    best, worst = shown["arms"]
    assert (best["arm"], best["impressions"], best["mean"]) == ("trending-items", 800.0, 0.2)
    assert best["low"] < 0.2 < best["high"]
    assert best["propensity"] + worst["propensity"] == 1.0
    own = told(app, "show", "hero", "--segment", "seg-1")["arms"][0]
    assert own["impressions"] == 600.0, "its own 400 and 200 of the others"
    assert "trending-items: 0.2000 (0.17" in run(app, "show", "hero").stdout
    assert told(app, "show", "slot")["arms"] == []

    assert told(app, "reset", "hero") == {"name": "hero", "sums": 8}
    after = told(app, "show", "hero")
    assert {arm["impressions"] for arm in after["arms"]} == {0.0}
    assert after["verdict"].startswith("Nothing to compare yet")
    (entry,) = state.audit.latest(1, action="bandit.")
    assert (entry.actor, entry.subject) == ("cli", "bandit:hero")


def test_an_unknown_policy_is_an_error(tmp_path: Path) -> None:
    app, _ = mounted(tmp_path, watches(6), MTP_BANDITS=BANDITS)
    for command in ("show", "reset"):
        result = run(app, command, "her", "--json")
        assert result.exit_code == 1
        error = json.loads(result.stdout)["error"]
        assert (error["code"], error["field"]) == ("not-found", "name")
        assert "hero, slot" in error["message"]


def test_from_slates_to_what_is_known_after_a_restart(tmp_path: Path) -> None:
    app, state = mounted(tmp_path, watches(12), MTP_BANDITS={"hero": ROW})
    began = time.time() - 0.1 * 3600 - PATIENCE - 60
    clicked = shown(state, began, count=40)
    assert told(app, "learn")["said"] == "hero: 40 impressions"
    assert told(app, "learn")["said"] == "hero: 0 impressions"
    arms = {one["arm"]: (one["impressions"], one["rewards"]) for one in told(app, "show", "hero")["arms"]}
    assert arms["best-sellers"][1] == clicked > 0
    assert arms["trending-items"][1] == 0
    assert sum(impressions for impressions, _ in arms.values()) == 40
    state.close()

    app, state = mounted(tmp_path, MTP_BANDITS={"hero": ROW})
    again = {one["arm"]: (one["impressions"], one["rewards"]) for one in told(app, "show", "hero")["arms"]}
    assert again == arms
    assert told(app, "learn")["said"] == "hero: 0 impressions"
    state.close()


def test_slates_are_replayed_whatever_was_learnt_since(tmp_path: Path) -> None:
    words = {"placement": "home-hero", "about": "creative", "arms": ["One", "Two"]}
    app, state = mounted(tmp_path, watches(24), MTP_BANDITS={**BANDITS, "words": words})
    asked = {"placement": "home-hero", "consent_level": ConsentLevel.FULL, "profile_ids": ("a:ada",)}
    slates = [state.pipeline.recommend(SlateRequest(now=1_780_000_000.0, seed=seed, **asked)) for seed in range(12)]
    assert len({slate.choices for slate in slates}) > 3
    state.slates.flush()
    state.bandit_state.add([BanditSum("hero", "", "best-sellers", day_of(time.time()), cell, 900.0) for cell in (0, 1)])
    state.bandits.refresh()
    for slate in slates:
        result = app.test_cli_runner().invoke(args=["mtp", "replay", slate.recommendation_id, "--json"])
        found = json.loads(result.stdout)
        assert found["verdict"] == "same", found
        assert len(found["replayed"]["choices"]) == 3
        assert found["replayed"]["title"] == slate.title


def shown(state: State, began: float, count: int) -> int:
    """Slates that were seen; those led by best sellers are clicked. Gives how many that were."""
    outcomes = []
    for number in range(count):
        request = SlateRequest(
            placement="home-hero",
            now=began + number / 100,
            consent_level=ConsentLevel.FULL,
            profile_ids=("a:ada",),
        )
        slate = state.pipeline.recommend(request)
        kinds = ("seen", "click") if slate.choices[0].arm == "best-sellers" else ("seen",)
        outcomes += [
            Outcome(
                outcome_id=f"{kind}{number:011d}".encode()[:16].ljust(16),
                kind=kind,
                quantity=1.0,
                recommendation_id=slate.recommendation_id,
                profile_id="a:ada",
                at=began + number / 100 + 1,
            )
            for kind in kinds
        ]
    state.slates.flush()
    assert state.outcomes.record(outcomes) == len(outcomes)
    return sum(one.kind == "click" for one in outcomes)
