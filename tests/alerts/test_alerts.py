"""A planted bad rule is found, paused, the figure recovers, and all of it is written down; and the life of an alert."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from flask import Flask

from mtp_plugin.alerts.hours import HOUR_S, count_hours
from mtp_plugin.alerts.run import acknowledge, resolve, run, silence
from mtp_plugin.alerts.watch import find
from mtp_plugin.errors import NotFoundError
from mtp_plugin.ports import AlertHour, JobRun
from mtp_plugin.records import ConsentLevel, Outcome, SlateRequest
from mtp_plugin.rules.read import read_ruleset
from mtp_plugin.state import State

from ..core.shops import mounted, watches

SLATES, CTR = 120, 0.3
"""Slates an hour, and how many of them are clicked while the first product is a good one (simulated)."""
BAD = "p00"
NOW = 1_790_000_000.0
"""A Monday afternoon, the same in every run."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Flask, State]]:
    app, state = mounted(
        tmp_path, watches(), MTP_ALERT_ACTIONS={"ctr": ["rule"]}, MTP_ALERT_THRESHOLD=3.5,
        MTP_ALERT_THRESHOLD_DAY=3.5, MTP_CACHE_SECONDS=0,
    )  # fmt: skip
    yield app, state
    state.close()


@pytest.fixture
def state(shop: tuple[Flask, State]) -> State:
    return shop[1]


