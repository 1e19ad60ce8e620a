"""Alembic's entry: runs on the connection, and inside the transaction, that ``queries.schema`` hands over."""

from alembic import context

from queries import growth_tables, intake_tables, meeting_tables, opening_tables, pattern_tables, sign_in_tables
from queries.tables import Base

for tables in (
    meeting_tables.Meeting,
    pattern_tables.EpisodeExpectation,
    growth_tables.GrowthGoal,
    intake_tables.SavedMapping,
    sign_in_tables.SignInCounter,
    opening_tables.OpenedCaseload,
):
    assert tables.metadata is Base.metadata  # noqa: S101 - importing them is what adds them
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
context.run_migrations()
