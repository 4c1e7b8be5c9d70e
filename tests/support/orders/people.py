"""Order of the checks of accounts, teachers and members."""

from typing import Any, Final

from sqlalchemy import select

from homeroom.base.ids import UserId
from homeroom.contract.accounts import (
    ADD_SCHOOL_STUDENT,
    EDIT_SCHOOL_STUDENT,
    MODIFY_PASSWORD_BY_TELEPHONE,
    REGISTER,
    REGISTER_MULTIPLE,
)
from homeroom.contract.sub_accounts import DELETE_SUB_SCHOOL_ACCOUNT
from homeroom.contract.teachers import (
    ADD_TEACHER,
    EDIT_TEACHER,
    RESTART_USING_TEACHER,
    STOP_USING_TEACHER,
)
from homeroom.store.tables import users
from tests.support.given import Given
from tests.support.orders import (
    MALFORMED,
    OUT_OF_RANGE,
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
from tests.support.pictures import padded, png

MD5: Final = "0" * 32


def _full_of_teachers(given: Given) -> str:
    """Return a known telephone number of a school that takes no more teachers."""
    known = given.telephone()
    given.user(telephone=known)
    given.teacher()
    given.plan(max_teachers=1)
    return known


def _register(given: Given) -> list[Chain]:
    known = _full_of_teachers(given)
    call = caller(given, "register")
    wrong: Fields = {
        "telephone": MALFORMED,
        "password": "short",
        "picture": padded(b"no picture", 1024 * 1024 + 1),
        "addToSchoolMember": "x",
    }
    equal = Pending(given, "register", **wrong, isSentMessage=1)

    def repeat() -> Fields:
        equal.start()
        return {"isSentMessage": 1}

    def release() -> Fields:
        equal.finish()
        return {"nickname": "C"}

    mends: dict[int, Mend] = {
        100: repeat,
        101003002: {"nickname": "B"},
        131: release,
        134: {"telephone": OUT_OF_RANGE},
        288: {"telephone": known},
        137: {"password": "long enough"},
        342: {"picture": b"no picture"},
        224: {"picture": png(300, 301)},
        341: {"picture": png()},
        877: {"addToSchoolMember": 2, "telephone": given.telephone()},
        845: {},
    }
    # An account that exists is not added as a teacher: the quota is not looked at.
    existing: Fields = {"telephone": known, "md5pass": MD5, "addToSchoolMember": 2}
    return [
        Chain(call, {**wrong, "isSentMessage": "2"}, mends),
        Chain(call, existing, {135: {"telephone": given.telephone()}}),
        Chain(call, {**existing, "telephone": given.telephone()}, {845: {}}),
    ]


def _register_multiple(given: Given) -> list[Chain]:
    call = caller(given, "registerMultiple")
    eleven = [{"telephone": given.telephone(), "md5pass": MD5} for _ in range(11)]
    equal = Pending(given, "registerMultiple", picture=png(), userJson=eleven)

    def repeat() -> Fields:
        equal.start()
        return {"userJson": eleven}

    def release() -> Fields:
        equal.finish()
        return {"more": "1"}

    mends: dict[int, Mend] = {
        100: {"userJson": []},
        155: repeat,
        101003002: release,
        450: {"userJson": eleven[:1]},
        224: {},
    }
    return [Chain(call, {"picture": png()}, mends)]


def _register_multiple_entry(given: Given) -> list[Chain]:
    known = _full_of_teachers(given)
    other = Pending(given, "register", telephone=known, md5pass=MD5, nickname="Other")

    def start() -> Fields:
        other.start()
        return {"password": "long enough"}

    def release() -> Fields:
        other.finish()
        return {"nickname": "B"}

    def no_joining() -> Fields:
        given.plan(join_at_registration=False, max_teachers=0)
        return {"telephone": given.telephone()}

    mends: dict[int, Mend] = {
        134: {"telephone": OUT_OF_RANGE},
        288: {"telephone": known},
        137: start,
        131: release,
        135: {"telephone": given.telephone()},
        845: no_joining,
        821: {},
    }
    wrong = {"telephone": "1", "password": "short", "addToSchoolMember": 2}
    return [Chain(entry_caller(given, "registerMultiple", "userJson"), wrong, mends)]


def _add_school_student(given: Given) -> list[Chain]:
    cancelled, student = given.telephone(), given.telephone()
    given.cancelled(given.user(telephone=cancelled))
    given.user(telephone=student, addToSchoolMember=1)
    owner = given.rows(select(users.c.telephone).where(users.c.id == given.school.owner))[0][0]
    call = caller(given, "addSchoolStudent")

    equal = Pending(given, "addSchoolStudent", studentAccount=MALFORMED, studentName="Student")

    def repeat() -> Fields:
        equal.start()
        return {"studentName": "Student"}

    def release() -> Fields:
        equal.finish()
        return {"studentName": "Another"}

    mends: dict[int, Mend] = {
        100: repeat,
        101003002: release,
        134: {"studentAccount": OUT_OF_RANGE},
        288: {"studentAccount": given.telephone()},
        113: {"studentAccount": cancelled},
        886: {"studentAccount": owner},
        128: {"studentAccount": student},
        133: {},
    }
    return [Chain(call, {"studentAccount": MALFORMED}, mends)]


def _add_teacher(given: Given) -> list[Chain]:
    cancelled, teacher = given.telephone(), given.telephone()
    given.cancelled(given.user(telephone=cancelled))
    given.user(telephone=teacher, addToSchoolMember=2)
    given.plan(max_teachers=1)
    call = caller(given, "addTeacher")
    wrong: Fields = {"picture": b"no picture", "teacherAccount": MALFORMED}
    other = Pending(given, "register", telephone=MALFORMED, md5pass=MD5)

    equal = Pending(given, "addTeacher", **wrong, teacherName="Teacher")

    def repeat() -> Fields:
        equal.start()
        other.start()
        return {"teacherName": "Teacher"}

    def release() -> Fields:
        equal.finish()
        other.finish()
        return {"teacherName": "C"}

    mends: dict[int, Mend] = {
        100: repeat,
        101003002: {"teacherName": "B"},
        131: release,
        122: {"teacherAccount": OUT_OF_RANGE},
        288: {"teacherUid": STRANGER},
        103: {"picture": png()},
        400: {"teacherUid": None, "teacherAccount": given.telephone()},
        113: {"teacherAccount": cancelled},
        884: {"teacherAccount": teacher},
        133: {"teacherUid": given.user()},
        845: {},
    }
    return [Chain(call, wrong, mends)]


def _head_teacher(given: Given) -> UserId:
    teacher = given.teacher()
    given.course(mainTeacherUid=teacher)
    return teacher


def _stop(given: Given) -> list[Chain]:
    head, busy_head = _head_teacher(given), _head_teacher(given)
    given.lesson(teacherUid=busy_head)
    sub_account = given.sub_account(_head_teacher(given))
    given.lesson(teacherUid=sub_account)
    owner = given.sub_account(given.school.owner)
    given.done("addTeacher", teacherUid=owner, teacherName="Principal")
    given.lesson(teacherUid=owner)
    mends: dict[int, Any] = {
        100: {"teacherAccount": MALFORMED},
        122: {"teacherUid": STRANGER},
        400: {"teacherUid": given.user()},
        136: {"teacherUid": owner},
        386: {"teacherUid": sub_account},
        402: {"teacherUid": busy_head},
        317: {"teacherUid": head},
        339: {},
    }
    return [Chain(caller(given, "stopUsingTeacher"), {}, mends)]


def _restart(given: Given) -> list[Chain]:
    mends: dict[int, Any] = {
        100: {"teacherAccount": MALFORMED},
        122: {"teacherUid": STRANGER},
        400: {"teacherUid": given.user()},
        136: {"teacherUid": given.stopping(given.teacher())},
        800: {},
    }
    return [Chain(caller(given, "restartUsingTeacher"), {}, mends)]


def _modify_password(given: Given) -> list[Chain]:
    mends: dict[int, Mend] = {
        100: {"telephone": MALFORMED},
        134: {"telephone": given.telephone()},
        137: {"password": "long enough"},
        113: {"uid": STRANGER},
        400: {"uid": given.user()},
        227: {},
    }
    return [Chain(caller(given, "modifyPasswordByTelephone"), {"password": "short"}, mends)]


def _edit_student(given: Given) -> list[Chain]:
    mends: dict[int, Mend] = {100: {"studentName": "Student"}, 228: {}}
    return [Chain(caller(given, "editSchoolStudent"), {"studentUid": STRANGER}, mends)]


def _edit_teacher(given: Given) -> list[Chain]:
    mends: dict[int, Mend] = {
        100: {"teacherName": "Teacher"},
        219: {"teacherUid": given.teacher()},
        103: {},
    }
    wrong: Fields = {"teacherUid": STRANGER, "picture": b"no picture"}
    return [Chain(caller(given, "editTeacher"), wrong, mends)]


def _delete_sub_account(given: Given) -> list[Chain]:
    mends: dict[int, Mend] = {100: {"UID": STRANGER}, 22101: {}}
    return [Chain(caller(given, "deleteSubSchoolAccount"), {}, mends)]


declare(REGISTER, Order(_register))
declare(
    REGISTER_MULTIPLE,
    Order(
        _register_multiple,
        _register_multiple_entry,
        {461: "as 135, of an e-mail address", 820: "as 821, of a student"},
    ),
)
declare(ADD_SCHOOL_STUDENT, Order(_add_school_student))
declare(ADD_TEACHER, Order(_add_teacher))
declare(STOP_USING_TEACHER, Order(_stop))
declare(RESTART_USING_TEACHER, Order(_restart))
declare(EDIT_SCHOOL_STUDENT, Order(_edit_student))
declare(MODIFY_PASSWORD_BY_TELEPHONE, Order(_modify_password))
declare(EDIT_TEACHER, Order(_edit_teacher))
declare(DELETE_SUB_SCHOOL_ACCOUNT, Order(_delete_sub_account))
