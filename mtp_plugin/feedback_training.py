"""From slates and what came of them to weights that order candidates anew; see :mod:`mtp_plugin.candidates.feedback`.

Which of the products shown was clicked is a choice among them: a conditional logit of the candidates' features, with a
free term for each position, so that a product is not held for good because it stood on top (position-based click model
of Craswell et al., 2008, its terms learnt along). Weights start from "as it was": without evidence nothing changes.
They are learnt from the earlier slates of visitors who agreed and judged on the latest: a strategy gets new weights
only where these tell the clicks better than those that serve, by more than chance explains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from .candidates.feedback import FORMAT, KIND, PROBABILITY, SCORE, Weights, columns, weights_of
from .candidates.log import owner
from .errors import ModelError
from .feedback.labels import Label, labels
from .feedback_source import FeedbackSource
from .lineage import code_version
from .ports import ModelRegistry
from .records import FloatArray, IntArray
from .segment.found import is_minor

Progress = Callable[[str], None]
DAY = 86_400.0
CLICKED = DAY
"""Seconds after a slate in which a click counts."""
LATE = 3_600.0
"""Seconds more that events may be late by."""
LEAST, MOST = 300, 50_000
"""Slates with a click that a strategy is learnt from; the latest, where there are more."""
HELD = 0.25
"""Share of them, the latest, that judges."""
OFTEN = 0.02
"""Share of products, in and out, from which a source has a weight of its own."""
POSITIONS = 12
"""Positions with a term of their own; those after have the last one's."""
USUAL = 0.01
"""The probability that counts as usual where nothing was told."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A slate of which something was clicked: features of its products by name, float64 ``(n,)`` each.

    ``position`` is int ``(n,)`` from 0, ``clicked`` the places of what was. ``score`` is the logarithm of the score
    before any weights of this kind.
    """

    strategy: str
    profile_id: str
    at: float
    score: FloatArray
    likely: FloatArray
    origins: Mapping[str, FloatArray]
    position: IntArray
    clicked: IntArray


def train_feedback(
    source: FeedbackSource, *, now: float, seed: int, progress: Progress, anew: bool = False
) -> tuple[str, dict[str, Any]]:
    """Learn from the slates there are, and publish where it is better; gives the version, ``""`` for none, and why.

    :param anew: as if nothing served: after an erasure, when what serves must go
    """
    progress("reading what came of slates")
    serving = {} if anew else _serving(source.registry)
    by_strategy = _by_strategy(choices(source, now))
    kept, told = dict(serving), dict[str, Any]()
    for strategy, found in sorted(by_strategy.items()):
        if len(found) < LEAST:
            told[strategy] = {"slates": len(found), "won": False, "reason": f"fewer than {LEAST} slates with a click"}
            continue
        progress(f"{strategy}: {len(found):,} slates with a click")
        weights, told[strategy] = _learn(found, serving.get(strategy), source.settings.model_confidence, seed)
        if weights is not None:
            kept[strategy] = weights
    if kept == serving and not anew:
        return "", told
    people = sorted({owner(one.profile_id) for found in by_strategy.values() for one in found})
    moments = [one.at for found in by_strategy.values() for one in found]
    lineage = {
        "data_from": min(moments, default=now), "data_until": max(moments, default=now), "visitors": len(people),
        "slates": len(moments), "seed": seed, "trained_at": now, "code": code_version(),
    }  # fmt: skip
    meta = {"format": FORMAT, "strategies": {name: _stored(one) for name, one in kept.items()}, "report": told}
    figures = {name: said["gain"] for name, said in told.items() if "gain" in said}
    arrays = {"owners": np.array(people, dtype=np.int64)}
    return source.registry.publish(KIND, arrays, {}, meta, figures=figures, lineage=lineage), told


def words_of(version: str, told: Mapping[str, Any]) -> str:
    """What came of a training, in a line."""
    won = [name for name, said in told.items() if said["won"]]
    if version:
        return f"{version} ({', '.join(won) or 'nothing'} learnt anew)"
    return "nothing better found" if any("gain" in said for said in told.values()) else "nothing to learn from yet"


def forget_feedback(
    source: FeedbackSource, profile_ids: Sequence[str], *, now: float, seed: int, progress: Progress
) -> int:
    """Learn anew if any version was learnt from these visitors, whose slates are gone, and delete the others.

    Gives how many versions had them.
    """
    gone = np.array([owner(name) for name in profile_ids], dtype=np.int64)
    tainted = [info for info in source.registry.list(KIND) if _holds(source.registry, info.version, gone)]
    if tainted:
        train_feedback(source, now=now, seed=seed, progress=progress, anew=True)
        source.registry.prune(KIND, 1)
    return len(tainted)


