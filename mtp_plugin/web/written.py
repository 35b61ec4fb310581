"""Whole answers that are the same for everybody, remembered by this process for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import current_app
from jinja2 import Environment
from markupsafe import Markup

from ..assets import templates_folder
from ..block.build import unchanged
from ..live import Versions
from ..memory import Remembered
from ..records import Product, Slate
from ..signals import slate_served
from ..state import State

TEMPLATES = ("block", "_block", "_card", "_price", "_reasons")
LONGEST = 5.0
"""Seconds for which an answer is given out again; drafts behind it live longer, and in all workers."""


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A block as it went into a page, or an answer in JSON with its headers; its slate, and what it holds true for.

    ``until`` is in seconds since 1970; ``served`` counts that it was given out again.
    """

    body: Markup | bytes
    slate: Slate
    product_ids: tuple[str, ...]
    versions: Versions
    until: float
    served: Callable[[], None]
    headers: tuple[tuple[str, str], ...] = ()


WrittenAnswers = Remembered[Hashable, Written]
"""Answers by what was asked."""


def written_before(state: State, known: WrittenAnswers, key: Hashable) -> Written | None:
    """What was answered a moment ago, if it is what would be answered now and all of it can still be bought."""
    found = known.get(key)
    if found is None or time.time() >= found.until or found.versions != state.pipeline.live.get().versions:
        return None
    if not state.pipeline.all_sellable(found.product_ids):
        return None
    found.served()
    if slate_served.receivers:
        again = msgspec.structs.replace(found.slate, created_at=time.time())
        slate_served.send(current_app._get_current_object(), slate=again)  # type: ignore[attr-defined]
    return found


def write_down(
    state: State,
    known: WrittenAnswers,
    key: Hashable,
    slate: Slate,
    body: Markup | bytes,
    *,
    served: Callable[[], None],
    headers: tuple[tuple[str, str], ...] = (),
) -> None:
    """Remember an answer until one of its products turns: a sale begins or ends, or it is new no more."""
    now, serving = time.time(), state.pipeline.live.get()
    products = products_of(state, slate).values()
    lasting = min(LONGEST, state.settings.cache_seconds)
    known.keep(
        key,
        Written(
            body=body,
            slate=slate,
            product_ids=tuple(item.product_id for item in slate.items),
            versions=serving.versions,
            until=min((now + lasting, *(unchanged(product, now)[1] for product in products))),
            served=served,
            headers=headers,
        ),
    )


def products_of(state: State, slate: Slate) -> dict[str, Product]:
    """The products of the slate and those its items are there because of."""
    table = state.pipeline.live.get().table
    wanted = {name for item in slate.items for name in (item.product_id, item.because) if name}
    return {name: table.products[table.index[name]] for name in wanted if name in table.index}


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
