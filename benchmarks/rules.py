"""Decisions of many rules: evaluated, remembered, and what they keep of memory. Prints one JSON object.

Run it alone on the machine: ``python benchmarks/rules.py [--rules 1000] [--decisions 2000] [--million 1000000]``.
Rules are made up: each asks for one to three facts, about three in a hundred hold for a visitor. Times are of the
processor. The floor is the same conditions asked one after the other without anything remembered.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from typing import Any

from mtp_plugin.facts import FactReader, Subject
from mtp_plugin.records import Boost, Context, ProductTable, Rule, SegmentRef, SlateRequest
from mtp_plugin.rules.compile import Compiled
from mtp_plugin.rules.engine import Engine, engine_of

DEVICES, DAYPARTS = ("mobile", "tablet", "desktop", "tv"), ("night", "morning", "afternoon", "evening")
PAGES = ("home", "category", "product", "cart", "search")
LIMITS = {"uncached_p50_us": 2000.0, "cached_p50_us": 2.0}
NOW = 1_760_000_000.0


def rules(count: int, chance: random.Random) -> list[Rule]:
    """Rules as merchants might have them, very many."""
    asks: tuple[Callable[[], dict[str, Any]], ...] = (
        lambda: {"context.device": chance.choice(DEVICES)},
        lambda: {"context.daypart": {"$in": chance.sample(DAYPARTS, 2)}},
        lambda: {"context.page_type": chance.choice(PAGES)},
        lambda: {"context.hour": {"$gte": chance.randrange(12), "$lt": chance.randrange(12, 24)}},
        lambda: {"context.commuting": True},
        lambda: {"context.country": chance.choice(("DE", "FR", "US", "GB", "NL"))},
        lambda: {"context.campaign": f"campaign-{chance.randrange(20)}"},
        lambda: {"context.temperature": {"$lt": chance.randrange(-5, 30)}},
    )

    def when() -> dict[str, Any]:
        found = {"segment.id": f"s{chance.randrange(20)}"}
        for ask in chance.sample(asks, chance.randrange(0, 3)):
            found |= ask()
        return found

    effect = (Boost(where={"brand": "Acme"}, by=2.0),)
    return [Rule(rule_id=f"r{number}", when=when(), then=effect) for number in range(count)]


def subjects(count: int, chance: random.Random) -> list[Subject]:
    """Visitors, no two quite alike."""
    return [
        Subject(
            request=SlateRequest(
                placement="home-hero",
                now=NOW,
                context=Context(
                    device=chance.choice(DEVICES),
                    daypart=chance.choice(DAYPARTS),
                    page_type=chance.choice(PAGES),
                    hour=chance.randrange(24),
                    commuting=chance.random() < 0.3,
                    country=chance.choice(("DE", "FR", "US", "GB", "NL")),
                    campaign=f"campaign-{chance.randrange(20)}",
                    temperature=chance.randrange(-100, 350) / 10,
                ),
            ),
            profile=None,
            segment=SegmentRef(f"s{chance.randrange(20)}", "", 0.9),
            table=ProductTable.__new__(ProductTable),
        )
        for _ in range(count)
    ]


def timed(ask: Callable[[Any], object], worlds: list[Any], rounds: int = 1) -> dict[str, float]:
    """Microseconds of the processor, median and 90th percentile."""
    took = []
    for world in worlds:
        began = time.process_time_ns()
        for _ in range(rounds):
            ask(world)
        took.append((time.process_time_ns() - began) / 1e3 / rounds)
    took.sort()
    return {"p50_us": round(took[len(took) // 2], 2), "p90_us": round(took[len(took) * 9 // 10], 2)}


def resident_kb() -> int:
    """Memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4


def measured(name: str, made: list[Rule], people: list[Subject], decisions: int) -> dict[str, Any]:
    """One engine: a decision that is evaluated, one that is remembered, and memory over many."""
    began = time.process_time()
    compiled = Compiled(made, make_engine=engine_of(name))
    compiled.warm(["home-hero"])
    build = time.process_time() - began
    reader = FactReader(compiled.paths, compiled.gates)
    facts = [reader.facts(person) for person in people]
    for one in facts[:50]:
        compiled.decide("home-hero", NOW, one)
    uncached = timed(lambda one: compiled.decide("home-hero", NOW, one), facts)
    keyed = [(reader.key(person), one) for person, one in zip(people, facts, strict=True)]
    for key, one in keyed:
        compiled.plan("home-hero", NOW, key, lambda one=one: one)
    cached = timed(lambda pair: compiled.plan("home-hero", NOW, pair[0], dict), keyed, rounds=200)
    reading = timed(reader.key, people, rounds=50)
    engine: Engine = compiled._engine("home-hero")[1]
    small = engine_of(name)([rule.when for rule in made[:20]])
    before = None
    for number in range(decisions):
        small.holding(facts[number % len(facts)])
        if number == decisions // 10:
            before = resident_kb()
    return {
        "engine": engine.name,
        "build_seconds": round(build, 3),
        "uncached": uncached,
        "cached": cached,
        "reading_the_key": reading,
        "fired_mean": round(sum(len(compiled.decide("home-hero", NOW, one).fired) for one in facts) / len(facts), 1),
        "decisions": decisions,
        "memory_growth_kb": resident_kb() - (before or resident_kb()),
        "within_limits": uncached["p50_us"] <= LIMITS["uncached_p50_us"]
        and cached["p50_us"] <= LIMITS["cached_p50_us"],
    }


def main() -> None:
    """Measure both engines, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("rules", 1000), ("decisions", 2000), ("million", 1_000_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    chance = random.Random(0)
    made, people = rules(given.rules, chance), subjects(given.decisions, chance)
    found = {name: measured(name, made, people, given.million) for name in ("native", "auto")}
    print(json.dumps({"rules": given.rules, "limits": LIMITS, "native": found["native"], "auto": found["auto"]}))


if __name__ == "__main__":
    main()