# --------------------------------------------------------------------------------------------------- what was chosen


def choices(source: FeedbackSource, now: float) -> Iterator[Choice]:
    """The slates that were clicked and whose day is over, oldest first, each once a visitor."""
    known: dict[str, dict[str, Weights] | None] = {"": {}}
    since = now - source.settings.slate_days * DAY
    found = labels(source.slates.between(since, now), source.outcomes.of_slates, now=now, window=CLICKED, delay=LATE)
    for _, rows in groupby(found, key=lambda one: (one.entry.slate.recommendation_id, one.profile_id)):
        shown = list(rows)
        version = shown[0].entry.versions.get(KIND, "")
        if version not in known:
            known[version] = _weights(source.registry, version)
        served = known[version]
        choice = _choice(shown, served, source) if served is not None else None
        if choice is not None:
            yield choice


def _choice(shown: list[Label], served: Mapping[str, Weights], source: FeedbackSource) -> Choice | None:
    """The choice that a slate was; ``None`` for one that teaches nothing, or from which nothing may be learnt."""
    entry, profile_id = shown[0].entry, shown[0].profile_id
    strategy = entry.slate.strategy
    rows = [one for one in shown if one.rank >= 0 and one.strategy == strategy]
    clicked = [place for place, one in enumerate(rows) if one.positive]
    if entry.profile is None or not clicked or len(clicked) == len(rows):
        return None
    if is_minor(entry.profile.traits, source.settings.segment_min_age) or source.without(profile_id):
        return None
    sources = sorted({name for one in rows for name in one.origins})
    origins = {name: np.array([float(name in one.origins) for one in rows]) for name in sources}
    likely = np.array([np.nan if one.likely is None else one.likely for one in rows])
    score = columns(np.array([one.score for one in rows]), likely, {}, USUAL)[SCORE]
    return Choice(
        strategy=strategy,
        profile_id=profile_id,
        at=entry.slate.created_at,
        score=_before(score, likely, origins, served.get(strategy)),
        likely=likely,
        origins=origins,
        position=np.array([min(one.position, POSITIONS) - 1 for one in rows]),
        clicked=np.array(clicked),
    )


def _before(
    score: FloatArray, likely: FloatArray, origins: Mapping[str, FloatArray], served: Weights | None
) -> FloatArray:
    """The score as it was before the weights that served, up to a constant, which no choice depends on."""
    if served is None:
        return score
    weight = dict(zip(served.names, served.values, strict=True))
    features = columns(np.ones(len(score)), likely, origins, served.base)
    known = {name: value for name, value in weight.items() if name != SCORE and name in features}
    rest = sum((value * features[name] for name, value in known.items()), np.zeros(len(score)))
    found: FloatArray = (score - rest) / max(0.05, 1.0 + weight.get(SCORE, 0.0))
    return found


def _by_strategy(found: Iterator[Choice]) -> dict[str, list[Choice]]:
    sorted_: dict[str, list[Choice]] = {}
    for one in found:
        sorted_.setdefault(one.strategy, []).append(one)
    return {name: some[-MOST:] for name, some in sorted_.items()}


# ---------------------------------------------------------------------------------------------------- what is learnt


def _learn(
    found: list[Choice], serving: Weights | None, confidence: float, seed: int
) -> tuple[Weights | None, dict[str, Any]]:
    """New weights if they tell the latest clicks better than those that serve, and how it went."""
    from .contest import lead_of

    cut = int(len(found) * (1 - HELD))
    early, late = found[:cut], found[cut:]
    told = np.concatenate([one.likely for one in early])
    base = float(np.exp(np.nanmean(np.log(told)))) if np.isfinite(told).any() else USUAL
    names = [SCORE, *_often(early), *([PROBABILITY] if np.isfinite(told).any() else [])]
    tried = [names, [name for name in names if name != PROBABILITY]] if PROBABILITY in names else [names]
    fitted = [_fit(early, some, base) for some in tried]
    # A probability costs time in every request: it has to tell more than one weight tells by chance (Akaike).
    sums = [float(_losses(early, *one).sum()) for one in fitted]
    weights, positions = fitted[0] if len(fitted) == 1 or sums[0] < sums[1] - 2 else fitted[1]
    after = _losses(late, weights, positions)
    before = _losses(late, *_positions_under(early, serving))
    people = np.unique([one.profile_id for one in late], return_inverse=True)[1]
    lead = lead_of(before, after, people, seed)
    won = lead.mean > 0 and lead.sure >= confidence
    how = (
        f"log loss of a click {after.mean():.4f} against {before.mean():.4f}, better with a probability of "
        f"{lead.sure:.0%}"
    )
    said = {
        "slates": len(found), "judged": len(late), "won": won, "gain": lead.mean, "low": lead.low, "high": lead.high,
        "sure": lead.sure, "weights": dict(zip(weights.names, (round(one, 4) for one in weights.values), strict=True)),
        "positions": [round(one, 4) for one in positions.tolist()],
        "reason": how if won else f"{how}; {confidence:.0%} are asked for",
    }  # fmt: skip
    return (weights if won else None), said


