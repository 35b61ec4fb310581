"""Template variables, custom properties and attributes are what the documentation says, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import DictLoader, nodes

from mtp_plugin.block.cards import SHOWN, CardPages
from mtp_plugin.block.english import ENGLISH
from mtp_plugin.block.page import Banner, Scripts, banner_variables, block_variables, scripts_variables
from mtp_plugin.block.placements import _CHECKS
from mtp_plugin.block.words import Words
from mtp_plugin.records import Block, Card
from mtp_plugin.track.aliases import canonical

from .catalog import FRIENDLY, dress, slate
from .pages import TEMPLATES, environment

ROOT = TEMPLATES.parent
THEMING = (ROOT / "docs" / "theming.md").read_text(encoding="utf-8")
PLACEMENTS = (ROOT / "docs" / "placements.md").read_text(encoding="utf-8")
TRACKER = (ROOT / "docs" / "tracker.md").read_text(encoding="utf-8")
SCRIPT = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "static" / "mtp").glob("*.js")))
STYLE = (ROOT / "static" / "mtp" / "mtp.css").read_text(encoding="utf-8")
PAGES = sorted((TEMPLATES / "mtp").glob("*.html"))

RECORDS = {"block": Block, "card": Card, "banner": Banner, "scripts": Scripts}


def first_column(text: str, heading: str) -> set[str]:
    """Names in backticks in the first column of the tables of one section."""
    section = re.split(r"^#+ ", text.split(heading + "\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def used(path: Path) -> set[str]:
    """Variables a template reads, ``block.title`` and the like."""
    tree = environment().parse(path.read_text(encoding="utf-8"))
    names = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}
    parts = {
        f"{node.node.name}.{node.attr}" for node in tree.find_all(nodes.Getattr) if isinstance(node.node, nodes.Name)
    }
    return (names - {"reason", "purpose"}) | parts


DOCUMENTED = set().union(
    *(first_column(THEMING, f"### In {part}") for part in ("a block", "a card", "the banner", "the tags"))
)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_templates_read_documented_variables_alone(path):
    assert used(path) <= DOCUMENTED


def test_every_field_is_documented_and_nothing_else():
    fields = {f"{name}.{field}" for name, record in RECORDS.items() for field in record.__struct_fields__}
    assert fields | set(RECORDS) | {"card_html", "heading_level", "words", "words.lang"} == DOCUMENTED


def test_the_functions_give_the_documented_variables():
    block = dress(slate(FRIENDLY), FRIENDLY)
    given = {
        *block_variables(block, Words(), environment(), CardPages()),
        *banner_variables(Banner(action="/"), Words()),
        *scripts_variables(Scripts(script_url="/")),
    }
    assert given == {"block", "card_html", "words", "heading_level", "banner", "scripts"}


@pytest.mark.parametrize("level", [1, 6, 0])
def test_a_heading_level_that_html_lacks_is_refused(level):
    with pytest.raises(ValueError, match="2 to 5"):
        block_variables(dress(slate(FRIENDLY), FRIENDLY), Words(), environment(), CardPages(), heading_level=level)


def test_every_template_is_documented():
    assert first_column(THEMING, "## Your own templates") == {f"mtp/{path.name}" for path in PAGES}


def test_words_in_templates_exist():
    keys = {key for path in PAGES for key in re.findall(r"words\['([^']+)'\]", path.read_text(encoding="utf-8"))}
    assert keys <= set(ENGLISH)
    assert {key for key in ENGLISH if "." not in key} == keys


def test_custom_properties_are_the_documented_ones():
    assert set(re.findall(r"var\((--mtp-[a-z-]+)", STYLE)) == first_column(THEMING, "## Five lines")


def test_placement_options_are_the_documented_ones():
    assert set(_CHECKS) == first_column(PLACEMENTS, "## Changing them, and adding more")


def test_attributes_that_the_script_reads_are_documented():
    dataset = {re.sub(r"[A-Z]", lambda m: "-" + m[0].lower(), name) for name in re.findall(r"\bmtp[A-Z]\w+", SCRIPT)}
    asked = re.search(r"const ASKED = \{(.*?)\};", SCRIPT, re.DOTALL)
    read = {f"data-{name}" for name in dataset} | set(re.findall(r"data-mtp-[a-z]+", SCRIPT + STYLE))
    read |= {f"data-mtp-{name}" for name in re.findall(r"(\w+):", asked[1])}
    assert read == set(re.findall(r"data-mtp-[a-z]+", TRACKER))


def test_events_that_the_script_sends_are_documented():
    name = r"((?:Products?|Page) [A-Z][\w ]+)"
    sent = set(re.findall(f'"{name}"', SCRIPT))
    assert sent | {"Page Viewed"} == set(re.findall(f"`{name}`", TRACKER)), "a page call is a Page Viewed"
    assert {canonical(name) for name in sent} == sent


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_templates_trust_nothing(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe|autoescape|<style|\sstyle=|\son[a-z]+=", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


# ------------------------------------------------------------------------------------------ the shop's templates


def render(**own: str) -> str:
    loader = DictLoader({f"mtp/{name}.html": text for name, text in own.items()})
    shop = environment(loader)
    variables = block_variables(dress(slate(FRIENDLY), FRIENDLY), Words(), shop, CardPages())
    return shop.get_template("mtp/block.html").render(variables)


def test_a_shop_replaces_one_partial():
    html = render(_card="<b>{{ card.title }}</b>")
    assert html.count("<b>") == len(FRIENDLY)
    assert 'class="mtp-title"' in html


def test_cards_are_remembered_by_all_that_our_templates_read_of_them():
    read = used(TEMPLATES / "mtp" / "_card.html") | used(TEMPLATES / "mtp" / "_price.html")
    assert read - {"card", "words", "words.lang", "heading_level"} == {f"card.{name}" for name in SHOWN}


@pytest.mark.parametrize(
    "own", [{}, {"_price": "{{ card.position }}"}, {"_card": "{{ card.position }} {{ card.reasons }}"}]
)
def test_a_remembered_card_is_the_one_that_would_be_written(own):
    """A shop's own templates are asked anew: they may read what ours do not."""
    pages, shop = CardPages(limit=3), environment(DictLoader({f"mtp/{name}.html": text for name, text in own.items()}))
    for products in (FRIENDLY, FRIENDLY[::-1], FRIENDLY[1:], FRIENDLY):
        for level in (2, 3):
            block = dress(slate(products), products)
            given = block_variables(block, Words(), shop, pages, heading_level=level)
            fresh = block_variables(block, Words(), shop, CardPages(), heading_level=level)
            assert given["card_html"] == fresh["card_html"]
            assert all(given["card_html"][card.product_id] for card in block.cards)
    assert len(pages) <= 3
    assert bool(len(pages)) == (not own)


@pytest.mark.parametrize("seam", ["head", "heading", "reasons", "cards"])
def test_a_shop_replaces_one_part_of_a_block(seam):
    html = render(block=f'{{% extends "mtp/_block.html" %}}{{% block {seam} %}}<i>own</i>{{% endblock %}}')
    assert "<i>own</i>" in html
    assert 'data-mtp-slate="' in html
    assert ("mtp-title" in html) == (seam in ("reasons", "cards"))


@pytest.mark.parametrize("seam", ["question", "answers", "purposes"])
def test_a_shop_replaces_one_part_of_the_banner(seam):
    own = f'{{% extends "mtp/_consent.html" %}}{{% block {seam} %}}<i>own</i>{{% endblock %}}'
    page = environment(DictLoader({"mine.html": own})).get_template("mine.html")
    html = page.render(banner_variables(Banner(action="/mtp/v1/privacy/consent"), Words()))
    assert "<i>own</i>" in html
    assert ('value="granted"' in html) == (seam != "answers")
    assert ('value="chosen"' in html) == (seam != "purposes")
