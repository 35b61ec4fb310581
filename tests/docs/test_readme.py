"""A stranger who follows the README alone gets a shop: its files are written, its commands run, as they stand there."""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from ..evaluate.test_baskets import history
from ..servers import free_port, kill, wait_until
from .fences import ROOT, blocks, rows
from .test_examples import agree, load, slate
from .with_curl import curl

PYTHON, KEYS = blocks("README.md", "python")
SETUP, INSTALL, SHOP, PAST, ASK, DEVELOP = blocks("README.md", "sh")
(PRODUCTS,) = blocks("README.md", "csv")


def test_no_command_is_passed_over() -> None:
    assert SETUP == "make demo\n"
    assert INSTALL == "pip install .\n", "tests/packaging installs the wheel"
    assert SHOP.splitlines() == ["flask mtp import-catalog products.csv", "flask run"]
    assert all(line.startswith("flask mtp ") for line in PAST.splitlines())
    assert ASK.startswith("curl ")
    assert all(line.startswith("make ") for line in DEVELOP.splitlines())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(PYTHON, encoding="utf-8")
    (tmp_path / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    return tmp_path


def start(line: str, folder: Path, *more: str) -> subprocess.Popen[str]:
    """Begin a command as a shell in *folder* would, by the executables beside this interpreter."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {key: value for key, value in os.environ.items() if not key.startswith(("FLASK_", "MTP_"))}
    pipe = subprocess.PIPE
    words = [*shlex.split(line), *more]
    return subprocess.Popen(words, cwd=folder, env={**own, "PATH": path}, stdout=pipe, stderr=pipe, text=True)


@pytest.fixture
def served(folder: Path) -> Iterator[str]:
    """The address of the shop after both commands; the port alone is another."""
    first, second = SHOP.splitlines()
    done = start(first, folder)
    out, err = done.communicate()
    assert done.returncode == 0, err
    assert "10 products added" in out
    address = f"http://127.0.0.1:{free_port()}"
    server = start(second, folder, "--port", address.rpartition(":")[2])
    try:
        wait_until(lambda: server.poll() is not None or _answers(address), "an answer of flask run")
        assert server.poll() is None, server.communicate()
        yield address
    finally:
        kill(server)
        server.communicate()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address + "/mtp/health/live", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_a_stranger_gets_a_shop(served: str) -> None:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    browser.addheaders = [("User-Agent", "Mozilla/5.0 (X11) Firefox/140"), ("Sec-Fetch-Site", "same-origin")]

    def get(path: str) -> str:
        with browser.open(served + path) as answer:
            return str(answer.read().decode())

    first = get("/")
    assert "Why these?" in first
    assert "data-mtp-consent" in first
    browser.open(served + "/mtp/v1/privacy/consent", data=b"choice=granted&next=/").close()
    links = re.findall(r'href="(/product/[^"]+)"', first)
    assert len(set(links)) == len(slate(first, "home-hero")) == 6
    get(links[-1])
    last = get("/")
    assert slate(last, "home-hero") != slate(first, "home-hero")
    assert "data-mtp-consent" not in last
    assert "Similar to" in last, "it says why"


def test_past_orders_to_a_slate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's sequence on a small file of the same layout, one of whose customers has the number it asks for."""
    monkeypatch.chdir(folder)
    text = history(folder / "orders.csv").read_text(encoding="utf-8").replace(",7,UK", ",17850,UK")
    with gzip.open("online_retail.csv.gz", "wt", encoding="utf-8") as file:
        file.write(text)
    assert "mtp = MTP(app)" in PYTHON
    Path("app.py").write_text(PYTHON.replace("mtp = MTP(app)", f"{KEYS}mtp = MTP(app)"), encoding="utf-8")
    app = load(folder / "app.py", folder, monkeypatch).app
    for line in PAST.splitlines():
        done = app.test_cli_runner().invoke(args=shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}: {done.output}"
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        status, body = curl(ASK.replace("127.0.0.1:5000", f"127.0.0.1:{server.server_port}"))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["mtp"].close()
    found = json.loads(body)
    assert status == 200
    assert (found["consent_level"], found["fallback_level"]) == ("full", 0)
    shelf = {f"{10000 + 7 * 10 + one}" for one in range(10)}
    assert len(found["items"]) == 6
    assert {item["product_id"] for item in found["items"]} <= shelf, "what this customer buys, and nobody else's"


def test_the_shop_of_the_readme_changes_for_whoever_agreed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = load(folder / "app.py", folder, monkeypatch).app
    assert app.test_cli_runner().invoke(args=["mtp", "import-catalog", str(folder / "products.csv")]).exit_code == 0
    agreed, undecided = app.test_client(), app.test_client()
    agree(agreed)
    for client in (agreed, undecided):
        client.get("/product/mug-1", headers={"User-Agent": "Mozilla/5.0 (X11) Firefox/140"})
    count = app.extensions["mtp"].journal.count()
    app.extensions["mtp"].close()
    assert count == 1, "nothing is kept of who was not asked"


def test_figures_are_those_of_the_page_on_quality() -> None:
    """Each served figure stands in bold in ``docs/quality.md``, each peer's in the row of its name."""
    page = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8")
    peers = {"item-item cosine": "item-item cosine", "own most frequent": "own frequency"}
    figures = rows("README.md", "task | data")
    assert len(figures) == 4
    for _, data, served, peer in figures:
        figure, name = peer.split(", ")
        (row,) = {theirs for ours, theirs in peers.items() if ours in name}
        assert f"**{served}" in page
        assert re.search(rf"^\| {row} \|.* {re.escape(figure)}[ /]", page, re.MULTILINE), peer
        (cases,) = re.findall(r", ([\d,]+) (?:cases|orders)", data)
        assert f"{cases} " in page
