"""One person on several devices, from the first page to the last; and who is who as servers ask it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mtp_plugin.errors import UnavailableError

from .shop import CANARIES, SECRET, Browser, Shop

KEY = (SECRET, "")


def signed_in(shop: Shop, user: str) -> Browser:
    browser = shop.browser().agree()
    browser.get(f"/sign-in/{user}")
    return browser


def seen(browser: Browser) -> list[str]:
    """What the shop remembers that this visitor looked at."""
    answer = browser.get("/mtp/v1/recommendations?placement=recently-viewed")
    return [item["product_id"] for item in answer.get_json()["items"]]


def node(browser: Browser, shop: Shop) -> str:
    with shop.app.app_context():
        cookies = shop.app.extensions["mtp_web"].cookies
        return f"a:{cookies.visitor_id(browser.cookie('mtp_visitor'))}"


def test_devices_recommend_as_one_after_sign_in(shop: Shop) -> None:
    phone, laptop = shop.browser().agree(), shop.browser().agree()
    phone.view(CANARIES[0])
    laptop.view(CANARIES[1])
    assert seen(phone) == [CANARIES[0]]
    for browser in (phone, laptop):
        browser.get("/sign-in/ada")
        browser.view("p001")
    assert set(seen(phone)) == set(seen(laptop)) == {*CANARIES, "p001"}
    laptop.client.delete_cookie("session")
    assert CANARIES[0] not in seen(laptop), "signed out, a browser is alone"


def test_the_unit_of_experiments_lasts(shop: Shop) -> None:
    people = shop.state.people
    phone, laptop = shop.browser().agree(), shop.browser().agree()
    phone.view("p001")
    laptop.view("p001")
    first = node(phone, shop)
    assert people.resolve([first]).unit == first
    for browser in (phone, laptop):
        browser.get("/sign-in/ada")
        browser.view("p002")
        assert people.resolve(["u:ada", node(browser, shop)]).unit == first


def test_events_whose_visitors_cannot_be_linked_now_are_sent_again_and_are(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the database, or the process, ends between the two: what is repeated is linked, not only what is new."""
    call = {"type": "track", "event": "Product Viewed", "userId": "ada", "anonymousId": "b1", "messageId": "m1"}
    body = {"batch": [{**call, "properties": {"product_id": "p001"}}]}
    server, people = shop.app.test_client(), shop.state.people

    def away(*asked: object) -> None:
        raise UnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(people.identity, "claim", away)
        assert server.post("/mtp/v1/batch", json=body, auth=KEY).status_code == 503
    assert shop.state.journal.count() == 1, "it is durable all the same"
    assert people.identity.cluster("u:ada") == ("u:ada",)
    assert server.post("/mtp/v1/batch", json=body, auth=KEY).get_json()["accepted"] == 1
    assert people.identity.cluster("u:ada") == ("a:b1", "u:ada")
    assert shop.state.journal.count() == 1


def test_a_shared_browser_is_nobodys(shop: Shop) -> None:
    family = shop.browser().agree()
    family.view(CANARIES[0])
    family.get("/sign-in/ada")
    family.view("p001")
    family.get("/sign-in/ben")
    family.view("p002")
    assert seen(family) == ["p002"]


def test_who_withdraws_is_parted_until_agreeing_again(shop: Shop) -> None:
    phone, laptop = signed_in(shop, "ada"), signed_in(shop, "ada")
    for browser in (phone, laptop):
        browser.view("p001")
    known = node(phone, shop)
    assert known in shop.state.people.resolve(["u:ada"]).profile_ids
    phone.agree(False)
    assert known not in shop.state.people.resolve(["u:ada"]).profile_ids


