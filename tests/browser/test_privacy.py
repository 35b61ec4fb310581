"""Consent and the account's data in a real browser: by keyboard, by consent managers, and nothing stored beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .demo_shop import Store, be
from .test_demo_keyboard import WIDE, tab_to

pytestmark = pytest.mark.browser
STORED = "JSON.stringify([Object.keys(localStorage), Object.keys(sessionStorage)])"


def ours(page: Page) -> set[str]:
    return {cookie["name"] for cookie in page.context.cookies() if cookie["name"].startswith("mtp")}


def test_nothing_is_stored_before_consent(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport=WIDE)
    for path in ("/", "/shop/lamps", "/products/glint-task-lamp", "/account", "/preferences"):
        page.goto(front.url + path)
        page.wait_for_load_state("networkidle")
        assert ours(page) == set(), path
        local, session = json.loads(page.evaluate(STORED))
        assert not [name for name in local + session if "mtp" in name], path


def test_purposes_are_chosen_by_keyboard(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport=WIDE)
    page.goto(f"{front.url}/about")
    tab_to(page, ".mtp-purposes summary")
    page.keyboard.press("Enter")
    assert page.locator("[name=purpose]:checked").count() == 0, "nothing is ticked beforehand"
    tab_to(page, "[name=purpose][value=functional]", 2)
    page.keyboard.press("Space")
    tab_to(page, ".mtp-answer[value=chosen]", 4)
    page.keyboard.press("Enter")
    expect(page.locator(".mtp-consent")).to_have_count(0)
    held = page.evaluate("fetch('/mtp/v1/privacy/consent').then((answer) => answer.json())")
    assert (held["consent_level"], held["purposes"]["functional"], held["choice"]) == ("contextual", True, False)
    assert ours(page) == {"mtp_consent"}


def test_interests_and_data_by_keyboard(store: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport=WIDE)
    be(page, store, "Flora")
    page.goto(f"{store.url}/account")
    name = page.locator(".like a").first.inner_text()
    tab_to(page, ".likes button.small-quiet")
    page.keyboard.press("Enter")
    expect(page.locator(".message")).to_contain_text("is forgotten")
    assert name not in page.locator(".like a").all_inner_texts()[:1]

    tab_to(page, "#interest")
    tab_to(page, ".interest button", 1)
    page.keyboard.press("Enter")
    expect(page.locator(".message")).to_contain_text("counts from now on")

    before = store.visitors()
    tab_to(page, "#data ~ .columns summary", 120)
    page.keyboard.press("Enter")
    tab_to(page, "form[action$='/data/erase'] button", 1)
    page.keyboard.press("Enter")
    expect(page.locator(".message")).to_contain_text("Receipt")
    assert len(store.visitors()) < len(before)
    assert "mtp_visitor" not in ours(page)
    expect(page.get_by_role("heading", name="What you asked for")).to_be_visible()


def until_held(page: Page, choice: bool) -> None:
    """Wait until the server holds this choice."""
    for _ in range(100):
        if page.evaluate("fetch('/mtp/v1/privacy/consent').then((answer) => answer.json())")["choice"] is choice:
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"the server never held {choice}")


STUBS = {
    "onetrust": """
        window.OneTrust = { IsAlertBoxClosed: () => !!window.decided };
        window.decide = (groups) => {
          window.decided = true;
          window.OnetrustActiveGroups = groups;
          dispatchEvent(new CustomEvent("OneTrustGroupsUpdated", { detail: groups.split(",") }));
        };
    """,
    "trustarc": """
        let held = { source: "implied", consentDecision: [1, 2, 3] };
        window.truste = { cma: { callApi: () => held } };
        window.decide = (levels) => {
          held = { source: "asserted", consentDecision: levels };
          postMessage(JSON.stringify({ source: "preference_manager", message: "submit_preferences" }), location.origin);
        };
    """,
}


@pytest.mark.parametrize(
    ("manager", "yes", "no"), [("onetrust", "'C0001,C0002,C0003'", "'C0001'"), ("trustarc", "[1, 2]", "[1]")]
)
def test_consent_managers_are_heard(store: Store, visit: Callable[..., Page], manager: str, yes: str, no: str) -> None:
    page = visit(viewport=WIDE)
    page.add_init_script(STUBS[manager])

    def with_manager(route: Any) -> None:
        answer = route.fetch()
        tag = f'<script src="/mtp/widget-managers.js" defer data-manager="{manager}"></script></head>'
        headers = {name: value for name, value in answer.headers.items() if name != "content-security-policy"}
        route.fulfill(response=answer, headers=headers, body=answer.text().replace("</head>", tag))

    page.route("**/about", with_manager)
    page.goto(f"{store.url}/about")
    page.wait_for_load_state("networkidle")
    assert ours(page) == set(), "a manager that only supposes something decides nothing"
    page.evaluate(f"decide({yes})")
    until_held(page, True)
    assert "mtp_visitor" in ours(page)
    page.evaluate(f"decide({no})")
    until_held(page, False)
    assert "mtp_visitor" not in ours(page)
    log = store.state.audit.latest(2, action="consent")
    assert [entry.details["source"] for entry in log] == [manager, manager]
