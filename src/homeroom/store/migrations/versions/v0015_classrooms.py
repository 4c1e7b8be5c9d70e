"""Classrooms: who is in the class, and what is still to be sent at its closing."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the open classrooms, and the signs of life of the persons in them."""
    op.create_table(
        "open_classrooms",
        sa.Column("lesson_id", Id, autoincrement=False, nullable=False),
        sa.Column("is_closed", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("is_closed IN (0, 1)", name=op.f("ck_open_classrooms_is_closed")),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_open_classrooms_lesson_id_lessons")
        ),
        sa.PrimaryKeyConstraint("lesson_id", name=op.f("pk_open_classrooms")),
    )
    op.create_table(
        "classroom_signs",
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_classroom_signs_lesson_id_lessons")
        ),
        sa.PrimaryKeyConstraint("lesson_id", "user_id", "source", name=op.f("pk_classroom_signs")),
    )
