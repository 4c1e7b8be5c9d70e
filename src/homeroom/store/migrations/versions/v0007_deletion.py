"""Storages have ids, and what the retention deletes can be restored for some days."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add storages and swept rows, and the columns that refer to them."""
    op.create_table(
        "storages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_storages")),
    )
    op.create_table(
        "swept_rows",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("sort", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("swept_at", sa.BigInteger(), nullable=False),
        sa.Column("erase_after", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "sort IN ('viewers', 'chats', 'pushes')", name=op.f("ck_swept_rows_sort")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_swept_rows_school_id")
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_swept_rows_lesson_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_swept_rows")),
    )
    for column in ("school_id", "lesson_id", "erase_after"):
        op.create_index(op.f(f"ix_swept_rows_{column}"), "swept_rows", [column])
    for column in ("erase_after", "swept_at", "restored_at"):
        op.add_column("clips", sa.Column(column, sa.BigInteger(), nullable=True))
    op.add_column("clips", sa.Column("storage_id", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("storage_id", sa.Text(), nullable=True))
    op.create_index(
        "ix_clips_erase_after",
        "clips",
        ["erase_after"],
        sqlite_where=sa.text("erase_after IS NOT NULL"),
        postgresql_where=sa.text("erase_after IS NOT NULL"),
    )
