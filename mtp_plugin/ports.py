"""What the pipeline needs of the outside world; ``store`` and ``bus`` implement these, stages never see them.

Every implementation runs the contract suite in ``tests/contract``. All methods are safe to call from many threads.
Any of them may raise :class:`~mtp_plugin.errors.UnavailableError`, with the driver's error as its cause.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from .records import (
    Claim,
    Event,
    ExposedSlate,
    FloatArray,
    FoldFunction,
    ImportResult,
    IntArray,
    Interactions,
    Lag,
    Link,
    LinkEntry,
    Outcome,
    Person,
    Place,
    Product,
    Profile,
    Reading,
    RuleSet,
    RuleSetInfo,
    SlateEntry,
)


class Likelihood(Protocol):
    """Tells how probable purchases are; false where there is no model.

    ``category`` is the category of each row of the catalogue, int32, by its place in what :meth:`categories` gives, -1
    for none that is told of.
    """

    @property
    def category(self) -> IntArray: ...

    def __bool__(self) -> bool: ...

    def products(self, profile: Profile, rows: IntArray, now: float) -> FloatArray:
        """The probability that each of these rows is bought within 7 days, float64, NaN where nothing tells."""

    def categories(self, profile: Profile, now: float) -> FloatArray:
        """That of a purchase from each category, float64; none where nothing tells."""


class Journal(Protocol):
    """Events, append-only, and the profiles folded from them, kept in step."""

    def record(self, events: Sequence[Event], fold: FoldFunction) -> list[bool]:
        """Append the events not seen before and fold each profile's new ones, in order, into its profile.

        On return the new events survive a crash and every reader, in any process, sees the new profiles. Concurrent
        calls for one profile lose nothing.

        :param fold: pure; called once per profile, again if another writer was faster
        :returns: for each event, whether it was new
        """

    def profiles(self, profile_ids: Sequence[str]) -> list[Profile | None]:
        """The profiles in the order asked, in one round trip."""

    def events_of(self, profile_id: str) -> Iterator[Event]:
        """One visitor's events, in order of arrival."""

    def scan(
        self, *, since: float | None = None, until: float | None = None, names: Sequence[str] = (), batch: int = 5000
    ) -> Iterator[list[Event]]:
        """All events with ``since <= timestamp < until``, in order of arrival, in lists of at most *batch*."""

    def interactions(self, *, after: int = 0, until: int | None = None, batch: int = 10_000) -> Iterator[Interactions]:
        """What events say of products, in order of arrival, at most *batch* events at once.

        For training: a fraction of the time and memory of :meth:`scan`.

        :param after: number of the last event that is not wanted any more
        :param until: number of the last event that is wanted; all that come if not said
        """

    def count(self) -> int:
        """How many events are stored."""

    def count_visitors(self, since: float, until: float) -> int:
        """How many visitors have events with ``since <= timestamp < until``; counted where the events are."""

    def last_number(self) -> int:
        """The number of the event stored last, up to which none can come any more; 0 before the first."""

    def tail(self, after: int, *, names: Sequence[str] = (), limit: int = 1000) -> tuple[list[tuple[int, Event]], int]:
        """Events whose number is greater, each after its number, in order, and the number to go on from.

        What another writer may still put before them is waited for, however long it takes.
        """

    def profile_ids(self, *, batch: int = 5000) -> Iterator[list[str]]:
        """Ids of all profiles."""

    def rebuild(self, fold: FoldFunction, *, progress: Callable[[int], None] | None = None) -> int:
        """Fold every profile anew from its stored events; traits set outside events are kept. Gives their number."""

    def erase(self, profile_id: str) -> int:
        """Delete a visitor's events and profile. Gives the number of events."""

    def purge(self, before: float, *, dry: bool = False) -> int:
        """Forget what recognises repetitions of events whose window was over *before*. Gives how much.

        :param dry: only count
        """

    def expire(self, before: float, *, dry: bool = False) -> int:
        """Delete events received *before* this time; profiles keep what they made of them. Gives how many."""

    def partition(self, now: float) -> bool:
        """Keep events in a table a month from now on, where the store can; gives whether that is new.

        :raises mtp_plugin.errors.SetupError: it cannot
        """

    def idle(self, before: float, *, batch: int = 1000) -> Iterator[list[str]]:
        """Ids of visitors whose last event was received *before* this time."""


