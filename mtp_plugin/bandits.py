"""What policies have learnt as this worker knows it: looked for again every few seconds, off the path of requests."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from .bandit.draw import draw
from .bandit.learnt import Learnt, day_of, learn
from .bandit.null import Chosen
from .bandit.rows import Row
from .bandit.stage import Bandits, probabilities_of
from .errors import UnavailableError
from .fork import after_fork
from .ports import BanditState
from .records import Placement, SegmentRef, SlateRequest

log = logging.getLogger(__name__)


class LiveBandits:
    """Answers by the newest snapshot there is; while the state cannot be read, by the last one, at first by nothing.

    The first snapshot is read in the caller, later ones in a thread, so that no request waits for them.

    :param rows: the policies by name
    :param every: seconds between two looks at the state
    :param clock: seconds since 1970
    """

    def __init__(
        self,
        rows: Mapping[str, Row],
        state: BanditState,
        *,
        every: float = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.rows = MappingProxyType(dict(rows))
        self.stage = Bandits(rows)
        self._state, self._every, self._clock = state, every, clock
        self._known: tuple[int, int] | None = None
        self._learnt: dict[str, Learnt] = {name: learn(row, (), version=0, today=0) for name, row in rows.items()}
        self._looked = float("-inf")
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._loader: threading.Thread | None = None

    def choose(self, placement: Placement, request: SlateRequest, segment: SegmentRef | None) -> Chosen:
        """What the policies of this placement choose by what is known now; the placement's own if they fail."""
        try:
            return self.stage.choose(placement, request, segment, self.learnt())
        except Exception:
            log.exception("policies could not choose, %s goes on without", placement.name)
            return Chosen(placement.strategies)

    def learnt(self) -> Mapping[str, Learnt]:
        """What each policy has learnt, by name; looks for more in passing."""
        if self._known is None and self._looked == float("-inf"):
            self._refresh_quietly()
        elif time.monotonic() - self._looked >= self._every and (self._loader is None or not self._loader.is_alive()):
            self._looked = time.monotonic()
            self._loader = threading.Thread(target=self._refresh_quietly, name="mtp-bandits", daemon=True)
            self._loader.start()
        return self._learnt

    def refresh(self) -> Mapping[str, Learnt]:
        """Look now.

        :raises UnavailableError: the state cannot be read
        """
        with self._lock:
            self._looked = time.monotonic()
            version, today = self._state.version(), day_of(self._clock())
            if self._known != (version, today):
                self._learnt = {
                    name: learn(row, self._state.sums(name), version=version, today=today)
                    for name, row in self.rows.items()
                }
                self._known = (version, today)
        return self._learnt

    def warm(self) -> None:
        """Read what was learnt and compile what choosing takes, before a visitor has to wait for it."""
        self.learnt()
        request = SlateRequest(placement="", now=0.0)
        for row in self.rows.values():
            known = self._learnt[row.name].of(row.named or ("", ""), "")
            draw(probabilities_of(row, known, 0.5, request), 0)

    def _refresh_quietly(self) -> None:
        try:
            self.refresh()
        except UnavailableError as error:
            self._looked = time.monotonic()
            log.warning("what bandits have learnt could not be read, going by the last known: %s", error)
