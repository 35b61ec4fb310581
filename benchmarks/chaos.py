"""A shop under load while its parts are killed, stopped, slowed down and cut off; afterwards everything is counted.

Prints one JSON object. Real parts: gunicorn with two workers, PostgreSQL (``fsync`` on), Redis for copies and cache,
each behind a TCP proxy that can be slow, hold everything back or break connections. Senders put batches of events of
known visitors to ``v1/batch`` until each is answered for, in any order, and some of them again; readers ask as such a
visitor for a page with three blocks. Faults come one after the other, in an order drawn from the seed, with calm
between. With ``--stream`` events go by a stream (in a Redis of its own that nobody kills) and two workers.
``--away 60`` begins with a minute without PostgreSQL, stopped, and another one out of reach.

- ``events``: ``lost`` were answered for and are not in the database, ``twice`` are there more than once;
  ``profiles_wrong`` do not hold as many events as the database has of their visitor; ``copies_wrong`` are those that
  Redis has otherwise.
- ``pages``: by the fault at the time of asking. ``broken`` are connections that a killed process took with it (a proxy
  before two machines would ask the other one), ``not_200`` must be 0, ``without_block`` have no block at all,
  ``with_own`` have the visitor's own past. ``page_ms`` is what the reader waited, ``floor_ms`` what the same reader
  waited, just before or after, for a page that works as long and asks nobody; ``late_ms`` the difference, and ``late``
  how many were later by more than the latency budget. ``queued_ms`` is what went by until the shop's code began,
  ``blocks_ms`` what it measured around its three blocks, ``blocks_late_ms`` how much that is beyond the same work
  in the page that asks nobody.

Client, web, Redis and PostgreSQL share the machine's cores; ``load`` is its load average before.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _chaos_load import Load, Page
from _chaos_parts import Parts, faults, outages

BUDGET_S = 0.05
"""The default of ``MTP_LATENCY_BUDGET_MS``."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def spread(seconds: list[float]) -> dict[str, float]:
    """Milliseconds: the median, 99 of 100, 999 of 1,000, the worst."""
    parts = np.percentile([1000 * one for one in seconds] or [0.0], [50, 99, 99.9, 100])
    return dict(zip(("p50", "p99", "p999", "max"), (round(float(part), 1) for part in parts), strict=True))


def told(pages: list[Page]) -> dict[str, Any]:
    """What readers saw under one fault."""
    whole = [page for page in pages if page.status]
    return {
        "asked": len(pages),
        "broken": len(pages) - len(whole),
        "not_200": sum(page.status != 200 for page in whole),
        "without_block": sum(not page.block for page in whole),
        "with_own": sum(page.own for page in whole),
        "page_ms": spread([page.seconds for page in whole]),
        "floor_ms": spread([page.floor for page in whole]),
        "late_ms": spread([page.seconds - page.floor for page in whole]),
        "late": sum(page.seconds - page.floor > BUDGET_S for page in whole),
        "queued_ms": spread([page.queued for page in whole]),
        "blocks_ms": spread([page.made for page in whole]),
        "blocks_late_ms": spread([page.made - page.floor_made for page in whole]),
        "blocks_late": sum(page.made - page.floor_made > BUDGET_S for page in whole),
    }


def drained(parts: Parts) -> float:
    """Wait until workers have emptied the stream; gives the seconds that took."""
    from mtp_plugin.bus.open import open_bus
    from mtp_plugin.config import Settings
    from tests.servers import wait_until

    if parts.stream is None:
        return 0.0
    bus, began = open_bus(Settings(stream_url=parts.stream.url), lambda events: []), time.monotonic()
    wait_until(lambda: getattr(bus.lag(), "entries", 1) == 0, "emptying the stream")
    lag = bus.lag()
    bus.close()
    assert lag is None or lag.dead == 0, "events were put aside"
    return round(time.monotonic() - began, 1)


def count(parts: Parts, load: Load, folder: Path) -> dict[str, Any]:
    """Everything that was answered for, in the database and in the profiles."""
    from mtp_plugin.config import Settings
    from mtp_plugin.store.open import open_stores

    patient = {"database_url": parts.direct, "latency_budget_ms": 10_000}
    waited = drained(parts)
    bare = open_stores(Settings(**patient), str(folder))
    copied = open_stores(Settings(**patient, redis_url=parts.redis.url), str(folder))
    stored: Counter[str] = Counter()
    of_visitor: Counter[str] = Counter()
    for batch in bare.journal.scan():
        stored.update(event.message_id for event in batch)
        of_visitor.update(event.profile_id for event in batch)
    names = sorted(of_visitor)
    profiles, copies = bare.journal.profiles(names), copied.journal.profiles(names)
    found = {
        "sent": len(load.sent),
        "sent_again": sum(load.sent.values()) - len(load.sent),
        "answered_for": len(load.answered),
        "lost": len(load.answered - stored.keys()),
        "twice": sum(number > 1 for number in stored.values()),
        "profiles": len(names),
        "profiles_wrong": sum(
            profile is None or profile.events != of_visitor[name] for name, profile in zip(names, profiles, strict=True)
        ),
        "copies_wrong": sum(one != other for one, other in zip(profiles, copies, strict=True)),
        "refusals": {fault: dict(counts) for fault, counts in sorted(load.refused.items())},
        "drained_s": waited,
    }
    for stores in (bare, copied):
        stores.close()
    return found


def course(parts: Parts, dice: random.Random, seconds: float, away: float) -> Iterator[tuple[str, Callable[[], None]]]:
    """The faults to come: PostgreSQL away for long, if so wished, then one after the other until the time is over."""
    yield from outages(parts, away).items() if away else ()
    known = faults(parts, dice, long_s=min(10.0, seconds / 20))
    end, waiting = time.monotonic() + seconds, list[str]()
    while time.monotonic() < end:
        waiting = waiting or dice.sample(sorted(known), len(known))
        name = waiting.pop()
        yield name, known[name]


def run(seconds: float, seed: int, streamed: bool, away: float) -> dict[str, Any]:
    """The whole of it."""
    dice, before = random.Random(seed), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="mtp-chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        parts = Parts(folder, streamed)
        try:
            load, happened = Load(parts.url), Counter[str]()
            for fault, befall in course(parts, dice, seconds, away):
                load.now = fault
                happened[fault] += 1
                say(fault)
                befall()
                load.now = "calm"
                time.sleep(min(3.0, max(seconds, away) / 40))
            load.end()
            events = count(parts, load, folder)
        finally:
            parts.close()
    pages = {fault: told(load.pages[fault]) for fault in ["calm", *sorted(happened)] if load.pages[fault]}
    return {
        "seconds": seconds,
        "seed": seed,
        "stream": streamed,
        "load": round(before, 1),
        "faults": dict(sorted(happened.items())),
        "events": events,
        "pages": pages,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stream", action="store_true", help="events go by a stream and two workers")
    parser.add_argument("--away", type=float, default=0.0, help="first PostgreSQL is away for so many seconds, twice")
    options = parser.parse_args()
    print(json.dumps(run(options.seconds, options.seed, options.stream, options.away), indent=2))
