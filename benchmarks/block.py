"""A block of twelve cards added to a page: from the cache and personal, with state in process and in Redis. Prints one
JSON object. What a page that works for five milliseconds keeps of its requests is told by the processor time of the
whole process, writing slates included: wall time would tell of whatever else the machine does.

Run it alone on the machine: ``python benchmarks/block.py [--products 10000 100000] [--rounds 2000]``. The application
is called as a server calls it, in this process. Floors of the same run are the same page of the same visitor without
the block, and the dispatch of an empty Flask route. What the shop's own ``availability`` takes is told apart. Personal
blocks go round two hundred visitors with one to twenty products in their sessions.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

from _shop import WORK_S, Stock, shop, some_product
from flask import Flask
from werkzeug.test import create_environ

from tests.servers import RedisServer, redis_binary

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140", "Sec-Fetch-Site": "same-origin"}
LANGUAGES = "en-GB,en;q=0.9,de;q=0.8"
VISITORS = 200
TURN = 50
"""Requests of one kind before the next one's turn, so that all meet the same machine."""

Page = Callable[[], None]


def visitors(app: Flask, count: int) -> list[str]:
    """Cookies of visitors who looked at some products each."""
    chance, cookies = random.Random(2), []
    for _ in range(VISITORS):
        client, kind = app.test_client(), chance.randrange(10)
        for _ in range(chance.randint(1, 20)):
            body = {"event": "Product Viewed", "properties": {"product_id": some_product(count, kind, chance)}}
            answer = client.post("/mtp/v1/track", json=body, headers=BROWSER)
            assert answer.json["accepted"] == 1, answer.json
        cookies.append("; ".join(f"{cookie.key}={cookie.value}" for cookie in client._cookies.values()))
    return cookies


def asking(app: Flask, path: str, cookies: list[str], **headers: str) -> Page:
    """A call that asks for a page, as one visitor after the other."""
    environs = []
    for cookie in cookies:
        environ = create_environ(path, "http://localhost")
        environ.update(HTTP_USER_AGENT=BROWSER["User-Agent"], HTTP_ACCEPT_LANGUAGE=LANGUAGES, **headers)
        environs.append(environ | {"HTTP_COOKIE": cookie} if cookie else environ)
    turns = endless(environs)

    def ask() -> None:
        answer = app.wsgi_app(dict(next(turns)), lambda status, headers, exc_info=None: None)
        b"".join(answer)
        answer.close()

    return ask


def endless(values: list[Any]) -> Iterator[Any]:
    while True:
        yield from values


def measure(
    pages: dict[str, Page], rounds: int, stock: Stock, flush: Callable[[], None] = lambda: None
) -> dict[str, dict[str, float]]:
    """Microseconds of each page: wall time (median and 99th percentile) and processor time of this thread (median).

    ``availability_us`` is the mean that the shop's answer took; it is within the others. ``process_us`` is the
    processor time of all threads, that of writing slates (which *flush* waits for) among them: the median of the turns.
    """
    wall: dict[str, list[float]] = {name: [] for name in pages}
    cpu: dict[str, list[float]] = {name: [] for name in pages}
    process: dict[str, list[float]] = {name: [] for name in pages}
    asked = dict.fromkeys(pages, 0.0)
    for page in pages.values():
        for _ in range(TURN):
            page()
    for _ in range(max(1, rounds // TURN)):
        for name, page in pages.items():
            flush()
            before, busy = stock.nanoseconds, time.process_time_ns()
            for _ in range(TURN):
                began, worked = time.perf_counter_ns(), time.thread_time_ns()
                page()
                cpu[name].append((time.thread_time_ns() - worked) / 1e3)
                wall[name].append((time.perf_counter_ns() - began) / 1e3)
            flush()
            process[name].append((time.process_time_ns() - busy) / 1e3 / TURN)
            asked[name] += (stock.nanoseconds - before) / 1e3
    return {
        name: {
            "p50_us": round(statistics.median(wall[name]), 1),
            "p99_us": round(statistics.quantiles(wall[name], n=100)[98], 1),
            "cpu_p50_us": round(statistics.median(cpu[name]), 1),
            "process_us": round(statistics.median(process[name]), 1),
            "availability_us": round(asked[name] / len(wall[name]), 1),
        }
        for name in pages
    }


def added(page: dict[str, float], floor: dict[str, float], dispatch: float) -> dict[str, float]:
    """What a block adds to the page without it, the shop's availability apart."""
    p50, cpu = (page[name] - floor[name] - page["availability_us"] for name in ("p50_us", "cpu_p50_us"))
    return {
        "p50_us": round(p50, 1),
        "cpu_p50_us": round(cpu, 1),
        "p99_us": round(page["p99_us"] - floor["p50_us"], 1),
        "p50_in_dispatches": round(p50 / dispatch, 2),
    }


def bench(count: int, state: str, url: str, rounds: int) -> dict[str, Any]:
    """All pages of one shop."""
    stock = Stock()
    with tempfile.TemporaryDirectory() as folder:
        app = shop(folder, count, stock, **({"MTP_REDIS_URL": url} if url else {}))
        known, nobody = visitors(app, count), [""]
        gpc = {"HTTP_SEC_GPC": "1"}
        pages = {
            "dispatch": asking(app, "/dispatch", nobody),
            "page": asking(app, "/bare", known),
            "page_with_personal_block": asking(app, "/block", known),
            "page_of_nobody": asking(app, "/bare", nobody, **gpc),
            "page_with_cached_block": asking(app, "/block", nobody, **gpc),
        }
        slates = app.extensions["mtp"].slates
        # What is still to be written of one page's slates is not to be a part of the next one's time.
        written = partial(slates.flush, 30.0)
        figures = measure(pages, rounds, stock, written)
        working = {
            "page": asking(app, "/work-bare", known),
            "personal": asking(app, "/work-block", known),
            "cached": asking(app, "/work-block", nobody, **gpc),
        }
        throughput = measure(working, max(10 * TURN, rounds // 2), stock, written)
        app.extensions["mtp"].close()
    dispatch = figures["dispatch"]["p50_us"]
    floor = throughput["page"]["process_us"]
    return {
        "products": count,
        "state": state,
        **figures,
        "added": {
            "personal": added(figures["page_with_personal_block"], figures["page"], dispatch),
            "cached": added(figures["page_with_cached_block"], figures["page_of_nobody"], dispatch),
        },
        "requests_kept_by_a_page_of_5_ms": {
            name: round(floor / throughput[name]["process_us"], 4) for name in ("personal", "cached")
        },
    }


@contextmanager
def redis() -> Iterator[str]:
    """The address of a Redis or Valkey of our own, ``""`` where there is none."""
    binary = redis_binary()
    if not binary:
        print("no Redis or Valkey found: state in Redis is left out", file=sys.stderr)
        yield ""
        return
    server = RedisServer(binary)
    try:
        yield server.url
    finally:
        server.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=2000, help="requests of each kind")
    options = parser.parse_args()
    results = []
    with redis() as url:
        for count in options.products:
            for state, address in (("process", ""), ("redis", url)):
                if state == "process" or address:
                    print(f"{count:,} products, state in {state}", file=sys.stderr)
                    results.append(bench(count, state, address, options.rounds))
    print(json.dumps({"benchmark": "block", "cards": 12, "work_ms": WORK_S * 1000, "results": results}))


if __name__ == "__main__":
    main()
