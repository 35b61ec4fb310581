"""Pages: sane HTML, filters in the address, search, headers, and a shop that works whatever the visitor decided."""

from __future__ import annotations

import gzip
import re
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from demo_store.catalogue import slug
from demo_store.ranges import RANGES
from demo_store.shop import Shop
from tests.demo.html import Page

PAGES = (
    "/", "/shop/home", "/shop/everything", "/shop/everything?page=3", "/shop/sale", "/shop/new",
    "/shop/lamps?colour=Ink&price=2",
    "/search?q=lamp", "/search?q=nothingofthekind", "/search", "/basket", "/account", "/preferences",
    "/about", "/inspector",
)  # fmt: skip


def shop_of(app: Flask) -> Shop:
    found = app.extensions["tarn"]
    assert isinstance(found, Shop)
    return found


def read(client: FlaskClient, address: str, status: int = 200) -> Page:
    answer = client.get(address)
    assert answer.status_code == status, address
    page = Page(answer.text)
    assert page.problems == [], address
    return page


@pytest.mark.parametrize("address", PAGES)
def test_pages_are_sane(client: FlaskClient, address: str) -> None:
    page = read(client, address)
    assert "simulated" in page.text
    assert [form for form in page.all("form") if form.get("role") == "search"]


@pytest.mark.parametrize("range_", RANGES, ids=lambda range_: range_.key)
def test_categories_and_their_products(client: FlaskClient, shop: Flask, range_) -> None:
    page = read(client, f"/shop/{range_.key}")
    shelf = shop_of(shop).catalogue.by_category[range_.key]
    links = {link.get("href") for link in page.all("a")}
    assert {product.url for product in shelf} <= links
    for product in shelf[:3]:
        found = read(client, product.url)
        assert product.title in found.text
        assert found.having("data-mtp-product") == [product.product_id]
        assert product.product_id in found.having("data-mtp-add")


def test_what_is_not_there(client: FlaskClient) -> None:
    read(client, "/shop/nonsense", 404)
    read(client, "/products/nonsense", 404)
    assert client.get("/thanks/somebody-elses").status_code == 404


def test_filters_live_in_the_address_and_show_counts(client: FlaskClient, shop: Flask) -> None:
    shelf = shop_of(shop).catalogue.by_category["mugs"]
    brand = shelf[0].brand
    page = read(client, f"/shop/mugs?brand={brand.replace(' ', '+').replace('&', '%26')}")
    mine = [product for product in shelf if product.brand == brand]
    assert f"{len(mine)} thing" in page.text
    assert any(box.get("value") == brand and "checked" in box for box in page.all("input"))
    shown = {link.get("href") for link in page.all("a")} & {product.url for product in shelf}
    assert {product.url for product in mine} <= shown
    # What is chosen does not take the other makers' counts away.
    other = next(product.brand for product in shelf if product.brand != brand)
    assert any(box.get("value") == other for box in page.all("input"))


def test_order_by_price(client: FlaskClient, shop: Flask) -> None:
    answer = client.get("/shop/chairs?sort=price").text
    urls = re.findall(r'class="cover" href="(/products/[^"]+)"', answer)
    products = shop_of(shop).catalogue.products
    prices = [products[url.rsplit("/", 1)[1]].effective_price(time.time()) for url in urls]
    assert prices == sorted(prices)


def test_odd_addresses_are_ignored(client: FlaskClient) -> None:
    for address in (
        "/shop/mugs?price=99&sort=x&page=-4",
        "/shop/mugs?page=9999",
        "/search?q=%3Cscript%3E",
        "/products/",
    ):
        assert client.get(address).status_code in (200, 404)
    assert "<script>alert" not in client.get("/search?q=<script>alert(1)</script>").text


def test_search_finds_by_title_maker_colour_and_plural(client: FlaskClient, shop: Flask) -> None:
    search = shop_of(shop).search
    product = next(iter(shop_of(shop).catalogue.products.values()))
    assert search.find(product.title)[0] == product
    assert {found.attributes["range"] for found in search.find("mugs")[:10]} == {"mugs"}
    assert search.find("mugs") == search.find("mug")
    assert all(found.brand == "Solvane" for found in search.find("solvane"))
    assert search.find("") == []
    page = read(client, "/search?q=lamps")
    assert page.having("data-mtp-search") == ["lamps"]
    assert page.having("data-mtp-results") == [str(len(search.find("lamps")))]
    assert read(client, "/search?q=qqqq").having("data-mtp-results") == ["0"]


def test_suggestions(client: FlaskClient) -> None:
    found = client.get("/search/suggest?q=mu").get_json()
    assert "Mugs" in [phrase["text"] for phrase in found["phrases"]]
    assert 0 < len(found["products"]) <= 5
    assert client.get("/search/suggest?q=m").get_json() == {"phrases": [], "products": []}


