"""Two weeks of simulated shoppers in the running shop: what personalised blocks earn there, beside two controls.

``python -m demo_store.traffic`` builds a shop of its own, serves it three times over one database and sends shoppers
through it: for a third of them the first block of the home page is personal, for a third it shows best sellers, for a
third the shop's own random choice. This process sees HTML alone and loads nothing of the plugin. Time is simulated; the
shop's nightly jobs run each night.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import requests

from . import CLOCK
from .clock import Clock
from .lift import figures, lifts
from .seeing import Facts, Page
from .shoppers import DAY, HOUR, Models, Shopper, Told, Window, kinds

ARMS: dict[str, dict[str, str]] = {
    "personal": {},
    "popular": {"FLASK_DEMO_SHELF": "popular"},
    "random": {"FLASK_DEMO_SHELF": "random"},
}
"""What serves each part of the shoppers, as settings."""
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOURS = np.array([1, 1, 0, 0, 0, 1, 3, 6, 7, 5, 5, 6, 8, 7, 5, 5, 6, 8, 10, 12, 14, 13, 8, 3], dtype=float)
VISITS = 3.0
"""How often a shopper comes on average; one at least."""
FRESH = 50 * DAY
NIGHT = 3 * HOUR
"""When the jobs run, after midnight."""
NOTICE = 4.0
"""Seconds after which a server has noticed a new model."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated."""

    shoppers: int = 1500
    days: int = 14
    models: str = "taste"
    seed: int = 7
    history: int = 3000


class Http:
    """A shopper's browser: cookies, forms, and what the page's script sends."""

    def __init__(self, root: str, clock: Clock) -> None:
        self._root, self._clock = root, clock
        self._session = requests.Session()
        self._session.headers.update(
            {"User-Agent": AGENT, "Accept-Language": "en-GB,en;q=0.9", "Accept-Encoding": "identity"}
        )

    def get(self, path: str) -> Page:
        return self._page(self._session.get(self._root + path, timeout=30))

    def post(self, path: str, fields: Mapping[str, str]) -> Page:
        headers = {"Origin": self._root, "Sec-Fetch-Site": "same-origin"}
        return self._page(self._session.post(self._root + path, data=dict(fields), headers=headers, timeout=30))

    def tell(self, events: list[dict[str, Any]]) -> None:
        at = datetime.fromtimestamp(self._clock.time(), UTC).isoformat()
        batch = [{"messageId": str(uuid.uuid4()), "timestamp": at, **event} for event in events]
        answer = self._session.post(
            self._root + "/mtp/v1/batch",
            json={"batch": batch, "sentAt": at},
            headers={"Origin": self._root, "Sec-Fetch-Site": "same-origin"},
            timeout=30,
        )
        answer.raise_for_status()

    def close(self) -> None:
        self._session.close()

    def _page(self, answer: requests.Response) -> Page:
        if answer.status_code >= 500:
            answer.raise_for_status()
        return Page(answer.text, answer.url.removeprefix(self._root))


def run(plan: Plan, folder: Path, start: float) -> dict[str, Any]:
    """Simulate; gives what every part of the shoppers did and the lifts over the controls.

    :param folder: for the shop's files
    :param start: the moment of the first day, in seconds since 1970
    """
    clock = Clock.make(folder / "clock", start)
    environment = {**os.environ, CLOCK: str(folder / "clock"), "DEMO_INSTANCE": str(folder), "FLASK_APP": "demo_store"}
    _say(f"building a shop with {plan.history:,} simulated shoppers of the past")
    _flask(environment, "demo", "build", "--visitors", str(plan.history), "--seed", str(plan.seed))
    with ExitStack() as servers:
        roots = {arm: servers.enter_context(_served({**environment, **settings})) for arm, settings in ARMS.items()}
        window = _window(Http(roots["personal"], clock))
        _say(f"{len(window.urls)} products seen")
        people = _people(plan, roots, clock, window)
        _days(plan, people, clock, start, lambda: _night(environment))
    told = {arm: [shopper.told for of, shopper in people if of == arm] for arm in ARMS}
    return {"simulated": True, "protocol": PROTOCOL, **asdict(plan), **_compared(told, plan.seed)}


