"""Whose events are refused: those who were erased, restricted the use of their data or objected to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..errors import UnavailableError
from ..fork import after_fork
from ..lookout import Lookout
from ..ports import SubjectLog, Suppression
from ..records import Event, Interactions
from .pii import Hasher

ERASED, RESTRICTED, OBJECTED = "erased", "restricted", "objected"


class Suppressed:
    """The suppressions at hand in this process, looked for anew at most every *every* seconds, in a thread.

    :param clock: monotonic seconds
    """

    def __init__(self, subjects: SubjectLog, hasher: Hasher, clock: Callable[[], float], every: float = 1.0) -> None:
        self._subjects, self._hasher, self._version = subjects, hasher, 0
        self._lookout = Lookout("suppressions", self._look, every, clock)
        self._by_subject: Mapping[str, tuple[Suppression, ...]] = {}
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()

    def admitted(self, events: Sequence[Event]) -> list[bool]:
        """Whether each of these events may be kept."""
        known = self._current()
        if not known:
            return [True] * len(events)
        return [
            not any(_refuses(one, event.timestamp) for one in self._of(event.profile_id, known)) for event in events
        ]

    def kinds(self, profile_id: str) -> frozenset[str]:
        """What is in force for this visitor: some of ``erased``, ``restricted``, ``objected``.

        :raises UnavailableError: it is not known, as nothing could be read yet
        """
        known = self._current()
        if not self._lookout.seen:
            raise UnavailableError("it is not known yet who does not want to be known")
        return frozenset(one.kind for one in self._of(profile_id, known) if one.active) if known else frozenset()

    def found(self, profile_id: str) -> list[Suppression]:
        """All that is written of this visitor, in force or not, as the store has it now."""
        self.look()
        return list(self._of(profile_id, self._by_subject))

    def without(self, batches: Iterable[Interactions]) -> Iterator[Interactions]:
        """What happened, without what visitors did who do not want anything learnt from it."""
        self.look()
        if not self._by_subject:
            yield from batches
            return
        verdicts: dict[str, bool] = {}
        for batch in batches:
            for name in set(batch.profile_ids) - verdicts.keys():
                verdicts[name] = not any(one.active for one in self._of(name, self._by_subject))
            yield _taken(batch, [verdicts[name] for name in batch.profile_ids])

    def _of(self, profile_id: str, known: Mapping[str, tuple[Suppression, ...]]) -> Iterator[Suppression]:
        for subject in self._hasher.subjects(profile_id):
            yield from known.get(subject, ())

    def _current(self) -> Mapping[str, tuple[Suppression, ...]]:
        self._lookout.pass_by()
        return self._by_subject

    def look(self) -> None:
        """Read what changed.

        :raises UnavailableError: the store is away; what was known holds
        """
        self._lookout.must_look()

    def _look(self) -> None:
        with self._lock:
            version = self._subjects.suppression_version()
            if version == self._version:
                return
            by_subject: dict[str, tuple[Suppression, ...]] = {}
            for one in self._subjects.suppressions():
                by_subject[one.subject] = (*by_subject.get(one.subject, ()), one)
            self._by_subject, self._version = by_subject, version


def _refuses(one: Suppression, happened_at: float) -> bool:
    return one.active or (one.kind == ERASED and happened_at <= one.since)


def _taken(batch: Interactions, wanted: Sequence[bool]) -> Interactions:
    if all(wanted):
        return batch
    rows = [index for index, one in enumerate(wanted) if one]
    starts = [0]
    for size in batch.sizes:
        starts.append(starts[-1] + size)
    return Interactions(
        [batch.profile_ids[index] for index in rows],
        [batch.names[index] for index in rows],
        [batch.timestamps[index] for index in rows],
        [batch.sizes[index] for index in rows],
        [batch.product_ids[place] for index in rows for place in range(starts[index], starts[index + 1])],
        [batch.surroundings[index] for index in rows] if batch.surroundings else (),
    )
