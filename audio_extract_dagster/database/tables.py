"""Every table of the project, each column with its meaning: the data dictionary is made from here.

No schema is named: the connection's `search_path` decides. A change here needs a migration beside
it (`migrations/versions/`); a test compares the two. The keys and the columns that other people's
systems read are part of the contract and do not change.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TextClause,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

MOMENT = DateTime(timezone=True)
TEXTS = ARRAY(Text)
# Python's None is SQL's NULL, never JSON's null.
JSON = JSONB(none_as_null=True)

_Kind = TypeEngine[Any] | type[TypeEngine[Any]]


def _key(name: str, kind: _Kind, comment: str, default: str | None = None) -> Column[Any]:
    return Column(name, kind, primary_key=True, comment=comment, server_default=_sql(default))


def _must(name: str, kind: _Kind, comment: str, default: str | None = None) -> Column[Any]:
    return Column(name, kind, nullable=False, comment=comment, server_default=_sql(default))


def _may(name: str, kind: _Kind, comment: str) -> Column[Any]:
    return Column(name, kind, nullable=True, comment=comment)


def _sql(literal: str | None) -> TextClause | None:
    return None if literal is None else text(literal)


_CONVERSATION = "The conversation's id at Genesys"
_DAY = "The business day, in TIMEZONE, on which the conversation started"
# Of a day, and of a run when it ended.
_COUNTS: tuple[tuple[str, _Kind, str], ...] = (
    ("conversations", Integer, "Voice conversations: agent calls and excluded"),
    ("agent_calls", Integer, "Calls in which an agent took part"),
    ("excluded", Integer, "Conversations left out, each with a reason"),
    ("stored", Integer, "Recordings whose file is there"),
    ("pending", Integer, "Recordings that Genesys may still give"),
    ("missing", Integer, "Recordings that Genesys will not give"),
    ("failed", Integer, "Recordings that we or the wire failed on"),
    ("ignored", Integer, "Screen and chat results of all batches; asked for again, counted again"),
    ("bytes", BigInteger, "Size of the stored files together"),
    ("audio_minutes", Double, "Length of the stored audio together"),
)

conversations = Table(
    "conversations",
    metadata,
    _key("conversation_id", Text, _CONVERSATION),
    _must("call_date", Date, _DAY),
    _must("conversation_start", MOMENT, "When the conversation started"),
    _may("conversation_end", MOMENT, "When it ended; NULL while it is open"),
    _may("originating_direction", Text, "How it began: inbound or outbound"),
    _must("queue_ids", TEXTS, "The queues it passed through, in order of first segment"),
    _must("has_agent", Boolean, "Whether it is an agent call: an agent took part by voice"),
    _may("excluded_reason", Text, "Why it is no agent call; NULL for agent calls"),
    _must("payload", JSON, "The conversation as Genesys listed it; {} after RETENTION_DAYS"),
    Index(None, "call_date"),
    Index(
        "ix_conversations_open",
        "conversation_start",
        postgresql_where=text("conversation_end IS NULL AND NOT has_agent"),
    ),
    comment="Every voice conversation of a day, with the reason for each that is left out",
)

agent_calls = Table(
    "agent_calls",
    metadata,
    _key("conversation_id", Text, _CONVERSATION),
    _must("call_date", Date, _DAY),
    _must("conversation_start", MOMENT, "When the conversation started"),
    _may("direction", Text, "How the conversation began: inbound or outbound"),
    _must("agent_ids", TEXTS, "The agents' user ids, in order of first segment"),
    _must("answered", Boolean, "Whether a voice session of an agent reached `interact`"),
    _may("ani", Text, "The caller's address; NULL after RETENTION_DAYS"),
    _may("dnis", Text, "The dialled address; NULL after RETENTION_DAYS"),
    _may("talk_ms", BigInteger, "Talk time in ms, summed over the agents' voice sessions"),
    _may("hold_ms", BigInteger, "Hold time in ms, summed likewise"),
    _may("acw_ms", BigInteger, "After-call work in ms, summed likewise"),
    _may("handle_ms", BigInteger, "Handle time in ms, summed likewise"),
    _may("queue_id", Text, "Queue of the last session that answered, else the last that rang"),
    _may("wrap_up_code", Text, "Wrap-up code of the same session"),
    _may("disconnect_type", Text, "How the same session ended"),
    _must("recording_sessions", Integer, "Voice sessions that say `recording: true`"),
    _may("ended_at", MOMENT, "When the conversation ended; NULL while it is open"),
    Index(None, "call_date", "conversation_start", "conversation_id"),
    comment="The calls of a day in which an agent took part, also those that only rang",
)

audio_batches = Table(
    "audio_batches",
    metadata,
    _key("batch_id", Text, "Our id of the batch request"),
    _must("call_date", Date, "The business day whose calls it asks for"),
    _must("run_id", Text, "The Dagster run that planned it"),
    _must("batch_number", Integer, "Number within the day, from 1; it goes on over its runs"),
    _may("genesys_job_id", Text, "The job id that Genesys answered"),
    _must("status", Text, "PLANNED, SUBMITTED, COMPLETED or FAILED"),
    _must("requested", JSON, "The items asked for, written before the request is sent"),
    _must("requested_count", Integer, "Number of items asked for"),
    _may("expected_count", Integer, "Results that Genesys says to expect"),
    _may("result_count", Integer, "Results received"),
    _may("error_count", Integer, "Results that were errors"),
    _must("ignored_count", Integer, "Screen and chat results, which get no row", "0"),
    _must("planned_at", MOMENT, "When the intent was written"),
    _may("submitted_at", MOMENT, "When Genesys confirmed the request"),
    _may("completed_at", MOMENT, "When Genesys was seen to have finished it; NULL otherwise"),
    _may("error", Text, "Why it failed; operations.md explains each"),
    CheckConstraint("status IN ('PLANNED', 'SUBMITTED', 'COMPLETED', 'FAILED')", name="status"),
    Index(None, "call_date"),
    Index(None, "status"),
    comment="The life cycle of each request for a batch of recordings",
)

audio_records = Table(
    "audio_records",
    metadata,
    _key("conversation_id", Text, _CONVERSATION),
    _key("recording_id", Text, "The recording's id; '' in the one row for what has none", "''"),
    _key("part", Integer, "0 for a single file, else 1 to n", "0"),
    _must("call_date", Date, _DAY),
    _may("batch_id", Text, "The batch that decided the row; NULL when none did"),
    _must("status", Text, "STORED, PENDING, MISSING or FAILED"),
    _may("reason", Text, "Why it is not stored; NULL for stored audio"),
    _may("uri", Text, "Where the file is"),
    _may("content_type", Text, "Content type as delivered"),
    _may("size_bytes", BigInteger, "Size of the file"),
    _may("sha256", Text, "SHA-256 of the file, in hex"),
    _may("duration_seconds", Double, "Length of the audio; NULL when its header does not tell"),
    _must("attempts", Integer, "How often it was asked for or fetched", "0"),
    _may("first_requested_at", MOMENT, "When it was first asked for"),
    _may("stored_at", MOMENT, "When the file was complete"),
    _must("updated_at", MOMENT, "When the row last changed"),
    _must("may_have_more", Boolean, "Its call may get recordings not listed yet", "false"),
    CheckConstraint("status IN ('STORED', 'PENDING', 'MISSING', 'FAILED')", name="status"),
    CheckConstraint(
        "CASE WHEN status = 'STORED'"
        " THEN uri IS NOT NULL AND size_bytes IS NOT NULL AND sha256 IS NOT NULL"
        " ELSE reason IS NOT NULL END",
        name="accounted",
    ),
    Index(None, "call_date", "status"),
    Index(
        "ix_audio_records_open",
        "call_date",
        postgresql_where=text("status IN ('PENDING', 'FAILED') OR may_have_more"),
    ),
    comment="Every recording of every agent call: the file that is there, or why it is not",
)

daily_report = Table(
    "daily_report",
    metadata,
    _key("call_date", Date, "The business day, in TIMEZONE"),
    *(_must(*count) for count in _COUNTS),
    _must("requests", Integer, "API requests, summed over the day's runs"),
    _must("wait_seconds", Double, "Seconds waited for budget, rate limits and retries, likewise"),
    _must("reasons", JSON, "Counts by reason"),
    comment="The closed counts of each day",
)

extraction_jobs = Table(
    "extraction_jobs",
    metadata,
    _key("run_id", Text, "The Dagster run"),
    _must("call_date", Date, "The business day that it extracts"),
    _must("status", Text, "RUNNING, SUCCEEDED, INCOMPLETE, FAILED or CANCELED"),
    _may("stage", Text, "Where it is: start, conversations, agent_calls, audio or daily_report"),
    _must("started_at", MOMENT, "When it started"),
    _may("finished_at", MOMENT, "When it ended; NULL while it runs"),
    *(_may(*count) for count in _COUNTS),
    _must("requests", Integer, "API requests of this run", "0"),
    _must(
        "wait_seconds", Double, "Seconds this run waited for budget, rate limits and retries", "0"
    ),
    _may("reasons", JSON, "Counts by reason"),
    _may("error", Text, "The first error"),
    CheckConstraint(
        "status IN ('RUNNING', 'SUCCEEDED', 'INCOMPLETE', 'FAILED', 'CANCELED')", name="status"
    ),
    Index(None, "call_date", "started_at"),
    comment="The life cycle of each run, with the counts of its day when it ended",
)

day_counts = Table(
    "day_counts",
    metadata,
    _key("asset", Text, "The table whose rows were written"),
    _key("call_date", Date, "The business day"),
    _must("counts", JSON, "What the stream of rows said of itself, with the rows kept"),
    comment="The accounting of a day's rows, written in the transaction of the rows",
)

notifications = Table(
    "notifications",
    metadata,
    _key("run_id", Text, "The Dagster run, or the backfill, that it tells of"),
    _key("status", Text, "The outcome that it tells"),
    _may("call_date", Date, "The business day; NULL for a digest of several"),
    _must("kind", Text, "What it tells of: day, digest, not_run or retention"),
    _must("subject", Text, "Subject of the mail"),
    _must("title", Text, "Title of the message"),
    _must("html", Text, "The message"),
    _must("created_at", MOMENT, "When it was put in the outbox"),
    _must("next_try_at", MOMENT, "Not to be sent before"),
    _must("attempts", Integer, "Tries so far", "0"),
    _may("sent_at", MOMENT, "When the gateway took it; NULL while it waits"),
    _may("last_error", Text, "Why the last try failed"),
    Index("ix_notifications_unsent", "next_try_at", postgresql_where=text("sent_at IS NULL")),
    comment="The outbox of the messages",
)

request_budget = Table(
    "request_budget",
    metadata,
    _key("client_id", Text, "The OAuth client whose requests are counted"),
    _must("taken", ARRAY(Double), "When the latest requests left, in Unix seconds"),
    _must("due", Double, "When the next request would be due at an even pace, in Unix seconds"),
    _must("quiet_until", Double, "Before this moment Genesys wants no request, in Unix seconds"),
    comment="The API budget that all runs share",
)
