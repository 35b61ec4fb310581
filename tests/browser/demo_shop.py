"""The demo store, running, for the tests that open it in a browser."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

from demo_store import create_app
from mtp_plugin.records import Event, Profile
from mtp_plugin.state import State

PAGES = (
    "/", "/shop/lamps", "/shop/home", "/shop/everything?show=sale&sort=price", "/products/glint-task-lamp",
    "/search?q=mug", "/search?q=nothingofthekind", "/basket", "/account", "/preferences", "/inspector", "/about",
    "/not-there",
)  # fmt: skip
"""Every kind of page of the shop that can be opened by its address."""


@dataclass(frozen=True)
class Store:
    """The running shop."""

    app: Flask
    url: str
    strangers: frozenset[str]

    @property
    def state(self) -> State:
        found = self.app.extensions["mtp"]
        assert isinstance(found, State)
        return found

    def visitors(self) -> set[str]:
        """Profiles of those who really came."""
        known = {name for batch in self.state.journal.profile_ids() for name in batch}
        return known - self.strangers

    def events(self) -> list[Event]:
        return [event for name in self.visitors() for event in self.state.journal.events_of(name)]

    def wait_for(self, name: str, fits: Callable[[Event], bool] = lambda event: True) -> Event:
        """The first such event, as soon as it is stored."""
        for _ in range(100):
            for event in self.events():
                if event.name == name and fits(event):
                    return event
            time.sleep(0.1)
        raise AssertionError(f"no {name}; there are {[event.name for event in self.events()]}")

    def profile(self) -> Profile:
        (name,) = self.visitors()
        found = self.state.journal.profiles([name])[0]
        assert found is not None
        return found


def build_shop(folder: Path) -> None:
    """Make an instance folder of a shop that has had shoppers."""
    app = create_app({"DEMO_INSTANCE": str(folder)})
    answer = app.test_cli_runner().invoke(args=["demo", "build", "--visitors", "250"])
    assert answer.exit_code == 0, answer.output
    app.extensions["mtp"].close()


@contextmanager
def running_shop(built: Path, folder: Path) -> Iterator[Store]:
    """Serve a copy of what was built."""
    shutil.copytree(built, folder)
    server = make_server("127.0.0.1", 0, _not_yet, threaded=True)
    app = create_app({"DEMO_INSTANCE": str(folder), "DEMO_PORT": server.server_port})
    server.app = app
    state = app.extensions["mtp"]
    strangers = frozenset(name for batch in state.journal.profile_ids() for name in batch)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Store(app, f"http://127.0.0.1:{server.server_port}", strangers)
    server.shutdown()
    thread.join()
    server.server_close()
    state.close()


def _not_yet(environ: object, start_response: object) -> list[bytes]:
    """Holds the port, whose number the shop must know before it is made."""
    raise RuntimeError("the shop is not there yet")


def agree(page: Page, store: Store) -> None:
    """Say yes to personalisation."""
    page.goto(store.url)
    page.locator(".mtp-consent button[value=granted]").click()
    page.locator(".mtp-consent").wait_for(state="detached")


def be(page: Page, store: Store, persona: str) -> None:
    """Agree, and browse as one of the personas."""
    agree(page, store)
    page.goto(f"{store.url}/account")
    page.get_by_role("main").get_by_role("button", name=persona).click()
    page.wait_for_load_state("load")


def fill_basket(page: Page, store: Store) -> None:
    """Put something that is there into the basket."""
    page.goto(f"{store.url}/shop/mugs?show=stock")
    page.locator(".shelf .cover").first.click()
    page.get_by_role("button", name="Put in the basket").click()
    page.wait_for_url("**/basket")
