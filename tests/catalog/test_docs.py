"""What the pages on the catalogue and on conditions show is run here, and what they list is complete."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, create_engine
from sqlalchemy.orm import DeclarativeBase, relationship, scoped_session, sessionmaker

from mtp_plugin import conditions, patterns
from mtp_plugin.catalog.csv_mapped import USUAL_NAMES
from mtp_plugin.catalog.facts import FACT_NAMES, product_facts
from mtp_plugin.catalog.files import FORMATS, read_products
from mtp_plugin.catalog.values import FIELDS
from mtp_plugin.conditions import GROUPS, OPERATORS, compile_condition
from mtp_plugin.records import Product
from mtp_plugin.store.memory.catalog import MemoryCatalog

DOCS = Path(__file__).parents[2] / "docs"


class Base(DeclarativeBase):
    pass


words = Table("words", Base.metadata, Column("item", ForeignKey("item.id")), Column("label", ForeignKey("label.id")))


class Label(Base):
    __tablename__ = "label"
    id = Column(Integer, primary_key=True)
    word = Column(String)


class Maker(Base):
    __tablename__ = "maker"
    id = Column(Integer, primary_key=True)
    name = Column(String)


class Item(Base):
    __tablename__ = "item"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    cents = Column(Integer)
    stock = Column(Integer)
    listed = Column(Boolean)
    material = Column(String)
    maker_id = Column(ForeignKey("maker.id"))
    maker = relationship(Maker)
    labels = relationship(Label, secondary=words)


def snippets(page, language):
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run(code, **names):
    exec(compile(code, "docs", "exec"), names)
    return names


@pytest.fixture
def example(tmp_path):
    (mapping,), (table,) = snippets("catalogue.md", "json"), snippets("catalogue.md", "csv")
    path = tmp_path / "products.csv"
    path.write_bytes(table.encode("cp1252"))
    return path, json.loads(mapping)


def test_the_mapped_file_gives_what_the_page_says(example):
    path, mapping = example
    shown = []
    for row in read_products(path, mapping=mapping, currency="USD"):
        if isinstance(row, Product):
            margin = "-" if row.margin is None else f"{row.margin:.2f}"
            price = f"{row.price:.2f} {row.currency}"
            shown.append([row.product_id, row.title, row.brand, row.category, price, f"margin {margin}", row.url])
        else:
            shown.append([f"line {row.line}: {row.field}: {row.reason}"])
    (said,) = snippets("catalogue.md", "text")
    assert [re.split(r" {2,}", line) for line in said.splitlines()] == shown


def test_the_import_in_code(example, monkeypatch, capsys):
    path, mapping = example
    monkeypatch.chdir(path.parent)
    (code,) = (code for code in snippets("catalogue.md", "python") if "import_file" in code)
    run(code, store=MemoryCatalog(), mapping=mapping)
    assert capsys.readouterr().out == "2 0 0 0 1\nline 4: price: 'auf Anfrage' is no price\n"


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    session = scoped_session(sessionmaker(engine))
    lamp = Item(id=1, name="Lamp", cents=5990, stock=2, listed=True, material="brass", maker=Maker(name="Lumo"))
    lamp.labels.append(Label(word="new"))
    session.add_all([lamp, Item(id=2, name="Old lamp", cents=10, stock=1, listed=False)])
    session.commit()
    yield session
    session.remove()
    engine.dispose()


def test_the_model(session):
    code, other = (code for code in snippets("catalogue.md", "python") if "MappedCatalog(" in code)
    declared = []
    names = run(code, mtp=SimpleNamespace(catalog=declared.append), db=SimpleNamespace(session=session), Item=Item)
    (catalog,) = declared
    (lamp,) = catalog.products()
    assert (lamp.title, lamp.brand, lamp.tags, lamp.price, lamp.currency) == ("Lamp", "Lumo", ("new",), 59.9, "EUR")
    assert (lamp.url, lamp.attributes) == ("/items/1", {"material": "brass"})
    assert catalog.availability(["1", "2"]) == {"1": True}
    warehouse = SimpleNamespace(in_stock=lambda ids: ["1"])
    names |= {"mapping": {"product_id": "id", "title": "name"}, "warehouse": warehouse}
    made = eval(other.split("   #")[0], names)
    assert made.availability(["1", "2"]) == {"1": True, "2": False}


def test_the_functions():
    (code,) = (code for code in snippets("catalogue.md", "python") if "CallableCatalog(" in code)
    declared = []
    run(code, mtp=SimpleNamespace(catalog=declared.append))
    (catalog,) = declared
    assert [(product.product_id, product.price) for product in catalog.products()] == [("1", 59.9), ("2", 120.0)]
    assert catalog.availability(["1", "2"]) == {"1": True, "2": False}


def test_every_field_and_format_is_described():
    page = (DOCS / "catalogue.md").read_text(encoding="utf-8")
    for name in (*FIELDS, *FORMATS):
        assert f"`{name}`" in page, name
    assert set(USUAL_NAMES) <= {*FIELDS, "variant_id", "variant_title", "size"}


def test_condition_snippets():
    for code in snippets("conditions.md", "python"):
        run(code)
    product = Product(product_id="1", title="x", category_path=("Home", "Lamps"), tags=("new",), price=59.9)
    (example,) = snippets("conditions.md", "json")
    assert compile_condition(json.loads(example))(product_facts(product, 0.0))


def test_every_operator_has_an_example_that_compiles():
    page = (DOCS / "conditions.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`\$.*?) \|.*\| `(\{.*\})` \|$", page, re.MULTILINE)
    described = {name for names, _ in rows for name in re.findall(r"\$\w+", names)}
    assert described == {*OPERATORS, *GROUPS}
    for _, example in rows:
        compile_condition(json.loads(example))


def test_every_fact_is_described():
    page = (DOCS / "conditions.md").read_text(encoding="utf-8").partition("## Facts of a product")[2]
    for name in set(FACT_NAMES) - {"attributes"}:
        assert f"`{name}`" in page, name


def test_limits_are_the_documented_ones():
    page = (DOCS / "conditions.md").read_text(encoding="utf-8").partition("## Limits")[2]
    said = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", page)}
    limits = {getattr(conditions, name) for name in dir(conditions) if name.startswith("MAX_")}
    assert limits | {patterns.MAX_LENGTH, patterns.MAX_TEXT} <= said
