"""Whole answers that are the same for everybody, remembered by this process for a few seconds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
from flask import current_app
from markupsafe import Markup

from ..block.build import unchanged
from ..live import Versions
from ..memory import Remembered
from ..records import Product, Slate
from ..signals import slate_served
from ..state import State

LONGEST = 5.0
"""Seconds for which an answer is given out again; drafts behind it live longer, and in all workers."""


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A block as it went into a page, or an answer in JSON with its headers; its slate, and what it holds true for.

    ``until`` is when a product turns, in seconds since 1970, ``forgotten`` when it is too old, by
    ``time.monotonic``: the clock may be set. ``served`` counts that it was given out again.
    """

    body: Markup | bytes
    slate: Slate
    product_ids: tuple[str, ...]
    versions: tuple[Versions, int]
    until: float
    forgotten: float
    served: Callable[[], None]
    headers: tuple[tuple[str, str], ...] = ()


WrittenAnswers = Remembered[Hashable, Written]
"""Answers by what was asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that others may ask too, as a key, and what was so before it was answered."""

    key: Hashable
    versions: tuple[Versions, int]
    now: float


def asked(state: State, key: Hashable) -> Asked:
    """A question that is asked now."""
    return Asked(key, state.pipeline.live.get().stamp, time.time())


def written_before(state: State, known: WrittenAnswers, question: Asked) -> Written | None:
    """What was answered a moment ago, if it is what would be answered now and all of it can still be bought."""
    found = known.get(question.key)
    if found is None or question.now >= found.until or question.versions != found.versions:
        return None
    if time.monotonic() >= found.forgotten:
        return None
    if not state.pipeline.all_sellable(found.product_ids):
        return None
    found.served()
    if slate_served.receivers:
        again = msgspec.structs.replace(found.slate, created_at=question.now)
        slate_served.send(current_app._get_current_object(), slate=again)  # type: ignore[attr-defined]
    return found


def write_down(
    state: State,
    known: WrittenAnswers,
    question: Asked,
    slate: Slate,
    body: Markup | bytes,
    *,
    served: Callable[[], None],
    headers: tuple[tuple[str, str], ...] = (),
) -> None:
    """Remember an answer until one of its products turns: a sale begins or ends, or it is new no more.

    Where catalogue or models changed while it was made, nobody knows what it is of, and it is not remembered.
    """
    if state.pipeline.live.get().stamp != question.versions:
        return
    now, lasting = question.now, min(LONGEST, state.settings.cache_seconds)
    known.keep(
        question.key,
        Written(
            body=body,
            slate=slate,
            product_ids=tuple(item.product_id for item in slate.items),
            versions=question.versions,
            until=turn_of(state, slate, now),
            forgotten=time.monotonic() + lasting,
            served=served,
            headers=headers,
        ),
    )


def turn_of(state: State, slate: Slate, now: float) -> float:
    """When one of the slate's products turns (seconds since 1970): a sale begins or ends, or it is new no more."""
    return min((unchanged(product, now)[1] for product in products_of(state, slate).values()), default=math.inf)


def products_of(state: State, slate: Slate) -> dict[str, Product]:
    """The products of the slate and those its items are there because of."""
    table = state.pipeline.live.get().table
    wanted = {name for item in slate.items for name in (item.product_id, item.because) if name}
    return {name: table.products[table.index[name]] for name in wanted if name in table.index}


def digest(*parts: Any) -> bytes | None:
    """A short key of what may be long, or what people wrote; ``None`` where it cannot be written out."""
    try:
        return blake2b(msgspec.msgpack.encode(parts), digest_size=16).digest()
    except (TypeError, ValueError, OverflowError):
        return None
