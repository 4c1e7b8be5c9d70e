"""Tables of streams and recordings: publish sessions, their keys, and new columns of clips."""

import sqlalchemy as sa
from alembic import op

from homeroom.base.keys import KeyGenerator, md5_hex

revision = "0002"
down_revision = "0001"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT_ONCE = 1000


def upgrade() -> None:
    """Create the tables of version 0.2."""
    op.create_table(
        "pushes",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("param", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('class', 'scene')", name=op.f("ck_pushes_kind")),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_pushes_lesson_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pushes")),
    )
    op.create_index(op.f("ix_pushes_lesson_id"), "pushes", ["lesson_id"], unique=False)
    op.create_index(op.f("ix_pushes_started_at"), "pushes", ["started_at"], unique=False)
    for column in ("client_id", "engine"):
        op.create_index(
            f"ix_pushes_{column}_running",
            "pushes",
            [column],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
    op.create_table(
        "push_keys",
        sa.Column("lesson_id", Id, autoincrement=False, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_push_keys_lesson_id")),
        sa.PrimaryKeyConstraint("lesson_id", name=op.f("pk_push_keys")),
    )
    _describe_clips()
    _sign_anew()
    op.drop_column("lessons", "stream")


def _describe_clips() -> None:
    """Add kind of stream and start to clips; old clips start when they were added."""
    with op.batch_alter_table("clips") as clips:
        clips.add_column(sa.Column("kind", sa.Text(), nullable=True))
        clips.add_column(sa.Column("started_at", sa.BigInteger(), nullable=True))
        clips.add_column(sa.Column("duration", sa.BigInteger(), nullable=True))
        clips.add_column(sa.Column("is_finished", sa.SmallInteger(), nullable=True))
    op.execute("UPDATE clips SET kind = 'class', started_at = created_at, is_finished = 1")
    with op.batch_alter_table("clips") as clips:
        clips.alter_column("kind", existing_type=sa.Text(), nullable=False)
        clips.alter_column("started_at", existing_type=sa.BigInteger(), nullable=False)
        clips.alter_column("is_finished", existing_type=sa.SmallInteger(), nullable=False)
        clips.alter_column("sha256", existing_type=sa.Text(), nullable=True)
        clips.create_check_constraint(op.f("ck_clips_kind"), "kind IN ('class', 'scene')")
        clips.create_check_constraint(op.f("ck_clips_is_finished"), "is_finished IN (0, 1)")
    op.create_index(
        "ix_clips_id_unfinished",
        "clips",
        ["id"],
        unique=False,
        sqlite_where=sa.text("is_finished = 0"),
        postgresql_where=sa.text("is_finished = 0"),
    )


def _sign_anew() -> None:
    """Sign the bound pull URLs again: the name of a stream is now the key of its class."""
    database = op.get_bind()
    if database.scalar(sa.text("SELECT max(id) FROM lessons")) is None:
        # A new database: no key may be stored before there is a key file to encrypt it with.
        return
    key = database.scalar(sa.text("SELECT value FROM server_state WHERE name = 'pull_key'"))
    if key is None:
        # As the first server does it: it is the key from now on.
        key = KeyGenerator().secret()
        keep = sa.text("INSERT INTO server_state (name, value) VALUES ('pull_key', :key)")
        database.execute(keep, {"key": key})
    bound = sa.text(
        "SELECT id, key, stream_expires_at FROM lessons"
        " WHERE stream_signature IS NOT NULL AND id > :after ORDER BY id LIMIT :limit"
    )
    sign = sa.text("UPDATE lessons SET stream_signature = :signature WHERE id = :lesson")
    after = 0
    while rows := database.execute(bound, {"after": after, "limit": AT_ONCE}).all():
        signed = [
            {"lesson": lesson, "signature": md5_hex(f"{key}{name}{expires_at:x}")}
            for lesson, name, expires_at in rows
        ]
        database.execute(sign, signed)
        after = rows[-1].id
