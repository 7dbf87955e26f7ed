"""The ids of an org: they look random, follow from the seed, and tell what they belong to.

A conversation's id carries its day and serial number, encrypted, so that the simulator finds any
conversation of any day again without having listed it, also after a restart, and keeps no table of
ids. The scheme is synthetic-IV encryption with a 56-bit tag: nothing here is secret, but a made-up
id is recognised as unknown.
"""

from __future__ import annotations

import re
from hashlib import blake2b

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}")
_SERIAL_BITS = 32


class Ids:
    """All ids of the org with this seed."""

    def __init__(self, seed: int | str) -> None:
        self._key = blake2b(str(seed).encode(), digest_size=16, person=b"simulator ids").digest()

    def conversation(self, day: int, serial: int) -> str:
        """The id of one conversation; `day` is a proleptic Gregorian ordinal."""
        place = (day << _SERIAL_BITS | serial).to_bytes(8, "big")
        tag = self._hash(place)[:7]
        hidden = bytes(a ^ b for a, b in zip(place, self._hash(tag), strict=True))
        return _uuid((tag + hidden).hex())

    def locate(self, text: str) -> tuple[int, int] | None:
        """Day and serial of the conversation whose id stands in `text`; None if there is none.

        `text` may hold more than the id, as the ids of hostile conversations do.
        """
        found = _UUID.search(text)
        if not found:
            return None
        digits = found[0].replace("-", "")
        raw = bytes.fromhex(digits[:12] + digits[13:16] + digits[17:])
        tag, hidden = raw[:7], raw[7:]
        place = bytes(a ^ b for a, b in zip(hidden, self._hash(tag), strict=True))
        if self._hash(place)[:7] != tag:
            return None
        number = int.from_bytes(place, "big")
        return number >> _SERIAL_BITS, number & ((1 << _SERIAL_BITS) - 1)

    def named(self, *name: object) -> str:
        """The id of anything else (a queue, a user, a recording), by its name within the org."""
        return _uuid(blake2b(repr(name).encode(), digest_size=15, key=self._key).hexdigest())

    def _hash(self, data: bytes) -> bytes:
        return blake2b(data, digest_size=8, key=self._key).digest()


def _uuid(digits: str) -> str:
    """Thirty hexadecimal digits as an RFC 4122 id of version 4."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[15:18]}-{digits[18:]}"


def hostile(plain_id: str, variant: int) -> str:
    """An id that must not become a file name as it is; unique, and it still tells which it was."""
    return (
        f"../../../{plain_id}",
        f"/etc/{plain_id}",
        f"{plain_id}\0.ogg",
        f"{plain_id}'\";--",
        f"{'x' * 264}{plain_id}",
        f"..\\{plain_id}:stream",
    )[variant % 6]
