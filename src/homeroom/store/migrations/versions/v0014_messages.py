"""Messages to receivers, their endpoints and deliveries; events of classrooms, visits of pages."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables, and scopes and an expiry to tokens."""
    _add_endpoints()
    _add_deliveries()
    _add_classroom()
    _add_visits()
    op.add_column(
        "tokens", sa.Column("scopes", sa.Text(), nullable=False, server_default=sa.text("'read'"))
    )
    op.add_column("tokens", sa.Column("expires_at", sa.BigInteger(), nullable=True))


def _add_endpoints() -> None:
    op.create_table(
        "endpoints",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("new_url", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("ordering", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=True),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("former_secret", sa.Text(), nullable=True),
        sa.Column("former_until", sa.BigInteger(), nullable=True),
        sa.Column("timeout_seconds", sa.BigInteger(), nullable=False),
        sa.Column("alert_addresses", sa.Text(), nullable=False),
        sa.Column("start_after_id", sa.BigInteger(), nullable=True),
        sa.Column("activated_at", sa.BigInteger(), nullable=True),
        sa.Column("last_success_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_endpoints_school_id")),
        sa.CheckConstraint("format IN ('classin', 'standard')", name=op.f("ck_endpoints_format")),
        sa.CheckConstraint(
            "ordering IN ('school', 'class', 'none')", name=op.f("ck_endpoints_ordering")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'active', 'paused', 'disabled')", name=op.f("ck_endpoints_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoints")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_endpoints_school_id_id"), "endpoints", ["school_id", "id"], unique=False
    )
    op.create_table(
        "messages",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=True),
        sa.Column("lesson_id", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("file_path", sa.Text(), nullable=True),
        sa.Column("is_simulated", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_messages_school_id")),
        sa.CheckConstraint("is_simulated IN (0, 1)", name=op.f("ck_messages_is_simulated")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_messages_created_at"), "messages", ["created_at"], unique=False)
    op.create_index(
        "ix_messages_new",
        "messages",
        ["school_id", "id"],
        unique=False,
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_index(op.f("ix_messages_school_id_id"), "messages", ["school_id", "id"], unique=False)
    op.create_table(
        "outboxes",
        sa.Column("school_id", Id, autoincrement=False, nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_outboxes_school_id")),
        sa.PrimaryKeyConstraint("school_id", name=op.f("pk_outboxes")),
    )


def _add_deliveries() -> None:
    op.create_table(
        "lanes",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("endpoint_id", Id, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("due_real_at", sa.BigInteger(), nullable=False),
        sa.Column("last_outcome", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.id"], name=op.f("fk_lanes_endpoint_id")
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_lanes_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lanes")),
        sa.UniqueConstraint("endpoint_id", "name", name=op.f("uq_lanes_endpoint_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_lanes_school_id_due_at"), "lanes", ["school_id", "due_at"], unique=False
    )
    op.create_table(
        "deliveries",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("endpoint_id", Id, nullable=False),
        sa.Column("message_id", Id, nullable=False),
        sa.Column("lane_id", Id, nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("is_resend", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.id"], name=op.f("fk_deliveries_endpoint_id")
        ),
        sa.ForeignKeyConstraint(["lane_id"], ["lanes.id"], name=op.f("fk_deliveries_lane_id")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_deliveries_message_id")
        ),
        sa.CheckConstraint("is_resend IN (0, 1)", name=op.f("ck_deliveries_is_resend")),
        sa.CheckConstraint(
            "state IN ('waiting', 'acknowledged', 'dead', 'skipped')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_deliveries_endpoint_id_id"), "deliveries", ["endpoint_id", "id"], unique=False
    )
    op.create_index(
        op.f("ix_deliveries_message_id_endpoint_id"),
        "deliveries",
        ["message_id", "endpoint_id"],
        unique=False,
    )
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["lane_id", "position", "id"],
        unique=False,
        sqlite_where=sa.text("lane_id IS NOT NULL"),
        postgresql_where=sa.text("lane_id IS NOT NULL"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("endpoint_id", Id, nullable=False),
        sa.Column("delivery_id", Id, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("safe_key", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_attempts_delivery_id")
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.id"], name=op.f("fk_attempts_endpoint_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_attempts_at"), "attempts", ["at"], unique=False)
    op.create_index(
        op.f("ix_attempts_endpoint_id_id"), "attempts", ["endpoint_id", "id"], unique=False
    )
    op.create_index(op.f("ix_attempts_delivery_id"), "attempts", ["delivery_id"], unique=False)


def _add_classroom() -> None:
    op.create_table(
        "classroom_events",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("is_simulated", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_classroom_events_lesson_id")
        ),
        sa.CheckConstraint("is_simulated IN (0, 1)", name=op.f("ck_classroom_events_is_simulated")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_classroom_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_classroom_events_lesson_id_id"),
        "classroom_events",
        ["lesson_id", "id"],
        unique=False,
    )
    op.create_table(
        "scripted_events",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_scripted_events_lesson_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scripted_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_scripted_events_due_at_id"), "scripted_events", ["due_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_scripted_events_lesson_id"), "scripted_events", ["lesson_id"], unique=False
    )


def _add_visits() -> None:
    op.create_table(
        "page_visits",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("viewer_id", Id, nullable=True),
        sa.Column("visit_key", sa.Text(), nullable=False),
        sa.Column("is_replay", sa.SmallInteger(), nullable=False),
        sa.Column("client_type", sa.SmallInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_page_visits_lesson_id")
        ),
        sa.ForeignKeyConstraint(
            ["viewer_id"], ["viewers.id"], name=op.f("fk_page_visits_viewer_id")
        ),
        sa.CheckConstraint("is_replay IN (0, 1)", name=op.f("ck_page_visits_is_replay")),
        sa.CheckConstraint("client_type IN (1, 2, 3)", name=op.f("ck_page_visits_client_type")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_visits")),
        sa.UniqueConstraint(
            "lesson_id", "visit_key", name=op.f("uq_page_visits_lesson_id_visit_key")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_page_visits_open",
        "page_visits",
        ["last_seen_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_page_visits_viewer_id",
        "page_visits",
        ["viewer_id"],
        unique=False,
        sqlite_where=sa.text("viewer_id IS NOT NULL"),
        postgresql_where=sa.text("viewer_id IS NOT NULL"),
    )
    op.create_table(
        "reservations",
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("viewer_id", Id, nullable=False),
        sa.Column("reserved_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_reservations_lesson_id")
        ),
        sa.ForeignKeyConstraint(
            ["viewer_id"], ["viewers.id"], name=op.f("fk_reservations_viewer_id")
        ),
        sa.PrimaryKeyConstraint("lesson_id", "viewer_id", name=op.f("pk_reservations")),
    )
    op.create_index(op.f("ix_reservations_viewer_id"), "reservations", ["viewer_id"], unique=False)
