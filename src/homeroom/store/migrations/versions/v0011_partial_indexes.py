"""Indexes of columns that are mostly NULL hold the other rows alone."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

COLUMNS = (
    ("users", "telephone"),
    ("users", "email"),
    ("viewers", "user_id"),
    ("chat_entries", "viewer_id"),
)


def upgrade() -> None:
    """Replace the indexes, and add one of the auditors of each course."""
    for table, column in COLUMNS:
        name = f"ix_{table}_{column}"
        op.drop_index(name, table)
        _create_index(name, table, column, f"{column} IS NOT NULL")
    _create_index("ix_course_members_auditors", "course_members", "course_id", "role = 2")


def _create_index(name: str, table: str, column: str, condition: str) -> None:
    op.create_index(
        name,
        table,
        [column],
        sqlite_where=sa.text(condition),
        postgresql_where=sa.text(condition),
    )
