"""The console in Chromium: its pages by axe in light and dark, wide and on a phone; editors by keyboard, and without
JavaScript.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from mtp_plugin.bandit.learnt import day_of
from mtp_plugin.experiment_book import draft
from mtp_plugin.ports import Alert, BanditSum
from mtp_plugin.records import Event, EventProduct
from mtp_plugin.rules.read import read_rule
from mtp_plugin.segmenting import refresh_segments
from mtp_plugin.state import State
from mtp_plugin.track.imported import imported_event

from ..servers import wait_until
from .demo_shop import Store

pytestmark = pytest.mark.browser

PAGES = (
    "", "placements/", "placements/home-hero", "products/", "products/glint-task-lamp?placement=home-hero", "rules/",
    "rules/new", "rules/rule/lamps", "rules/rule/lamps/json", "rules/import", "rules/versions/", "segments/",
    "segments/new", "segments/segment/{segment}", "as/", "as/?visitor={visitor}&placement=home-hero", "models/",
    "models/content", "jobs/", "health/", "changes/", "changes/verify", "search?q=lamp", "nothing/here",
    "experiments/", "experiments/basket-offer", "experiments/new", "experiments/words/edit", "figures/",
    "figures/?by=placement&measure=ctr&days=7",
    "bandits/", "bandits/trending-words", "bandits/trending-words/judge", "alerts/", "alerts/1",
)  # fmt: skip
LAMPS = {
    "rule_id": "lamps",
    "name": "Lamps in the evening",
    "when": {"context.daypart": "evening"},
    "then": [
        {"effect": "boost", "where": {"category": "Lamps"}, "by": 3},
        {"effect": "title", "title": "By lamplight"},
    ],
}


WORDS: dict[str, Any] = {
    "title": "Warmer words",
    "variations": [{"name": "plain"}, {"name": "warm", "variables": {"words": "warm"}}],
    "when": {"context.device": "mobile"},
    "goal": "conversion",
    "guardrails": ["revenue"],
}


def dropped(now: float) -> Alert:
    """An alert about simulated clicks, as the job opens it."""
    expected = [0.1 + 0.03 * math.sin(hour / 24 * 2 * math.pi) for hour in range(72)]
    values = [one + 0.012 * math.sin(hour * 2.3) for hour, one in enumerate(expected)]
    values[-2:] = [0.061, 0.043]
    figures: dict[str, Any] = {"kpi": "ctr", "placement": "home-hero", "segment_id": "", "step_hours": 1, "bad": -1}
    figures |= {"first_hour": int(now // 3600) - 73, "score": -5.2, "values": values, "expected": expected}
    figures |= {"low": [one - 0.035 for one in expected], "high": [one + 0.035 for one in expected]}
    change = {"what": "change", "action": "rule.added", "subject": "rule:lamps", "at": now - 7000, "by": "admin:ben"}
    return Alert(
        key="ctr:home-hero:hour",
        kind="anomaly",
        severity="ticket",
        title="Clicks per block seen dropped in home-hero",
        message="4.3 % where 9.8 % were expected at this time of the week (-5.2 standard deviations).",
        opened_at=now - 7200,
        last_at=now,
        figures=figures,
        causes=(change, {"what": "part", "placement": "home-hero", "segment_id": "", "share": 0.92}),
        action={"did": "rule.paused", "subject": "rule:lamps", "at": now},
    )


def offered(state: State, now: float) -> Iterator[Event]:
    """Simulated visitors of two segments who saw the demo's experiment, and what some of them ordered."""
    row = state.experiments.rows["basket-offer"]
    segments = [one.segment_id for one in state.pipeline.live.get().segments.all()][:2]
    line = (EventProduct(product_id="glint-task-lamp", quantity=1.0, price=40.0),)
    for number in range(900):
        visitor, at = f"tested{number}", now - 2 * 86400 + number
        seen = {"experiment_id": row.key, "variation_id": str(row.of(f"a:{visitor}"))}
        seen["segment_id"] = segments[number % 2]
        for name, later, more in (("Experiment Viewed", 0, {"properties": seen}), ("Order Completed", 60, {})):
            if later and number % 5:
                continue
            more = more or {"products": line, "properties": {"order_id": visitor}}
            yield imported_event(
                name, key=f"{name}{number}", timestamp=at + later, anonymous_id=visitor, user_id="", **more
            )


