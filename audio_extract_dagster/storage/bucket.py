"""Audio in a bucket of Google Cloud Storage (the extra `gcs`).

An object appears whole or not at all and is durable once the upload returns, so there is no rename.
Uploads carry a checksum (crc32c) that Google verifies, and the generation that they replace:
without it the library would not repeat them. Credentials are those that the Google libraries find
by themselves (`GOOGLE_APPLICATION_CREDENTIALS`, the service account of the machine).
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import requests
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud import storage as cloud
from google.cloud.storage.exceptions import DataCorruption
from requests.adapters import HTTPAdapter

from audio_extract_dagster.storage.base import StoredFile
from audio_extract_dagster.storage.checksum import sha256_of
from audio_extract_dagster.storage.errors import (
    StorageRefused,
    StorageUnavailable,
    disk_errors,
)
from audio_extract_dagster.storage.keys import key_parts
from audio_extract_dagster.storage.staged import TEMPORARY_SUFFIX, Staged

# Before they are uploaded, files lie in the temporary folder of the machine. None lies there for a
# day, but those of a run that was killed.
_STAGED = "audio-extract."
_DEAD_AFTER_SECONDS = 86_400.0
# The library's own pool of 10 would open a new TLS connection for most uploads of 32 threads.
_CONNECTIONS = 64
# Of an upload that was damaged on its way, nothing but Google's text tells.
_CHECKSUM_DIFFERS = "doesn't match calculated CRC32C"
_PERMISSIONS = tuple(f"storage.objects.{verb}" for verb in ("create", "delete", "get", "list"))


class BucketStorage:
    """`AudioStorage` in `gs://{bucket}/{prefix}`; connects when it is first used."""

    def __init__(self, bucket: str, prefix: str = "", *, project: str | None = None) -> None:
        self._bucket_name = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._project = project
        self._connecting = threading.Lock()
        self._connected: Any = None

    def __repr__(self) -> str:
        return f"BucketStorage({self._place!r})"

    def stage(self, stem: str) -> Staged:
        folder = tempfile.gettempdir()
        with disk_errors(folder):
            return Staged.create(folder, f"{_STAGED}{key_parts(stem)[-1]}")

    def commit(self, staged: Staged, key: str, *, content_type: str) -> StoredFile:
        staged.close()
        with disk_errors(staged.place), self._errors():
            try:
                self._upload(staged, key, content_type, in_place_of=0)
            except exceptions.PreconditionFailed:
                # A file of an earlier run, or our own first try, whose answer was lost.
                found = self._bucket().get_blob(self._name(key))
                if found is None or (found.metadata or {}).get("sha256") != staged.sha256:
                    generation = 0 if found is None else int(found.generation)
                    self._upload(staged, key, content_type, in_place_of=generation)
        return StoredFile(self.uri(key), staged.size_bytes, staged.sha256)

    def stat(self, key: str) -> int | None:
        with self._errors():
            blob = self._bucket().get_blob(self._name(key))
        return None if blob is None else int(blob.size)

    def sha256(self, key: str) -> str | None:
        with self._errors():
            blob = self._bucket().get_blob(self._name(key))
            if blob is None:
                return None
            with blob.open("rb") as file:
                return sha256_of(file)

    def delete(self, key: str) -> None:
        with self._errors():
            blob = self._bucket().get_blob(self._name(key))
            if blob is not None:
                # Our own first try, whose answer was lost, may have deleted it.
                with suppress(exceptions.NotFound):
                    blob.delete(if_generation_match=blob.generation)

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        with self._errors():
            found = self._bucket().list_blobs(
                prefix=self._prefix + prefix, fields="items(name,size),nextPageToken"
            )
            for blob in found:
                if not blob.name.endswith((TEMPORARY_SUFFIX, "/")):
                    yield blob.name.removeprefix(self._prefix), int(blob.size)

    def remove_temporary(self, call_date: date) -> int:  # noqa: ARG002 - see below
        """Those of this machine, of whatever day: which run they are of can no longer be told."""
        dead_before = time.time() - _DEAD_AFTER_SECONDS
        removed = 0
        for path in Path(tempfile.gettempdir()).glob(f"{_STAGED}*{TEMPORARY_SUFFIX}"):
            with suppress(OSError):  # another account's, or removed by another run just now
                if path.stat().st_mtime < dead_before:
                    path.unlink()
                    removed += 1
        return removed

    def uri(self, key: str) -> str:
        return f"gs://{self._bucket_name}/{self._name(key)}"

    def key_of(self, uri: str) -> str:
        start = f"gs://{self._bucket_name}/{self._prefix}"
        if not uri.startswith(start):
            raise ValueError(f"{uri} is not in {self._place}")
        return "/".join(key_parts(uri.removeprefix(start)))

    def check(self) -> str:
        with self._errors():
            allowed = self._bucket().test_iam_permissions(list(_PERMISSIONS))
        missing = [name for name in _PERMISSIONS if name not in allowed]
        if missing:
            raise StorageRefused(
                f"The account may not use {self._place} (AUDIO_STORAGE_URI) fully: it lacks "
                f"{', '.join(missing)}. The role Storage Object User grants them."
            )
        return f"{self._place} takes files"

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        with self._connecting:
            if self._connected is not None:
                self._connected.client.close()
                self._connected = None

    @property
    def _place(self) -> str:
        return f"gs://{self._bucket_name}/{self._prefix}"

    def _name(self, key: str) -> str:
        return self._prefix + "/".join(key_parts(key))

    def _upload(self, staged: Staged, key: str, content_type: str, *, in_place_of: int) -> None:
        """Raises `PreconditionFailed` unless this generation (0: nothing) is there."""
        blob = self._bucket().blob(self._name(key))
        blob.metadata = {"sha256": staged.sha256}
        blob.upload_from_filename(
            str(staged.path),
            content_type=content_type,
            if_generation_match=in_place_of,
            checksum="crc32c",
        )

    def _bucket(self) -> Any:
        with self._connecting:
            if self._connected is None:
                client = cloud.Client(project=self._project)
                # The way the library's maintainers recommend; it offers no setting for it.
                client._http.mount("https://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
                self._connected = client.bucket(self._bucket_name)
            return self._connected

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn errors of the Google libraries into ours."""
        try:
            yield
        except (exceptions.TooManyRequests, exceptions.ServerError, exceptions.RetryError) as error:
            raise self._unavailable(error) from error
        except (TransportError, requests.RequestException, exceptions.PreconditionFailed) as error:
            raise self._unavailable(error) from error
        except DataCorruption as error:  # of a large file; that of a small one is a bad request
            raise self._unavailable(error) from error
        except exceptions.NotFound as error:
            raise StorageRefused(
                f"There is no bucket {self._bucket_name} (AUDIO_STORAGE_URI), or this account may "
                "not know of it. Create it, or correct the setting."
            ) from error
        except (exceptions.GoogleAPICallError, GoogleAuthError) as error:
            if _CHECKSUM_DIFFERS in str(error):
                raise self._unavailable(error) from error
            raise StorageRefused(
                f"Audio cannot be kept in {self._place} ({type(error).__name__}). See whether "
                "GOOGLE_APPLICATION_CREDENTIALS names a key that is valid and whether its account "
                "has the role Storage Object User on the bucket."
            ) from error

    def _unavailable(self, error: Exception) -> StorageUnavailable:
        return StorageUnavailable(
            f"{self._place} (AUDIO_STORAGE_URI) does not answer as it should at the moment "
            f"({type(error).__name__})."
        )
