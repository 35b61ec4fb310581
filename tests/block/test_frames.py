"""Blocks put together from what was written before are those that the templates would write, to the letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment

from mtp_plugin.block.build import Dresser
from mtp_plugin.block.cards import CardPages
from mtp_plugin.block.frames import MARK, Frames
from mtp_plugin.block.money import Money
from mtp_plugin.block.page import block_variables
from mtp_plugin.block.words import Words
from mtp_plugin.records import ConsentLevel, Placement, Product, Slate, SlateItem

from .catalog import DAY, FRIENDLY, HOSTILE, NOW
from .pages import environment

PRODUCTS = {product.product_id: product for product in (*FRIENDLY, *HOSTILE)}
CODES = (
    "session-neighbours", "viewed-together", "popular", "best-seller", "on-sale", "new", "leans-on-content",
    "leans-on-behaviour", "rule:x", "unheard of",
)  # fmt: skip
TEXTS = st.sampled_from(("", "For you", '"><b onclick=alert(1)>', "Für dich & mich", "x1y{{ 7 * 7 }}"))

texts = {
    "recommendation_id": st.sampled_from(("0199c0de00007000800000000000abcd", '"><script>')),
    "title": TEXTS,
    "message": TEXTS,
    "message_url": st.sampled_from(("", "/sale?a=1&b=2", "javascript:alert(1)")),
}
ITEMS = st.lists(
    st.tuples(
        st.sampled_from((*PRODUCTS, "gone")),
        st.lists(st.sampled_from(CODES), max_size=4, unique=True),
        st.sampled_from(("", *PRODUCTS)),
    ),
    max_size=6,
    unique_by=lambda item: item[0],
)


def plain() -> Environment:
    templates = environment()
    templates.auto_reload = False
    return templates


@st.composite
def slates(draw: st.DrawFn) -> Slate:
    return Slate(
        placement="home-hero",
        strategy=draw(st.sampled_from(("recommended-for-you", "trending-items"))),
        consent_level=draw(st.sampled_from(ConsentLevel)),
        items=tuple(
            SlateItem(product_id=name, position=place, score=1.0, reason_codes=tuple(codes), because=because)
            for place, (name, codes, because) in enumerate(draw(ITEMS), 1)
        ),
        **{name: draw(value) for name, value in texts.items()},
    )


def slate_of(items: tuple[SlateItem, ...]) -> Slate:
    level = ConsentLevel.CONTEXTUAL
    return Slate(recommendation_id="r", placement="x", strategy="on-sale", items=items, consent_level=level)


def templated(templates: Environment, made: Slate, placement: Placement, now: float, level: int, page: str) -> str:
    block = Dresser(Words()).block(made, placement, PRODUCTS, price=Money(), now=now, preferences_url=page)
    variables = block_variables(block, Words(), templates, CardPages(), heading_level=level)
    return templates.get_template("mtp/block.html").render(variables).strip()


@pytest.fixture(scope="module")
def written() -> tuple[Frames, Environment]:
    """One for all examples, so that most of what they ask for was written for another one."""
    return Frames(Words(), Dresser(Words())), plain()


@given(
    slates(),
    st.sampled_from(("grid", "carousel", "list")),
    TEXTS,
    st.sampled_from((NOW, NOW + 2 * DAY)),
    st.integers(2, 5),
    st.sampled_from(("", "/privacy?x=<>")),
)
def test_it_is_what_the_templates_write(
    written: tuple[Frames, Environment], made: Slate, layout: str, title: str, now: float, level: int, page: str
) -> None:
    frames, templates = written
    placement = Placement(name="home-hero", title=title, layout=layout, strategies=("recommended-for-you",))
    assert frames.usable(templates)
    for _ in range(2):
        html = frames.html(
            templates, made, placement, PRODUCTS.get, price=Money(), now=now, heading_level=level, preferences_url=page
        )
        assert str(html) == templated(templates, made, placement, now, level, page)
        assert MARK not in html


def test_a_product_that_changed_is_written_anew() -> None:
    frames, templates = Frames(Words(), Dresser(Words())), plain()
    placement = Placement(name="x", title="", strategies=("on-sale",))
    item = SlateItem(product_id="p", position=1, score=1.0, reason_codes=())
    made = slate_of((item,))

    def shown(title: str) -> bool:
        product = Product(product_id="p", title=title)
        html = frames.html(templates, made, placement, {"p": product}.get, price=Money(), now=NOW)
        return title in html

    assert shown("Mug")
    assert shown("Large mug")


def test_a_shops_own_template_is_asked_each_time() -> None:
    frames = Frames(Words(), Dresser(Words()))
    assert frames.usable(plain())
    own = environment(DictLoader({"mtp/_reasons.html": "because"}))
    own.auto_reload = False
    assert not frames.usable(own)
    edited = environment()
    assert edited.auto_reload
    assert not frames.usable(edited)


@pytest.mark.parametrize("level", [1, 6])
def test_headings_have_levels_two_to_five(level: int) -> None:
    placement = Placement(name="x", title="", strategies=("on-sale",))
    made = slate_of(())
    with pytest.raises(ValueError, match="2 to 5"):
        Frames(Words(), Dresser(Words())).html(
            plain(), made, placement, PRODUCTS.get, price=Money(), now=NOW, heading_level=level
        )
