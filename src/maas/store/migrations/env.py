"""Alembic runs this to migrate; the connection, its transaction and its lock come from store/migrate.py."""

from alembic import context

from maas.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