class Bus(Protocol):
    """How events that servers send reach the journal."""

    def publish(self, events: Sequence[Event]) -> list[bool] | None:
        """Take events; on return they survive a crash as :meth:`durability` says.

        :returns: for each whether it was new; ``None`` when that is found out later
        :raises mtp_plugin.errors.UnavailableError: they could not be taken, or too many wait
        """

    def lag(self) -> Lag | None:
        """What waits, ``None`` when nothing ever does.

        :raises mtp_plugin.errors.UnavailableError: it cannot be told
        """

    def find(self, profile_ids: Sequence[str]) -> Iterator[Event]:
        """Events of these visitors that wait, or were put aside."""

    def erase(self, profile_ids: Sequence[str]) -> int:
        """Remove events of these visitors that wait or were put aside; gives their number. What is being recorded
        meanwhile is in the journal on return."""

    def probe(self) -> str:
        """``""`` when it answers, else what is wrong."""

    def durability(self) -> str:
        """``""`` when what was taken survives every crash, else what could go."""

    def close(self) -> None: ...


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way to an exchange: under which routing key, its id, and itself as JSON."""

    topic: str
    message_id: str
    body: bytes


class Broker(Protocol):
    """Where events are sent to other systems of the shop."""

    def publish(self, exchange: str, letters: Sequence[Letter]) -> None:
        """Send these, in order; on return the broker has them.

        :raises mtp_plugin.errors.UnavailableError: it has perhaps some of them
        """


class CatalogStore(Protocol):
    """The imported products."""

    def version(self) -> int:
        """Grows with every change of any product; 0 when nothing was ever imported. Cheap."""

    def import_products(self, products: Iterable[Product], *, hide_missing: bool) -> ImportResult:
        """Insert or update by ``product_id`` in one transaction; with *hide_missing* hide those not given."""

    def products(self) -> Iterator[Product]:
        """All products, hidden ones too, in order of ``product_id``."""

    def get(self, product_ids: Sequence[str]) -> dict[str, Product]:
        """Those that exist."""

    def availability(self, product_ids: Sequence[str]) -> dict[str, bool]:
        """Whether each can be bought now; unknown ids are False."""

    def set_stock(self, stock: Mapping[str, int | None]) -> int:
        """Set numbers of pieces; gives how many products exist."""


class Catalog(Protocol):
    """The shop's own products, as the shop tells of them."""

    def products(self) -> Iterable[Product]:
        """Every product that may be shown."""

    def availability(self, product_ids: Sequence[str]) -> Mapping[str, bool]:
        """Whether each can be bought now, in one query; ids left out count as unavailable."""


class SlateLog(Protocol):
    """Slates served, for replay, attribution and audit. Appending returns at once; a crash may lose the newest."""

    def append(self, entry: SlateEntry | Callable[[], SlateEntry]) -> None:
        """Take an entry, or what makes one: that is called when it is stored, in whatever thread."""

    def watch(self, told: Callable[[int, int], None]) -> None:
        """Have *told* called, off the request's path, with how many slates of this process wait to be stored and how
        many were lost by now, when either may have changed."""

    def get(self, recommendation_id: str) -> SlateEntry | None: ...

    def flush(self, timeout: float = 5.0) -> None:
        """Wait until what was appended is stored."""

    def sample(self, since: float, until: float, limit: int) -> list[SlateEntry]:
        """At most *limit* slates made in a time (seconds since 1970), spread over it, oldest first."""

    def between(self, since: float, until: float, *, batch: int = 500) -> Iterator[list[SlateEntry]]:
        """All slates with ``since <= created_at < until``, oldest first, in lists of at most *batch*."""

    def exposed(self, since: float, until: float, *, batch: int = 500) -> Iterator[list[ExposedSlate]]:
        """Those with ``since <= created_at < until`` that experiments made a difference to, oldest first."""

    def took(self, recommendation_ids: Sequence[str]) -> dict[str, float]:
        """The milliseconds that making each of these took, of those that are stored."""

    def erase(self, profile_id: str) -> int:
        """Delete the slates of a visitor."""

    def purge(self, before: float, *, dry: bool = False) -> int:
        """Delete slates made before this time, or only count them."""

    def of(self, profile_id: str) -> Iterator[SlateEntry]:
        """The slates of a visitor that are stored, oldest first."""

    def close(self) -> None: ...


class Outcomes(Protocol):
    """What came of slates, numbered in the order it was found; bandits, KPIs and training read on from a number."""

    def record(self, outcomes: Sequence[Outcome]) -> int:
        """Append those whose ``outcome_id`` is new, all of them or none; gives how many."""

    def after(self, number: int, *, limit: int = 10_000) -> tuple[list[Outcome], int]:
        """Outcomes found after a number, in order, and the number to go on from.

        What another writer may still put before them is waited for, as by :meth:`Journal.tail`.
        """

    def between(self, since: float, until: float, *, batch: int = 10_000) -> Iterator[list[Outcome]]:
        """All with ``since <= at < until``, in order of number, in lists of at most *batch*."""

    def of(self, recommendation_id: str) -> list[Outcome]:
        """Of one slate, in order of number."""

    def of_slates(self, recommendation_ids: Sequence[str]) -> dict[str, list[Outcome]]:
        """By slate, in order of number; slates of which there are none are left out."""

    def of_visitor(self, profile_id: str) -> list[Outcome]:
        """Of one visitor, in order of number."""

    def erase(self, profile_id: str) -> int:
        """Delete a visitor's; gives how many."""

    def purge(self, before: float, *, dry: bool = False) -> int:
        """Delete what happened before this time, or only count it."""


