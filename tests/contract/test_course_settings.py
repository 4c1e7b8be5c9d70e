"""Adding, editing and ending a course: effects."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from sqlalchemy import select

from homeroom.base.clock import DAY, HOUR, YEAR
from homeroom.base.ids import CourseId, UserId
from homeroom.domain.lifecycle import OVERTIME_SECONDS
from homeroom.store.tables import course_teachers, courses
from tests.support.given import Given
from tests.support.pictures import png
from tests.support.wire import Reply, Value

NONE: Final = 10**9
"""An id that nothing has."""
FIVE_YEARS: Final = 5 * YEAR + DAY
"""With the leap day that five years have, or may have had."""


def edit(given: Given, course: CourseId, **fields: Value) -> Reply:
    """Call editCourse."""
    return given.api.call("editCourse", courseId=course, **fields)


def kept(given: Given, course: CourseId) -> dict[str, Any]:
    """Return a course as the database holds it."""
    row = given.rows(select(courses).where(courses.c.id == course))[0]
    return dict(zip(courses.c.keys(), row, strict=True))


def listed_teachers(given: Given, course: CourseId) -> set[UserId]:
    """Return who is on the course's list of teachers."""
    query = select(course_teachers.c.user_id).where(course_teachers.c.course_id == course)
    return {user for (user,) in given.rows(query)}


def test_a_known_identity_answers_the_earlier_course_and_makes_none(given: Given) -> None:
    course = given.course(courseUniqueIdentity="term 1")
    again = given.api.call("addCourse", courseName="Other", courseUniqueIdentity="term 1")
    assert (again.errno, again.data) == (398, course)
    assert given.other().course(courseUniqueIdentity="term 1") != course
    begin = given.now + DAY
    given.lesson(course, courseUniqueIdentity="term 1", beginTime=begin, endTime=begin + HOUR)


def test_of_many_courses_with_one_identity_at_once_one_is_made(given: Given) -> None:
    def call(place: int) -> Reply:
        fields = {"courseName": f"Course {place}", "courseUniqueIdentity": "term 1"}
        return given.api.call("addCourse", **fields)

    with ThreadPoolExecutor(20) as clients:
        replies = list(clients.map(call, range(20)))
    assert sorted(reply.errno for reply in replies) == [1] + [398] * 19
    assert len({reply.data for reply in replies}) == 1


@pytest.mark.parametrize(("identity", "errno"), [("i" * 32, 1), ("名" * 32, 1), ("i" * 33, 100)])
def test_an_identity_has_1_to_32_characters(given: Given, identity: str, errno: int) -> None:
    reply = given.api.call("addCourse", courseName="Course", courseUniqueIdentity=identity)
    assert reply.errno == errno


def test_a_new_course_takes_its_defaults(given: Given) -> None:
    row = kept(given, given.course(courseName="名" * 91, courseIntroduce="介" * 401))
    assert (row["name"], row["introduction"]) == ("名" * 90, "介" * 400)
    assert (row["expires_at"], row["subject"], row["allow_add_friend"]) == (None, 0, None)
    assert not row["allow_student_modify_nickname"]
    assert not row["hides_replay_from_leavers"]
    assert (row["head_teacher_id"], row["folder_id"], row["cover"]) == (None, None, None)


@pytest.mark.parametrize("sent", ["", "0", None])
def test_empty_and_zero_stand_for_no_expiry_no_head_teacher_and_no_folder(
    given: Given, sent: str | None
) -> None:
    names = ("expiryTime", "mainTeacherUid", "folderId", "classroomSettingId", "catId")
    row = kept(given, given.course(**dict.fromkeys(names, sent)))
    assert (row["expires_at"], row["head_teacher_id"], row["folder_id"]) == (None, None, None)


@pytest.mark.parametrize(
    ("subject", "stands_for"), [("16", 16), ("99", 99), ("17", 0), ("-1", 0), ("maths", 0)]
)
def test_a_bad_subject_is_none(given: Given, subject: str, stands_for: int) -> None:
    course = given.course(subjectId=subject)
    assert kept(given, course)["subject"] == stands_for


