"""Withdrawn rows, merged clients, undone imports and their content, saved mappings, sync marks, erased ids."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Adds columns and four tables."""
    op.add_column("episode", sa.Column("withdrawn_on", sa.Date(), nullable=True))
    op.add_column("appointment", sa.Column("withdrawn_on", sa.Date(), nullable=True))
    op.add_column("score", sa.Column("source", sa.String(), nullable=True))
    op.add_column("score_version", sa.Column("source", sa.String(), nullable=True))
    op.add_column("import", sa.Column("kind", sa.String(), nullable=False, server_default="files"))
    # in words: SQLite can add a column that refers to a table, but no constraint afterwards, and a table that others
    # refer to cannot be made anew
    big = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    for table, column, target in (("client", "merged_into_id", "client"), ("import", "undoes_id", "import")):
        name = f"fk_{table}_{column}"
        op.execute(f'ALTER TABLE "{table}" ADD COLUMN {column} {big} CONSTRAINT {name} REFERENCES "{target}" (id)')
    op.create_table(
        "import_content",
        sa.Column("import_id", BIG, nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_import_content_import_id")),
        sa.PrimaryKeyConstraint("import_id", "table_name", name=op.f("pk_import_content")),
    )
    op.create_table(
        "saved_mapping",
        sa.Column("id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_saved_mapping_practice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_mapping")),
        sa.UniqueConstraint("practice_id", "name", name=op.f("uq_saved_mapping_practice_id_name")),
    )
    op.create_table(
        "sync_mark",
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("watermark", sa.String(), nullable=False),
        sa.Column("synced_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_sync_mark_practice_id")),
        sa.PrimaryKeyConstraint("practice_id", "source", "file", name=op.f("pk_sync_mark")),
    )
    op.create_table(
        "erased_key",
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("erased_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_erased_key_practice_id")),
        sa.PrimaryKeyConstraint("practice_id", "source", "table_name", "key_hash", name=op.f("pk_erased_key")),
    )
