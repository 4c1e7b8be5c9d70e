"""New messages are found by an index that has all that a turn of the delivery loop reads."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Replace the index of new messages, and drop the one by age."""
    # On SQLite the older index was not chosen: one of all messages of a school seemed as good.
    op.drop_index("ix_messages_new", "messages")
    op.create_index(
        "ix_messages_new",
        "messages",
        ["school_id", "id", "kind", "stream", "position"],
        unique=False,
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )
    # Old messages have the smallest ids.
    op.drop_index("ix_messages_created_at", "messages")
