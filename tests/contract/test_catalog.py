"""What every catalogue store promises."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from mtp_plugin.config import Settings
from mtp_plugin.errors import InputError
from mtp_plugin.ports import CatalogStore
from mtp_plugin.records import Product, Variant
from mtp_plugin.store.memory import MemoryCatalog
from mtp_plugin.store.open import Stores

from .conftest import DATABASES, settings_of

FULL = Product(
    product_id="Ω-1",
    title="Größe 7 «Ω»",
    brand="Café",
    category_path=("Shoes", "Running"),
    tags=("new",),
    colors=("red", "blue"),
    attributes={"width": "wide", "drop_mm": 8, "vegan": True},
    price=99.95,
    sale_price=79.0,
    sale_until=1.9e9,
    currency="EUR",
    stock=3,
    margin=0.25,
    variants=(Variant(variant_id="v1", size="42", stock=1),),
)


@pytest.fixture(params=("memory", *DATABASES))
def catalogs(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> Callable[[], CatalogStore]:
    """Gives one store more on the same products, as another worker has it."""
    if request.param == "memory":
        only = MemoryCatalog()
        return lambda: only
    settings = settings_of(request.param, request)
    return lambda: open_again(settings).catalog_store


@pytest.fixture
def catalog(catalogs: Callable[[], CatalogStore]) -> CatalogStore:
    return catalogs()


def simple(*ids: str, **fields: object) -> list[Product]:
    return [Product(product_id=product_id, title=f"Product {product_id}", **fields) for product_id in ids]  # type: ignore[arg-type]


def test_an_empty_catalogue(catalog: CatalogStore) -> None:
    assert catalog.version() == 0
    assert list(catalog.products()) == []
    assert catalog.get(["1"]) == {}
    assert catalog.availability(["1"]) == {"1": False}
    assert catalog.import_products([], hide_missing=True).added == 0
    assert catalog.version() == 0


def test_products_come_back_as_they_were(catalog: CatalogStore) -> None:
    result = catalog.import_products([FULL, *simple("b", "a", "Z")], hide_missing=False)
    assert (result.added, result.updated, result.unchanged, result.hidden) == (4, 0, 0, 0)
    assert catalog.get([FULL.product_id, "none"]) == {FULL.product_id: FULL}
    assert [product.product_id for product in catalog.products()] == ["Z", "a", "b", "Ω-1"]


def test_reimport_updates_and_hides_what_vanished(catalogs: Callable[[], CatalogStore]) -> None:
    catalog, other = catalogs(), catalogs()
    catalog.import_products(simple("a", "b", "c", "d"), hide_missing=False)
    changed = Product(product_id="b", title="Another title")
    result = catalog.import_products([*simple("a", "e"), changed], hide_missing=True)
    assert (result.added, result.updated, result.unchanged, result.hidden) == (1, 1, 1, 2)
    assert [product.product_id for product in other.products() if not product.hidden] == ["a", "b", "e"]
    assert other.get(["b"])["b"].title == "Another title"
    again = catalog.import_products(simple("c"), hide_missing=False)
    assert (again.updated, again.hidden) == (1, 0)
    assert not other.get(["c"])["c"].hidden


def test_the_version_grows_with_changes_only(catalogs: Callable[[], CatalogStore]) -> None:
    catalog, other = catalogs(), catalogs()
    versions = [catalog.version()]
    for change in (
        lambda: catalog.import_products(simple("a", "b", stock=1), hide_missing=False),
        lambda: catalog.import_products(simple("a", "b", stock=2), hide_missing=False),
        lambda: catalog.import_products(simple("a", stock=2), hide_missing=True),
        lambda: catalog.set_stock({"a": 9}),
    ):
        change()
        versions.append(other.version())
    assert all(before < after for before, after in itertools.pairwise(versions))
    catalog.import_products(simple("a", stock=9), hide_missing=True)
    catalog.set_stock({"a": 9, "none": 1})
    assert other.version() == versions[-1]


def test_the_last_of_equal_ids_counts(catalog: CatalogStore) -> None:
    twice = [Product(product_id="a", title="first"), Product(product_id="a", title="second")]
    assert catalog.import_products(twice, hide_missing=False).added == 1
    assert catalog.get(["a"])["a"].title == "second"


def test_availability_is_stock_and_visibility(catalog: CatalogStore) -> None:
    products = [
        *simple("some", stock=2),
        *simple("none", stock=0),
        *simple("uncounted"),
        *simple("hidden", hidden=True),
    ]
    catalog.import_products(products, hide_missing=False)
    asked = ["some", "none", "uncounted", "hidden", "unknown", "n\0l", "\ud800"]
    assert catalog.availability(asked) == dict(zip(asked, [True, False, True, False, False, False, False], strict=True))
    assert catalog.availability([]) == {}


def test_stock_is_set_for_what_exists(catalog: CatalogStore) -> None:
    catalog.import_products(simple("a", "b", stock=5), hide_missing=False)
    assert catalog.set_stock({"a": 0, "b": None, "unknown": 3}) == 2
    assert catalog.availability(["a", "b"]) == {"a": False, "b": True}
    assert catalog.get(["a"])["a"].stock == 0
    assert catalog.get(["b"])["b"].stock is None


def test_many_products(catalog: CatalogStore) -> None:
    ids = [f"{number:05}" for number in range(6001)]
    assert catalog.import_products(simple(*ids), hide_missing=True).added == 6001
    assert [product.product_id for product in catalog.products()] == ids
    assert len(catalog.get(ids)) == 6001
    assert catalog.import_products(simple(*ids[:1]), hide_missing=True).hidden == 6000
    assert sum(catalog.availability(ids).values()) == 1


def test_a_source_that_fails_changes_nothing(catalog: CatalogStore) -> None:
    def source():  # type: ignore[no-untyped-def]
        yield from simple("a", "b")
        raise OSError("the file ended")

    with pytest.raises(OSError, match="the file ended"):
        catalog.import_products(source(), hide_missing=True)
    assert list(catalog.products()) == []


@pytest.mark.parametrize("catalogs", DATABASES, indirect=True)
def test_what_cannot_be_stored_is_refused(catalog: CatalogStore) -> None:
    for product in (*simple("n\0l"), *simple("a", attributes={"x": object()}), *simple("a", brand="\ud800")):
        with pytest.raises(InputError):
            catalog.import_products([product], hide_missing=False)
    assert catalog.version() == 0
