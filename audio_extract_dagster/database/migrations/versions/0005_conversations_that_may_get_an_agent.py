"""An index of the conversations without an agent that are still open: an agent may join them."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Few of many rows, looked for every five minutes.
    op.execute("""
        CREATE INDEX ix_conversations_open ON conversations (conversation_start)
         WHERE conversation_end IS NULL AND NOT has_agent
    """)
