"""The audit bound row to row and closed against changes; the purpose of a session."""

import sqlalchemy as sa
from alembic import op

from queries.audit_chain import ERASED, START, Sealed, hash_of_detail, hash_of_row, new_salt

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None

COLUMNS = ("purpose", "salt", "detail_hash", "previous_hash", "row_hash")
KEPT = ("id", "at", "practice_id", "username", "action", "clinician_id", "episode_id", "purpose", "detail_hash",
        "previous_hash", "row_hash")  # fmt: skip
REFUSED = "The audit is append-only: its rows are never changed or removed. Nothing was changed."
AUDIT = sa.table(
    "audit",
    sa.column("id", sa.BigInteger),
    sa.column("at", sa.DateTime),
    *(sa.column(name, sa.BigInteger) for name in ("practice_id", "clinician_id", "episode_id")),
    *(sa.column(name, sa.String) for name in ("username", "action", "detail", *COLUMNS)),
)
PART = 1000
BEFORE = "before text = coalesce(current_setting('supervision.practice', true), '')"
OVER_ALL = "PERFORM set_config('supervision.practice', '*', true)"
AS_BEFORE = "PERFORM set_config('supervision.practice', before, true)"


def _may_erase(different: str) -> str:
    """What the one change that is allowed looks like: text and salt of a detail go, everything else stays."""
    same = " AND ".join(f"NOT (NEW.{name} {different} OLD.{name})" for name in KEPT)
    return (
        f"{same} AND OLD.detail IS NOT NULL AND NEW.detail = '{ERASED}' AND NEW.salt IS NULL"
        " AND OLD.action <> 'change audit details erased'"
    )


def _close_embedded() -> None:
    refuse = f"SELECT RAISE(ABORT, '{REFUSED}')"
    op.execute(f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN {refuse}; END")
    op.execute(
        f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit WHEN NOT ({_may_erase('IS NOT')}) BEGIN {refuse}; END"
    )
    # INSERT OR REPLACE removes rows without asking the trigger above
    op.execute(
        "CREATE TRIGGER audit_append BEFORE INSERT ON audit WHEN NEW.id <= (SELECT max(id) FROM audit)"  # noqa: S608
        f" BEGIN {refuse}; END"
    )


def _close_server() -> None:
    # with the rights of whoever owns the tables, and over all rows, which row security would hold back from the owner too
    as_owner = "LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT"
    op.execute(
        f"CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger {as_owner} AS $$"  # noqa: S608
        f" DECLARE {BEFORE}; newest bigint; BEGIN"
        " IF TG_OP = 'INSERT' THEN"
        f"  {OVER_ALL}; SELECT max(id) INTO newest FROM audit; {AS_BEFORE};"
        "  IF NEW.id > COALESCE(newest, 0) THEN RETURN NEW; END IF;"
        " ELSIF TG_OP = 'UPDATE' THEN"
        f"  IF {_may_erase('IS DISTINCT FROM')} THEN RETURN NEW; END IF;"
        f" END IF; RAISE EXCEPTION '{REFUSED}'; END $$"
    )
    op.execute(
        "CREATE OR REPLACE FUNCTION audit_tail() RETURNS TABLE (last_id bigint, last_hash varchar)"  # noqa: S608
        f" {as_owner} AS $$ DECLARE {BEFORE}; BEGIN {OVER_ALL};"
        f" RETURN QUERY SELECT a.id, a.row_hash FROM audit a ORDER BY a.id DESC LIMIT 1; {AS_BEFORE}; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE INSERT OR UPDATE OR DELETE ON audit"
        " FOR EACH ROW EXECUTE FUNCTION audit_append_only()"
    )
    op.execute(
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
    )


def _bind_rows(connection: sa.Connection) -> None:
    previous, done = START, 0
    change = (
        sa.update(AUDIT)
        .where(AUDIT.c.id == sa.bindparam("number"))
        .values({name: sa.bindparam(f"new_{name}") for name in ("salt", "detail_hash", "previous_hash", "row_hash")})
    )
    while rows := connection.execute(sa.select(AUDIT).where(AUDIT.c.id > done).order_by(AUDIT.c.id).limit(PART)).all():
        values = []
        for row in rows:
            salt = None if row.detail is None else new_salt()
            detail_hash = None if salt is None else hash_of_detail(salt, row.detail)
            sealed = Sealed(
                previous, row.id, row.at, row.practice_id, row.username, row.action, row.clinician_id, row.episode_id,
                None, detail_hash,
            )  # fmt: skip
            own = hash_of_row(sealed)
            values.append(
                {"number": row.id, "new_salt": salt, "new_detail_hash": detail_hash, "new_previous_hash": previous,
                 "new_row_hash": own}
            )  # fmt: skip
            previous, done = own, row.id
        connection.execute(change, values)


def upgrade() -> None:
    """Adds the columns, binds the rows that are there, and closes the table."""
    op.add_column("user_session", sa.Column("purpose", sa.String(), nullable=True))
    for name in ("purpose", "salt", "detail_hash"):
        op.add_column("audit", sa.Column(name, sa.String(), nullable=True))
    for name in ("previous_hash", "row_hash"):
        op.add_column("audit", sa.Column(name, sa.String(), nullable=False, server_default=""))
    _bind_rows(op.get_bind())
    op.create_index("ix_audit_previous_hash", "audit", ["previous_hash"], unique=True)
    if op.get_bind().dialect.name == "sqlite":
        _close_embedded()
    else:
        _close_server()


def downgrade() -> None:
    """Opens the table and takes the columns away."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("audit_no_delete", "audit_no_update", "audit_append"):
            op.execute(f"DROP TRIGGER {name}")
    else:
        op.execute("DROP FUNCTION audit_append_only() CASCADE")
        op.execute("DROP FUNCTION audit_tail()")
    op.drop_index("ix_audit_previous_hash", "audit")
    for name in COLUMNS:
        op.drop_column("audit", name)
    op.drop_column("user_session", "purpose")
