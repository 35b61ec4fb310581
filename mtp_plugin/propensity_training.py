"""From stored events to a published model of purchase propensity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from .candidates.log import owner
from .config import Settings
from .contest import Bounds, Verdict
from .errors import ModelError, TooLittleError
from .lineage import code_version
from .parallel import spread_over
from .ports import Bundle, BundleInfo, Journal, ModelRegistry
from .propensity.features import DAY
from .propensity.model import EMPTY, HORIZON_DAYS, KIND, TARGETS, Propensity, open_propensity
from .records import Event, FoldFunction, Interactions, ProductTable
from .segment.found import is_minor

if TYPE_CHECKING:
    from .propensity.learn.train import Learnt

Progress = Callable[[str], None]
Filter = Callable[[Iterable[Interactions]], Iterable[Interactions]]
MOST_VISITORS = 20_000
"""Visitors that are learnt from; of more, those whose hashes are smallest."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a propensity model comes from and goes to.

    :param fold: events into profiles, as requests fold them
    :param only: leaves out visitors who do not want anything learnt of them
    """

    journal: Journal
    registry: ModelRegistry
    settings: Settings
    fold: FoldFunction
    only: Filter


def train_propensity(
    source: Source,
    table: ProductTable,
    *,
    now: float,
    seed: int,
    progress: Progress,
    tries: int = 0,
    estimator: str = "",
) -> str:
    """Learn from all events before *now* and publish the bundle; gives its version.

    :param tries: settings that a search begins with; without one the model before lends its own
    :param estimator: dotted name, the setting's if empty
    :raises TooLittleError: the history is too short yet
    :raises SetupError: an estimator that cannot be served, or is not installed
    """
    names = chosen(source)
    made = _learn(source, table, names, until=now, seed=seed, progress=progress, tries=tries, estimator=estimator)
    return made.publish(source.registry, now)


def challenge_propensity(
    source: Source, table: ProductTable, *, now: float, seed: int, progress: Progress, bounds: Bounds
) -> tuple[str, Verdict]:
    """Learn a model that serves only if it wins; gives its version, ``""`` for none, and the verdict.

    It knows what was before the last :data:`~mtp_plugin.propensity.model.HORIZON_DAYS`, in which neither model saw what
    was bought. The first model has nobody to win against, and serves.

    :raises TooLittleError: the history is too short yet
    """
    from .propensity_contest import FEWEST_BOUGHT, asked_of, contest

    champion = next((info for info in source.registry.list(KIND) if info.current), None)
    serving = _opened(source.registry, champion, table) if champion else None
    if champion is None or serving is None:
        version = train_propensity(source, table, now=now, seed=seed, progress=progress)
        return version, Verdict(won=True, reason="there was no model that serves")
    until = now - HORIZON_DAYS * DAY
    if until <= float(champion.lineage.get("until", champion.created_at)):
        soon = f"less than {HORIZON_DAYS} days since the serving model was trained"
        return "", Verdict(won=False, reason=soon, against=champion.version)
    names = chosen(source)
    asked = asked_of(source.journal, source.fold, names, table, until)
    if sum(len(one.bought) for one in asked) < FEWEST_BOUGHT:
        return "", Verdict(won=False, reason="too few orders in the last week", against=champion.version)
    made = _learn(source, table, names, until=until, seed=seed, progress=progress)
    progress(f"both models tell what {len(asked):,} visitors buy")
    challenger = Propensity(made.bundle(), table)
    challenger.warm()
    verdict = contest(challenger, serving, asked, table, until, bounds, seed)
    verdict = msgspec.structs.replace(verdict, against=champion.version)
    lineage = {"settings": asdict(bounds), "contest": msgspec.to_builtins(verdict)}
    return made.publish(source.registry, now, lineage, activate=verdict.won), verdict


def _opened(registry: ModelRegistry, info: BundleInfo, table: ProductTable) -> Propensity | None:
    try:
        opened = open_propensity(registry.load(KIND, info.version), table)
    except ModelError:
        return None  # nobody can win against what cannot be read
    return opened if isinstance(opened, Propensity) else None


@dataclass(frozen=True, slots=True)
class Made:
    """A model before it is published, with what it was learnt from."""

    learnt: Learnt
    arrays: dict[str, Any]
    lineage: dict[str, Any]

    def bundle(self) -> Bundle:
        """As it will be read."""
        return Bundle(kind=KIND, version="", arrays=self.arrays, strings=self.learnt.strings, meta=self.learnt.meta)

    def publish(
        self, registry: ModelRegistry, now: float, more: Mapping[str, Any] = MappingProxyType({}), *,
        activate: bool = True,
    ) -> str:  # fmt: skip
        """Gives its version."""
        return registry.publish(
            KIND, self.arrays, self.learnt.strings, self.learnt.meta, figures=self.learnt.figures,
            lineage={**self.lineage, "trained_at": now, **more}, activate=activate,
        )  # fmt: skip


def _learn(
    source: Source,
    table: ProductTable,
    names: Sequence[str],
    *,
    until: float,
    seed: int,
    progress: Progress,
    tries: int = 0,
    estimator: str = "",
) -> Made:
    """Learn from these visitors' events before *until*."""
    from .propensity.learn.train import Options, learn

    settings = source.settings
    estimator = estimator or settings.propensity_estimator
    params = _params(source, estimator) if tries < 2 else {}
    options = Options(
        half_life=settings.half_life_days * DAY,
        idle=settings.session_idle_minutes * 60,
        estimator=estimator,
        params=params,
        tries=tries,
        excluded=frozenset(settings.segment_exclude_categories),
        traits=settings.propensity_traits,
        seed=seed,
    )

    def visitors() -> Iterator[tuple[str, Sequence[Event]]]:
        for name in names:
            yield name, [event for event in source.journal.events_of(name) if event.timestamp < until]

    with spread_over(settings.train_on):
        learnt = learn(visitors, source.fold, table, now=until, options=options, progress=progress)
    owners = {"owners": np.array([owner(name) for name in names], dtype=np.int64)}
    lineage = {
        "events": source.journal.count(), "visitors": len(names), "since": learnt.meta["cuts"][0], "until": until,
        "seed": seed, "estimator": estimator, "catalog_version": table.version,
        "tries": tries or _tries(source, estimator), "code": code_version(),
    }  # fmt: skip
    return Made(learnt, learnt.arrays | owners, lineage)


