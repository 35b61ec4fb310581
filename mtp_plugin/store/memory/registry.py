"""A model registry in dictionaries."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ...lineage import superfluous
from ...ports import Bundle, BundleInfo
from ..bundle_files import KEPT


class MemoryRegistry:
    """Implements :class:`mtp_plugin.ports.ModelRegistry`.

    :param clock: seconds since 1970
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.spared: Callable[[], Collection[str]] = tuple
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._bundles: dict[tuple[str, str], tuple[Bundle, BundleInfo]] = {}
        self._current: dict[str, str] = {}

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
        version = f"{next(self._numbers):08d}"
        bundle = Bundle(
            kind=kind,
            version=version,
            arrays={name: _frozen(array) for name, array in arrays.items()},
            strings={name: tuple(words) for name, words in strings.items()},
            meta=dict(meta),
        )
        info = BundleInfo(
            kind=kind,
            version=version,
            created_at=self._clock(),
            current=False,
            figures=dict(figures or {}),
            lineage=dict(lineage or {}),
        )
        with self._lock:
            self._bundles[kind, version] = (bundle, info)
            if activate:
                self._current[kind] = version
        self._delete(kind, [old for old in superfluous(self.list(kind), KEPT, self.spared()) if old != version])
        return version

    def current(self, kind: str) -> str | None:
        return self._current.get(kind)

    def load(self, kind: str, version: str) -> Bundle:
        try:
            return self._bundles[kind, version][0]
        except KeyError:
            raise ModelError(f"there is no {kind} model {version}") from None

    def activate(self, kind: str, version: str) -> None:
        self.load(kind, version)
        self._current[kind] = version

    def list(self, kind: str | None = None) -> list[BundleInfo]:
        found = [info for _, info in self._bundles.values() if kind in (None, info.kind)]
        marked = [msgspec.structs.replace(i, current=i.version == self._current.get(i.kind)) for i in found]
        return sorted(marked, key=lambda info: (info.created_at, info.version), reverse=True)

    def prune(self, kind: str, keep: int) -> int:
        if keep < 1:
            raise ValueError(f"keep must be at least 1, not {keep}")
        return self._delete(kind, [info.version for info in self.list(kind)[keep:] if not info.current])

    def _delete(self, kind: str, versions: Sequence[str]) -> int:
        with self._lock:
            for version in versions:
                self._bundles.pop((kind, version), None)
        return len(versions)


def _frozen(array: NDArray[np.generic]) -> NDArray[np.generic]:
    if array.dtype.hasobject:
        raise ModelError("bundles take numbers in arrays, and words as strings")
    copy = array.copy()
    copy.flags.writeable = False
    return copy
