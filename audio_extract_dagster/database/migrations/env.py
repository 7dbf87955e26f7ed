"""What Alembic runs to apply the steps: on the connection that `database/migrate.py` hands over.

There is no `alembic.ini` and no connecting here: lock, transaction and schema are `migrate`'s.
"""

from __future__ import annotations

from alembic import context

context.configure(**context.config.attributes["migration_context"])
context.run_migrations()
