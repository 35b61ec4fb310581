"""What the pipeline needs of the outside world; ``store`` and ``bus`` implement these, stages never see them.

Every implementation runs the contract suite in ``tests/contract``. All methods are safe to call from many threads.
Any of them may raise :class:`~mtp_plugin.errors.UnavailableError`, with the driver's error as its cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from .records import Event, FoldFunction, ImportResult, Interactions, Product, Profile, SlateEntry


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

    def interactions(self, *, batch: int = 10_000) -> Iterator[Interactions]:
        """What all events say of products, in order of arrival, at most *batch* events at once.

        For training: a fraction of the time and memory of :meth:`scan`.
        """

    def count(self) -> int:
        """How many events are stored."""

    def profile_ids(self, *, batch: int = 5000) -> Iterator[list[str]]:
        """Ids of all profiles."""

    def rebuild(self, fold: FoldFunction, *, progress: Callable[[int], None] | None = None) -> int:
        """Fold every profile anew from its stored events; traits set outside events are kept. Gives their number."""

    def erase(self, profile_id: str) -> int:
        """Delete a visitor's events and profile. Gives the number of events."""

    def purge(self, before: float) -> int:
        """Forget what recognises repetitions of events whose window was over *before*. Gives how much."""


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

    def get(self, recommendation_id: str) -> SlateEntry | None: ...

    def flush(self, timeout: float = 5.0) -> None:
        """Wait until what was appended is stored."""

    def erase(self, profile_id: str) -> int:
        """Delete the slates of a visitor."""

    def purge(self, before: float) -> int:
        """Delete slates made before this time."""

    def close(self) -> None: ...


class ConsentDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One choice a visitor made."""

    subject_id: str
    purpose: str
    granted: bool
    policy_version: str
    decided_at: float
    source: str


class ConsentLog(Protocol):
    """Choices, append-only."""

    def append(self, decision: ConsentDecision) -> None: ...

    def of(self, subject_id: str) -> list[ConsentDecision]:
        """Oldest first."""


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
        """Take or renew the lease; False when another holder's has not run out."""

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
    """Bundles by kind (``behaviour``, ``content``) and which one serves."""

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
