"""The shop's own models and functions as a catalogue, on a real SQLite database."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    Numeric,
    String,
    Table,
    Uuid,
    create_engine,
    event,
)
from sqlalchemy.orm import DeclarativeBase, relationship, scoped_session, selectinload, sessionmaker

from mtp_plugin.catalog.mapped import CallableCatalog, MappedCatalog
from mtp_plugin.errors import InputError, SetupError
from mtp_plugin.records import Product, RowError


class Base(DeclarativeBase):
    pass


labels = Table("labels", Base.metadata, Column("item", ForeignKey("items.id")), Column("label", ForeignKey("label.id")))


class Label(Base):
    __tablename__ = "label"
    id = Column(Integer, primary_key=True)
    word = Column(String)


class Maker(Base):
    __tablename__ = "makers"
    id = Column(Integer, primary_key=True)
    name = Column(String)


class Item(Base):
    __tablename__ = "items"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    path = Column(String)
    cents = Column(Integer)
    sale = Column(Numeric(10, 2))
    stock = Column(Integer)
    for_sale = Column(Boolean)
    added = Column(DateTime)
    material = Column(String)
    maker_id = Column(ForeignKey("makers.id"))
    maker = relationship(Maker)
    labels = relationship(Label, secondary=labels)

    @property
    def link(self):
        return f"/items/{self.id}"


class Coded(Base):
    __tablename__ = "coded"
    id = Column(Uuid, primary_key=True)
    name = Column(String)
    stock = Column(Integer)


MAPPING = {
    "product_id": "id",
    "title": Item.name,
    "category_path": "path",
    "brand": "maker.name",
    "tags": "labels.word",
    "price": lambda item: item.cents / 100,
    "sale_price": "sale",
    "stock": "stock",
    "created": "added",
    "url": "link",
    "attributes": {"material": "material"},
}


@pytest.fixture
def engine():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with sessionmaker(engine).begin() as session:
        fell, sale = Maker(name="Fell"), Label(word="sale")
        added = datetime(2026, 1, 1)
        session.add_all(
            [
                Item(id=1, name="Coat", path="Clothing > Coats", cents=12000, sale=90, stock=3, for_sale=True,
                     added=added, material="wool", maker=fell, labels=[sale, Label(word="new")]),
                Item(id=2, name="红帽", cents=1550, stock=0, for_sale=True, labels=[sale]),
                Item(id=3, name="Uncounted", cents=100, stock=None, for_sale=None),
                Item(id=4, name="Withdrawn", cents=100, stock=9, for_sale=False),
            ]
        )  # fmt: skip
    yield engine
    engine.dispose()


@pytest.fixture
def statements(engine):
    seen = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    return seen


@pytest.fixture
def catalog(engine):
    return MappedCatalog(sessionmaker(engine), Item, MAPPING, currency="EUR")


def test_a_full_row(catalog):
    assert next(iter(catalog.products())) == Product(
        product_id="1",
        title="Coat",
        brand="Fell",
        category_path=("Clothing", "Coats"),
        tags=("sale", "new"),
        attributes={"material": "wool"},
        price=120.0,
        sale_price=90.0,
        currency="EUR",
        stock=3,
        url="/items/1",
        created=datetime(2026, 1, 1, tzinfo=UTC).timestamp(),
    )


def test_a_bare_row(catalog):
    uncounted = list(catalog.products())[2]
    assert uncounted == Product(product_id="3", title="Uncounted", price=1.0, currency="EUR", url="/items/3")


def test_availability_is_one_query_of_two_columns(catalog, statements):
    assert catalog.availability(["1", "2", "3", "4", "99", "x", "01", str(2**70)]) == {
        "1": True, "2": False, "3": True, "4": True,
    }  # fmt: skip
    (statement,) = statements
    assert statement.count("items.") == 3
    assert catalog.availability([]) == {}
    assert len(statements) == 1


def test_availability_sees_what_was_sold_a_moment_ago(engine):
    with scoped_session(sessionmaker(engine))() as session:
        catalog = MappedCatalog(session, Item, MAPPING)
        assert len(list(catalog.products())) == 4
        assert catalog.availability(["1"]) == {"1": True}
        session.commit()
        with sessionmaker(engine).begin() as other:
            other.get(Item, 1).stock = 0
        assert catalog.availability(["1"]) == {"1": False}


@pytest.mark.parametrize("column", ["for_sale", Item.for_sale])
def test_a_flag_column(engine, column):
    catalog = MappedCatalog(sessionmaker(engine), Item, MAPPING, availability=column)
    assert catalog.availability(["1", "3", "4"]) == {"1": True, "3": False, "4": False}


@pytest.mark.parametrize("answer", [{"1": True, "2": False}, {"1"}, ["1", "7"], iter(["1"])])
def test_a_callable(engine, answer):
    catalog = MappedCatalog(sessionmaker(engine), Item, MAPPING, availability=lambda ids: answer)
    assert catalog.availability(["1", "2"]) == {"1": True, "2": False}


def test_filters_hold_for_products_and_availability(engine):
    catalog = MappedCatalog(sessionmaker(engine), Item, MAPPING, where=[Item.for_sale.is_(True)])
    assert [product.product_id for product in catalog.products()] == ["1", "2"]
    assert catalog.availability(["1", "4"]) == {"1": True}


def test_rows_are_streamed_and_relationships_can_be_loaded_together(engine, statements):
    options = [selectinload(Item.labels), selectinload(Item.maker)]
    catalog = MappedCatalog(sessionmaker(engine), Item, MAPPING, options=options, batch=2)
    assert len(list(catalog.products())) == 4
    assert len(statements) <= 1 + 2 * 2


def test_ids_of_other_types(engine):
    first, second = uuid.uuid4(), uuid.uuid4()
    with sessionmaker(engine).begin() as session:
        session.add_all([Coded(id=first, name="a", stock=1), Coded(id=second, name="b", stock=0)])
    catalog = MappedCatalog(sessionmaker(engine), Coded, {"product_id": "id", "title": "name", "stock": "stock"})
    ids = [product.product_id for product in catalog.products()]
    assert set(ids) == {str(first), str(second)}
    assert catalog.availability([*ids, "no-uuid"]) == {str(first): True, str(second): False}


def test_a_bad_row_is_named_and_the_rest_goes_on(engine):
    with sessionmaker(engine).begin() as session:
        session.get(Item, 2).name = " "
    catalog = MappedCatalog(sessionmaker(engine), Item, MAPPING)
    rows = list(catalog.rows())
    assert rows[1] == RowError(2, "title", "is missing (product 2)")
    assert isinstance(rows[2], Product)
    with pytest.raises(InputError, match="product 2: title: is missing"):
        list(catalog.products())


def test_sessions_made_for_us_are_closed_and_the_shops_own_stay_open(engine):
    closed = []

    class Watched(sessionmaker(engine).class_):
        def close(self):
            closed.append(self)
            super().close()

    made = sessionmaker(engine, class_=Watched)
    catalog = MappedCatalog(made, Item, MAPPING)
    catalog.availability(["1"])
    list(catalog.products())
    assert len(closed) == 2
    shared = scoped_session(made)
    for given in (shared, lambda: shared, shared()):
        MappedCatalog(given, Item, MAPPING).availability(["1"])
    assert len(closed) == 2
    shared.remove()


def test_what_the_shop_has_not_finished_is_not_written(engine):
    with sessionmaker(engine)() as session:
        session.add(Item(id=1, name="the same id again"))
        catalog = MappedCatalog(session, Item, MAPPING)
        assert catalog.availability(["1"]) == {"1": True}
        assert len(session.new) == 1


def test_flask_sqlalchemy():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    db = SQLAlchemy(app)

    class Thing(db.Model):
        id = db.Column(db.String, primary_key=True)
        name = db.Column(db.String)
        in_stock = db.Column(db.Boolean)

    with app.app_context():
        db.create_all()
        db.session.add_all([Thing(id="a", name="A", in_stock=True), Thing(id="b", name="B", in_stock=False)])
        db.session.commit()
        catalog = MappedCatalog(db.session, Thing, {"product_id": "id", "title": "name", "in_stock": "in_stock"})
        assert [(product.product_id, product.stock) for product in catalog.products()] == [("a", None), ("b", 0)]
        assert catalog.availability(["a", "b", "c"]) == {"a": True, "b": False}
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize(
    ("mapping", "options", "words"),
    [
        ({"title": "name"}, {}, "leaves out product_id"),
        ({"product_id": "id"}, {}, "leaves out title"),
        (MAPPING | {"titel": "name"}, {}, "did you mean title?"),
        (MAPPING | {"brand": "makr.name"}, {}, "no attribute makr for brand; did you mean maker?"),
        (MAPPING | {"brand": 5}, {}, "give an attribute's name"),
        (MAPPING | {"product_id": "link"}, {}, "product_id must be a column"),
        (MAPPING, {"availability": "link"}, "availability must be a column"),
        (MAPPING, {"availability": "material"}, "for words give a callable"),
        (MAPPING, {"batch": 0}, "batch must be at least 1"),
        ({"product_id": "id", "title": "name"}, {}, "how to tell what can be bought"),
        ({"product_id": "id", "title": "name", "stock": lambda item: 5}, {}, "how to tell what can be bought"),
    ],
)
def test_a_mapping_that_does_not_fit(engine, mapping, options, words):
    with pytest.raises(SetupError) as caught:
        MappedCatalog(sessionmaker(engine), Item, mapping, **options)
    assert words in str(caught.value)


def test_functions():
    rows = [Product(product_id="1", title="a", price=5.0), {"product_id": 2, "title": "b", "price": "6,50 €"}]
    catalog = CallableCatalog(lambda: rows, lambda ids: {"1": 1}, currency="EUR")
    assert [(product.product_id, product.price, product.currency) for product in catalog.products()] == [
        ("1", 5.0, "EUR"), ("2", 6.5, "EUR"),
    ]  # fmt: skip
    assert catalog.availability(["1", "2"]) == {"1": True, "2": False}


def test_functions_that_give_something_else():
    catalog = CallableCatalog(lambda: [5, {"product_id": "2"}, {"product_id": "3", "title": "c", "prise": 1}], len)
    assert [row.field for row in catalog.rows()] == ["", "title", "prise"]
    with pytest.raises(InputError, match="is int; give a Product"):
        list(catalog.products())
    with pytest.raises(InputError, match="availability gave int"):
        catalog.availability(["1"])
    with pytest.raises(SetupError, match="products must be a callable, not list"):
        CallableCatalog([], len)
