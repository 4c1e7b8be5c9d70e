"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables of version 0.1."""
    op.create_table(
        "maintenance",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("blocks", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("blocks IN (0, 1)", name=op.f("ck_maintenance_blocks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance")),
    )
    op.create_table(
        "server_state",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_server_state")),
    )
    op.create_table(
        "users",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("telephone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("nickname", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("avatar", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("ix_users_email", "users", ["email"], unique=False)
    op.create_index("ix_users_telephone", "users", ["telephone"], unique=False)
    op.create_index(
        "uq_users_email_live",
        "users",
        ["email"],
        unique=True,
        sqlite_where=sa.text("cancelled_at IS NULL"),
        postgresql_where=sa.text("cancelled_at IS NULL"),
    )
    op.create_index(
        "uq_users_telephone_live",
        "users",
        ["telephone"],
        unique=True,
        sqlite_where=sa.text("cancelled_at IS NULL"),
        postgresql_where=sa.text("cancelled_at IS NULL"),
    )
    op.create_table(
        "schools",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("former_secret", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_schools_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schools")),
        sa.UniqueConstraint("owner_id", name=op.f("uq_schools_owner_id")),
    )
    op.create_table(
        "folders",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("depth", sa.BigInteger(), nullable=False),
        sa.Column("is_writable", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("is_writable IN (0, 1)", name=op.f("ck_folders_is_writable")),
        sa.ForeignKeyConstraint(["parent_id"], ["folders.id"], name=op.f("fk_folders_parent_id")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_folders_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folders")),
        sa.UniqueConstraint("parent_id", "name", name=op.f("uq_folders_parent_id_name")),
    )
    op.create_index(op.f("ix_folders_school_id"), "folders", ["school_id"], unique=False)
    op.create_index(
        "uq_folders_top",
        "folders",
        ["school_id"],
        unique=True,
        sqlite_where=sa.text("parent_id IS NULL"),
        postgresql_where=sa.text("parent_id IS NULL"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("school_id", Id, nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_jobs_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_due_at"), "jobs", ["due_at"], unique=False)
    op.create_index(op.f("ix_jobs_school_id"), "jobs", ["school_id"], unique=False)
    op.create_table(
        "labels",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_labels_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
        sa.UniqueConstraint("school_id", "name", name=op.f("uq_labels_school_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "presets",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_presets_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presets")),
    )
    op.create_index(op.f("ix_presets_school_id"), "presets", ["school_id"], unique=False)
    op.create_table(
        "students",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_students_school_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_students_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_students")),
        sa.UniqueConstraint("school_id", "user_id", name=op.f("uq_students_school_id_user_id")),
    )
    op.create_index(op.f("ix_students_user_id"), "students", ["user_id"], unique=False)
    op.create_table(
        "sub_accounts",
        sa.Column("school_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_sub_accounts_school_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sub_accounts_user_id")),
        sa.PrimaryKeyConstraint("school_id", "user_id", name=op.f("pk_sub_accounts")),
    )
    op.create_index(op.f("ix_sub_accounts_user_id"), "sub_accounts", ["user_id"], unique=False)
    op.create_table(
        "registrations",
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_registrations_school_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_registrations_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_registrations")),
    )
    op.create_index(
        op.f("ix_registrations_school_id"), "registrations", ["school_id"], unique=False
    )
    op.create_table(
        "teachers",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("photo", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('active', 'stopping', 'stopped')", name=op.f("ck_teachers_state")
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_teachers_school_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_teachers_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teachers")),
        sa.UniqueConstraint("school_id", "user_id", name=op.f("uq_teachers_school_id_user_id")),
    )
    op.create_index(op.f("ix_teachers_user_id"), "teachers", ["user_id"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_tokens_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_tokens_fingerprint")),
    )
    op.create_index(op.f("ix_tokens_school_id"), "tokens", ["school_id"], unique=False)
    op.create_table(
        "courses",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unique_identity", sa.Text(), nullable=True),
        sa.Column("head_teacher_id", Id, nullable=True),
        sa.Column("folder_id", Id, nullable=True),
        sa.Column("preset_id", Id, nullable=True),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.BigInteger(), nullable=True),
        sa.Column("introduction", sa.Text(), nullable=False),
        sa.Column("cover", sa.Text(), nullable=True),
        sa.Column("allow_add_friend", sa.SmallInteger(), nullable=True),
        sa.Column("allow_student_modify_nickname", sa.SmallInteger(), nullable=False),
        sa.Column("hides_replay_from_leavers", sa.SmallInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("allow_add_friend IN (0, 1)", name=op.f("ck_courses_allow_add_friend")),
        sa.CheckConstraint(
            "allow_student_modify_nickname IN (0, 1)",
            name=op.f("ck_courses_allow_student_modify_nickname"),
        ),
        sa.CheckConstraint(
            "hides_replay_from_leavers IN (0, 1)",
            name=op.f("ck_courses_hides_replay_from_leavers"),
        ),
        sa.CheckConstraint("kind IN ('standard', 'public', 'dual')", name=op.f("ck_courses_kind")),
        sa.ForeignKeyConstraint(["folder_id"], ["folders.id"], name=op.f("fk_courses_folder_id")),
        sa.ForeignKeyConstraint(
            ["head_teacher_id"], ["users.id"], name=op.f("fk_courses_head_teacher_id")
        ),
        sa.ForeignKeyConstraint(["preset_id"], ["presets.id"], name=op.f("fk_courses_preset_id")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_courses_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courses")),
        sa.UniqueConstraint("key", name=op.f("uq_courses_key")),
    )
    op.create_index(op.f("ix_courses_folder_id"), "courses", ["folder_id"], unique=False)
    op.create_index(
        op.f("ix_courses_head_teacher_id"), "courses", ["head_teacher_id"], unique=False
    )
    op.create_index(op.f("ix_courses_preset_id"), "courses", ["preset_id"], unique=False)
    op.create_index(op.f("ix_courses_school_id_id"), "courses", ["school_id", "id"], unique=False)
    op.create_index(
        "uq_courses_unique_identity",
        "courses",
        ["school_id", "unique_identity"],
        unique=True,
        sqlite_where=sa.text("unique_identity IS NOT NULL"),
        postgresql_where=sa.text("unique_identity IS NOT NULL"),
    )
    op.create_table(
        "course_labels",
        sa.Column("course_id", Id, nullable=False),
        sa.Column("label_id", Id, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_labels_course_id")
        ),
        sa.ForeignKeyConstraint(
            ["label_id"], ["labels.id"], name=op.f("fk_course_labels_label_id")
        ),
        sa.PrimaryKeyConstraint("course_id", "label_id", name=op.f("pk_course_labels")),
    )
    op.create_index(op.f("ix_course_labels_label_id"), "course_labels", ["label_id"], unique=False)
    op.create_table(
        "course_members",
        sa.Column("course_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("nickname", sa.Text(), nullable=True),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN (1, 2)", name=op.f("ck_course_members_role")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_members_course_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_course_members_user_id")),
        sa.PrimaryKeyConstraint("course_id", "user_id", name=op.f("pk_course_members")),
    )
    op.create_index(op.f("ix_course_members_user_id"), "course_members", ["user_id"], unique=False)
    op.create_table(
        "course_teachers",
        sa.Column("course_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_teachers_course_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_course_teachers_user_id")),
        sa.PrimaryKeyConstraint("course_id", "user_id", name=op.f("pk_course_teachers")),
    )
    op.create_index(
        op.f("ix_course_teachers_user_id"), "course_teachers", ["user_id"], unique=False
    )
    op.create_table(
        "lessons",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("course_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("teacher_id", Id, nullable=False),
        sa.Column("folder_id", Id, nullable=True),
        sa.Column("seats", sa.BigInteger(), nullable=False),
        sa.Column("resolution", sa.SmallInteger(), nullable=False),
        sa.Column("has_two_cameras", sa.SmallInteger(), nullable=False),
        sa.Column("is_smart", sa.SmallInteger(), nullable=False),
        sa.Column("is_broadcast", sa.SmallInteger(), nullable=False),
        sa.Column("enters_off_stage", sa.SmallInteger(), nullable=False),
        sa.Column("record", sa.SmallInteger(), nullable=False),
        sa.Column("record_scene", sa.SmallInteger(), nullable=False),
        sa.Column("live", sa.SmallInteger(), nullable=False),
        sa.Column("replay", sa.SmallInteger(), nullable=False),
        sa.Column("watch_by_login", sa.SmallInteger(), nullable=False),
        sa.Column("allow_unlogged_chat", sa.SmallInteger(), nullable=False),
        sa.Column("is_locked", sa.SmallInteger(), nullable=False),
        sa.Column("introduction", sa.Text(), nullable=False),
        sa.Column("unique_identity", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=True),
        sa.Column("stream_signature", sa.Text(), nullable=True),
        sa.Column("stream_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "allow_unlogged_chat IN (0, 1)", name=op.f("ck_lessons_allow_unlogged_chat")
        ),
        sa.CheckConstraint("enters_off_stage IN (0, 1)", name=op.f("ck_lessons_enters_off_stage")),
        sa.CheckConstraint("has_two_cameras IN (0, 1)", name=op.f("ck_lessons_has_two_cameras")),
        sa.CheckConstraint("is_broadcast IN (0, 1)", name=op.f("ck_lessons_is_broadcast")),
        sa.CheckConstraint("is_locked IN (0, 1)", name=op.f("ck_lessons_is_locked")),
        sa.CheckConstraint("is_smart IN (0, 1)", name=op.f("ck_lessons_is_smart")),
        sa.CheckConstraint("live IN (0, 1)", name=op.f("ck_lessons_live")),
        sa.CheckConstraint("origin IN ('v1', 'client', 'lms')", name=op.f("ck_lessons_origin")),
        sa.CheckConstraint("record IN (0, 1)", name=op.f("ck_lessons_record")),
        sa.CheckConstraint("record_scene IN (0, 1)", name=op.f("ck_lessons_record_scene")),
        sa.CheckConstraint("replay IN (0, 1)", name=op.f("ck_lessons_replay")),
        sa.CheckConstraint("resolution IN (0, 1, 2)", name=op.f("ck_lessons_resolution")),
        sa.CheckConstraint("watch_by_login IN (0, 1)", name=op.f("ck_lessons_watch_by_login")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_lessons_course_id")),
        sa.ForeignKeyConstraint(["folder_id"], ["folders.id"], name=op.f("fk_lessons_folder_id")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_lessons_school_id")),
        sa.ForeignKeyConstraint(["teacher_id"], ["users.id"], name=op.f("fk_lessons_teacher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
        sa.UniqueConstraint("key", name=op.f("uq_lessons_key")),
    )
    op.create_index(
        op.f("ix_lessons_course_id_begins_at"), "lessons", ["course_id", "begins_at"], unique=False
    )
    op.create_index(
        "ix_lessons_folder_id",
        "lessons",
        ["folder_id"],
        unique=False,
        sqlite_where=sa.text("folder_id IS NOT NULL"),
        postgresql_where=sa.text("folder_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_lessons_school_id_begins_at"), "lessons", ["school_id", "begins_at"], unique=False
    )
    op.create_index(
        op.f("ix_lessons_school_id_created_at"),
        "lessons",
        ["school_id", "created_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_lessons_teacher_id_ends_at"), "lessons", ["teacher_id", "ends_at"], unique=False
    )
    op.create_index(
        "uq_lessons_unique_identity",
        "lessons",
        ["school_id", "unique_identity"],
        unique=True,
        sqlite_where=sa.text("unique_identity IS NOT NULL"),
        postgresql_where=sa.text("unique_identity IS NOT NULL"),
    )
    op.create_table(
        "clips",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_clips_lesson_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clips")),
        sa.UniqueConstraint("file_id", name=op.f("uq_clips_file_id")),
    )
    op.create_index(op.f("ix_clips_lesson_id"), "clips", ["lesson_id"], unique=False)
    op.create_table(
        "co_teachers",
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_co_teachers_lesson_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_co_teachers_user_id")),
        sa.PrimaryKeyConstraint("lesson_id", "user_id", name=op.f("pk_co_teachers")),
    )
    op.create_index(op.f("ix_co_teachers_user_id"), "co_teachers", ["user_id"], unique=False)
    op.create_table(
        "guests",
        sa.Column("lesson_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_guests_lesson_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_guests_user_id")),
        sa.PrimaryKeyConstraint("lesson_id", "user_id", name=op.f("pk_guests")),
    )
    op.create_index(op.f("ix_guests_user_id"), "guests", ["user_id"], unique=False)
