"""The indexes of lists end in the order of the list, so that no page is sorted."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

REPLACED = (
    # Table, columns of the index, columns of the one in its place.
    ("lessons", ["course_id", "begins_at"], ["course_id", "created_at", "id"]),
    ("lessons", ["teacher_id", "ends_at"], ["teacher_id", "created_at", "id"]),
    ("lessons", ["school_id", "created_at"], ["school_id", "created_at", "id"]),
    ("lessons", ["school_id", "begins_at"], ["school_id", "begins_at", "id"]),
    ("co_teachers", ["user_id"], ["user_id", "lesson_id"]),
    ("courses", ["head_teacher_id"], ["head_teacher_id", "id"]),
    ("course_labels", ["label_id"], ["label_id", "course_id"]),
    ("clips", ["lesson_id"], ["lesson_id", "id"]),
    ("folders", ["school_id"], ["school_id", "id"]),
)


def upgrade() -> None:
    """Replace the indexes, and add those of labels and of viewers' telephone numbers."""
    for table, old, new in REPLACED:
        op.create_index(op.f(f"ix_{table}_{'_'.join(new)}"), table, new)
        op.drop_index(op.f(f"ix_{table}_{'_'.join(old)}"), table)
    op.create_index(op.f("ix_labels_school_id_id"), "labels", ["school_id", "id"])
    op.create_index(
        "ix_viewers_telephone",
        "viewers",
        ["telephone"],
        sqlite_where=sa.text("telephone IS NOT NULL"),
        postgresql_where=sa.text("telephone IS NOT NULL"),
    )
