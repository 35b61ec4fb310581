"""The shops of README and docs are files, and the files run."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ..core.shops import BROWSER

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"


def load(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Run a file as a module, its instance folder being *folder*."""
    monkeypatch.setattr(Flask, "auto_find_instance_path", lambda app: str(folder))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(__import__("sys").modules, path.stem, module)
    spec.loader.exec_module(module)
    return module


def blocks(markdown: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", markdown, re.S)


def slate(html: str, placement: str) -> list[str]:
    found = re.search(rf'data-mtp-placement="{placement}".*?</section>', html, re.S)
    return re.findall(r'data-mtp-item="([^"]+)"', found.group()) if found else []


def agree(client: FlaskClient) -> None:
    answer = client.post("/mtp/v1/privacy/consent", data={"choice": "granted", "next": "/"}, headers=BROWSER)
    assert answer.status_code == 303


# ------------------------------------------------------------------------------------------- the quick start


def test_the_readme_shows_the_quick_start_as_it_is() -> None:
    shown = blocks((ROOT / "README.md").read_text(), "python")
    assert (EXAMPLES / "quickstart.py").read_text() in shown


def test_the_quick_start_has_eleven_lines() -> None:
    lines = [line for line in (EXAMPLES / "quickstart.py").read_text().splitlines() if line.strip()]
    assert len(lines) == 11


def test_one_view_changes_the_next_slate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retail_catalog: Path) -> None:
    app = load(EXAMPLES / "quickstart.py", tmp_path, monkeypatch).app
    done = app.test_cli_runner().invoke(args=["mtp", "import-catalog", str(retail_catalog)])
    assert done.exit_code == 0, done.output
    client = app.test_client()
    agree(client)
    before = slate(client.get("/", headers=BROWSER).text, "home-hero")
    pen = "GGCOGOAC101259"
    client.get(f"/product/{pen}", headers=BROWSER)
    after = client.get("/", headers=BROWSER).text
    assert len(before) == len(slate(after, "home-hero")) == 6
    assert before != slate(after, "home-hero")
    assert "Similar to #IamRemarkable Pen" in after
    assert len(app.extensions["mtp"].pipeline.live.get().table) == 316


@pytest.fixture
def retail_catalog(test_data: Path) -> Path:
    return test_data / "catalogs" / "google_retail_products.jsonl"


# ------------------------------------------------------------------------------------------ the existing shop


@pytest.fixture
def existing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    module = load(EXAMPLES / "existing_shop" / "shop.py", tmp_path, monkeypatch)
    module.app = module.create_app(TESTING=True)
    with module.app.app_context():
        module.db.create_all()
        brands = [module.Brand(name=name) for name in ("Alba", "Brenn")]
        for number in range(24):
            kind = ("Lamp", "Chair", "Mug")[number % 3]
            module.db.session.add(
                module.Item(
                    name=f"{kind} {number}",
                    brand=brands[number % 2],
                    department=kind,
                    cents=1000 + 100 * number,
                    pieces=1,
                )
            )
        module.db.session.add(module.Customer(name="ada"))
        module.db.session.commit()
    yield module
    with module.app.app_context():
        module.db.session.remove()
        for engine in module.db.engines.values():
            engine.dispose()
    module.app.extensions["mtp"].close()


def test_the_walk_shows_the_shop_as_it_is() -> None:
    walk = (ROOT / "docs" / "existing-shop.md").read_text()
    shop = EXAMPLES / "existing_shop"
    code = (shop / "shop.py").read_text()
    pages = "".join(path.read_text() for path in (shop / "templates").iterdir())
    assert len(blocks(walk, "python")) >= 6
    assert all(block in code for block in blocks(walk, "python"))
    assert all(block in pages for block in blocks(walk, "html"))


def test_the_existing_shop_from_import_to_order(existing: Any) -> None:
    app, client = existing.app, existing.app.test_client()
    done = app.test_cli_runner().invoke(args=["mtp", "import-catalog"])
    assert done.exit_code == 0, done.output
    assert "24 products added" in done.output
    agree(client)

    client.post("/sign-in", data={"name": "ada"}, headers=BROWSER)
    client.post("/cart/3", headers=BROWSER)
    cart = client.get("/cart", headers=BROWSER).text
    assert slate(cart, "cart-complete")
    assert "3" not in slate(cart, "cart-complete")

    client.post("/order", headers=BROWSER)
    state = app.extensions["mtp"]
    names = [event.name for event in state.journal.events_of("u:1")]
    assert names == ["Product Added", "Order Completed"], "the events belong to the account"
    profile = state.journal.profiles(["u:1"])[0]
    assert [purchase.product_id for purchase in profile.purchases] == ["3"]

    home = client.get("/", headers=BROWSER)
    assert slate(home.text, "home-hero")
    assert "3" not in slate(home.text, "home-hero"), "it is sold out in the shop's own table, whatever the import knows"
    assert "unsafe-inline" not in home.headers["Content-Security-Policy"]
    nonce = re.search(r"'nonce-([^']+)'", home.headers["Content-Security-Policy"])
    assert nonce is not None
    assert f'nonce="{nonce.group(1)}"' in home.text


def test_customers_do_not_meet(existing: Any) -> None:
    existing.app.test_cli_runner().invoke(args=["mtp", "import-catalog"])
    ada, ben = existing.app.test_client(), existing.app.test_client()
    for client in (ada, ben):
        agree(client)
    ada.post("/sign-in", data={"name": "ada"}, headers=BROWSER)
    ada.post("/cart/5", headers=BROWSER)
    assert slate(ada.get("/", headers=BROWSER).text, "recently-viewed") == []  # what is in the cart is not shown again
    assert existing.app.extensions["mtp"].journal.profiles(["u:1"])[0].events == 1
    assert slate(ben.get("/", headers=BROWSER).text, "recently-viewed") == []
