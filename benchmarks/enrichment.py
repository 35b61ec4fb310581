"""What the context of a request costs, beside reading the same headers and nothing more. Prints one JSON object.

``python benchmarks/enrichment.py [--places FILE.mmdb] [--rounds 2000]``. Processor time, the best of seven runs. The
floor is the signals alone, which every enricher is given.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from itertools import count

from flask import Flask

from mtp_plugin.config import Settings
from mtp_plugin.profile.enrich.browser import BrowserEnricher, prepare
from mtp_plugin.profile.enrich.chain import Enrichment
from mtp_plugin.profile.enrich.null import NoPlaces, NoWeather
from mtp_plugin.profile.enrich.standard import standard_enrichers
from mtp_plugin.records import ConsentLevel, Signals
from mtp_plugin.store.maxmind import MaxMindPlaces
from mtp_plugin.web.context import build_context, page_signals

AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.{} Mobile/15E148 Safari/604.1"
)
ADDRESS = "175.16.199.9"
HEADERS = {"User-Agent": AGENT.format(0), "Accept-Language": "de-DE,de", "Referer": "https://www.google.de/"}


def best(ask: Callable[[], object], rounds: int) -> float:
    """Microseconds a call."""
    took = []
    for _ in range(7):
        began = time.process_time_ns()
        for _ in range(rounds):
            ask()
        took.append((time.process_time_ns() - began) / rounds / 1e3)
    return round(min(took), 2)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", default="", help="a MaxMind database")
    parser.add_argument("--rounds", type=int, default=2000)
    given = parser.parse_args()
    began = time.process_time()
    prepare()
    loading = time.process_time() - began
    places = MaxMindPlaces(given.places) if given.places else NoPlaces()
    enrichment = Enrichment(standard_enrichers(Settings(), NoWeather(), {}), places)
    now, numbers, fresh = time.time(), count(), BrowserEnricher()
    with Flask("x").test_request_context("/", headers=HEADERS, environ_base={"REMOTE_ADDR": ADDRESS}):
        signals = page_signals(now, enrichment)
        figures = {
            "signals_us": best(lambda: page_signals(now, enrichment), given.rounds),
            "context_us": best(lambda: build_context(ConsentLevel.FULL, now, enrichment), given.rounds),
            "event_us": best(lambda: enrichment.of_event(signals), given.rounds),
        }
    figures["new_user_agent_us"] = best(
        lambda: fresh.enrich(Signals(at=now, user_agent=AGENT.format(next(numbers))), {}), 200
    )
    figures["times_the_floor"] = round(figures["context_us"] / figures["signals_us"], 1)
    print(json.dumps({**figures, "loading_s": round(loading, 2), "places": bool(given.places)}))


if __name__ == "__main__":
    main()
