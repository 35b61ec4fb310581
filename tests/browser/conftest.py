"""A real Chromium for browser tests: Debian's, or the one that ``MTP_CHROMIUM`` names."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--user-agent={AGENT}",
)
"""Containers have no user namespaces for a sandbox; a test asks nothing of the internet; a browser that calls itself
headless is taken for a bot. It is named here because a name given to a context is lost on what a page sends last.
"""


def find_chromium() -> str | None:
    """Path of a Chromium, ``None`` if there is none."""
    names = (os.environ.get("MTP_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """A headless browser for the whole run; without one tests skip, with ``CI`` set they fail."""
    missing = ""
    if find_chromium() is None:
        missing = "no Chromium: install the package chromium or set MTP_CHROMIUM"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing = "playwright is not installed"
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance folder of the demo store that has had shoppers; copy it."""
    from .demo_shop import build_shop

    folder = tmp_path_factory.mktemp("built")
    build_shop(folder)
    return folder


@pytest.fixture
def store(built: Path, tmp_path: Path) -> Iterator[Any]:
    """The demo store, running, with nobody real in it yet."""
    from .demo_shop import running_shop

    with running_shop(built, tmp_path / "instance") as store:
        yield store


@pytest.fixture(scope="module")
def front(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The demo store, running, for tests of a module that do not care who else was there."""
    from .demo_shop import running_shop

    with running_shop(built, tmp_path_factory.mktemp("front") / "instance") as store:
        yield store


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens a browser window; whatever its console complains about fails the test."""
    contexts, complaints = [], []

    def note(line: Any) -> None:
        # A page that is not there, and a form that comes back with its errors, are answers too.
        if line.type == "error" and not re.search("status of (404|422)", line.text):
            complaints.append(line.text)

    def open_window(**options: Any) -> Any:
        context = chromium.new_context(user_agent=AGENT, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", note)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []
