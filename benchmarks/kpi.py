"""Key figures of a made-up history: seconds to count it once, to add what is new or late, and pages at a year of data.

``python benchmarks/kpi.py`` takes some minutes; ``--slates 4000000 --outcomes 6000000`` is the long run. Slates and
outcomes are written straight into SQLite, 28 days of them. Times are CPU seconds of this process, the page's the median
of several requests to a shop whose tables hold that year and the one before. The floor in the same run: the database
reading the same rows once (``count(*)`` over slates joined with outcomes). Late outcomes are spread evenly over all
hours; ``once_us`` and ``late_us`` are microseconds a row.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask
from sqlalchemy import insert, text

from mtp_plugin import MTP
from mtp_plugin.kpi.measures import SUMS
from mtp_plugin.kpi.sketch import product_hash
from mtp_plugin.kpis import day_of, roll_up
from mtp_plugin.records import ConsentLevel, Slate, SlateEntry, SlateRequest
from mtp_plugin.store.database import Database
from mtp_plugin.store.schema import kpi, kpi_group, kpi_new, kpi_sketch, outcome, slate, slate_profile

DAY = 86_400.0
PLACEMENTS = [f"place-{number}" for number in range(8)]
STRATEGIES = ("recommended-for-you", "best-sellers", "trending-items")
SEGMENTS = ["", *(f"s{number}" for number in range(14))]
DEVICES = ("mobile", "desktop", "tablet")
KINDS = ("seen", "click", "cart", "purchase")
CHUNK, PRODUCTS = 20_000, 5_000
HASHES = [product_hash(str(number)) for number in range(PRODUCTS)]
LATE = 20_000
BODY = msgspec.msgpack.encode(
    SlateEntry(
        slate=Slate(recommendation_id="", placement="", strategy="", items=(), consent_level=ConsentLevel.FULL),
        request=SlateRequest(placement="", now=0.0),
    )
)


def name_of(at: float, number: int) -> str:
    return f"{int(at * 1000):012x}{number:020x}"


def slates(count: int, since: float, days: float, dice: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(count):
        at = since + days * DAY * number / count
        yield {
            "recommendation_id": name_of(at, number), "created_at": at, "placement": PLACEMENTS[number % 8],
            "body": BODY, "strategy": STRATEGIES[number % 3], "segment_id": SEGMENTS[dice.randrange(15)],
            "consent_level": "full", "device": DEVICES[dice.randrange(3)], "fallback_level": number % 7 == 0,
            "took_us": dice.randrange(100, 20_000), "items": 8, "model_version": "",
            "choices": "[]", "experiments": "[]",
            "products": b"".join(HASHES[dice.randrange(PRODUCTS)] for _ in range(8)),
        }  # fmt: skip


def outcomes(
    count: int, slates: int, since: float, days: float, dice: random.Random, first: int = 0
) -> Iterator[dict[str, Any]]:
    for number in range(count):
        of = number * slates // count
        at, kind = since + days * DAY * of / slates, KINDS[(number % 20 > 10) + (number % 20 > 17) + (number % 20 > 18)]
        yield {
            "outcome_id": (first + number).to_bytes(16, "big"), "kind": kind, "recommendation_id": name_of(at, of),
            "profile_id": f"a:{of % 50_000}", "at": at + 60, "product_id": "p", "position": dice.randrange(1, 9),
            "quantity": 1.0, "value": 30.0 * (kind == "purchase"), "margin": 9.0 * (kind == "purchase"),
            "order_id": str(first + number) if kind == "purchase" else "",
        }  # fmt: skip


def fill(database: Database, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    part: list[dict[str, Any]] = []
    with database.writing() as connection:
        for row in rows:
            part.append(row)
            if len(part) == CHUNK:
                connection.execute(insert(table), part)
                part.clear()
        if part:
            connection.execute(insert(table), part)


def years(state: Any, database: Database, now: float) -> int:
    """Rows of two years; gives how many."""
    today, dice, count = day_of(state, now), random.Random(3), 0
    with database.writing() as connection:
        for day in range(today - 730, today + 1):
            cells = {
                (PLACEMENTS[dice.randrange(8)], STRATEGIES[dice.randrange(3)], SEGMENTS[dice.randrange(15)],
                 DEVICES[dice.randrange(3)], "full")
                for _ in range(220)
            }  # fmt: skip
            names = ("placement", "strategy", "segment_id", "device", "consent_level")
            rows = [
                {"span": 1, "at": day, **dict(zip(names, cell, strict=True)),
                 **{name: float(dice.randrange(100)) for name in SUMS}, "known": 900, "people": dice.randbytes(256)}
                for cell in cells
            ]  # fmt: skip
            connection.execute(kpi.delete().where(kpi.c.span == 1, kpi.c.at == day))
            connection.execute(insert(kpi), rows)
            count += len(rows)
        connection.execute(kpi_group.delete())
        connection.execute(kpi_sketch.delete())
        groups = {"": [""], "placement": PLACEMENTS, "segment_id": SEGMENTS, "device": DEVICES}
        rows = [
            {"dimension": name, "day": day, "key": key, "registers": dice.randbytes(1024)}
            for name, keys in groups.items() for key in keys for day in range(today - 730, today + 1)
        ]  # fmt: skip
        connection.execute(insert(kpi_sketch), rows)
    state.kpis.begin()
    return count


def timed(work: Any) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slates", type=int, default=400_000)
    parser.add_argument("--outcomes", type=int, default=600_000)
    parser.add_argument("--days", type=int, default=28)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        app = Flask("kpi", instance_path=folder)
        app.secret_key = "a benchmark's, nobody else's"
        mtp = MTP(app)
        mtp.admin_guard(lambda: "viewer")
        state, now, dice = app.extensions["mtp"], time.time(), random.Random(1)
        database = Database(f"sqlite:///{Path(folder) / 'mtp.sqlite'}", 1000.0)
        since = now - given.days * DAY
        print("writing slates", file=sys.stderr, flush=True)
        fill(database, slate, slates(given.slates, since, given.days, dice))
        step = given.days * DAY / given.slates
        owners = ((f"a:{n % 50_000}", name_of(since + step * n, n)) for n in range(given.slates))
        fill(database, slate_profile, ({"profile_id": who, "recommendation_id": name} for who, name in owners))
        print("writing outcomes", file=sys.stderr, flush=True)
        fill(database, outcome, outcomes(given.outcomes, given.slates, since, given.days, dice))

        def floor() -> None:
            query = "SELECT count(*), sum(o.value) FROM mtp_outcome o JOIN mtp_slate s USING (recommendation_id)"
            with database.reading() as connection:
                connection.execute(text(query)).all()

        print("counting", file=sys.stderr, flush=True)
        found: dict[str, Any] = {"slates": given.slates, "outcomes": given.outcomes, "days": given.days}
        found["floor_seconds"] = round(timed(floor), 2)
        found["once_seconds"] = round(timed(lambda: roll_up(state, now)), 2)
        found["ratio_to_floor"] = round(found["once_seconds"] / found["floor_seconds"], 2)
        found["once_us"] = round(1e6 * found["once_seconds"] / (given.slates + given.outcomes), 1)
        found["nothing_new_seconds"] = round(timed(lambda: roll_up(state, now + 10)), 4)
        new = list(slates(1000, now - 30, 20 / DAY, dice))
        fill(database, slate, iter(new))
        fill(database, kpi_new, ({"recommendation_id": one["recommendation_id"]} for one in new))
        found["thousand_new_seconds"] = round(timed(lambda: roll_up(state, now + 20)), 3)
        fill(database, outcome, outcomes(LATE, given.slates, since, given.days, dice, given.outcomes))
        late = timed(lambda: roll_up(state, now + 30))
        found |= {"late": LATE, "late_seconds": round(late, 2), "late_us": round(1e6 * late / LATE, 1)}
        found["rows_of_two_years"] = years(state, database, now)
        client, pages = app.test_client(), {}
        for query in (
            "days=365", "days=365&by=placement&measure=ctr", "days=365&placement=place-1",
            "days=365&measure=coverage", "days=365&by=device", "days=28&by=device",
        ):  # fmt: skip
            took = []
            for _ in range(7):
                began = time.process_time()
                assert client.get(f"/mtp/admin/figures/?{query}").status_code == 200
                took.append(1000 * (time.process_time() - began))
            pages[query] = round(statistics.median(took), 1)
        found["page_ms"] = pages
        state.close()
        database.close()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
