"""The catalogue: enough of it, nothing twice, the same on each build."""

from __future__ import annotations

from collections import Counter

from demo_store.catalogue import DAY, Catalogue, build_catalogue, nice
from demo_store.ranges import RANGES
from demo_store.shop import variant_price
from tests.demo.conftest import NOW


def test_there_is_enough(catalogue: Catalogue) -> None:
    assert len(catalogue.products) >= 240
    assert len(catalogue.by_category) >= 10
    assert sum(map(len, catalogue.by_category.values())) == len(catalogue.products)
    assert len({product.brand for product in catalogue.products.values()}) >= 12


def test_titles_and_ids_never_repeat(catalogue: Catalogue) -> None:
    titles = Counter(product.title for product in catalogue.products.values())
    assert [title for title, count in titles.items() if count > 1] == []
    variants = Counter(variant.variant_id for product in catalogue.products.values() for variant in product.variants)
    assert [name for name, count in variants.items() if count > 1] == []
    # First names alone tell a product: the front page's themed row relies on it.
    first = Counter(name for range_ in RANGES for name in range_.names.split())
    assert max(first.values()) == 1


def test_same_day_and_seed_same_catalogue(catalogue: Catalogue) -> None:
    again = build_catalogue(NOW + 3600)
    assert again.products == catalogue.products
    assert again.looks == catalogue.looks
    assert build_catalogue(NOW, seed=8).products != catalogue.products


def test_products_are_whole(catalogue: Catalogue) -> None:
    for product in catalogue.products.values():
        assert product.price
        assert product.price > 0
        assert product.margin is not None
        assert 0 < product.margin < 1
        assert product.description.count(".") >= 3
        assert product.image == product.variants[0].image
        assert product.stock == sum(variant.stock or 0 for variant in product.variants)
        assert {variant.color for variant in product.variants} == set(product.colors)
        assert product.rating is None or 1 <= product.rating <= 5
        assert product.created is not None
        assert product.created < NOW


def test_some_are_sold_out_some_reduced_some_new(catalogue: Catalogue) -> None:
    products = list(catalogue.products.values())
    assert 4 <= sum(not product.in_stock for product in products) <= 40
    assert 20 <= sum(product.on_sale(NOW) for product in products) <= 80
    later = sum(p.on_sale(NOW + 12 * DAY) and not p.on_sale(NOW) for p in products)
    over = sum(p.sale_until is not None and p.sale_until < NOW for p in products)
    assert later > 0
    assert over > 0
    assert sum(product.rating is None for product in products) >= 20
    for product in products:
        assert product.sale_price is None or product.sale_price < (product.price or 0)


def test_prices_span_tiers_within_a_category(catalogue: Catalogue) -> None:
    for key, shelf in catalogue.by_category.items():
        prices = sorted(product.price or 0 for product in shelf)
        assert prices[-1] >= 2 * prices[0], key


def test_nice_prices() -> None:
    assert [nice(price) for price in (1.2, 19.4, 132.4, 587)] == [4.0, 19.0, 130.0, 590.0]


def test_a_sale_takes_as_much_off_every_size(catalogue: Catalogue) -> None:
    product = next(p for p in catalogue.products.values() if p.on_sale(NOW) and len({v.price for v in p.variants}) > 1)
    for variant in product.variants:
        price = variant_price(product, variant, NOW)
        assert price < (variant.price or 0)
        assert abs(price / (variant.price or 1) - (product.sale_price or 0) / (product.price or 1)) < 0.05
