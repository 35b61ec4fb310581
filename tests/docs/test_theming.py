"""What the page on theming shows takes hold: its style sheets reach what is there, its template renders."""

from __future__ import annotations

import re

from jinja2 import DictLoader

from mtp_plugin.block.cards import CardPages
from mtp_plugin.block.page import block_variables
from mtp_plugin.block.words import Words

from ..block.catalog import FRIENDLY, dress, slate
from ..block.pages import environment
from .fences import ROOT, blocks

STYLE = (ROOT / "static" / "mtp" / "mtp.css").read_text(encoding="utf-8")
HTML = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "templates" / "mtp").glob("*.html"))


def test_styles_reach_what_is_there() -> None:
    text = "".join(blocks("theming.md", "css"))
    assert text.count("{") == text.count("}")
    properties, classes = set(re.findall(r"(--mtp-[a-z-]+):", text)), set(re.findall(r"\.(mtp-[a-z-]+)", text))
    assert len(properties) == 5
    assert all(f"var({name}" in STYLE for name in properties)
    assert classes
    assert all(re.search(rf'class="[^"]*\b{name}\b', HTML) for name in classes)
    assert "@layer mtp" in STYLE, "rules in no layer win, and those of a layer named before it do not"
    assert re.search(r"@layer \w+, mtp;", text)


def test_the_template_shown() -> None:
    (template,) = blocks("theming.md", "jinja")
    shop = environment(DictLoader({"mtp/block.html": template}))
    html = shop.get_template("mtp/block.html").render(
        block_variables(dress(slate(FRIENDLY), FRIENDLY), Words(), shop, CardPages())
    )
    (title,) = re.findall(r'<h2 class="serif">([^<]+)</h2>', html)
    assert title
    assert html.count("data-mtp-item=") == len(FRIENDLY)
