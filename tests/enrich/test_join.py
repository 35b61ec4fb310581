"""Traits from a CRM: by file, query, address and callable; by account and by hashed address."""

from __future__ import annotations

import gzip
import json
import sqlite3
from datetime import date, datetime
from decimal import Decimal

import pytest

from mtp_plugin.config import Settings
from mtp_plugin.errors import InputError, MTPError, SettingError, SetupError, UnavailableError
from mtp_plugin.outbound import Outbound
from mtp_plugin.ports import ConsentDecision
from mtp_plugin.profile.enrich.join import Crm, plain_value
from mtp_plugin.records import TraitOrigin
from mtp_plugin.scheduled import import_traits, standard_jobs
from mtp_plugin.store.crm import crm_of, declared_crm
from mtp_plugin.store.trait_sources import CallableRows, CsvRows, HttpRows, SqlRows

from ..answering import AnsweringServer
from ..servers import free_port
from ..web.shop import SECRET, build_shop

ROWS = [{"id": "1", "tier": "gold", "age": 41}, {"id": "2", "tier": "silver", "age": None}]


@pytest.fixture
def shop(tmp_path):
    shop = build_shop(tmp_path, pii_key="a key of sixteen or more")
    with shop.app.app_context():
        for user in ("1", "2"):
            shop.mtp.track("Product Viewed", {"product_id": "p001"}, user_id=user)
        yield shop
    shop.state.close()


@pytest.fixture
def server():
    server = AnsweringServer(ROWS)
    yield server
    server.close()


HERE = Outbound(["127.0.0.1"])


def joined(shop, source, **options):
    return import_traits(shop.state, crm_of("hub", source, {"id": "id", **options}, HERE))


def identify(shop, user, **traits):
    body = {"userId": user, "traits": traits}
    answer = shop.app.test_client().post("/mtp/v1/identify", json=body, auth=(SECRET, ""))
    assert answer.get_json()["accepted"] == 1


def profile(shop, name="u:1"):
    return shop.state.journal.profiles([name])[0]


def test_a_csv_file_joins_by_account(shop, tmp_path):
    path = tmp_path / "contacts.csv"
    path.write_text("id;tier;age;zip;first_name;vip\n1;gold;41;01234;Ada;true\n9;gold;1;1;Bea;\n;gold;;;;\n2;;;;;\n")
    result = joined(shop, path)
    assert (result.rows, result.changed, result.unchanged, result.unknown, result.bad) == (4, 1, 1, 1, 1)
    assert [(error.line, error.field) for error in result.errors] == [(3, "id")]
    assert profile(shop).traits == {"tier": "gold", "age": 41, "zip": "01234", "vip": True}
    assert profile(shop).origins["tier"].source == "crm:hub"
    assert profile(shop, "u:9") is None
    again = joined(shop, path)
    assert (again.changed, again.unchanged) == (0, 2)


def test_it_is_kept_when_profiles_are_built_anew_and_goes_with_an_erasure(shop):
    joined(shop, lambda: ROWS)
    before = profile(shop)
    shop.state.pipeline.rebuild()
    assert (profile(shop).traits, profile(shop).origins) == (before.traits, before.origins)
    assert profile(shop).events == 1
    shop.state.journal.erase("u:1")
    assert profile(shop) is None


def test_of_the_shop_and_a_crm_the_shop_holds_and_nothing_is_said_twice(shop):
    identify(shop, "1", tier="platinum")
    count = shop.state.journal.count()
    assert joined(shop, lambda: [{"id": 1, "tier": "gold"}]).unchanged == 1
    assert (profile(shop).traits["tier"], shop.state.journal.count()) == ("platinum", count)


def test_what_a_crm_no_longer_knows_is_nothing(shop):
    joined(shop, lambda: ROWS)
    joined(shop, lambda: [{"id": "1", "tier": ""}])
    assert profile(shop).traits == {"tier": None, "age": 41}


def test_by_address_or_its_hash(shop):
    mark = shop.mtp.hash_email("Ada@Example.com")
    for user, value in (("1", mark), ("2", "abc123")):
        identify(shop, user, email_hash=value)
    rows = [{"mail": "ada@example.com", "tier": "gold"}, {"mail": "abc123", "tier": "tin"}, {"mail": "x@y.zz"}]
    result = import_traits(shop.state, Crm(name="hub", source=CallableRows(lambda: rows), email="mail"))
    assert (result.changed, result.unknown) == (2, 1)
    assert (profile(shop).traits["tier"], profile(shop, "u:2").traits["tier"]) == ("gold", "tin")
    stored = [event for events in shop.state.journal.scan() for event in events]
    assert "example.com" not in str(stored).lower()


def test_who_refused_is_left_alone(shop):
    shop.state.consents.append(
        ConsentDecision(
            subject_id="u:1",
            purpose="personalisation",
            granted=False,
            policy_version="1",
            decided_at=1.0,
            source="test",
        )
    )
    result = joined(shop, lambda: ROWS)
    assert (result.refused, result.changed, profile(shop).traits) == (1, 1, {})


def test_accounts_never_seen_may_be_kept(shop):
    assert joined(shop, lambda: [{"id": "9", "tier": "gold", "x": None}], everyone=True).changed == 1
    new = profile(shop, "u:9")
    assert (new.traits, new.events, new.sessions) == ({"tier": "gold"}, 0, 0)


def test_only_the_traits_that_are_named(shop):
    joined(shop, lambda: [{"id": "1", "Tier__c": "gold", "note": "x"}], traits={"tier": "Tier__c", "absent": "y"})
    assert profile(shop).traits == {"tier": "gold"}


def test_a_query(shop, tmp_path):
    with sqlite3.connect(tmp_path / "crm.db") as database:
        database.execute("CREATE TABLE customer (id INTEGER, tier TEXT)")
        database.executemany("INSERT INTO customer VALUES (?, ?)", [(1, "gold"), (2, None), (3, "x")])
    database.close()
    source = f"sqlite:///{tmp_path / 'crm.db'}"
    result = joined(shop, source, query="SELECT id, tier, 2 AS n FROM customer WHERE id < 3")
    assert (result.changed, profile(shop).traits, profile(shop, "u:2").traits) == (
        2,
        {"tier": "gold", "n": 2},
        {"n": 2},
    )
    with pytest.raises(UnavailableError, match="no such table: nowhere"):
        joined(shop, source, query="SELECT * FROM nowhere")


@pytest.mark.parametrize(
    ("body", "options"),
    [
        (ROWS, {}),
        ({"data": {"results": ROWS}}, {"items": "data.results"}),
        ({"next": None, "rows": ROWS}, {"items": "rows", "next": "next"}),
    ],
)
def test_an_address(shop, server, body, options):
    server.answer = 200, body
    assert joined(shop, server.url, headers={"Authorization": "Bearer secret"}, **options).changed == 2
    assert server.headers[0]["Authorization"] == "Bearer secret"
    assert profile(shop).traits == {"tier": "gold", "age": 41}


def test_pages_of_an_address_are_followed_on_the_same_host_alone(server):
    def answer(handler):
        page = int(handler.path.partition("=")[2] or 0)
        following = f"/?page={page + 1}" if page < 2 else "http://elsewhere.example/"
        body = json.dumps({"rows": [{"id": page}], "next": following}).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    server.answer = answer
    rows, read = [], HttpRows(f"{server.url}/", items="rows", next="next", outbound=HERE).rows()
    with pytest.raises(UnavailableError, match=r"another host, elsewhere\.example"):
        rows.extend(read)
    assert [row["id"] for row in HttpRows(server.url, items="rows", outbound=HERE).rows()] == [0]
    assert server.asked[:3] == ["/", "/?page=1", "/?page=2"]


def test_a_link_header_names_the_next_page(server):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/csv")
        if "2" not in handler.path:
            handler.send_header("Link", '</x?2>; rel="next"')
        handler.end_headers()
        handler.wfile.write(b"id,tier\n1,gold\n")

    server.answer = answer
    assert list(HttpRows(server.url, outbound=HERE).rows()) == [{"id": "1", "tier": "gold"}] * 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((404, {}), "answered 404"),
        ((500, {}), "answered 500"),
        ((302, {}), "answered 302"),
        ((200, b"<html>"), "answered no JSON"),
        ((200, {"rows": []}), "no list of objects"),
        ((200, [1, 2]), "no list of objects"),
    ],
)
def test_an_address_that_is_wrong_is_one_clear_line(server, answer, says):
    server.answer = answer
    with pytest.raises(UnavailableError, match=says) as caught:
        list(HttpRows(f"{server.url}/?key=secret", pause=0.0, outbound=HERE).rows())
    assert "secret" not in str(caught.value)
    assert len(server.asked) == (3 if answer[0] == 500 else 1)


def test_an_address_that_is_slow_or_gone_is_given_up(server):
    server.answer = lambda handler: server.go.wait(60)
    for url in (server.url, f"http://127.0.0.1:{free_port()}"):
        with pytest.raises(UnavailableError, match="127"):
            list(HttpRows(url, timeout=0.1, pause=0.0, outbound=HERE).rows())


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"id,tier\n\xff\xfe,1\n")
    (tmp_path / "y.csv.gz").write_bytes(b"id,tier\n1,2\n")
    for name in ("x.csv", "y.csv.gz", "none.csv"):
        with pytest.raises(UnavailableError, match=name):
            list(CsvRows(tmp_path / name).rows())
    with gzip.open(tmp_path / "z.csv.gz", "wt") as file:
        file.write("id\ttier\n1\tgold\n")
    assert list(CsvRows(tmp_path / "z.csv.gz").rows()) == [{"id": "1", "tier": "gold"}]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"id": "id"}, "say one of csv, sql, url, rows"),
        ({"csv": "x", "url": "https://x"}, "say one of"),
        ({"csv": "x", "id": "id", "headers": {}}, "no option headers"),
        ({"csv": "x"}, "names the customer"),
        ({"sql": "sqlite://", "id": "id"}, "query="),
        ({"sql": "no url", "query": "x", "id": "id"}, "cannot be read"),
        ({"url": "ftp://x", "id": "id"}, "begins with http"),
        ({"rows": 3, "id": "id"}, "callable"),
    ],
)
def test_declarations_are_checked(given, says):
    with pytest.raises(SetupError, match=says):
        declared_crm("hub", given)
    with pytest.raises(SetupError, match="small letters"):
        declared_crm("Hub Spot", {"csv": "x", "id": "id"})


def test_rows_of_the_shops_code_are_checked():
    with pytest.raises(InputError, match="list"):
        list(CallableRows(lambda: [["1", "gold"]]).rows())


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        *[("3", 3), ("-2.50", -2.5), ("007", "007"), ("1e5", "1e5"), (" a ", "a"), ("", None), ("TRUE", True)],
        *[(Decimal("1.5"), 1.5), (float("nan"), None), (date(2024, 1, 2), "2024-01-02"), (b"x", "b'x'")],
        *[(datetime(2024, 1, 2, 3), "2024-01-02T03:00:00"), (None, None), (True, True), ("9" * 30, "9" * 30)],
    ],
)
def test_values(value, plain):
    assert plain_value(value) == plain


def test_the_job_goes_on_when_one_cannot_be_read(tmp_path):
    shop = build_shop(tmp_path, crm={"gone": {"csv": str(tmp_path / "none.csv"), "id": "id"}})
    shop.state.crms["hub"] = crm_of("hub", lambda: ROWS, {"id": "id", "everyone": True})
    with shop.app.app_context():
        job = {job.name: job for job in standard_jobs(shop.state)}["traits"]
        with pytest.raises(MTPError, match=r"gone: .*none\.csv.*hub: 2 rows, 2 customers changed"):
            job.run()
    assert profile(shop).origins["tier"] == TraitOrigin("crm:hub", profile(shop).origins["tier"].timestamp)
    shop.state.close()


def test_the_setting_shows_no_secret():
    with pytest.raises(SettingError) as caught:
        Settings.read({"MTP_CRM": {"hub": "https://key@x"}})
    assert "key@x" not in str(caught.value)


def test_the_command(shop, tmp_path):
    path = tmp_path / "contacts.csv"
    path.write_text("customer,tier\n1,gold\n,x\n")
    run = shop.app.test_cli_runner().invoke
    done = run(args=["mtp", "import-traits", str(path), "--id", "customer", "--name", "till", "--json"])
    result = json.loads(done.stdout)["results"][0]
    assert (result["name"], result["changed"], result["bad"]) == ("till", 1, 1)
    assert "row 2: customer" in done.stderr
    shop.state.crms["hub"] = crm_of("hub", lambda: ROWS, {"id": "id"})
    assert "hub: 2 rows, 2 customers changed" in run(args=["mtp", "import-traits", "--source", "hub"]).stdout
    assert "hub: 2 rows, 0 customers changed" in run(args=["mtp", "import-traits"]).stdout
    for wrong, says in (
        (["--source", "no"], "there is no CRM 'no'"),
        (["--id", "x"], "go with a FILE"),
        ([str(path), "--source", "hub"], "not both"),
        ([str(path)], "names the customer"),
    ):
        done = run(args=["mtp", "import-traits", *wrong])
        assert (done.exit_code, says in done.stderr) == (1, True)


def test_a_name_is_taken_once(tmp_path):
    shop = build_shop(tmp_path)
    shop.mtp.crm("hub", lambda: ROWS, id="id")
    with pytest.raises(SetupError, match="already"):
        shop.mtp.crm("hub", "x.csv", id="id")
    assert isinstance(declared_crm("q", {"sql": "sqlite://", "query": "x", "id": "id"}).source, SqlRows)
    shop.state.close()


def test_a_query_of_postgresql_joins_like_any_other(shop, postgres_url):
    import psycopg

    with psycopg.connect(postgres_url) as database:
        database.execute("CREATE TABLE customer (number bigint, tier text, since date, score numeric, vip boolean)")
        rows = [(1, "gold", date(2020, 5, 1), Decimal("7.5"), True), (2, None, None, None, None)]
        database.cursor().executemany("INSERT INTO customer VALUES (%s, %s, %s, %s, %s)", rows)
    query = "SELECT number AS id, tier, since, score, vip FROM customer ORDER BY number"
    result = joined(shop, postgres_url, query=query)
    assert (result.rows, result.changed, result.bad) == (2, 1, 0), result
    known = profile(shop)
    assert (known.traits["tier"], known.traits["score"], known.traits["vip"]) == ("gold", 7.5, True)
    assert known.traits["since"] == "2020-05-01"
    assert known.origins["tier"].source == "crm:hub"
    with pytest.raises(UnavailableError, match="nowhere"):
        joined(shop, postgres_url, query="SELECT nothing FROM nowhere")