class BanditSum(msgspec.Struct, frozen=True, array_like=True):
    """A part of what a policy has learnt: sums only, so that everybody's add up in any order.

    ``day`` counts from 1970 in UTC: when the impressions were made. ``cell`` says what was summed up, see
    :mod:`mtp_plugin.bandit.learnt`. Of visitors there is nothing in it.
    """

    policy: str
    segment_id: str
    arm: str
    day: int
    cell: int
    value: float

    def moved(self, day: int, discount: float) -> BanditSum:
        """The same as a sum of a later day, where it counts less."""
        value = self.value * discount ** (day - self.day)
        return BanditSum(self.policy, self.segment_id, self.arm, day, self.cell, value)


class Advance(msgspec.Struct, frozen=True):
    """The move of a cursor (see :class:`Cursors`) that has to come true together with something else."""

    name: str
    before: str
    after: str


class BanditState(Protocol):
    """What policies have learnt, shared by all workers and machines; nothing of it is lost in a crash."""

    def version(self) -> int:
        """Grows with every change; cheap, asked every few seconds by each worker."""

    def sums(self, policy: str) -> list[BanditSum]:
        """All that a policy has learnt."""

    def add(self, sums: Sequence[BanditSum], *, advance: Advance | None = None, now: float = 0.0) -> bool:
        """Add these to what is there and move the cursor, both or neither; concurrent calls lose nothing.

        Without sums only the cursor moves, and the version stays.

        :returns: False, with nothing changed, when the cursor is not where it is said to be *before*: somebody else
            has added this already
        """

    def settle(self, policy: str, before: int, discount: float) -> int:
        """Put the days before this one together in it, each by ``discount ** (before - day)``; gives how many rows
        went. What is learnt stays the same."""

    def reset(self, policy: str) -> int:
        """Forget what a policy has learnt; gives how many rows it was."""


class RuleStore(Protocol):
    """The rules of a shop in versions, each whole and never changed; the newest one serves.

    Switching a rule off, or rolling back, is a new version: history only grows.
    """

    def current(self) -> int:
        """The version that serves, 0 before there was any; cheap, asked every second by each worker."""

    def load(self, version: int) -> bytes:
        """A version as the JSON of a :class:`~mtp_plugin.records.RuleSet`; 0 is the empty one.

        :raises mtp_plugin.errors.NotFoundError: there is no such version
        """

    def save(self, rules: RuleSet, *, by: str, at: float, note: str = "", expected: int | None = None) -> int:
        """Add a version, which serves from now on; gives its number.

        :param by: who made it
        :param at: seconds since 1970
        :param expected: the version that the change was made from
        :raises mtp_plugin.errors.ConflictError: another one is current by now
        """

    def history(self, *, limit: int = 50, before: int | None = None) -> list[RuleSetInfo]:
        """Versions, newest first; those below *before* to go on from there."""


class ConsentDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One choice a visitor made about one purpose.

    ``status`` is ``granted``, ``denied`` or ``revoked`` (denied after a yes). ``source`` is who asked: ``banner``,
    ``preferences``, ``api``, ``tcf``, ``consent-mode``, or a consent manager by name. ``proof`` tells what the choice
    rests on, such as the question that was shown as ``banner:en:9f86d081`` or the consent string of a manager.
    ``regime`` is the one that held where the visitor was.
    """

    subject_id: str
    purpose: str
    granted: bool
    policy_version: str
    decided_at: float
    source: str
    status: str = ""
    proof: str = ""
    regime: str = ""


class ConsentLog(Protocol):
    """Choices, append-only."""

    def append(self, *decisions: ConsentDecision) -> None:
        """Write decisions made together: all of them, or none."""

    def of(self, subject_id: str) -> list[ConsentDecision]:
        """Oldest first."""

    def erase(self, subject_id: str) -> int:
        """Delete a visitor's choices. Gives how many."""

    def purge(self, before: float, *, dry: bool = False) -> int:
        """Delete choices made before this time that a later one of the same visitor and purpose replaced."""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done, in a chain that shows tampering.

    ``actor`` is who did it (``visitor``, ``server``, ``cli``, ``job:retention``, ``admin:anna``), ``action`` what, as
    ``thing.verb`` (``consent.granted``, ``subject.erased``, ``rule.published``), ``subject`` to whom or what
    (``rule:12``; a visitor as the keyed hash that :meth:`~mtp_plugin.privacy.pii.Hasher.subject` gives, never as an
    id). ``details`` is small JSON without personal data. ``seal`` covers all of it and ``previous``, the seal before.
    """

    number: int
    at: float
    actor: str
    action: str
    subject: str = ""
    details: dict[str, Any] = {}
    key_id: str = ""
    previous: str = ""
    seal: str = ""


class AuditHead(msgspec.Struct, frozen=True, kw_only=True):
    """The last entry's number and seal; number 0 before the first."""

    number: int
    seal: str


