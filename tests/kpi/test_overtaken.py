"""Two who count at once, as a lost lease allows: what one of them read before the other wrote is read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.errors import UnavailableError
from mtp_plugin.kpi.sketch import hashes_of
from mtp_plugin.kpis import day_of, roll_up
from mtp_plugin.store import kpi_counts
from mtp_plugin.store.reaching import reach

from .test_roll_up import DAY, HOUR, NOW, World, busy, same


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    made = World(tmp_path, 11, MTP_DATABASE_URL=url)
    made.roll(NOW - 6 * DAY)
    busy(made, 40)
    yield made
    made.state.close()


@pytest.mark.parametrize("read", ["_more", "_whole"])
def test_nothing_is_counted_twice(shop: World, read: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if read == "_more":
        shop.roll()
        for entry in list(shop.slates.values())[:20]:
            shop.happen(entry, "purchase", NOW)
    real = getattr(kpi_counts, read)

    def slow(*args: Any, **more: Any) -> Any:
        found = real(*args, **more)
        monkeypatch.setattr(kpi_counts, read, real)
        roll_up(shop.state, NOW)
        return found

    monkeypatch.setattr(kpi_counts, read, slow)
    shop.roll()
    same(shop)


def test_who_is_always_overtaken_gives_up(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.state.slates.flush()
    real = kpi_counts._whole

    def slow(connection: Any, *args: Any, **more: Any) -> Any:
        with shop.state.kpis._database.writing() as other:  # type: ignore[attr-defined]
            reach(other, kpi_counts.CURSOR, 0)
        return real(connection, *args, **more)

    monkeypatch.setattr(kpi_counts, "_whole", slow)
    with pytest.raises(UnavailableError, match="somebody else"):
        shop.state.kpis.add_slates(10, lambda hour: day_of(shop.state, hour * HOUR), lambda hour: hashes_of([]))
