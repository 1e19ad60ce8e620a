"""Earlier versions of clinicians, leave, supervision links and clients, as episodes, appointments and scores have them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# table -> the columns whose corrections are kept
KEPT: dict[str, tuple[sa.Column, ...]] = {
    "clinician": (
        sa.Column("display_name", sa.String(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("is_trainee", sa.Boolean(), nullable=True),
    ),
    "leave": (
        sa.Column("cover_id", BIG, sa.ForeignKey("clinician.id", name="fk_leave_version_cover_id"), nullable=True),
    ),
    "supervision_link": (sa.Column("to_day", sa.Date(), nullable=True),),
    "client": (
        sa.Column("given_code", sa.String(), nullable=True),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("gender", sa.String(), nullable=True),
        sa.Column("ethnicity", sa.String(), nullable=True),
    ),
}


def upgrade() -> None:
    """Tells a client's given code from one made here, and creates one version table for each kind of row."""
    op.add_column("client", sa.Column("given_code", sa.String(), nullable=True))
    op.execute("UPDATE client SET given_code = client_code")
    for table, columns in KEPT.items():
        name = f"{table}_version"
        op.create_table(
            name,
            sa.Column("version_id", BIG, nullable=False),
            sa.Column("id", BIG, nullable=False),
            sa.Column("practice_id", BIG, nullable=False),
            sa.Column("superseded_on", sa.Date(), nullable=False),
            *columns,
            sa.Column("known_from", sa.Date(), nullable=True),
            sa.Column("import_id", BIG, nullable=True),
            sa.ForeignKeyConstraint(["id"], [f"{table}.id"], name=f"fk_{name}_id"),
            sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=f"fk_{name}_practice_id"),
            sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=f"fk_{name}_import_id"),
            sa.PrimaryKeyConstraint("version_id", name=f"pk_{name}"),
        )
        op.create_index(f"ix_{name}_id", name, ["id"])
        op.create_index(f"ix_{name}_practice_id", name, ["practice_id"])