class AuditFault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the chain is broken: ``changed``, ``missing`` (before this number), ``reordered``, ``unsealed`` (written
    without the key) or ``unknown-key``. ``previous`` is the seal that was expected before it."""

    number: int
    kind: str
    previous: str = ""


class AuditLog(Protocol):
    """What was done, append-only, each entry sealed with the one before."""

    def append(
        self, actor: str, action: str, subject: str = "", details: Mapping[str, Any] | None = None, *, at: float
    ) -> AuditEntry:
        """Write an entry; on return it survives a crash. Entries of concurrent writers follow one another."""

    def entries(self, *, after: int = 0, batch: int = 1000) -> Iterator[AuditEntry]:
        """Entries with a greater number, oldest first."""

    def latest(self, limit: int, *, action: str = "", subject: str = "") -> list[AuditEntry]:
        """The newest first: those whose action begins with *action*, and of this subject."""

    def head(self) -> AuditHead:
        """The end of the chain, as noted apart from the entries."""

    def verify(self) -> list[AuditFault]:
        """What is wrong with the chain; empty when it is whole."""


class MadeSegment(msgspec.Struct, frozen=True, kw_only=True):
    """A segment that the merchant describes by a condition on the facts of a visitor, see ``docs/segments.md``.

    Of several that hold the one of the lowest ``precedence`` counts, then the one whose id comes first. ``size`` is
    how many visitors it was for when they were counted, ``None`` before, 0 for fewer than may be shown.
    """

    segment_id: str
    name: str
    condition: dict[str, Any]
    precedence: int = 100
    enabled: bool = True
    created_at: float = 0.0
    changed_at: float = 0.0
    size: int | None = None
    counted_at: float = 0.0


class SegmentCount(msgspec.Struct, frozen=True, kw_only=True):
    """One segment at a refresh: its name then, its members, and its Jaccard under resampling (``None``: not known)."""

    segment_id: str
    name: str
    size: int
    stability: float | None = None


class SegmentMove(msgspec.Struct, frozen=True):
    """How many visitors came from one segment into another; an empty ``before`` are visitors who were in none."""

    before: str
    after: str
    count: int


class SegmentChange(msgspec.Struct, frozen=True, kw_only=True):
    """What became of segments at a refresh: ``kept``, ``new``, ``gone``, ``split`` or ``merged``.

    ``share`` is the part of the smaller side that went along.
    """

    kind: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    share: float = 0.0


class SegmentRefresh(msgspec.Struct, frozen=True, kw_only=True):
    """What one refresh found, as it is remembered.

    ``version`` is that of the bundle, ``kept_id`` the share of visitors of both refreshes who kept their id, ``drift``
    the population stability index of each feature whose values moved, ``figures`` what the clustering measured.
    """

    version: str
    refreshed_at: float
    method: str
    visitors: int
    segments: tuple[SegmentCount, ...]
    moves: tuple[SegmentMove, ...] = ()
    changes: tuple[SegmentChange, ...] = ()
    kept_id: float | None = None
    drift: dict[str, float] = {}
    figures: dict[str, Any] = {}


class SegmentBook(Protocol):
    """What is remembered of segments beside the model: those made by hand, names given by the merchant, refreshes."""

    def version(self) -> int:
        """Grows with every change of a segment made by hand and of a name. Cheap: asked every second."""

    def made(self) -> list[MadeSegment]:
        """All made by hand, in order of precedence, then of id."""

    def save(self, segment: MadeSegment) -> None:
        """Add, or put in place of the one with this id."""

    def counted(self, sizes: Mapping[str, int], at: float) -> None:
        """Note how many visitors segments made by hand are for; their ``changed_at`` stays."""

    def delete(self, segment_id: str) -> bool:
        """Delete one made by hand; gives whether there was one."""

    def names(self) -> dict[str, str]:
        """Names that the merchant gave to segments, found or written by hand."""

    def rename(self, segment_id: str, name: str) -> None:
        """Name a segment; an empty *name* gives its own one back."""

    def members(self, *, batch: int = 5000) -> Iterator[list[tuple[str, str]]]:
        """Who was in which segment at the last refresh: (profile id, segment id), in order of profile id."""

    def record_refresh(self, refresh: SegmentRefresh, members: Iterable[tuple[str, str]] | None = None) -> None:
        """Remember a refresh and, in the same step, who is in which segment now (``None``: as before)."""

    def refreshes(self, limit: int = 52) -> list[SegmentRefresh]:
        """Newest first."""

    def forget(self, profile_id: str) -> bool:
        """Forget in which segment a visitor was; gives whether that was known."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of something by name: ``options`` are all that is said of it from then on, ``{}`` for nothing."""

    number: int
    name: str
    options: dict[str, Any]
    changed_at: float
    changed_by: str


class ChangeLog(Protocol):
    """What was written in the console about placements or experiments, append-only; the newest change holds."""

    def version(self) -> int:
        """Grows with every change, 0 before the first. Cheap, asked every few seconds by each worker."""

    def current(self) -> dict[str, Change]:
        """The newest change of each name that was ever changed."""

    def change(
        self, name: str, options: Mapping[str, Any], *, who: str, now: float, expected: int | None = None
    ) -> Change:
        """Say *options* of it from now on.

        :param expected: the number of the change that this one was made from, 0 for none
        :raises ConflictError: another one came meanwhile; nothing is changed
        """

    def history(self, name: str, limit: int = 50) -> list[Change]:
        """Newest first."""


