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
ACTIVITY_COURSE = (
    Check(Errno.NO_SUCH_COURSE, "there is no such course, or it was deleted"),
    Check(Errno.COURSE_OF_ANOTHER_SCHOOL, "the course belongs to another school"),
    Check(Errno.COURSE_PAST_EXPIRY, "the course was ended, or has expired"),
    Check(Errno.COURSE_NOT_STANDARD, "the course is public or dual-teacher"),
)
"""Checks of the course of units and activities (READINGS Q78)."""

FOLDER_OF_SCHOOL = Check(Errno.FOLDER_NOT_IN_DRIVE, "the school's drive has no such folder")
LESSON_OF_COURSE = (
    Check(Errno.NO_SUCH_LESSON, "there is no such class"),
    Check(Errno.LESSON_NOT_IN_COURSE, "the class belongs to another course"),
    Check(Errno.LESSON_DELETED, "the class was deleted, or its course was"),
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