def test_merges_are_in_the_audit_log(shop: Shop) -> None:
    phone = signed_in(shop, "ada-lovelace")
    phone.view("p001")
    (entry,) = shop.state.audit.latest(10, action="identity.")
    assert (entry.action, entry.actor, entry.details["kind"]) == ("identity.merged", "event", "sign-in")
    assert "lovelace" not in json.dumps([entry.subject, entry.details])
    link = shop.state.people.identity.links("active")[0]
    shop.state.people.decide(link.link_id, "undone", 5.0, "cli:anna")
    assert shop.state.audit.latest(1)[0].action == "identity.parted"
    assert shop.state.audit.verify() == []


def test_servers_ask_claim_and_decide(shop: Shop) -> None:
    client = shop.app.test_client()

    def ask(path: str, body: dict[str, Any] | None = None) -> Any:
        method = "POST" if body is not None else "GET"
        answer = client.open(f"/mtp/v1/identity{path}", method=method, json=body, auth=KEY)
        return answer.get_json()

    likely = ask("", {"left": "u:ada", "right": "a:x", "confidence": 0.7, "suggest": True})["links"][0]
    assert likely["state"] == "suggested"
    assert ask("?state=suggested")["links"] == [likely]
    accepted = ask("/decisions", {"link_id": likely["link_id"], "decision": "accept"})["links"][0]
    assert (accepted["state"], accepted["actor"]) == ("active", "api")
    assert ask("?node=u:ada")["cluster"] == ["a:x", "u:ada"]
    ask("/decisions", {"link_id": likely["link_id"], "decision": "undo"})
    assert ask("?node=u:ada")["cluster"] == ["u:ada"]
    wrong = ask("/decisions", {"link_id": likely["link_id"], "decision": "reject"})
    assert wrong["error"]["field"] == "state"
    assert ask("/decisions", {"link_id": 99, "decision": "undo"})["error"]["code"] == "not-found"
    assert ask("", {"left": "ada", "right": "a:x"})["error"]["field"] == "left"
    assert client.get("/mtp/v1/identity").status_code == 401
    assert shop.browser().agree().get("/mtp/v1/identity").status_code == 401


def test_the_command_reviews(shop: Shop) -> None:
    run = shop.app.test_cli_runner().invoke

    def said(*words: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(run(args=["mtp", "identity", *words, "--json"]).stdout)
        return answer

    number = str(said("link", "u:ada", "a:x")["link"]["link_id"])
    assert said("list", "--state", "active")["links"][0]["kind"] == "manual"
    shown = said("show", "u:ada")
    assert shown["cluster"] == ["a:x", "u:ada"]
    assert [entry["state"] for entry in shown["links"][0]["history"]] == ["active"]
    assert said("undo", number)["link"]["state"] == "undone"
    assert said("accept", number)["link"]["state"] == "active"
    assert said("share", "a:x")["shared"] is True
    assert said("show", "a:x")["links"][0]["link"]["state"] == "suspended"
    assert said("share", "a:x", "--off")["shared"] is False
    assert said("reject", number)["error"]["field"] == "state"
    assert "a:x = u:ada by manual" in run(args=["mtp", "identity", "list", "--state", "all"]).output
    assert said("list") == {"links": []}
    assert "0 linked, 0 suggested" in said("suggest")["said"]


def test_alike_visitors_are_suggested_and_not_linked(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(identity_suggest_above=0.3)
    phone, laptop = shop.browser().agree(), shop.browser().agree()
    for browser in (phone, laptop):
        for number in (3, 14, 15, 92, 65, 35):
            browser.view(f"p{number:03d}")
    for number in range(20):
        shop.browser().agree().view(f"p{100 + number % 20:03d}")
    answer = shop.app.test_cli_runner().invoke(args=["mtp", "identity", "suggest"])
    assert "0 linked, 1 suggested" in answer.output
    (link,) = shop.state.people.identity.links("suggested")
    assert {link.left, link.right} == {node(phone, shop), node(laptop, shop)}
    assert 0.3 <= link.confidence < 1
    assert link.evidence["bits"]["products"] > 0
    again = shop.app.test_cli_runner().invoke(args=["mtp", "identity", "suggest"])
    assert "0 linked, 0 suggested" in again.output
    assert len(seen(phone)) == 6