class Activity(Protocol):
    """What went on lately, counted. Slow beside a visitor's request: for pages that people look at."""

    def events(self, since: float, until: float, step: float) -> dict[str, dict[int, int]]:
        """How many events by name, and by the number of *step* seconds since *since*; empty ones are left out."""

    def slates(self, since: float, until: float, step: float) -> dict[str, dict[int, int]]:
        """The same of slates, by placement."""

    def latest_slates(self, limit: int, *, since: float = 0.0, placement: str = "") -> list[SlateEntry]:
        """Newest first."""


class SubjectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a visitor asked for about their data, and how far it is.

    ``kind`` is ``erase``, ``restrict``, ``lift`` (of a restriction or objection), ``object`` or ``rectify``.
    ``subject`` is the keyed hash of the first of ``profile_ids``, which are there only until all is done. ``steps``
    has what each step did, in the order they were done; ``finished_at`` is 0 while some are left.
    """

    request_id: str
    kind: str
    subject: str
    actor: str
    requested_at: float
    profile_ids: tuple[str, ...] = ()
    steps: dict[str, Any] = {}
    finished_at: float = 0.0


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """Whose events are refused: ``kind`` is ``erased``, ``restricted`` or ``objected``, *since* when.

    One that is no longer ``active`` still refuses what happened up to *since*, as history imported again would bring
    back what was erased.
    """

    subject: str
    kind: str
    since: float
    active: bool = True


class SubjectLog(Protocol):
    """Requests of visitors about their data, and whose events are refused since."""

    def save(self, request: SubjectRequest) -> None:
        """Write a request, or how far it is now."""

    def get(self, request_id: str) -> SubjectRequest | None: ...

    def unfinished(self) -> list[SubjectRequest]:
        """Oldest first."""

    def of(self, subject: str) -> list[SubjectRequest]:
        """The requests of one visitor, oldest first."""

    def purge(self, before: float, *, dry: bool = False) -> int:
        """Delete requests finished before this time, or only count them."""

    def suppress(self, *suppressions: Suppression) -> None:
        """Write whose events are refused; one that is there is replaced."""

    def suppressions(self) -> list[Suppression]:
        """All of them."""

    def suppression_version(self) -> int:
        """Grows with every change of any suppression; cheap."""

    def save_report(self, at: float, body: str) -> None:
        """Keep a privacy report, to compare the next one with."""

    def last_report(self) -> str:
        """The latest report, ``""`` before the first."""


class Holder(Protocol):
    """Something that keeps data of visitors: it takes part in every export and every erasure.

    ``name`` is a word such as ``slates``. Methods may be called again for a visitor who is gone already.
    """

    name: str

    def linked(self, profile_id: str) -> Iterable[str]:
        """Other ids that are known to be the same person."""

    def export(self, profile_ids: Sequence[str]) -> Any:
        """All that is kept of these ids, as JSON can hold it; empty for nothing."""

    def erase(self, profile_ids: Sequence[str]) -> int:
        """Delete it, in every copy and every process. Gives how much it was."""


class JobRun(msgspec.Struct, frozen=True, kw_only=True):
    """When a job ran, how long it took (seconds) and what it said."""

    name: str
    started_at: float
    seconds: float
    ok: bool
    message: str


class Leases(Protocol):
    """Mutual exclusion among all workers, and what jobs said."""

    def acquire(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew the lease; False when another holder's has not run out.

        All ask for about the same *seconds*: one that would hold for more than twice that is of a time before the clock
        was set back, and has run out.
        """

    def release(self, name: str, holder: str) -> None:
        """Give it back, if it is still ours."""

    def record_run(self, run: JobRun) -> None: ...

    def last_runs(self) -> dict[str, JobRun]:
        """The latest run of each job."""


class BundleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model bundle without opening it."""

    kind: str
    version: str
    created_at: float
    current: bool
    figures: dict[str, Any] = {}
    lineage: dict[str, Any] = {}


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A model bundle: immutable, versioned; ``arrays`` are memory-mapped and read-only."""

    kind: str
    version: str
    arrays: dict[str, NDArray[np.generic]]
    strings: dict[str, tuple[str, ...]]
    meta: dict[str, Any]


class ModelRegistry(Protocol):
    """Bundles by kind (``behaviour``, ``content``, ``segments``) and which one serves."""

    spared: Callable[[], Collection[str]]
    """Gives versions that do not go for their age: rules let them answer."""

    def publish(
        self,
        kind: str,
        arrays: Mapping[str, NDArray[np.generic]],
        strings: Mapping[str, Sequence[str]],
        meta: Mapping[str, Any],
        *,
        figures: Mapping[str, Any] | None = None,
        lineage: Mapping[str, Any] | None = None,
        activate: bool = True,
    ) -> str:
        """Write a bundle whole, then, in one step, make it current. Gives its version."""

    def current(self, kind: str) -> str | None:
        """The version that serves; cheap, asked every few seconds by each worker."""

    def load(self, kind: str, version: str) -> Bundle:
        """Open a bundle.

        :raises mtp_plugin.errors.ModelError: missing, damaged (checksum) or of a format this code cannot read
        """

    def activate(self, kind: str, version: str) -> None:
        """Point to another version (roll back)."""

    def list(self, kind: str | None = None) -> list[BundleInfo]:
        """Newest first."""

    def prune(self, kind: str, keep: int) -> int:
        """Delete all but the newest *keep* and the current; gives how many."""


