"""Every format of history, what is wrong with rows, and that reading twice gives the same events."""

from __future__ import annotations

import gzip
import json
import random
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from mtp_plugin.errors import InputError
from mtp_plugin.records import Event, RowError
from mtp_plugin.track.files import read_events, told_format
from mtp_plugin.track.imported import Occurrences
from mtp_plugin.track.orders import Orders

HEADER = "event,timestamp,user_id,product_id,quantity,price,order_id"
NOON = 1_772_366_400.0


def write(tmp_path, name, text, encoding="utf-8"):
    path = tmp_path / name
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def read(path, **options):
    rows = list(read_events(path, **options))
    return [r for r in rows if isinstance(r, Event)], [r for r in rows if isinstance(r, RowError)]


def told(errors):
    return [(e.line, e.field) for e in errors]


def csv_of(*rows):
    return "\n".join([HEADER, *rows]) + "\n"


VIEW = "view,2026-03-01T12:00:00Z,7,a,,,"


# ------------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt", "a.csv.gz"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_tables_in_all_their_forms(tmp_path, name, delimiter, encoding):
    text = csv_of(VIEW, "transaction,2026-03-01 13:00,7,b,2,9.50,o1").replace(",", delimiter)
    events, errors = read(write(tmp_path, name, text, encoding))
    assert errors == []
    assert [(e.name, e.profile_id, e.timestamp - NOON) for e in events] == [
        ("Product Viewed", "u:7", 0),
        ("Order Completed", "u:7", 3600),
    ]
    (product,) = events[1].products
    assert (product.product_id, product.quantity, product.price) == ("b", 2.0, 9.5)
    assert events[1].properties == {"order_id": "o1"}
    assert all(e.permanent and e.received_at == e.timestamp and e.source == "import" for e in events)


def test_a_mapping_and_a_constant(tmp_path):
    text = "Kunde;Wann;Artikel;Menge\nAnna;2026-03-01 13:00;Größe 5;3\n"
    mapping = {"user_id": "Kunde", "timestamp": "Wann", "product_id": "Artikel", "quantity": "Menge"}
    path = write(tmp_path, "a.csv", text)
    mapping["name"] = {"value": "Order Completed"}
    events, errors = read(path, mapping=mapping, time_zone="Europe/Berlin")
    assert errors == []
    assert (events[0].profile_id, events[0].timestamp, events[0].products[0].product_id) == ("u:Anna", NOON, "Größe 5")


@pytest.mark.parametrize(
    ("mapping", "field"),
    [
        ({"user_id": "nobody"}, "mapping.user_id"),
        ({"nothing": "event"}, "mapping.nothing"),
        ({"user_id": ["event"]}, "mapping.user_id"),
        ({"user_id": {"column": "event"}}, "mapping.user_id"),
    ],
)
def test_a_mapping_that_cannot_be(tmp_path, mapping, field):
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, "a.csv", csv_of(VIEW)), mapping=mapping)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("event,user_id,product_id", "mapping.timestamp"),
        ("timestamp,user_id", "mapping.name"),
        ("event,timestamp", "mapping.user_id"),
    ],
)
def test_a_table_that_does_not_tell(tmp_path, header, field):
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, "a.csv", header + "\nx,y,z\n"))
    assert caught.value.field == field


def test_bad_rows_are_named_and_good_ones_kept(tmp_path):
    rows = [
        VIEW,
        "view,yesterday,7,a,,,",
        "view,2026-03-01T12:00:00Z,,a,,,",
        "view,2026-03-01T12:00:00Z,7,,,,",
        ",2026-03-01T12:00:00Z,7,a,,,",
        "view,2026-03-01T12:00:00Z,7,a,many,,",
        "view,2026-03-01T12:00:00Z,7,a,,,,surplus",
        "view,2026-03-01T12:00:00Z," + "7" * 201 + ",a,,,",
        "view,1969-01-01,7,a,,,",
        "view",
        "",
        "view,2026-03-01T12:00:01Z,7,a,,,",
    ]
    events, errors = read(write(tmp_path, "a.csv", csv_of(*rows)))
    assert len(events) == 2
    assert told(errors) == [
        (3, "timestamp"), (4, "user_id"), (5, "row.product_id"), (6, "name"), (7, "row.quantity"), (8, ""),
        (9, "user_id"), (10, "timestamp"), (11, "timestamp"),
    ]  # fmt: skip
    assert all(e.reason for e in errors)


