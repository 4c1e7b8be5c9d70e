"""Tables of the public pages: viewers, chats and login sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables of version 0.3."""
    op.create_table(
        "viewers",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("telephone", sa.Text(), nullable=True),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("watched", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("muted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('visitor', 'link', 'user')", name=op.f("ck_viewers_kind")),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_viewers_lesson_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_viewers_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_viewers")),
        sa.UniqueConstraint("lesson_id", "identity", name=op.f("uq_viewers_lesson_id_identity")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_viewers_user_id"), "viewers", ["user_id"], unique=False)
    op.create_index(op.f("ix_viewers_lesson_id_id"), "viewers", ["lesson_id", "id"], unique=False)
    op.create_table(
        "chat_entries",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("viewer_id", Id, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=True),
        sa.Column("nonce", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('message', 'delete', 'pin', 'unpin', 'pause', 'resume', 'mute', 'unmute')",
            name=op.f("ck_chat_entries_kind"),
        ),
        sa.CheckConstraint(
            "role IN ('viewer', 'teacher', 'operator')", name=op.f("ck_chat_entries_role")
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_chat_entries_lesson_id")
        ),
        sa.ForeignKeyConstraint(
            ["viewer_id"], ["viewers.id"], name=op.f("fk_chat_entries_viewer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_entries")),
        sa.UniqueConstraint("lesson_id", "nonce", name=op.f("uq_chat_entries_lesson_id_nonce")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_chat_entries_viewer_id"), "chat_entries", ["viewer_id"], unique=False)
    op.create_index(
        op.f("ix_chat_entries_lesson_id_id"), "chat_entries", ["lesson_id", "id"], unique=False
    )
    op.create_table(
        "chats",
        sa.Column("lesson_id", Id, autoincrement=False, nullable=False),
        sa.Column("is_paused", sa.SmallInteger(), nullable=False),
        sa.Column("pinned_id", sa.BigInteger(), nullable=True),
        sa.Column("likes", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("is_paused IN (0, 1)", name=op.f("ck_chats_is_paused")),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_chats_lesson_id")),
        sa.PrimaryKeyConstraint("lesson_id", name=op.f("pk_chats")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_sessions_school_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sqlite_autoincrement=True,
    )
    for column in ("school_id", "user_id", "expires_at"):
        op.create_index(op.f(f"ix_sessions_{column}"), "sessions", [column], unique=False)
