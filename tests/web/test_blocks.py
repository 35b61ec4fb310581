"""Blocks in pages, the same ones as fragments, and what a page is left with when they fail."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask import render_template_string

from mtp_plugin.errors import NotFoundError, UnavailableError
from mtp_plugin.records import Product
from mtp_plugin.web.assets import PARTS

from .shop import BLOG, PUBLIC, Shop


def render(shop: Shop, template: str, **variables: Any) -> str:
    with shop.app.test_request_context("/", headers={"Sec-Fetch-Site": "same-origin"}):
        return render_template_string(template, **variables)


def shown(html: str) -> list[str]:
    return re.findall(r'data-mtp-item="([^"]+)"', html)


def test_page_and_fragment_are_the_same(shop: Shop) -> None:
    page = render(shop, '{{ mtp_block("home-hero") }}')
    fragment = shop.browser().get("/mtp/v1/blocks/home-hero")
    assert fragment.content_type == "text/html; charset=utf-8"
    assert shown(page) == shown(fragment.text) != []
    without_id = re.compile(r'data-mtp-slate="[^"]+"')
    assert without_id.sub("", page) == without_id.sub("", fragment.text)


def test_a_fragment_for_a_page_elsewhere_leads_to_the_shop(shop: Shop) -> None:
    shop.state.catalog_store.import_products(
        [
            Product(product_id="near", title="Near", price=1.0, stock=1, created=2e9, url="/p/near", image="i.svg"),
            Product(product_id="far", title="Far", price=1.0, stock=1, created=2e9, url="https://far.example/p"),
            Product(product_id="odd", title="Odd", price=1.0, stock=1, created=2e9, image="http://[odd/i.svg"),
        ],
        hide_missing=True,
    )
    shop.state.pipeline.live.refresh()
    home = shop.browser().get("/mtp/v1/blocks/home-hero").text
    assert sorted(re.findall(r'(?:href|src)="([^"]*)"', home)) == [
        "/p/near", "http://[odd/i.svg", "https://far.example/p", "i.svg",
    ]  # fmt: skip
    blog = shop.app.test_client().get(f"/mtp/v1/blocks/home-hero?writeKey={PUBLIC}", headers={"Origin": BLOG}).text
    assert sorted(re.findall(r'(?:href|src)="([^"]*)"', blog)) == [
        "http://localhost/i.svg", "http://localhost/p/near", "https://far.example/p",
    ]  # fmt: skip


def test_options(shop: Shop) -> None:
    template = '{{ mtp_block("home-hero", limit=3, exclude_ids=["p118"], filter={"brand": "Acme"}, heading_level=3) }}'
    html = render(shop, template)
    assert len(shown(html)) == 3
    assert "<h3" in html
    assert {int(name[1:]) % 2 for name in shown(html)} == {0}


def test_products_may_be_ids_or_records(shop: Shop) -> None:
    product = Product(product_id="p001", title="Thing 1")
    pages = [
        render(shop, '{{ mtp_block("product-similar", product="p001") }}'),
        render(shop, '{{ mtp_block("product-similar", product=product) }}', product=product),
        render(shop, '{{ mtp_block("product-similar", product_ids=["p001"]) }}'),
        render(shop, '{{ mtp_block("product-similar", products=[product]) }}', product=product),
    ]
    assert len({tuple(shown(page)) for page in pages}) == 1
    assert shown(pages[0])
    assert "p001" not in shown(pages[0])


def test_titles_are_escaped(shop: Shop) -> None:
    hostile = Product(product_id='"><script>', title="<script>alert(1)</script>", price=1.0, created=2e9, stock=1)
    shop.state.catalog_store.import_products([hostile], hide_missing=True)
    shop.state.pipeline.live.refresh()
    html = render(shop, '{{ mtp_block("home-hero") }}')
    assert "alert(1)" in html
    assert "<script" not in html


def fail(*args: Any, **kwargs: Any) -> Any:
    raise UnavailableError("the database is on fire")


@pytest.mark.parametrize("call", ['mtp_block("home-hero")', 'mtp_block("nope")', 'mtp_block("home-hero", limt=3)'])
def test_a_failing_block_leaves_the_page(
    shop: Shop, call: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shop.state.pipeline, "_draft", fail)
    with caplog.at_level(logging.ERROR):
        assert render(shop, "before{{ " + call + " }}after") == "beforeafter"
    assert "left out of the page" in caplog.text
    assert "mtp_block_failures_total" in shop.app.extensions["mtp_web"].metrics.text().decode()


def test_in_debug_it_raises(shop: Shop) -> None:
    shop.app.debug = True
    with pytest.raises(NotFoundError, match="nope"):
        render(shop, '{{ mtp_block("nope") }}')


def test_a_loader_that_fails_costs_the_block_only(shop: Shop) -> None:
    shop.mtp.cart_loader(fail)
    assert render(shop, 'before{{ mtp_block("home-hero") }}after') == "beforeafter"


def test_the_shops_availability_is_asked(shop: Shop) -> None:
    asked: list[Sequence[str]] = []

    def availability(names: Sequence[str]) -> dict[str, bool]:
        asked.append(names)
        return {name: name != names[0] for name in names}

    shop.state.pipeline.availability = availability
    html = render(shop, '{{ mtp_block("home-hero") }}')
    assert len(asked) == 1
    assert asked[0][0] not in shown(html)
    assert shown(html)


class TestScripts:
    """``mtp_scripts`` and the files it names."""

    def test_nonce_and_no_inline_script(self, shop: Shop) -> None:
        shop.mtp.nonce_loader(lambda: 'n"1')
        html = render(shop, "{{ mtp_scripts() }}")
        assert html.count('nonce="n&#34;1"') == 2
        assert re.search(r"<script[^>]*></script>", html)
        assert "onload" not in html

    def test_versioned_files_are_kept_for_ever(self, shop: Shop) -> None:
        browser = shop.browser()
        addresses = re.findall(r'(?:src|href)="([^"]+)"', render(shop, "{{ mtp_scripts() }}"))
        assert len(addresses) == 2
        for address in addresses:
            answer = browser.get(address)
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            again = browser.get(address, headers={"If-None-Match": answer.headers["ETag"]})
            assert (again.status_code, again.data) == (304, b"")

    def test_unversioned_or_stale_addresses_are_asked_again_soon(self, shop: Shop) -> None:
        for address in ("/mtp/widget.js", "/mtp/mtp.css", "/mtp/widget.js?v=old"):
            answer = shop.browser().get(address)
            assert answer.headers["Cache-Control"] == "public, max-age=300"
            assert not answer.headers.getlist("Set-Cookie")

    def test_parts_have_the_version_of_the_script(self, shop: Shop) -> None:
        (version,) = re.findall(r"widget.js\?(v=\w+)", render(shop, "{{ mtp_scripts() }}"))
        for part in PARTS:
            answer = shop.browser().get(f"/mtp/widget-{part}.js?{version}")
            assert answer.content_type.startswith("text/javascript")
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert not answer.headers.getlist("Set-Cookie")
        assert shop.browser().get("/mtp/widget-nope.js").status_code == 404

    def test_the_name_of_a_data_layer(self, shop: Shop) -> None:
        assert "datalayer" not in render(shop, "{{ mtp_scripts() }}")
        assert ' data-datalayer="shopLayer"' in render(shop, '{{ mtp_scripts(data_layer="shopLayer") }}')

    def test_without_style(self, shop: Shop) -> None:
        assert "<link" not in render(shop, "{{ mtp_scripts(style=False) }}")


@pytest.mark.parametrize("prefix", ["/shop/personal", "/x"])
def test_any_prefix(make_shop: Callable[..., Shop], prefix: str) -> None:
    shop = make_shop(mount=False)
    shop.app.register_blueprint(shop.mtp.blueprint, url_prefix=prefix)
    page = render(shop, "{{ mtp_scripts() }}{{ mtp_consent() }}")
    assert f'src="{prefix}/widget.js' in page
    assert f'action="{prefix}/v1/privacy/consent"' in page
    assert shop.browser().get(f"{prefix}/health/live").get_json() == {"status": "ok"}
    missing = shop.browser().get(f"{prefix}/nope")
    assert (missing.status_code, missing.get_json()["error"]["code"]) == (404, "not-found")
    assert shop.browser().get("/nope").content_type.startswith("text/html"), "the shop's own 404 stays"


def test_a_page_with_a_space_is_gone_back_to(shop: Shop) -> None:
    with shop.app.test_request_context("/a%20b%3Fc?d=e%26f"):
        assert 'value="/a%20b%3Fc?d=e%26f"' in render_template_string("{{ mtp_consent() }}")


def test_context_processors_run_once_a_page(shop: Shop) -> None:
    ran: list[int] = []
    shop.app.context_processor(lambda: ran.append(1) or {})
    render(shop, '{{ mtp_block("home-hero") }}{{ mtp_block("home-trending") }}{{ mtp_scripts() }}')
    assert ran == [1]


def test_below_a_script_root(shop: Shop) -> None:
    with shop.app.test_request_context("/", base_url="http://localhost/root"):
        page = render_template_string("{{ mtp_scripts() }}{{ mtp_consent() }}")
    assert 'src="/root/mtp/widget.js' in page
    assert 'value="/root/"' in page
