"""An index in which the calls of a day stand in their order: each batch begins where one ended."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE INDEX ix_agent_calls_call_date_conversation_start_conversation_id
            ON agent_calls (call_date, conversation_start, conversation_id)
    """)
    # Whatever it was good for, the new one is, too.
    op.execute("DROP INDEX ix_agent_calls_call_date")
