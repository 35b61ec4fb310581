"""The placements as they are now: those of the code, with what was changed in the console laid over them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from .block.placements import with_options
from .errors import SettingError
from .lookout import Lookout
from .ports import ChangeLog
from .records import Placement

log = logging.getLogger(__name__)


class LivePlacements(Mapping[str, Placement]):
    """Reads as a mapping by name; looks for changes at most every *every* seconds, in a thread.

    A change that the code no longer knows how to take (an option that is gone) is logged and left out.

    :param declared: the placements of the code
    """

    def __init__(self, declared: Mapping[str, Placement], changes: ChangeLog, *, every: float = 1.0) -> None:
        self.declared, self.changes = declared, changes
        self._lookout = Lookout("placements", self._look, every)
        self._version = 0
        self._placements: dict[str, Placement] = dict(declared)

    def __getitem__(self, name: str) -> Placement:
        return self._now()[name]

    def get(self, name: str, default: Any = None) -> Any:
        """As of any mapping; asked for every block of a page, so without a detour."""
        return self._now().get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self.declared)

    def __len__(self) -> int:
        return len(self.declared)

    @property
    def version(self) -> int:
        """Grows with every change that this process has taken in."""
        return self._version

    def refresh(self) -> None:
        """Look for changes now."""
        self._lookout.look_now()

    def _now(self) -> dict[str, Placement]:
        self._lookout.pass_by()
        return self._placements

    def _look(self) -> None:
        version = self.changes.version()
        if version == self._version:
            return
        changed = {name: change.options for name, change in self.changes.current().items() if name in self.declared}
        laid = {name: self._laid(name, options) for name, options in changed.items()}
        self._placements, self._version = {**self.declared, **laid}, version

    def _laid(self, name: str, options: Mapping[str, object]) -> Placement:
        try:
            return with_options(self.declared[name], options)
        except SettingError as error:
            log.error("the stored change of placement %s is left out: %s", name, error)
            return self.declared[name]
