"""The message about a finished run: from counts to a mail that reads well on a telephone.

Pure functions. Only counts, reasons and error texts can get in, and the latter are redacted: no
telephone number, name or address of audio. The words are in `english.py` and `spanish.py`, the
looks in `layout.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from audio_extract_dagster.model import DayCounts, Job, JobStatus
from audio_extract_dagster.notify import bars, layout
from audio_extract_dagster.notify.letterhead import Letterhead
from audio_extract_dagster.notify.texts import Texts
from audio_extract_dagster.palette import RECORDINGS
from audio_extract_dagster.redaction import redact

_TONES = {
    JobStatus.SUCCEEDED: layout.GOOD,
    JobStatus.INCOMPLETE: layout.FAIR,
    JobStatus.FAILED: layout.BAD,
    JobStatus.CANCELED: layout.BAD,
}
_COLORS = tuple(RECORDINGS.values())  # in the order of the counts


@dataclass(frozen=True)
class Message:
    """What a gateway sends: `html` is a whole document, the other two are plain text."""

    title: str
    subject: str
    html: str


def compose(
    job: Job,
    letterhead: Letterhead,
    *,
    counts_known: bool = True,
    calls_by_hour: Sequence[int] = (),
) -> Message:
    """The message about one run of one day.

    Always the same parts in the same order, so that a reader finds each in its place: the opening,
    the day and how it ended, the cause if it failed, the counts with their bars, the reasons, what
    to do next, the link to the run. `counts_known` is False where the database, and with it the
    counts, could not be read: then the message says so.
    """
    counts, day, texts = job.counts, job.call_date, letterhead.texts
    tables = [
        layout.table(texts.calls, _calls(counts, texts)),
        bars.by_hour(texts.by_hour, calls_by_hour),
        layout.table(texts.recordings, _recordings(counts, texts), _bar([counts], texts)),
        layout.table(texts.reasons, _reasons(counts, texts)),
        layout.table(texts.effort, _effort(job, texts)),
    ]
    parts = [
        layout.paragraph(letterhead.opening),
        layout.headline(texts.day(day), texts.statuses[job.status], _TONES[job.status]),
        layout.note(texts.first_error, redact(job.error) if job.error else texts.none),
        *(tables if counts_known else [layout.note(texts.calls, texts.counts_unknown)]),
        layout.note(texts.next_step, texts.next_steps[job.status].format(day=day, date=day)),
        # A failure may come before there is a run.
        layout.link(texts.open_run, letterhead.run_url(job.run_id)) if job.run_id else "",
    ]
    subject = texts.subject if counts_known else texts.subject_without_counts
    return Message(
        title=texts.title.format(day=day),
        subject=subject.format(
            day=day,
            outcome=texts.outcomes[job.status],
            stored=counts.stored,
            open=counts.pending + counts.failed,
        ),
        html=layout.document("".join(parts), texts.language),
    )


def compose_not_run(day: date, letterhead: Letterhead) -> Message:
    """The message about a day that was due and that no run has begun."""
    texts = letterhead.texts
    parts = [
        layout.paragraph(letterhead.opening),
        layout.headline(texts.day(day), texts.not_run, layout.BAD),
        layout.note(texts.next_step, texts.not_run_step.format(day=day)),
    ]
    return Message(
        title=texts.title.format(day=day),
        subject=texts.not_run_subject.format(day=day),
        html=layout.document("".join(parts), texts.language),
    )


def compose_retention_failed(cause: str, run_id: str, letterhead: Letterhead) -> Message:
    """The message about a pass of retention that broke: what is too old may still be there."""
    texts = letterhead.texts
    parts = [
        layout.paragraph(letterhead.opening),
        layout.headline(texts.retention_title, texts.retention_failed, layout.BAD),
        layout.note(texts.first_error, redact(cause)),
        layout.note(texts.next_step, texts.retention_step),
        layout.link(texts.open_run, letterhead.run_url(run_id)),
    ]
    return Message(
        title=texts.retention_title,
        subject=texts.retention_subject,
        html=layout.document("".join(parts), texts.language),
    )


def compose_digest(jobs: Sequence[Job], backfill_id: str, letterhead: Letterhead) -> Message:
    """One message about the days of a backfill (at least one): a line for each day."""
    texts = letterhead.texts
    days = sorted(jobs, key=lambda job: job.call_date)
    worst = max((job.status for job in days), key=list(_TONES).index)
    span = texts.span(days[0].call_date, days[-1].call_date)
    rows = [
        (
            layout.Row(job.call_date.isoformat(), "", texts.outcomes[job.status]),
            [f"{number:,}" for number in _by_status(job.counts)],
        )
        for job in days
    ]
    first = next(job.call_date for job in days if job.status is worst)
    broken = next((job for job in days if job.error), None)
    error = f"{broken.call_date}: {redact(broken.error)}" if broken and broken.error else texts.none
    parts = [
        layout.paragraph(letterhead.opening),
        layout.headline(texts.title.format(day=span), texts.statuses[worst], _TONES[worst]),
        layout.note(texts.first_error, error),
        _bar([job.counts for job in days], texts),
        layout.grid(texts.digest_columns, rows),
        layout.note(texts.next_step, texts.next_steps[worst].format(day=span, date=first)),
        layout.link(texts.open_backfill, letterhead.backfill_url(backfill_id)),
    ]
    return Message(
        title=texts.title.format(day=span),
        subject=texts.subject_without_counts.format(day=span, outcome=texts.outcomes[worst]),
        html=layout.document("".join(parts), texts.language),
    )


def _by_status(counts: DayCounts) -> tuple[int, int, int, int]:
    return counts.stored, counts.pending, counts.missing, counts.failed


def _bar(days: Sequence[DayCounts], texts: Texts) -> str:
    """What became of the recordings of these days, as one bar."""
    sums = [sum(numbers) for numbers in zip(*map(_by_status, days), strict=True)]
    names = [name for name, _ in texts.record_statuses]
    return bars.stacked([bars.Part(*each) for each in zip(names, sums, _COLORS, strict=True)])


def _calls(counts: DayCounts, texts: Texts) -> list[layout.Row]:
    return [
        layout.Row(texts.conversations, f"{counts.conversations:,}", texts.conversations_note),
        layout.Row(texts.agent_calls, f"{counts.agent_calls:,}", texts.agent_calls_note),
        layout.Row(texts.excluded, f"{counts.excluded:,}", texts.excluded_note),
    ]


def _recordings(counts: DayCounts, texts: Texts) -> list[layout.Row]:
    numbers = _by_status(counts)
    rows = [
        layout.Row(name, f"{number:,}", note, color)
        for (name, note), number, color in zip(texts.record_statuses, numbers, _COLORS, strict=True)
    ]
    return [*rows, layout.Row(texts.total, f"{sum(numbers):,}", texts.total_note)]


def _reasons(counts: DayCounts, texts: Texts) -> list[layout.Row]:
    rows = [
        layout.Row(texts.why.get(code, code), f"{n:,}", code)
        for code, n in counts.reasons_by_count()
    ]
    return rows or [layout.Row(texts.none, "")]


def _effort(job: Job, texts: Texts) -> list[layout.Row]:
    counts, usage = job.counts, job.usage
    finished = job.finished_at or job.started_at
    minutes = (finished - job.started_at).total_seconds() / 60
    return [
        layout.Row(texts.audio, f"{counts.audio_minutes:,.0f} min"),
        layout.Row(texts.size, f"{counts.bytes / 2**20:,.1f} MiB"),
        layout.Row(texts.ignored, f"{counts.ignored:,}"),
        layout.Row(texts.run_time, f"{minutes:,.1f} min"),
        layout.Row(texts.requests, f"{usage.requests:,}"),
        layout.Row(texts.waiting, f"{usage.wait_seconds / 60:,.1f} min"),
    ]
