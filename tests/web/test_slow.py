"""A database that answers late: one page waits for one answer, the others for none, and all come back by themselves."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mtp_plugin.errors import UnavailableError
from mtp_plugin.patience import hurry, patiently, rest
from mtp_plugin.store.database import Database

from ..servers import wait_until
from ..slow_proxy import SlowProxy
from .shop import Shop

pytestmark = pytest.mark.postgres
Make = Callable[..., Shop]


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[SlowProxy]:
    between = SlowProxy(int(re.search(r":(\d+)/", postgres_url).group(1)))  # type: ignore[union-attr]
    yield between
    between.close()


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the thread of the visitor asked the database and waited for."""
    asked: list[str] = []
    glance = Database._glance

    def noted(self: Database, engine: Any, query: Any, values: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            asked.append(str(query))
        return glance(self, engine, query, values)

    monkeypatch.setattr(Database, "_glance", noted)
    return asked


def through(proxy: SlowProxy, url: str) -> str:
    return re.sub(r":\d+/", f":{proxy.port}/", url)


def doubt(shop: Shop) -> Any:
    return shop.state.catalog_store._database._doubt  # type: ignore[attr-defined]


@pytest.mark.parametrize("fault", ["late", "held", "cut"])
def test_one_answer_is_waited_for_and_then_none(
    make_shop: Make, postgres_url: str, proxy: SlowProxy, waited: list[str], fault: str
) -> None:
    shop = make_shop(database_url=through(proxy, postgres_url), latency_budget_ms=500)
    browser = shop.browser().agree()
    browser.view("p001")
    wait_until(lambda: "p001" in browser.get("/").text and not doubt(shop).raised, "a page with the visitor's own")
    try:
        if fault == "late":
            proxy.delay = 1.0
        elif fault == "held":
            proxy.open.clear()
        else:
            proxy.refuses = True
            proxy.cut()
        waited.clear()
        wait_until(lambda: (browser.get("/"), doubt(shop).raised)[1], "a page that finds out")
        # One answer came too late, or a thread found out before. A dead connection is tried twice.
        assert len(waited) <= 3
        waited.clear()
        pages = [browser.get("/") for _ in range(20)]
        assert not waited
        for page in pages:
            assert page.status_code == 200
            assert 'data-mtp-placement="home-hero"' in page.text
    finally:
        proxy.delay, proxy.refuses = 0.0, False
        proxy.open.set()
    wait_until(lambda: not doubt(shop).raised, "the database is in time again")
    wait_until(lambda: "p001" in browser.get("/").text, "a page with the visitor's own")


def test_who_is_patient_gets_late_answers(make_shop: Make, postgres_url: str, proxy: SlowProxy) -> None:
    shop = make_shop(database_url=through(proxy, postgres_url), latency_budget_ms=200)
    catalog = shop.state.catalog_store
    version = catalog.version()
    proxy.delay = 0.3
    assert catalog.version() == version, "outside of requests nobody waits"
    hurry()
    try:
        with contextlib.suppress(UnavailableError):
            catalog.version()  # perhaps a thread found out before
        with pytest.raises(UnavailableError):
            catalog.version()
        with patiently():
            assert catalog.version() == version
    finally:
        rest()
    browser = shop.browser().agree()
    browser.get("/sign-in/ada")
    received = browser.view("p002")
    assert received["accepted"] == 1, "events are kept, however late: nobody's page waits for them"
