"""The page on the tracker is true of the data layer, the tag's settings and the container."""

from __future__ import annotations

import json
import re
from pathlib import Path

from mtp_plugin.track.aliases import GA4

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tracker.md").read_text(encoding="utf-8")
LAYER = (ROOT / "static" / "mtp" / "mtp-datalayer.js").read_text(encoding="utf-8")


def test_names_of_the_data_layer_are_those_of_the_server() -> None:
    names = re.search(r"const NAMES = \{(.*?)\};", LAYER, re.DOTALL)
    assert names is not None
    told = dict(re.findall(r'(\w+): "([^"]+)"', names.group(1)))
    assert told == {name: GA4[name] for name in told}
    assert "purchase" not in told
    assert all(f"`{name}`" in PAGE and f"`{ours}`" in PAGE for name, ours in told.items())


def test_settings_are_named() -> None:
    settings = set(re.findall(r" data-(\w+)=", (ROOT / "templates" / "mtp" / "_scripts.html").read_text()))
    assert settings == {"consent", "key", "datalayer", "manager"}
    assert all(f"| `data-{name}` |" in PAGE for name in settings)


def test_the_containers_variables_are_named() -> None:
    container = json.loads((ROOT / "docs" / "examples" / "gtm" / "container.json").read_text())
    for variable in container["containerVersion"]["variable"]:
        said = variable["name"] if variable["type"] == "c" else variable["parameter"][-1]["value"]
        assert said in PAGE
