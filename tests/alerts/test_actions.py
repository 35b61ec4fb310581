"""A model that was just promoted is rolled back where that is allowed, and serves again when that is undone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from mtp_plugin.alerts.actions import act, undo
from mtp_plugin.alerts.causes import causes
from mtp_plugin.alerts.watch import Finding
from mtp_plugin.experiment_book import begin, draft
from mtp_plugin.ports import Alert

from ..core.shops import mounted


def test_a_model_is_rolled_back_and_serves_again(tmp_path: Path) -> None:
    _, state = mounted(tmp_path, MTP_ALERT_ACTIONS={"conversion": ["model"]})
    older, newer = (state.registry.publish("behaviour", {}, {}, {"made": made}) for made in ("first", "second"))
    cause = {"what": "change", "action": "model.promoted", "subject": f"model:behaviour/{newer}", "at": 1.0, "by": "x"}
    given = {"kind": "anomaly", "title": "T", "message": "M", "opened_at": 1.0, "last_at": 1.0, "causes": (cause,)}
    good = state.alerts.add(Alert(key="a", severity="note", figures={"kpi": "conversion"}, **given))
    other = state.alerts.add(Alert(key="b", severity="ticket", figures={"kpi": "ctr"}, **given))
    assert act(state, good, 2.0).action == act(state, other, 2.0).action == {}
    assert state.registry.current("behaviour") == newer

    done = act(state, state.alerts.add(Alert(key="c", severity="ticket", figures={"kpi": "conversion"}, **given)), 2.0)
    state.alerts.put(done)
    assert done.action["did"] == "model.rolled-back"
    assert state.registry.current("behaviour") == older
    assert state.audit.latest(1, action="alert.acted")[0].details["from"] == newer
    assert act(state, other, 3.0).action == {}
    undo(state, done.alert_id, by="ada", now=4.0)
    assert state.registry.current("behaviour") == newer
    state.close()


def alert(state: Any, cause: dict[str, Any] | None, *, placement: str = "", key: str = "k") -> Alert:
    return state.alerts.add(
        Alert(
            key=key, kind="anomaly", severity="ticket", title="T", message="M", opened_at=1.0, last_at=1.0,
            figures={"kpi": "ctr", "placement": placement}, causes=(cause,) if cause else (),
        )
    )  # fmt: skip


def acted(state: Any, one: Alert) -> Alert:
    done = act(state, one, time.time())
    state.alerts.put(done)
    return done


def change(action: str, subject: str) -> dict[str, Any]:
    return {"what": "change", "action": action, "subject": subject, "at": 1.0, "by": "x"}


def test_a_model_that_was_counted_anew_is_rolled_back_with_what_it_was_counted_from(tmp_path: Path) -> None:
    _, state = mounted(tmp_path, MTP_ALERT_ACTIONS={"ctr": ["model"]})
    older, newer = (state.registry.publish("behaviour", {}, {}, {"made": made}) for made in ("first", "second"))
    counted = state.registry.publish("behaviour", {}, {}, {}, lineage={"refreshed_from": newer, "model": newer})
    done = acted(state, alert(state, change("model.promoted", f"model:behaviour/{newer}")))
    assert done.action["did"] == "model.rolled-back"
    assert state.registry.current("behaviour") == older
    undo(state, done.alert_id, by="ada", now=4.0)
    assert state.registry.current("behaviour") == counted
    state.close()


def test_an_experiment_is_paused_and_goes_on(tmp_path: Path) -> None:
    rows = {"offer": {"variations": [{"name": "none"}, {"name": "five"}, {"name": "ten"}]}}
    _, state = mounted(tmp_path, MTP_ALERT_ACTIONS={"ctr": ["experiment"]}, MTP_EXPERIMENTS=rows)
    state.experiments.stop("offer", 2, 1.0)
    done = acted(state, alert(state, change("experiment.started", "experiment:offer")))
    assert done.action["did"] == "experiment.paused"
    assert sorted(state.experiments.stopped()["offer"]) == [1, 2]
    undo(state, done.alert_id, by="ada", now=4.0)
    assert sorted(state.experiments.stopped()["offer"]) == [2], "as it was before"
    assert acted(state, alert(state, change("experiment.started", "experiment:gone"), key="l")).action == {}
    state.close()


def test_a_placement_goes_back_to_what_it_was(tmp_path: Path) -> None:
    _, state = mounted(tmp_path, MTP_ALERT_ACTIONS={"ctr": ["placement"]})
    for number, size in enumerate((4, 9)):
        state.placements.changes.change("home-hero", {"size": size}, who="ada", now=float(number))
    state.placements.refresh()
    done = acted(state, alert(state, change("placement.changed", "placement:home-hero"), placement="home-hero"))
    assert (done.action["did"], state.placements["home-hero"].size) == ("placement.rolled-back", 4)
    undo(state, done.alert_id, by="ada", now=4.0)
    assert state.placements["home-hero"].size == 9
    state.close()


def test_without_a_change_to_take_back_a_placement_falls_back(tmp_path: Path) -> None:
    _, state = mounted(tmp_path, MTP_ALERT_ACTIONS={"ctr": ["rule", "fallback"]})
    before = state.placements["home-hero"].strategies
    done = acted(state, alert(state, None, placement="home-hero"))
    assert done.action["did"] == "placement.fell-back"
    assert state.placements["home-hero"].strategies == ("best-sellers",)
    assert acted(state, alert(state, None, placement="home-hero", key="l")).action == {}, "it has already"
    assert acted(state, alert(state, None, placement="", key="m")).action == {}
    undo(state, done.alert_id, by="ada", now=4.0)
    assert state.placements["home-hero"].strategies == before
    state.close()


def test_an_experiment_is_a_cause_when_it_begins_and_a_draft_is_none(tmp_path: Path) -> None:
    _, state = mounted(tmp_path)
    now = time.time()
    entry = {"variations": [{"name": "a"}, {"name": "b"}]}
    for key, since in (("soon", ""), ("later", "2198-01-01"), ("never", "")):
        draft(state, key, {**entry, **({"since": since} if since else {})}, who="ada", now=now)
        state.audit.append("admin:ada", "experiment.drafted", f"experiment:{key}", {}, at=now)
    for key in ("soon", "later"):
        begin(state, key, who="ada", now=now)
        state.audit.append("admin:ada", "experiment.started", f"experiment:{key}", {}, at=now)
    found = Finding("ctr:all:hour", "gap", "page", "", "", now - 60, {})
    told = [(cause["action"], cause["subject"]) for cause in causes(state, found)]
    assert told == [("experiment.started", "experiment:soon")]
