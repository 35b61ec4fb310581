"""Which file draws which category, and the version of all drawings for their addresses."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from . import bags, bottles, chairs, headphones, jackets, kettles, lamps, mugs, notebooks, plants, shoes, watches
from .studio import Look, Studio

ARTISTS: Mapping[str, Callable[[Studio], None]] = {
    "watches": watches.draw,
    "bags": bags.draw,
    "bottles": bottles.draw,
    "lamps": lamps.draw,
    "chairs": chairs.draw,
    "plants": plants.draw,
    "mugs": mugs.draw,
    "kettles": kettles.draw,
    "notebooks": notebooks.draw,
    "headphones": headphones.draw,
    "jackets": jackets.draw,
    "shoes": shoes.draw,
}


def draw(category: str, look: Look) -> str:
    """The picture as SVG text.

    :param category: a key of :data:`ARTISTS`
    """
    studio = Studio(look)
    ARTISTS[category](studio)
    return studio.svg()


@lru_cache(maxsize=1)
def version() -> str:
    """Changes when any drawing may have changed; pictures are cached for ever under it."""
    total = 0
    for path in sorted(Path(__file__).parent.glob("*.py")):
        total = zlib.crc32(path.read_bytes(), total)
    return f"{total:08x}"
