"""Files as a whole: formats told apart, encodings, mappings that do not fit, files that are something else."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mtp_plugin.catalog.files import detect, read_products
from mtp_plugin.errors import InputError
from mtp_plugin.records import Product, RowError

GOLDEN = Path(__file__).parents[1] / "golden" / "catalog"
TITLES = ["红色跑鞋", "قميص قطني", "👩‍👩‍👧 set", "Tiê\u0301ng Việt", "हिन्दी", "עברית", "ﬁligree"]


def read(path, **options):
    return list(read_products(path, currency="EUR", **options))


def written(tmp_path, data, name="file.csv"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("mapped.csv", "csv"),
        ("usual_names.tsv", "csv"),
        ("shopify.csv", "shopify"),
        ("merchant.xml", "google-merchant"),
        ("atom.xml", "google-merchant"),
        ("retail.jsonl", "google-retail"),
    ],
)
def test_formats_are_told_by_content_alone(tmp_path, name, format):
    assert detect(written(tmp_path, (GOLDEN / name).read_bytes(), "no-extension")) == format
    packed = written(tmp_path, gzip.compress((GOLDEN / name).read_bytes()), "packed.gz")
    assert detect(packed) == format


def test_invoice_lines_are_told_too_unless_mapped(tmp_path):
    path = written(tmp_path, "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")
    assert detect(path) == "online-retail"
    assert detect(path, {"product_id": "StockCode", "title": "Description"}) == "csv"


def test_packed_is_as_plain(tmp_path):
    packed = written(tmp_path, gzip.compress((GOLDEN / "shopify.csv").read_bytes()), "x.csv.gz")
    assert read(packed) == read(GOLDEN / "shopify.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_titles_in_any_script_and_unicode_encoding(tmp_path, encoding):
    text = "id,title\r\n" + "".join(f"{i},{title}\r\n" for i, title in enumerate(TITLES))
    import unicodedata

    found = read(written(tmp_path, text.encode(encoding)))
    assert [product.title for product in found] == [unicodedata.normalize("NFC", title) for title in TITLES]


def test_a_feed_may_be_utf_16(tmp_path):
    text = (
        '<?xml version="1.0" encoding="UTF-16"?><rss><channel><item><id>1</id><title>鞋</title></item></channel></rss>'
    )
    assert read(written(tmp_path, text.encode("utf-16")))[0].title == "鞋"


def test_a_wrong_encoding_is_said_with_its_remedy_and_the_remedy_works(tmp_path):
    path = written(tmp_path, "id;title\n1;plain\n2;größer\n".encode("cp1252"))
    with pytest.raises(InputError, match=r"is not UTF-8 \(byte 0xf6\).*\"encoding\": \"cp1252\""):
        read(path)
    mapping = {"product_id": "id", "title": "title", "file": {"encoding": "cp1252"}}
    assert [product.title for product in read(path, mapping=mapping)] == ["plain", "größer"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b'[\n{"id": "1"}]', "one object a line"),
        (b"PK\x03\x04rest", "no text"),
        (b"PAR1rest", "no text"),
        (b"id,title\n1,a\x00b\n", "zero byte"),
        (gzip.compress(b"id,title\n1,a\n" * 1000, mtime=0)[:-20], "damaged"),
        (b"id,title,id\n", "stands twice"),
        (b"number,words\n1,a\n", 'no column is known to hold product_id.*{"product_id": "number"}'),
        (b"<rss><channel><item></rss>", "not well-formed"),
        (b"<html><body>Not found</body></html>", "no Merchant feed"),
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><rss>&a;</rss>', "which is refused"),
        (b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><rss/>', "which is refused"),
    ],
)
def test_what_is_wrong_as_a_whole_is_said(tmp_path, data, words):
    with pytest.raises(InputError, match=words):
        read(written(tmp_path, data))


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read(tmp_path / "none.csv")


def test_an_unknown_format_is_said():
    with pytest.raises(InputError, match="there are csv, shopify"):
        read(GOLDEN / "shopify.csv", format="shopfy")


@pytest.mark.parametrize("format", ["shopify", "online-retail", "google-merchant"])
def test_a_format_that_the_file_is_not(format):
    with pytest.raises(InputError):
        read(GOLDEN / "usual_names.tsv", format=format)


@pytest.mark.parametrize(
    ("mapping", "field", "words"),
    [
        ({"product_id": "ID", "title": "title"}, "mapping.product_id", "did you mean id?"),
        ({"product_id": "id", "titel": "title"}, "mapping.titel", "did you mean title?"),
        ({"product_id": "id"}, "mapping.title", "no column is known to hold title"),
        ({"product_id": "id", "title": 5}, "mapping.title", "give a column name"),
        ({"product_id": "id", "title": {"column": "title", "sep": ","}}, "mapping.title", "give a column name"),
        ({"product_id": "id", "title": "title", "attributes": "fit"}, "mapping.attributes", "one by one"),
        (
            {"product_id": "id", "title": "title", "attributes": {"fit": "Fit"}},
            "mapping.attributes.fit",
            "no column 'Fit'",
        ),
        ({"product_id": "id", "title": "title", "file": {"decimals": ","}}, "mapping.file", "file takes"),
        ({"product_id": "id", "title": "title", "file": {"decimal": "x"}}, "mapping.file.decimal", 'write "."'),
        ({"product_id": "id", "title": "title", "file": {"delimiter": "x"}}, "mapping.file.delimiter", "use one of"),
        ({"product_id": "id", "title": "title", "file": {"encoding": "utf-9"}}, "file", "no encoding"),
        ({"product_id": "id", "title": "title", "url": {"template": "/p"}}, "mapping.url.template", "/p/{product_id}"),
        (
            {"product_id": "id", "title": "title", "url": {"template": "javascript:{product_id}"}},
            "mapping.url.template",
            "no address",
        ),
    ],
)
def test_a_mapping_that_does_not_fit(tmp_path, mapping, field, words):
    with pytest.raises(InputError) as caught:
        read(written(tmp_path, "id,title,fit\n1,a,b\n"), mapping=mapping)
    assert caught.value.field == field
    assert words in caught.value.message


def test_other_formats_take_no_columns():
    with pytest.raises(InputError, match="no more than url"):
        read(GOLDEN / "shopify.csv", mapping={"title": "Title"})


def test_a_template_gives_addresses_to_products_without_one():
    mapping = {"url": {"template": "/p/{product_id}"}}
    shopify = {p.product_id: p.url for p in read(GOLDEN / "shopify.csv", mapping=mapping) if isinstance(p, Product)}
    assert shopify["wool-coat"] == "/p/wool-coat"
    merchant = {p.product_id: p.url for p in read(GOLDEN / "merchant.xml", mapping=mapping) if isinstance(p, Product)}
    assert merchant["B-1"] == "https://shop.example/p/b1"


def test_a_template_quotes_ids(tmp_path):
    path = written(tmp_path, "id,title\na/b ü?,x\n")
    (product,) = read(path, mapping={"product_id": "id", "title": "title", "url": {"template": "/p/{product_id}"}})
    assert product.url == "/p/a%2Fb%20%C3%BC%3F"


def test_prices_of_a_column_help_each_other(tmp_path):
    found = read(written(tmp_path, 'id,title,price\n1,a,"1.299"\n2,b,"5,50"\n'))
    assert [product.price for product in found] == [1299.0, 5.5]
    assert read(written(tmp_path, 'id,title,price\n1,a,"1.299"\n'))[0].field == "price"
    with pytest.raises(InputError, match="say which in the mapping"):
        read(written(tmp_path, 'id,title,price\n1,a,5.50\n2,b,"5,50"\n'))


def test_short_rows_are_filled_and_blank_ones_skipped(tmp_path):
    found = read(written(tmp_path, "id,title,brand\n1,a\n\n,,\n2,b,c\n"))
    assert [(product.product_id, product.brand) for product in found] == [("1", ""), ("2", "c")]


def test_lines_are_those_of_the_file(tmp_path):
    found = read(written(tmp_path, 'id,title\n1,"a\nb"\n,x\n'))
    assert found[1] == RowError(4, "product_id", "is missing")


def test_a_feed_is_read_as_a_stream(tmp_path):
    item = "<item><g:id>{}</g:id><title>Thing</title><g:price>1.00 EUR</g:price><description>{}</description></item>"
    items = "".join(item.format(i, "word " * 50) for i in range(3000))
    path = written(tmp_path, f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{items}</channel></rss>', "f.xml")
    found = read(path)
    assert [product.product_id for product in found] == [str(i) for i in range(3000)]
    assert found[-1].description == ("word " * 50).strip()
