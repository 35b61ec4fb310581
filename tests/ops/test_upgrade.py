"""From the version before the newest migration to this one and back, as the page says: the real code of both."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mtp_plugin.store.migrate import HEAD

from ..servers import missing
from .test_backup import commands, run

ROOT = Path(__file__).parents[2]
EMPTY = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
"""As the page has it."""
VISIT = """
import json, sys
from pathlib import Path
from mtp_plugin.store.migrate import HEAD
from tests.web.shop import SECRET, build_shop
told = json.loads(sys.argv[1])
shop = build_shop(Path(told["folder"]), **told["config"])
client = shop.app.test_client()
for number in range(*told["views"]):
    body = {"event": "Product Viewed", "userId": "ada", "messageId": f"m{number}",
            "properties": {"product_id": f"p{number % 9:03d}"}}
    assert client.post("/mtp/v1/track", json=body, auth=(SECRET, "")).get_json()["accepted"] == 1
slate = client.get("/mtp/v1/recommendations?placement=home-trending&user_id=ada", auth=(SECRET, "")).get_json()
(profile,) = shop.state.journal.profiles(["u:ada"])
print(json.dumps({"code": HEAD, "database": shop.state.catalog_store._database.revision(), "seen": profile.events,
                  "events": shop.state.journal.count(), "shown": bool(slate["items"])}))
shop.state.close()
"""


def git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        missing("the history of the code is not here: git fetch --unshallow")
    return done.stdout


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code as it was before the newest migration came."""
    log = git("log", f'-SHEAD = "{HEAD}"', "--format=%h", "--reverse", "--", "mtp_plugin/store/migrate.py")
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=io.BytesIO(git("archive", f"{log.split()[0].decode()}^"))) as archive:
        archive.extractall(folder, filter="data")
    return folder


def visited(code: Path, folder: Path, config: dict[str, Any], *views: int) -> subprocess.CompletedProcess[str]:
    """What a shop of this code says after these views."""
    told = json.dumps({"folder": str(folder / "instance"), "config": config, "views": views})
    environment = os.environ | {"PYTHONPATH": str(code)}
    words = [sys.executable, "-c", VISIT, told]
    return subprocess.run(words, cwd=code, env=environment, capture_output=True, text=True, check=False)


def said(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_there_and_back(kind: str, before: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    assert EMPTY in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    config, url = {}, ""
    if kind == "postgres":
        url = request.getfixturevalue("postgres_url")
        config = {"database_url": url}
    for name in ("backup", "instance/mtp_models"):
        (tmp_path / name).mkdir(parents=True)
    old = said(visited(before, tmp_path, config, 0, 30))
    assert old["code"] == old["database"] < HEAD
    assert old["events"] == old["seen"] == 30

    out, back = commands("pg_dump") if kind == "postgres" else (commands("VACUUM")[0], "")
    run(out, tmp_path, DATABASE=url)
    new = said(visited(ROOT, tmp_path, config, 20, 40))
    assert new["code"] == new["database"] == HEAD
    assert new["events"] == new["seen"] == 40, "what the version before recorded is recognised and counts"
    assert new["shown"]

    refused = visited(before, tmp_path, config, 40, 41)
    assert refused.returncode != 0
    assert "install the version that made them" in refused.stderr
    assert said(visited(ROOT, tmp_path, config, 0, 1))["events"] == 40, "it changed nothing"

    if url:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(EMPTY)
    for line in [back] if kind == "postgres" else commands("mtp.sqlite-wal")[:2]:
        run(line, tmp_path, DATABASE=url)
    again = said(visited(before, tmp_path, config, 30, 35))
    assert again["database"] == old["database"]
    assert again["events"] == again["seen"] == 35
    assert again["shown"]
    assert said(visited(ROOT, tmp_path, config, 34, 41))["events"] == 41, "and forth once more"
