"""The whole partner API, one screen for each wire."""

from typing import Any

from homeroom.contract.accounts import (
    ADD_SCHOOL_STUDENT,
    EDIT_SCHOOL_STUDENT,
    MODIFY_PASSWORD_BY_TELEPHONE,
    REGISTER,
    REGISTER_MULTIPLE,
)
from homeroom.contract.activities import (
    ADD_ACTIVITY_STUDENTS,
    CREATE_ACTIVITY,
    DELETE_ACTIVITY,
    DELETE_ACTIVITY_STUDENTS,
    RELEASE_ACTIVITIES,
)
from homeroom.contract.class_students import (
    ADD_CLASS_STUDENT_MULTIPLE,
    ADD_COURSE_CLASS_STUDENT,
    DEL_CLASS_STUDENT_MULTIPLE,
)
from homeroom.contract.classroom_activities import CREATE_CLASS, UPDATE_CLASS
from homeroom.contract.classrooms import MODIFY_CLASS_SEAT_NUM
from homeroom.contract.clips import (
    DEL_END_COURSE_CLASS,
    DELETE_CLASS_VIDEO,
    SET_CLASS_VIDEO_MULTIPLE,
    UPDATE_CLASS_LOCK_STATUS,
)
from homeroom.contract.comments import UPDATE_CLASS_STUDENT_COMMENT
from homeroom.contract.course_teachers import (
    ADD_COURSE_TEACHER,
    MODIFY_COURSE_TEACHER,
    REMOVE_COURSE_TEACHER,
)
from homeroom.contract.courses import ADD_COURSE, EDIT_COURSE, END_COURSE, GET_WEBCAST_URL
from homeroom.contract.drive import (
    CREATE_FOLDER,
    DEL_FOLDER,
    GET_CLOUD_LIST,
    GET_FOLDER_LIST,
    GET_TOP_FOLDER_ID,
    RENAME_FOLDER,
)
from homeroom.contract.dual_teacher import DELETE_CLASS, EDIT_CLASS
from homeroom.contract.entry_links import GET_LOGIN_LINKED
from homeroom.contract.errno import Errno
from homeroom.contract.files import DEL_FILE, RENAME_FILE, UPLOAD_FILE
from homeroom.contract.groupings import ADD_COURSE_GROUP, DEL_COURSE_GROUP, EDIT_COURSE_GROUP
from homeroom.contract.labels import (
    ADD_CLASS_LABELS,
    ADD_COURSE_LABELS,
    ADD_SCHOOL_LABEL,
    DELETE_SCHOOL_LABEL,
    UPDATE_SCHOOL_LABEL,
)
from homeroom.contract.lessons import ADD_COURSE_CLASS, DEL_COURSE_CLASS, EDIT_COURSE_CLASS
from homeroom.contract.new_lessons import ADD_COURSE_CLASS_MULTIPLE
from homeroom.contract.nicknames import MODIFY_COURSE_STUDENT_NICK_NAME
from homeroom.contract.rosters import (
    ADD_COURSE_STUDENT,
    ADD_COURSE_STUDENT_MULTIPLE,
    DEL_COURSE_STUDENT,
    DEL_COURSE_STUDENT_MULTIPLE,
    MODIFY_GROUP_MEMBER_NICKNAME,
)
from homeroom.contract.school_conf import MODIFY_SCHOOL_CONF
from homeroom.contract.sub_accounts import DELETE_SUB_SCHOOL_ACCOUNT
from homeroom.contract.sub_lessons import ADD_CLASS
from homeroom.contract.teachers import (
    ADD_TEACHER,
    EDIT_TEACHER,
    RESTART_USING_TEACHER,
    STOP_USING_TEACHER,
)
from homeroom.contract.units import CREATE_UNIT, DELETE_UNIT, MOVE_UNIT, UPDATE_UNIT
from homeroom.domain.classroom_activities import MAX_CREATIONS_PER_MINUTE
from homeroom.partner.handlers import (
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
    teachers,
    units,
)
from homeroom.partner.routes import ActionRoute, LockRule, route
from homeroom.partner.scopes import lock_course, lock_recordings, share_course

