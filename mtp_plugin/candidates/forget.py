"""Taking one visitor out of a trained bundle, without the events of all others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..ports import Bundle
from .counts import Counts
from .learn.behaviour import from_counts
from .learn.cap import capped
from .learn.ease import RIDGE
from .learn.session_index import drop_owner, owner
from .log import TrainingLog

Arrays = Mapping[str, NDArray[np.generic]]


def forget(bundle: Bundle, theirs: TrainingLog) -> Arrays:
    """The arrays of a behaviour bundle as if a visitor had never been there.

    Sums lose the visitor's part exactly and the lists are computed anew from them; sessions, baskets and the past as a
    customer are dropped by the hash of their owner. The weights of the blend stay: some dozens of numbers
    over thousands of cases.

    :param theirs: all events of the visitor that the bundle was trained on, read with ``items=bundle.strings["items"]``
    :raises ModelError: the log holds products that the bundle was never trained on, so it is not what it learnt from
    """
    items = bundle.strings["items"]
    if theirs.items != tuple(items):
        raise ModelError("the events name products that this model was not trained on; take those it was trained on")
    arrays = dict(bundle.arrays)
    counts = Counts.from_arrays(arrays, len(items))
    counts = counts - Counts.of(capped(theirs), bundle.meta["trained_at"], bundle.meta["half_life"])
    arrays |= from_counts(counts, bundle.meta.get("ease_ridge", RIDGE)) | counts.arrays()
    for visitor in theirs.visitors:
        for prefix in ("", "basket_", "user_"):
            if f"{prefix}session_owners" in arrays:
                arrays |= drop_owner(arrays, prefix, owner(visitor))
    return arrays
