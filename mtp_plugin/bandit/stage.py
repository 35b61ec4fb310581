"""The stage of policies that learn: request and what was learnt in, choices out; no store, no clock, no chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from ..records import Choice, ConsentLevel, FloatArray, Placement, SegmentRef, SlateRequest
from .counts import Counts
from .draw import draw, seed_of
from .features import features_of
from .learnt import Known, Learnt
from .linucb import LinUCB
from .null import Chosen, Slotted, certain
from .rows import Row
from .thompson import Thompson


def probabilities_of(row: Row, known: Known, mean: float, request: SlateRequest) -> FloatArray:
    """The probabilities of the arms in a request.

    :param mean: of all rewards; an arm that Thompson sampling never saw begins as ``Beta(1, 1 / mean - 1)``, as good as
        the others so far, instead of as good as a coin
    """
    policy = row.made()
    if isinstance(policy, LinUCB):
        assert known.linear is not None  # noqa: S101  it is learnt for this policy
        return policy.probabilities(known.linear, features_of(request))
    if isinstance(policy, Thompson):
        policy = Thompson((1.0, max(1.0, 1.0 / mean - 1.0)), policy.floor)
    return policy.probabilities(known.counts)


def best_arm(counts: Counts, mean: float) -> int:
    """The arm of the highest mean, with one impression of everybody's mean beside its own; the first of equals."""
    return int(np.argmax((counts.rewards + mean) / (counts.tries + 1.0)))


@dataclass(frozen=True, slots=True)
class Ask:
    """One policy asked in one request.

    Whoever may be learnt from is explored with; for all others, of whom no event is kept, nothing would be learnt from
    exploring, so they get the arm that is best so far, and it is the same for all of them.
    """

    row: Row
    learnt: Learnt
    request: SlateRequest
    segment_id: str

    def choose(self, arms: Sequence[str]) -> Slotted:
        """One of these arms, with the probabilities of all."""
        if self.request.consent_level is ConsentLevel.FULL and self.request.profile_ids:
            probabilities = self._probabilities(arms)
            arm, propensity = draw(probabilities, seed_of(self.request, self.row.name))
        else:
            known = self.learnt.of(arms, self.segment_id)
            arm, propensity = best_arm(known.counts, self.learnt.mean), 1.0
            probabilities = certain(len(arms), arm)
        choice = Choice(
            policy=self.row.name,
            about=self.row.about,
            arm=arms[arm],
            propensity=propensity,
            position=self.position if self.row.about == "product" else 0,
            state_version=self.learnt.version,
            among=tuple(arms) if self.row.about == "product" else (),
        )
        return Slotted(arm, probabilities, choice)

    def _probabilities(self, arms: Sequence[str]) -> FloatArray:
        """Worked out once for all requests that ask the same of one version."""
        of_request = features_of(self.request).tobytes() if self.row.policy == "linucb" else b""
        key = (self.segment_id, tuple(arms), of_request)
        found = self.learnt.asked.get(key)
        if found is None:
            known = self.learnt.of(arms, self.segment_id)
            found = probabilities_of(self.row, known, self.learnt.mean, self.request)
            self.learnt.asked.keep(key, found)
        return found

    @property
    def position(self) -> int:
        return self.row.position

    @property
    def first(self) -> int:
        return self.row.first

    @property
    def product_ids(self) -> tuple[str, ...]:
        return self.row.named


class Bandits:
    """The policies of a shop.

    :param rows: by name, see :func:`~mtp_plugin.bandit.rows.load_bandits`
    """

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self.rows = dict(rows)
        self._at: dict[str, dict[str, Row]] = {}
        for row in rows.values():
            self._at.setdefault(row.placement, {})[row.about] = row

    def choose(
        self,
        placement: Placement,
        request: SlateRequest,
        segment: SegmentRef | None,
        learnt: Mapping[str, Learnt],
    ) -> Chosen:
        """Choose the first strategy and the creative of a slate; its product is chosen later, see :class:`Ask`.

        :param learnt: what each policy has learnt, by name
        """
        rows = self._at.get(placement.name)
        if rows is None:
            return Chosen(placement.strategies)
        asks = {about: _ask(row, request, segment, learnt) for about, row in rows.items()}
        ladder, strategy, creative, words = placement.strategies, None, None, None
        if ask := asks.get("strategy"):
            strategy = ask.choose(ask.row.named).choice
            ladder = _led_by(strategy.arm, placement)
        if ask := asks.get("creative"):
            words = ask.choose(ask.row.named).choice
            creative = ask.row.creatives[words.arm]
        return Chosen(ladder, strategy, creative, words, asks.get("product"))


def _ask(row: Row, request: SlateRequest, segment: SegmentRef | None, learnt: Mapping[str, Learnt]) -> Ask:
    return Ask(row, learnt[row.name], request, segment.segment_id if segment and row.segments else "")


def _led_by(strategy: str, placement: Placement) -> tuple[str, ...]:
    """The placement's ladder with this strategy on top."""
    return (strategy, *(name for name in placement.strategies if name != strategy))


def repeated(placement: Placement, choices: Sequence[Choice], rows: Mapping[str, Row]) -> Chosen:
    """What was chosen for a slate before, taken from its log instead of chosen again: what replay needs.

    The state that it was chosen by has moved on since; what was chosen, and how probably, is in the log.

    :raises KeyError: a policy or a creative of these choices is not configured any more
    """
    ladder, strategy, creative, words, slot = placement.strategies, None, None, None, None
    for choice in choices:
        if choice.about == "strategy":
            ladder, strategy = _led_by(choice.arm, placement), choice
        elif choice.about == "creative":
            creative, words = rows[choice.policy].creatives[choice.arm], choice
        else:
            slot = _Repeated(choice, rows[choice.policy])
    return Chosen(ladder, strategy, creative, words, slot)


class _Repeated(msgspec.Struct, frozen=True):
    """A slot whose product is known."""

    choice: Choice
    row: Row

    @property
    def position(self) -> int:
        return self.choice.position

    @property
    def first(self) -> int:
        return self.row.first

    @property
    def product_ids(self) -> tuple[str, ...]:
        return self.row.named

    def choose(self, product_ids: Sequence[str]) -> Slotted:
        """The same again; the first where it is no candidate any more, and the slate is another one."""
        arm = next((place for place, name in enumerate(product_ids) if name == self.choice.arm), 0)
        return Slotted(arm, certain(len(product_ids), arm), self.choice)
