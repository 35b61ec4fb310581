"""Several things at several levels: their combinations, the cells of a full factorial design."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

Factors = Mapping[str, Sequence[Any]]


def cells(factors: Factors) -> list[dict[str, Any]]:
    """All combinations of levels, the first levels of all first."""
    return [dict(zip(factors, levels, strict=True)) for levels in itertools.product(*factors.values())]
