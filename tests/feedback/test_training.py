"""Weights learnt from slates: planted preferences come back, positions are none, the future teaches nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mtp_plugin.candidates.feedback import KIND, Feedback, Weights, columns
from mtp_plugin.config import Settings
from mtp_plugin.errors import ModelError
from mtp_plugin.feedback_source import FeedbackSource
from mtp_plugin.feedback_training import (
    HELD,
    LEAST,
    POSITIONS,
    choices,
    forget_feedback,
    train_feedback,
    words_of,
)
from mtp_plugin.ports import Bundle
from mtp_plugin.records import (
    Candidates,
    ConsentLevel,
    Outcome,
    Profile,
    Rung,
    Slate,
    SlateEntry,
    SlateItem,
    SlateRequest,
)
from mtp_plugin.store.memory import MemoryOutcomes, MemoryRegistry, MemorySlates

NOW, DAY = 1_760_000_000.0, 86_400.0
SLATES, SIZE = 2_400, 8
SOURCES = ("content", "affinity")
Clicks = Callable[[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]], np.ndarray[Any, Any]]
LOWER = -0.7 * np.log1p(np.arange(SIZE))
"""How much less a position is looked at than the first, as a logarithm."""


def by_probability(score: Any, likely: Any, content: Any) -> Any:
    """Shoppers go by what they will buy, and a little by where it stands."""
    return 1.2 * np.log(likely) - 0.8 * content + LOWER


def by_score(score: Any, likely: Any, content: Any) -> Any:
    """They do as the scores say already."""
    return np.log(score) + LOWER


class World:
    """Slates of a month, each seen by a visitor who clicked one product."""

    def __init__(
        self, clicks: Clicks, *, seed: int = 3, slates: int = SLATES, served: Weights | None = None, sure: float = 0.9
    ) -> None:
        self.slates, self.outcomes, self.registry = MemorySlates(), MemoryOutcomes(), MemoryRegistry()
        self.left_out: set[str] = set()
        self.source = FeedbackSource(
            self.slates,
            self.outcomes,
            self.registry,
            Settings(model_confidence=sure),
            lambda name: name in self.left_out,
        )
        version = ""
        if served:
            meta = {
                "format": 1,
                "strategies": {"s": {"names": served.names, "weights": served.values, "base": served.base}},
            }
            version = self.registry.publish(KIND, {"owners": np.zeros(0, dtype=np.int64)}, {}, meta)
        dice = np.random.default_rng(seed)
        for number in range(slates):
            self._slate(number, dice, clicks, served, version, NOW - (30 - 25 * number / slates) * DAY)

    def _slate(self, number: int, dice: Any, clicks: Clicks, served: Weights | None, version: str, at: float) -> None:
        raw, likely = dice.dirichlet(np.ones(SIZE)) + 1e-3, dice.uniform(0.005, 0.2, SIZE)
        content = (dice.random(SIZE) < 0.4).astype(float)
        shown = raw
        if served:
            shown = raw * served.factors(columns(raw, likely, {"content": content}, served.base))
        order = np.argsort(-shown)
        raw, likely, content, shown = raw[order], likely[order], content[order], shown[order]
        said = clicks(raw, likely, content)
        chance = np.exp(said - said.max())
        clicked = int(dice.choice(SIZE, p=chance / chance.sum()))
        who, name = f"a:{number % 600}", f"r{number}"
        items = tuple(
            SlateItem(
                product_id=f"p{place}", position=place + 1, score=99.0, reason_codes=(), propensity=1.0,
                origins=SOURCES[: int(content[place])], purchase_probability=float(likely[place]),
            )
            for place in range(SIZE)
        )  # fmt: skip
        slate = Slate(
            recommendation_id=name, placement="hero", strategy="s", items=items, created_at=at,
            consent_level=ConsentLevel.FULL,
        )  # fmt: skip
        rung = Rung(
            strategy="s", product_ids=tuple(item.product_id for item in items), scores=tuple(shown.tolist()),
            origins=tuple(int(one) for one in content), anchors=("",) * SIZE, sources=SOURCES,
        )  # fmt: skip
        self.slates.append(
            SlateEntry(
                slate=slate,
                request=SlateRequest(placement="hero", now=at, profile_ids=(who,)),
                profile=Profile(profile_id=who),
                rungs=(rung,),
                versions={"feedback": version},
            )
        )
        found = [("seen", ""), ("click", f"p{clicked}")]
        self.outcomes.record(
            [
                Outcome(
                    outcome_id=f"{kind}{name}".encode(), kind=kind, recommendation_id=name, profile_id=who, at=at + 60,
                    product_id=product, quantity=1.0, value=0.0, margin=0.0,
                )
                for kind, product in found
            ]
        )  # fmt: skip

    def train(self, **more: Any) -> tuple[str, dict[str, Any]]:
        return train_feedback(self.source, now=NOW, seed=0, progress=lambda text: None, **more)


@pytest.fixture(scope="module")
def trained() -> tuple[World, str, dict[str, Any]]:
    world = World(by_probability)
    return world, *world.train()


def test_planted_preferences_come_back_and_positions_are_none(trained: tuple[World, str, dict[str, Any]]) -> None:
    world, version, told = trained
    said = told["s"]
    assert version
    assert said["won"]
    assert said["gain"] > 0
    weights = said["weights"]
    # 1,800 choices among 8: standard errors are about 0.04 (log probability), 0.07 (a source), 0.03 (the score).
    assert weights["purchase_probability"] == pytest.approx(1.2, abs=0.15)
    assert weights["content"] == pytest.approx(-0.8, abs=0.25)
    assert weights["score"] == pytest.approx(-1.0, abs=0.15), "nobody goes by the score: it is taken out"
    assert said["positions"][:SIZE] == pytest.approx(LOWER, abs=0.35)
    assert said["positions"][SIZE:] == pytest.approx([0.0] * (POSITIONS - SIZE), abs=0.1)
    bundle = world.registry.load(KIND, version)
    feedback = Feedback(bundle)
    assert feedback.weights["s"].ask
    found = Candidates(
        rows=np.arange(3), scores=np.array([0.5, 0.3, 0.2]), origins=np.array([0, 1, 0]), anchors=np.full(3, -1),
        sources=SOURCES,
    )  # fmt: skip
    again = feedback.reordered("s", found, np.array([0.01, 0.2, 0.2]))
    assert again.rows.tolist() == [2, 1, 0], "the likeliest first, what is only alike behind it"
    assert np.all(np.diff(again.scores) <= 0)
    assert feedback.reordered("other", found, None) is found


def test_what_the_scores_say_already_changes_nothing() -> None:
    version, told = World(by_score, sure=0.99).train()
    assert version == ""
    assert not told["s"]["won"]
    assert "99% are asked for" in told["s"]["reason"]
    assert told["s"]["gain"] == pytest.approx(0.0, abs=0.01)
    assert words_of(version, told) == "nothing better found"


def test_few_clicks_teach_nothing() -> None:
    few = World(by_probability, slates=LEAST - 1)
    version, told = few.train()
    assert (version, told["s"]["won"]) == ("", False)
    assert words_of(version, told) == "nothing to learn from yet"
    assert few.registry.current(KIND) is None


def test_the_slates_that_judge_teach_nothing(trained: tuple[World, str, dict[str, Any]]) -> None:
    """With other clicks in the latest part, the weights that are tried are the same, and lose."""
    calls: list[int] = []

    def turned(score: Any, likely: Any, content: Any) -> Any:
        calls.append(1)
        late = len(calls) > SLATES * (1 - HELD)
        return by_probability(score, 1 / likely, 1 - content) if late else by_probability(score, likely, content)

    version, told = World(turned).train()
    assert version == ""
    assert not told["s"]["won"]
    assert told["s"]["gain"] < 0
    for name in ("weights", "positions"):
        assert told["s"][name] == trained[2]["s"][name]


def test_scores_are_taken_as_they_were_before_the_weights_that_served() -> None:
    served = Weights(("score", "content", "purchase_probability"), (-0.4, 0.5, 0.7), 0.02)
    before, after = World(by_score, slates=40), World(by_score, slates=40, served=served)
    plain = {one.at: np.sort(one.score) for one in choices(before.source, NOW)}
    for one in choices(after.source, NOW):
        found, known = np.sort(one.score), plain[one.at]
        assert found - found.mean() == pytest.approx(known - known.mean(), abs=1e-6)


def test_slates_under_weights_that_are_gone_are_left_out() -> None:
    served = Weights(("content",), (0.5,), 0.02)
    world = World(by_score, slates=20, served=served)
    assert len(list(choices(world.source, NOW))) == 20
    gone = FeedbackSource(world.slates, world.outcomes, MemoryRegistry(), world.source.settings, world.source.without)
    assert list(choices(gone, NOW)) == []


def test_whoever_objected_and_the_erased_are_in_nothing() -> None:
    world = World(by_probability)
    world.left_out.add("a:7")
    assert "a:7" not in {one.profile_id for one in choices(world.source, NOW)}
    first, _ = world.train()
    forget = {"now": NOW, "seed": 0, "progress": lambda text: None}
    assert forget_feedback(world.source, ["a:nobody"], **forget) == 0
    world.slates.erase("a:11")
    world.outcomes.erase("a:11")
    assert forget_feedback(world.source, ["a:11"], **forget) == 1
    without = World(by_probability)
    without.left_out |= {"a:7", "a:11"}
    without.train()
    now, then = (one.registry.load(KIND, one.registry.current(KIND) or "") for one in (world, without))
    assert now.version != first
    assert now.meta["strategies"] == then.meta["strategies"], "as if they had never been there"
    assert np.array_equal(now.arrays["owners"], then.arrays["owners"])
    assert [info.version for info in world.registry.list(KIND)] == [now.version]


def test_after_the_last_of_them_is_erased_nothing_is_weighed() -> None:
    world = World(by_probability, slates=LEAST + 20)
    assert world.train()[0]
    for number in range(600):
        world.slates.erase(f"a:{number}")
    assert forget_feedback(world.source, ["a:1"], now=NOW, seed=0, progress=lambda text: None) == 1
    assert Feedback(world.registry.load(KIND, world.registry.current(KIND) or "")).weights == {}


@pytest.mark.parametrize("meta", [{"format": 9}, {"format": 1}, {"format": 1, "strategies": {"s": {"names": ["x"]}}}])
def test_a_bundle_that_cannot_be_read_is_refused(meta: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="feedback model v1"):
        Feedback(Bundle(kind=KIND, version="v1", arrays={}, strings={}, meta=meta))