PROTOCOL = (
    "Simulated shoppers, no real ones. Each is assigned at random to one of three servers of one shop and stays there; "
    "they differ in the first block of the home page alone. Clicks, orders and revenue are what shoppers did. "
    "Intervals of 95 % by a bootstrap over shoppers."
)


def _compared(told: Mapping[str, list[Told]], seed: int) -> dict[str, Any]:
    over = {
        control: {one.measure: asdict(one) for one in lifts(told["personal"], told[control], seed)}
        for control in ARMS
        if control != "personal"
    }
    return {"arms": {arm: figures(of) for arm, of in told.items()}, "lift_over": over}


# ------------------------------------------------------------------------------------------------ shoppers and days


def _people(plan: Plan, roots: Mapping[str, str], clock: Clock, window: Window) -> list[tuple[str, Shopper]]:
    """The shoppers, each with the part they are in."""
    dice = np.random.default_rng([plan.seed, 1])
    arms = dice.permutation(np.arange(plan.shoppers) % len(ARMS))
    models, people = Models(by_taste=plan.models == "taste"), []
    for number, persona in enumerate(kinds(plan.shoppers, dice)):
        arm = list(ARMS)[arms[number]]
        own = np.random.default_rng([plan.seed, 2, number])
        people.append((arm, Shopper(persona, Http(roots[arm], clock), window, models, own)))
    return people


def _days(plan: Plan, people: list[tuple[str, Shopper]], clock: Clock, start: float, night: Any) -> None:
    """Let the days pass: visits in the order of their moments, jobs at night."""
    dice = np.random.default_rng([plan.seed, 3])
    calendar: list[list[tuple[float, int]]] = [[] for _ in range(plan.days)]
    for number in range(len(people)):
        for _ in range(1 + dice.poisson(VISITS - 1)):
            hour = dice.choice(24, p=HOURS / HOURS.sum()) + dice.random()
            calendar[int(dice.integers(plan.days))].append((hour * HOUR, number))
    for day, visits in enumerate(calendar):
        midnight = start + day * DAY
        if day:
            clock.set(midnight + NIGHT)
            night()
        _day(sorted((midnight + NIGHT + at * (DAY - NIGHT) / DAY, number) for at, number in visits), people, clock)
        clicked, seen = (sum(getattr(one.told, name) for _, one in people) for name in ("clicked", "seen"))
        _say(f"day {day + 1} of {plan.days}: {len(visits)} visits; {clicked:,} clicks on {seen:,} blocks so far")


def _day(visits: list[tuple[float, int]], people: list[tuple[str, Shopper]], clock: Clock) -> None:
    """All visits of one day, side by side."""
    order = itertools.count()
    waiting: list[tuple[float, int, Iterator[float]]] = [
        (at, next(order), people[number][1].visit()) for at, number in visits
    ]
    heapq.heapify(waiting)
    while waiting:
        at, _, visit = heapq.heappop(waiting)
        clock.set(max(clock.time(), at))
        wait = next(visit, None)
        if wait is not None:
            heapq.heappush(waiting, (at + wait, next(order), visit))


def _window(browser: Http) -> Window:
    """All products, by following the links of the list of everything; and which of them the shop calls new."""
    urls, new = _listed(browser, "/shop/everything"), _listed(browser, "/shop/new")
    facts: dict[str, Facts] = {}
    for url in urls:
        found = browser.get(url).facts
        if found is not None:
            facts[url] = found
    browser.close()
    return Window(facts, frozenset(facts[url].product_id for url in new if url in facts))


def _listed(browser: Http, path: str) -> list[str]:
    first = browser.get(path)
    pages = [first, *(browser.get(more if more.startswith("/") else path + more) for more in first.pages)]
    return list(dict.fromkeys(url for page in pages for url in page.products))