@pytest.fixture(scope="module")
def desk(front: Store) -> Iterator[Store]:
    """The demo store with segments and a rule."""
    state = front.state
    with front.app.app_context():
        refresh_segments(
            state.journal, state.registry, state.segments, state.settings, now=time.time(), seed=0, progress=_silent
        )
        state.pipeline.live.refresh()
        arms, today = state.bandits.rows["trending-words"].named, day_of(time.time())
        cells = [(arm, day, cell) for arm in arms for day in (today - 1, today) for cell in (0, 1)]
        state.bandit_state.add([BanditSum("trending-words", "", *cell, 9.0) for cell in cells])
        state.alerts.add(dropped(time.time()))
        state.rulebook.put(read_rule(LAMPS), by="test", force=True)
        draft(state, "words", WORDS, who="test", now=time.time())
        state.pipeline.ingest(list(offered(state, time.time())))
        state.pipeline.live.refresh()
    return front


def _silent(text: str) -> None:
    """Nobody waits."""


def address(desk: Store, path: str = "") -> str:
    segment = desk.state.pipeline.live.get().segments.all()[0].segment_id
    return f"{desk.url}/mtp/admin/{path.format(segment=segment, visitor=sorted(desk.strangers)[0])}"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_every_page_is_accessible_and_fits(desk: Store, visit: Callable[..., Page], scheme: str, width: int) -> None:
    page, axe = visit(viewport={"width": width, "height": 900}, color_scheme=scheme), Axe()
    for path in PAGES:
        page.goto(address(desk, path))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than {width}"
        found = axe.run(page).response["violations"]
        told = [(one["id"], [node["html"][:160] for node in one["nodes"]][:3]) for one in found]
        assert told == [], f"{path} in {scheme} at {width}: {told}"


def test_an_experiment_is_drafted_begun_and_ended_without_javascript(desk: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page.goto(address(desk, "experiments/"))
    page.get_by_role("link", name="New experiment").click()
    page.get_by_label("Key").fill("gift-wrap")
    page.get_by_label("Title").fill("Gift wrap for nothing")
    page.get_by_label("Variables").nth(1).fill('{"wrap": true')
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_role("alert")).to_contain_text("Write names and values as JSON")
    page.get_by_label("Variables").nth(1).fill('{"wrap": true}')
    page.get_by_role("button", name="Another variation").click()
    expect(page.get_by_label("Variables").nth(1)).to_have_value('{"wrap": true}')
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_text("The draft is saved; nobody sees it yet.")).to_be_visible()
    assert not desk.state.experiments.assign("gift-wrap", "a:1", time.time()).takes_part
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/experiments/gift-wrap")
    assert desk.state.experiments.assign("gift-wrap", "a:1", time.time()).takes_part
    page.get_by_role("button", name="End it").click()
    row = page.get_by_role("row", name="Gift wrap for nothing")
    expect(row).to_be_visible()
    wait_until(lambda: not desk.state.experiments.assign("gift-wrap", "a:1", time.time()).takes_part, "the end")