class Cache(Protocol):
    """Shared cache of bytes; a miss and a fault look alike (``None``)."""

    def get(self, key: str) -> bytes | None: ...

    def set(self, key: str, value: bytes, seconds: int) -> None: ...

    def delete(self, key: str) -> None: ...

    def clear(self) -> None: ...


class Places(Protocol):
    """Where networks are."""

    def find(self, address: str) -> Place | None:
        """Where the network of this internet address is, ``None`` when nobody knows. Cheap; never raises.

        The address is looked at and not kept.
        """

    def probe(self) -> str:
        """``""`` when well, else what is wrong with the database."""


class WeatherSource(Protocol):
    """What the weather is like."""

    def now(self, latitude: float, longitude: float) -> Reading | None:
        """The weather at a place if it is known by now, else ``None``. Returns at once and never raises: what is not
        known is fetched after the answer, for those who ask next."""

    def probe(self) -> str:
        """``""`` when well, else what went wrong last."""


class TraitSource(Protocol):
    """Another system that knows of customers: rows of names and values."""

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """One row a customer.

        :raises mtp_plugin.errors.MTPError: it cannot be read; what was given before stays good
        """


class Identity(Protocol):
    """Which profiles are one person's, as a ledger of links; profiles and events themselves are never rewritten.

    A node stands for an id, see :class:`~mtp_plugin.records.Claim`. Nodes that active links hold together are one
    cluster. No cluster has two accounts.
    """

    def resolve(self, profile_ids: Sequence[str]) -> Person:
        """Whom these ids of one visitor belong to, in one quick query at most.

        Without an account among them that is themselves: what else is linked is used while somebody is signed in.
        A browser that several people use is left out beside an account.
        """

    def claim(self, claims: Sequence[Claim], now: float, actor: str) -> list[Link]:
        """Take claims, in order, in one transaction; gives what became of each.

        A claim that is known already changes nothing; one that a person undid or rejected stays so.
        """

    def decide(self, link_id: int, state: str, now: float, actor: str) -> Link:
        """A person's word on a link: ``active`` (accept), ``rejected``, or ``undone``, which takes a merge back.

        :raises mtp_plugin.errors.NotFoundError: there is no such link
        :raises mtp_plugin.errors.InputError: a guard refuses, or the link is in no state for this
        """

    def detach(self, node: str, reason: str, now: float, actor: str) -> list[Link]:
        """Suspend all active links of a node; gives them."""

    def share(self, node: str, shared: bool, now: float, actor: str) -> None:
        """Say that several people use a browser, which suspends its links, or that they do not."""

    def links(self, state: str = "", limit: int = 100) -> list[Link]:
        """Links in this state, or in any; newest first."""

    def links_of(self, node: str) -> list[Link]:
        """All links with this node at one end, oldest first: what a person's export holds of identity."""

    def history(self, link_id: int) -> list[LinkEntry]:
        """What became of a link, oldest first."""

    def cluster(self, node: str) -> tuple[str, ...]:
        """All nodes of one person, this one among them, by name."""

    def erase(self, node: str) -> int:
        """Delete the node with all its links and their history, as if it had never been; gives the number of links."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that came in, without its body.

    ``state``: ``new``, ``done``, ``ignored`` (understood, nothing to do), ``waiting`` (to be tried again at
    ``next_try_at``) or ``dead`` (given up, until somebody retries it). ``message`` says why, without personal data.
    """

    webhook_id: int
    source: str
    topic: str
    delivery_id: str
    received_at: float
    state: str
    tries: int
    next_try_at: float
    message: str
    profile_id: str = ""


class WebhookBox(Protocol):
    """Deliveries as they came, until they are old: read again after a mistake of ours, given up on only aloud."""

    def add(
        self, source: str, topic: str, delivery_id: str, digest: bytes, body: bytes, *, now: float, next_try_at: float
    ) -> Webhook | None:
        """Keep a delivery durably; ``None`` when this id, or this body under this topic, came before."""

    def body(self, webhook_id: int) -> bytes | None:
        """As it came; ``None`` when it is not kept any more, or was sealed with a key that is gone."""

    def finish(self, webhook: Webhook, *, keep_body: bool = True) -> None:
        """Store what became of it."""

    def due(self, now: float, limit: int) -> list[Webhook]:
        """Those ``new`` and ``waiting`` whose time has come, oldest first."""

    def get(self, webhook_id: int) -> Webhook | None: ...

    def kept(self, state: str = "", limit: int = 100) -> list[Webhook]:
        """Newest first."""

    def of(self, profile_id: str) -> list[Webhook]:
        """Those that speak of somebody."""

    def erase(self, profile_id: str) -> int:
        """Empty those that speak of somebody; what stays recognises a repetition. Gives how many there were."""

    def erase_source(self, source: str) -> int:
        """Empty all of a source."""

    def purge(self, before: float, *, dry: bool = False) -> int:
        """Delete those received before, done or not, or only count them; gives how many."""


