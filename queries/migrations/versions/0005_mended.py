"""Which row of which table was set aside, so that the import that takes it in at last can be named."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns; rows set aside before stay without, and stay listed."""
    op.add_column("set_aside", sa.Column("table_name", sa.String(), nullable=True))
    op.add_column("set_aside", sa.Column("row_key", sa.Text(), nullable=True))