V1_TABLE: tuple[ActionRoute[Any, Any, Any], ...] = (
    route(
        REGISTER,
        accounts.register,
        prepare=accounts.prepare_registration,
        locks=(LockRule(accounts.get_lock_keys, Errno.REGISTRATION_FAILED),),
        refuses_duplicates=True,
    ),
    route(
        REGISTER_MULTIPLE,
        accounts.register_multiple,
        prepare=accounts.prepare_registrations,
        locks=(LockRule(accounts.get_all_lock_keys, None),),
        refuses_duplicates=True,
    ),
    route(
        ADD_SCHOOL_STUDENT,
        accounts.add_school_student,
        prepare=accounts.prepare_student,
        prepares_quickly=True,
        refuses_duplicates=True,
    ),
    route(EDIT_SCHOOL_STUDENT, accounts.edit_school_student),
    route(
        MODIFY_PASSWORD_BY_TELEPHONE,
        accounts.modify_password,
        prepare=accounts.prepare_password,
    ),
    route(
        ADD_TEACHER,
        teachers.add_teacher,
        prepare=teachers.prepare_teacher,
        locks=(
            LockRule(teachers.get_account_lock_keys, Errno.REGISTRATION_FAILED, acquires=False),
        ),
        refuses_duplicates=True,
    ),
    route(EDIT_TEACHER, teachers.edit_teacher, prepare=teachers.prepare_photo),
    route(
        STOP_USING_TEACHER,
        teachers.stop_using_teacher,
        prepare=teachers.prepare_account,
        prepares_quickly=True,
    ),
    route(
        RESTART_USING_TEACHER,
        teachers.restart_using_teacher,
        prepare=teachers.prepare_account,
        prepares_quickly=True,
    ),
    route(DELETE_SUB_SCHOOL_ACCOUNT, sub_accounts.delete_sub_school_account),
    route(
        ADD_COURSE,
        courses.add_course,
        prepare=courses.prepare_course,
        describe_existing=courses.describe_existing_course,
        locks=(LockRule(courses.get_lock_keys, Errno.BEING_CREATED),),
    ),
    route(EDIT_COURSE, courses.edit_course, prepare=courses.prepare_course, scope=lock_course),
    route(END_COURSE, courses.end_course, scope=lock_course),
    route(
        MODIFY_COURSE_TEACHER,
        course_teachers.modify_course_teacher,
        prepare=course_teachers.prepare_next_teacher,
        prepares_quickly=True,
    ),
    route(
        REMOVE_COURSE_TEACHER,
        course_teachers.remove_course_teacher,
        prepare=course_teachers.prepare_former_teacher,
        prepares_quickly=True,
    ),
    route(GET_WEBCAST_URL, courses.get_webcast_url, read_only=True),
    route(
        ADD_COURSE_STUDENT,
        rosters.add_course_student,
        prepare=rosters.prepare_member,
        prepares_quickly=True,
        scope=lock_course,
    ),
    route(
        ADD_COURSE_STUDENT_MULTIPLE,
        rosters.add_course_student_multiple,
        prepare=rosters.prepare_members,
        locks=(
            LockRule(rosters.get_course_lock_keys, Errno.MEMBERS_BEING_CHANGED),
            LockRule(rosters.get_account_lock_keys, None, acquires=False),
        ),
        scope=lock_course,
    ),
    route(DEL_COURSE_STUDENT, rosters.del_course_student, scope=lock_course),
    route(
        DEL_COURSE_STUDENT_MULTIPLE,
        rosters.del_course_student_multiple,
        prepare=rosters.prepare_removals,
        scope=lock_course,
    ),
    route(
        ADD_CLASS_STUDENT_MULTIPLE,
        class_students.add_class_student_multiple,
        prepare=class_students.prepare_additions,
        locks=(LockRule(class_students.get_account_lock_keys, None, acquires=False),),
        scope=lock_course,
    ),
    route(
        DEL_CLASS_STUDENT_MULTIPLE,
        class_students.del_class_student_multiple,
        prepare=class_students.prepare_removals,
        scope=lock_course,
    ),
    route(
        ADD_COURSE_CLASS_STUDENT,
        class_students.add_course_class_student,
        prepare=class_students.prepare_student,
        prepares_quickly=True,
        scope=lock_course,
    ),
    route(MODIFY_GROUP_MEMBER_NICKNAME, rosters.modify_group_member_nickname),
    route(ADD_COURSE_GROUP, groupings.add_course_group),
    route(EDIT_COURSE_GROUP, groupings.edit_course_group),
    route(DEL_COURSE_GROUP, groupings.del_course_group),
    route(
        ADD_SCHOOL_LABEL, labels.add_school_label, describe_existing=labels.describe_existing_label
    ),
    route(UPDATE_SCHOOL_LABEL, labels.update_school_label),
    route(DELETE_SCHOOL_LABEL, labels.delete_school_label),
    route(ADD_COURSE_LABELS, labels.add_course_labels),
    route(ADD_CLASS_LABELS, labels.add_class_labels),
    route(
        ADD_COURSE_CLASS,
        lessons.add_course_class,
        prepare=lessons.prepare_request,
        prepares_quickly=True,
        describe_existing=lessons.describe_existing_lesson,
        locks=(LockRule(lessons.get_lock_keys, Errno.BEING_CREATED),),
        scope=share_course,
    ),
    route(
        ADD_COURSE_CLASS_MULTIPLE,
        new_lessons.add_course_class_multiple,
        prepare=new_lessons.prepare_requests,
        locks=(LockRule(new_lessons.get_all_lock_keys, None),),
        scope=share_course,
    ),
    route(MODIFY_CLASS_SEAT_NUM, classrooms.modify_class_seat_num, scope=lock_course),
    route(EDIT_COURSE_CLASS, lessons.edit_course_class, scope=lock_course),
    route(DEL_COURSE_CLASS, lessons.del_course_class, scope=lock_course),
    route(DEL_END_COURSE_CLASS, clips.del_end_course_class),
    route(
        UPDATE_CLASS_STUDENT_COMMENT,
        comments.update_class_student_comment,
        prepare=comments.prepare_comments,
    ),
    route(SET_CLASS_VIDEO_MULTIPLE, clips.set_class_video_multiple, scope=lock_course),
    route(DELETE_CLASS_VIDEO, clips.delete_class_video, scope=lock_recordings),
    route(UPDATE_CLASS_LOCK_STATUS, clips.update_class_lock_status, scope=lock_recordings),
    route(
        GET_LOGIN_LINKED,
        entry_links.get_login_linked,
        prepare=entry_links.prepare_user,
        prepares_quickly=True,
        read_only=True,
    ),
    route(GET_TOP_FOLDER_ID, drive.get_top_folder_id),
    route(GET_FOLDER_LIST, drive.get_folder_list, read_only=True),
    route(GET_CLOUD_LIST, drive.get_cloud_list, read_only=True),
    route(CREATE_FOLDER, drive.create_folder, describe_existing=drive.describe_existing_folder),
    route(RENAME_FOLDER, drive.rename_folder, describe_existing=drive.describe_taken_name),
    route(DEL_FOLDER, drive.del_folder),
    route(
        UPLOAD_FILE,
        files.upload_file,
        check_before_file=files.check_folder,
        reserve=files.reserve_upload,
        prepare=files.store_upload,
    ),
    route(RENAME_FILE, files.rename_file),
    route(DEL_FILE, files.del_file),
)

