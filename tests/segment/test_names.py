"""Names say only what is true of most members, tell segments apart, and are no accident."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mtp_plugin.segment.english import ENGLISH
from mtp_plugin.segment.german import GERMAN
from mtp_plugin.segment.learn.claims import claims_of
from mtp_plugin.segment.learn.names import MOST, attributes_of, parts_of_all, true_of_most, with_what_lies_in
from mtp_plugin.segment.matrix import FeatureTable
from mtp_plugin.segment.naming import Part, name_of

NAMES = (
    "orders", "orders_per_month", "views", "discount_share", "average_order", "weekend_share",
    "category.Watches", "category.Watches > Divers", "category.Bags", "price_tier.luxury", "price_tier.budget",
    "device.mobile", "device.desktop", "traits.city=New York", "traits.plan=gold",
)  # fmt: skip
Mask = NDArray[np.bool_]


def table_of(values: NDArray[np.floating]) -> FeatureTable:
    return FeatureTable(NAMES, values.astype(np.float32), [f"a:{at}" for at in range(len(values))])


def personas(n: int = 1500, seed: int = 0) -> tuple[FeatureTable, list[Mask]]:
    """People who look at luxury watches on their phones in New York, and three other kinds."""
    chance = np.random.default_rng(seed)
    labels = np.arange(n) % 4

    def share(*means: float) -> NDArray[np.floating]:
        mean = np.array(means)[labels]
        return chance.beta(10 * mean, 10 * (1 - mean))

    orders = chance.poisson(np.array([0.1, 3, 3, 1])[labels])
    watches, luxury, mobile = share(0.85, 0.1, 0.1, 0.2), share(0.8, 0.1, 0.1, 0.2), share(0.9, 0.1, 0.9, 0.5)
    columns = [
        orders, chance.random(n), 5 + orders, share(0.1, 0.1, 0.1, 0.8), np.where(orders > 0, 40.0, np.nan),
        share(0.3, 0.3, 0.3, 0.3), watches, 0.3 * watches, share(0.05, 0.8, 0.8, 0.2), luxury, 1 - luxury, mobile,
        1 - mobile, (chance.random(n) < np.array([0.9, 0.1, 0.1, 0.1])[labels]).astype(float), np.full(n, np.nan),
    ]  # fmt: skip
    return table_of(np.stack(columns, axis=1)), [labels == at for at in range(4)]


def names(table: FeatureTable, masks: list[Mask], locale: str = "en") -> list[str]:
    return [name_of(parts, locale) for parts in parts_of_all(claims_of(table), masks)]


def test_people_are_called_what_they_are() -> None:
    table, masks = personas()
    assert names(table, masks) == [
        "Luxury watch browsers · mobile · New York",
        "Budget bag buyers · desktop",
        "Budget bag buyers · mobile",
        "Budget bargain hunters",
    ]
    assert names(table, masks, "de-DE") == [
        "Luxus-Watches-Interessenten · mobil · New York",
        "Budget-Bags-Käufer · Desktop",
        "Budget-Bags-Käufer · mobil",
        "Budget-Schnäppchenjäger",
    ]


def test_what_members_have_in_common_is_said_in_words_for_code() -> None:
    table, masks = personas()
    claims = claims_of(table)
    assert attributes_of(true_of_most(claims, masks[0])) == {
        "price_tier": "luxury", "device": "mobile", "place": "New York", "top_category": "Watches",
    }  # fmt: skip
    assert attributes_of(true_of_most(claims, masks[3]))["discount_seeker"] is True


def test_order_of_visitors_and_of_segments_makes_no_difference() -> None:
    table, masks = personas()
    order = np.random.default_rng(1).permutation(len(table))
    found = names(table.rows(order), [mask[order] for mask in reversed(masks)])
    assert found == names(table, masks)[::-1]


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.floats(0, 1))
def test_a_name_is_true_of_most_and_never_given_twice(seed: int, count: int, unknown: float) -> None:
    chance = np.random.default_rng(seed)
    values = chance.random((120, len(NAMES))) * chance.choice([0.2, 1.0, 1.0, 5.0], len(NAMES))
    values[chance.random(values.shape) < unknown] = np.nan
    table, labels = table_of(values), chance.integers(0, count, 120)
    masks = [labels == at for at in range(count)]
    claims = {claim.part: claim.holds for claim in claims_of(table)}
    found = parts_of_all(claims_of(table), masks)
    for parts, mask in zip(found, masks, strict=True):
        for part in parts:
            if part[0] != "number" and mask.any():
                assert claims[part][mask].mean() > MOST, part
    assert len({name_of(parts).lower() for parts in found}) == count


def test_twins_are_told_apart_by_a_number() -> None:
    table, masks = personas()
    assert names(table, [masks[0], masks[0]])[1].endswith(" · no. 2")


def test_places_are_cities_before_countries_and_none_of_few_visitors() -> None:
    live = np.repeat(np.arange(4), [30, 30, 30, 10])
    columns = [*(live == at for at in range(4)), live < 2, live > 0]
    named = ("traits.city=Lyon", "traits.city=Rom", "traits.city=Bari", "traits.city=Asti")
    names_of = (*named, "traits.urban=true", "country.IT")
    table = FeatureTable(names_of, np.stack(columns, axis=1).astype(np.float32), [f"a:{at}" for at in range(100)])
    claims = claims_of(table, least=20)
    assert ("place", "Asti") not in {claim.part for claim in claims}
    found = [name_of(one) for one in parts_of_all(claims, [live == at for at in range(4)])]
    assert found[:3] == ["Visitors · Lyon", "Visitors · Rom", "Visitors · Bari"]
    assert "Asti" not in found[3]
    assert name_of(parts_of_all(claims, [live < 2, live == 2])[0]) == "Visitors · in big cities"


def test_a_coarser_segment_that_nothing_sets_apart_says_what_lies_in_it() -> None:
    who, number = ("who", "visitors"), ("number", "2")
    leaves: list[tuple[Part, ...]] = [(("category", "Shop > Bags"), who), (("category", "Lamps"), who), (who,)]
    parts = [(who,), (who, number), (("tier", "luxury"), who), *leaves]
    found = with_what_lies_in(parts, [1, 1, 0], [20, 50, 30])
    among = "Visitors · among them Lamps, Bags"
    assert [name_of(one) for one in found[:3]] == ["Visitors · mixed interests", among, "Luxury visitors"]
    assert found[3:5] == leaves[:2]
    assert name_of(found[5]) == "Visitors · mixed interests · no. 2"
    assert with_what_lies_in([(who,), (who, number)], [-1, -1], [20, 20]) == [(who,), (who, number)]


def test_nothing_known_of_anybody_is_no_error() -> None:
    table = table_of(np.full((40, len(NAMES)), np.nan))
    assert names(table, [np.arange(40) < 20, np.arange(40) >= 20]) == ["Visitors", "Visitors · no. 2"]


@pytest.mark.parametrize(
    ("parts", "english", "german"),
    [
        ([("category", "Shop > Accessories")], "Accessories visitors", "Accessories-Besucher"),
        ([("category", "Home > Table lamps"), ("who", "buyers")], "Table lamp buyers", "Table lamps-Käufer"),
        ([("category", "TV"), ("who", "searchers")], "TV searchers", "TV-Suchende"),
        ([("who", "once"), ("much", "Food > Dairy")], "One-time buyers · more dairy", "Einmalkäufer · mehr Dairy"),
        ([("tier", "luxury"), ("trait", "loyalty_plan=gold")], "Luxury visitors · loyalty plan: gold",
         "Luxus-Besucher · loyalty plan: gold"),
        ([("category", "{who} No·1s"), ("brand", "A·B {x}")], "{who} no.1 visitors · A.B {x}",
         "{who} No.1s-Besucher · A.B {x}"),
    ],
)  # fmt: skip
def test_parts_become_words(parts: list[Part], english: str, german: str) -> None:
    assert name_of(parts) == english
    assert name_of(parts, "de") == german
    assert name_of(parts, "fr") == english


def test_languages_have_the_same_words() -> None:
    assert ENGLISH.keys() == GERMAN.keys()


def test_a_word_that_many_categories_share_names_none_of_them() -> None:
    paths = ("Watches", "Watches > Men", "Shoes", "Shoes > Men")
    table = FeatureTable(
        tuple(f"category.{path}" for path in paths),
        np.repeat(np.array([[1, 0.9, 0, 0], [0, 0, 1, 0.9]], dtype=np.float32), 30, axis=0),
        [f"a:{at}" for at in range(60)],
    )
    assert names(table, [np.arange(60) < 30, np.arange(60) >= 30]) == ["Watch visitors", "Shoe visitors"]
