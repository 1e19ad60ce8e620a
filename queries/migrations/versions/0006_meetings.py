"""The supervision meeting: agenda, what was written, what was agreed, sign-off."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Adds the tables; there is nothing to fill."""
    op.create_table(
        "meeting",
        sa.Column("id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("leader", sa.String(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("hides_names", sa.Boolean(), nullable=False),
        sa.Column("data_as_of", sa.Date(), nullable=False),
        sa.Column("rules_version", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name="fk_meeting_practice_id"),
        sa.PrimaryKeyConstraint("id", name="pk_meeting"),
        sa.UniqueConstraint("public_id", name="uq_meeting_public_id"),
    )
    op.create_index("ix_meeting_practice_id", "meeting", ["practice_id"])
    op.create_table(
        "meeting_supervisee",
        sa.Column("meeting_id", BIG, nullable=False),
        sa.Column("clinician_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"], name="fk_meeting_supervisee_clinician_id"),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name="fk_meeting_supervisee_meeting_id"),
        sa.PrimaryKeyConstraint("meeting_id", "clinician_id", name="pk_meeting_supervisee"),
    )
    op.create_table(
        "agenda_item",
        sa.Column("id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("meeting_id", BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("episode_id", BIG, nullable=True),
        sa.Column("clinician_id", BIG, nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.String(), nullable=True),
        sa.Column("stratum", sa.String(), nullable=True),
        sa.Column("draw", sa.Double(), nullable=True),
        sa.Column("drawn_in", sa.Boolean(), nullable=True),
        sa.Column("priority", sa.String(), nullable=True),
        sa.Column("signals", sa.String(), nullable=True),
        sa.Column("added_by", sa.String(), nullable=True),
        sa.Column("discussed", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"], name="fk_agenda_item_clinician_id"),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name="fk_agenda_item_episode_id"),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name="fk_agenda_item_meeting_id"),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name="fk_agenda_item_practice_id"),
        sa.PrimaryKeyConstraint("id", name="pk_agenda_item"),
    )
    op.create_index("ix_agenda_item_episode_id", "agenda_item", ["episode_id"])
    op.create_index("ix_agenda_item_meeting_position", "agenda_item", ["meeting_id", "position"])
    op.create_index("ix_agenda_item_practice_id", "agenda_item", ["practice_id"])
    op.create_table(
        "meeting_field",
        sa.Column("item_id", BIG, nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("saved_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["agenda_item.id"], name="fk_meeting_field_item_id"),
        sa.PrimaryKeyConstraint("item_id", "field", name="pk_meeting_field"),
    )
    op.create_table(
        "agreed_action",
        sa.Column("id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("meeting_id", BIG, nullable=False),
        sa.Column("episode_id", BIG, nullable=True),
        sa.Column("clinician_id", BIG, nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("look_again_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("state_on", sa.Date(), nullable=True),
        sa.Column("state_by", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"], name="fk_agreed_action_clinician_id"),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name="fk_agreed_action_episode_id"),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name="fk_agreed_action_meeting_id"),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name="fk_agreed_action_practice_id"),
        sa.PrimaryKeyConstraint("id", name="pk_agreed_action"),
    )
    op.create_index("ix_agreed_action_episode_id", "agreed_action", ["episode_id"])
    op.create_index("ix_agreed_action_meeting_id", "agreed_action", ["meeting_id"])
    op.create_index("ix_agreed_action_practice_id", "agreed_action", ["practice_id"])
    op.create_table(
        "sign_off",
        sa.Column("meeting_id", BIG, nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("signed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name="fk_sign_off_meeting_id"),
        sa.PrimaryKeyConstraint("meeting_id", "username", name="pk_sign_off"),
    )
    op.create_table(
        "meeting_addition",
        sa.Column("id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("meeting_id", BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name="fk_meeting_addition_meeting_id"),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name="fk_meeting_addition_practice_id"),
        sa.PrimaryKeyConstraint("id", name="pk_meeting_addition"),
    )
    op.create_index("ix_meeting_addition_meeting_id", "meeting_addition", ["meeting_id"])
    op.create_index("ix_meeting_addition_practice_id", "meeting_addition", ["practice_id"])
    op.create_table(
        "episode_mark",
        sa.Column("id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("episode_id", BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("is_set", sa.Boolean(), nullable=False),
        sa.Column("marked_at", sa.DateTime(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name="fk_episode_mark_episode_id"),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name="fk_episode_mark_practice_id"),
        sa.PrimaryKeyConstraint("id", name="pk_episode_mark"),
    )
    op.create_index("ix_episode_mark_episode_id", "episode_mark", ["episode_id"])
    op.create_index("ix_episode_mark_practice_id", "episode_mark", ["practice_id"])
