"""A shop whose console can be opened, by somebody whose role a test chooses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from ..web.shop import Shop, build_shop

HOME = "/mtp/admin"


@dataclass
class Desk:
    """Somebody at the console: a browser that keeps cookies and sends forms as pages give them."""

    shop: Shop
    who: list[Any] = field(default_factory=lambda: ["administrator"])

    def __post_init__(self) -> None:
        self.client = self.shop.app.test_client()

    def be(self, answer: Any) -> Desk:
        """What the shop's guard says from now on."""
        self.who[0] = answer
        return self

    def get(self, path: str = "/", **more: Any) -> TestResponse:
        return self.client.get(f"{HOME}{path}", **more)

    def token(self) -> str:
        """A token of a page of this browser."""
        found = re.search(r'name="console_token" value="([^"]+)"', self.get("/health/").text)
        assert found
        return unescape(found[1])

    def post(self, path: str, token: str | None = None, **form: Any) -> TestResponse:
        form["console_token"] = self.token() if token is None else token
        return self.client.post(f"{HOME}{path}", data=form)


def open_desk(folder: Path, **config: Any) -> Desk:
    """A shop with a guard."""
    desk = Desk(build_shop(folder, **config))
    desk.shop.mtp.admin_guard(lambda: desk.who[0])
    return desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = open_desk(tmp_path)
    yield desk
    desk.shop.state.close()


@pytest.fixture(scope="package")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """For tests that leave nothing behind; each begins as the administrator."""
    desk = open_desk(tmp_path_factory.mktemp("console"))
    yield desk
    desk.shop.state.close()