def test_a_time_in_the_future_is_a_mistake(tmp_path):
    path = write(tmp_path, "a.csv", csv_of(VIEW, "view,2036-03-01T12:00:00Z,7,a,,,"))
    events, errors = read(path, now=NOON + 10)
    assert (len(events), told(errors)) == (1, [(3, "timestamp")])
    assert len(read(path)[0]) == 2


@pytest.mark.parametrize(
    "written",
    [
        "1772366400",
        "1772366400.0",
        "1772366400000",
        "1772366400000000",
        "2026-03-01T12:00:00Z",
        "2026-03-01 13:00+01:00",
    ],
)
def test_times_as_exports_write_them(tmp_path, written):
    events, _ = read(write(tmp_path, "a.csv", csv_of(f"view,{written},7,a,,,")))
    assert events[0].timestamp == NOON


def test_a_date_of_eight_digits_is_a_date(tmp_path):
    events, _ = read(write(tmp_path, "a.csv", csv_of("view,20260301,7,a,,,")))
    assert events[0].timestamp == NOON - 43200


def test_what_of_a_table_is_kept_is_bounded(tmp_path):
    text = "event,timestamp,user_id,query\nsearch,2026-03-01,7,find anna@example.com\nsearch,2026-03-01,7," + "x" * 2001
    events, errors = read(write(tmp_path, "a.csv", text))
    assert events[0].properties == {"query": "find [email]"}
    assert told(errors) == [(3, "query")]


# ------------------------------------------------------------------------------------------------- orders


LINES = [
    "order,2026-03-01T12:00:00Z,7,a,1,1,o1",
    "order,2026-03-01T12:01:00Z,8,a,1,1,o2",
    "order,2026-03-01T12:00:00Z,7,b,2,1,o1",
    "view,2026-03-01T12:02:00Z,7,a,,,",
    "order,2026-03-01T12:01:00Z,8,c,1,1,o2",
    "order,2026-03-01T12:00:00Z,7,a,1,1,o1",
]


def test_lines_of_an_order_meet_wherever_they_stand(tmp_path):
    events, errors = read(write(tmp_path, "a.csv", csv_of(*LINES)))
    assert errors == []
    assert [(e.name, [p.product_id for p in e.products]) for e in events] == [
        ("Product Viewed", ["a"]),
        ("Order Completed", ["a", "c"]),
        ("Order Completed", ["a", "b", "a"]),
    ]


@given(st.randoms())
def test_an_order_has_one_id_in_whatever_order_its_lines_come(tmp_path_factory, rng):
    folder = tmp_path_factory.mktemp("orders")
    shuffled = random.Random(rng.random()).sample(LINES, len(LINES))
    before = {
        e.event_id: sorted(p.product_id for p in e.products) for e in read(write(folder, "a.csv", csv_of(*LINES)))[0]
    }
    after = {
        e.event_id: sorted(p.product_id for p in e.products) for e in read(write(folder, "b.csv", csv_of(*shuffled)))[0]
    }
    assert before == after
    assert len(before) == 3


def test_a_bad_line_does_not_hold_its_order_back(tmp_path):
    rows = [LINES[0], "order,2026-03-01T12:00:00Z,7,b,many,1,o1", "order,never,9,b,1,1,o9", VIEW]
    events, errors = read(write(tmp_path, "a.csv", csv_of(*rows)))
    assert told(errors) == [(3, "row.quantity"), (4, "timestamp")]
    assert [e.name for e in events] == ["Order Completed", "Product Viewed"]


def test_one_number_of_two_customers_is_two_orders(tmp_path):
    rows = ["order,2026-03-01T12:00:00Z,7,a,1,1,o1", "order,2026-03-01T12:00:00Z,8,a,1,1,o1"]
    events, _ = read(write(tmp_path, "a.csv", csv_of(*rows)))
    assert {e.profile_id for e in events} == {"u:7", "u:8"}


def test_returns_of_one_order_on_two_days_are_two(tmp_path):
    rows = [f"Order Refunded,2026-03-0{day}T12:00:00Z,7,{p},1,1,o1" for day, p in ((1, "a"), (1, "b"), (2, "a"))]
    events, _ = read(write(tmp_path, "a.csv", csv_of(*rows)))
    assert [len(e.products) for e in events] == [2, 1]
    assert len({e.event_id for e in events}) == 2


