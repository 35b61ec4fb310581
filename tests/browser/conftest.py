"""A real Chromium for browser tests: Debian's, or the one that ``MTP_CHROMIUM`` names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

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
