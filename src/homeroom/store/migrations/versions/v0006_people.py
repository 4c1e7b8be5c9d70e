"""A school sees the accounts that it named, and has passwords and a limit of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME_OWN = """
    INSERT INTO named_accounts (school_id, user_id)
    SELECT school_id, user_id FROM registrations UNION SELECT id, owner_id FROM schools
"""
MOVE_PASSWORDS = """
    INSERT INTO school_passwords (school_id, user_id, password_hash)
    SELECT registrations.school_id, users.id, users.password_hash
    FROM users JOIN registrations ON registrations.user_id = users.id
    WHERE users.password_hash IS NOT NULL
"""
# No other school set a password, and the operator could not.
REMOVE_PASSWORDS = "UPDATE users SET password_hash = NULL"


def upgrade() -> None:
    """Add the tables, and move what the database records of who registered an account."""
    op.create_table(
        "named_accounts",
        *_school_and_user("named_accounts"),
    )
    op.create_table(
        "school_passwords",
        *_school_and_user("school_passwords"),
        sa.Column("password_hash", sa.Text(), nullable=False),
    )
    for name in ("named_accounts", "school_passwords"):
        op.create_index(op.f(f"ix_{name}_user_id"), name, ["user_id"])
    op.create_table(
        "unknown_lookups",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("looked_up_at", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_unknown_lookups_school_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unknown_lookups")),
    )
    op.create_index(
        op.f("ix_unknown_lookups_school_id_looked_up_at"),
        "unknown_lookups",
        ["school_id", "looked_up_at"],
    )
    for statement in (NAME_OWN, MOVE_PASSWORDS, REMOVE_PASSWORDS):
        op.execute(statement)


def _school_and_user(table: str) -> list[sa.schema.SchemaItem]:
    """Return the columns and constraints of a table with one row for a school and a user."""
    return [
        sa.Column("school_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id")),
        sa.PrimaryKeyConstraint("school_id", "user_id", name=op.f(f"pk_{table}")),
    ]
