"""Crawlers, told by their user agent with a maintained list."""

from __future__ import annotations

import re
from functools import lru_cache

from crawlerdetect import CrawlerDetect

_LONG = re.compile(r"(\S{64})\S+")
LONGEST = 512
"""Characters of a user agent that are read, and remembered."""


def is_bot(user_agent: str) -> bool:
    """Whether this is a crawler. No user agent at all says nothing.

    >>> is_bot("Googlebot/2.1 (+http://www.google.com/bot.html)")
    True
    """
    return _found(user_agent[:LONGEST])


@lru_cache(maxsize=4096)
def _found(user_agent: str) -> bool:
    # The patterns take time with the square of a word's length, and no crawler's name is so long.
    return bool(user_agent) and bool(_detector().isCrawler(_LONG.sub(r"\1", user_agent)))


@lru_cache(maxsize=1)
def _detector() -> CrawlerDetect:
    return CrawlerDetect()
