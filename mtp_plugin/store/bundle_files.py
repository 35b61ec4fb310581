"""The files of one bundle in a local folder: written, checked and read."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..ports import Bundle

FORMAT = 1
KEPT = 5
"""Newest versions of a kind that stay when another is published, besides the one that serves."""

MANIFEST, STRINGS = "manifest.json", "strings.json"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says of itself. ``files`` gives the BLAKE2b checksum of each other file."""

    kind: str
    version: str
    created_at: float
    format: int = FORMAT
    meta: dict[str, Any] = {}
    figures: dict[str, Any] = {}
    lineage: dict[str, Any] = {}
    files: dict[str, str] = {}


def checked_name(name: str) -> str:
    """The name, if it can be that of a file and nothing else.

    :raises ModelError: it cannot
    """
    if not NAME.fullmatch(name):
        raise ModelError(f"{name!r} cannot name a model, a version or an array: use letters, digits, _ . -")
    return name


def write_bundle(
    folder: Path,
    manifest: Manifest,
    arrays: Mapping[str, NDArray[np.generic]],
    strings: Mapping[str, Sequence[str]],
) -> None:
    """Write a bundle into an empty folder, synced to disk, the manifest last.

    :raises ModelError: an array or meta value that a bundle cannot hold
    """
    files = {}
    for name, array in arrays.items():
        file = f"{checked_name(name)}.npy"
        files[file] = _write_array(folder / file, array)
    files[STRINGS] = _write(folder / STRINGS, _json({name: list(words) for name, words in strings.items()}))
    _write(folder / MANIFEST, _json(msgspec.structs.replace(manifest, files=files)))


def _write_array(path: Path, array: NDArray[np.generic]) -> str:
    if array.dtype.hasobject:
        raise ModelError(f"array {path.stem!r} holds Python objects; bundles take numbers, and words as strings")
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    return _checksum(path)


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value, enc_hook=_number)
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"what describes a bundle must be JSON: {error}") from error


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _write(path: Path, content: bytes) -> str:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.blake2b(content, digest_size=32).hexdigest()


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32)).hexdigest()


def read_manifest(content: bytes, kind: str, version: str) -> Manifest:
    """The manifest of a bundle.

    :raises ModelError: it is damaged, of another bundle, or of a format this code cannot read
    """
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise ModelError(f"{kind} {version}: its manifest is damaged: {error}") from error
    if (manifest.kind, manifest.version) != (kind, version):
        raise ModelError(f"{kind} {version}: its manifest is that of {manifest.kind} {manifest.version}")
    if manifest.format != FORMAT:
        raise ModelError(
            f"{kind} {version} has format {manifest.format}, this version of mtp-plugin reads {FORMAT}: train again"
        )
    return manifest


def read_bundle(folder: Path, kind: str, version: str) -> Bundle:
    """Check and open a bundle; its arrays are memory-mapped.

    :raises ModelError: missing, damaged, or of a format this code cannot read
    """
    try:
        manifest = read_manifest((folder / MANIFEST).read_bytes(), kind, version)
        for file, checksum in manifest.files.items():
            if _checksum(folder / file) != checksum:
                raise ModelError(f"{kind} {version}: {file} is damaged (wrong checksum): train again or roll back")
        arrays = {file[:-4]: _map(folder / file) for file in manifest.files if file.endswith(".npy")}
        strings = msgspec.json.decode((folder / STRINGS).read_bytes(), type=dict[str, tuple[str, ...]])
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise ModelError(f"{kind} {version} cannot be read: {error}") from error
    return Bundle(kind=kind, version=version, arrays=arrays, strings=strings, meta=manifest.meta)


def _map(path: Path) -> NDArray[np.generic]:
    # A plain array over the mapped memory: kernels take a microsecond to recognise each of numpy's own class for it.
    array: NDArray[np.generic] = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    return array
