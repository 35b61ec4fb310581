"""Experiments written in the console: drafted, changed, begun, amended, ended; nobody sees a draft."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mtp_plugin.errors import ConflictError
from mtp_plugin.experiment_book import amend, draft
from mtp_plugin.experiment_report import planned
from mtp_plugin.experiment_results import DAY
from mtp_plugin.experiments import Found, LiveExperiments
from mtp_plugin.records import Event, EventProduct
from mtp_plugin.track.imported import imported_event
from mtp_plugin.web.admin.experiment_form import entry_sent, values_of
from mtp_plugin.web.admin.forms import Form

from ..servers import wait_until
from .conftest import Desk

OFFER: dict[str, str] = {
    "key": "basket-offer", "title": "Off the basket", "goal": "conversion", "guardrail.latency": "on",
    "variation.0.name": "nothing off", "variation.1.name": "5 % off", "variation.1.variables": '{"percent": 5}',
    "variation.1.share": "40", "variation.0.share": "60", "coverage": "50", "matters": "2.5", "planned": "4000",
    "stops": "on", "when.0.fact": "context.device", "when.0.comparison": "$eq", "when.0.value": "mobile",
    "namespace.name": "basket", "namespace.from": "0", "namespace.to": "50", "until": "2199-01-01", "intent": "save",
    "ramp": "2020-12-01 10, 2020-12-08T06:00 50",
}  # fmt: skip
ENTRY: dict[str, Any] = {
    "title": "Off the basket",
    "variations": [{"name": "nothing off"}, {"name": "5 % off", "variables": {"percent": 5}}],
    "weights": [0.6, 0.4], "goal": "conversion", "guardrails": ["latency"], "coverage": 0.5, "matters": 0.025,
    "planned": 4000, "stops": True, "when": {"context.device": "mobile"}, "namespace": ("basket", 0.0, 0.5),
    "until": "2199-01-01", "ramp": [("2020-12-01", 0.1), ("2020-12-08T06:00", 0.5)],
}  # fmt: skip


@pytest.fixture
def drafted(desk: Desk) -> Desk:
    assert desk.be(("merchandiser", "Ada")).post("/experiments/new", **OFFER).status_code == 303
    return desk


def stored(desk: Desk, key: str = "basket-offer") -> dict[str, Any]:
    return desk.shop.state.experiment_log.current()[key].options


def opened(desk: Desk, key: str = "basket-offer") -> str:
    """The number that the editor's form is sent with."""
    found = re.search(r'name="change" value="(\d+)"', desk.get(f"/experiments/{key}/edit").text)
    assert found
    return found[1]


def names(desk: Desk, units: int = 60) -> set[str]:
    experiments = desk.shop.state.experiments
    return {experiments.assign("basket-offer", f"a:{number}", time.time()).name for number in range(units)}


def test_a_form_says_what_it_was_made_of() -> None:
    crossed = {"factors": {"percent": [0, 5], "message": ["plain", "warm"]}, "stops": False, "since": "2026-01-01"}
    for entry in (ENTRY, crossed):
        values = values_of("x", entry) | {"when.any": "all"}
        if "when" in entry:
            values |= {name: value for name, value in OFFER.items() if name.startswith("when")}
        form = Form(values)
        sent = entry_sent(form)
        assert not form.errors
        defaults = {"goal": "revenue", "coverage": 1.0, "matters": 0.05, "planned": 0}
        assert sent == {**defaults, **entry}


def test_a_draft_is_written_down_and_seen_by_nobody(drafted: Desk) -> None:
    written = {**ENTRY, "namespace": ["basket", 0.0, 0.5], "ramp": [list(step) for step in ENTRY["ramp"]]}
    assert stored(drafted) == {"draft": True, "entry": written}
    page = drafted.get("/experiments/").text
    assert "Off the basket" in page
    assert "Draft" in page
    assert names(drafted) == {"nothing off"}
    assert drafted.shop.state.audit.latest(1)[0].action == "experiment.drafted"
    assert "basket-offer" not in drafted.shop.state.experiments.rows


def test_a_draft_is_changed_and_taken_away(drafted: Desk) -> None:
    changed = {**OFFER, "variation.2.name": "10 % off", "variation.2.variables": '{"percent": 10}'}
    changed |= {"variation.0.share": "", "variation.1.share": ""}
    assert drafted.post("/experiments/basket-offer/edit", **changed).status_code == 303
    assert [one["name"] for one in stored(drafted)["entry"]["variations"]] == ["nothing off", "5 % off", "10 % off"]
    assert "weights" not in stored(drafted)["entry"]
    page = drafted.get("/experiments/basket-offer/edit").text
    assert "10 % off" in page
    assert drafted.post("/experiments/new", **OFFER).status_code == 422, "the key is taken"
    assert drafted.post("/experiments/basket-offer/delete").status_code == 303
    assert "No experiments yet" in drafted.get("/experiments/").text
    assert drafted.get("/experiments/basket-offer/edit").status_code == 404


