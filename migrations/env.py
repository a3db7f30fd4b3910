"""Runs migrations on the connection that `cluster.store.schema` hands over."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"], version_table=context.config.attributes["version_table"], transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