@pytest.mark.parametrize(
    "switch", ["allowAddFriend", "allowStudentModifyNickname", "notAllowDeleteCourseStudentReplay"]
)
def test_a_switch_of_a_course_is_0_or_1(given: Given, switch: str) -> None:
    course = given.course(**{switch: 1})
    assert edit(given, course, **{switch: 0}).errno == 1
    assert edit(given, course, **{switch: ""}).errno == 1
    assert edit(given, course, **{switch: 2}).errno == 100


@pytest.mark.parametrize(
    ("after", "errno"),
    [(DAY - 1, 151), (DAY, 1), (FIVE_YEARS, 1), (FIVE_YEARS + 1, 154), (-DAY, 151)],
)
def test_an_expiry_is_a_day_to_five_years_away(given: Given, after: int, errno: int) -> None:
    course = given.course()
    fields = {"expiryTime": given.now + after}
    assert given.api.call("addCourse", courseName="Course", **fields).errno == errno
    assert edit(given, course, **fields).errno == errno


def test_a_class_pushes_the_expiry_of_its_course_and_expiry_ends_all_change(given: Given) -> None:
    course = given.course(expiryTime=given.now + 2 * DAY)
    lesson = given.lesson(course)
    expires = given.seen(lesson).hours.end + 90 * DAY
    assert kept(given, course)["expires_at"] == expires
    given.until(expires - 1)
    assert edit(given, course, courseName="Late").errno == 1
    given.until(expires)
    assert edit(given, course, courseName="Too late").errno == 153


def test_an_edit_changes_what_is_sent_and_nothing_else(given: Given) -> None:
    folder, preset, head = given.folder(), given.preset(), given.teacher()
    course = given.course(
        courseName="名" * 90,
        folderId=folder,
        classroomSettingId=preset,
        mainTeacherUid=head,
        subjectId=3,
        catId=7,
        courseIntroduce="About",
        expiryTime=given.now + 2 * DAY,
        allowAddFriend=1,
        allowStudentModifyNickname=1,
        notAllowDeleteCourseStudentReplay=1,
    )
    before = kept(given, course)
    assert edit(given, course).errno == 1
    assert edit(given, course, courseName="", expiryTime="", mainTeacherUid="").errno == 1
    assert kept(given, course) == before
    assert edit(given, course, subjectId="bad", expiryTime=0, courseName="名" * 91).errno == 1
    assert kept(given, course) == {**before, "subject": 0, "expires_at": None}


def test_a_cover_is_kept_and_replaced(given: Given) -> None:
    course = given.api.upload("addCourse", png(), courseName="Course").data
    before = kept(given, course)["cover"]
    assert given.api.upload("editCourse", png(16, 16), courseId=course).errno == 1
    assert kept(given, course)["cover"] not in {None, before}


@pytest.mark.parametrize(("stamp", "stays"), [(None, True), (1, True), (2, False), (3, True)])
def test_a_former_head_teacher_stays_listed_unless_dropped(
    given: Given, *, stamp: int | None, stays: bool
) -> None:
    former, new = given.teacher(), given.teacher()
    course = given.course(mainTeacherUid=former)
    assert edit(given, course, mainTeacherUid=new, stamp=stamp).errno == 1
    assert listed_teachers(given, course) == ({former, new} if stays else {new})


def test_a_head_teacher_is_found_by_account_and_the_uid_wins(given: Given) -> None:
    telephone = given.telephone()
    head = given.user(telephone=telephone, addToSchoolMember=2)
    course = given.course(mainTeacherAccount=telephone)
    assert kept(given, course)["head_teacher_id"] == head
    new = given.teacher()
    assert edit(given, course, mainTeacherUid=new, mainTeacherAccount="12345").errno == 1
    assert kept(given, course)["head_teacher_id"] == new


