"""A model that was just promoted is rolled back where that is allowed, and serves again when that is undone."""

from __future__ import annotations

from pathlib import Path

from mtp_plugin.alerts.actions import act, undo
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
