"""Take the pictures of ``docs/images`` anew from a running demo store (``make demo`` in another terminal).

``python docs/screenshots.py [--address http://127.0.0.1:5000]``. Needs playwright and a Chromium (``MTP_CHROMIUM``,
else Debian's); where the typeface Inter is installed it stands for the system's, so that pictures look alike wherever
they are taken.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
QUALITY = 86
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<match target="pattern">
<edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match></fontconfig>"""


def somebody(browser: Browser, address: str, persona: str, theme: str, height: int = 900) -> Page:
    """A window in which somebody has agreed to be known, and is one of the simulated shoppers."""
    page = browser.new_context(viewport={"width": 1440, "height": height}, color_scheme=theme).new_page()
    page.goto(address)
    page.locator(".mtp-consent button[value=granted]").click()
    page.locator(".mtp-consent").wait_for(state="detached")
    page.goto(f"{address}/account")
    page.get_by_role("main").get_by_role("button", name=re.compile(persona)).click()
    page.locator(".menu summary", has_text=persona).wait_for()
    return page


def take(page: Page, name: str) -> None:
    """Keep what the window shows as ``docs/images/NAME.webp``."""
    # A window without a head shows no scrollbar, and the room that is kept for it stays bare.
    page.evaluate("document.documentElement.style.scrollbarGutter = 'auto'")
    page.wait_for_timeout(2000)
    session = page.context.new_cdp_session(page)
    shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    path = IMAGES / f"{name}.webp"
    path.write_bytes(base64.b64decode(shot["data"]))
    print(f"{path.relative_to(IMAGES.parents[1])}: {path.stat().st_size / 1000:.0f} kB")


def take_all(browser: Browser, address: str) -> None:
    """The front page in the light; a product with the inspector in the dark."""
    IMAGES.mkdir(exist_ok=True)
    page = somebody(browser, address, "Greta", "light", height=1150)
    page.goto(address)
    take(page, "demo-home")
    page = somebody(browser, address, "Niko", "dark")
    page.goto(f"{address}/shop/lamps")
    page.get_by_role("link", name="Inspector").first.click()
    page.goto(f"{address}/products/glint-task-lamp")
    page.locator("[data-part=block-product-similar]").wait_for()
    page.evaluate("document.querySelector('[data-part=block-product-together]').scrollIntoView({block: 'center'})")
    page.evaluate("document.querySelector('[data-mtp-placement=product-together]').scrollIntoView({block: 'center'})")
    take(page, "demo-inspector")


def take_console(browser: Browser, address: str) -> None:
    """The console: its overview, and a rule that is tried before it is saved."""
    page = browser.new_context(viewport={"width": 1440, "height": 920}, color_scheme="light").new_page()
    page.goto(f"{address}/mtp/admin/")
    take(page, "console-overview")
    page = browser.new_context(viewport={"width": 1440, "height": 1180}, color_scheme="light").new_page()
    page.goto(f"{address}/mtp/admin/rules/new")
    for place, (fact, value) in enumerate((("context.commuting", "true"), ("context.device", "mobile"))):
        page.locator(f"[id='when.{place}.fact']").fill(fact)
        page.locator(f"[id='when.{place}.value']").fill(value)
        page.get_by_role("button", name="Another fact").click()
    page.locator("[id='effect.0.where.0.fact']").fill("tags")
    page.locator("[id='effect.0.where.0.comparison']").select_option("$in")
    page.locator("[id='effect.0.where.0.value']").fill("portable, commute")
    page.get_by_label("Id", exact=True).fill("commuters")
    page.get_by_label("At", exact=True).select_option("home-hero")
    page.get_by_text("Page, device and moment").click()
    page.get_by_label("Device").select_option("mobile")
    page.get_by_label("Commuting").select_option("yes")
    page.get_by_role("button", name="Test").last.click()
    page.get_by_text("Page, device and moment").click()
    page.evaluate("document.querySelector('.more[open]')?.removeAttribute('open'); scrollTo(0, 0)")
    take(page, "console-rule")


def main() -> None:
    """Open a browser and take them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:5000")
    address = parser.parse_args().address
    program = os.environ.get("MTP_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        fonts = Path(folder) / "fonts.conf"
        fonts.write_text(FONTS)
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--user-agent={AGENT}"],
            env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
        )
        take_all(browser, address)
        take_console(browser, address)
        browser.close()


if __name__ == "__main__":
    main()
