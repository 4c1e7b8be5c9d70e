"""Order of the checks of courses, labels and folders."""

from typing import Any

from sqlalchemy import update

from homeroom.base.clock import DAY, HOUR, YEAR
from homeroom.base.ids import FolderId
from homeroom.contract.courses import ADD_COURSE, EDIT_COURSE, END_COURSE, GET_WEBCAST_URL
from homeroom.contract.drive import CREATE_FOLDER, GET_TOP_FOLDER_ID
from homeroom.contract.labels import (
    ADD_CLASS_LABELS,
    ADD_COURSE_LABELS,
    ADD_SCHOOL_LABEL,
    DELETE_SCHOOL_LABEL,
    UPDATE_SCHOOL_LABEL,
)
from homeroom.store.tables import lessons
from homeroom.store.unit_of_work import UnitOfWork
from tests.support.given import Given
from tests.support.orders import (
    AUDITOR,
    MALFORMED,
    STRANGER,
    Chain,
    Fields,
    Mend,
    Order,
    Pending,
    caller,
    declare,
    entry_caller,
)
from tests.support.orders.members import course_mends
from tests.support.pictures import png

DEPTH = 15


def _belongings(given: Given) -> dict[int, Mend]:
    return {
        160: {"folderId": given.folder()},
        371: {"classroomSettingId": given.other().preset()},
        373: {"classroomSettingId": given.preset()},
    }


def _head_teachers(given: Given, fit: object) -> dict[int, Mend]:
    return {
        334: {"mainTeacherUid": given.cancelled(given.teacher())},
        883: {"mainTeacherUid": given.stopped(given.teacher())},
        389: {"mainTeacherUid": given.stopping(given.teacher())},
        805: {"mainTeacherUid": fit},
    }


def _wrong(given: Given) -> Fields:
    return {
        "picture": b"no picture",
        "expiryTime": given.now,
        "mainTeacherAccount": MALFORMED,
        "folderId": STRANGER,
        "classroomSettingId": STRANGER,
    }


def _add(given: Given) -> list[Chain]:
    given.course(courseUniqueIdentity="term 1")
    identity: Fields = {"courseUniqueIdentity": "term 1"}
    other = Pending(given, "addCourse", courseName="Other", **identity)

    def start() -> Fields:
        other.start()
        return {"courseName": "Course"}

    def release() -> Fields:
        other.finish()
        given.plan(head_teachers=False)
        return {}

    def allow() -> Fields:
        given.plan(head_teachers=True)
        return {}

    mends: dict[int, Mend] = {
        100: start,
        460: release,
        398: {"courseUniqueIdentity": "term 2"},
        103: {"picture": png()},
        151: {"expiryTime": given.now + 6 * YEAR},
        154: {"expiryTime": 0},
        331: {"mainTeacherUid": STRANGER},
        400: {"mainTeacherUid": given.student()},
        **_head_teachers(given, given.teacher()),
        260: allow,
        **_belongings(given),
    }
    return [Chain(caller(given, "addCourse"), _wrong(given) | identity, mends)]


def _edit(given: Given) -> list[Chain]:
    head = given.teacher()
    course = given.course(mainTeacherUid=head)
    begin = given.now + 30 * DAY
    given.lesson(course, teacherUid=head, beginTime=begin, endTime=begin + HOUR)
    student = given.teaching_member(course)
    auditor = given.teaching_member(course, AUDITOR)
    fit = given.teacher()

    def forbid() -> Fields:
        given.plan(head_teachers=False)
        return {"mainTeacherUid": fit}

    def allow() -> Fields:
        given.plan(head_teachers=True)
        return {}

    mends: dict[int, Mend] = {
        100: {"courseId": STRANGER},
        **course_mends(given, course),
        400: {"courseName": "Other"},
        103: {"picture": png()},
        151: {"expiryTime": given.now + 6 * YEAR},
        154: {"expiryTime": begin},
        152: {"expiryTime": begin + HOUR},
        331: {"mainTeacherUid": STRANGER},
        310: {"mainTeacherUid": given.student()},
        **_head_teachers(given, student),
        311: {"mainTeacherUid": auditor},
        312: forbid,
        260: allow,
        314: {"mainTeacherUid": head},
        **_belongings(given),
    }
    return [Chain(caller(given, "editCourse"), _wrong(given) | {"catId": 1}, mends)]


def _end(given: Given) -> list[Chain]:
    course = given.course()
    begin = given.now + HOUR
    given.lesson(course, beginTime=begin, endTime=begin + HOUR)
    given.until(begin)
    given.set_course(course, kind="public")

    def make_standard() -> Fields:
        given.set_course(course, kind="standard")
        return {}

    mends: dict[int, Mend] = {
        100: {"courseId": STRANGER},
        **course_mends(given, course),
        153: {"courseId": course},
        369: make_standard,
        394: {},
    }
    return [Chain(caller(given, "endCourse"), {}, mends)]


def named_course_mends(given: Given, course: object) -> dict[int, Mend]:
    """Return the mends of a course by actions that do not ask whether it has ended."""
    own_deleted = given.set_course(given.course(), deleted_at=1, kind="public")
    return {
        144: {"courseId": own_deleted},
        149: {"courseId": given.public_course()},
        369: {"courseId": course},
    }


def _webcast(given: Given) -> list[Chain]:
    course, elsewhere = given.course(), given.course()
    deleted, foreign = given.lesson(course), given.lesson(elsewhere)
    given.done("delCourseClass", courseId=course, classId=deleted)
    given.done("delCourseClass", courseId=elsewhere, classId=foreign)
    other = given.other()
    mends: dict[int, Mend] = {
        100: {"courseId": other.set_course(other.course(), deleted_at=1, kind="public")},
        **named_course_mends(given, course),
        143: {"classId": foreign},
        142: {"classId": deleted},
        212: {},
    }
    return [Chain(caller(given, "getWebcastUrl"), {"classId": STRANGER}, mends)]


