"""Which source proposed a candidate: names, and the bits that stand for them."""

from __future__ import annotations

import numpy as np

from .sources import ALIKE, BOUGHT, COLUMNS, CONTENT, EASE, LAST, NEXT, PATH, SESSION, TOGETHER, USERS, VIEWED

SOURCES = (
    "session-neighbours", "viewed-together", "bought-together", "content", "affinity", "segment-top", "popular",
    "trending", "best-sellers", "recent", "buy-again", "on-sale", "newest", "leans-on-content",
    "leans-on-behaviour", "likely-to-buy",
)  # fmt: skip
BIT = {name: 1 << place for place, name in enumerate(SOURCES)}
BIT_OF_COLUMN = np.zeros(len(COLUMNS), dtype=np.int64)
"""Which source a column of votes speaks for; 0 for columns that only count voters."""
BIT_OF_COLUMN[[SESSION, USERS]] = BIT["session-neighbours"]
BIT_OF_COLUMN[[VIEWED, LAST, NEXT, PATH]] = BIT["viewed-together"]
BIT_OF_COLUMN[[TOGETHER, BOUGHT, EASE]] = BIT["bought-together"]
BIT_OF_COLUMN[[ALIKE, CONTENT]] = BIT["content"]
AUDIBLE = 0.02
"""Below this share of a source's strongest vote it is not named as an origin."""
HEARD_FROM = (BIT_OF_COLUMN, AUDIBLE, BIT["popular"])
"""How candidates get the names of their sources; those of which none spoke are there because they are popular."""
