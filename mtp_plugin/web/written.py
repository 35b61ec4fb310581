"""Whole blocks that are the same for everybody, remembered by this process for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from jinja2 import Environment
from markupsafe import Markup

from ..assets import templates_folder
from ..live import Versions
from ..memory import Remembered
from ..records import Slate

TEMPLATES = ("block", "_block", "_card", "_price", "_reasons")
LONGEST = 5.0
"""Seconds for which a block is given out again; drafts behind it live longer, and in all workers."""


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A block as it went into a page, its slate, and what it holds true for.

    ``until`` is in seconds since 1970; ``served`` counts that it was given out again.
    """

    html: Markup
    slate: Slate
    product_ids: tuple[str, ...]
    versions: Versions
    until: float
    served: Callable[[], None]

    def holds(self, versions: Versions, now: float) -> bool:
        """Whether it is still what would be written with these versions of catalogue and models."""
        return now < self.until and self.versions == versions


WrittenBlocks = Remembered[Hashable, Written]
"""Blocks by what they were asked with."""


def key_of(options: dict[str, Any]) -> Hashable:
    """Options of a template as a key: as they are if they can be one, else written out."""
    key = tuple(options.items())
    try:
        hash(key)
    except TypeError:
        return msgspec.msgpack.encode(options)
    return key


def all_ours(environment: Environment) -> bool:
    """Whether a block is made of our own templates alone: a shop's may say something else in the next request."""
    ours = str(templates_folder())
    found = (environment.get_template(f"mtp/{name}.html") for name in TEMPLATES)
    return not environment.auto_reload and all(str(template.filename).startswith(ours) for template in found)


def holds_until(now: float, cache_seconds: int, turns: Iterable[float]) -> float:
    """When a block written at *now* is to be written anew: after a while, or when one of its products *turns*."""
    return min((now + min(LONGEST, cache_seconds), *turns))


def given_again(block: Written) -> Slate:
    """The slate of a block that is given out again."""
    return msgspec.structs.replace(block.slate, created_at=time.time())
