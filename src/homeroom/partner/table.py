"""The whole partner API on one screen."""

from typing import Any

from homeroom.contract.accounts import ADD_SCHOOL_STUDENT, REGISTER, REGISTER_MULTIPLE
from homeroom.contract.clips import (
    DELETE_CLASS_VIDEO,
    SET_CLASS_VIDEO_MULTIPLE,
    UPDATE_CLASS_LOCK_STATUS,
)
from homeroom.contract.courses import ADD_COURSE, EDIT_COURSE, END_COURSE, GET_WEBCAST_URL
from homeroom.contract.drive import CREATE_FOLDER, GET_TOP_FOLDER_ID
from homeroom.contract.errno import Errno
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
from homeroom.partner import accounts, clips, courses, drive, labels, lessons, rosters, teachers
from homeroom.partner.serving import Served, Turn, serve

TABLE: tuple[Served[Any], ...] = (
    serve(
        REGISTER,
        accounts.register,
        before=accounts.prepare,
        turns=(Turn(accounts.account_keys, Errno.REGISTRATION_FAILED),),
        is_guarded=True,
    ),
    serve(
        REGISTER_MULTIPLE,
        accounts.register_multiple,
        before=accounts.prepare_several,
        turns=(Turn(accounts.several_account_keys, None),),
        is_guarded=True,
    ),
    serve(ADD_SCHOOL_STUDENT, accounts.add_school_student, is_guarded=True),
    serve(
        ADD_TEACHER,
        teachers.add_teacher,
        before=teachers.prepare,
        turns=(Turn(teachers.account_keys, Errno.REGISTRATION_FAILED, holds=False),),
        is_guarded=True,
    ),
    serve(STOP_USING_TEACHER, teachers.stop_using_teacher),
    serve(RESTART_USING_TEACHER, teachers.restart_using_teacher),
    serve(
        ADD_COURSE,
        courses.add_course,
        before=courses.prepare,
        about=courses.earlier,
        turns=(Turn(courses.identity_keys, Errno.BEING_CREATED),),
    ),
    serve(EDIT_COURSE, courses.edit_course, before=courses.prepare),
    serve(END_COURSE, courses.end_course),
    serve(GET_WEBCAST_URL, courses.get_webcast_url, reads=True),
    serve(ADD_COURSE_STUDENT, rosters.add_course_student),
    serve(
        ADD_COURSE_STUDENT_MULTIPLE,
        rosters.add_course_student_multiple,
        turns=(
            Turn(rosters.course_keys, Errno.MEMBERS_BEING_CHANGED),
            Turn(rosters.account_keys, None, holds=False),
        ),
    ),
    serve(DEL_COURSE_STUDENT_MULTIPLE, rosters.del_course_student_multiple),
    serve(ADD_SCHOOL_LABEL, labels.add_school_label, about=labels.known),
    serve(UPDATE_SCHOOL_LABEL, labels.update_school_label),
    serve(DELETE_SCHOOL_LABEL, labels.delete_school_label),
    serve(ADD_COURSE_LABELS, labels.add_course_labels),
    serve(
        ADD_COURSE_CLASS,
        lessons.add_course_class,
        about=lessons.earlier,
        turns=(Turn(lessons.identity_keys, Errno.BEING_CREATED),),
        together=True,
    ),
    serve(EDIT_COURSE_CLASS, lessons.edit_course_class),
    serve(DEL_COURSE_CLASS, lessons.del_course_class),
    serve(SET_CLASS_VIDEO_MULTIPLE, clips.set_class_video_multiple),
    serve(DELETE_CLASS_VIDEO, clips.delete_class_video),
    serve(UPDATE_CLASS_LOCK_STATUS, clips.update_class_lock_status),
    serve(GET_TOP_FOLDER_ID, drive.get_top_folder_id),
    serve(CREATE_FOLDER, drive.create_folder, about=drive.known),
)
