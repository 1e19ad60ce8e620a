"""Versions that only evaluations of the days between an import and its undoing read."""

from alembic import op

revision = "0013"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("clinician", "leave", "supervision_link", "client", "episode", "appointment", "score")


def upgrade() -> None:
    """Adds a column to every version table."""
    # in words: SQLite can add a column that refers to a table, but no constraint afterwards
    big = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    for table in TABLES:
        name = f"fk_{table}_version_undo_id"
        op.execute(f'ALTER TABLE {table}_version ADD COLUMN undo_id {big} CONSTRAINT {name} REFERENCES "import" (id)')
        op.create_index(f"ix_{table}_version_undo_id", f"{table}_version", ["undo_id"])