def hour_of(now: float) -> int:
    return int(now // HOUR_S)


def seed(state: State, first: int, hours: int, ctr: float = CTR) -> None:
    """Three weeks that went by as usual: what counting them would have given."""
    chance = np.random.default_rng(4)
    cells = []
    for hour in range(first, first + hours):
        for placement, share in (("home-hero", 1.0), ("cart-complete", 0.5)):
            number = float(round(SLATES * share))
            cells.append(
                AlertHour(
                    hour=hour,
                    placement=placement,
                    slates=number,
                    seen=number,
                    fallback=number,  # there is no model
                    clicks=float(chance.binomial(int(number), ctr)),
                )
            )
    state.alerts.count(cells)


def live(state: State, hour: int, chance: np.random.Generator) -> None:
    """An hour of real slates, seen by shoppers (simulated) who click unless the bad product stands first."""
    outcomes = []
    for placement, number in (("home-hero", SLATES), ("cart-complete", SLATES // 2)):
        for turn in range(number):
            at = hour * HOUR_S + 3599.0 * turn / number
            request = SlateRequest(
                placement=placement, now=at, consent_level=ConsentLevel.FULL, profile_ids=(f"a:{hour}-{turn}",)
            )
            slate = state.pipeline.recommend(request)
            first = slate.items[0].product_id
            kinds = ["seen", *(["click"] if first != BAD and chance.random() < CTR else [])]
            outcomes += [
                Outcome(
                    outcome_id=f"{placement[0]}{kind[0]}{hour}-{turn}".encode().ljust(16, b".")[:16],
                    kind=kind,
                    recommendation_id=slate.recommendation_id,
                    profile_id=f"a:{hour}-{turn}",
                    at=at + 30,
                )
                for kind in kinds
            ]
    state.slates.flush(30)
    state.outcomes.record(outcomes)


def open_keys(state: State) -> list[str]:
    return sorted(one.key for one in state.alerts.kept(open_only=True))


def plant(state: State, chance: np.random.Generator) -> int:
    """Three usual weeks, a usual hour, an hour under a bad rule, and what alerts make of it; gives the first hour."""
    start = hour_of(NOW) - 8
    seed(state, start - 24 * 21, 24 * 21)
    live(state, start, chance)
    assert run(state, (start + 2) * HOUR_S).startswith("1 hours counted, 0 opened")

    (rule,) = read_ruleset(
        {"rules": [{"rule_id": "bad", "placements": ["home-hero"],
                    "then": [{"effect": "pin", "position": 1, "product_id": BAD}]}]}
    ).rules  # fmt: skip
    state.rulebook._clock = lambda: (start + 1) * HOUR_S + 5
    state.rulebook.put(rule, by="admin:ben", force=True)
    state.pipeline.live.refresh()
    live(state, start + 1, chance)
    run(state, (start + 3) * HOUR_S)
    return start


def test_a_planted_bad_rule_is_found_paused_and_the_figure_recovers(state: State) -> None:
    chance = np.random.default_rng(5)
    start = plant(state, chance)
    assert "ctr:home-hero:hour" in open_keys(state)
    assert not [key for key in open_keys(state) if "cart-complete" in key]
    alert = next(one for one in state.alerts.kept() if one.key == "ctr:home-hero:hour")
    assert alert.severity == "ticket"
    assert "Clicks per block seen dropped in home-hero" in alert.title
    change, part = alert.causes
    assert (change["subject"], change["by"], change["action"]) == ("rule:bad", "admin:ben", "rule.added")
    assert (part["placement"], part["share"]) == ("home-hero", 1.0)
    # It was paused once, by the first of the alerts that it caused.
    acted = state.audit.latest(10, action="alert.acted")
    assert [entry.details["subject"] for entry in acted] == ["rule:bad"]
    (paused,) = state.audit.latest(10, action="rule.disabled", subject="rule:bad")
    assert paused.actor == "job:alerts"
    assert state.audit.verify() == []
    assert not state.rulebook.read()[1].rules[0].enabled

    state.pipeline.live.refresh()
    live(state, start + 2, chance)
    run(state, (start + 4) * HOUR_S)
    assert open_keys(state) == []
    hours = state.alerts.hours(start, start + 3)
    shares = [one.clicks / one.seen for one in hours if one.placement == "home-hero"]
    assert shares[1] == 0.0
    assert min(shares[0], shares[2]) > 0.15
    assert {entry.subject for entry in state.audit.latest(20, action="alert.resolved")}


def test_what_was_done_can_be_undone(shop: tuple[Flask, State]) -> None:
    app, state = shop
    plant(state, np.random.default_rng(5))
    acted = next(one for one in state.alerts.kept() if one.action)
    done = app.test_cli_runner().invoke(args=["mtp", "alerts", "undo", str(acted.alert_id), "--json"])
    assert json.loads(done.stdout)["alert"]["action"]["undone_at"] > 0
    assert state.rulebook.read()[1].rules[0].enabled
    assert state.audit.latest(1, action="alert.undone")
    again = app.test_cli_runner().invoke(args=["mtp", "alerts", "undo", str(acted.alert_id)])
    assert again.exit_code == 1


def test_without_a_setting_nothing_is_done(state: State) -> None:
    """The same rule, found and told, but left alone."""
    object.__setattr__(state.settings, "alert_actions", {})
    plant(state, np.random.default_rng(5))
    assert "ctr:home-hero:hour" in open_keys(state)
    assert state.rulebook.read()[1].rules[0].enabled
    assert not any(one.action for one in state.alerts.kept())


def test_hours_count_what_came_in_time(state: State) -> None:
    hour = hour_of(NOW) - 5
    live(state, hour, np.random.default_rng(6))
    assert count_hours(state, (hour + 2) * HOUR_S - 1) > 0
    assert state.alerts.last_hour() == hour - 1
    assert count_hours(state, (hour + 2) * HOUR_S) == 1
    assert count_hours(state, (hour + 2) * HOUR_S) == 0
    (cart, hero) = state.alerts.hours(hour, hour + 1)
    assert (hero.slates, hero.seen, cart.seen) == (SLATES, SLATES, SLATES / 2)
    assert 0 < hero.clicks < SLATES / 2


def test_silence_is_a_gap(state: State) -> None:
    now = NOW
    last = hour_of(now) - 2
    seed(state, last - 24 * 21, 24 * 21)
    run(state, now)  # counts two hours without a slate
    assert {"gap:slates", "gap:seen"} <= set(open_keys(state))


def test_stale_models_and_failed_jobs_are_told_once_and_resolve(state: State) -> None:
    now = time.time()
    state.registry.publish("behaviour", {}, {}, {})
    state.leases.record_run(JobRun(name="train", started_at=now, seconds=1.0, ok=False, message="no room"))
    later = now + 4 * 86400
    run(state, later)
    assert {"job:train", "model:behaviour"} <= set(open_keys(state))
    number = {one.key: one.alert_id for one in state.alerts.kept()}
    run(state, later + 60)
    assert len([one for one in state.alerts.kept() if one.key == "job:train"]) == 1
    assert acknowledge(state, number["job:train"], by="ada", now=later).state == "acknowledged"
    run(state, later + 120)
    kept = state.alerts.get(number["job:train"])
    assert kept
    assert (kept.state, kept.by) == ("acknowledged", "ada")
    state.leases.record_run(JobRun(name="train", started_at=later, seconds=1.0, ok=True, message=""))
    state.registry.publish("behaviour", {}, {}, {})
    run(state, now + 180)
    assert not {"job:train", "model:behaviour"} & set(open_keys(state))
    with pytest.raises(NotFoundError):
        resolve(state, number["job:train"], by="ada", now=later)


def test_budgets_burn(state: State) -> None:
    """A quarter of an hour's slates is slow, where one in a hundred may be."""
    last = hour_of(NOW) - 2
    seed(state, last - 199, 200)

    def found() -> dict[str, str]:
        return {one.key: one.severity for one in find(state, NOW) if one.kind == "budget"}

    assert found() == {}
    hours = state.alerts.hours(last, last + 1)
    state.alerts.count([msgspec.structs.replace(one, slow=one.slates / 4) for one in hours])
    assert found() == {"budget:slow": "page"}
    state.alerts.count([msgspec.structs.replace(one, empty=one.slates) for one in hours])
    assert found() == {"budget:empty": "page"}


def cli(app: Flask, *words: str) -> dict[str, Any]:
    done = app.test_cli_runner().invoke(args=["mtp", "alerts", *words, "--json"])
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_commands(shop: tuple[Flask, State]) -> None:
    app, state = shop
    state.leases.record_run(JobRun(name="train", started_at=1.0, seconds=1.0, ok=False, message="no room"))
    run(state, time.time())
    (listed,) = [one for one in cli(app, "list")["alerts"] if one["key"] == "job:train"]
    number = str(listed["alert_id"])
    assert cli(app, "show", number)["alert"]["message"] == "It said: no room"
    assert cli(app, "ack", number)["alert"]["state"] == "acknowledged"
    assert cli(app, "silence", "job:", "--hours", "1")["silence"]["key"] == "job:"
    assert cli(app, "list")["silences"][0]["key"] == "job:"
    assert cli(app, "resolve", number)["alert"]["state"] == "resolved"
    assert cli(app, "list", "--all")["alerts"]
    assert cli(app, "show", "999")["error"]["code"] == "not-found"
    assert cli(app, "test", "nobody")["error"]["field"] == "target"
    assert silence(state, "job:", 0, by="ada", now=time.time()).until <= time.time()
    assert cli(app, "list")["silences"] == []
