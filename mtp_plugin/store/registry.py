"""Model bundles in a folder, or behind any fsspec URL, and in the database which of them serves.

A bundle is a folder ``<kind>/<version>`` of ``.npy`` arrays, ``strings.json`` and ``manifest.json`` with a checksum of
each. It is written under another name and then renamed (where there is no renaming, the manifest comes last), and never
changed. Nothing is pickled.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, insert, select

from ..errors import ModelError, UnavailableError
from ..lineage import superfluous
from ..ports import Bundle, BundleInfo
from .bundle_files import KEPT, Manifest, read_bundle, read_manifest, write_bundle
from .bundle_folder import BundleFolder
from .database import Database
from .schema import bundle_switch

log = logging.getLogger(__name__)

CURRENT = (
    select(bundle_switch.c.version)
    .where(bundle_switch.c.kind == bindparam("kind"))
    .order_by(bundle_switch.c.id.desc())
    .limit(1)
)


class SqlPointers:
    """Which version of each kind serves; every switch is a row, the last one counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, kind: str) -> str | None:
        rows = self._database.glance(CURRENT, {"kind": kind})
        return str(rows[0][0]) if rows else None

    def switch(self, kind: str, version: str) -> None:
        with self._database.writing() as connection:
            connection.execute(insert(bundle_switch).values(kind=kind, version=version, switched_at=time.time()))


class Registry:
    """Implements :class:`mtp_plugin.ports.ModelRegistry`.

    :param folder: where bundles lie
    :param pointers: which version serves, seen by all workers
    :param clock: seconds since 1970
    """

    def __init__(self, folder: BundleFolder, pointers: SqlPointers, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._pointers, self._clock = folder, pointers, clock
        self.spared: Callable[[], Collection[str]] = tuple

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
        now = self._clock()
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S")
        manifest = Manifest(
            kind=kind,
            version=f"{stamp}-{secrets.token_hex(4)}",
            created_at=now,
            meta=dict(meta),
            figures=dict(figures or {}),
            lineage=dict(lineage or {}),
        )
        with self._folder.writing(kind, manifest.version) as path:
            write_bundle(path, manifest, arrays, strings)
        if activate:
            self._pointers.switch(kind, manifest.version)
        self._tidy(kind, manifest.version)
        return manifest.version

    def _tidy(self, kind: str, published: str) -> None:
        """Every import publishes: without this the disk would fill."""
        try:
            for version in superfluous(self.list(kind), KEPT, self.spared()):
                if version != published:
                    self._deleted(kind, version)
        except UnavailableError as error:
            log.warning("old versions of %s stay until the next is published: %s", kind, error)

    def current(self, kind: str) -> str | None:
        return self._pointers.current(kind)

    def load(self, kind: str, version: str) -> Bundle:
        return read_bundle(self._folder.local(kind, version), kind, version)

    def activate(self, kind: str, version: str) -> None:
        read_manifest(self._folder.manifest(kind, version), kind, version)
        self._pointers.switch(kind, version)

    def list(self, kind: str | None = None) -> list[BundleInfo]:
        kinds = [kind] if kind else self._folder.kinds()
        found = [info for name in kinds for info in self._infos(name)]
        return sorted(found, key=lambda info: (info.created_at, info.version), reverse=True)

    def _infos(self, kind: str) -> Iterator[BundleInfo]:
        current = self.current(kind)
        for version in self._folder.versions(kind):
            try:
                manifest = read_manifest(self._folder.manifest(kind, version), kind, version)
            except ModelError:
                continue  # being deleted, or damaged: load() says which
            yield BundleInfo(
                kind=kind,
                version=version,
                created_at=manifest.created_at,
                current=version == current,
                figures=manifest.figures,
                lineage=manifest.lineage,
            )

    def prune(self, kind: str, keep: int) -> int:
        if keep < 1:
            raise ValueError(f"keep must be at least 1, not {keep}")
        old = [info.version for info in self.list(kind)[keep:] if not info.current]
        return sum(self._deleted(kind, version) for version in old)

    def _deleted(self, kind: str, version: str) -> bool:
        try:
            self._folder.delete(kind, version)
        except ModelError:
            return False  # another worker was faster
        return True
