"""What the page on enrichment shows works, and its tables name what there is."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from mtp_plugin.config import Settings
from mtp_plugin.profile.enrich.chain import _KINDS, EVENT_FIELDS
from mtp_plugin.profile.traits import REQUEST_TRAITS
from mtp_plugin.records import Signals
from mtp_plugin.store.crm import JOIN, SOURCES, declared_crm

from ..web.shop import build_shop
from .fences import blocks, fences, names, rows

TEXT = Path(__file__).parents[2].joinpath("docs/enrichment.md").read_text(encoding="utf-8")


def test_the_enricher_and_the_crms_shown(tmp_path: Path) -> None:
    shop = build_shop(tmp_path, mount=False)
    enricher, crms = blocks("enrichment.md", "python")
    exec(enricher, {"mtp": shop.mtp})
    exec(crms, {"mtp": shop.mtp})
    shop.mtp.init_app(shop.app)
    found = shop.state.enrichment.context(Signals(at=time.time()))
    assert (found.country, found.extra) == ("BE", {"store_nearby": False})
    assert list(shop.state.crms) == ["loyalty", "erp", "mailing"]
    shop.state.close()


def test_the_setting_and_the_commands_shown(tmp_path: Path) -> None:
    (given,) = blocks("enrichment.md", "json")
    crms = Settings.read({"MTP_CRM": json.loads(given)}).crm
    assert declared_crm("loyalty", crms["loyalty"]).traits == {"tier": "Tier"}
    shop = build_shop(tmp_path, crm={"loyalty": {"csv": str(tmp_path / "contacts.csv"), "id": "customer_no"}})
    (tmp_path / "contacts.csv").write_text("customer_no,tier\n1,gold\n")
    (lines,) = blocks("enrichment.md", "sh")
    run = shop.app.test_cli_runner().invoke
    for line in lines.splitlines():
        words = line.replace("contacts.csv", str(tmp_path / "contacts.csv")).split()[1:]
        done: Any = run(args=words)
        assert done.exit_code == 0, done.output
    shop.state.close()


def test_the_tables_name_everything() -> None:
    shown = {name for _, gives, _ in rows("enrichment.md", "enricher") for name in names(gives)}
    assert {*_KINDS} - {"locale"} <= shown
    options = {name for option, _ in rows("enrichment.md", "option") for name in names(option)}
    given = {*JOIN, *SOURCES, *(option for more in SOURCES.values() for option in more)} - {"timeout"}
    assert given <= options
    for name in (*EVENT_FIELDS, *REQUEST_TRAITS):
        assert f"`{name}`" in TEXT
    assert len(fences("enrichment.md")) == 4
