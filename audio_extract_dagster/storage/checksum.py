"""The checksum of a file that is read again; of one that is written, see `staged.py`."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

_CHUNK = 1 << 20


def sha256_of(file: BinaryIO) -> str:
    """SHA-256 of what is left to be read, in hex."""
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
