"""Imports into a store: good rows kept, bad ones reported, and never a shop emptied by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtp_plugin.catalog.files import read_products
from mtp_plugin.catalog.importer import MAX_ERRORS, import_catalog, import_file
from mtp_plugin.catalog.mapped import CallableCatalog
from mtp_plugin.errors import InputError
from mtp_plugin.records import Product
from mtp_plugin.store.database import Database
from mtp_plugin.store.memory.catalog import MemoryCatalog
from mtp_plugin.store.sql_catalog import SqlCatalog

GOLDEN = Path(__file__).parents[1] / "golden" / "catalog"


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryCatalog()
        return
    database = Database(f"sqlite:///{tmp_path / 'shop.sqlite'}", 1000)
    yield SqlCatalog(database)
    database.close()


def visible(store):
    return [product.product_id for product in store.products() if not product.hidden]


def table(tmp_path, *rows):
    path = tmp_path / "products.csv"
    path.write_text("id,title,price\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def run(path, store, **options):
    return import_file(path, store, currency="EUR", **options)


def test_good_rows_are_kept_and_bad_ones_reported(tmp_path, store):
    result = run(table(tmp_path, "1,a,5", "2,b,?", ",c,5", "3,d,6"), store)
    assert (result.added, result.skipped) == (2, 2)
    assert [(error.line, error.field) for error in result.errors] == [(3, "price"), (4, "product_id")]
    assert visible(store) == ["1", "3"]
    assert store.get(["1"])["1"].currency == "EUR"


def test_strict_keeps_none(tmp_path, store):
    run(table(tmp_path, "0,before,1"), store)
    result = run(table(tmp_path, "1,a,5", "2,b,?"), store, strict=True)
    assert (result.added, result.updated, result.hidden, result.skipped) == (0, 0, 0, 2)
    assert len(result.errors) == 1
    assert visible(store) == ["0"]
    assert run(table(tmp_path, "1,a,5"), store, strict=True).added == 1


def test_twice_changes_nothing(tmp_path, store):
    path = table(tmp_path, "1,a,5", "2,b,6")
    assert run(path, store).added == 2
    version = store.version()
    again = run(path, store)
    assert store.version() == version
    assert (again.added, again.updated, again.hidden, again.unchanged) == (0, 0, 0, 2)


def test_what_vanished_is_hidden_and_comes_back(tmp_path, store):
    run(table(tmp_path, "1,a,5", "2,b,6"), store)
    result = run(table(tmp_path, "2,b,7"), store)
    assert (result.updated, result.hidden, visible(store)) == (1, 1, ["2"])
    run(table(tmp_path, "1,a,5", "2,b,7"), store)
    assert visible(store) == ["1", "2"]


def test_unless_it_is_to_stay(tmp_path, store):
    run(table(tmp_path, "1,a,5", "2,b,6"), store)
    assert run(table(tmp_path, "2,b,7"), store, hide_missing=False).hidden == 0
    assert visible(store) == ["1", "2"]


def test_a_product_whose_row_turned_bad_is_hidden_like_one_that_vanished(tmp_path, store):
    run(table(tmp_path, "1,a,5", "2,b,6"), store)
    run(table(tmp_path, "1,a,5", "2,b,?"), store)
    assert visible(store) == ["1"]


@pytest.mark.parametrize("rows", [[], ["1,,5"], ["1,a,?", "2,b,?"]])
def test_a_file_without_a_good_row_is_refused(tmp_path, store, rows):
    run(table(tmp_path, "1,a,5"), store)
    with pytest.raises(InputError, match="nothing was changed"):
        run(table(tmp_path, *rows), store)
    assert visible(store) == ["1"]


def test_a_file_that_breaks_off_changes_nothing(tmp_path, store):
    run(table(tmp_path, "1,a,5", "2,b,5"), store)
    version = store.version()
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b"id,title,price\n1,new,6\n" + b"3,x,1\n" * 5000 + "4,größe,1\n".encode("cp1252"))
    with pytest.raises(InputError, match="not UTF-8"):
        run(broken, store)
    assert store.get(["1"])["1"].title == "a"
    assert store.version() == version


def test_progress_is_told(tmp_path, store):
    told = []
    run(table(tmp_path, *(f"{i},a,5" for i in range(2500))), store, progress=told.append)
    assert told == [1000, 2000, 2500]


def test_errors_are_bounded_and_in_order(tmp_path, store):
    result = run(table(tmp_path, "1,a,5", *(f"x{i},a,?" for i in range(MAX_ERRORS + 5))), store)
    assert len(result.errors) == MAX_ERRORS
    assert result.notes == {"more errors": 5}
    assert result.skipped == MAX_ERRORS + 5
    lines = [error.line for error in result.errors]
    assert lines == sorted(lines)


def test_a_declared_catalogue_is_imported_alike(store):
    rows = [{"product_id": 1, "title": "a", "price": "5"}, {"product_id": 2}, Product(product_id="3", title="c")]
    result = import_catalog(CallableCatalog(lambda: rows, lambda ids: ids), store, currency="EUR")
    assert (result.added, [(error.line, error.field) for error in result.errors]) == (2, [(2, "title")])
    assert {product.currency for product in store.products()} == {"EUR"}


def test_a_declared_catalogue_that_is_empty_is_refused(store):
    with pytest.raises(InputError, match="hide the whole shop"):
        import_catalog(CallableCatalog(list, lambda ids: ids), store, currency="EUR")


def test_a_catalogue_with_nothing_but_the_port_is_enough(store):
    class Plain:
        def products(self):
            return [Product(product_id="1", title="a")]

        def availability(self, product_ids):
            return {}

    assert import_catalog(Plain(), store).added == 1


@pytest.mark.parametrize(
    "name", sorted(path.name for path in GOLDEN.iterdir() if path.suffix != ".json" and "mapped" not in path.name)
)
def test_what_was_read_is_what_is_stored(store, name):
    result = run(GOLDEN / name, store)
    rows = read_products(GOLDEN / name, currency="EUR")
    given = {row.product_id: row for row in rows if isinstance(row, Product)}
    assert store.get(list(given)) == given
    assert result.added == len(given)
    again = run(GOLDEN / name, store)
    assert (again.added, again.updated, again.unchanged) == (0, 0, len(given))
