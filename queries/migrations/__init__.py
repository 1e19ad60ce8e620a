"""Alembic migrations, run by ``queries.schema.migrate``; there is no alembic.ini."""
