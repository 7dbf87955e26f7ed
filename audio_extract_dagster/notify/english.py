"""The messages in English."""

from __future__ import annotations

from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.notify.texts import Texts

ENGLISH = Texts(
    language="en",
    date_format="{weekday}, {day} {month} {year}",
    span_format="{first} to {last}",
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    title="Call recordings of {day}",
    subject="Call recordings of {day}: {outcome}, {stored} stored, {open} open",
    subject_without_counts="Call recordings of {day}: {outcome}",
    outcomes={
        JobStatus.SUCCEEDED: "complete",
        JobStatus.INCOMPLETE: "not complete yet",
        JobStatus.FAILED: "FAILED",
        JobStatus.CANCELED: "CANCELED",
    },
    statuses={
        JobStatus.SUCCEEDED: "Complete: every recording that exists is stored.",
        JobStatus.INCOMPLETE: "Not complete yet: some recordings are still to come.",
        JobStatus.FAILED: "Failed: somebody has to look.",
        JobStatus.CANCELED: "Canceled before the end.",
    },
    next_steps={
        JobStatus.SUCCEEDED: "Nothing.",
        JobStatus.INCOMPLETE: (
            "Nothing now: what is open is asked for again by itself. Look into it if the same day "
            "is still open after a week."
        ),
        JobStatus.FAILED: (
            "Remove the cause above, then run {day} again (in Dagster, or "
            "`audio-extract run --date {date}`). What is stored is not fetched twice. "
            "`audio-extract doctor` checks access and settings."
        ),
        JobStatus.CANCELED: (
            "Nothing for a day of the last seven: the schedule asks for it again by itself at its "
            "next tick. If you want it sooner, or it is older, run {day} again (in Dagster, or "
            "`audio-extract run --date {date}`). It goes on from where it stopped."
        ),
    },
    not_run_subject="Call recordings of {day}: NOT RUN",
    not_run="Not run: the day was due and no run has begun.",
    not_run_step=(
        "See in Dagster whether the schedule daily_extraction is on and its daemon alive, then run "
        "{day} (in Dagster, or `audio-extract run --date {day}`). The next tick of the schedule "
        "asks for it too."
    ),
    retention_title="Retention of call recordings",
    retention_subject="Retention of call recordings: FAILED",
    retention_failed="Failed: not all that is older than RETENTION_DAYS has been deleted.",
    retention_step=(
        "Remove the cause above, then run the job expire_old_days in Dagster, or "
        "`audio-extract expire`. It is tried again every night."
    ),
    first_error="What went wrong",
    next_step="What to do",
    open_run="Open the run",
    open_backfill="Open the backfill",
    none="None",
    calls="Calls",
    counts_unknown="Not known: the database could not be reached.",
    conversations="Conversations",
    conversations_note="voice, started on this day = agent calls + excluded",
    agent_calls="Agent calls",
    agent_calls_note="an agent answered or was rung",
    excluded="Excluded",
    excluded_note="no agent took part",
    by_hour="Agent calls by hour",
    recordings="Recordings of the agent calls",
    record_statuses=(
        ("Stored", "the file is there, whole"),
        ("Pending", "Genesys may still give it"),
        ("Missing", "Genesys will not give it"),
        ("Failed", "asked for again by the next run"),
    ),
    total="Total",
    total_note="a call may have several recordings, or one line that says why there is none",
    reasons="Reasons",
    why={
        "uploading": "Still being uploaded",
        "restoring": "Being restored from the archive",
        "unknown_state": "In a state that is not known",
        "call_open": "The call has not ended",
        "not_listed_yet": "Ended lately, recording not listed yet",
        "link_expired": "The link ran out before the download",
        "batch_unfinished": "Genesys did not finish preparing it",
        "not_requested": "Not asked for yet",
        "not_answered": "No agent answered",
        "not_recorded": "The call was not recorded",
        "deleted": "Deleted in Genesys Cloud",
        "archived": "Archived in Genesys Cloud",
        "error_state": "Genesys Cloud reports it as faulty",
        "withdrawn": "No longer listed by Genesys Cloud",
        "no_permission": "The client may not read it",
        "late_audio_expired": "Did not come within the days allowed",
        "never_closed": "The call was never closed",
        "retention": "Deleted when its time was over",
        "not_delivered": "Available, but the batch did not bring it",
        "transfer_broken": "The download broke",
        "not_audio": "What came was no audio",
        "metadata_unreadable": "Its metadata could not be read",
        "file_lost": "The stored file is gone or damaged",
        "no_agent": "Excluded: no agent in the conversation",
        "agent_without_voice": "Excluded: the agent did not take part by voice",
    },
    effort="Size and effort",
    audio="Audio",
    size="Stored",
    ignored="Screen and chat recordings left out",
    run_time="Run time",
    requests="API requests",
    waiting="Waited for Genesys Cloud",
    digest_columns=("Day", "Stored", "Pending", "Missing", "Failed"),
)
