"""Mounting: three ways, several applications, refusals that name the remedy, switches."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest
from flask import Flask, render_template_string

from mtp_plugin import MTP, SetupError
from mtp_plugin.errors import InputError, SettingError

from .shops import BROWSER, bare_app, mounted, watches

ROOT = Path(__file__).parents[2]
PAGE = '{{ mtp_scripts() }}{{ mtp_block("home-hero") }}{{ mtp_block("category-top") }}{{ mtp_consent() }}'


def page_of(app: Flask) -> str:
    with app.test_request_context("/", headers=BROWSER):
        return render_template_string(PAGE)


def placements_in(html: str) -> list[str]:
    return re.findall(r'data-mtp-placement="([^"]+)"', html)


@pytest.mark.parametrize("way", ["at-once", "factory", "blueprint"])
def test_three_ways_to_mount(tmp_path: Path, way: str) -> None:
    app = bare_app(tmp_path)
    if way == "at-once":
        MTP(app)
    elif way == "factory":
        mtp = MTP()
        mtp.init_app(app)
    else:
        app.register_blueprint(MTP().blueprint, url_prefix="/deep/down")
    prefix = "/deep/down" if way == "blueprint" else "/mtp"
    assert app.test_client().get(f"{prefix}/health/live").status_code == 200
    assert f'src="{prefix}/widget.js' in page_of(app)


def test_the_prefix_is_a_setting_for_the_bare_blueprint_too(tmp_path: Path) -> None:
    app = bare_app(tmp_path, MTP_URL_PREFIX="/personal")
    app.register_blueprint(MTP().blueprint)
    assert app.test_client().get("/personal/health/live").status_code == 200


@pytest.mark.parametrize("again", ["MTP", "init_app", "blueprint"])
def test_mounting_twice_is_refused_with_the_remedy(tmp_path: Path, again: str) -> None:
    app = bare_app(tmp_path)
    mtp = MTP(app)
    with pytest.raises(SetupError, match="remove the second") as caught:
        {
            "MTP": lambda: MTP(app),
            "init_app": lambda: mtp.init_app(app),
            "blueprint": lambda: app.register_blueprint(MTP().blueprint, url_prefix="/other"),
        }[again]()
    assert "a second shop needs an application of its own" in str(caught.value)
    assert app.test_client().get("/mtp/health/live").status_code == 200


def test_a_refused_mount_leaves_the_application_as_it_was(tmp_path: Path) -> None:
    app = bare_app(tmp_path, MTP_CURRENCY="Euro")
    with pytest.raises(SettingError, match="MTP_CURRENCY"):
        MTP(app)
    assert not app.blueprints
    assert "mtp" not in app.extensions
    app.config["MTP_CURRENCY"] = "EUR"
    MTP(app)


def test_a_secret_key_is_needed(tmp_path: Path) -> None:
    app = bare_app(tmp_path)
    app.secret_key = None
    with pytest.raises(SetupError, match="secret_key"):
        MTP(app)


def test_unknown_placements_cannot_be_switched_off(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="home-heroo"):
        MTP(bare_app(tmp_path, MTP_PLACEMENTS_OFF="home-heroo"))


def test_mounting_touches_no_disk(tmp_path: Path) -> None:
    MTP(bare_app(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_two_applications_in_one_process_do_not_meet(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (one, _), (two, _) = mounted(tmp_path / "a", watches(6)), mounted(tmp_path / "b", MTP_URL_PREFIX="/zwei")
    assert placements_in(page_of(one)) == ["home-hero", "category-top"]
    assert placements_in(page_of(two)) == []
    assert one.extensions["mtp"] is not two.extensions["mtp"]


def test_one_declaration_serves_several_applications(tmp_path: Path) -> None:
    mtp = MTP()
    mtp.cart_loader(lambda: ["p05"])
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        app = bare_app(tmp_path / name)
        mtp.init_app(app)
        assert app.extensions["mtp"].loaders.cart() == ["p05"]


def test_the_whole_switch(tmp_path: Path) -> None:
    app, state = mounted(tmp_path, watches(6), MTP_ENABLED=False)
    assert page_of(app).strip() == ""
    body = {"event": "Product Viewed", "properties": {"product_id": "p01"}}
    assert app.test_client().post("/mtp/v1/track", json=body, headers=BROWSER).json["accepted"] == 0
    assert state.journal.count() == 0


def test_the_switch_of_a_placement(tmp_path: Path) -> None:
    app, _ = mounted(tmp_path, watches(6), MTP_PLACEMENTS_OFF=["home-hero"])
    assert placements_in(page_of(app)) == ["category-top"]


def test_a_template_of_the_shop_wins(tmp_path: Path) -> None:
    (tmp_path / "templates" / "mtp").mkdir(parents=True)
    (tmp_path / "templates" / "mtp" / "_card.html").write_text("<b>{{ card.title }}!</b>")
    app, _ = mounted(tmp_path, watches(6))
    assert "<b>Field watch Ost 6" not in page_of(app)
    assert re.search(r"<b>(Field watch|Desk lamp|Canvas bag)[^<]*!</b>", page_of(app))


def test_a_failing_block_leaves_the_page_and_raises_in_debug(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app, state = mounted(tmp_path, watches(6))
    state.loaders.cart = lambda: 1 / 0
    assert placements_in(page_of(app)) == []
    assert "left out of the page" in caplog.text
    app.debug = True
    with pytest.raises(ZeroDivisionError):
        page_of(app)


def test_only_a_process_that_serves_has_a_scheduler(tmp_path: Path) -> None:
    def threads() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "mtp-jobs"]

    before = len(threads())
    app = bare_app(tmp_path, MTP_SCHEDULER=True)
    with click.Context(click.Command("status"), info_name="status"):
        MTP(app)
    assert len(threads()) == before
    code = (
        "import threading; from pathlib import Path; from tests.core.shops import bare_app; "
        "from mtp_plugin import MTP; "
        f"MTP(bare_app(Path({str(tmp_path)!r}), MTP_SCHEDULER=True)); print([t.name for t in threading.enumerate()])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "mtp-jobs" in done.stdout


def test_hashes_of_addresses_are_keyed(tmp_path: Path) -> None:
    mtp = MTP()
    hashes = []
    for name, config in (("a", {}), ("b", {}), ("c", {"MTP_PII_KEY": "another key of 16 bytes"})):
        app = bare_app(tmp_path / name, **config)
        mtp.init_app(app)
        with app.app_context():
            hashes.append((mtp.hash_email(" Ada@Example.com"), mtp.hash_phone("030 123456", "DE")))
            assert mtp.hash_email("ada@example.com") == hashes[-1][0]
            assert mtp.hash_phone("+49 30 123456") == hashes[-1][1]
            with pytest.raises(InputError, match="not an e-mail"):
                mtp.hash_email("ada")
    assert hashes[0] == hashes[1]
    assert set(hashes[0]).isdisjoint(hashes[2])


def test_importing_needs_no_training_libraries() -> None:
    code = (
        "import sys, mtp_plugin, mtp_plugin.cli; heavy = ('sklearn', 'scipy.sparse', 'scipy.optimize', 'pyarrow'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
