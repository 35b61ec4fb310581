"""What the page on mounting shows is run, each part on an application of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, g, render_template_string, session
from flask.testing import FlaskClient

import mtp_plugin
from mtp_plugin import MTP, Product

from ..core.shops import BROWSER, bare_app, watches
from .fences import blocks

MOUNT, FACTORY, BLUEPRINT, LOADERS, TRACK, HASHES, PLACEMENTS = blocks("mounting.md", "python")
(TEMPLATE,), (POLICY,) = blocks("mounting.md", "jinja"), blocks("mounting.md", "text")

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs a block with these names; what it mounted is closed at the end."""
    ran: list[dict[str, Any]] = []

    def now(code: str, **given: Any) -> dict[str, Any]:
        ran.append(given)
        exec(compile(code, "docs", "exec"), given)
        return given

    yield now
    for app in {id(found): found for space in ran for found in space.values() if isinstance(found, Flask)}.values():
        if "mtp" in app.extensions:
            app.extensions["mtp"].close()


def shown(app: Flask, template: str = TEMPLATE, path: str = "/") -> FlaskClient:
    """A client of the application, whose front page is the template."""
    app.add_url_rule(path, "front", lambda: render_template_string(template))
    state = app.extensions["mtp"]
    state.catalog_store.import_products(watches(12), hide_missing=False)
    state.pipeline.live.refresh()
    return app.test_client()


def test_three_lines(run: Run, tmp_path: Path) -> None:
    app = run(MOUNT, app=bare_app(tmp_path))["app"]
    page = shown(app).get("/", headers=BROWSER).text
    assert "/mtp/widget.js" in page
    assert page.count("data-mtp-item=") == 6
    assert page.index("data-mtp-placement") < page.index("data-mtp-consent")
    assert (tmp_path / "mtp.sqlite").exists()


def test_a_factory(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "of the tests, and long enough")
    monkeypatch.setattr(Flask, "auto_find_instance_path", lambda app: str(tmp_path))
    space = run(FACTORY, MTP=MTP, Flask=Flask, os=__import__("os"), __name__="shop")
    space["app"] = space["create_app"]()
    assert shown(space["app"]).get("/mtp/health/live").status_code == 200


def test_a_blueprint_under_a_prefix(run: Run, tmp_path: Path) -> None:
    app = run(BLUEPRINT, app=bare_app(tmp_path), mtp=MTP())["app"]
    client = shown(app)
    assert client.get("/shop/personal/health/live").status_code == 200
    assert "/shop/personal/widget.js" in client.get("/", headers=BROWSER).text


def test_what_the_shop_tells(run: Run, tmp_path: Path) -> None:
    mtp, app = MTP(), bare_app(tmp_path)
    catalog = mtp_plugin.CallableCatalog(watches, availability=lambda ids: dict.fromkeys(ids, True))
    visitor = SimpleNamespace(is_authenticated=True, get_id=lambda: "ada")
    given = {"mtp": mtp, "current_user": visitor, "session": session, "g": g}
    run(LOADERS, **given, MappedCatalog=lambda *more: catalog, app=app)
    mtp.init_app(app)
    app.before_request(lambda: setattr(g, "csp_nonce", "n0nce"))
    client = shown(app, '{{ mtp_scripts() }}{{ mtp_block("home-hero") }}')
    with client.session_transaction() as kept:
        kept["cart"] = {"p11": 1}
    page = client.get("/", headers=BROWSER).text
    assert 'nonce="n0nce"' in page
    assert re.search(r'"mtp-price">\d+\.00 EUR<', page), "the shop's own way to write a price"
    assert 'data-mtp-item="p11"' not in page, "it is in the cart"
    client.post("/mtp/v1/privacy/consent", json={"choice": True}, headers=BROWSER)
    client.post("/mtp/v1/track", json={"event": "Tea Drunk"}, headers=BROWSER)
    assert [event.name for event in app.extensions["mtp"].journal.events_of("u:ada")] == ["Tea Drunk"]


def test_events_and_hashes(run: Run, tmp_path: Path) -> None:
    app = bare_app(tmp_path)
    mtp = MTP(app)
    with app.app_context():
        order = {"order_id": "7", "products": [{"product_id": "A1", "price": Decimal("9.50")}]}
        run(HASHES, mtp=mtp, order=order, app=app)
        ada = f"u:{mtp.hash_email('Ada@example.com ')}"
        assert [event.name for event in app.extensions["mtp"].journal.events_of(ada)] == ["Order Completed"]
        assert mtp.hash_phone("030 123456", "DE") == mtp.hash_phone("+49 30 123456")
    seen = []
    app.add_url_rule("/order", "order", lambda: seen.append(eval(TRACK, {"mtp": mtp})) or "thanks")  # type: ignore[func-returns-value]
    client = app.test_client()
    client.get("/order", headers=BROWSER)
    client.post("/mtp/v1/privacy/consent", json={"choice": True}, headers=BROWSER)
    client.get("/order", headers=BROWSER)
    assert [(receipt.accepted, len(receipt.dropped)) for receipt in seen] == [(0, 1), (1, 0)], "consent decides"


def test_placements(run: Run, tmp_path: Path) -> None:
    app = run(PLACEMENTS, app=bare_app(tmp_path))["app"]
    MTP(app)
    page = shown(app, '{{ mtp_block("home-hero") }}{{ mtp_block("footer-sale") }}').get("/", headers=BROWSER).text
    assert "Chosen for you" in page
    assert "On sale now" in page
    assert page.count("data-mtp-item=") == 4 + 8


def test_the_policy_is_enough(tmp_path: Path) -> None:
    """Everything that a page of ours loads or sends is allowed by it; tests/browser watches a real browser obey."""
    mtp, app = MTP(), bare_app(tmp_path)
    mtp.nonce_loader(lambda: "n0nce")
    mtp.init_app(app)
    products = [Product(product_id="a", title="A", image="https://pictures.example/a.jpg", url="/a", created=9e9)]
    client = shown(app, "<html>" + TEMPLATE)
    app.extensions["mtp"].catalog_store.import_products(products, hide_missing=False)
    app.extensions["mtp"].pipeline.live.refresh()
    page = client.get("/", headers=BROWSER).text
    app.extensions["mtp"].close()
    rules = dict(part.strip().split(" ", 1) for part in POLICY.strip().split(";"))
    assert rules["script-src"] == "'nonce-...'"
    assert all('nonce="n0nce"' in tag for tag in re.findall(r"<script[^>]*>", page))
    (sheet,) = re.findall(r'<link[^>]*href="([^"]+)"', page)
    assert sheet.startswith("/")
    assert rules["style-src"] == "'self'"
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)
    pictures = re.findall(r'<img[^>]*src="([^"]+)"', page)
    assert pictures
    assert all(address.startswith(("/", "https:")) for address in pictures)
    (action,) = set(re.findall(r'<form[^>]*action="([^"]+)"', page))
    assert action.startswith("/")


def test_no_block_is_passed_over() -> None:
    assert len(blocks("mounting.md", "python")) == 7, "each has a name at the head of this file, and a test"
