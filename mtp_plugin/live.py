"""What serves right now: the catalogue as arrays and the recommender over it, swapped whole when a version changes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .candidates.recommender import Recommender
from .catalog.table import build_table
from .errors import ModelError, UnavailableError
from .ports import Bundle, CatalogStore, ModelRegistry
from .records import ProductTable

log = logging.getLogger(__name__)

KINDS = ("behaviour", "content")
Versions = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Serving:
    """One consistent set: catalogue, recommender and the versions they were made of."""

    table: ProductTable
    recommender: Recommender
    versions: Versions

    @property
    def model_version(self) -> str:
        return self.versions[1]


class Live:
    """Keeps the current :class:`Serving` and looks for newer versions at most every *every* seconds.

    The first load happens in the caller; later ones in a thread, so that a request goes on with what there is. A
    bundle that cannot be read is logged and served without; the catalogue alone still gives slates.

    :param every: seconds between two looks at the versions
    :param changed: called with kind and version after a swap
    """

    def __init__(
        self,
        catalog: CatalogStore,
        registry: ModelRegistry,
        *,
        every: float = 1.0,
        changed: Callable[[str, str], None] = lambda kind, version: None,
    ) -> None:
        self._catalog, self._registry, self._every, self._changed = catalog, registry, every, changed
        self._lock = threading.Lock()
        self._serving: Serving | None = None
        self._looked = 0.0
        self._loader: threading.Thread | None = None

    def get(self) -> Serving:
        """What serves; looks for newer versions in passing.

        :raises UnavailableError: nothing was ever loaded and the store cannot be reached
        """
        serving = self._serving
        if serving is None:
            return self.refresh()
        if time.monotonic() - self._looked >= self._every:
            self._looked = time.monotonic()
            self._look(serving)
        return serving

    def refresh(self) -> Serving:
        """Load what is current now and give it."""
        with self._lock:
            self._looked = time.monotonic()
            serving, versions = self._serving, self._versions()
            if serving is None or serving.versions != versions:
                self._swap(self._load(versions, serving))
            assert self._serving is not None  # noqa: S101  the swap above set it
            return self._serving

    def _versions(self) -> Versions:
        behaviour, content = (self._registry.current(kind) or "" for kind in KINDS)
        return self._catalog.version(), behaviour, content

    def _look(self, serving: Serving) -> None:
        try:
            newer = self._versions() != serving.versions
        except UnavailableError as error:
            log.warning("versions could not be read, serving on: %s", error)
            return
        if newer and (self._loader is None or not self._loader.is_alive()):
            self._loader = threading.Thread(target=self._refresh_quietly, name="mtp-live", daemon=True)
            self._loader.start()

    def _refresh_quietly(self) -> None:
        try:
            self.refresh()
        except UnavailableError as error:
            log.warning("a newer version could not be loaded, serving on: %s", error)

    def _load(self, versions: Versions, before: Serving | None) -> Serving:
        if before is not None and before.versions[0] == versions[0]:
            table = before.table
        else:
            table = build_table(self._catalog.products(), versions[0])
        behaviour, content = (self._open(kind, version) for kind, version in zip(KINDS, versions[1:], strict=True))
        recommender = Recommender(table, behaviour, content)
        recommender.warm()
        return Serving(table, recommender, versions)

    def _open(self, kind: str, version: str) -> Bundle | None:
        if not version:
            return None
        try:
            return self._registry.load(kind, version)
        except (ModelError, UnavailableError) as error:
            log.error("%s model %s cannot be served, going on without: %s", kind, version, error)
            return None

    def _swap(self, serving: Serving) -> None:
        before, self._serving = self._serving, serving
        for kind, old, new in zip(
            KINDS, before.versions[1:] if before else ("", ""), serving.versions[1:], strict=True
        ):
            if old != new:
                self._changed(kind, new)
