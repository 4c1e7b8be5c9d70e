"""Visits of pages have a beat, and live no longer than the page is open."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Replace the table, which no version has written to."""
    op.drop_table("page_visits")
    op.create_table(
        "page_visits",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("visit_key", sa.Text(), nullable=False),
        sa.Column("is_replay", sa.SmallInteger(), nullable=False),
        sa.Column("client_type", sa.SmallInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("nickname", sa.Text(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_page_visits_lesson_id")
        ),
        sa.CheckConstraint("is_replay IN (0, 1)", name=op.f("ck_page_visits_is_replay")),
        sa.CheckConstraint("client_type IN (1, 2, 3)", name=op.f("ck_page_visits_client_type")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_visits")),
        sa.UniqueConstraint(
            "lesson_id", "visit_key", name=op.f("uq_page_visits_lesson_id_visit_key")
        ),
        sqlite_autoincrement=True,
    )
