"""A log that goes on, and a bundle counted anew over it: as if all had been read at once."""

from __future__ import annotations

import numpy as np
import pytest

from mtp_plugin.candidates.log import COLUMNS, TrainingLog
from mtp_plugin.candidates.recount import log_of, recount
from mtp_plugin.candidates.train import train
from mtp_plugin.records import Event

from . import shop


def said(log: TrainingLog) -> set[tuple[object, ...]]:
    """The rows of a log in names, sessions by their rows and baskets by what they hold."""
    names = [log.items[code] for code in log.item.tolist()]
    who = log.owners[log.visitor].tolist()
    sessions: dict[int, list[tuple[float, str]]] = {}
    for session, time, name in zip(log.session.tolist(), log.time.tolist(), names, strict=True):
        sessions.setdefault(session, []).append((time, name))
    baskets: dict[int, list[str]] = {}
    for basket, name in zip(log.basket.tolist(), names, strict=True):
        baskets.setdefault(basket, []).append(name)
    return {
        (
            owner,
            name,
            time,
            action,
            tuple(sorted(sessions[session])),
            tuple(sorted(baskets[basket])) if basket >= 0 else (),
        )
        for owner, name, time, action, session, basket in zip(
            who, names, log.time.tolist(), log.action.tolist(), log.session.tolist(), log.basket.tolist(), strict=True
        )
    }


def parts(share: float) -> tuple[list[Event], list[Event]]:
    found = shop.events()
    dice = np.random.default_rng(5).random(len(found)) < share
    return [e for e, early in zip(found, dice, strict=True) if early], [
        e for e, early in zip(found, dice, strict=True) if not early
    ]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 1.0])
def test_a_log_that_goes_on_is_as_if_read_at_once(share: float) -> None:
    """Even where what comes later belongs into the midst of visits known."""
    early, late = parts(share)
    first = TrainingLog.from_events([early])
    whole = first.joined(TrainingLog.from_events([late], items=first.items))
    assert said(whole) == said(TrainingLog.from_events([early + late]))
    assert np.all(np.diff(whole.session) >= 0)
    assert np.array_equal(whole.owners[: len(first.owners)], first.owners)
    assert len(set(whole.owners.tolist())) == len(whole.owners)


def test_other_vocabularies_are_refused() -> None:
    first = TrainingLog.from_events([shop.events()])
    other = TrainingLog.from_events([shop.events()[50:]])
    with pytest.raises(ValueError, match="vocabulary"):
        first.joined(other)


def test_a_recount_of_the_same_log_is_the_same_bundle() -> None:
    learnt = train(TrainingLog.from_events([shop.events()]), table=shop.table())
    bundle = shop.bundle("behaviour", learnt)
    again = recount(bundle, log_of(bundle), now=bundle.meta["trained_at"])
    assert again.arrays.keys() == learnt.arrays.keys()
    for name, array in learnt.arrays.items():
        assert np.array_equal(again.arrays[name], array), name
    assert dict(again.meta) == dict(learnt.meta)
    assert {f"log_{name}" for name in COLUMNS} <= again.arrays.keys()