def test_begun_it_divides_visitors_and_only_some_of_it_may_change(drafted: Desk) -> None:
    assert drafted.post("/experiments/basket-offer/start").status_code == 303
    assert names(drafted) == {"nothing off", "5 % off"}
    page = drafted.get("/experiments/basket-offer").text
    assert "End it" in page
    assert 'name="variation.0.name"' not in drafted.get("/experiments/basket-offer/edit").text
    later = {"title": "Off it", "coverage": "80", "until": "2198-01-01", "stops": "on", "goal": "ctr"}
    assert drafted.post("/experiments/basket-offer/edit", **later).status_code == 303
    entry = stored(drafted)["entry"]
    assert (entry["title"], entry["coverage"], entry["goal"]) == ("Off it", 0.8, "conversion")
    before = stored(drafted)
    assert drafted.post("/experiments/basket-offer/edit", **{**later, "coverage": "10"}).status_code == 422
    assert stored(drafted) == before
    assert drafted.post("/experiments/basket-offer/delete").status_code == 404, "it is no draft any more"
    assert drafted.post("/experiments/new", **OFFER).status_code == 422


def test_ended_all_see_the_control_and_the_result_stays(drafted: Desk) -> None:
    drafted.post("/experiments/basket-offer/start")
    assert drafted.post("/experiments/basket-offer/end").status_code == 303
    ends = drafted.shop.state.experiments.rows["basket-offer"].ends
    assert ends <= time.time() + 1
    wait_until(lambda: names(drafted) == {"nothing off"}, "the end, which is told in whole seconds")
    page = drafted.get("/experiments/basket-offer").text
    assert "Over" in page
    assert "End it" not in page
    actions = [entry.action for entry in drafted.shop.state.audit.latest(3)]
    assert actions == ["experiment.ended", "experiment.started", "experiment.drafted"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"key": "Basket Offer"}, "key"),
        ({"variation.1.name": ""}, "variation.0.name"),
        ({"variation.1.variables": "percent 5"}, "variation.1.variables"),
        ({"variation.1.share": "90"}, "variation.0.share"),
        ({"coverage": "0"}, "coverage"),
        ({"until": "soon"}, "until"),
        ({"ramp": "2020-12-01"}, "ramp"),
        ({"ramp": "2020-12-08 50, 2020-12-01 10"}, "ramp"),
        ({"namespace.to": "0"}, "namespace.name"),
        ({"when.0.fact": "profile.shoe_size"}, "when.0.fact"),
        ({"factors": '{"percent": [5]}', "variation.0.name": "", "variation.1.name": ""}, "factors"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(desk: Desk, typed: dict[str, str], field: str) -> None:
    answer = desk.be(("merchandiser", "Ada")).post("/experiments/new", **{**OFFER, **typed})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}"' in answer.text
    assert not desk.shop.state.experiment_log.current()


def test_a_draft_whose_end_is_past_does_not_begin(drafted: Desk) -> None:
    state = drafted.shop.state
    draft(state, "basket-offer", {**ENTRY, "until": "2020-01-01"}, who="ada", now=1.0)
    answer = drafted.post("/experiments/basket-offer/start")
    assert answer.status_code == 422
    assert 'href="#until"' in answer.text
    assert stored(drafted)["draft"]


def test_rows_are_added_and_traffic_plans_without_saving(desk: Desk) -> None:
    desk.be(("merchandiser", "Ada"))
    page = desk.post("/experiments/new", **{**OFFER, "intent": "add.variation"}).text
    assert 'name="variation.2.name"' in page
    page = desk.post("/experiments/new", **{**OFFER, "intent": "add.when"}).text
    assert 'name="when.1.fact"' in page
    page = desk.post("/experiments/new", **{**OFFER, "intent": "plan"}).text
    assert "bought anything in 28 days" in page or "To find 2.5% of conversion" in page
    assert not desk.shop.state.experiment_log.current()


