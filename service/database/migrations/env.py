"""What Alembic runs: the steps on the connection that migrate.py hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from service.database.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
