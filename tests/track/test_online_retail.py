"""Invoice lines in the forms that the Online Retail files are handed around in."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mtp_plugin.errors import InputError
from mtp_plugin.records import Event, EventProduct
from mtp_plugin.track.files import read_events

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
SECOND = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"


def read(tmp_path, *lines, header=HEADER, encoding="utf-8", **options):
    path = tmp_path / "retail.csv"
    path.write_bytes("\n".join([header, *lines]).encode(encoding))
    rows = list(read_events(path, **options))
    return [r for r in rows if isinstance(r, Event)], [
        (r.line, r.field, r.reason) for r in rows if not isinstance(r, Event)
    ]


def at(text, zone=UTC):
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def test_an_invoice_is_one_order_though_its_lines_are_apart(tmp_path):
    events, errors = read(
        tmp_path,
        '536365,85123A,"WHITE, HANGING HEART",6,2010-12-01 08:27:00,2.55,17850.0,United Kingdom',
        "536366,22633,HAND WARMER,1,2010-12-01 08:28:00,1.85,13047,France",
        "536365,85123a,WHITE HANGING HEART,2,2010-12-01 08:26:00,2.55,17850.0,United Kingdom",
    )
    assert errors == []
    first, second = events
    assert (first.name, first.profile_id, first.timestamp) == ("Order Completed", "u:17850", at("2010-12-01 08:26"))
    assert first.products == (EventProduct("85123A", 6.0, 2.55), EventProduct("85123A", 2.0, 2.55))
    assert first.properties == {"order_id": "536365", "country": "United Kingdom"}
    assert (second.profile_id, second.user_id) == ("u:13047", "13047")


def test_a_cancellation_is_a_return(tmp_path):
    (event,), errors = read(tmp_path, "C536379,22633,HAND WARMER,-3,2010-12-01 09:41:00,1.85,14527.0,United Kingdom")
    assert (event.name, event.products[0].quantity, errors) == ("Order Refunded", 3.0, [])


def test_lines_that_are_left_out(tmp_path):
    events, errors = read(
        tmp_path,
        "536370,POST,POSTAGE,3,2010-12-01 08:45:00,18,12583.0,France",
        "536370,gift_0001_20,VOUCHER,1,2010-12-01 08:45:00,18,12583.0,France",
        "536589,21777,,-10,2010-12-01 16:50:00,0,,United Kingdom",
        "536414,22139,,56,2010-12-01 11:52:00,0,,United Kingdom",
        "536414,22139,X,many,2010-12-01 11:52:00,1,,United Kingdom",
        "536414,22139,X,inf,2010-12-01 11:52:00,1,,United Kingdom",
        "536414,22139,X,1,someday,1,,United Kingdom",
        "536414,22139",
        ",22139,X,1,2010-12-01 11:52:00,1,,United Kingdom",
    )
    assert events == []
    assert [(line, field) for line, field, _ in errors] == [
        (2, "StockCode"), (3, "StockCode"), (4, "Quantity"), (5, "UnitPrice"), (6, "Quantity"), (7, "Quantity"),
        (8, "InvoiceDate"), (9, "Quantity"), (10, "InvoiceNo"),
    ]  # fmt: skip
    assert [reason for _, _, reason in errors[:4]] == ["not a product", "not a product", "stock adjustment", "no price"]


def test_an_invoice_of_nobody_is_a_basket_of_its_own(tmp_path):
    (event,), _ = read(tmp_path, "536414,22139,X,5,2010-12-01 11:52:00,1.25,,United Kingdom")
    assert (event.profile_id, event.user_id, event.anonymous_id) == ("a:invoice-536414", "", "invoice-536414")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_the_second_edition_however_it_was_saved(tmp_path, delimiter, encoding):
    line = "489434,85048,15CM £ GLASS,12,2009-12-01 07:45:00,6.95,13085.0,United Kingdom"
    (event,), errors = read(
        tmp_path, line.replace(",", delimiter), header=SECOND.replace(",", delimiter), encoding=encoding
    )
    assert (event.profile_id, event.products[0].price, errors) == ("u:13085", 6.95, [])


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["12/1/2010 8:26", "12/13/2010 8:26"], ["2010-12-01 08:26", "2010-12-13 08:26"]),
        (["01/12/2010 08:26", "13/12/2010 08:26"], ["2010-12-01 08:26", "2010-12-13 08:26"]),
        (["12/1/2010 8:26", "11/1/2010 8:26"], ["2010-11-01 08:26", "2010-12-01 08:26"]),
    ],
)
def test_one_date_decides_for_the_file_which_number_is_the_day(tmp_path, dates, expected):
    lines = [f"53636{place},22139,X,1,{date},1,7,X" for place, date in enumerate(dates)]
    events, errors = read(tmp_path, *lines)
    assert errors == []
    assert [e.timestamp for e in events] == [at(text) for text in expected]


def test_a_date_that_does_not_fit_the_others_is_said(tmp_path):
    lines = [
        f"53636{place},22139,X,1,{date},1,7,X" for place, date in enumerate(["12/13/2010 8:26", "13/12/2010 8:26"])
    ]
    events, errors = read(tmp_path, *lines)
    assert (len(events), errors) == (1, [(3, "InvoiceDate", "not a date")])


def test_times_are_the_shops(tmp_path):
    (event,), _ = read(tmp_path, "536414,22139,X,5,2011-07-01 11:52:00,1.25,7,X", time_zone="Europe/London")
    assert event.timestamp == at("2011-07-01 11:52", ZoneInfo("Europe/London"))


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(InputError, match="UnitPrice or Price"):
        read(tmp_path, header=HEADER.replace("UnitPrice", "Cost"))
