"""The records of a call say whether it may get more: then it is asked again, or looked at."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE audio_records ADD may_have_more boolean NOT NULL DEFAULT false")
    op.execute("""
        UPDATE audio_records SET may_have_more = true
          FROM agent_calls
         WHERE agent_calls.conversation_id = audio_records.conversation_id
           AND agent_calls.ended_at IS NULL
           AND audio_records.status IN ('STORED', 'MISSING')
           AND audio_records.reason IS DISTINCT FROM 'retention'
           AND audio_records.reason IS DISTINCT FROM 'never_closed'
    """)
    # Few of many rows, looked for every five minutes.
    op.execute("""
        CREATE INDEX ix_audio_records_open ON audio_records (call_date)
         WHERE status IN ('PENDING', 'FAILED') OR may_have_more
    """)
