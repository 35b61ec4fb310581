"""What may be asked of ``v1/recommendations``, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from flask import Response

from mtp_plugin.records import MAX_ID
from mtp_plugin.web.recommendations import cached
from mtp_plugin.web.slates import Asker

from .shop import SECRET, Shop

URL = "/mtp/v1/recommendations"
KEYS = {
    "recommendation_id", "placement", "items", "strategy", "segment", "experiment", "fallback_level", "consent_level",
    "model_version", "title", "message", "message_url",
}  # fmt: skip
PRODUCT_KEYS = {
    "product_id", "title", "brand", "category_path", "url", "image", "price", "sale_price", "currency", "rating",
    "rating_count",
}  # fmt: skip


def ask(shop: Shop, query: str = "", **body: Any) -> Any:
    browser = shop.browser()
    return browser.post(URL, json=body) if body else browser.get(f"{URL}?placement=home-hero{query}")


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["product_id"] for item in answer.get_json()["items"]]


def test_the_answer(shop: Shop) -> None:
    answer = ask(shop).get_json()
    assert set(answer) == KEYS
    assert [item["position"] for item in answer["items"]] == list(range(1, len(answer["items"]) + 1))
    assert answer["items"]
    for item in answer["items"]:
        assert {"product_id", "position", "score", "reason_codes", "propensity", "product"} == set(item)
        assert set(item["product"]) == PRODUCT_KEYS, "stock and margin are nobody's business"
        assert item["product"]["currency"] == "USD"
    assert answer["consent_level"] == "contextual"


def test_explain(shop: Shop) -> None:
    answer = ask(shop, "&explain=1").get_json()
    assert set(answer) == KEYS | {"took_us", "availability_us", "rules", "choices"}
    assert answer["took_us"] > 0
    assert all(item["origins"] for item in answer["items"])


def test_get_and_post_ask_the_same(shop: Shop) -> None:
    query = "&limit=5&exclude_ids=p118,p116&product_ids=p001,p002&filter=" + quote('{"brand": "Acme"}')
    asked = {"limit": 5, "exclude_ids": ["p118", "p116"], "product_ids": ["p001", "p002"], "filter": {"brand": "Acme"}}
    got, posted = ids(ask(shop, query)), ids(ask(shop, placement="home-hero", **asked))
    assert got == posted
    assert len(got) == 5
    assert not {"p118", "p116"} & set(got)
    assert {int(name[1:]) % 2 for name in got} == {0}


def test_lists_may_be_repeated_and_hold_blanks(shop: Shop) -> None:
    shown = ids(ask(shop))
    assert not set(shown[:3]) & set(ids(ask(shop, f"&exclude_ids={shown[0]},&exclude_ids={shown[1]},,{shown[2]}")))


def test_foreign_parameters_of_an_address_are_let_be(shop: Shop) -> None:
    assert ids(ask(shop, "&utm_source=mail&_=123")) == ids(ask(shop))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("&limit=-1", "limit"),
        ("&limit=49", "limit"),
        ("&limit=six", "limit"),
        ("&limit=1.5", "limit"),
        ("&limit=", "limit"),
        ("&limit=" + "9" * 5000, "limit"),
        ("&limit=²", "limit"),
        ("&explain=maybe", "explain"),
        ("&filter=brand", "filter"),
        ("&filter=[]", "filter"),
        ("&filter=" + quote('{"brand": {"$near": 1}}'), "filter.brand.$near"),
        ("&filter=" + quote("[" * 5000), "filter"),
        ("&filter=" + quote('{"a":' * 2000 + "1" + "}" * 2000), "filter"),
        ("&product_ids=" + "x" * 201, "product_ids[0]"),
        ("&exclude_ids=" + ",".join(["x"] * 201), "exclude_ids"),
        ("&query=" + "x" * 201, "query"),
        ("&segment_id=nope", "segment_id"),
    ],
)
def test_a_wrong_parameter_is_named(steady_shop: Shop, query: str, field: str) -> None:
    answer = ask(steady_shop, query)
    assert answer.status_code in (400, 404)
    error = answer.get_json()["error"]
    assert error["field"].startswith(field)
    assert error["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"placement": "nope"}, "placement"),
        ({"placement": ""}, "placement"),
        ({"placement": None}, "placement"),
        ({"limit": 3}, "placement"),
        ({"placement": "home-hero", "limit": "3"}, "limit"),
        ({"placement": "home-hero", "limit": True}, "limit"),
        ({"placement": "home-hero", "limit": 1.5}, "limit"),
        ({"placement": "home-hero", "product_ids": "p001"}, "product_ids"),
        ({"placement": "home-hero", "product_ids": [1]}, "product_ids"),
        ({"placement": "home-hero", "filter": []}, "filter"),
        ({"placement": "home-hero", "productIds": []}, "productIds"),
        ({"placement": "home-hero", "user_id": "ada"}, "user_id"),
        ({"placement": "home-hero", "anonymous_id": "ab" * 16}, "anonymous_id"),
    ],
)
def test_a_wrong_field_is_named(steady_shop: Shop, body: dict[str, Any], field: str) -> None:
    answer = ask(steady_shop, **body)
    assert answer.status_code in (400, 403, 404)
    assert answer.get_json()["error"]["field"].startswith(field)


def test_one_view_changes_the_next_slate(shop: Shop) -> None:
    browser = shop.browser().agree()
    url = URL + "?placement=recently-viewed"
    assert "canary-ada" not in json.dumps(browser.get(url).get_json())
    browser.view("canary-ada")
    assert "canary-ada" in ids(browser.get(url))


def test_a_server_gets_anybodys_slate_unless_they_refused(shop: Shop) -> None:
    browser, server = shop.browser(), {"Authorization": f"Bearer {SECRET}"}
    browser.get("/sign-in/ada")
    browser.agree().view("canary-ada")
    url = URL + "?placement=recently-viewed&user_id=ada"
    answer = shop.app.test_client().get(url, headers=server)
    assert "canary-ada" in ids(answer)
    assert answer.headers["Cache-Control"] == "private, no-store"
    browser.agree(False)
    after = shop.app.test_client().get(url, headers=server)
    assert "canary-ada" not in ids(after)
    assert after.get_json()["consent_level"] == "non-personal"


def test_the_cart_is_never_recommended(shop: Shop) -> None:
    for choice in (True, False, None):
        browser = shop.browser()
        if choice is not None:
            browser.agree(choice)
        first = ids(browser.get(f"{URL}?placement=home-hero"))[0]
        browser.get(f"/put/{first}")
        assert first not in ids(browser.get(f"{URL}?placement=home-hero"))


def test_switches(make_shop: Callable[..., Shop]) -> None:
    one, all_ = make_shop(placements_off=["home-hero"]), make_shop(enabled=False)
    assert ask(one).get_json()["error"]["code"] == "switched-off"
    assert one.browser().get("/mtp/v1/blocks/home-hero").text == ""
    assert one.browser().get("/mtp/v1/blocks/home-trending").text != ""
    assert ask(all_).get_json()["error"]["code"] == "switched-off"
    assert all_.browser().agree().view("p001")["accepted"] == 0
    assert all_.state.journal.count() == 0
    page = all_.browser().get("/").text
    assert "mtp-" not in page
    assert "script" not in page


def test_caching_is_bounded_by_the_setting(make_shop: Callable[..., Shop]) -> None:
    for seconds, expected in ((5, "public, max-age=5"), (600, "public, max-age=60"), (0, "public, max-age=0")):
        shop = make_shop(cache_seconds=seconds)
        answer = shop.app.test_client().get(f"{URL}?placement=home-hero")
        assert answer.headers["Cache-Control"] == expected


EMPTY = "filter=" + quote('{"brand": "Nobody"}')


@pytest.mark.parametrize("path", [f"{URL}?placement=home-hero&", "/mtp/v1/blocks/home-hero?"])
def test_an_empty_answer_is_kept_by_nobody(steady_shop: Shop, path: str) -> None:
    client = steady_shop.app.test_client()
    assert client.get(path).headers["Cache-Control"].startswith("public")
    empty = client.get(path + EMPTY)
    assert empty.status_code == 200
    assert empty.headers["Cache-Control"] == "no-store"
    assert "Cookie" in empty.headers["Vary"]


def test_a_slate_from_below_its_ladder_is_kept_by_nobody(steady_shop: Shop) -> None:
    state = steady_shop.state
    with steady_shop.app.test_request_context("/"):
        slate = steady_shop.mtp.recommend("home-trending")
        below = msgspec.structs.replace(
            slate, fallback_level=len(state.pipeline.placements["home-trending"].strategies)
        )
        assert cached(Response(), Asker(), state, slate).headers["Cache-Control"].startswith("public")
        assert cached(Response(), Asker(), state, below).headers["Cache-Control"] == "no-store"


def test_an_id_has_one_length_everywhere(shop: Shop) -> None:
    for length, accepted, status in ((MAX_ID, 1, 200), (MAX_ID + 1, 0, 400)):
        browser, name = shop.browser().agree(), "x" * length
        body = {"event": "Product Viewed", "properties": {"product_id": name}}
        assert browser.get(f"{URL}?placement=product-similar&product_ids={name}").status_code == status
        server = shop.app.test_client().post(
            "/mtp/v1/track", json=body | {"userId": name}, headers={"Authorization": f"Bearer {SECRET}"}
        )
        assert (server.get_json() or {}).get("accepted", 0) == accepted
    assert [event.products[0].product_id for event in shop.state.journal.events_of("u:" + "x" * MAX_ID)] == ["x" * 200]


def test_a_block_that_is_switched_off_is_kept_by_nobody(make_shop: Callable[..., Shop]) -> None:
    answer = make_shop(placements_off=["home-hero"]).app.test_client().get("/mtp/v1/blocks/home-hero")
    assert (answer.text, answer.headers["Cache-Control"]) == ("", "no-store")


def test_commas_alone_count_too(shop: Shop) -> None:
    answer = shop.browser().get(f"{URL}?placement=home-hero&product_ids={',' * 200}")
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["field"] == "product_ids"
    assert shop.browser().get(f"{URL}?placement=home-hero&product_ids=,p001,").status_code == 200
