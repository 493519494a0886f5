"""Alembic runs this file. The connection, and the transaction it is in, are the caller's (`store.migrate`)."""

from alembic import context

from ostinato.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
