"""All actions: those that this server answers, and those withdrawn.

An action is declared in the module of its noun and is served by a row of `partner/table.py`; there
is no third list.
"""

from typing import Any

from homeroom.contract import (
    accounts,
    activities,
    class_students,
    classroom_activities,
    classrooms,
    clips,
    comments,
    course_teachers,
    courses,
    drive,
    dual_teacher,
    entry_links,
    files,
    groupings,
    labels,
    lessons,
    new_lessons,
    nicknames,
    rosters,
    school_conf,
    sub_accounts,
    sub_lessons,
    teachers,
    units,
)
from homeroom.contract.action import Action

ACTIONS: tuple[Action[Any, Any], ...] = tuple(
    value
    for noun in (
        accounts,
        teachers,
        sub_accounts,
        labels,
        courses,
        course_teachers,
        lessons,
        new_lessons,
        classrooms,
        rosters,
        class_students,
        groupings,
        comments,
        clips,
        entry_links,
        drive,
        files,
        school_conf,
        nicknames,
        units,
        activities,
        classroom_activities,
        sub_lessons,
        dual_teacher,
    )
    for value in vars(noun).values()
    if isinstance(value, Action)
)
"""The actions that the modules of the nouns declare, in the order of their declarations."""

WITHDRAWN = frozenset(
    {
        "delCourse",
        "editUserInfo",
        "getTempLoginKey",
        "getCourseClass",
        "getCourseStudent",
        "getClassInfo",
        "getCourseList",
        "getClassVideo",
        "getClassWebcastUrl",
        "getOneClassStudentComment",
        "getOneClassTeacherComment",
        "getClassMemberTimeDetails",
        "getUserDeviceCheckInfo",
        "getSchoolLabels",
        "getStudentList",
        "getTeacherList",
        "getClassMemberTime",
        "getDownloadUrl",
        "updateTeacherCloudFolders",
    }
)
"""Actions withdrawn from the API: `Errno.NOT_AUTHORISED` (rules.yaml, retired_actions)."""
