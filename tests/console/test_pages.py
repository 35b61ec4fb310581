"""Every page: that it is there, what it says, what its forms do, and that nothing typed into them breaks it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import escape

from mtp_plugin.errors import UnavailableError
from mtp_plugin.records import Placement

from ..servers import wait_until
from .conftest import Desk, open_desk
from .test_guard import routes


@pytest.fixture
def steady_desk(steady: Desk) -> Desk:
    return steady.be(("administrator", "Ada"))


def test_every_page_answers(steady_desk: Desk) -> None:
    for endpoint, method, address in routes(steady_desk):
        if method != "GET" or endpoint == "mtp.admin_missing":
            continue
        response = steady_desk.client.get(address)
        assert response.status_code in (200, 404), address  # no such model yet
        assert response.is_json or "<h1>" in response.text, address


def test_an_address_that_is_none_says_so_in_the_frame(steady_desk: Desk) -> None:
    for path in ("/nothing/here", "/placements/none", "/products/none", "/models/none"):
        response = steady_desk.get(path)
        assert response.status_code == 404
        assert 'aria-label="Console"' in response.text


def test_navigation_counts_and_marks_where_one_is(steady_desk: Desk) -> None:
    page = steady_desk.get("/placements/").text
    assert re.search(r'aria-current="page">.*?Placements.*?<span class="count">9</span>', page, re.S)
    assert re.search(r'<span>Products</span>\s*<span class="count">122</span>', page)


def test_a_panel_that_cannot_count_stays_in_the_navigation(steady_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(steady_desk.shop.state.placements), "__len__", lambda self: 1 // 0)
    page = steady_desk.get("/health/")
    assert page.status_code == 200
    assert "Placements" in page.text


def test_a_page_that_fails_says_so_and_the_rest_stands(steady_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("of the test")

    monkeypatch.setattr(steady_desk.shop.state.activity, "slates", broken)
    assert steady_desk.get("/").status_code == 200
    response = steady_desk.get("/placements/")
    assert response.status_code == 500
    assert "of the test" not in response.text
    assert "It has been logged" in response.text
    monkeypatch.setattr(steady_desk.shop.state.activity, "slates", _away)
    assert steady_desk.get("/placements/").status_code == 503


def _away(*args: object) -> None:
    raise UnavailableError("away")


def test_the_overview_counts_what_was_served(desk: Desk) -> None:
    desk.shop.browser().get("/")
    desk.shop.state.slates.flush()
    page = desk.get("/").text
    assert re.search(r"home-hero</th>.*?<td class=\"num\">1</td>", page, re.S)
    table = desk.get("/?format=csv&chart=placements")
    assert table.content_type == "text/csv; charset=utf-8"
    assert "home-hero,1" in table.text
    assert desk.get("/?format=csv&chart=slates").text.count("\n") == 15
    assert desk.get("/?format=csv&chart=nothing").status_code == 404


# ----------------------------------------------------------------------------------------------------- placements


def form_of(placement: Placement, **changes: object) -> dict[str, object]:
    form: dict[str, object] = {f"strategy{place}": name for place, name in enumerate(placement.strategies)}
    form |= {name: getattr(placement, name) for name in ("title", "size", "min_items", "layout")}
    form |= {name: "on" for name in ("enabled", "exclude_in_view", "allow_repeats") if getattr(placement, name)}
    return {**form, "intent": "save", **changes}


def test_a_placement_is_changed_shown_and_undone(desk: Desk) -> None:
    hero, browser = desk.shop.state.placements["home-hero"], desk.shop.browser()
    assert browser.get("/").text.count("data-mtp-item=") == 6
    saved = desk.be(("merchandiser", "Ada")).post("/placements/home-hero", **form_of(hero, size=3, title="Ours"))
    assert saved.status_code == 303
    page = desk.get("/placements/home-hero").text
    assert "home-hero is saved" in page
    assert "Ours" in page
    assert "<strong>Ada</strong>" in page
    now = desk.shop.state.placements["home-hero"]
    assert (now.size, now.title, now.strategies) == (3, "Ours", hero.strategies)
    number = re.search(r'action="[^"]+/restore">.*?name="number" value="(\d+)"', page, re.S)
    assert number
    assert number[1] == "0"
    assert "home-hero is saved" not in desk.get("/placements/home-hero").text
    assert desk.post("/placements/home-hero/restore", number="0").status_code == 303
    assert desk.shop.state.placements["home-hero"] == hero
    history = desk.shop.state.placements.changes.history("home-hero")
    assert [change.options for change in history] == [{}, {"size": 3, "title": "Ours"}]
    assert desk.post("/placements/home-hero/restore", number=str(history[1].number)).status_code == 303
    assert desk.shop.state.placements["home-hero"].size == 3
    assert desk.post("/placements/home-hero/restore", number="99").status_code == 404


def test_a_placement_may_try_new_products(desk: Desk) -> None:
    hero = desk.shop.state.placements["home-hero"]
    assert 'name="exploration" type="text" value="0"' in desk.get("/placements/home-hero").text
    assert desk.post("/placements/home-hero", **form_of(hero, exploration="2,5")).status_code == 303
    assert desk.shop.state.placements["home-hero"].exploration == 0.025
    refused = desk.post("/placements/home-hero", **form_of(hero, exploration="60"))
    assert refused.status_code == 422
    assert "Enter a number from 0 to 50" in refused.text
    assert desk.post("/placements/home-hero", **form_of(hero, size=3)).status_code == 303
    assert desk.shop.state.placements["home-hero"].exploration == 0.025, "a form without it leaves it"


def test_another_worker_takes_a_change_in(desk: Desk) -> None:
    from mtp_plugin.placed import LivePlacements

    live = desk.shop.state.placements
    other = LivePlacements(live.declared, live.changes, every=0)
    assert other["home-hero"].enabled
    assert desk.post("/placements/home-hero/switch", on="no").status_code == 303
    assert not other["home-hero"].enabled
    assert 'data-mtp-placement="home-hero"' not in desk.shop.browser().get("/").text
    assert desk.post("/placements/home-hero/switch", on="yes").status_code == 303
    assert other["home-hero"].enabled


def test_a_stored_change_that_the_code_no_longer_knows_is_left_out(desk: Desk) -> None:
    live = desk.shop.state.placements
    live.changes.change("home-hero", {"colour": "red"}, who="Ada", now=1.0)
    live.changes.change("gone", {"size": 3}, who="Ada", now=1.0)
    live.refresh()
    assert live["home-hero"] == live.declared["home-hero"]
    assert "gone" not in live


def test_a_preview_changes_nothing(steady_desk: Desk) -> None:
    state = steady_desk.shop.state
    before = state.placements["home-hero"]
    form = form_of(before, size=2, intent="preview")
    response = steady_desk.post("/placements/home-hero", **form)
    assert response.status_code == 200
    assert "Preview, not saved" in response.text
    assert response.text.count('<span class="place">') == 2
    assert state.placements["home-hero"] == before


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("size", "0", "whole number from 1 to 48"),
        ("size", "many", "whole number from 1 to 48"),
        ("min_items", "9", "at most the size"),
        ("strategy0", "magic", "Choose one of the list"),
        ("strategy0", "", "at least one strategy"),
        ("strategy1", "recommended-for-you", "Name each strategy once"),
        ("layout", "spiral", "Choose one of the list"),
        ("title", "x" * 200, "at most 120 characters"),
    ],
)
def test_an_error_stands_beside_its_field(steady_desk: Desk, field: str, value: str, says: str) -> None:
    form = {"strategy0": "recommended-for-you", "size": "6", "min_items": "1", "layout": "grid", "title": ""}
    response = steady_desk.post("/placements/home-hero", **{**form, "intent": "save", field: value})
    assert response.status_code == 422
    assert re.search(rf'id="{field}-error">.*?{says}', response.text, re.S)
    assert f'<a href="#{field}">' in response.text
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', response.text)
    if field != "title" and value and not field.startswith(("strategy", "layout")):
        assert f'value="{value}"' in response.text


FIELDS = ("title", "strategy0", "strategy1", "size", "min_items", "layout", "enabled", "intent", "number", "on")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=30)),
    path=st.sampled_from(("", "/switch", "/restore")),
)
def test_whatever_is_sent_is_answered(steady_desk: Desk, form: dict[str, str], path: str) -> None:
    response = steady_desk.post(f"/placements/recently-viewed{path}", **form)
    assert response.status_code in (200, 303, 404, 422)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(("/", "/products/", "/products/p001", "/as/", "/search", "/placements/home-hero", "/models/")),
    asked=st.dictionaries(
        st.sampled_from(("q", "page", "state", "visitor", "segment", "product", "cart", "placement", "format", "chart",
                         "category", "context.device", "show")), st.text(max_size=20)
    ),
)  # fmt: skip
def test_whatever_is_asked_is_answered(steady_desk: Desk, path: str, asked: dict[str, str]) -> None:
    assert steady_desk.get(path, query_string=asked).status_code in (200, 404)


# ---------------------------------------------------------------------------------------------- products, visitors


def test_products_are_found_and_paged(steady_desk: Desk) -> None:
    page = steady_desk.get("/products/").text
    assert "1–25 of 122 products" in page
    assert "101–122 of 122" in steady_desk.get("/products/?page=5").text
    assert "101–122 of 122" in steady_desk.get("/products/?page=999").text
    found = steady_desk.get("/products/?q=felt+lamp").text
    assert "Felt lamp" in found
    assert "Oak cup" not in found
    assert "No product fits" in steady_desk.get("/products/?q=unheard").text
    rows = steady_desk.get("/products/?q=felt+lamp&format=csv").text.splitlines()
    assert rows[0].startswith("product_id,title")
    assert all("Felt lamp" in row for row in rows[1:])


def test_why_a_product_is_shown_or_not(desk: Desk) -> None:
    state = desk.shop.state
    (shown, *_) = [row.split('"')[0] for row in desk.get("/as/?placement=home-hero").text.split("/admin/products/")[2:]]
    page = desk.get(f"/products/{shown}?placement=home-hero").text
    assert "Shown at position 1 of 6" in page
    page = desk.get("/products/canary-ada?placement=home-hero").text
    assert "Not shown: " in page
    assert re.search(r"[Nn]o strategy proposed it|[Oo]thers ranked before it", page)
    state.catalog_store.set_stock({shown: 0})
    state.pipeline.live.refresh()
    assert "Not shown: it is out of stock" in desk.get(f"/products/{shown}?placement=home-hero").text
    assert "There is no such placement" in desk.get(f"/products/{shown}?placement=nope").text


def test_the_shop_as_a_visitor(desk: Desk) -> None:
    browser = desk.shop.browser().agree()
    browser.view("canary-ada")
    (visitor,) = next(desk.shop.state.journal.profile_ids())
    served = desk.shop.state.activity.slates(0, time.time() + 1, 1e9)
    page = desk.get(f"/as/?visitor={visitor}&placement=past-first").text
    assert "canary-ada" in page
    assert visitor in page
    assert "canary-ada" not in desk.get("/as/?placement=past-first").text
    assert desk.get(f"/as/?visitor={visitor[2:]}").status_code == 200
    assert "No visitor is known by this id" in desk.get("/as/?visitor=nobody").text
    desk.shop.state.slates.flush()
    assert desk.shop.state.activity.slates(0, time.time() + 1, 1e9) == served, "a preview is not served"
    assert visitor in desk.get(f"/search?q={visitor}").text


def test_a_visitor_who_refused_is_shown_what_nobody_known_is(desk: Desk) -> None:
    from mtp_plugin.ports import ConsentDecision

    browser = desk.shop.browser().agree()
    browser.view("canary-ada")
    (visitor,) = next(desk.shop.state.journal.profile_ids())
    decision = ConsentDecision(
        subject_id=visitor, purpose="personalisation", granted=False, policy_version="1", decided_at=time.time(),
        source="test",
    )  # fmt: skip
    desk.shop.state.consents.append(decision)
    assert "non-personal" in desk.get(f"/as/?visitor={visitor}&placement=past-first").text


# -------------------------------------------------------------------------------------------------- models, jobs


def test_models_are_switched_and_rolled_back(desk: Desk) -> None:
    state = desk.shop.state
    assert "No models yet" in desk.get("/models/").text
    first = _publish(desk)
    second = _publish(desk)
    assert state.registry.current("content") == second
    assert f"Roll back to {first}" in desk.get("/models/").text
    assert desk.post("/models/content/switch", version=first).status_code == 303
    assert state.registry.current("content") == first
    page = desk.get("/models/content").text
    assert f"{first} of the content model serves now" in page
    assert re.search(rf'name="version" value="{second}">\s*<button class="quiet">Undo', page)
    assert desk.post("/models/content/switch", version="none").status_code == 404
    assert desk.post("/models/none/switch", version=first).status_code == 404


def _publish(desk: Desk) -> str:
    from mtp_plugin.training import train_content

    state = desk.shop.state
    table = state.pipeline.live.refresh().table
    return train_content(state.registry, table, seed=0, progress=lambda text: None)


def test_a_job_is_run_and_tells(desk: Desk) -> None:
    assert desk.post("/jobs/retention/run").status_code == 303
    wait_until(lambda: "retention" in desk.shop.state.leases.last_runs(), "the job's end")
    page = desk.get("/jobs/").text
    assert str(escape(desk.shop.state.leases.last_runs()["retention"].message)) in page
    assert desk.post("/jobs/nothing/run").status_code == 404


def test_another_workers_lease_is_respected(desk: Desk) -> None:
    leases = desk.shop.state.leases
    assert leases.acquire("retention", "another", 60)
    assert desk.post("/jobs/retention/run").status_code == 303
    wait_until(lambda: "Running since" not in desk.get("/jobs/").text, "the attempt's end")
    assert leases.last_runs() == {}


# ---------------------------------------------------------------------------------------------------- requests


def test_an_export_that_was_asked_for_is_handed_out_once(desk: Desk) -> None:
    state = desk.shop.state
    assert "Nobody waits" in desk.get("/requests/").text
    asked = state.subjects.ask_export(["u:somebody"], "webhook:shopify")
    assert re.search(r'<span>Requests</span>\s*<span class="count">1</span>', desk.get("/health/").text)
    page = desk.get("/requests/").text
    assert asked.request_id in page
    assert "somebody" not in page
    assert desk.be("merchandiser").post(f"/requests/{asked.request_id}/export").status_code == 403
    assert desk.be(("administrator", "Ada")).get("/requests/").status_code == 200
    answer = desk.post(f"/requests/{asked.request_id}/export", format="json")
    assert answer.json["ids"] == ["u:somebody"]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="export-{asked.request_id}.json"'
    told = [(one.action, one.actor) for one in state.audit.latest(3)]
    assert ("subject.exported", "console:Ada") in told
    assert desk.post(f"/requests/{asked.request_id}/export").status_code == 404
    assert "Nobody waits" in desk.get("/requests/").text


# ------------------------------------------------------------------------------------------------- light and dark


def test_light_and_dark(steady_desk: Desk) -> None:
    assert (
        steady_desk.post("/theme", theme="dark", **{"from": "/mtp/admin/jobs/?x=1"}).headers["Location"]
        == "/mtp/admin/jobs/?x=1"
    )
    assert 'data-theme="dark"' in steady_desk.get().text
    for elsewhere in ("//evil.example", "https://evil.example/", "/\\evil", "/other"):
        answer = steady_desk.post("/theme", theme="light", **{"from": elsewhere})
        assert answer.headers["Location"] == "/mtp/admin/"
    assert steady_desk.post("/theme", theme="purple").status_code == 400
    assert 'data-theme="light"' in steady_desk.get().text


@pytest.mark.parametrize("page", ["/alerts/{}", "/rules/versions/{}.json"])
def test_no_number_is_too_large_to_be_asked_for(desk: Desk, page: str) -> None:
    for number in (2**31, 2**63 - 1, 2**63, 10**100):
        assert desk.get(page.format(number)).status_code == 404, number


def test_every_page_has_the_whole_navigation(steady_desk: Desk) -> None:
    def navigation(text: str) -> list[str]:
        found = re.search(r'<nav id="menu".*?</nav>', text, re.DOTALL)
        return re.findall(r'<li><a href="([^"]+)"', found[0]) if found else []

    expected, seen = navigation(steady_desk.get().text), 0
    for _, method, path in routes(steady_desk):
        answer = steady_desk.client.get(path) if method == "GET" else None
        if answer is not None and '<header class="top">' in answer.text:
            assert navigation(answer.text) == expected, path
            seen += 1
    assert seen > 25


def test_every_panel_of_the_navigation_has_an_icon_of_its_own(desk: Desk) -> None:
    shown = re.findall(r'<li><a href="[^"]+"[^>]*><svg [^>]+><path d="([^"]+)"', desk.get().text)
    assert len(shown) > 12
    assert len(set(shown)) == len(shown)
    assert not any(path.startswith("M10 12a2 2 0") for path in shown), "the dot"


def test_a_note_of_the_shop_stands_over_every_page(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, console_note="For trying <things>")
    assert all("For trying &lt;things&gt;" in desk.get(path).text for path in ("/", "/figures/", "/rules/"))
    desk.shop.state.close()
