"""What LinUCB knows of a request: a few facts of the page and the device, none of the visitor's past."""

from __future__ import annotations

import numpy as np

from ..records import FloatArray, SlateRequest

FEATURES = (
    "always", "mobile", "tablet", "morning", "afternoon", "evening", "weekend", "commuting", "cart", "product in view",
)  # fmt: skip
"""Their names, in order. Sums that were learnt by others have to be forgotten when these change."""


def features_of(request: SlateRequest) -> FloatArray:
    """The features of a request, each 0 or 1, shape ``(len(FEATURES),)``; what is unknown is 0.

    >>> features_of(SlateRequest(placement="home-hero", now=0.0)).tolist()
    [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    context = request.context
    facts = (
        True,
        context.device == "mobile",
        context.device == "tablet",
        context.daypart == "morning",
        context.daypart == "afternoon",
        context.daypart == "evening",
        context.weekday in ("saturday", "sunday"),
        bool(context.commuting),
        bool(request.cart_ids),
        bool(request.product_ids),
    )
    return np.array(facts, dtype=np.float64)
