"""What is compiled is compiled, or fetched from the disk, before a visitor waits for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mtp_plugin.compiled import HAS_NUMBA

SCRIPT = """
import gc
from itertools import product

import msgspec
import numpy as np
from numba.core.registry import CPUDispatcher

from mtp_plugin.candidates import session_expert
from mtp_plugin.candidates.basket_expert import COMPLETE_BUCKETS, RETURN_BUCKETS
from mtp_plugin.candidates.recommender import Recommender
from mtp_plugin.candidates.reranker import TASKS, prefix_of
from mtp_plugin.rank.diversity import diversify, warm
from mtp_plugin.rank.titles import Titles
from mtp_plugin.records import Profile, Purchase, Query, SegmentRef, Strategy
from tests.candidates import test_segments
from tests.candidates.shop import bundle
from tests.candidates.test_reranker import stump


def signatures():
    kernels = [one for one in gc.get_objects() if isinstance(one, CPUDispatcher)]
    own = [one for one in kernels if one.py_func.__module__.startswith("mtp_plugin")]
    return {f"{one.py_func.__name__}{types}" for one in own for types in one.signatures}


model = bundle("behaviour", test_segments.learnt())
trees = {name: array for task in TASKS for name, array in stump(0, 0.0, -1.0, 1.0).arrays(prefix_of(task)).items()}
bare = Recommender(test_segments.table(), model)
experts = {"session": bare.session_expert, "return": bare.return_expert, "complete": bare.complete_expert}
buckets = {"session": session_expert.BUCKETS, "return": RETURN_BUCKETS, "complete": COMPLETE_BUCKETS}
learnt = {
    task: {"features": one.names, "weights": [one.weights(bucket).tolist() for bucket in range(buckets[task])]}
    for task, one in experts.items()
}
arrays, meta = {**model.arrays, **trees}, {**model.meta, "experts": learnt}
found = Recommender(bare.table, msgspec.structs.replace(model, arrays=arrays, meta=meta))
assert set(found.rerankers) == set(TASKS)
found.warm()
titles = Titles(found.table)
warm(found.table, titles)
before = signatures()

drawn = Profile(profile_id="u:1", affinities={"category": {"Home > Lamp": 3.0}})
buyer = msgspec.structs.replace(drawn, purchases=(Purchase("p003", 1, 2, 0.0, 9.0),), orders=2)
everything = np.ones(len(found.table), dtype=np.bool_)
segments, masks = (None, SegmentRef("cups", "", 0.7)), (None, everything)
pages = ((), (3,))
for known, profile, segment, eligible, rows in product(range(3), (None, drawn, buyer), segments, masks, pages):
    query = Query(
        now=test_segments.NOW, session=(1, 5)[:known], history=(2, 8)[:known], in_view=rows, cart=rows,
        profile=profile, segment=segment, eligible=eligible,
    )
    for strategy in Strategy:
        diversify(found.candidates(strategy, query, 12), found.table, titles, 8)
print(*sorted(signatures() - before), sep="\\n", end="")
"""


@pytest.mark.skipif(not HAS_NUMBA, reason="numba can't be imported")
def test_no_visitor_waits_for_a_kernel() -> None:
    told = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout == ""