def renew_propensity(source: Source, table: ProductTable, *, now: float, seed: int, progress: Progress) -> str:
    """As a training does it that somebody asked for: the version in words, or why there is none."""
    try:
        return train_propensity(source, table, now=now, seed=seed, progress=progress)
    except TooLittleError:
        return "nothing to learn from yet"


def _params(source: Source, estimator: str) -> dict[str, dict[str, Any]]:
    """The setting's parameters, else those that a search found for the model that serves."""
    given = source.settings.propensity_params
    if given and estimator == source.settings.propensity_estimator:
        return dict.fromkeys(TARGETS, given)
    version = source.registry.current(KIND)
    if not version or not _tries(source, estimator):
        return {}
    try:
        report = source.registry.load(KIND, version).meta["report"]
        return {target: dict(report[target]["params"]) for target in TARGETS}
    except (ModelError, KeyError):
        return {}


def _tries(source: Source, estimator: str) -> int:
    """How many settings were tried when those of the model that serves were found; 0: it was not searched."""
    serving = next((info.lineage for info in source.registry.list(KIND) if info.current), {})
    return int(serving.get("tries", 0)) if serving.get("estimator") == estimator else 0


def chosen(source: Source) -> list[str]:
    """The visitors to learn from, always in the same order; nobody who says to be too young."""
    known = {name for batch in source.only(source.journal.interactions()) for name in batch.profile_ids}
    names, least = sorted(known, key=owner)[:MOST_VISITORS], source.settings.segment_min_age
    profiles = zip(names, source.journal.profiles(names), strict=True)
    return [name for name, profile in profiles if profile and not is_minor(profile.traits, least)]


def forget_propensity(
    source: Source, table: ProductTable, profile_ids: Sequence[str], *, now: float, seed: int, progress: Progress
) -> int:
    """Learn anew if any version was learnt from these visitors, whose events are gone, and delete the others.

    The new one is what a training without them gives, bit for bit, as it is that training: parameters that were
    searched for with them are searched for anew. Gives how many versions had them.
    """
    gone = {owner(name) for name in profile_ids}
    tainted = [info for info in source.registry.list(KIND) if _holds(source.registry, info.version, gone)]
    if not tainted:
        return 0
    try:
        tries = _tries(source, source.settings.propensity_estimator)
        train_propensity(source, table, now=now, seed=seed, progress=progress, tries=tries)
    except TooLittleError:
        source.registry.publish(KIND, {"owners": np.zeros(0, dtype=np.int64)}, {}, EMPTY)
    source.registry.prune(KIND, 1)
    return len(tainted)


def _holds(registry: ModelRegistry, version: str, gone: set[int]) -> bool:
    try:
        owners = registry.load(KIND, version).arrays["owners"]
    except (ModelError, KeyError):
        return True  # nobody can say, so it goes
    return bool(np.isin(owners, list(gone)).any())
