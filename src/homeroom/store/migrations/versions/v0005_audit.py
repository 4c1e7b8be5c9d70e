"""The acts of operators are kept in a table that only grows."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEPT = ("id", "at", "kind", "act", "token_id", "school_id", "outcome")
ERASABLE = ("actor_name", "actor_uid", "origin", "arguments", "user_id", "reason")
YEAR_SECONDS = 365 * 24 * 60 * 60
DELETED = "an audit entry is kept for a year"
CHANGED = "an audit entry is never changed, only its personal data can be erased"


def upgrade() -> None:
    """Add the table and its triggers."""
    op.create_table(
        "audit_entries",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=True),
        sa.Column("actor_uid", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("token_id", sa.BigInteger(), nullable=True),
        sa.Column("arguments", sa.Text(), nullable=True),
        sa.Column("school_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('command', 'request')", name=op.f("ck_audit_entries_kind")),
        sa.CheckConstraint("outcome IN ('done', 'refused')", name=op.f("ck_audit_entries_outcome")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sqlite_autoincrement=True,
    )
    for column in ("at", "school_id", "user_id"):
        op.create_index(op.f(f"ix_audit_entries_{column}"), "audit_entries", [column])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _sqlite_triggers() if is_sqlite else _postgresql_triggers():
        op.get_bind().exec_driver_sql(statement)


def _is_unchanged(same: str) -> str:
    """Return the condition that an update only erases; `same` compares values that may be NULL."""
    lasting = [f"NEW.{name} {same} OLD.{name}" for name in KEPT]
    erasable = [f"(NEW.{name} IS NULL OR NEW.{name} {same} OLD.{name})" for name in ERASABLE]
    return " AND ".join(lasting + erasable)


def _sqlite_triggers() -> list[str]:
    now = "CAST(strftime('%s', 'now') AS INTEGER)"
    return [
        (
            "CREATE TRIGGER audit_entries_delete BEFORE DELETE ON audit_entries"
            f" WHEN OLD.at > {now} - {YEAR_SECONDS}"
            f" BEGIN SELECT RAISE(ABORT, '{DELETED}'); END"
        ),
        (
            "CREATE TRIGGER audit_entries_update BEFORE UPDATE ON audit_entries"
            f" WHEN NOT ({_is_unchanged('IS')})"
            f" BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END"
        ),
        # INSERT OR REPLACE deletes without a trigger of its own.
        (
            "CREATE TRIGGER audit_entries_replace BEFORE INSERT ON audit_entries"
            " WHEN EXISTS (SELECT 1 FROM audit_entries WHERE id = NEW.id)"
            " BEGIN SELECT RAISE(ABORT, 'an audit entry is never replaced'); END"
        ),
    ]


def _postgresql_triggers() -> list[str]:
    now = "CAST(extract(epoch FROM clock_timestamp()) AS BIGINT)"
    function = f"""
        CREATE FUNCTION keep_audit_entries() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'TRUNCATE' THEN
                RAISE EXCEPTION '{DELETED}';
            ELSIF TG_OP = 'DELETE' THEN
                IF OLD.at > {now} - {YEAR_SECONDS} THEN RAISE EXCEPTION '{DELETED}'; END IF;
                RETURN OLD;
            ELSIF NOT ({_is_unchanged("IS NOT DISTINCT FROM")}) THEN
                RAISE EXCEPTION '{CHANGED}';
            END IF;
            RETURN NEW;
        END $$
    """
    call = "EXECUTE FUNCTION keep_audit_entries()"
    return [
        function,
        (
            "CREATE TRIGGER audit_entries_keep BEFORE UPDATE OR DELETE ON audit_entries"
            f" FOR EACH ROW {call}"
        ),
        (
            "CREATE TRIGGER audit_entries_keep_all BEFORE TRUNCATE ON audit_entries"
            f" FOR EACH STATEMENT {call}"
        ),
    ]
