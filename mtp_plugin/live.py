"""What serves right now: catalogue, recommender and segments as arrays, swapped whole when a version changes."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from .candidates.feedback import Feedback
from .candidates.recommender import Recommender
from .catalog.table import build_table
from .errors import ModelError, MTPError, UnavailableError
from .facts import profile_facts
from .fork import after_fork
from .likely import Likely
from .patience import is_patient, left, patiently
from .ports import Bundle, CatalogStore, ModelRegistry, SegmentBook
from .profile.columns import Columns
from .propensity.model import NoPropensity, Propensity, open_propensity
from .rank.diversity import warm
from .rank.titles import Titles
from .records import ProductTable
from .rule_source import NOTHING, RuleSource, Served
from .segment.found import FoundSegments
from .segment.made import MadeSegments
from .segment.null import NoSegments
from .segment.stage import Segments

log = logging.getLogger(__name__)

KINDS = ("behaviour", "content", "segments", "propensity", "feedback")
Versions = tuple[int, str, str, str, str, str, int]
"""Of the catalogue, of each kind, and of the book of segments."""
Found = FoundSegments | NoSegments
Pair = tuple[Bundle | None, ...]
"""The bundles of a recommender: what was learnt of behaviour and of content."""
UNREADABLE = (ModelError, KeyError, ValueError)
"""What a bundle that this code cannot read, or that lacks something, leads to."""
UNTOLD, UNLIKELY = NoPropensity(), Likely()


@dataclass(frozen=True, slots=True)
class Serving:
    """One consistent set: catalogue, recommender, segments and the versions they were made of.

    ``versions`` are those that serve; ``wanted`` those that were current when it was made. They differ where a bundle
    could not be opened.
    """

    table: ProductTable
    titles: Titles
    recommender: Recommender
    segments: Segments
    versions: Versions
    wanted: Versions
    bundles: tuple[Bundle | None, ...]
    rules: Served = NOTHING
    wanted_rules: int = 0
    propensity: Propensity | NoPropensity = UNTOLD
    likely: Likely = UNLIKELY
    others: Mapping[str, Recommender] = field(default_factory=dict)
    """Behaviour models that rules let answer instead, by version."""

    @property
    def stamp(self) -> tuple[Versions, int]:
        """All that an answer depends on, the rules included."""
        return self.versions, self.rules.version

    @property
    def model_version(self) -> str:
        return self.versions[1]


class Live:
    """Keeps the current :class:`Serving` and looks for newer versions at most every *every* seconds.

    The first load happens in the caller; later looks and loads in a thread, so that a request goes on with what there
    is, however long the store takes to answer. A bundle that cannot be opened is logged, the one before serves on, or
    none: the catalogue alone still gives slates. It is tried again after *patience* seconds.

    :param every: seconds between two looks at the versions
    :param patience: seconds between two tries to open a bundle that could not be opened
    :param changed: called with kind and version after a swap
    :param rules: gives the merchant's rules; without it there are none
    :param book: segments written by hand and names of found ones; none without it
    :param excluded: categories that conditions of segments see nothing of
    :param min_age: years; who says to be younger is in no segment
    :param first_s: how long somebody whose page is being made waits for the first load, when the store may be far away
    """

    def __init__(
        self,
        catalog: CatalogStore,
        registry: ModelRegistry,
        *,
        every: float = 1.0,
        patience: float = 10.0,
        changed: Callable[[str, str], None] = lambda kind, version: None,
        rules: RuleSource | None = None,
        book: SegmentBook | None = None,
        excluded: Sequence[str] = (),
        min_age: int = 0,
        first_s: float = math.inf,
    ) -> None:
        self._book, self._min_age = book, min_age
        self._excluded = frozenset(excluded)
        self._catalog, self._registry, self._changed, self._rules = catalog, registry, changed, rules
        self.prepare: Callable[[Serving], None] = lambda serving: None
        """Called with what is about to serve: a chance to make what requests would have to wait for."""
        self._every, self._patience, self._first_s = every, patience, first_s
        self._serving: Serving | None = None
        self._opened: tuple[Bundle | None, ...] = (None,) * len(KINDS)
        """Those of the last load, whether they serve or not: opening one means to read all of it."""
        self._looked = self._loaded = 0.0
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        self._lock, self._starting = threading.Lock(), threading.Lock()
        self._loader: threading.Thread | None = None

    def get(self) -> Serving:
        """What serves; looks for newer versions in passing.

        :raises UnavailableError: nothing was ever loaded and the store cannot be reached
        """
        serving = self._serving
        if serving is None:
            return self.refresh() if is_patient() or math.isinf(self._first_s) else self._first()
        if time.monotonic() - self._looked >= self._every:
            self._look_soon()
        return serving

    def _look_soon(self) -> None:
        with self._starting:
            if self._loader is None or not self._loader.is_alive():
                self._looked = time.monotonic()
                loader = threading.Thread(target=self._look, name="mtp-live", daemon=True)
                loader.start()
                self._loader = loader  # not before: who closes meanwhile waits for it

    def _first(self) -> Serving:
        """Have it loaded; only those of the first moment of a try wait for it."""
        self._look_soon()
        loader, waits = self._loader, self._first_s - (time.monotonic() - self._looked)
        if loader is not None:
            loader.join(max(0.0, left(waits)))
        if self._serving is None:
            raise UnavailableError("catalogue and models are not loaded yet")
        return self._serving

    def close(self) -> None:
        """Wait for who is looking for newer versions."""
        if self._loader is not None:
            self._loader.join(timeout=10.0)

    def refresh(self) -> Serving:
        """Load what is current now and give it."""
        with self._lock:
            self._looked = time.monotonic()
            serving, wanted = self._serving, self._wanted()
            if serving is None or serving.versions != wanted:
                serving = self._with_others(self._load(wanted, serving), serving)
                self._loaded = time.monotonic()
                _try(partial(self.prepare, serving))
                self._swap(serving)
            wanted_rules = self._rules.version() if self._rules else 0
            if serving.wanted_rules != wanted_rules or serving.rules.version != wanted_rules:
                self._loaded = time.monotonic()
                serving = self._with_others(self._with_rules(serving, wanted_rules), serving)
                _try(partial(self.prepare, serving))
                self._serving = serving
            elif _lacks(serving) and time.monotonic() - self._loaded >= self._patience:
                self._loaded = time.monotonic()
                self._serving = serving = self._with_others(serving, serving)
            return serving

    def _wanted(self) -> Versions:
        behaviour, content, segments, propensity, feedback = (self._registry.current(kind) or "" for kind in KINDS)
        book = self._book.version() if self._book is not None else 0
        return self._catalog.version(), behaviour, content, segments, propensity, feedback, book

    def _look(self) -> None:
        with patiently():
            try:
                if self._serving is None or self._is_old(self._serving):
                    self.refresh()
            except UnavailableError as error:
                log.warning("versions could not be read, serving on: %s", error)

    def _is_old(self, serving: Serving) -> bool:
        """Whether there is something newer, or it is time to try again what could not be opened."""
        wanted = self._wanted(), self._rules.version() if self._rules else 0
        behind = serving.stamp != (serving.wanted, serving.wanted_rules) or _lacks(serving)
        again = behind and time.monotonic() - self._loaded >= self._patience
        return wanted != (serving.wanted, serving.wanted_rules) or again

    def _load(self, wanted: Versions, before: Serving | None) -> Serving:
        if before is not None and before.versions[0] == wanted[0]:
            table, titles = before.table, before.titles
        else:
            table = build_table(self._catalog.products(), wanted[0])
            titles = Titles(table)
            _try(partial(warm, table, titles))
        bundles = tuple(
            self._open(kind, version, before.bundles[place] if before else None, self._opened[place])
            for place, (kind, version) in enumerate(zip(KINDS, wanted[1:-1], strict=True))
        )
        self._opened = bundles
        found, opened = self._found(bundles[2], before)
        propensity, told = self._propensity(bundles[3], table, before)
        known = before is not None and before.propensity is propensity
        likely = before.likely if before is not None and known else Likely(propensity, self._min_age)
        feedback, learnt = self._feedback(bundles[4], before)
        only_bundles = before is not None and before.table is table and known and before.bundles[4] is learnt
        same = before.recommender if before is not None and only_bundles else None
        make = partial(Recommender, table, likelihood=likely, feedback=feedback)
        recommender, pair = self._recommender(bundles[:2], before, same, make)
        bundles = (*pair, opened, told, learnt)
        behaviour, content, segments, told_by, taught = (bundle.version if bundle else "" for bundle in bundles)
        versions = (wanted[0], behaviour, content, segments, told_by, taught, wanted[-1])
        stage = self._stage(found, likely, wanted, before)
        rules, wanted_rules = (before.rules, before.wanted_rules) if before else (NOTHING, 0)
        return Serving(
            table, titles, recommender, stage, versions, wanted, bundles, rules, wanted_rules, propensity, likely
        )

    def _recommender(
        self, wanted: Pair, before: Serving | None, same: Recommender | None, make: Callable[..., Recommender]
    ) -> tuple[Recommender, Pair]:
        """What recommends, and the bundles it is of: where both do not do, one of them with the other one before.

        :param same: the one before, where nothing but the bundles has changed
        """
        known = before.bundles[:2] if before else (None, None)
        for one in _once([wanted, (wanted[0], known[1]), (known[0], wanted[1]), known]):
            if same is not None and _is(one, known):
                return same, known
            try:
                recommender = make(*one)
            except UNREADABLE as error:
                versions = " and ".join(bundle.version for bundle in one if bundle)
                log.error("models %s cannot be served: %s", versions, error)
            else:
                _try(recommender.warm)
                return recommender, one
        return make(), (None, None)

    def unserved(self) -> dict[str, str]:
        """The models that should serve and cannot, by kind, as of the last load."""
        serving = self._serving
        if serving is None:
            return {}
        pairs = zip(KINDS, serving.versions[1:-1], serving.wanted[1:-1], strict=True)
        return {kind: wanted for kind, serves, wanted in pairs if serves != wanted}

    def _stage(self, found: Found, likely: Likely, wanted: Versions, before: Serving | None) -> Segments:
        same = before is not None and before.likely is likely and before.segments.found is found
        if before is not None and same and before.versions[-1] == wanted[-1]:
            return before.segments
        features = partial(profile_facts, excluded=self._excluded, likely=likely)
        made, names = (self._book.made(), self._book.names()) if self._book is not None else ([], {})
        return Segments(found, MadeSegments(made), names, features, min_age=self._min_age)

    def _found(self, bundle: Bundle | None, before: Serving | None) -> tuple[Found, Bundle | None]:
        """The segments of a bundle and the bundle they are of: another one where this cannot be read."""
        known = before.bundles[2] if before else None
        if before is not None and bundle is known:
            return before.segments.found, known
        if bundle is None:
            return NoSegments(), None
        try:
            columns = Columns(bundle.strings["columns"], bundle.meta.get("excluded", ()))
            segments = FoundSegments(bundle, columns.row)
        except UNREADABLE as error:
            log.error("segments %s cannot be served: %s", bundle.version, error)
            return (before.segments.found, known) if before else (NoSegments(), None)
        _try(segments.warm)
        return segments, bundle

    def _propensity(
        self, bundle: Bundle | None, table: ProductTable, before: Serving | None
    ) -> tuple[Propensity | NoPropensity, Bundle | None]:
        """What tells purchases, and the bundle it is of: the one before where this cannot be read, or nothing."""
        known = before.bundles[3] if before else None
        for one in (bundle, known) if bundle is not None else (None,):
            if before is not None and one is known and before.table is table:
                return before.propensity, known
            if one is None:
                break
            try:
                return open_propensity(one, table), one
            except ModelError as error:
                log.error("propensity %s cannot be served: %s", one.version, error)
        return NoPropensity(), None

    def _feedback(self, bundle: Bundle | None, before: Serving | None) -> tuple[Feedback, Bundle | None]:
        """What slates taught, and the bundle it is of: the one before where this cannot be read, or nothing."""
        for one in (bundle, before.bundles[4] if before else None) if bundle is not None else ():
            try:
                return Feedback(one), one
            except ModelError as error:
                log.error("feedback %s cannot be served: %s", one.version if one else "", error)
        return Feedback(), None

    def _with_rules(self, serving: Serving, wanted: int) -> Serving:
        """The same with other rules; where they cannot be loaded, those before serve on."""
        try:
            rules = self._rules.load(wanted) if self._rules else NOTHING
        except UnavailableError:
            raise
        except MTPError as error:
            log.error(
                "version %s of the rules cannot be served, %s serves on: %s", wanted, serving.rules.version, error
            )
            return replace(serving, wanted_rules=wanted)
        self._changed("rules", str(rules.version))
        return replace(serving, rules=rules, wanted_rules=wanted)

    def under(self, serving: Serving, rules: Served) -> Serving:
        """The same with other rules, stored or not, and the models that these name."""
        return self._with_others(replace(serving, rules=rules), serving)

    def _with_others(self, serving: Serving, before: Serving | None) -> Serving:
        """The same with the models that its rules name; where one cannot be opened, the one that serves answers."""
        known = before.others if before is not None and before.recommender is serving.recommender else {}
        found = {name: known.get(name) or self._other(name, serving) for name in serving.rules.rules.models}
        return replace(serving, others={name: one for name, one in found.items() if one is not None})

    def _other(self, version: str, serving: Serving) -> Recommender | None:
        if version == serving.model_version:
            return serving.recommender
        bundle = self._open("behaviour", version, None)
        if bundle is None:
            return None
        try:
            found = Recommender(
                serving.table,
                bundle,
                serving.bundles[1],
                likelihood=serving.likely,
                feedback=serving.recommender.feedback,
            )
        except UNREADABLE as error:
            log.error("behaviour model %s cannot be served: %s", version, error)
            return None
        _try(found.warm)
        return found

    def _open(self, kind: str, version: str, before: Bundle | None, latest: Bundle | None = None) -> Bundle | None:
        if not version:
            return None
        for known in (before, latest):
            if known is not None and known.version == version:
                return known
        try:
            return self._registry.load(kind, version)
        except (ModelError, UnavailableError) as error:
            instead = f"{before.version} serves on" if before else "going on without"
            log.error("%s model %s cannot be served, %s: %s", kind, version, instead, error)
            return before

    def _swap(self, serving: Serving) -> None:
        before, self._serving = self._serving, serving
        for kind, old, new in zip(
            KINDS, before.versions[1:-1] if before else ("",) * len(KINDS), serving.versions[1:-1], strict=True
        ):
            if old != new:
                self._changed(kind, new)


def _try(prepare: Callable[[], None]) -> None:
    """Prepare what is to serve; where that fails it serves all the same."""
    try:
        prepare()
    except Exception:
        log.exception("what is to serve could not be prepared; requests will have to")


def _lacks(serving: Serving) -> bool:
    """Whether a model that rules name could not be opened."""
    return not set(serving.rules.rules.models) <= serving.others.keys()


def _once(pairs: Sequence[Pair]) -> list[Pair]:
    """Each of these bundles once, in order."""
    return [one for place, one in enumerate(pairs) if not any(_is(one, other) for other in pairs[:place])]


def _is(one: Pair, other: Pair) -> bool:
    """Whether the bundles are the very same."""
    return all(mine is theirs for mine, theirs in zip(one, other, strict=True))
