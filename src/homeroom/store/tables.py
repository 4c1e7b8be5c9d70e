"""The tables, for both engines.

They use only types that both engines store alike: 64-bit integers, text, and flags that are 0 or 1
by a check. So no value needs converting. Times are seconds since 1970 (UTC).
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite generates ids only for INTEGER keys; PostgreSQL needs BIGINT for 64 bits.
Id = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, *, nullable: bool = False, **more: Any) -> Column[int]:  # noqa: ANN401  passed through to Column
    return Column(name, Id, ForeignKey(target), nullable=nullable, **more)


def _moment(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _flag(name: str, *, default: int | None = None) -> Column[int]:
    return Column(
        name,
        SmallInteger,
        CheckConstraint(f"{name} IN (0, 1)", name=name),
        nullable=False,
        server_default=text(str(default)) if default is not None else None,
    )


def _small(name: str, allowed: str) -> Column[int]:
    return Column(
        name, SmallInteger, CheckConstraint(f"{name} IN ({allowed})", name=name), nullable=False
    )


def _index_given(column: Column[Any]) -> None:
    """Add an index of the rows that have a value in a column."""
    Index(
        f"ix_{column.table.name}_{column.name}",
        column,
        sqlite_where=column.is_not(None),
        postgresql_where=column.is_not(None),
    )


def _stream_kind() -> Column[str]:
    return Column(
        "kind", Text, CheckConstraint("kind IN ('class', 'scene')", name="kind"), nullable=False
    )


users = Table(
    "users",
    metadata,
    _id(),
    _text("telephone", nullable=True),
    _text("email", nullable=True),
    _text("nickname"),
    _text("password_hash", nullable=True),
    _text("avatar", nullable=True),
    _moment("created_at"),
    _moment("cancelled_at", nullable=True),
)
# Only active accounts have unique names: the name of a cancelled one can be registered again, and
# the cancelled account is still found by it (its errnos differ from those of an unknown account).
Index(
    "uq_users_telephone_live",
    users.c.telephone,
    unique=True,
    sqlite_where=users.c.cancelled_at.is_(None),
    postgresql_where=users.c.cancelled_at.is_(None),
)
Index(
    "uq_users_email_live",
    users.c.email,
    unique=True,
    sqlite_where=users.c.cancelled_at.is_(None),
    postgresql_where=users.c.cancelled_at.is_(None),
)
# Most accounts have only a telephone number. With all the NULLs of the other column in its index,
# the statistics would say that it finds nearly every row.
_index_given(users.c.telephone)
_index_given(users.c.email)

schools = Table(
    "schools",
    metadata,
    _id(),
    _text("name"),
    _text("secret"),
    _text("former_secret", nullable=True),
    _text("plan"),
    _ref("owner_id", "users.id", unique=True),
    _moment("created_at"),
    # What modifySchoolConf changes.
    _flag("allows_replay", default=1),
    _flag("allows_replay_to_new_students", default=1),
)

teachers = Table(
    "teachers",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _ref("user_id", "users.id"),
    _text("name"),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('active', 'stopping', 'stopped')", name="state"),
        nullable=False,
    ),
    _text("photo", nullable=True),
    _moment("created_at"),
    UniqueConstraint("school_id", "user_id"),
    Index(None, "user_id"),
)

students = Table(
    "students",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _ref("user_id", "users.id"),
    _text("name"),
    _moment("created_at"),
    UniqueConstraint("school_id", "user_id"),
    Index(None, "user_id"),
)

sub_accounts = Table(
    "sub_accounts",
    metadata,
    _ref("school_id", "schools.id"),
    _ref("user_id", "users.id"),
    PrimaryKeyConstraint("school_id", "user_id"),
    Index(None, "user_id"),
)

# The school that registered each account. The accounts themselves belong to no school.
# (Which accounts a school may see in full: `named_accounts`.)
registrations = Table(
    "registrations",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True, autoincrement=False),
    _ref("school_id", "schools.id", index=True),
)

# The accounts that a school registered, or named by telephone number or e-mail address. Only these
# does it see in full.
named_accounts = Table(
    "named_accounts",
    metadata,
    _ref("school_id", "schools.id"),
    _ref("user_id", "users.id"),
    PrimaryKeyConstraint("school_id", "user_id"),
    Index(None, "user_id"),
)

# The passwords that count on the pages of one school. The one in `users` was set by the operator
# and counts on the pages of all.
school_passwords = Table(
    "school_passwords",
    metadata,
    _ref("school_id", "schools.id"),
    _ref("user_id", "users.id"),
    _text("password_hash"),
    PrimaryKeyConstraint("school_id", "user_id"),
    Index(None, "user_id"),
)

# How many people a school named in the last hour that do not exist.
unknown_lookups = Table(
    "unknown_lookups",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _moment("looked_up_at"),
    _number("people"),
    Index(None, "school_id", "looked_up_at"),
)

folders = Table(
    "folders",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _ref("parent_id", "folders.id", nullable=True),
    _text("name"),
    _number("depth"),
    _flag("is_writable"),
    _moment("created_at"),
    UniqueConstraint("parent_id", "name"),
    Index(None, "school_id", "id"),
    sqlite_autoincrement=True,
)
Index(
    "uq_folders_top",
    folders.c.school_id,
    unique=True,
    sqlite_where=folders.c.parent_id.is_(None),
    postgresql_where=folders.c.parent_id.is_(None),
)

# Files of the cloud drive. Their content is in a storage, under `path`.
files = Table(
    "files",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _ref("folder_id", "folders.id"),
    _text("name"),
    _text("path"),
    _number("size"),
    _text("sha256"),
    _text("storage_id", nullable=True),
    _moment("created_at"),
    UniqueConstraint("folder_id", "name"),
    Index("uq_files_path", "path", unique=True),
    Index(None, "school_id", "id"),
    # A link names a file by its id, so an id must not be used again.
    sqlite_autoincrement=True,
)

presets = Table(
    "presets",
    metadata,
    _id(),
    _ref("school_id", "schools.id", index=True),
    _text("name"),
)

labels = Table(
    "labels",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _text("name"),
    _text("colour"),
    _moment("created_at"),
    UniqueConstraint("school_id", "name"),
    Index(None, "school_id", "id"),
    # Labels are deleted for good: without this, SQLite would use the id of the newest one again.
    sqlite_autoincrement=True,
)

courses = Table(
    "courses",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _text("name"),
    _text("key"),
    Column(
        "kind",
        Text,
        CheckConstraint("kind IN ('standard', 'public', 'dual')", name="kind"),
        nullable=False,
    ),
    _text("unique_identity", nullable=True),
    _ref("head_teacher_id", "users.id", nullable=True),
    _ref("folder_id", "folders.id", nullable=True, index=True),
    _ref("preset_id", "presets.id", nullable=True, index=True),
    _number("subject"),
    _number("category", nullable=True),
    _text("introduction"),
    _text("cover", nullable=True),
    Column(
        "allow_add_friend",
        SmallInteger,
        CheckConstraint("allow_add_friend IN (0, 1)", name="allow_add_friend"),
        nullable=True,
    ),
    _flag("allow_student_modify_nickname"),
    _flag("hides_replay_from_leavers"),
    _moment("expires_at", nullable=True),
    _moment("ended_at", nullable=True),
    _moment("deleted_at", nullable=True),
    _moment("created_at"),
    UniqueConstraint("key"),
    Index(None, "head_teacher_id", "id"),
    Index(None, "school_id", "id"),
)
Index(
    "uq_courses_unique_identity",
    courses.c.school_id,
    courses.c.unique_identity,
    unique=True,
    sqlite_where=courses.c.unique_identity.is_not(None),
    postgresql_where=courses.c.unique_identity.is_not(None),
)

course_teachers = Table(
    "course_teachers",
    metadata,
    _ref("course_id", "courses.id"),
    _ref("user_id", "users.id"),
    PrimaryKeyConstraint("course_id", "user_id"),
    Index(None, "user_id"),
)

course_members = Table(
    "course_members",
    metadata,
    _ref("course_id", "courses.id"),
    _ref("user_id", "users.id"),
    _small("role", "1, 2"),
    _text("name", nullable=True),
    _text("nickname", nullable=True),
    _moment("joined_at"),
    PrimaryKeyConstraint("course_id", "user_id"),
    Index(None, "user_id"),
)
# The plan of a school limits the auditors of a course, so they are counted at each addition.
Index(
    "ix_course_members_auditors",
    course_members.c.course_id,
    sqlite_where=course_members.c.role == 2,  # noqa: PLR2004  MemberRole.AUDITOR
    postgresql_where=course_members.c.role == 2,  # noqa: PLR2004  MemberRole.AUDITOR
)

course_labels = Table(
    "course_labels",
    metadata,
    _ref("course_id", "courses.id"),
    _ref("label_id", "labels.id"),
    _number("position"),
    PrimaryKeyConstraint("course_id", "label_id"),
    Index(None, "label_id", "course_id"),
)

# The teams that the students of a course are divided into; a course has one grouping at most.
groupings = Table(
    "groupings",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _ref("course_id", "courses.id", unique=True),
    _text("name"),
    _moment("created_at"),
    Index(None, "school_id", "id"),
    sqlite_autoincrement=True,
)

grouping_members = Table(
    "grouping_members",
    metadata,
    _ref("grouping_id", "groupings.id"),
    _ref("user_id", "users.id"),
    # Teams and their members count from 0, in the order of the request.
    _number("team"),
    _number("position"),
    _flag("is_leader"),
    PrimaryKeyConstraint("grouping_id", "user_id"),
    Index(None, "user_id"),
)

# Units of courses. The default unit of a course is made by a trigger together with the course.
units = Table(
    "units",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _ref("course_id", "courses.id"),
    _text("name"),
    _text("content"),
    _flag("is_published"),
    _flag("is_default"),
    _moment("created_at"),
    _moment("deleted_at", nullable=True),
    Index(None, "course_id", "id"),
    Index(None, "school_id", "id"),
)
Index(
    "uq_units_name_live",
    units.c.course_id,
    units.c.name,
    unique=True,
    sqlite_where=units.c.deleted_at.is_(None),
    postgresql_where=units.c.deleted_at.is_(None),
)
Index(
    "uq_units_default",
    units.c.course_id,
    unique=True,
    sqlite_where=units.c.is_default == 1,
    postgresql_where=units.c.is_default == 1,
)

lessons = Table(
    "lessons",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _ref("course_id", "courses.id"),
    _text("name"),
    _moment("begins_at"),
    _moment("ends_at"),
    _ref("teacher_id", "users.id"),
    _ref("folder_id", "folders.id", nullable=True),
    _number("seats"),
    _small("resolution", "0, 1, 2"),
    _flag("has_two_cameras"),
    _flag("is_smart"),
    _flag("is_broadcast"),
    _flag("enters_off_stage"),
    _flag("record"),
    _flag("record_scene"),
    _flag("live"),
    _flag("replay"),
    _flag("watch_by_login"),
    _flag("allow_unlogged_chat"),
    _flag("is_locked"),
    _text("introduction"),
    _text("unique_identity", nullable=True),
    _text("key"),
    # Signature and expiry of the pull URL, once it is bound; the key is above.
    _text("stream_signature", nullable=True),
    _moment("stream_expires_at", nullable=True),
    Column(
        "origin",
        Text,
        CheckConstraint("origin IN ('v1', 'client', 'lms')", name="origin"),
        nullable=False,
    ),
    _moment("created_at"),
    _moment("closed_at", nullable=True),
    _moment("deleted_at", nullable=True),
    # The main class of a dual-teacher sub class. No reference: classes are deleted in slices.
    Column("main_lesson_id", Id, nullable=True),
    _flag("uses_main_recording", default=0),
    # Whether members may see the reports of each other.
    _flag("allows_check", default=1),
    UniqueConstraint("key"),
    # Each index ends in the order of a list: a page is read from it, and no list is sorted.
    Index(None, "course_id", "created_at", "id"),
    Index(None, "teacher_id", "created_at", "id"),
    Index(None, "school_id", "created_at", "id"),
    Index(None, "school_id", "begins_at", "id"),
)
Index(
    "uq_lessons_unique_identity",
    lessons.c.school_id,
    lessons.c.unique_identity,
    unique=True,
    sqlite_where=lessons.c.unique_identity.is_not(None),
    postgresql_where=lessons.c.unique_identity.is_not(None),
)
_index_given(lessons.c.folder_id)
_index_given(lessons.c.main_lesson_id)

co_teachers = Table(
    "co_teachers",
    metadata,
    _ref("lesson_id", "lessons.id"),
    _ref("user_id", "users.id"),
    _number("position"),
    PrimaryKeyConstraint("lesson_id", "user_id"),
    Index(None, "user_id", "lesson_id"),
)

guests = Table(
    "guests",
    metadata,
    _ref("lesson_id", "lessons.id"),
    _ref("user_id", "users.id"),
    PrimaryKeyConstraint("lesson_id", "user_id"),
    Index(None, "user_id"),
)

# Students of the course who were transferred out of one class.
lesson_absences = Table(
    "lesson_absences",
    metadata,
    _ref("lesson_id", "lessons.id"),
    _ref("user_id", "users.id"),
    PrimaryKeyConstraint("lesson_id", "user_id"),
    Index(None, "user_id"),
)

lesson_labels = Table(
    "lesson_labels",
    metadata,
    _ref("lesson_id", "lessons.id"),
    _ref("label_id", "labels.id"),
    _number("position"),
    PrimaryKeyConstraint("lesson_id", "label_id"),
    Index(None, "label_id", "lesson_id"),
)

# The last comment of the teacher on each student of a class.
comments = Table(
    "comments",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _ref("lesson_id", "lessons.id"),
    _ref("user_id", "users.id"),
    _small("stars", "0, 1, 2, 3, 4, 5"),
    _text("text"),
    _moment("created_at"),
    _moment("changed_at"),
    UniqueConstraint("lesson_id", "user_id"),
    Index(None, "school_id", "id"),
    Index(None, "user_id"),
)

# Activities of the units of courses. A class is one of them: its row is made by a trigger, and its
# name, teacher and times stand in `lessons`.
activities = Table(
    "activities",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _ref("course_id", "courses.id"),
    # NULL: the default unit of the course.
    _ref("unit_id", "units.id", nullable=True),
    _ref("lesson_id", "lessons.id", nullable=True, unique=True),
    _small("kind", "1, 2, 3, 4, 5, 6, 7, 8"),
    _text("name", nullable=True),
    _ref("teacher_id", "users.id", nullable=True),
    _moment("starts_at", nullable=True),
    _moment("ends_at", nullable=True),
    _flag("is_published"),
    _moment("created_at"),
    # A class says itself that it was deleted.
    _moment("deleted_at", nullable=True),
    Index(None, "course_id", "id"),
    Index(None, "school_id", "id"),
)
_index_given(activities.c.unit_id)
_index_given(activities.c.teacher_id)

# Members of the course who were taken out of an activity other than a class.
activity_absences = Table(
    "activity_absences",
    metadata,
    _ref("activity_id", "activities.id"),
    _ref("user_id", "users.id"),
    PrimaryKeyConstraint("activity_id", "user_id"),
    Index(None, "user_id"),
)

clips = Table(
    "clips",
    metadata,
    _id(),
    _ref("lesson_id", "lessons.id"),
    _text("file_id"),
    _text("path"),
    _text("name"),
    _number("size"),
    # NULL until the recording is finished.
    _text("sha256", nullable=True),
    _moment("created_at"),
    _moment("deleted_at", nullable=True),
    _stream_kind(),
    _moment("started_at"),
    # Milliseconds; NULL if the file does not tell.
    _number("duration", nullable=True),
    _flag("is_finished"),
    # Set while the clip is deleted and its file still exists: until then it can be restored.
    _moment("erase_after", nullable=True),
    # When the retention of the school deleted it.
    _moment("swept_at", nullable=True),
    _moment("restored_at", nullable=True),
    # The storage that has its file (`storages`); NULL if that is unknown.
    _text("storage_id", nullable=True),
    UniqueConstraint("file_id"),
    Index(None, "lesson_id", "id"),
)
Index(
    "ix_clips_id_unfinished",
    clips.c.id,
    sqlite_where=clips.c.is_finished == 0,
    postgresql_where=clips.c.is_finished == 0,
)

_index_given(clips.c.erase_after)

# The places that keep files: the data folder of a server, or one that several servers share.
storages = Table(
    "storages",
    metadata,
    Column("id", Text, primary_key=True),
    # Host and path, for the operator.
    _text("name"),
    _moment("created_at"),
    _moment("seen_at"),
)

# Rows of other tables that the retention deleted, as JSON. They can be restored until they are
# erased. Here, and not marked in their own tables, no other query can show them by mistake.
swept_rows = Table(
    "swept_rows",
    metadata,
    _id(),
    _ref("school_id", "schools.id", index=True),
    _ref("lesson_id", "lessons.id", index=True),
    Column(
        "sort",
        Text,
        CheckConstraint("sort IN ('viewers', 'chats', 'pushes')", name="sort"),
        nullable=False,
    ),
    _text("content"),
    _moment("swept_at"),
    _moment("erase_after"),
    Index(None, "erase_after"),
)

# Publish sessions (pushes) of the last month. One that runs has no end.
pushes = Table(
    "pushes",
    metadata,
    _id(),
    _ref("lesson_id", "lessons.id", index=True),
    _stream_kind(),
    _text("engine"),
    _text("client_id"),
    _text("param"),
    _text("ip"),
    _moment("started_at"),
    _moment("ended_at", nullable=True),
    _text("problem", nullable=True),
)
Index(
    "ix_pushes_client_id_running",
    pushes.c.client_id,
    sqlite_where=pushes.c.ended_at.is_(None),
    postgresql_where=pushes.c.ended_at.is_(None),
)
Index(
    "ix_pushes_engine_running",
    pushes.c.engine,
    sqlite_where=pushes.c.ended_at.is_(None),
    postgresql_where=pushes.c.ended_at.is_(None),
)
Index(None, pushes.c.started_at)

# How often the key of the publish URLs of a class was renewed; without a row: never.
push_keys = Table(
    "push_keys",
    metadata,
    Column("lesson_id", Id, ForeignKey("lessons.id"), primary_key=True, autoincrement=False),
    _number("generation"),
)

# Viewers of classes, each with the identity of its ticket (`Ticket.identity`). Only operators see
# the telephone number; it is purged with the row when the retention of viewer details is over.
viewers = Table(
    "viewers",
    metadata,
    _id(),
    _ref("lesson_id", "lessons.id"),
    _text("identity"),
    Column(
        "kind",
        Text,
        CheckConstraint("kind IN ('visitor', 'link', 'user')", name="kind"),
        nullable=False,
    ),
    _text("name"),
    _text("telephone", nullable=True),
    _ref("user_id", "users.id", nullable=True),
    # Seconds during which the video played.
    _number("watched"),
    _moment("first_seen_at"),
    _moment("last_seen_at"),
    _moment("muted_at", nullable=True),
    UniqueConstraint("lesson_id", "identity"),
    Index(None, "lesson_id", "id"),
    # Clients fetch what they missed by "after this id", so an id must not be used again.
    sqlite_autoincrement=True,
)
_index_given(viewers.c.telephone)
_index_given(viewers.c.user_id)

# The viewers of a class who are connected to a server: see `presences.py`. Written every few
# seconds, so it refers to nothing that would keep a class from being deleted.
presences = Table(
    "presences",
    metadata,
    Column("lesson_id", Id, autoincrement=False, nullable=False),
    Column("server", Text, nullable=False),
    _number("beat"),
    _text("viewers"),
    _moment("written_at"),
    PrimaryKeyConstraint("lesson_id", "server"),
)

# Entries of the chat of a class, in order: messages, and what moderators did.
chat_entries = Table(
    "chat_entries",
    metadata,
    _id(),
    _ref("lesson_id", "lessons.id"),
    Column(
        "kind",
        Text,
        CheckConstraint(
            "kind IN ('message', 'delete', 'pin', 'unpin', 'pause', 'resume', 'mute', 'unmute')",
            name="kind",
        ),
        nullable=False,
    ),
    _ref("viewer_id", "viewers.id", nullable=True),
    _text("name"),
    Column(
        "role",
        Text,
        CheckConstraint("role IN ('viewer', 'teacher', 'operator')", name="role"),
        nullable=False,
    ),
    _text("text"),
    # The message that is deleted or pinned, or the viewer who is muted.
    _number("target_id", nullable=True),
    # The idempotency key of the sender: a message that is sent twice is stored once.
    _text("nonce", nullable=True),
    _moment("sent_at"),
    _moment("deleted_at", nullable=True),
    UniqueConstraint("lesson_id", "nonce"),
    Index(None, "lesson_id", "id"),
    sqlite_autoincrement=True,
)
_index_given(chat_entries.c.viewer_id)

# State of the chat of a class; without a row: the initial state.
chats = Table(
    "chats",
    metadata,
    Column("lesson_id", Id, ForeignKey("lessons.id"), primary_key=True, autoincrement=False),
    _flag("is_paused"),
    _number("pinned_id", nullable=True),
    _number("likes"),
)

# Login sessions on the public pages of a school.
sessions = Table(
    "sessions",
    metadata,
    _id(),
    _ref("school_id", "schools.id", index=True),
    _ref("user_id", "users.id", index=True),
    _moment("created_at"),
    _moment("expires_at"),
    _moment("ended_at", nullable=True),
    Index(None, "expires_at"),
    # A ticket contains the id of its session, so an id must not be used again.
    sqlite_autoincrement=True,
)

maintenance = Table(
    "maintenance",
    metadata,
    _id(),
    _moment("begins_at"),
    _moment("ends_at"),
    _flag("blocks"),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    _text("kind"),
    _text("payload"),
    _ref("school_id", "schools.id", nullable=True, index=True),
    _moment("due_at"),
    _moment("leased_until"),
    _number("attempts"),
    _text("last_error", nullable=True),
    _moment("set_aside_at", nullable=True),
    # The storage whose servers alone can run it; NULL: every server.
    _text("storage_id", nullable=True),
    # Name of the servers of which one has claimed it last: see `get_lease_owner`.
    _text("leased_by", nullable=True),
    Index(None, "due_at"),
)

tokens = Table(
    "tokens",
    metadata,
    _id(),
    _ref("school_id", "schools.id", nullable=True, index=True),
    _text("name"),
    _text("fingerprint"),
    _moment("created_at"),
    _moment("revoked_at", nullable=True),
    Column("scopes", Text, nullable=False, server_default=text("'read'")),
    _moment("expires_at", nullable=True),
    UniqueConstraint("fingerprint"),
)

# The server's own values by name: see `server_state.py`.
server_state = Table(
    "server_state",
    metadata,
    Column("name", Text, primary_key=True),
    _text("value"),
)

# Append-only, by triggers: see `audit.py`. No reference, for an entry outlives what it is about.
audit_entries = Table(
    "audit_entries",
    metadata,
    _id(),
    _moment("at"),
    _text("kind"),
    _text("act"),
    _text("actor_name", nullable=True),
    _number("actor_uid", nullable=True),
    _text("origin", nullable=True),
    _number("token_id", nullable=True),
    _text("arguments", nullable=True),
    _number("school_id", nullable=True),
    _number("user_id", nullable=True),
    _text("outcome"),
    _text("reason", nullable=True),
    CheckConstraint("kind IN ('command', 'request')", name="kind"),
    CheckConstraint("outcome IN ('done', 'refused')", name="outcome"),
    Index(None, "at"),
    Index(None, "school_id"),
    Index(None, "user_id"),
    # A deleted entry leaves a gap, never a place for another one.
    sqlite_autoincrement=True,
)

# --- messages to the receivers of schools: see `outbox.py` --------------------------------------

# Where messages of a school are sent.
endpoints = Table(
    "endpoints",
    metadata,
    _id(),
    _ref("school_id", "schools.id"),
    _text("url"),
    # The address that replaces it once a test message was acknowledged there.
    _text("new_url", nullable=True),
    Column(
        "format",
        Text,
        CheckConstraint("format IN ('classin', 'standard')", name="format"),
        nullable=False,
    ),
    Column(
        "ordering",
        Text,
        CheckConstraint("ordering IN ('school', 'class', 'none')", name="ordering"),
        nullable=False,
    ),
    # A JSON list of commands and kinds; NULL: all.
    _text("kinds", nullable=True),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('pending', 'active', 'paused', 'disabled')", name="state"),
        nullable=False,
    ),
    _text("state_reason", nullable=True),
    # Of the format `standard`; the former one signs too for a day after a rotation.
    _text("secret", nullable=True),
    _text("former_secret", nullable=True),
    _moment("former_until", nullable=True),
    _number("timeout_seconds"),
    # A JSON list of mail addresses.
    _text("alert_addresses"),
    # Messages with a greater id are sent; NULL until the first activation.
    _number("start_after_id", nullable=True),
    _moment("activated_at", nullable=True),
    _moment("last_success_at", nullable=True),
    _moment("created_at"),
    # When its people were warned that it is stuck.
    _moment("alarmed_at", nullable=True),
    Index(None, "school_id", "id"),
    sqlite_autoincrement=True,
)

# One row for each message, written in the unit of work that caused it.
messages = Table(
    "messages",
    metadata,
    # Names the message on the wire, so an id must not be used again.
    _id(),
    _ref("school_id", "schools.id"),
    # The order within the school; assigned after the commit by the server that delivers.
    _number("position", nullable=True),
    _text("kind"),
    # As `class:17`: messages of one stream keep their order at each endpoint.
    _text("stream"),
    # No references: a message outlives what it is about.
    _number("course_id", nullable=True),
    _number("lesson_id", nullable=True),
    # JSON: all that is sent, but what is made by each attempt.
    _text("body"),
    # The stored file that an address in the body leads to.
    _text("file_path", nullable=True),
    _flag("is_simulated"),
    _moment("created_at"),
    Index(None, "school_id", "id"),
    sqlite_autoincrement=True,
)
Index(
    "ix_messages_new",
    messages.c.school_id,
    messages.c.id,
    # SQLite has to prefer it to the index of all messages of a school: it has all that is read.
    messages.c.kind,
    messages.c.stream,
    messages.c.position,
    sqlite_where=messages.c.position.is_(None),
    postgresql_where=messages.c.position.is_(None),
)

# Who delivers the messages of a school at the moment, and the last position that was assigned.
outboxes = Table(
    "outboxes",
    metadata,
    Column("school_id", Id, ForeignKey("schools.id"), primary_key=True, autoincrement=False),
    _number("last_position"),
    # By the real clock, as all leases.
    _moment("leased_until"),
    _text("leased_by", nullable=True),
)

# A queue of an endpoint: it has a row while deliveries wait in it.
lanes = Table(
    "lanes",
    metadata,
    _id(),
    _ref("endpoint_id", "endpoints.id"),
    _ref("school_id", "schools.id"),
    # '' for the whole school, a stream, or the id of one message.
    _text("name"),
    # Failed attempts of the first delivery, and when the next attempt is due: by either clock.
    _number("failures"),
    _moment("due_at"),
    _moment("due_real_at"),
    _text("last_outcome", nullable=True),
    UniqueConstraint("endpoint_id", "name"),
    Index(None, "school_id", "due_at"),
    sqlite_autoincrement=True,
)

# A message at an endpoint.
deliveries = Table(
    "deliveries",
    metadata,
    _id(),
    _ref("endpoint_id", "endpoints.id"),
    _ref("message_id", "messages.id"),
    # NULL once it has ended.
    _ref("lane_id", "lanes.id", nullable=True),
    _number("position"),
    # A person sends it again: it carries a header, and delays nothing.
    _flag("is_resend"),
    Column(
        "state",
        Text,
        CheckConstraint(
            "state IN ('waiting', 'acknowledged', 'dead', 'skipped')",
            name="state",
        ),
        nullable=False,
    ),
    _text("reason", nullable=True),
    _moment("ended_at", nullable=True),
    Index(None, "message_id", "endpoint_id"),
    Index(None, "endpoint_id", "id"),
    sqlite_autoincrement=True,
)
Index(
    "ix_deliveries_waiting",
    deliveries.c.lane_id,
    deliveries.c.position,
    deliveries.c.id,
    sqlite_where=deliveries.c.lane_id.is_not(None),
    postgresql_where=deliveries.c.lane_id.is_not(None),
)

# One row for each request that was made, or refused before it was made.
attempts = Table(
    "attempts",
    metadata,
    _id(),
    _ref("endpoint_id", "endpoints.id"),
    _ref("delivery_id", "deliveries.id", index=True),
    _moment("at"),
    _text("outcome"),
    _number("status", nullable=True),
    _number("duration_ms"),
    # The first part of the answer.
    _text("answer", nullable=True),
    # The signature as it was sent, but for its first and last characters.
    _text("safe_key", nullable=True),
    Index(None, "at"),
    Index(None, "endpoint_id", "id"),
    sqlite_autoincrement=True,
)

# What happened in the classroom of a class: attendance and the summary are made of it.
classroom_events = Table(
    "classroom_events",
    metadata,
    _id(),
    _ref("lesson_id", "lessons.id"),
    _moment("at"),
    # A name of an event, as `enter`.
    _text("kind"),
    # Who acts or is meant, and who does it to them; NULL: everybody, or the service.
    _number("user_id", nullable=True),
    _number("actor_id", nullable=True),
    # JSON: what else is known of the event.
    _text("details"),
    _flag("is_simulated"),
    Index(None, "lesson_id", "id"),
    sqlite_autoincrement=True,
)

# Classes for which something is to be sent at their closing: a row from the first entry or the
# first message of the chat until the summary.
open_classrooms = Table(
    "open_classrooms",
    metadata,
    Column("lesson_id", Id, ForeignKey("lessons.id"), primary_key=True, autoincrement=False),
    # All have left, and only the summary is to come.
    _flag("is_closed"),
)

# Signs of life of the persons in a classroom: a beat that stands still has ended.
classroom_signs = Table(
    "classroom_signs",
    metadata,
    _ref("lesson_id", "lessons.id"),
    _number("user_id"),
    # `encoder`, or the server that has the page of the person.
    _text("source"),
    _number("beat"),
    PrimaryKeyConstraint("lesson_id", "user_id", "source"),
)

# Events of a rehearsed class that are still to come.
scripted_events = Table(
    "scripted_events",
    metadata,
    _id(),
    _ref("lesson_id", "lessons.id", index=True),
    _moment("due_at"),
    # JSON: the event of the script.
    _text("event"),
    Index(None, "due_at", "id"),
    sqlite_autoincrement=True,
)

# Visits of live pages and replays; a message tells of each when it has ended.
page_visits = Table(
    "page_visits",
    metadata,
    _id(),
    _ref("lesson_id", "lessons.id"),
    # A name that the page chose, so that it comes back to its visit after a reconnect.
    _text("visit_key"),
    _flag("is_replay"),
    _small("client_type", "1, 2, 3"),
    # Who it is, as the message will say. A row lives no longer than the page is open.
    _text("address"),
    _text("account"),
    _text("nickname"),
    # Grows while the page is open. A visit whose beat stands still has ended (ADR 0035).
    _number("beat"),
    _moment("started_at"),
    _moment("last_seen_at"),
    UniqueConstraint("lesson_id", "visit_key"),
    sqlite_autoincrement=True,
)

# Viewers who want to be reminded of a class.
reservations = Table(
    "reservations",
    metadata,
    _ref("lesson_id", "lessons.id"),
    _ref("viewer_id", "viewers.id"),
    _moment("reserved_at"),
    PrimaryKeyConstraint("lesson_id", "viewer_id"),
    Index(None, "viewer_id"),
)
