"""Stored audio says whether its call had ended: if not, the call may have more once it has."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE audio_records ADD call_was_open boolean NOT NULL DEFAULT false")
    op.execute("""
        UPDATE audio_records SET call_was_open = true
          FROM agent_calls
         WHERE agent_calls.conversation_id = audio_records.conversation_id
           AND agent_calls.ended_at IS NULL
           AND audio_records.status = 'STORED'
    """)
    # Few of many rows, looked for every five minutes.
    op.execute("""
        CREATE INDEX ix_audio_records_open ON audio_records (call_date)
         WHERE status IN ('PENDING', 'FAILED') OR call_was_open
    """)
