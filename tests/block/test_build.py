"""Slates become words, prices and safe addresses."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.block.build import NEW_FOR_S, Dresser
from mtp_plugin.block.links import safe_url
from mtp_plugin.block.money import Money
from mtp_plugin.block.words import CATALOGS, Words
from mtp_plugin.errors import SettingError
from mtp_plugin.records import ConsentLevel, Placement, Product, Strategy

from .catalog import DAY, FRIENDLY, NOW, dress, slate


def card(product, **options):
    return dress(slate((product,), **options), (product,)).cards[0]


def test_cards_keep_the_slates_order_and_positions():
    block = dress(slate(FRIENDLY), FRIENDLY)
    assert [(c.product_id, c.position) for c in block.cards] == [(p.product_id, i) for i, p in enumerate(FRIENDLY, 1)]
    assert block.recommendation_id == "0199c0de00007000800000000000abcd"


def test_an_item_whose_product_is_gone_is_left_out_and_keeps_the_others_positions():
    made = slate(FRIENDLY[:3])
    products = {p.product_id: p for p in (FRIENDLY[0], FRIENDLY[2])}
    placement = Placement(name="x", title="", strategies=("on-sale",))
    block = Dresser(Words()).block(made, placement, products, price=Money(), now=NOW)
    assert [c.position for c in block.cards] == [1, 3]


def test_a_sale_shows_both_prices_only_while_it_holds():
    watch = FRIENDLY[1]
    now = card(watch)
    assert (now.price_text, now.sale_price_text, now.badge) == ("€200.00", "€149.00", "25% off")
    mug = card(FRIENDLY[3])
    assert (mug.price_text, mug.sale_price_text, mug.badge) == ("€18.00", "", "")


def test_a_lone_sale_price_is_the_price():
    only = card(Product(product_id="x", title="X", sale_price=5.0, currency="EUR"))
    assert (only.price_text, only.sale_price_text) == ("€5.00", "")


def test_a_saving_under_one_per_cent_is_no_badge():
    assert card(Product(product_id="x", title="X", price=100.0, sale_price=99.5)).badge == ""


@pytest.mark.parametrize(("age", "badge"), [(0, "New"), (29 * DAY, "New"), (30 * DAY, ""), (-1, ""), (None, "")])
def test_a_product_is_new_for_thirty_days(age, badge):
    created = None if age is None else NOW - age
    assert card(Product(product_id="x", title="X", created=created)).badge == badge


@pytest.mark.parametrize("rating", [None, 0.0, -1.0, 5.1, float("nan")])
def test_a_rating_that_is_none_is_not_shown(rating):
    assert card(Product(product_id="x", title="X", rating=rating)).rating_text == ""


def test_the_shop_writes_its_own_prices():
    made = slate(FRIENDLY[:1])
    block = Dresser(Words()).block(
        made,
        Placement(name="x", title="", strategies=("on-sale",)),
        {p.product_id: p for p in FRIENDLY},
        price=lambda amount, currency: f"{amount:.0f} {currency.lower()}",
        now=NOW,
    )
    assert block.cards[0].price_text == "180 eur"


@pytest.mark.parametrize(
    ("locale", "amount", "currency", "text"),
    [
        ("en", 1234.5, "USD", "$1,234.50"),
        ("de-DE", 1234.5, "EUR", "1.234,50\xa0€"),
        ("de_CH", 1234.5, "CHF", "CHF\xa01'234.50"),
        ("en", 1200, "JPY", "¥1,200"),
        ("en", 5, "", "5.00"),
        ("en", float("inf"), "EUR", ""),
    ],
)
def test_prices_are_written_as_the_country_does(locale, amount, currency, text):
    # Newer tables of CLDR write the Swiss apostrophe upright, older ones curled.
    assert Money(locale)(amount, currency).replace("’", "'") == text


@pytest.mark.parametrize("locale", ["", "xx-YY-ZZ", "klingon", "de--DE"])
def test_an_unknown_locale_stops_the_start(locale):
    with pytest.raises(SettingError, match="MTP_LOCALE"):
        Words(locale)
    with pytest.raises(SettingError, match="MTP_LOCALE"):
        Money(locale)


TURNS = st.none() | st.floats(NOW - 2 * NEW_FOR_S, NOW + NEW_FOR_S)


@given(
    st.lists(
        st.builds(
            Product,
            product_id=st.sampled_from(["a", "b"]),
            title=st.just("A"),
            price=st.just(10.0),
            sale_price=st.sampled_from([None, 5.0, 8.0]),
            sale_from=TURNS,
            sale_until=TURNS,
            created=TURNS,
        ),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.floats(NOW - 2 * NEW_FOR_S, NOW + 2 * NEW_FOR_S), min_size=1, max_size=8),
)
def test_what_is_remembered_of_a_product_is_what_would_be_written_now(products, times):
    """Whatever the order of products of one id and of times, down to the moment at which something turns."""
    remembering, placement = Dresser(Words(), limit=2), Placement(name="x", title="", strategies=("on-sale",))
    turns = [t for p in products for t in (p.sale_from, p.sale_until, p.created) if t is not None]
    for now in (*times, *turns, *reversed(times)):
        for product in products:
            asked = slate((product,)), placement, {product.product_id: product}
            fresh = Dresser(Words()).block(*asked, price=Money(), now=now)
            assert remembering.block(*asked, price=Money(), now=now) == fresh


# ------------------------------------------------------------------------------------------------- reasons


def test_the_first_reason_names_its_product():
    first = card(FRIENDLY[1])
    assert first.reasons == ("Because you looked at Field Watch 38", "Popular with other shoppers")


def test_a_product_is_never_its_own_reason():
    assert card(FRIENDLY[0]).reasons[0] == "Because of what you looked at"


def test_a_reason_without_words_is_left_out_and_a_repeated_one_said_once():
    assert card(FRIENDLY[1], codes=("no-such", "trending", "trending"), because="").reasons == ("Popular this week",)


def test_a_title_with_braces_is_text():
    odd = Product(product_id="odd", title="{0} {title} {x.__class__}")
    block = dress(slate(FRIENDLY[:1], because="odd"), (odd,))
    assert block.reasons == ("Because you looked at {0} {title} {x.__class__}",)


def test_the_title_is_the_merchants_else_named_after_what_answered():
    assert dress(slate(FRIENDLY), FRIENDLY, title="Hats").title == "Hats"
    assert dress(slate(FRIENDLY), FRIENDLY).title == "Picked for you"
    assert dress(slate(FRIENDLY, level=ConsentLevel.CONTEXTUAL), FRIENDLY).title == "You may like"
    assert dress(slate(FRIENDLY, strategy="best-sellers"), FRIENDLY).title == "Best sellers"
    assert dress(slate(FRIENDLY, strategy="best-sellers", placement="category-top"), FRIENDLY).title == (
        "Best sellers in this category"
    )


def test_nothing_is_for_you_that_knows_nothing_of_you():
    unknown = dress(slate(FRIENDLY, codes=("popular", "new")), FRIENDLY)
    assert (unknown.title, unknown.note[:10]) == ("You may like", "Not chosen")
    known = dress(slate(FRIENDLY, codes=("popular", "affinity")), FRIENDLY)
    assert (known.title, known.note[:11]) == ("Picked for you", "Chosen with")
    contextual = dress(slate(FRIENDLY, codes=("viewed-similar",), level=ConsentLevel.CONTEXTUAL), FRIENDLY)
    assert contextual.note.startswith("Chosen for this page")


def test_what_is_only_new_is_not_called_popular():
    fresh = dress(slate(FRIENDLY, strategy="trending-items", codes=("new",), because=""), FRIENDLY)
    assert fresh.title == "New in the shop"
    mixed = dress(slate(FRIENDLY, strategy="trending-items", codes=("trending", "new"), because=""), FRIENDLY)
    assert mixed.title == "Popular this week"


@pytest.mark.parametrize("language", CATALOGS)
def test_every_language_has_every_word_and_place(language):
    def places(text):
        return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)

    english = CATALOGS["en"]
    assert {key: places(text) for key, text in CATALOGS[language].items()} == {
        key: places(text) for key, text in english.items()
    }


@pytest.mark.parametrize("language", CATALOGS)
def test_every_strategy_reason_and_level_has_words(language):
    words = Words(language)
    codes = [
        "viewed-similar",
        "session-neighbours",
        "viewed-together",
        "bought-together",
        "affinity",
        "popular",
        "trending",
        "best-seller",
        "recently-viewed",
        "buy-it-again",
        "on-sale",
        "new",
    ]
    assert all(words[f"title.{strategy}"] for strategy in Strategy)
    assert all(words[f"note.{level}"] for level in ConsentLevel)
    assert all(words[f"reason.{code}"] for code in codes)


def test_another_language_has_english_words_and_its_own_numbers():
    words = Words("fr-FR")
    assert (words["why"], words.lang, words.decimal(4.5)) == ("Why these?", "en", "4,5")


def test_words_can_be_changed_but_not_made_up():
    assert Words("en", {"why": "How come?"})["why"] == "How come?"
    with pytest.raises(SettingError, match="no such words"):
        Words("en", {"wyh": "?"})


# ----------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "url", ["https://a.example/x?y=1#z", "HTTP://a.example", "/p/1", "p/1", "//cdn.example/i.png", "?a=b:c", "#x", ""]
)
def test_web_and_relative_addresses_pass(url):
    assert safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "\x00javascript:alert(1)",
        "\tjavascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://a.example/x",
        "https:alert(1)",
        "http:\\\\a",
        "\u00a0javascript:alert(1)",
        "ftp://a.example",
    ],
)
def test_everything_else_is_refused(url):
    assert safe_url(url) == ""


@given(st.text(alphabet=" \t\n\x00\x01jJaAvVsScCrRiIpPtT:/\\h", max_size=24))
def test_no_scheme_but_http_gets_through(url):
    """The scheme as a browser reads it: outer space and controls stripped, tabs and line ends dropped."""
    read = "".join(c for c in safe_url(url).strip("".join(map(chr, range(33)))) if c not in "\t\n\r").lower()
    assert not read.startswith("javascript:")
