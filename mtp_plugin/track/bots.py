"""Crawlers, told by their user agent with a maintained list."""

from __future__ import annotations

from functools import lru_cache

from crawlerdetect import CrawlerDetect


@lru_cache(maxsize=4096)
def is_bot(user_agent: str) -> bool:
    """Whether this is a crawler. No user agent at all says nothing.

    >>> is_bot("Googlebot/2.1 (+http://www.google.com/bot.html)")
    True
    """
    return bool(user_agent) and bool(_detector().isCrawler(user_agent[:512]))


@lru_cache(maxsize=1)
def _detector() -> CrawlerDetect:
    return CrawlerDetect()
