"""Whether a database is whole and how it is set up: what ``doctor`` asks it."""

from __future__ import annotations

from sqlalchemy import Connection, text

MOST = 3  # of what is wrong, how much is said
# PostgreSQL: settings that lose committed rows at a power cut
UNSAFE = (("fsync", "on"), ("full_page_writes", "on"))
OLDEST = 130_000  # project default: oldest major version tested is 13; PostgreSQL supports each for five years


def embedded(connection: Connection) -> list[str]:
    """What is wrong with an SQLite file: broken pages or indexes, rows whose parent is missing. Empty: all is well."""
    pages = connection.exec_driver_sql("PRAGMA integrity_check(10)").scalars().all()
    wrong = [str(line) for line in pages if line != "ok"]
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(MOST)
    wrong += [f"a row of {row[0]} whose {row[2]} is missing" for row in orphans]
    return wrong[:MOST]


def server(connection: Connection) -> list[str]:
    """What is wrong in PostgreSQL: constraints not checked, indexes not valid or, where amcheck is there, not in order."""
    loose = connection.execute(
        text(
            "SELECT conrelid::regclass || ' ' || conname FROM pg_constraint JOIN pg_namespace n ON n.oid = connamespace"
            " WHERE NOT convalidated AND n.nspname = current_schema()"
            " UNION ALL SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND n.nspname = current_schema()"
        )
    )
    wrong = [f"not valid: {name}" for name in loose.scalars()]
    if connection.execute(text("SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'")).scalar():
        connection.execute(
            text(
                "SELECT bt_index_check(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                " JOIN pg_am a ON a.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE a.amname = 'btree' AND i.indisvalid AND n.nspname = current_schema()"
            )
        ).all()
    return wrong[:MOST]


def server_settings(connection: Connection) -> tuple[list[str], str]:
    """What to mend in the server's set-up, and its version and time limits in words."""
    version = int(str(connection.execute(text("SHOW server_version_num")).scalar_one()))
    shown = {
        name: str(connection.execute(text(f"SHOW {name}")).scalar_one())
        for name in ("server_version", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout",
                     "max_connections", "fsync", "full_page_writes")
    }  # fmt: skip
    unsafe = [(name, good) for name, good in UNSAFE if shown[name] != good]
    mend = [f"{name} is {shown[name]}: set it {good}, a power cut loses rows otherwise" for name, good in unsafe]
    if version < OLDEST:
        mend.append(f"version {shown['server_version']} is older than any that was tested")
    words = (
        f"PostgreSQL {shown['server_version']}, at most {shown['max_connections']} connections; waits for a lock "
        f"{shown['lock_timeout']}, for an idle change {shown['idle_in_transaction_session_timeout']}"
    )
    return mend, words
