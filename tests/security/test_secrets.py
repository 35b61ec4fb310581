"""No secret of the configuration is printed: by commands, pages, errors, logs, whatever is wrong with it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.errors import MTPError

from ..servers import free_port
from ..web.shop import build_shop

CANARY = "hunter2-of-the-shop"
ALL: dict[str, Any] = {
    "secret_keys": [f"sk_{CANARY}"],
    "pii_key": f"pii-{CANARY}",
    "pii_key_fallbacks": [f"old-{CANARY}"],
    "weather_url": f"https://weather.example/{{latitude}}/{{longitude}}?key={CANARY}",
    "crm": {"hub": {"url": f"https://crm.example/?key={CANARY}", "id": "id", "headers": {"Authorization": CANARY}}},
    "webhooks": {"erp": {"kind": "shopify", "secrets": [f"hook-{CANARY}"]}},
    "forward": {
        "seg": {"kind": "segment", "write_key": CANARY},
        "ga4": {"kind": "ga4", "measurement_id": "G-1", "api_secret": CANARY},
        "hook": {"kind": "webhook", "url": f"https://x.example/{CANARY}", "secret": CANARY},
    },
    "alerts": {
        "ops": {
            "kind": "email",
            "host": "h",
            "user": "u",
            "password": CANARY,
            "sender": "a@b.example",
            "to": ["c@d.example"],
        },
        "chat": {"kind": "webhook", "url": f"https://chat.example/{CANARY}"},
    },
}
COMMANDS = (
    "doctor", "status", "settings", "jobs list", "jobs run forward", "jobs run alerts", "jobs run traits",
    "forward list",
    "alerts list", "alerts test chat", "alerts test nobody", "webhooks list", "models list", "audit list", "rules list",
    "segments list", "import-traits", "placements list",
)  # fmt: skip


def test_commands(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shop = build_shop(tmp_path, **ALL)
    shop.app.secret_key = f"key-{CANARY}"
    shop.state.outbound.addresses = _nobody  # type: ignore[method-assign]  # a test asks nothing of the internet
    runner = shop.app.test_cli_runner()
    said = ""
    for command in COMMANDS:
        for more in ([], ["--json"]):
            said += runner.invoke(args=["mtp", *command.split(), *more]).output
    assert "weather" in said
    assert CANARY not in said + caplog.text
    shop.state.close()


def _nobody(host: str, port: int) -> list[str]:
    raise OSError(f"no {host}")


def test_the_console_and_errors(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shop = build_shop(tmp_path, **ALL)
    shop.app.config["PROPAGATE_EXCEPTIONS"] = False
    shop.mtp.admin_guard(lambda: ("administrator", "Ada"))
    client = shop.app.test_client()
    said = ""
    for path in ("", "health/", "jobs/", "alerts/", "models/", "changes/", "search?q=key", "placements/", "bandits/"):
        said += client.get(f"/mtp/admin/{path}").text
    for header in (f"Bearer sk_{CANARY}x", f"Basic {CANARY}", CANARY):
        said += client.get("/mtp/v1/rules", headers={"Authorization": header}).text
    shop.state.pipeline.live = None  # type: ignore[assignment]  # something breaks
    said += client.get("/mtp/v1/recommendations?placement=home-hero").text + client.get("/mtp/admin/products/").text
    assert CANARY not in said + caplog.text
    shop.state.journal.count()


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret_keys": ["x", CANARY]},
        {"secret_keys": [CANARY], "write_keys": {CANARY: ["https://x.example"]}},
        {"pii_key": 7, "pii_key_fallbacks": [CANARY, ""]},
        {"weather_url": f"ftp://x/{CANARY}"},
        {"weather_url": f"https://x/{{latitud}}/{CANARY}"},
        {"database_url": f"mysql://shop:{CANARY}@h/x"},
        {"redis_url": f"http://:{CANARY}@h/x"},
        {"model_folder": f"nowhere://key:{CANARY}@bucket/x"},
        {"crm": {"hub": {"url": f"ftp://crm/{CANARY}", "id": "id"}}},
        {"crm": {"hub": {"sql": f"nowhere//{CANARY}", "query": "x", "id": "id"}}},
        {"webhooks": {"erp": {"kind": "shopify", "secrets": [CANARY, "x"]}}},
        {"webhooks": {"erp": {"kind": "shopify", "secrets": CANARY}}},
        {"forward": {"x": {"kind": "webhook", "url": f"file:///{CANARY}", "secret": CANARY}}},
        {"forward": {"x": {"kind": "segment", "write_key": 7, "api_secret": CANARY}}},
        {"alerts": {"x": {"kind": "email", "host": "h", "password": CANARY}}},
        {"alerts": f"https://{CANARY}"},
    ],
    ids=str,
)
def test_settings_that_cannot_work(tmp_path: Path, wrong: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(MTPError) as caught:
        build_shop(tmp_path, **wrong).state.registry.kinds()
    chain: list[str] = []
    error: BaseException | None = caught.value
    while error is not None:
        chain.append(str(error))
        error = error.__cause__
    assert CANARY not in " ".join(chain) + caplog.text


@pytest.mark.parametrize("setting", ["database_url", "redis_url"])
def test_servers_that_are_away(tmp_path: Path, setting: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    kind = {"database_url": "postgresql", "redis_url": "redis"}[setting]
    address = f"{kind}://shop:{CANARY}@127.0.0.1:{free_port()}/0"
    shop = build_shop(tmp_path, mount=False, **{setting: address})
    shop.mtp.init_app(shop.app)
    client, runner = shop.app.test_client(), shop.app.test_cli_runner()
    said = client.get("/mtp/health/ready").text + client.get("/mtp/v1/recommendations?placement=home-hero").text
    for command in ("doctor", "status", "jobs list"):
        for more in ([], ["--json"]):
            done = runner.invoke(args=["mtp", command.split()[0], *command.split()[1:], *more])
            said += done.output + repr(done.exception)
    assert kind.removesuffix("ql") in (said + caplog.text).lower() or "database" in said
    assert CANARY not in said + caplog.text
    shop.state.close()