def test_views_that_carry_an_order_number_are_no_order(tmp_path):
    rows = [f"view,2026-03-01T12:00:00Z,7,{p},,,o1" for p in "ab"]
    events, _ = read(write(tmp_path, "a.csv", csv_of(*rows)))
    assert len({e.event_id for e in events}) == 2


def test_too_many_open_lines_are_said():
    orders = Orders([("o1",)] * 5, most_open=2)
    line = read_one_line()
    orders.take(("o1",), line)
    orders.take(("o1",), line)
    with pytest.raises(InputError, match="sort the file by order_id"):
        orders.take(("o1",), line)


def read_one_line():
    from mtp_plugin.track.imported import imported_event

    return imported_event("Order Completed", key="o1", timestamp=1.0, user_id="7", properties={"order_id": "o1"})


def test_rows_alike_each_count_and_count_once(tmp_path):
    path = write(tmp_path, "a.csv", csv_of(VIEW, VIEW, VIEW))
    ids = [e.event_id for e in read(path)[0]]
    assert len(set(ids)) == 3
    assert [e.event_id for e in read(path)[0]] == ids


def test_memory_of_rows_alike_is_bounded():
    alike = Occurrences(window=2)
    assert [alike(key) for key in "aab"] == ["a", "a|2", "b"]
    alike("c")
    assert alike("a") == "a"


def test_message_ids_are_the_key(tmp_path):
    text = "event,timestamp,user_id,message_id\nx,2026-03-01,7,m1\nx,2026-03-01,7,m1\nx,2026-03-01,7,m2\n"
    events, _ = read(write(tmp_path, "a.csv", text))
    assert len({e.event_id for e in events}) == 2


# ------------------------------------------------------------------------------------------------ parquet


def write_parquet(tmp_path, columns):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table(columns), path)
    return path


def test_parquet_as_pandas_writes_it(tmp_path):
    nan = float("nan")
    path = write_parquet(
        tmp_path,
        {
            "event": ["view", "transaction", "transaction", "view"],
            "timestamp": pa.array([1_772_366_400_000_000_123] * 4, pa.timestamp("ns")),
            "customer_id": pa.array([17850.0, 17850.0, 17850.0, nan]),
            "session_id": ["s1", None, None, "s2"],
            "product_id": pa.array([5, 6, 7, 8], pa.int64()),
            "price": pa.array([Decimal("1.50"), Decimal("2.00"), None, None], pa.decimal128(10, 2)),
            "order_id": pa.array([nan, 9.0, 9.0, nan]),
            "unused": pa.array([b"\xff"] * 4),
        },
    )
    events, errors = read(path)
    assert errors == []
    assert [(e.name, e.profile_id, e.timestamp) for e in events] == [
        ("Product Viewed", "u:17850", NOON),
        ("Order Completed", "u:17850", NOON),
        ("Product Viewed", "a:s2", NOON),
    ]
    assert [(p.product_id, p.price) for p in events[1].products] == [("6", 2.0), ("7", None)]
    assert events[1].properties == {"order_id": "9"}


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([date(2026, 3, 1)]), NOON - 43200),
        (pa.array([datetime(2026, 3, 1, 12)], pa.timestamp("us")), NOON),
        (pa.array([datetime(2026, 3, 1, 12)], pa.timestamp("s", "Europe/Berlin")), NOON),
        (pa.array([20260301]), NOON - 43200),
        (pa.array([1772366400.0]), NOON),
    ],
)
def test_times_in_parquet(tmp_path, array, expected):
    events, errors = read(write_parquet(tmp_path, {"event": ["x"], "user_id": ["7"], "timestamp": array}))
    assert errors == []
    assert events[0].timestamp == expected


def test_bad_rows_in_parquet_are_counted_from_one(tmp_path):
    path = write_parquet(tmp_path, {"event": ["view", None], "user_id": ["7", "7"], "timestamp": [1.0, 2.0]})
    assert told(read(path)[1]) == [(1, "row.product_id"), (2, "name")]


