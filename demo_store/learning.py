"""A week of simulated shoppers before the shop's two bandits, so that they have something to show.

Nobody real is in it: who is shown what goes the real way through the pipeline, whether they click is made up below.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import Any

import numpy as np

from mtp_plugin.records import ConsentLevel, Context, Outcome, SlateRequest
from mtp_plugin.rewarding import PATIENCE, Rewarder

NOTE = "Simulated: these clicks are made up by the demo shop, no shopper made them."
CATEGORY = "Home > Lamps"
BANDITS: dict[str, dict[str, Any]] = {
    "trending-words": {
        "placement": "home-trending",
        "about": "creative",
        "arms": ["What others are looking at", "Talk of the town", "Loved this week"],
        "note": NOTE,
    },
    "category-lead": {
        "placement": "category-top",
        "about": "strategy",
        "arms": ["best-sellers", "trending-items"],
        "note": NOTE,
    },
}
"""What learns in this shop."""
CLICKS = {
    "What others are looking at": 0.08, "Talk of the town": 0.05, "Loved this week": 0.13,
    "best-sellers": 0.12, "trending-items": 0.07,
}  # fmt: skip
"""How often a simulated shopper clicks on a block by what was chosen for it."""
DAY = 86400.0
DAYS, A_DAY = 7, 60
"""Days, and slates of each bandit a day."""


def learn(state: Any, now: float, seed: int) -> int:
    """Let a week of simulated shoppers pass, the latest yesterday; gives the number of slates."""
    rng, shown = np.random.default_rng(seed), 0
    rows = state.bandits.rows
    rewarder = Rewarder(rows, state.outcomes, state.slates, state.bandit_state, state.cursors)
    longest = max((row.window for row in rows.values()), default=0.0)
    for day in range(DAYS, 0, -1):
        began = now - day * DAY
        outcomes: list[Outcome] = []
        for number in range(A_DAY):
            at = began + number * 60.0
            for placement in {row.placement for row in rows.values()}:
                outcomes += _shown(state, placement, at, number, rng)
                shown += 1
        state.slates.flush()
        state.outcomes.record(outcomes)
        rewarder.run(began + A_DAY * 60.0 + longest + PATIENCE + 60.0)
        state.bandits.refresh()
    return shown


def _shown(state: Any, placement: str, at: float, number: int, rng: np.random.Generator) -> list[Outcome]:
    who = f"a:{zlib.crc32(f'simulated-{number}'.encode()):032x}"
    request = SlateRequest(
        placement=placement,
        now=at,
        seed=int(rng.integers(2**31)),
        consent_level=ConsentLevel.FULL,
        profile_ids=(who,),
        context=Context(category=CATEGORY if placement == "category-top" else ""),
    )
    slate = state.pipeline.recommend(request)
    if not slate.choices or not slate.items:
        return []
    clicked = rng.random() < CLICKS[slate.choices[0].arm]
    kinds = ("seen", "click") if clicked else ("seen",)
    first = slate.items[0].product_id
    return [
        Outcome(
            outcome_id=hashlib.blake2b(f"{kind}{slate.recommendation_id}".encode(), digest_size=16).digest(),
            kind=kind,
            quantity=1.0,
            recommendation_id=slate.recommendation_id,
            profile_id=who,
            at=at + 2.0 + place,
            product_id=first if kind == "click" else "",
            position=1 if kind == "click" else 0,
        )
        for place, kind in enumerate(kinds)
    ]
