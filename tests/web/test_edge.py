"""Fragments for shared caches: the same whoever asks, told for how long, and the cookie that names a segment."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import msgspec
import pytest
from flask import Response, request, session

from mtp_plugin.ports import MadeSegment
from mtp_plugin.records import Product

from .shop import CANARIES, SECRET, Shop, products

HERO = "/mtp/v1/blocks/home-hero?shared=true"
TRENDING = "/mtp/v1/blocks/home-trending?shared=true"
Make = Callable[..., Shop]


def seconds(control: str) -> dict[str, int]:
    """The directives of Cache-Control that have a number."""
    return {name: int(number) for name, number in re.findall(r"([a-z-]+)=(\d+)", control)}


def test_it_says_for_how_long_and_by_which_keys(shop: Shop) -> None:
    answer = shop.app.test_client().get(HERO)
    control = answer.headers["Cache-Control"]
    assert control == "public, max-age=0, s-maxage=50, stale-while-revalidate=10, stale-if-error=600"
    assert "Vary" not in answer.headers
    keys = answer.headers["Surrogate-Key"].split()
    assert keys[:2] == ["mtp", "mtp-placement-home-hero"]
    shown = re.findall(r'data-mtp-item="([^"]+)"', answer.text)
    assert shown
    assert keys[-len(shown) :] == [f"mtp-product-{name}" for name in shown]


def test_who_has_it_is_told_so(shop: Shop) -> None:
    client = shop.app.test_client()
    first = client.get(TRENDING)
    again = client.get(TRENDING, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert client.get(TRENDING, headers={"If-None-Match": '"another"'}).text == first.text


def test_nothing_of_who_asks_is_in_it(shop: Shop) -> None:
    common = shop.app.test_client().get(HERO).text
    browser = shop.browser().agree()
    browser.get("/sign-in/ada")
    browser.view(CANARIES[0])
    put = re.findall(r'data-mtp-item="([^"]+)"', common)[0]
    browser.get(f"/put/{put}")
    answer = browser.get(HERO)
    assert answer.text == common
    assert answer.headers["Cache-Control"] == "private, no-store", "what a shop makes of a cookie is not known"
    assert "Surrogate-Key" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    with_password = shop.app.test_client().get(HERO, headers={"Authorization": "Basic YWRhOnNlY3JldA=="})
    assert with_password.headers["Cache-Control"] == "private, no-store"
    with_key = shop.app.test_client().get(HERO, headers={"Authorization": f"Bearer {SECRET}"})
    assert with_key.headers["Cache-Control"].startswith("public")


def test_what_a_hook_of_the_shop_adds_stays_here(make_shop: Make) -> None:
    shop = make_shop()
    shop.app.before_request(lambda: session.setdefault("token", "one visitor's") and None)
    assert "Set-Cookie" in shop.app.test_client().get("/plain").headers, "the hook would"
    answer = shop.app.test_client().get(HERO)
    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers


def test_what_the_shop_itself_looks_at_caches_are_told(make_shop: Make) -> None:
    """Two languages at one address: without Vary each would get what the other was answered."""
    shop = make_shop()
    shop.mtp.price_formatter(lambda amount, currency: f"{request.headers['Accept-Language']} {amount}")
    shop.app.before_request(lambda: session.get("token") and None)

    @shop.app.after_request
    def tell(response: Response) -> Response:
        response.headers["Vary"] = "cookie, Accept-Language, X-Shop"
        return response

    german, french = (shop.app.test_client().get(HERO, headers={"Accept-Language": name}) for name in ("de", "fr"))
    assert german.text != french.text
    for answer in (german, french):
        assert answer.headers["Cache-Control"].startswith("public")
        assert answer.headers.getlist("Vary") == ["Accept-Language, X-Shop"]


def test_never_older_than_a_sale(make_shop: Make) -> None:
    shop, now = make_shop(), time.time()
    ending = [msgspec.structs.replace(one, sale_price=1.0, sale_until=now + 25) for one in products()]
    shop.state.catalog_store.import_products(ending, hide_missing=False)
    shop.state.pipeline.live.refresh()
    told = seconds(shop.app.test_client().get(TRENDING).headers["Cache-Control"])
    assert 0 < told["s-maxage"] + told["stale-while-revalidate"] <= 25
    assert told["s-maxage"] + told["stale-if-error"] <= 25
    for path in ("/mtp/v1/blocks/home-trending", "/mtp/v1/recommendations?placement=home-trending"):
        kept = seconds(shop.app.test_client().get(path).headers["Cache-Control"])
        assert 0 < kept["max-age"] <= 20, "our own memory gives it out five seconds later, too"


@pytest.mark.parametrize("off", [{"placements_off": ["home-hero"]}, {"enabled": False}])
def test_an_empty_place_is_kept_for_a_moment(make_shop: Make, off: dict[str, object]) -> None:
    answer = make_shop(**off).app.test_client().get(HERO)
    assert answer.text == ""
    told = seconds(answer.headers["Cache-Control"])
    assert told["s-maxage"] + told["stale-while-revalidate"] == 5


def test_without_caching_nothing_is_kept(make_shop: Make) -> None:
    told = seconds(make_shop(cache_seconds=0).app.test_client().get(HERO).headers["Cache-Control"])
    assert set(told.values()) == {0}


def test_keys_are_words_and_few(make_shop: Make) -> None:
    shop = make_shop()
    odd = [Product(product_id=f"a b,{n}/ü" + "x" * 90, title=f"Odd {n}", price=1.0, stock=1) for n in range(60)]
    shop.state.catalog_store.import_products(odd, hide_missing=True)
    shop.state.pipeline.live.refresh()
    header = shop.app.test_client().get(TRENDING + "&limit=48").headers["Surrogate-Key"]
    assert header.isascii()
    assert len(header.split()) == 2 + 48
    assert max(map(len, header.split())) <= 80


def test_a_segment_that_is_no_more_gets_what_everybody_gets(shop: Shop) -> None:
    client = shop.app.test_client()
    assert client.get(HERO + "&segment_id=s999").text == client.get(HERO).text
    assert client.get("/mtp/v1/blocks/home-hero?segment_id=s999").status_code == 404


def test_a_cache_is_counted_unless_it_shows_a_key(make_shop: Make) -> None:
    client = make_shop(rate_limit="2 per hour").app.test_client()
    assert [client.get(HERO).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get(HERO, headers={"Authorization": f"Bearer {SECRET}"}).status_code == 200


# ------------------------------------------------------------------------------------ the segment's cookie


def lookers(shop: Shop) -> Shop:
    made = MadeSegment(segment_id="lookers", name="Lookers", condition={"profile.views": {"$gte": 1}})
    shop.state.segments.save(made)
    shop.state.pipeline.live.refresh()
    return shop


def test_the_cookie_tells_the_segment_and_goes_with_the_permission(make_shop: Make) -> None:
    shop = lookers(make_shop(segment_cookie_name="mtp_segment"))
    browser = shop.browser()
    browser.get("/")
    browser.agree().get("/")
    assert browser.cookie("mtp_segment") is None
    browser.view("p001")
    answer = browser.get("/")
    assert browser.cookie("mtp_segment") == "lookers"
    assert "private" in answer.headers["Cache-Control"]
    assert "mtp_segment" not in str(browser.get("/").headers), "once is enough"
    browser.agree(False)
    assert browser.cookie("mtp_segment") is None
    browser.client.set_cookie("mtp_segment", "left over")
    browser.get("/")
    assert browser.cookie("mtp_segment") is None


def test_there_is_no_such_cookie_unless_the_shop_wants_it(make_shop: Make) -> None:
    browser = lookers(make_shop()).browser().agree()
    browser.view("p001")
    browser.get("/")
    assert browser.cookie("mtp_segment") is None