def test_what_is_no_parquet(tmp_path):
    with pytest.raises(InputError, match="no Parquet"):
        read(write(tmp_path, "a.parquet", "event,timestamp"))


# ---------------------------------------------------------------------------------------------- JSON lines


def line(**call):
    return json.dumps({"userId": "7", "timestamp": "2026-03-01T12:00:00Z", **call})


def test_json_lines(tmp_path):
    text = "\n".join(
        [
            line(event="Product Viewed", properties={"product_id": "a", "email": "x@y.de", "url": "https://s/?a=1"}),
            "",
            line(type="page", properties={"path": "/"}),
            line(type="identify", traits={"name": "Anna", "plan": "gold"}),
            line(event="purchase", properties={"order_id": "o1", "products": [{"product_id": "a"}]}, anonymousId="x"),
            line(type="screen"),
            "{nope",
            "[]",
            line(event="Product Viewed"),
            line(event="X", timestamp=None),
            line(event="X", userId=""),
            line(event=5),
        ]
    )
    events, errors = read(write(tmp_path, "a.jsonl.gz", text))
    assert [e.name for e in events] == ["Product Viewed", "Page Viewed", "Identify", "Order Completed"]
    assert events[0].properties == {"product_id": "a", "url": "https://s/"}
    assert events[2].traits == {"plan": "gold"}
    assert (events[3].profile_id, events[3].anonymous_id, len(events[3].products)) == ("u:7", "x", 1)
    assert told(errors) == [
        (6, "type"), (7, ""), (8, ""), (9, "properties.product_id"), (10, "timestamp"), (11, "userId"), (12, "event"),
    ]  # fmt: skip


def test_what_identifies_a_line(tmp_path):
    orders = [line(event="Order Completed", properties={"order_id": "o1", "product_id": p}) for p in "ab"]
    returns = [line(event="Order Refunded", properties={"order_id": "o1", "product_id": p}) for p in "ab"]
    messages = [line(event="X", messageId="m", properties={"n": n}) for n in (1, 2)]
    alike = [line(event="Y")] * 2
    events, _ = read(write(tmp_path, "a.jsonl", "\n".join([*orders, *returns, *messages, *alike])))
    found = [len({e.event_id for e in events[place : place + 2]}) for place in (0, 2, 4, 6)]
    assert found == [1, 2, 1, 2]


# ------------------------------------------------------------------------------------------------- formats


@pytest.mark.parametrize(
    ("name", "text", "format_"),
    [
        ("a.csv", HEADER, "csv"),
        ("A.TSV", HEADER, "csv"),
        ("a.parquet", "", "parquet"),
        ("a.ndjson", "", "jsonl"),
        ("a.csv", "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country", "online-retail"),
        ("a.csv.gz", "InvoiceNo\tStockCode\tInvoiceDate", "online-retail"),
        ("a.csv", "Invoice,timestamp,event,user_id", "csv"),
    ],
)
def test_the_format_is_told(tmp_path, name, text, format_):
    assert told_format(write(tmp_path, name, text)) == format_


def test_a_format_that_cannot_be_told(tmp_path):
    with pytest.raises(InputError, match="say --format"):
        read_events(write(tmp_path, "a.xlsx", ""))
    with pytest.raises(InputError, match="use one of csv, parquet, jsonl, online-retail"):
        read_events(write(tmp_path, "a.csv", ""), format="xlsx")


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", csv_of(VIEW).encode("utf-16"), "not UTF-8"),
        ("a.csv", csv_of("view,2026-03-01,Gr\xf6\xdfe,a,,,").encode("latin-1"), "not UTF-8"),
        ("a.csv.gz", b"no gzip", "cannot be read"),
        ("a.csv.gz", gzip.compress(csv_of(*[VIEW] * 2000).encode(), mtime=0)[:60], "cannot be read"),
        ("a.csv", csv_of(VIEW, '"' + "x" * 200_000).encode(), "field larger"),
        ("a.jsonl", b'{"a": "\xff"}\n', "not UTF-8"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole(tmp_path, name, data, match):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=match):
        read(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none.csv")


@pytest.mark.parametrize("format_", ["jsonl", "online-retail"])
def test_formats_with_columns_of_their_own_take_no_mapping(tmp_path, format_):
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, "a.csv", HEADER), format=format_, mapping={"user_id": "x"})
    assert caught.value.field == "mapping"
