"""How a day adds up, and what that makes of the job: the promise as arithmetic.

Pure functions of counts. The counts themselves are read by `database/ledger/accounts.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from audio_extract_dagster.model import DayCounts, JobStatus, Reason

# Below this many failed recordings, a percentage says nothing.
FEWEST_FAILED = 5


class Verdict(NamedTuple):
    """How a job ends, and why it is not a success, in words."""

    status: JobStatus
    cause: str | None = None


def gaps(counts: DayCounts) -> list[str]:
    """The sums that do not close, in words; empty for a day that is accounted for."""
    found = []
    if counts.conversations != counts.agent_calls + counts.excluded:
        found.append(
            f"{counts.conversations} conversations are not {counts.agent_calls} agent calls "
            f"+ {counts.excluded} excluded"
        )
    if unrequested := counts.reasons.get(Reason.NOT_REQUESTED.code):
        # Nothing would bring them back: what has no record is not seen as late either.
        found.append(f"{unrequested} agent calls have no record")
    return found


def listing_gaps(listing: Mapping[str, object]) -> list[str]:
    """What keeps a listing from being complete, in words; empty when every hit is accounted for."""
    if not listing:
        return ["the conversations of the day were never listed"]
    found = []
    kinds = ("rows", "other_day", "repeated", "not_voice", "unreadable")
    parts = {kind: _number(listing, kind) for kind in kinds}
    hits = _number(listing, "hits")
    if hits != sum(parts.values()):
        found.append(f"{hits} hits are not {' + '.join(f'{n} {k}' for k, n in parts.items())}")
    if (kept := _number(listing, "kept")) and not parts["rows"]:
        found.append(
            f"nothing is listed, though {kept} conversations of the day have audio records"
        )
    if not listing.get("complete"):
        if parts["unreadable"]:
            found.append(f"{parts['unreadable']} hits could not be read, or came without sessions")
        found.append(
            f"after {listing.get('passes')} passes the distinct conversations that were read still "
            "differ from the total that Genesys reports, so calls may be missing"
        )
    return found


def verdict(
    counts: DayCounts, listing: Mapping[str, object], *, max_failed_percent: float
) -> Verdict:
    """How a job ends whose run did not break."""
    broken = listing_gaps(listing) + gaps(counts)
    if broken:
        return Verdict(JobStatus.FAILED, "The day does not add up: " + "; ".join(broken) + ".")
    records = counts.stored + counts.pending + counts.missing + counts.failed
    if counts.failed >= FEWEST_FAILED and counts.failed * 100 > max_failed_percent * records:
        return Verdict(
            JobStatus.FAILED,
            f"{counts.failed} of {records} recordings failed, more than MAX_FAILED_PERCENT "
            f"({max_failed_percent:g} %) allows.",
        )
    if counts.pending or counts.failed:
        return Verdict(JobStatus.INCOMPLETE)
    return Verdict(JobStatus.SUCCEEDED)


def _number(listing: Mapping[str, object], name: str) -> int:
    value = listing.get(name, 0)
    return value if isinstance(value, int) else 0
