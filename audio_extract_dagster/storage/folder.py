"""Audio in a folder of this machine or of a mounted share.

Files are durable: content first (fsync), then the name (rename), then the folder that holds the
name and the one above it (fsync). Private: folders 0700 and files 0600, less what the umask takes
away.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from audio_extract_dagster.storage.base import StoredFile
from audio_extract_dagster.storage.checksum import sha256_of
from audio_extract_dagster.storage.errors import (
    StorageRefused,
    disk_errors,
)
from audio_extract_dagster.storage.keys import day_prefix, key_parts
from audio_extract_dagster.storage.staged import TEMPORARY_SUFFIX, Staged

# What a check writes, and how much room should be left: a large day takes about as much.
_PROBE_BYTES, _LOW_BYTES = 2**16, 2 * 2**30


class FolderStorage:
    """`AudioStorage` in the folder `root`, which the first file creates."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        self._place = str(self.root)
        self._root_uri = self.root.as_uri().removesuffix("/") + "/"

    def __repr__(self) -> str:
        return f"FolderStorage({str(self.root)!r})"

    def stage(self, stem: str) -> Staged:
        folder, name = os.path.split(self._path(stem))
        with disk_errors(self._place):
            self._make_folder(folder)
            # In the same folder as the final file, so that the rename cannot cross file systems.
            return Staged.create(folder, name)

    def commit(
        self,
        staged: Staged,
        key: str,
        *,
        content_type: str,  # noqa: ARG002 - a folder has no place for it; a bucket has
    ) -> StoredFile:
        path = self._path(key)
        stored = StoredFile(self.uri(key), staged.size_bytes, staged.sha256)
        staged.sync()
        staged.close()
        folder = os.path.dirname(path)
        with disk_errors(self._place):
            staged.rename(path)
            _sync_folder(folder)
            # The folder's own name, too: whichever thread made it, the first file needs it.
            _sync_folder(os.path.dirname(folder))
        return stored

    def stat(self, key: str) -> int | None:
        with disk_errors(self._place):
            try:
                found = os.stat(self._path(key))
            except FileNotFoundError:
                return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def sha256(self, key: str) -> str | None:
        path = self._path(key)
        with disk_errors(self._place), suppress(FileNotFoundError), open(path, "rb") as file:
            return sha256_of(file)
        return None

    def delete(self, key: str) -> None:
        path = self._path(key)
        with disk_errors(self._place), suppress(FileNotFoundError):
            os.unlink(path)
            _sync_folder(os.path.dirname(path))

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        for key, file in self._files(prefix.rpartition("/")[0]):
            if key.startswith(prefix) and not key.endswith(TEMPORARY_SUFFIX):
                size = self._size(file)
                if size is not None:  # else removed since the folder was read
                    yield key, size

    def remove_temporary(self, call_date: date) -> int:
        removed = 0
        for key, _ in self._files(day_prefix(call_date).rstrip("/")):
            if key.endswith(TEMPORARY_SUFFIX):
                self.delete(key)
                removed += 1
        return removed

    def uri(self, key: str) -> str:
        # What `Path.as_uri` gives, at a tenth of its time: a check asks it of every file of a day.
        return self._root_uri + quote("/".join(key_parts(key)))

    def key_of(self, uri: str) -> str:
        parts = urlsplit(uri)
        path = Path(url2pathname(parts.path))
        if parts.scheme != "file" or parts.netloc or not path.is_relative_to(self.root):
            raise ValueError(f"{uri} is not in {self.root}")
        key = path.relative_to(self.root).as_posix()
        self._path(key)
        return key

    def check(self) -> str:
        with disk_errors(self._place):
            if self.root.exists():
                with tempfile.TemporaryFile(dir=self.root, suffix=TEMPORARY_SUFFIX) as file:
                    # A full disk still takes names; only bytes that are synced tell.
                    file.write(b"\0" * _PROBE_BYTES)
                    file.flush()
                    os.fsync(file.fileno())
                free = shutil.disk_usage(self.root).free
                low = "Warning: " if free < _LOW_BYTES else ""
                return f"{low}{self.root} takes files; {free / 2**30:,.1f} GiB free"
            # The first run creates the folder; a check must not.
            parent = next(folder for folder in self.root.parents if folder.exists())
        if not (parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)):
            raise StorageRefused(
                f"{self.root} does not exist and cannot be created in {parent}. Create it, or set "
                "AUDIO_STORAGE_URI to a place where this account may write."
            )
        return f"{self.root} does not exist yet; the first file creates it"

    def _path(self, key: str) -> str:
        return os.path.join(self._place, *key_parts(key))

    def _make_folder(self, folder: str, mode: int = 0o700) -> None:
        """Create a folder and those above it, whose names survive a power cut; see `commit`."""
        try:
            os.mkdir(folder, mode)
        except FileExistsError:
            return
        except FileNotFoundError:
            above = os.path.dirname(folder)
            # What lies above the storage is not ours to close to others.
            self._make_folder(above, 0o777 if folder == self._place else mode)
            _sync_folder(os.path.dirname(above))
            with suppress(FileExistsError):  # another thread was quicker
                os.mkdir(folder, mode)

    def _files(self, folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Every file below a folder, temporary ones too, in the order of the keys."""
        path = self._path(folder) if folder else self._place
        files: dict[str, os.DirEntry[str]] = {}
        names: list[str] = []
        with disk_errors(self._place), suppress(FileNotFoundError), os.scandir(path) as found:
            for each in found:
                if each.is_dir():
                    # With its slash a folder stands where its keys do: "a-b/c" before "a/c".
                    names.append(f"{each.name}/")
                else:
                    names.append(each.name)
                    files[each.name] = each
        for name in sorted(names):
            key = f"{folder}/{name}" if folder else name
            if file := files.get(name):
                yield key, file
            else:
                yield from self._files(key.rstrip("/"))

    def _size(self, file: os.DirEntry[str]) -> int | None:
        with disk_errors(self._place), suppress(FileNotFoundError):
            return file.stat().st_size
        return None


def _sync_folder(folder: str) -> None:
    if os.name != "posix":  # Windows opens no folder and journals the rename by itself.
        return
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    except OSError as error:
        # Some network shares cannot sync a folder; there the server sees to it.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(number)
