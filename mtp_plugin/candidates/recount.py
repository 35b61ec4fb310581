"""A trained bundle over another log: counts, indexes and rankings anew, what was learnt of them as it is.

Learning how far each source is to be trusted takes most of a training and changes slowly; what is counted is stale
within hours. A recount is some seconds where a training is minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..ports import Bundle
from .learn.behaviour import learn_behaviour
from .learn.cap import capped
from .learn.leanings import leaning_arrays
from .learn.segment_rankings import PRIOR
from .log import TrainingLog
from .membership import EVERYBODY, Membership, membership_in
from .reranker import TASKS, prefix_of
from .train import Learnt

Arrays = dict[str, NDArray[np.generic]]


def log_of(bundle: Bundle) -> TrainingLog:
    """What a behaviour bundle was counted from."""
    return TrainingLog.from_arrays(bundle.arrays, bundle.strings["items"], bundle.meta["timed"])


def recount(bundle: Bundle, log: TrainingLog, *, now: float) -> Learnt:
    """The bundle over *log*.

    :param log: its ``owners`` begin with those of the bundle's own; others are in no segment until a training
    :param now: moment that ageing is measured from, never before the log's last
    """
    moment, log = max(now, log.end), capped(log)
    strings: Mapping[str, tuple[str, ...]] = {**bundle.strings, "items": log.items}
    meta = {**bundle.meta, "interactions": len(log), "trained_at": moment}
    return Learnt(counted(bundle, log, _members(bundle, log), now=moment), strings, meta, {})


def counted(bundle: Bundle, log: TrainingLog, members: Membership | None, *, now: float) -> Arrays:
    """All arrays of the bundle over *log*, its visitors in these segments."""
    arrays: Arrays = learn_behaviour(
        log,
        now=now,
        ridge=bundle.meta["ease_ridge"],
        membership=members,
        prior=bundle.meta.get("segment_prior", PRIOR),
    )
    if "leaning_category" in bundle.arrays:
        of_known = bundle.arrays["leaning_category"]
        unknown = np.full(len(log.items) - len(of_known), -1, dtype=np.int32)
        arrays |= leaning_arrays(log, np.concatenate((of_known, unknown)))
    learnt = tuple(map(prefix_of, TASKS))
    arrays |= {name: array for name, array in bundle.arrays.items() if name.startswith(learnt)}
    return arrays | log.arrays() | (members.arrays() if members is not None else {})


def _members(bundle: Bundle, log: TrainingLog) -> Membership | None:
    members = membership_in(bundle.arrays, bundle.strings.get("segments", ()))
    if members is None:
        return None
    new = np.full(len(log.owners) - len(members.of_owner), EVERYBODY, dtype=np.int16)
    return replace(members, of_owner=np.concatenate((members.of_owner, new)))