class Cursors(Protocol):
    """How far each kind of work that goes on from where it was has come."""

    def get(self, name: str) -> str:
        """``""`` when it never ran."""

    def put(self, name: str, position: str, now: float) -> None: ...


class AlertHour(msgspec.Struct, frozen=True, kw_only=True):
    """What one hour's slates came to, of one placement and segment; there is nothing of a visitor in it.

    ``hour`` counts from 1970 in UTC. ``empty``, ``fallback`` and ``slow`` are slates; ``seen`` to ``revenue`` came of
    them within two hours.
    """

    hour: int
    placement: str
    segment_id: str = ""
    slates: float = 0.0
    empty: float = 0.0
    fallback: float = 0.0
    slow: float = 0.0
    seen: float = 0.0
    clicks: float = 0.0
    carts: float = 0.0
    purchases: float = 0.0
    revenue: float = 0.0


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody should know.

    ``key`` says what it is about, such as ``ctr:home-hero``; of one key one alert is open at a time. ``kind`` is
    ``anomaly``, ``gap``, ``model``, ``job`` or ``budget``, ``severity`` ``page``, ``ticket`` or ``note``, ``state``
    ``firing``, ``acknowledged`` or ``resolved``. ``causes`` are what changed shortly before, the likeliest first.
    ``sends`` are the messages that are still to go out, by target.
    """

    alert_id: int = 0
    key: str
    kind: str
    severity: str
    title: str
    message: str
    state: str = "firing"
    opened_at: float
    last_at: float
    resolved_at: float = 0.0
    by: str = ""
    figures: dict[str, Any] = {}
    causes: tuple[dict[str, Any], ...] = ()
    action: dict[str, Any] = {}
    sends: dict[str, dict[str, Any]] = {}


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts whose key begins with *key* are sent to nobody until then."""

    key: str
    until: float
    by: str


class AlertBook(Protocol):
    """What alerts are found in, alerts, and silences."""

    def count(self, hours: Sequence[AlertHour]) -> None:
        """Put these in place of what was known of the same hours, placements and segments."""

    def hours(self, since: int, until: int) -> list[AlertHour]:
        """With ``since <= hour < until``, in order of hour, placement and segment."""

    def last_hour(self) -> int:
        """The last one counted; 0 before the first."""

    def add(self, alert: Alert) -> Alert:
        """Keep a new one; gives it with its number."""

    def put(self, alert: Alert) -> None:
        """Put it in place of what was known under its number."""

    def get(self, alert_id: int) -> Alert | None: ...

    def kept(self, *, open_only: bool = False, limit: int = 100) -> list[Alert]:
        """Newest first."""

    def silence(self, silence: Silence) -> None:
        """Of one key the latest counts."""

    def silences(self, now: float) -> list[Silence]:
        """Those that have not run out, by key."""

    def purge(self, before: float, *, dry: bool = False) -> int:
        """Delete hours, and alerts resolved, before this time; gives how many rows."""


class CartBook(Protocol):
    """Who has a cart that was touched lately, so that carts left alone are found without reading all events."""

    def touch(self, touched: Mapping[str, float]) -> None:
        """Somebody's cart was touched at this time; an earlier time than the one known changes nothing."""

    def idle(self, before: float, limit: int = 1000) -> list[str]:
        """Whose cart was last touched before, the longest ago first."""

    def close(self, profile_ids: Sequence[str], before: float) -> None:
        """Forget carts, unless they were touched since."""


