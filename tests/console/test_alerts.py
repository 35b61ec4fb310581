"""The page Alerts: the list, one alert with its plot, and looking after it."""

from __future__ import annotations

import time

import pytest

from mtp_plugin.ports import Alert

from .conftest import Desk


@pytest.fixture
def alert(desk: Desk) -> Alert:
    figures = {"kpi": "ctr", "placement": "home-hero", "segment_id": "", "step_hours": 1, "first_hour": 490_000}
    series = {"values": [0.1, 0.02], "expected": [0.1, 0.11], "low": [None, 0.08], "high": [None, 0.14], "score": -6.1}
    return desk.shop.state.alerts.add(
        Alert(
            key="ctr:home-hero:hour",
            kind="anomaly",
            severity="ticket",
            title="Clicks <dropped>",
            message="2 % where 11 % were expected",
            opened_at=time.time() - 7200,
            last_at=time.time(),
            figures=figures | series,
            causes=({"what": "part", "placement": "home-hero", "segment_id": "", "share": 0.9},),
        )
    )


def test_the_list_and_the_navigation_count_what_is_open(desk: Desk, alert: Alert) -> None:
    text = desk.get("/alerts/").text
    assert "Clicks &lt;dropped&gt;" in text
    assert '<span class="count">1</span>' in text
    desk.shop.state.alerts.put(Alert(**{f: getattr(alert, f) for f in alert.__struct_fields__} | {"state": "resolved"}))
    assert "Nothing is wrong" in desk.get("/alerts/").text
    assert "Clicks &lt;dropped&gt;" in desk.get("/alerts/?state=all").text


def test_one_alert_shows_its_series_and_its_cause(desk: Desk, alert: Alert) -> None:
    text = desk.get(f"/alerts/{alert.alert_id}").text
    assert '<polyline class="line" points="0.0,' in text
    assert "90% of the change comes from home-hero" in text
    assert "−" in text or "-6.1 standard deviations" in text
    table = desk.get(f"/alerts/{alert.alert_id}?format=csv").text.splitlines()
    assert table[0] == "time,value,expected,low,high"
    assert table[2].endswith("0.02,0.11,0.08,0.14")
    assert desk.get("/alerts/9999").status_code == 404


def test_it_is_looked_after_silenced_and_resolved(desk: Desk, alert: Alert) -> None:
    alerts, base = desk.shop.state.alerts, f"/alerts/{alert.alert_id}"
    desk.be(("merchandiser", "ada"))
    assert desk.post(f"{base}/ack").status_code == 303
    assert "You look after this alert now." in desk.get(base).text
    desk.post(f"{base}/silence")
    assert [one.key for one in alerts.silences(time.time())] == ["ctr:home-hero:hour"]
    desk.post(f"{base}/resolve")
    done = alerts.get(alert.alert_id)
    assert done
    assert (done.state, done.by) == ("resolved", "admin:ada")
    actions = [entry.action for entry in desk.shop.state.audit.latest(3, action="alert.")]
    assert actions == ["alert.resolved", "alert.silenced", "alert.acknowledged"]


def test_nothing_done_cannot_be_undone(desk: Desk, alert: Alert) -> None:
    answer = desk.post(f"/alerts/{alert.alert_id}/undo")
    assert answer.status_code == 400
    assert "could be undone" in answer.text
    assert desk.be("viewer").post(f"/alerts/{alert.alert_id}/ack").status_code == 403