def test_traffic_plans_by_visitors_and_their_orders(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    state, now = desk.shop.state, time.time()
    spent = [20.0 * (1 + one % 3) if one % 4 == 0 else 0.0 for one in range(40)]
    state.pipeline.ingest([event for one, worth in enumerate(spent) for event in _shopping(one, worth, now - DAY)])
    state.pipeline.ingest([event for one in range(40, 90) for event in _shopping(one, 20.0, now - 40 * DAY)])
    monkeypatch.setattr(state.journal, "scan", lambda **_: pytest.fail("a page reads no events but orders"))
    told = planned(state, "revenue", 0.1, 2, 28, now)
    assert told["visitors"] == 40
    assert told["mean"] == pytest.approx(statistics.mean(spent))
    assert told["deviation"] == pytest.approx(statistics.stdev(spent))

    page = desk.be(("merchandiser", "Ada")).post("/experiments/new", **{**OFFER, "intent": "plan"}).text
    told = planned(state, "conversion", 0.025, 2, 28, now)
    assert (told["mean"], told["visitors"]) == (0.25, 40)
    assert (
        f"To find 2.5% of conversion: {told['visitors_each_always']:,} visitors in each variation, "
        f"about {told['days_always']:,.0f} days" in page
    )
    assert "among the 40 visitors of 28 days" in page
    assert f'name="planned" type="number" value="{2 * told["visitors_each_always"]}"' in page


def _shopping(one: int, worth: float, at: float) -> Iterator[Event]:
    """A visitor's look at a product, and the order that came of it, told twice."""
    who: dict[str, Any] = {"timestamp": at, "anonymous_id": f"v{one}"}
    line = (EventProduct(product_id="p001", quantity=2.0, price=worth / 2),)
    yield imported_event("Product Viewed", key=f"{one}", products=line, **who)
    for key in "ab" if worth else "":
        yield imported_event("Order Completed", key=f"{key}{one}", products=line, properties={"order_id": one}, **who)


def test_what_is_to_begin_later_can_be_a_draft_again(desk: Desk) -> None:
    desk.be(("merchandiser", "Ada")).post("/experiments/new", **{**OFFER, "since": "2198-06-01"})
    assert desk.post("/experiments/basket-offer/start").status_code == 303
    assert desk.shop.state.experiments.rows["basket-offer"].state(time.time()) == "scheduled"
    assert desk.post("/experiments/basket-offer/end").status_code == 303
    assert set(desk.shop.state.experiments.drafts) == {"basket-offer"}


def test_a_worker_that_has_not_seen_the_draft_does_not_let_it_begin(drafted: Desk) -> None:
    state = drafted.shop.state
    state.experiments._found = Found({})  # as one that has not looked since
    state.experiments._looked = time.monotonic()
    assert drafted.post("/experiments/basket-offer/edit", **{**OFFER, "title": "Off it"}).status_code == 303
    assert stored(drafted)["draft"]
    assert stored(drafted)["entry"]["title"] == "Off it"
    with pytest.raises(ConflictError, match="is a draft"):
        amend(state, "basket-offer", {"title": "x"}, who="ada", now=1.0)
    before = stored(drafted)
    assert drafted.post("/experiments/basket-offer/end").status_code == 409
    assert stored(drafted) == before


def test_what_was_ended_does_not_run_again_by_a_stale_form(drafted: Desk) -> None:
    drafted.post("/experiments/basket-offer/start")
    adas = {"change": opened(drafted), "title": "Adas", "coverage": "50", "until": "2199-01-01", "stops": "on"}
    drafted.post("/experiments/basket-offer/end")
    ended = stored(drafted)
    answer = drafted.post("/experiments/basket-offer/edit", **adas)
    assert answer.status_code == 409
    assert "Somebody else changed it meanwhile" in answer.text
    assert 'value="Off the basket"' in answer.text, "as it is now"
    wait_until(lambda: drafted.shop.state.experiments.rows["basket-offer"].ends <= time.time(), "the end")
    answer = drafted.post("/experiments/basket-offer/edit", **{**adas, "change": opened(drafted)})
    assert answer.status_code == 409
    assert "does not run again" in answer.text
    assert drafted.post("/experiments/basket-offer/end").status_code == 409
    assert stored(drafted) == ended


def test_a_stale_form_of_a_draft_is_told_and_keeps_what_was_typed(drafted: Desk) -> None:
    first = opened(drafted)
    assert drafted.post("/experiments/basket-offer/edit", **OFFER, change=first).status_code == 303
    bobs = stored(drafted)
    adas = {**OFFER, "title": "Adas", "variation.2.name": "10 % off"}
    answer = drafted.post("/experiments/basket-offer/edit", **adas, change=first)
    assert answer.status_code == 409
    assert "Somebody else changed this draft meanwhile" in answer.text
    assert 'value="Adas"' in answer.text
    assert 'value="10 % off"' in answer.text
    assert stored(drafted) == bobs
    drafted.post("/experiments/basket-offer/start")
    answer = drafted.post("/experiments/basket-offer/edit", **adas, change=first)
    assert answer.status_code == 409
    assert 'name="goal"' not in answer.text, "it has begun"


def test_viewers_look_only(drafted: Desk) -> None:
    drafted.be("viewer")
    assert drafted.get("/experiments/new").status_code == 403
    assert "disabled" in drafted.get("/experiments/basket-offer/edit").text
    for path in ("new", "basket-offer/edit", "basket-offer/start", "basket-offer/end", "basket-offer/delete"):
        assert drafted.post(f"/experiments/{path}", **OFFER).status_code == 403


def test_other_workers_know_and_the_settings_go_first(drafted: Desk) -> None:
    state = drafted.shop.state
    drafted.post("/experiments/basket-offer/start")
    other = LiveExperiments({}, state.cursors, lambda events: None, written=state.experiment_log)
    assert set(other.rows) == {"basket-offer"}
    own = state.experiments.rows["basket-offer"]
    first = LiveExperiments({own.key: own}, state.cursors, lambda events: None, written=state.experiment_log)
    assert first.rows["basket-offer"] is own
    state.experiment_log.change("odd", {"draft": False, "entry": {"variations": []}}, who="x", now=1.0)
    other.refresh()
    assert set(other.rows) == {"basket-offer"}, "what cannot be read is left out"