class ForwardState(msgspec.Struct, frozen=True, kw_only=True):
    """How far forwarding to a target has come: the last event dealt with, and what is in its way."""

    name: str
    number: int
    tries: int = 0
    next_try_at: float = 0.0
    sent: int = 0
    withheld: int = 0
    error: str = ""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a target refused; the event itself stays in the journal."""

    dead_id: int
    target: str
    number: int
    profile_id: str
    refused_at: float
    error: str


class ForwardBook(Protocol):
    """What was forwarded to whom. The queue itself is the journal: nothing is copied that would have to be erased."""

    def get(self, name: str) -> ForwardState | None: ...

    def put(self, state: ForwardState) -> None: ...

    def refuse(self, target: str, letters: Sequence[tuple[int, str]], error: str, now: float) -> None:
        """Put events aside: their numbers and whose they are."""

    def dead(self, target: str = "", limit: int = 100) -> list[DeadLetter]:
        """Newest first."""

    def remove(self, dead_ids: Sequence[int]) -> None: ...

    def erase(self, profile_id: str) -> int:
        """Forget letters about somebody."""


class KpiRow(msgspec.Struct, frozen=True, kw_only=True):
    """A group of slates: what they have in common, and their sums (:data:`mtp_plugin.kpi.measures.SUMS`)."""

    of: tuple[str, ...]
    sums: dict[str, float]


class ShopDay(msgspec.Struct, frozen=True, kw_only=True):
    """The whole shop on a day (an ordinal, in its time zone): what it sold, how unevenly it showed products (``gini``,
    ``None`` until the day is over), visitors, each counted once (``visits``), and products viewed.
    """

    day: int
    orders: float
    revenue: float
    refunds: float
    gini: float | None = None
    visits: float = 0.0
    views: float = 0.0


class KpiBook(Protocol):
    """Sums over slates by hour and day.

    What is new is added to the hours and days that it belongs to; an hour that something was deleted from is counted
    anew as a whole. One at a time may count.
    """

    def oldest(self) -> float | None:
        """When the oldest slate that is stored was made, seconds since 1970."""

    def orders(self, since: float, until: float) -> list[Event]:
        """The events of orders, and of what was given back, with ``since <= timestamp < until``."""

    def mark(self, hours: Iterable[int], at: float) -> None:
        """Remember that these hours are to be counted anew."""

    def marked(self) -> dict[int, float]:
        """The hours that are, and when each was marked last."""

    def unmark(self, hours: Iterable[int], before: float) -> None:
        """Forget those of them that were not marked since."""

    def of_visitors(self, profile_ids: Sequence[str]) -> set[int]:
        """The hours with slates of these visitors, or with slates that they had a part in."""

    def begin(self) -> None:
        """Begin anew: what there is by now is going to be counted hour by hour, what comes later is added to it."""

    def recount(
        self, day: int, hours: Sequence[int], rest: Sequence[int], young: Callable[[int], NDArray[np.uint32]]
    ) -> None:
        """Count the slates made in hours of a day (hours since 1970) and what came of them, anew.

        :param rest: the day's other hours, whose products are looked at too: which were shown is told by day
        :param young: the hashes (:func:`mtp_plugin.kpi.sketch.product_hash`) of products that are new in an hour
        """

    def sum_day(self, day: int, hours: Sequence[int]) -> None:
        """Sum up a day from its hours."""

    def add_outcomes(self, limit: int, day_of: Callable[[int], int]) -> int:
        """Add what the next outcomes make of slates that are counted; gives how many outcomes that were.

        :param limit: how many at most
        :param day_of: the day of the shop's calendar that an hour belongs to
        """

    def add_slates(self, limit: int, day_of: Callable[[int], int], young: Callable[[int], NDArray[np.uint32]]) -> int:
        """Add slates that are not counted yet, with what came of them so far; gives how many."""

    def days(self, dimension: str, first: int, last: int) -> dict[tuple[str, int], FloatArray]:
        """The sums of each group and day (``first <= day < last``), in the order of ``SUMS``.

        :param dimension: what to divide by, one of the following; ``experiment`` (``key: variation``); or ``""`` for
            all slates together
        """

    def products(self, dimension: str, first: int, last: int) -> dict[str, float]:
        """About how many different products were shown, by group.

        :param dimension: as of :meth:`days`
        """

    def products_by_day(self, dimension: str, first: int, last: int) -> dict[tuple[str, int], float]:
        """The same by group and day."""

    def totals(
        self, first: int, last: int, by: Sequence[str] = (), where: Mapping[str, str] | None = None
    ) -> list[KpiRow]:
        """Groups of the days ``first <= day < last``.

        :param by: ``day``, ``placement``, ``strategy``, ``segment_id``, ``device``, ``consent_level``
        :param where: which values of these to look at alone
        """

    def few(self, first: int, last: int, least: int, where: Mapping[str, str] | None = None) -> set[str]:
        """The segments that fewer than about *least* known visitors of these days were in, of those that had any."""

    def few_by_day(
        self, first: int, last: int, least: int, where: Mapping[str, str] | None = None
    ) -> set[tuple[str, int]]:
        """The same for each day alone: segments and days."""

    def experiments(self, first: int, last: int, by: Sequence[str] = ()) -> list[KpiRow]:
        """The same of slates that experiments made a difference to, by ``day``, ``experiment``, ``variation``."""

    def positions(self, first: int, last: int) -> list[KpiRow]:
        """The same by ``placement`` and ``position``."""

    def put_shop(self, day: ShopDay) -> None:
        """Remember what was sold on a day of the whole shop and how uneven it was; visits and views stay."""

    def add_visits(self, limit: int, day_of: Callable[[int], int]) -> int:
        """Add visits and views of the events that came next; gives how many events that were."""

    def erase_events(self, profile_ids: Sequence[str], day_of: Callable[[int], int]) -> int:
        """Delete these visitors' events and take back what they added, at once, so that doing it again does nothing;
        gives how many events that were."""

    def shop(self, first: int, last: int) -> list[ShopDay]:
        """The days ``first <= day < last`` that are remembered, oldest first."""

    def purge(self, *, hours_before: int, days_before: int) -> int:
        """Delete old hours, and old days; gives how many rows."""