def test_a_rule_is_written_tried_saved_and_undone_by_keyboard(desk: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    before = [rule.rule_id for rule in desk.state.rulebook.read()[1].rules]
    page.goto(address(desk, "rules/"))
    page.get_by_role("link", name="New rule").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/rules/new")

    def fill(label: str, text: str, place: int = 0) -> None:
        page.get_by_label(label).nth(place).focus()
        page.keyboard.insert_text(text)

    fill("When 1: fact", "context.device")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.insert_text("mobile")
    fill("Products 1: fact", "brand")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.insert_text("Pikkala")
    page.get_by_label("Id", exact=True).focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("pikkala")
    page.keyboard.press("Enter")  # the first button: a trial, which saves nothing
    expect(page.get_by_role("heading", name="It does not hold for this request")).to_be_focused()
    expect(page.locator(".sentence")).to_contain_text("When the device is mobile, boost products of the brand Pikkala")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/rules/rule/pikkala")
    assert [rule.rule_id for rule in desk.state.rulebook.read()[1].rules] == [*before, "pikkala"]
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/versions/")
    assert [rule.rule_id for rule in desk.state.rulebook.read()[1].rules] == before


def test_every_effect_can_be_added_and_taken_away(desk: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    page.goto(address(desk, "rules/new"))
    kinds = page.locator("#kind option").evaluate_all("all => all.map(one => one.value)")
    assert len(kinds) == 12
    for kind in kinds:
        page.select_option("#kind", kind)
        page.get_by_role("button", name="Add", exact=True).click()
        page.locator(f"input[name^='effect.'][value='{kind}']").last.wait_for(state="attached")
    assert page.locator(".effect").count() == 13
    page.get_by_role("button", name=re.compile("^Remove effect 13")).click()
    expect(page.locator(".effect")).to_have_count(12)
    page.get_by_label("Id", exact=True).fill("Not an id")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".error-summary")).to_be_focused()
    page.locator(".error-summary a").first.click()
    assert page.evaluate("document.activeElement.matches('input, select, textarea, fieldset, a')")


def test_a_rule_is_tried_on_a_segment_and_a_made_up_moment(desk: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1440, "height": 900})
    page.goto(address(desk, "rules/rule/lamps"))
    page.get_by_label("Segment").select_option(index=1)
    page.get_by_text("Page, device and moment").click()
    page.get_by_label("Daypart").select_option("evening")
    page.locator("section").get_by_role("button", name="Test").last.click()
    expect(page.get_by_role("heading", name="It holds for this request")).to_be_visible()
    expect(page.get_by_role("heading", name="Without it")).to_be_visible()
    assert page.locator(".compared .slate").count() == 2
    expect(page.locator(".compared")).to_contain_text("By lamplight")


def test_a_placement_without_javascript(desk: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page.goto(address(desk))
    page.get_by_role("link", name="Menu").click()
    page.get_by_role("navigation", name="Console").get_by_role("link", name=re.compile("^Placements")).click()
    page.get_by_role("link", name="home-hero", exact=True).click()
    page.get_by_label("Products", exact=True).fill("3")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Preview, not saved")).to_be_visible()
    assert page.locator(".slate li").count() == 3
    page.get_by_label("Products", exact=True).fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#size-error")).to_contain_text("whole number")
    page.get_by_label("Products", exact=True).fill("4")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("home-hero is saved")
    assert desk.state.placements["home-hero"].size == 4
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("home-hero is")
    assert desk.state.placements["home-hero"].size == 8


def test_a_segment_is_written_and_counted(desk: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    page.goto(address(desk, "segments/new"))
    page.get_by_label("Name").fill("Sale hunters")
    page.get_by_label("Visitors 1: fact").fill("profile.discount_share")
    page.get_by_label("comparison").first.select_option("$gte")
    page.get_by_label("value").first.fill("0.3")
    page.get_by_role("button", name="Count").click()
    expect(page.get_by_role("status")).to_contain_text(re.compile(r"\d+ of 1,\d{3} visitors"))
    assert desk.state.segments.made() == []
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/written/sale-hunters")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url("**/segments/")
    assert desk.state.segments.made() == []


def test_light_and_dark_menu_and_search(desk: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    page.goto(address(desk, "health/"))
    page.get_by_role("button", name="Dark").click()
    page.wait_for_load_state()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.url.endswith("/health/")
    page.get_by_role("link", name="Menu").click()
    expect(page.get_by_role("navigation", name="Console")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="Console")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.insert_text("glint")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Glint Task Lamp").click()
    expect(page.get_by_role("heading", name="Glint Task Lamp")).to_be_visible()


def test_the_way_in_from_the_shop(desk: Store, visit: Callable[..., Any]) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    page.goto(desk.url)
    page.get_by_role("link", name="Console").click()
    page.get_by_role("button", name="As viewer").click()
    page.wait_for_url("**/mtp/admin/")
    expect(page.locator(".person")).to_contain_text("viewer")
    page.goto(address(desk, "placements/home-hero"))
    expect(page.get_by_role("button", name="Save")).to_be_hidden()
    assert page.locator("#size").is_disabled()
