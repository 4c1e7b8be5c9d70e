"""All actions: those this server answers, those it does not answer yet, those withdrawn."""

from typing import Any

from homeroom.contract.accounts import ADD_SCHOOL_STUDENT, REGISTER, REGISTER_MULTIPLE
from homeroom.contract.action import Action, APIPath
from homeroom.contract.clips import (
    DELETE_CLASS_VIDEO,
    SET_CLASS_VIDEO_MULTIPLE,
    UPDATE_CLASS_LOCK_STATUS,
)
from homeroom.contract.courses import ADD_COURSE, EDIT_COURSE, END_COURSE, GET_WEBCAST_URL
from homeroom.contract.drive import CREATE_FOLDER, GET_TOP_FOLDER_ID
from homeroom.contract.labels import (
    ADD_COURSE_LABELS,
    ADD_SCHOOL_LABEL,
    DELETE_SCHOOL_LABEL,
    UPDATE_SCHOOL_LABEL,
)
from homeroom.contract.lessons import ADD_COURSE_CLASS, DEL_COURSE_CLASS, EDIT_COURSE_CLASS
from homeroom.contract.rosters import (
    ADD_COURSE_STUDENT,
    ADD_COURSE_STUDENT_MULTIPLE,
    DEL_COURSE_STUDENT_MULTIPLE,
)
from homeroom.contract.teachers import ADD_TEACHER, RESTART_USING_TEACHER, STOP_USING_TEACHER

ACTIONS: tuple[Action[Any, Any], ...] = (
    REGISTER,
    REGISTER_MULTIPLE,
    ADD_SCHOOL_STUDENT,
    ADD_TEACHER,
    STOP_USING_TEACHER,
    RESTART_USING_TEACHER,
    ADD_SCHOOL_LABEL,
    UPDATE_SCHOOL_LABEL,
    DELETE_SCHOOL_LABEL,
    ADD_COURSE,
    EDIT_COURSE,
    END_COURSE,
    ADD_COURSE_LABELS,
    ADD_COURSE_CLASS,
    EDIT_COURSE_CLASS,
    DEL_COURSE_CLASS,
    ADD_COURSE_STUDENT,
    ADD_COURSE_STUDENT_MULTIPLE,
    DEL_COURSE_STUDENT_MULTIPLE,
    SET_CLASS_VIDEO_MULTIPLE,
    DELETE_CLASS_VIDEO,
    UPDATE_CLASS_LOCK_STATUS,
    GET_WEBCAST_URL,
    GET_TOP_FOLDER_ID,
    CREATE_FOLDER,
)

PLANNED: dict[APIPath, frozenset[str]] = {
    APIPath.COURSE: frozenset(
        {
            "modifyPasswordByTelephone",
            "editSchoolStudent",
            "editTeacher",
            "updateClassStudentComment",
            "deleteSubSchoolAccount",
            "modifyGroupMemberNickname",
            "modifyCourseTeacher",
            "removeCourseTeacher",
            "addClassLabels",
            "addCourseGroup",
            "editCourseGroup",
            "delCourseGroup",
            "addCourseClassMultiple",
            "modifyClassSeatNum",
            "delEndCourseClass",
            "delCourseStudent",
            "addClassStudentMultiple",
            "delClassStudentMultiple",
            "addCourseClassStudent",
            "getLoginLinked",
        }
    ),
    APIPath.CLOUD: frozenset(
        {
            "getFolderList",
            "getCloudList",
            "uploadFile",
            "renameFile",
            "delFile",
            "renameFolder",
            "delFolder",
        }
    ),
}
"""Actions of the contract that a later version answers; errno 104, said to be so."""

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
"""Actions the API has given up; errno 102 (rules.yaml, retired_actions)."""
