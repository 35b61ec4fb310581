"""A disk that is full: pages go on, events are refused and not lost, a model that does not fit changes nothing."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtp_plugin.errors import MTPError
from mtp_plugin.training import train_content

from ..servers import missing
from ..web.shop import Browser, Shop, build_shop

MEGABYTES = 24


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, in memory and small."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "mtp-test", str(folder)]
    if os.geteuid() or subprocess.run(words, capture_output=True, check=False).returncode:
        missing("a file system cannot be mounted here: run as root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def shop(disk: Path) -> Iterator[Shop]:
    shop = build_shop(disk)
    yield shop
    shop.state.close()


def fill(disk: Path) -> Path:
    """Leave not a byte; gives the file to delete."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def view(browser: Browser, number: int) -> int:
    """The status that one event is answered with."""
    body = {"event": "Product Viewed", "messageId": f"m{number}", "properties": {"product_id": f"p{number % 120:03d}"}}
    return browser.post("/mtp/v1/track", json=body).status_code


def test_pages_go_on_and_what_was_answered_for_is_there(shop: Shop, disk: Path) -> None:
    browser = shop.browser().agree()
    answered = [number for number in range(20) if view(browser, number) == 200]
    assert len(answered) == 20
    filler = fill(disk)
    refused = 0
    for number in range(20, 400):
        status = view(browser, number)
        assert status in (200, 503)
        if status == 200:  # the log still has room within pages that were there
            answered.append(number)
        else:
            refused += 1
            page = browser.get("/")
            assert page.status_code == 200
            assert 'data-mtp-placement="home-hero"' in page.text
            assert 'data-mtp-placement="recently-viewed"' in page.text, "what is there can be read"
        if refused == 5:
            break
    assert refused == 5, "the disk is full and nobody noticed"
    filler.unlink()
    assert view(browser, 1000) == 200, "no restart is needed"
    answered.append(1000)
    stored = Counter(event.message_id for batch in shop.state.journal.scan() for event in batch)
    assert {f"m{number}" for number in answered} <= stored.keys()
    assert set(stored.values()) == {1}
    profile = next(one for ids in shop.state.journal.profile_ids() for one in shop.state.journal.profiles(ids))
    assert profile is not None
    assert profile.events == sum(stored.values())


def test_a_model_that_does_not_fit_leaves_the_one_before(shop: Shop, disk: Path) -> None:
    live = shop.state.pipeline.live
    version = train_content(shop.state.registry, live.refresh().table, seed=0, progress=lambda text: None)
    assert live.refresh().versions[2] == version
    filler = fill(disk)
    with pytest.raises((MTPError, OSError)):
        train_content(shop.state.registry, live.get().table, seed=1, progress=lambda text: None)
    assert shop.state.registry.current("content") == version
    assert live.refresh().versions[2] == version
    answer = shop.browser().get("/mtp/v1/recommendations?placement=product-similar&product_ids=p001").get_json()
    assert answer["items"]
    filler.unlink()
    again = train_content(shop.state.registry, live.get().table, seed=1, progress=lambda text: None)
    assert live.refresh().versions[2] == again
