"""Taking visitors out of a trained bundle, without the events of all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..ports import Bundle
from .log import owner
from .membership import membership_in
from .recount import counted, log_of
from .surroundings import by_session

Arrays = Mapping[str, NDArray[np.generic]]


def forget(bundle: Bundle, profile_ids: Sequence[str]) -> Arrays:
    """The arrays of a behaviour bundle as if these visitors had never been there.

    The bundle keeps the log that it was learnt from, visitors as hashes; without theirs all is computed anew. The
    weights of the blend stay: some dozens of numbers over thousands of cases.
    """
    log = log_of(bundle)
    theirs = np.isin(log.owners, np.array([owner(name) for name in profile_ids], dtype=np.int64))
    rest = replace(log.take(~theirs[log.visitor]), owners=log.owners[~theirs])
    rest = replace(rest, visitor=(np.cumsum(~theirs, dtype=np.int32) - 1)[rest.visitor])
    rest = replace(rest, around=by_session(rest.codes, rest.session, rest.around[1]))
    members = membership_in(bundle.arrays, bundle.strings.get("segments", ()))
    members = members.take(~theirs) if members is not None else None
    return counted(bundle, rest, members, now=bundle.meta["trained_at"])