def _add_label(given: Given) -> list[Chain]:
    given.label("Label")
    given.plan(max_labels=1)
    mends: dict[int, Mend] = {
        100: {"labelName": "Label"},
        353: {"labelName": "Other"},
        354: {},
    }
    return [Chain(caller(given, "addSchoolLabel"), {}, mends)]


def _rename_label(given: Given) -> list[Chain]:
    given.label("taken")
    mends: dict[int, Mend] = {
        100: {"labelName": "taken"},
        356: {"labelId": given.other().label()},
        355: {"labelId": given.label()},
        353: {},
    }
    return [Chain(caller(given, "updateSchoolLabel"), {"labelId": STRANGER}, mends)]


def _delete_label(given: Given) -> list[Chain]:
    mends: dict[int, Mend] = {
        100: {"labelId": STRANGER},
        356: {"labelId": given.other().label()},
        355: {},
    }
    return [Chain(caller(given, "deleteSchoolLabel"), {}, mends)]


def _course_labels(given: Given) -> list[Chain]:
    mends: dict[int, Mend] = {100: {"CourseList": []}, 155: {}}
    return [Chain(caller(given, "addCourseLabels"), {}, mends)]


def _course_labels_entry(given: Given) -> list[Chain]:
    foreign = given.other().label()
    eleven = [given.label() for _ in range(11)]
    other = given.other()
    mends: dict[int, Mend] = {
        100: {"labelIds": [*eleven, foreign, STRANGER]},
        147: {"CourseId": other.set_course(other.course(), deleted_at=1)},
        144: {"CourseId": given.deleted_course()},
        149: {"CourseId": given.course()},
        358: {"labelIds": [*eleven, foreign]},
        359: {"labelIds": eleven},
        399: {},
    }
    wrong: Fields = {"CourseId": STRANGER, "labelIds": [*eleven, foreign, STRANGER, "x"]}
    return [Chain(entry_caller(given, "addCourseLabels", "CourseList"), wrong, mends)]


def _lesson_labels(given: Given) -> list[Chain]:
    other = given.other()
    mends: dict[int, Mend] = {
        100: {"classList": []},
        155: {"classList": [{"classId": STRANGER}]},
        147: {"courseId": other.set_course(other.course(), deleted_at=1, kind="public")},
        **named_course_mends(given, given.course()),
    }
    return [Chain(caller(given, "addClassLabels"), {"courseId": STRANGER}, mends)]


def _lesson_labels_entry(given: Given) -> list[Chain]:
    course = given.course()
    foreign = given.other().label()
    eleven = [given.label() for _ in range(11)]
    elsewhere, deleted = given.made_elsewhere(given.lesson()), given.lesson(course)
    is_deleted = lessons.c.id.in_((elsewhere, deleted))
    given.write(update(lessons).where(is_deleted).values(deleted_at=1))
    dual = given.lesson(course)
    given.write(update(lessons).where(lessons.c.id == dual).values(main_lesson_id=given.lesson()))
    given.made_elsewhere(deleted)
    mends: dict[int, Mend] = {
        100: {"classLabelId": [*eleven, foreign, STRANGER]},
        143: {"classId": elsewhere},
        142: {"classId": deleted},
        212: {"classId": given.made_elsewhere(given.lesson(course))},
        466: {"classId": dual},
        369: {"classId": given.lesson(course)},
        358: {"classLabelId": [*eleven, foreign]},
        359: {"classLabelId": eleven},
        357: {},
    }
    wrong: Fields = {"classId": STRANGER, "classLabelId": "no list"}
    call = entry_caller(given, "addClassLabels", "classList", courseId=course)
    return [Chain(call, wrong, mends)]


def _top_folder(given: Given) -> list[Chain]:
    given.plan(drive=False)
    return [Chain(caller(given, "getTopFolderId"), {}, {106: {}})]


def _folder(given: Given) -> list[Chain]:
    top = given.done("getTopFolderId").data
    last = top
    for _ in range(DEPTH):
        last = given.done("createFolder", folderId=last, folderName="Folder").data
    above = given.done("createFolder", folderId=top, folderName="Above").data
    given.done("createFolder", folderId=above, folderName="Folder")
    given.plan(max_folders=1)

    def lock(uow: UnitOfWork) -> None:
        uow.drive.save_writable(FolderId(int(above)), writable=False)

    given.store.write(lock)
    mends: dict[int, Any] = {
        100: {"folderName": "Folder"},
        193: {"folderId": given.other().locked_folder()},
        194: {"folderId": above},
        196: {"folderId": top},
        206: {"folderId": last},
        207: {"folderId": top, "folderName": "Other"},
        208: {},
    }
    return [Chain(caller(given, "createFolder"), {"folderId": STRANGER}, mends)]


declare(ADD_COURSE, Order(_add))
declare(EDIT_COURSE, Order(_edit))
declare(END_COURSE, Order(_end))
declare(GET_WEBCAST_URL, Order(_webcast))
declare(ADD_SCHOOL_LABEL, Order(_add_label))
declare(UPDATE_SCHOOL_LABEL, Order(_rename_label))
declare(DELETE_SCHOOL_LABEL, Order(_delete_label))
declare(ADD_COURSE_LABELS, Order(_course_labels, _course_labels_entry))
declare(ADD_CLASS_LABELS, Order(_lesson_labels, _lesson_labels_entry))
declare(GET_TOP_FOLDER_ID, Order(_top_folder, apart={100: "it has no parameters of its own"}))
declare(CREATE_FOLDER, Order(_folder))
