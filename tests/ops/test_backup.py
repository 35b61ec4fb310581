"""Backups as the page says: taken while events come in, restored, and the shop goes on from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from mtp_plugin.errors import SetupError
from mtp_plugin.state import State
from mtp_plugin.store.migrate import HEAD, VERSION_TABLE

from ..docs.fences import blocks
from ..servers import missing, postgres_programs
from ..web.shop import SECRET, Shop, build_shop

DURING = 200


def commands(word: str) -> list[str]:
    """The lines of the page's block that has *word* in it."""
    return next(block for block in blocks("operations.md", "sh") if word in block).splitlines()


def run(line: str, folder: Path, **environment: str) -> None:
    """One line of the page, by a shell in a folder."""
    path = os.pathsep.join([str(Path(sys.executable).parent), str(postgres_programs() or ""), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-ec", line], cwd=folder, env=os.environ | environment | {"PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def view(shop: Shop, number: int) -> None:
    body = {"event": "Product Viewed", "userId": f"u{number % 7}", "messageId": f"m{number}",
            "properties": {"product_id": f"p{number % 9:03d}"}}  # fmt: skip
    assert shop.app.test_client().post("/mtp/v1/track", json=body, auth=(SECRET, "")).get_json()["accepted"] == 1


@contextmanager
def events_meanwhile(shop: Shop) -> Iterator[None]:
    """Events come in from another thread while something else is done."""
    began = threading.Event()

    def send() -> None:
        for number in range(DURING):
            view(shop, 1000 + number)
            began.set()

    sender = threading.Thread(target=send)
    sender.start()
    began.wait()
    yield
    sender.join()


def check(state: State, at_least: int) -> int:
    """Events and profiles agree, all from before the backup are there, and folding anew changes nothing."""
    found = state.journal.count()
    assert at_least <= found <= at_least + DURING
    before = state.journal.profiles([f"u:u{number}" for number in range(7)])
    assert state.pipeline.rebuild() == 7
    assert [one.profile_id for one in state.journal.profiles([f"u:u{number}" for number in range(7)])] == [
        one.profile_id for one in before
    ]
    assert state.audit is not None
    return found


def serves(shop: Shop) -> None:
    answer = shop.app.test_client().get("/mtp/v1/recommendations?placement=home-trending&user_id=u1", auth=(SECRET, ""))
    assert answer.get_json()["items"]


def test_sqlite(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    (tmp_path / "backup").mkdir()
    shop = build_shop(instance)
    for number in range(50):
        view(shop, number)
    with events_meanwhile(shop):
        (instance / "mtp_models").mkdir(exist_ok=True)
        for line in commands("VACUUM"):
            run(line, tmp_path)
    assert shop.state.journal.count() == 50 + DURING
    shop.state.close()
    (instance / "mtp.sqlite").write_bytes(b"the disk has gone")
    shutil.rmtree(instance / "mtp_models")
    remove, copy, unpack, doctor = commands("mtp.sqlite-wal")
    for line in (remove, copy, unpack):
        run(line, tmp_path)
    again = build_shop(instance)
    check(again.state, 50)
    serves(again)
    said = again.app.test_cli_runner().invoke(args=doctor.removeprefix("flask ").split())
    assert "BROKEN" not in said.output
    view(again, 5000)
    again.state.close()


@pytest.mark.postgres
def test_postgres(tmp_path: Path, postgres_url: str) -> None:
    if postgres_programs() is None:
        missing("PostgreSQL is not installed: apt-get install postgresql")
    (tmp_path / "backup").mkdir()
    shop = build_shop(tmp_path / "instance", database_url=postgres_url)
    for number in range(50):
        view(shop, number)
    dump, restore = commands("pg_dump")
    plain = postgres_url.replace("+psycopg", "")
    with events_meanwhile(shop):
        run(dump, tmp_path, DATABASE=plain)
    assert shop.state.journal.count() == 50 + DURING
    shop.state.close()
    run(restore, tmp_path, DATABASE=plain)
    again = build_shop(tmp_path / "instance", database_url=postgres_url)
    check(again.state, 50)
    serves(again)
    view(again, 5000)
    again.state.close()


def test_an_older_version_leaves_a_newer_database_alone(tmp_path: Path) -> None:
    shop = build_shop(tmp_path)
    view(shop, 1)
    shop.state.close()
    engine = create_engine(f"sqlite:///{tmp_path / 'mtp.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(SetupError, match=f"knows {HEAD}: install the version that made them"):
        _count(build_shop(tmp_path).state)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{HEAD}'"))
    engine.dispose()
    again = build_shop(tmp_path)
    assert _count(again.state) == 1
    again.state.close()


def _count(state: State) -> Any:
    return state.journal.count()
