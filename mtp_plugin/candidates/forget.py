"""Taking visitors out of a trained bundle, without the events of all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..ports import Bundle
from .learn.behaviour import learn_behaviour
from .learn.segment_rankings import PRIOR
from .log import TrainingLog, owner
from .membership import membership_in

Arrays = Mapping[str, NDArray[np.generic]]


def forget(bundle: Bundle, profile_ids: Sequence[str]) -> Arrays:
    """The arrays of a behaviour bundle as if these visitors had never been there.

    The bundle keeps the log that it was learnt from, visitors as hashes; without theirs all is computed anew. The
    weights of the blend stay: some dozens of numbers over thousands of cases.
    """
    log = TrainingLog.from_arrays(bundle.arrays, bundle.strings["items"], bundle.meta["timed"])
    theirs = np.isin(log.owners, np.array([owner(name) for name in profile_ids], dtype=np.int64))
    rest = replace(log.take(~theirs[log.visitor]), owners=log.owners[~theirs])
    rest = replace(rest, visitor=(np.cumsum(~theirs, dtype=np.int32) - 1)[rest.visitor])
    members = membership_in(bundle.arrays, bundle.strings.get("segments", ()))
    members = members.take(~theirs) if members is not None else None
    arrays = learn_behaviour(
        rest,
        now=bundle.meta["trained_at"],
        ridge=bundle.meta["ease_ridge"],
        membership=members,
        prior=bundle.meta.get("segment_prior", PRIOR),
    )
    return arrays | rest.arrays() | (members.arrays() if members is not None else {})
