"""The load of ``chaos.py``: senders who repeat until they are answered, readers, and what they saw."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from typing import Any, NamedTuple

import requests

KEY, VISITORS, BATCH, PRODUCTS = "sk_chaos", 50, 10, 200
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140", "Sec-Fetch-Site": "same-origin"}
"""Without it readers are taken for robots, of whom nothing is known."""


class Page(NamedTuple):
    """What a reader saw: ``status`` is 0 for a broken connection.

    Seconds: all, those until the shop's code began, and those that it measured. ``floor`` is of the page that asks
    nobody, just before or just after, whichever took longer.
    """

    status: int
    block: bool
    own: bool
    seconds: float
    queued: float = 0.0
    made: float = 0.0
    floor: float = 0.0
    floor_made: float = 0.0


class Load:
    """Senders and readers, and what they saw."""

    def __init__(self, url: str) -> None:
        self.url, self.now, self.ended, self.calm = url, "calm", threading.Event(), threading.Event()
        self.answered: set[str] = set()
        self.sent: Counter[str] = Counter()
        self.refused: dict[str, Counter[str]] = defaultdict(Counter)
        self.pages: dict[str, list[Page]] = defaultdict(list)
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(3)]
        self._threads += [threading.Thread(target=self._read, args=(number,)) for number in range(2)]
        for thread in self._threads:
            thread.start()

    def _send(self, worker: int) -> None:
        """Batches that are not answered for wait and come again in any order; one in five of the others comes twice."""
        dice, number = random.Random(worker), 0
        waiting: list[list[dict[str, Any]]] = []
        while not self.ended.is_set() or (waiting and not self.calm.is_set()):
            if not self.ended.is_set():
                waiting.append([_event(f"{worker}-{number}-{place}", dice) for place in range(BATCH)])
                number += 1
            batch = waiting.pop(dice.randrange(len(waiting)))
            if not self._deliver(batch):
                waiting.append(batch)
            elif dice.random() < 0.2:
                self._deliver(dice.sample(batch, len(batch)))
            time.sleep(0.05)

    def _deliver(self, batch: list[dict[str, Any]]) -> bool:
        ids, fault = [event["messageId"] for event in batch], self.now
        self.sent.update(ids)
        try:
            answer = requests.post(f"{self.url}/mtp/v1/batch", json={"batch": batch}, auth=(KEY, ""), timeout=60)
        except requests.RequestException:
            self.refused[fault]["no answer"] += 1
            return False
        if answer.status_code != 200 or answer.json()["accepted"] != len(batch):
            self.refused[fault][str(answer.status_code)] += 1
            return False
        self.answered.update(ids)
        return True

    def _read(self, worker: int) -> None:
        dice = random.Random(100 + worker)
        before = look_at(f"{self.url}/plain", 0)
        while not self.ended.is_set():
            fault = self.now
            page = look_at(f"{self.url}/", dice.randrange(VISITORS))
            after = look_at(f"{self.url}/plain", 0)
            self.pages[fault].append(_beside(page, before, after))
            before = after
            time.sleep(0.02)

    def end(self) -> None:
        """Let what waits be sent, for a minute at most."""
        self.ended.set()
        threading.Timer(60.0, self.calm.set).start()
        for thread in self._threads:
            thread.join()


def _event(name: str, dice: random.Random) -> dict[str, Any]:
    shown = {"product_id": f"p{dice.randrange(PRODUCTS)}"}
    user = f"v{dice.randrange(VISITORS)}"
    return {"type": "track", "event": "Product Viewed", "messageId": name, "userId": user, "properties": shown}


def _beside(page: Page, before: Page, after: Page) -> Page:
    return page._replace(floor=max(before.seconds, after.seconds), floor_made=max(before.made, after.made))


def look_at(url: str, visitor: int) -> Page:
    """Ask for a page as this visitor."""
    began = time.monotonic()
    try:
        answer = requests.get(f"{url}?user=v{visitor}", headers=BROWSER, timeout=120)
    except requests.RequestException:
        return Page(0, False, False, time.monotonic() - began)
    took, text = time.monotonic() - began, answer.text
    queued = float(answer.headers.get("X-Began", began)) - began  # one machine, one monotonic clock
    block, own = "data-mtp-slate" in text, 'data-mtp-placement="recently-viewed"' in text
    return Page(answer.status_code, block, own, took, queued, float(answer.headers.get("X-Took", 0)))
