"""Counters of tries, known browsers, second factors, e-mail addresses, and what a session was opened with."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("deployment_secret", "provider_answer", "recovery_code", "second_factor", "user_device", "sign_in_counter")
SESSION = (("sign_in_id", ""), ("method", "password"), ("address", None), ("agent", None))  # and what old rows get


def _user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f(f"fk_{table}_user_id"))


def upgrade() -> None:
    """Adds six tables and five columns; the counter in ``app_user`` goes, and old sessions keep both their halves."""
    op.create_table(
        "sign_in_counter",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sign_in_counter")),
    )
    op.create_index("ix_sign_in_counter_at", "sign_in_counter", ["at"])
    op.create_table(
        "user_device",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(), nullable=False),
        _user("user_device"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_device")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_user_device_secret_hash")),
    )
    op.create_index("ix_user_device_user_id", "user_device", ["user_id"])
    op.create_table(
        "second_factor",
        sa.Column("user_id", BIG, nullable=False, autoincrement=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("code_salt", sa.String(), nullable=True),
        _user("second_factor"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        _user("recovery_code"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"])
    op.create_table(
        "provider_answer",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_provider_answer")),
    )
    op.create_index("ix_provider_answer_at", "provider_answer", ["at"])
    op.create_table(
        "deployment_secret",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_deployment_secret")),
    )
    op.add_column("app_user", sa.Column("email", sa.String(), nullable=True))
    op.create_index("uq_app_user_email", "app_user", ["email"], unique=True)
    op.drop_column("app_user", "failed_attempts")
    op.drop_column("app_user", "last_failed_at")
    for name, default in SESSION:
        op.add_column("user_session", sa.Column(name, sa.String(), nullable=default is None, server_default=default))
    op.execute(
        "UPDATE user_session SET sign_in_id = (SELECT substr(min(other.id_hash), 1, 16) FROM user_session other "
        "WHERE other.user_id = user_session.user_id AND other.created_at = user_session.created_at)"
    )
    op.create_index("ix_user_session_sign_in_id", "user_session", ["sign_in_id"])


def downgrade() -> None:
    """Takes all of it away again; nobody is locked out afterwards."""
    op.drop_index("ix_user_session_sign_in_id", "user_session")
    for name, _ in SESSION:
        op.drop_column("user_session", name)
    op.add_column("app_user", sa.Column("last_failed_at", sa.DateTime(), nullable=True))
    op.add_column("app_user", sa.Column("failed_attempts", sa.Integer(), nullable=False, server_default="0"))
    op.drop_index("uq_app_user_email", "app_user")
    op.drop_column("app_user", "email")
    for table in TABLES:
        op.drop_table(table)