# ------------------------------------------------------------------------------------------------ the shop


def _flask(environment: Mapping[str, str], *arguments: str) -> None:
    made = subprocess.run([sys.executable, "-m", "flask", *arguments], env=environment, capture_output=True, text=True)  # noqa: S603
    if made.returncode:
        raise SystemExit(f"flask {' '.join(arguments)} failed:\n{made.stderr[-3000:]}")


def _night(environment: Mapping[str, str]) -> None:
    _flask(environment, "mtp", "jobs", "run-due")
    time.sleep(NOTICE)


@contextmanager
def _served(environment: Mapping[str, str]) -> Iterator[str]:
    """The shop behind Flask's own server; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "flask", "run", "--port", str(port), "--no-reload", "--no-debugger"]
    log = Path(environment["DEMO_INSTANCE"]) / f"server-{port}.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, env=environment, stdout=out, stderr=out)  # noqa: S603
        try:
            _wait(f"http://127.0.0.1:{port}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _wait(root: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            requests.get(root + "/mtp/health/live", timeout=5).raise_for_status()
            return
        except requests.RequestException:
            if server.poll() is not None:
                break
            time.sleep(0.1)
    raise SystemExit(f"the shop does not answer:\n{log.read_text()[-3000:]}")


# ------------------------------------------------------------------------------------------------ the command


def main(arguments: list[str] | None = None) -> None:
    """Simulate and tell."""
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m demo_store.traffic", description=__doc__.split("\n\n")[0])
    parser.add_argument("--shoppers", type=int, default=plan.shoppers, help="how many come (default %(default)s)")
    parser.add_argument("--days", type=int, default=plan.days, help="for how many days (default %(default)s)")
    parser.add_argument(
        "--click-model",
        choices=("taste", "null"),
        default=plan.models,
        help="'null': neither clicks on blocks nor what is put into the basket depend on the product",
    )
    parser.add_argument("--history", type=int, default=plan.history, help="shoppers of the past (default %(default)s)")
    parser.add_argument("--seed", type=int, default=plan.seed, help="another seed, other shoppers")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the shop's files there, a folder that is not there yet")
    asked = parser.parse_args(arguments)
    if min(asked.shoppers // 3, asked.days, asked.history) < 1:
        parser.error("at least 3 shoppers, one day and one shopper of the past")
    # Whoever ends this process ends its servers, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    plan = Plan(asked.shoppers, asked.days, asked.click_model, asked.seed, asked.history)
    folder = Path(tempfile.mkdtemp(prefix="tarn-"))
    try:
        # The days end today, so that what is kept can be looked at as any shop can.
        told = run(plan, folder, (time.time() // DAY - plan.days) * DAY + NIGHT)
        if asked.keep:
            shutil.move(str(folder), asked.keep)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(told) if asked.json else report(told))


def report(told: Mapping[str, Any]) -> str:
    """The figures in words."""
    lines = [f"Simulated: {told['shoppers']:,} shoppers in {told['days']} days, click model {told['models']!r}.", ""]
    lines.append(f"{'':10}{'shoppers':>10}{'slates seen':>13}{'clicks/slate':>14}{'orders':>8}{'revenue/shopper':>17}")
    for arm, of in told["arms"].items():
        lines.append(
            f"{arm:10}{of['shoppers']:>10,}{of['seen']:>13,.0f}{of['clicks_per_slate']:>14.3f}{of['orders']:>8,.0f}"
            f"{of['revenue_per_shopper']:>17.2f}"
        )
    for control, measures in told["lift_over"].items():
        lines += ["", f"Lift of personal over {control} (simulated), 95 % interval:"]
        lines += [
            f"  {name.replace('_', ' '):22}{one['lift']:+8.1%}  ({one['low']:+.1%} to {one['high']:+.1%})"
            for name, one in measures.items()
        ]
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
