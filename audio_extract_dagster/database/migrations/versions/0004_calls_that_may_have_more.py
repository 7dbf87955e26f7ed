"""The records of a call say whether it may get more: then it is asked again, or looked at.

A column gets another name, which is not done to a table that is in use: no release has known it.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What stands for its name elsewhere, the index too, follows.
    op.execute("ALTER TABLE audio_records RENAME call_was_open TO may_have_more")
    op.execute("""
        UPDATE audio_records SET may_have_more = true
          FROM agent_calls
         WHERE agent_calls.conversation_id = audio_records.conversation_id
           AND agent_calls.ended_at IS NULL
           AND audio_records.status = 'MISSING'
           AND audio_records.reason IS DISTINCT FROM 'retention'
           AND audio_records.reason IS DISTINCT FROM 'never_closed'
    """)