def _often(found: list[Choice]) -> list[str]:
    """The sources that some products came from and some did not."""
    total = sum(len(one.score) for one in found)
    counts: dict[str, float] = {}
    for one in found:
        for name, marks in one.origins.items():
            counts[name] = counts.get(name, 0.0) + float(marks.sum())
    return sorted(name for name, count in counts.items() if OFTEN <= count / total <= 1 - OFTEN)


def _fit(
    found: list[Choice], names: Sequence[str], base: float, served: Weights | None = None
) -> tuple[Weights, FloatArray]:
    """Weights of these features beside the score as it is, and a term for each position, float64 ``(POSITIONS,)``.

    :param served: weights to leave as they are, where only the positions are to be found
    """
    from .candidates.learn.choice import LIGHT, Cases, fit

    cases = Cases()
    for one in found:
        features = _features(one, names, base)
        at = np.eye(POSITIONS)[one.position][:, 1:]
        x = np.column_stack([*(features[name] for name in names), at]).astype(np.float32)
        cases.add(x, one.clicked, 0, one.score)
        # As it was is the start: a ridge draws what is learnt beside it to nothing.
        cases.offsets[-1] = _served(one, served).astype(np.float32)
    all_names = (*names, *(f"position-{place}" for place in range(2, POSITIONS + 1)))
    weights = fit(cases, all_names, 1, ridge=LIGHT)["weights"][0]
    learnt = Weights(tuple(names), tuple(weights[: len(names)]), base) if served is None else served
    return learnt, np.array([0.0, *weights[len(names) :]])


def _positions_under(found: list[Choice], serving: Weights | None) -> tuple[Weights, FloatArray]:
    """What serves, with the terms of positions that fit it best."""
    return _fit(found, (), USUAL, serving or Weights((), (), USUAL))


def _losses(found: list[Choice], weights: Weights, positions: FloatArray) -> FloatArray:
    """Of each slate, how improbable its clicks were held to be: ``-log p``, float64 ``(len(found),)``."""
    return np.array([_loss(one, _served(one, weights) + positions[one.position]) for one in found])


def _loss(one: Choice, said: FloatArray) -> float:
    said = said - said.max()
    return float(np.log(np.exp(said).sum()) - said[one.clicked].mean())


def _served(one: Choice, weights: Weights | None) -> FloatArray:
    """The logarithm of what the weights make of the scores."""
    if weights is None or not weights.names:
        return one.score
    features = _features(one, weights.names, weights.base)
    found: FloatArray = one.score + sum(
        (value * features[name] for name, value in zip(weights.names, weights.values, strict=True)),
        np.zeros(len(one.score)),
    )
    return found


def _features(one: Choice, names: Sequence[str], base: float) -> dict[str, FloatArray]:
    nothing = np.zeros(len(one.score))
    found = columns(np.ones(len(one.score)), one.likely, one.origins, base) | {SCORE: one.score}
    return {name: found.get(name, nothing) for name in names}


# ---------------------------------------------------------------------------------------------------------- registry


def _stored(weights: Weights) -> dict[str, Any]:
    return {"names": list(weights.names), "weights": list(weights.values), "base": weights.base}


def _serving(registry: ModelRegistry) -> dict[str, Weights]:
    return _weights(registry, registry.current(KIND) or "") or {}


def _weights(registry: ModelRegistry, version: str) -> dict[str, Weights] | None:
    """The weights of a version; ``None`` where they are gone."""
    if not version:
        return {}
    try:
        return weights_of(registry.load(KIND, version))
    except ModelError:
        return None


def _holds(registry: ModelRegistry, version: str, gone: IntArray) -> bool:
    try:
        return bool(np.isin(registry.load(KIND, version).arrays["owners"], gone).any())
    except (ModelError, KeyError):
        return True  # nobody can say, so it goes