def test_a_head_teacher_may_be_replaced_once_the_own_classes_are_over(given: Given) -> None:
    head, helper = given.teacher(), given.teacher()
    course = given.course(mainTeacherUid=head)
    lesson = given.lesson(course, teacherUid=helper, assistantUids=[head])
    assert edit(given, course, mainTeacherUid=helper).errno == 314
    given.until(given.seen(lesson).hours.end + OVERTIME_SECONDS - 1)
    assert edit(given, course, mainTeacherUid=helper).errno == 314
    given.clock.advance(1)
    assert edit(given, course, mainTeacherUid=helper).errno == 1


def test_the_classes_of_others_do_not_hold_a_head_teacher(given: Given) -> None:
    head = given.teacher()
    course = given.course(mainTeacherUid=head)
    given.lesson(course)
    given.lesson(teacherUid=head)
    assert edit(given, course, mainTeacherUid=given.teacher()).errno == 1


def test_another_folder_is_that_of_the_classes_to_come(given: Given) -> None:
    old, new, own = given.folder("Old"), given.folder("New"), given.folder("Own")
    course = given.course(folderId=old)
    past, past_with_own = given.held_lesson(course), given.held_lesson(course, folderId=own)
    coming, coming_with_own = given.lesson(course), given.lesson(course, folderId=own)
    assert edit(given, course, folderId=old).errno == 1
    assert edit(given, course, folderId=new).errno == 1
    assert kept(given, course)["folder_id"] == new
    # None: the folder is that of the course.
    folders = [given.seen(one).folder for one in (past, coming, past_with_own, coming_with_own)]
    assert folders == [old, None, own, own]


def test_ending_a_course_deletes_the_classes_that_have_not_begun(given: Given) -> None:
    course = given.course()
    past = given.held_lesson(course)
    coming = given.lesson(course, courseUniqueIdentity="class 1")
    given.done("endCourse", courseId=course)
    assert given.seen(past).deleted_at is None
    assert given.seen(coming).deleted_at == given.now
    # Its identity is free for another class.
    assert given.lesson(courseUniqueIdentity="class 1") != coming


def test_a_school_that_keeps_identities_keeps_those_of_an_ended_course(given: Given) -> None:
    given.plan(keep_identities=True)
    course = given.course()
    coming = given.lesson(course, courseUniqueIdentity="class 1")
    given.done("endCourse", courseId=course)
    form = given.lesson_form(courseUniqueIdentity="class 1")
    again = given.api.call("addCourseClass", **form)
    assert (again.errno, again.data) == (398, coming)


def test_a_course_ends_only_when_no_class_of_it_runs_overtime_included(given: Given) -> None:
    course = given.course()
    hours = given.seen(given.lesson(course)).hours
    for moment in (hours.begin, hours.end, hours.end + OVERTIME_SECONDS - 1):
        given.until(moment)
        assert given.api.call("endCourse", courseId=course).errno == 394
    given.until(hours.end + OVERTIME_SECONDS)
    assert given.api.call("endCourse", courseId=course).errno == 1


def test_a_course_ends_when_its_running_class_was_closed_early(given: Given) -> None:
    course = given.course()
    lesson = given.lesson(course)
    given.until(given.seen(lesson).hours.begin + HOUR // 2)
    given.closed_early(lesson)
    assert given.api.call("endCourse", courseId=course).errno == 1
    assert given.seen(lesson).deleted_at is None


def test_an_ended_course_takes_no_change_but_labels(given: Given) -> None:
    course, student = given.ended_course(), given.student()
    assert edit(given, course).errno == 153
    form = given.lesson_form(course)
    assert given.api.call("addCourseClass", **form).errno == 153
    members = {"courseId": course, "identity": 1}
    assert given.api.call("addCourseStudent", **members, studentUid=student).errno == 153
    removal = given.api.call("delCourseStudentMultiple", **members, studentUidJson=[student])
    assert removal.errno == 153
    entry = {"CourseId": course, "labelIds": [given.label()]}
    assert given.api.call("addCourseLabels", CourseList=[entry]).errnos == [1]