V2_TABLE: tuple[ActionRoute[Any, Any, Any], ...] = (
    route(MODIFY_SCHOOL_CONF, school_conf.modify_school_conf),
    route(ADD_COURSE_TEACHER, course_teachers.add_course_teacher),
    route(MODIFY_COURSE_STUDENT_NICK_NAME, nicknames.modify_course_student_nick_name),
    route(CREATE_UNIT, units.create_unit, scope=lock_course),
    route(UPDATE_UNIT, units.update_unit, scope=lock_course),
    route(DELETE_UNIT, units.delete_unit, scope=lock_course),
    route(MOVE_UNIT, units.move_unit, scope=lock_course),
    route(CREATE_ACTIVITY, activities.create_activity, scope=lock_course),
    route(
        CREATE_CLASS,
        classroom_activities.create_class,
        describe_existing=classroom_activities.describe_existing_class,
        locks=(LockRule(classroom_activities.get_lock_keys, Errno.FAILED),),
        scope=classroom_activities.choose_scope,
        max_per_minute=MAX_CREATIONS_PER_MINUTE,
    ),
    route(UPDATE_CLASS, classroom_activities.update_class, scope=lock_course),
    route(RELEASE_ACTIVITIES, activities.release_activities, scope=lock_course),
    route(DELETE_ACTIVITY, activities.delete_activity, scope=lock_course),
    route(ADD_ACTIVITY_STUDENTS, activities.add_activity_students, scope=lock_course),
    route(DELETE_ACTIVITY_STUDENTS, activities.delete_activity_students, scope=lock_course),
    route(
        ADD_CLASS,
        dual_teacher.add_class,
        locks=(LockRule(dual_teacher.get_lock_keys, None),),
    ),
    route(EDIT_CLASS, dual_teacher.edit_class),
    route(DELETE_CLASS, dual_teacher.delete_class),
)
