"""Checks that several actions share."""

from homeroom.contract.action import Check
from homeroom.contract.errno import Errno

REPEATED = Check(Errno.REPEATED_TOO_SOON, "the same parameters came within the last five seconds")
UNFINISHED_REGISTRATION = Check(
    Errno.REGISTRATION_FAILED, "another request still registers the account after one second"
)
TEACHER_QUOTA = Check(Errno.TOO_MANY_TEACHERS, "the school's plan allows no further active teacher")
LIST_CHECK = Check(Errno.LIST_EMPTY, "the list is empty, or is no JSON list")

COURSE_EXISTS = Check(Errno.NO_SUCH_COURSE, "no school has such a course")
COURSE_OF_SCHOOL = Check(Errno.COURSE_NOT_IN_SCHOOL, "the course belongs to another school")
OWN_COURSE = Check(Errno.COURSE_NOT_IN_SCHOOL, "the school has no such course")
COURSE_NOT_DELETED = Check(Errno.COURSE_DELETED, "the course was deleted")
COURSE_NOT_EXPIRED = Check(Errno.COURSE_EXPIRED, "the course was ended, or has expired")
COURSE_KIND = Check(Errno.KIND_NOT_SUPPORTED, "the course is public or dual-teacher")
CHANGEABLE_COURSE = (
    COURSE_EXISTS,
    COURSE_OF_SCHOOL,
    COURSE_NOT_DELETED,
    COURSE_NOT_EXPIRED,
    COURSE_KIND,
)
"""Checks of a course that is to be changed."""
COURSE_FOREIGN = Check(Errno.COURSE_OF_ANOTHER_SCHOOL, "the course belongs to another school")
COURSE_STANDARD = Check(Errno.COURSE_NOT_STANDARD, "the course is public or dual-teacher")
"""The checks of the v2 wire for what `COURSE_OF_SCHOOL` and `COURSE_KIND` are on the v1 wire."""
ACTIVITY_COURSE = (
    Check(Errno.NO_SUCH_COURSE, "there is no such course, or it was deleted"),
    COURSE_FOREIGN,
    Check(Errno.COURSE_PAST_EXPIRY, "the course was ended, or has expired"),
    COURSE_STANDARD,
)
"""Checks of the course of units and activities (READINGS Q78)."""

FOLDER_OF_SCHOOL = Check(Errno.FOLDER_NOT_IN_DRIVE, "the school's drive has no such folder")
LESSON_EXISTS = Check(Errno.NO_SUCH_LESSON, "there is no such class")
LESSON_IN_COURSE = Check(Errno.LESSON_NOT_IN_COURSE, "the class belongs to another course")
LESSON_OF_COURSE = (
    LESSON_EXISTS,
    LESSON_IN_COURSE,
    Check(Errno.LESSON_DELETED, "the class was deleted, or its course was"),
)

LENGTH_CHECK = Check(
    Errno.LESSON_LENGTH, "the class is shorter than 15 minutes or longer than 24 hours"
)
MAINTENANCE_CHECK = Check(
    Errno.MAINTENANCE_OVERLAP,
    "the class, with 20 minutes before and after it, overlaps announced maintenance",
)

TEACHER_OF_SCHOOL = Check(Errno.NOT_A_TEACHER_OF_SCHOOL, "the teacher is no teacher of the school")
TEACHER_IN_SERVICE = (
    Check(Errno.TEACHER_CANCELLED, "the teacher's account was cancelled"),
    Check(Errno.TEACHER_STOPPED, "the teacher is deactivated"),
    Check(Errno.TEACHER_STOPPING, "the teacher is being deactivated"),
)
TEACHER_CHECKS = (
    TEACHER_OF_SCHOOL,
    *TEACHER_IN_SERVICE,
    Check(Errno.TEACHER_IS_COURSE_STUDENT, "the teacher is a student of the course"),
    Check(Errno.TEACHER_IS_COURSE_AUDITOR, "the teacher is an auditor of the course"),
)
"""Checks of the teacher of a class, after that of the UID, whose errno differs."""
CO_TEACHER_IS_ANOTHER = Check(
    Errno.CO_TEACHER_IS_TEACHER, "a co-teacher is the teacher of the class"
)
CO_TEACHER_CHECKS = (
    Check(Errno.CO_TEACHER_NOT_OF_SCHOOL, "a co-teacher is no teacher of the school"),
    Check(Errno.CO_TEACHER_CANCELLED, "the account of a co-teacher was cancelled"),
    Check(Errno.CO_TEACHER_STOPPED, "a co-teacher is deactivated"),
    Check(Errno.CO_TEACHER_STOPPING, "a co-teacher is being deactivated"),
    Check(Errno.CO_TEACHER_IS_STUDENT, "a co-teacher is a student of the course"),
    Check(Errno.CO_TEACHER_IS_AUDITOR, "a co-teacher is an auditor of the course"),
)
CO_TEACHER_COUNT = Check(
    Errno.TOO_MANY_CO_TEACHERS, "there are more co-teachers than the school's plan allows"
)


def identity_checks(noun: str) -> tuple[Check, ...]:
    """Return the checks of courseUniqueIdentity for a course or a class (READINGS Q1)."""
    return (
        Check(
            Errno.BEING_CREATED,
            "another request with this identity is unfinished after one second",
        ),
        Check(
            Errno.IDENTITY_TAKEN,
            f"a {noun} has this identity already; the answer is about that one",
            has_result=True,
        ),
    )
