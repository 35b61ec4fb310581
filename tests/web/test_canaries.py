"""Visitors never meet each other: not in any route, through any cache, in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .shared_cache import Answer, Jar, SharedCache
from .shop import BLOG, CANARIES, PUBLIC, SECRET, Shop

ROUTES = (
    "/",
    "/plain",
    "/mtp/v1/recommendations?placement=recently-viewed",
    "/mtp/v1/recommendations?placement=home-hero&explain=true",
    "/mtp/v1/recommendations?placement=product-similar&product_ids=p001",
    "/mtp/v1/blocks/recently-viewed",
    "/mtp/v1/blocks/home-hero",
    "/mtp/v1/blocks/past-first",
    "/mtp/v1/blocks/past-first?shared=true",
    "/mtp/v1/privacy/consent",
    "/mtp/widget.js",
    "/mtp/mtp.css",
    "/mtp/health/ready",
    "/mtp/metrics",
    "/mtp/openapi.json",
    "/.well-known/gpc.json",
)
OWN_PAST = ("/", ROUTES[2], "/mtp/v1/blocks/recently-viewed", "/mtp/v1/blocks/past-first")
"""Where a visitor who looked at a canary must see it; the last of them has something for everybody else, too."""


@dataclass
class Caller:
    """Somebody with cookies and headers; *canary* is the product that only this caller has looked at."""

    name: str
    canary: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    jar: Jar = field(default_factory=Jar)

    def ask(self, cache: SharedCache, path: str, method: str = "GET", body: bytes | None = None) -> Answer:
        headers = self.headers | self.jar.header()
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = cache.ask(path, method=method, headers=headers, body=body)
        self.jar.take(answer)
        return answer


BROWSER = {"Sec-Fetch-Site": "same-origin", "User-Agent": "Mozilla/5.0 Firefox/140"}


def people(shop: Shop) -> list[Caller]:
    """Two who agreed and looked at their canary, and everybody who must never see either."""
    shop.state.cache.clear()
    cache = SharedCache(shop.app)
    for path in ROUTES:
        text = Caller("before", headers=BROWSER).ask(cache, path).text
        assert not any(canary in text for canary in CANARIES), f"{path} shows a canary to anybody"
    ada = Caller("ada", CANARIES[0], BROWSER)
    ben = Caller("ben", CANARIES[1], BROWSER)
    for caller in (ada, ben):
        caller.ask(cache, "/mtp/v1/privacy/consent", "POST", b'{"choice": true}')
        view = f'{{"event": "Product Viewed", "properties": {{"product_id": "{caller.canary}"}}}}'
        answer = caller.ask(cache, "/mtp/v1/track", "POST", view.encode())
        assert answer.response.get_json()["accepted"] == 1
    refused = Caller("refused", headers=BROWSER)
    refused.ask(cache, "/mtp/v1/privacy/consent", "POST", b'{"choice": false}')
    return [
        ada,
        ben,
        refused,
        Caller("undecided", headers=BROWSER),
        Caller("gpc", headers=BROWSER | {"Sec-GPC": "1"}),
        Caller("nobody"),
        Caller("blog", headers={"Origin": BLOG, "Sec-Fetch-Site": "cross-site"}),
        Caller("server", headers={"Authorization": f"Bearer {SECRET}"}),
    ]


class Leak(AssertionError):
    """Somebody saw what is another's, or not what is their own."""


def visit(cache: SharedCache, caller: Caller, path: str, everybody: list[Caller]) -> None:
    """Ask and compare with who may see what."""
    shown = path + ("&" if "?" in path else "?") + f"writeKey={PUBLIC}" if caller.name == "blog" else path
    answer = caller.ask(cache, shown)
    for other in everybody:
        if other is caller:
            continue
        secrets = [other.canary, *other.jar.cookies.values()] if other.canary else []
        for secret in secrets:
            if secret and secret in answer.text:
                raise Leak(f"{caller.name} sees {other.name}'s {secret} at {path}")
    if caller.canary and path in OWN_PAST and caller.canary not in answer.text:
        raise Leak(f"{caller.name} does not see {caller.canary} at {path}: another's answer")


def walk(cache: SharedCache, everybody: list[Caller], steps: list[tuple[int, int]]) -> None:
    for who, where in steps:
        visit(cache, everybody[who % len(everybody)], ROUTES[where % len(ROUTES)], everybody)


EVERY_STEP = [(who, where) for where in range(len(ROUTES)) for who in range(8)]


def test_every_route_for_everybody_in_both_directions(shop: Shop) -> None:
    everybody, cache = people(shop), SharedCache(shop.app)
    walk(cache, everybody, EVERY_STEP)
    walk(cache, everybody, EVERY_STEP[::-1])
    assert cache.hits > 20, "a cache that never answers proves nothing"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 7), st.integers(0, len(ROUTES) - 1)), min_size=10, max_size=60))
def test_any_order(shop: Shop, steps: list[tuple[int, int]]) -> None:
    walk(SharedCache(shop.app), people(shop), steps)


def test_without_vary_the_cache_would_mix_them_up(shop: Shop) -> None:
    everybody, cache = people(shop), SharedCache(shop.app, blind=True)
    with pytest.raises(Leak):
        walk(cache, everybody[::-1], EVERY_STEP)


def test_a_server_names_whom_it_asks_for(shop: Shop) -> None:
    everybody, cache = people(shop), SharedCache(shop.app)
    server = everybody[-1]
    browser = shop.browser().agree()
    browser.get("/sign-in/" + quote("carl, the 3rd"))
    browser.view(CANARIES[0])
    path = "/mtp/v1/recommendations?placement=recently-viewed&user_id=" + quote("carl, the 3rd")
    assert CANARIES[0] in server.ask(cache, path).text
    for caller in everybody[:-1]:
        answer = caller.ask(cache, path)
        assert answer.response.status_code == 403, caller.name
        assert CANARIES[0] not in answer.text, caller.name
    assert CANARIES[0] in server.ask(cache, path).text


def test_the_slate_for_everybody_is_shared(shop: Shop) -> None:
    cache = SharedCache(shop.app)
    first = Caller("first").ask(cache, ROUTES[3])
    second = Caller("second").ask(cache, ROUTES[3])
    assert (first.from_cache, second.from_cache) == (False, True)
    assert first.body == second.body


def test_a_personal_block_takes_back_what_the_page_allowed(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop()
    view = shop.app.view_functions["home"]

    def cached_home() -> object:
        response = shop.app.make_response(view())
        response.cache_control.public, response.cache_control.max_age = True, 600
        return response

    shop.app.view_functions["home"] = cached_home
    everybody, cache = people(shop), SharedCache(shop.app)
    walk(cache, everybody, [(who, 0) for who in (0, 1, 2, 0, 2, 4, 1, 4, 7, 0)])
    assert cache.hits == 2, "whoever refused gets the page that the shop allowed to be kept"


def test_carts_are_not_shared(shop: Shop) -> None:
    cache = SharedCache(shop.app)
    path = "/mtp/v1/recommendations?placement=home-hero"
    refused = Caller("refused", headers=BROWSER)
    refused.ask(cache, "/mtp/v1/privacy/consent", "POST", b'{"choice": false}')
    shown = [item["product_id"] for item in refused.ask(cache, path).response.get_json()["items"]]
    refused.ask(cache, f"/put/{shown[0]}")
    after = refused.ask(cache, path)
    assert not after.from_cache
    assert shown[0] not in [item["product_id"] for item in after.response.get_json()["items"]]
    assert after.response.headers["Cache-Control"] == "private, no-store"