def test_a_colour_can_be_chosen_without_javascript(client: FlaskClient, shop: Flask) -> None:
    product = next(p for p in shop_of(shop).catalogue.products.values() if len(p.colors) > 1)
    page = read(client, f"{product.url}?colour={slug(product.colors[1])}")
    checked = [box["value"] for box in page.all("input") if box.get("name") == "colour" and "checked" in box]
    assert checked == [product.colors[1]]


def test_policy_allows_nothing_inline(client: FlaskClient) -> None:
    answer = client.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce
    scripts = [script for script in Page(answer.text).all("script") if script.get("type") != "application/json"]
    assert scripts
    assert all(script["nonce"] == nonce[1] and script["src"] for script in scripts)
    assert client.get("/").headers["Content-Security-Policy"] != policy


def test_without_an_answer_there_is_no_cookie_and_the_shop_works(client: FlaskClient) -> None:
    for address in ("/", "/shop/lamps", "/search?q=lamp", "/preferences"):
        answer = client.get(address)
        cookies = [cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")]
        # The session holds the token of the forms, nothing else.
        assert set(cookies) <= {"session"}
    assert Page(client.get("/").text).having("data-mtp-consent")


def test_blocks_stand_on_the_pages(client: FlaskClient) -> None:
    names = set()
    for address in ("/", "/shop/lamps", "/products/glint-task-lamp", "/search?q=qqqq", "/basket"):
        names |= set(read(client, address).having("data-mtp-placement"))
    assert {"home-hero", "home-trending", "home-sale", "category-top", "product-similar", "search-empty"} <= names


def test_category_blocks_stay_in_their_category(client: FlaskClient, shop: Flask) -> None:
    answer = client.get("/shop/lamps").text
    block = answer[answer.index('data-mtp-placement="category-top"') :]
    items = re.findall(r'data-mtp-item="([^"]+)"', block)
    lamps = {product.product_id for product in shop_of(shop).catalogue.by_category["lamps"]}
    assert items
    assert set(items) <= lamps


def test_theme_is_remembered(client: FlaskClient) -> None:
    assert "data-theme" not in client.get("/").text.partition("<head>")[0]
    answer = client.post("/theme", data={"theme": "dark", "next": "/about"})
    assert answer.location == "/about"
    assert '<html lang="en" data-theme="dark">' in client.get("/").text
    assert client.post("/theme", data={"theme": "dark", "next": "//elsewhere.example"}).location == "/"


def test_assets_are_named_by_what_they_hold(client: FlaskClient) -> None:
    page = read(client, "/")
    styles = [link["href"] for link in page.all("link") if "static" in link["href"]]
    for address in styles:
        answer = client.get(address)
        assert answer.status_code == 200
        answer.close()


def test_answers_are_compressed_for_those_who_can_read_it(client: FlaskClient) -> None:
    page = read(client, "/")
    styles = [link["href"] for link in page.all("link") if "shop.css" in link["href"]]
    for address in ("/", *styles, page.all("img")[0]["src"]):
        plain = client.get(address)
        answer = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip", address
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert len(answer.data) < len(plain.data) / 2
        if address != "/":
            assert gzip.decompress(answer.data) == plain.data


def test_long_filters_show_the_fullest_first_and_what_is_chosen(client: FlaskClient) -> None:
    def colours(address: str) -> tuple[list[str], list[str]]:
        html = client.get(address).text
        facet = html[html.index("<legend>Colour</legend>") :]
        facet = facet[: facet.index("</fieldset>")]
        shown, _, more = facet.partition("<details")
        return tuple(re.findall(r'name="colour" value="([^"]+)"', part) for part in (shown, more))  # type: ignore[return-value]

    shown, more = colours("/shop/everything")
    assert len(shown) == 7
    assert more
    again, rest = colours(f"/shop/everything?colour={more[-1]}")
    assert more[-1] in again
    assert set(again) | set(rest) == set(shown) | set(more)


def test_a_page_elsewhere_only_where_there_is_another_name(client: FlaskClient) -> None:
    assert client.get("/elsewhere").status_code == 404
    assert "/elsewhere" not in client.get("/about").text
    for here, there in (("127.0.0.1:5000", "localhost:5000"), ("localhost:5000", "127.0.0.1:5000")):
        assert f"http://{there}/elsewhere" in client.get("/about", base_url=f"http://{here}").text
        page = client.get("/elsewhere", base_url=f"http://{here}")
        assert Page(page.text).problems == []
        assert f"http://{there}/mtp/widget.js" in page.text
        assert f"connect-src http://{there};" in page.headers["Content-Security-Policy"]
