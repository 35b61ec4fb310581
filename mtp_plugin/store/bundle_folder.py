"""Where bundles lie: a local folder, or anything fsspec has a URL for, by way of local copies."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from ..config import without_password
from ..errors import ModelError, SettingError, UnavailableError
from .bundle_files import MANIFEST, checked_name


class BundleFolder(Protocol):
    """Folders by kind and version. What cannot be found raises :class:`ModelError`."""

    def kinds(self) -> list[str]: ...

    def versions(self, kind: str) -> list[str]: ...

    def manifest(self, kind: str, version: str) -> bytes:
        """What is in its manifest."""

    def local(self, kind: str, version: str) -> Path:
        """A local folder with the bundle's files."""

    def writing(self, kind: str, version: str) -> Any:
        """A context with an empty local folder; at its end the bundle is there, whole, or on an error not at all."""

    def delete(self, kind: str, version: str) -> None: ...

    def probe(self) -> str:
        """``""`` when it can be used, else what is wrong."""


def open_bundle_folder(place: str, copies: Path) -> BundleFolder:
    """The folder at a path or fsspec URL; *copies* is where what is remote is kept at hand."""
    if "://" not in place:
        return LocalFolder(Path(place))
    if place.startswith("file://"):
        return LocalFolder(Path(place.removeprefix("file://")))
    return RemoteFolder(place, copies)


class LocalFolder:
    """Bundles in a folder of this machine, or one that all machines mount."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def kinds(self) -> list[str]:
        return _names(self._root)

    def versions(self, kind: str) -> list[str]:
        return _names(self._root / checked_name(kind))

    def manifest(self, kind: str, version: str) -> bytes:
        try:
            return (self.local(kind, version) / MANIFEST).read_bytes()
        except OSError as error:
            raise ModelError(f"{kind} {version} cannot be read: {error}") from error

    def local(self, kind: str, version: str) -> Path:
        path = self._root / checked_name(kind) / checked_name(version)
        if not path.is_dir():
            raise ModelError(_missing(kind, version))
        return path

    @contextmanager
    def writing(self, kind: str, version: str) -> Iterator[Path]:
        parent = self._root / checked_name(kind)
        try:
            parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=parent))
        except OSError as error:
            raise UnavailableError(f"models cannot be written to {parent}: {error}") from error
        try:
            yield draft
            draft.chmod(0o755)
            draft.rename(parent / checked_name(version))
            _sync(parent)
        except OSError as error:
            raise UnavailableError(f"{kind} {version} cannot be written: {error}") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def delete(self, kind: str, version: str) -> None:
        # Renamed first: nobody may find half a bundle. Who has it open keeps it until it lets go.
        path = self.local(kind, version)
        doomed = path.with_name(f".deleted-{version}")
        try:
            path.rename(doomed)
        except FileNotFoundError:
            raise ModelError(_missing(kind, version)) from None
        except OSError as error:
            raise UnavailableError(f"{kind} {version} cannot be deleted: {error}") from error
        shutil.rmtree(doomed, ignore_errors=True)

    def probe(self) -> str:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return str(error)
        return "" if os.access(self._root, os.W_OK) else f"{self._root} is not writable"


class RemoteFolder:
    """Bundles behind an fsspec URL. There a bundle is whole once its manifest is there: that is written last."""

    def __init__(self, url: str, copies: Path) -> None:
        import fsspec

        self._copies = LocalFolder(copies)
        try:
            self._files, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise SettingError("MTP_MODEL_FOLDER", without_password(url), str(error)) from error
        self._root = str(root).rstrip("/")

    def _path(self, *parts: str) -> str:
        return "/".join((self._root, *map(checked_name, parts)))

    def kinds(self) -> list[str]:
        return self._names(self._root)

    def versions(self, kind: str) -> list[str]:
        return [name for name in self._names(self._path(kind)) if self._files.exists(self._path(kind, name, MANIFEST))]

    def _names(self, path: str) -> list[str]:
        try:
            found = self._files.ls(path, detail=True, refresh=True)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UnavailableError(f"models at {self._root} cannot be listed: {error}") from error
        folders = (str(entry["name"]) for entry in found if entry["type"] == "directory")
        return sorted(path.rstrip("/").rpartition("/")[2] for path in folders)

    def manifest(self, kind: str, version: str) -> bytes:
        try:
            content: bytes = self._files.cat_file(self._path(kind, version, MANIFEST))
            return content
        except FileNotFoundError as error:
            raise ModelError(_missing(kind, version)) from error
        except OSError as error:
            raise UnavailableError(f"{kind} {version} cannot be fetched: {error}") from error

    def local(self, kind: str, version: str) -> Path:
        try:
            return self._copies.local(kind, version)
        except ModelError:
            self._fetch(kind, version)
        return self._copies.local(kind, version)

    def _fetch(self, kind: str, version: str) -> None:
        self.manifest(kind, version)
        with self._copies.writing(kind, version) as draft:
            for entry in self._files.ls(self._path(kind, version), detail=False):
                self._files.get_file(entry, str(draft / str(entry).rpartition("/")[2]))
        for gone in set(self._copies.versions(kind)).difference(self.versions(kind), [version]):
            self._forget(kind, gone)

    def _forget(self, kind: str, version: str) -> None:
        try:
            self._copies.delete(kind, version)
        except ModelError:
            return  # never fetched here, or another worker was faster

    @contextmanager
    def writing(self, kind: str, version: str) -> Iterator[Path]:
        with self._copies.writing(kind, version) as draft:
            yield draft
            try:
                self._send(draft, self._path(kind, version))
            except OSError as error:
                raise UnavailableError(f"{kind} {version} cannot be sent to {self._root}: {error}") from error

    def _send(self, folder: Path, target: str) -> None:
        self._files.makedirs(target, exist_ok=True)
        files = sorted(folder.iterdir(), key=lambda path: path.name == MANIFEST)
        for path in files:
            self._files.put_file(str(path), f"{target}/{path.name}")

    def delete(self, kind: str, version: str) -> None:
        try:
            self._files.rm_file(self._path(kind, version, MANIFEST))
            self._files.rm(self._path(kind, version), recursive=True)
        except FileNotFoundError:
            raise ModelError(_missing(kind, version)) from None
        except OSError as error:
            raise UnavailableError(f"{kind} {version} cannot be deleted: {error}") from error
        self._forget(kind, version)

    def probe(self) -> str:
        try:
            self._files.makedirs(self._root, exist_ok=True)
        except OSError as error:
            return f"{self._root}: {error}"
        return ""


def _missing(kind: str, version: str) -> str:
    return f"there is no {kind} model {version}; `flask mtp models list` shows what there is"


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnavailableError(f"models in {folder} cannot be listed: {error}") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
