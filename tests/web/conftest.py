from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .shop import Shop, build_shop


@pytest.fixture
def make_shop(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """Builds shops, each in a folder of its own, and closes them."""
    made: list[Shop] = []

    def make(**config: Any) -> Shop:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(build_shop(folder, **config))
        return made[-1]

    yield make
    for shop in made:
        shop.state.close()


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop()


@pytest.fixture(scope="session")
def steady_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all tests that only ask and leave nothing behind."""
    shop = build_shop(tmp_path_factory.mktemp("steady"))
    yield shop
    shop.state.close()
