"""The 46 kinds of messages that a school's receivers get: their commands, streams and causes."""

from enum import StrEnum
from typing import Final

import msgspec


class MessageSource(StrEnum):
    """The source of messages of a kind (reading Q88)."""

    NATURAL = "natural"
    """An ordinary act on this server."""
    CLASSROOM = "classroom"
    """An act in a classroom, which is rehearsed by the sandbox (Q100)."""
    SANDBOX = "sandbox"
    """Only on request (Q101)."""


class MessageSubject(StrEnum):
    """The subject of a stream of messages; their order is kept within the stream (Q92)."""

    CLASS = "class"
    COURSE = "course"
    PERSON = "person"
    SCHOOL = "school"


class MessageKind(StrEnum):
    """The kind of a message, by its name in this project."""

    HAND_RAISE = "hand_raise"
    AWARD = "award"
    CAMERA_POSITION = "camera_position"
    AUTHORIZE = "authorize"
    ENTER_CLASS = "enter_class"
    LEAVE_CLASS = "leave_class"
    KICK = "kick"
    MUTE_ONE = "mute_one"
    MUTE_ALL = "mute_all"
    STAGE = "stage"
    ANSWER_TOOL = "answer_tool"
    RESPONDER_TOOL = "responder_tool"
    NETWORK_REPORT = "network_report"
    DEVICE_CHECK_IN_CLASS = "device_check_in_class"
    HELP_REQUEST = "help_request"
    CLASS_EXTENDED = "class_extended"
    RECORDING_STARTED = "recording_started"
    BLACKBOARD_IMAGE = "blackboard_image"
    LIVE_LOGIN = "live_login"
    LIVE_RESERVE = "live_reserve"
    LIVE_VIEW = "live_view"
    LIVE_LIKE = "live_like"
    LIVE_GOODS_CLICK = "live_goods_click"
    LIVE_CHAT = "live_chat"
    CLASS_SUMMARY = "class_summary"
    RATINGS = "ratings"
    RECORDING_FILE = "recording_file"
    REPLAY_UPLOADED = "replay_uploaded"
    EDU_QUIZ = "edu_quiz"
    WEB_REPLAY_VIEW = "web_replay_view"
    CLIENT_REPLAY_VIEW = "client_replay_view"
    CLASS_CHAT_ARCHIVE = "class_chat_archive"
    HOMEWORK_SUBMITTED = "homework_submitted"
    HOMEWORK_SCORE = "homework_score"
    TEST_SCORE = "test_score"
    ANSWER_SHEET_SCORE = "answer_sheet_score"
    DISCUSSION_CHANGE = "discussion_change"
    FILE_CONVERTED = "file_converted"
    DEVICE_CHECK_OUTSIDE = "device_check_outside"
    ACCOUNT_CANCELLED = "account_cancelled"
    PHONE_CHANGED = "phone_changed"
    SUB_ACCOUNT_SET = "sub_account_set"
    COURSE_CHANGED = "course_changed"
    CLASS_CHANGED = "class_changed"
    COURSE_STUDENTS_CHANGED = "course_students_changed"
    CLASS_STUDENTS_CHANGED = "class_students_changed"


class KindFacts(msgspec.Struct, frozen=True):
    """The facts of a kind of message."""

    command: int | str
    """`Cmd` on the wire. Five kinds share 67375105 and differ in `Color`."""
    source: MessageSource
    stream: MessageSubject
    description: str
    """When the message is sent."""
    cause: str
    """The act on this server that causes it."""


_NATURAL, _CLASSROOM, _SANDBOX = MessageSource
_CLASS, _COURSE, _PERSON, _SCHOOL = MessageSubject

KINDS: Final[dict[MessageKind, KindFacts]] = {
    MessageKind.HAND_RAISE: KindFacts(
        67375105,
        _CLASSROOM,
        _CLASS,
        "a student raises or lowers a hand",
        "event hand",
    ),
    MessageKind.AWARD: KindFacts(
        67375105,
        _CLASSROOM,
        _CLASS,
        "a trophy is given",
        "event award; Times is the total of that person so far",
    ),
    MessageKind.CAMERA_POSITION: KindFacts(
        67375105,
        _CLASSROOM,
        _CLASS,
        "a camera picture moves",
        "event camera",
    ),
    MessageKind.AUTHORIZE: KindFacts(
        67371520,
        _CLASSROOM,
        _CLASS,
        "blackboard rights are granted or withdrawn",
        "event authorize",
    ),
    MessageKind.ENTER_CLASS: KindFacts(
        67371107,
        _NATURAL,
        _CLASS,
        "a user enters the classroom; sent at once",
        "the teacher's page joins, or event enter (Q95)",
    ),
    MessageKind.LEAVE_CLASS: KindFacts(
        67371111,
        _NATURAL,
        _CLASS,
        "a user leaves the classroom; sent at once",
        "the teacher's page leaves, event leave or kick, closing, deletion of the class (Q95)",
    ),
    MessageKind.KICK: KindFacts(
        67371523,
        _CLASSROOM,
        _CLASS,
        "a user is removed from the room",
        "event kick; leave_class with Reason 4 follows",
    ),
    MessageKind.MUTE_ONE: KindFacts(
        67371522,
        _CLASSROOM,
        _CLASS,
        "one user is muted or unmuted",
        "event mute; not muting in the live chat (Q95)",
    ),
    MessageKind.MUTE_ALL: KindFacts(
        67371586,
        _CLASSROOM,
        _CLASS,
        "everybody is muted or unmuted",
        "event mute_all",
    ),
    MessageKind.STAGE: KindFacts(
        67371521,
        _CLASSROOM,
        _CLASS,
        "a user goes on or off stage",
        "event stage",
    ),
    MessageKind.ANSWER_TOOL: KindFacts(
        67375105,
        _CLASSROOM,
        _CLASS,
        "the quiz tool sends or collects a question, or a student answers",
        "events question, answer, collect",
    ),
    MessageKind.RESPONDER_TOOL: KindFacts(
        67375105,
        _CLASSROOM,
        _CLASS,
        "the race-to-answer tool is used",
        "events race, grab, race_end",
    ),
    MessageKind.NETWORK_REPORT: KindFacts(
        "Net",
        _CLASSROOM,
        _CLASS,
        "every 5 minutes per user, covering those 5 minutes",
        "event network",
    ),
    MessageKind.DEVICE_CHECK_IN_CLASS: KindFacts(
        "Check",
        _NATURAL,
        _CLASS,
        "a device check runs inside the classroom",
        "device check on the teacher's page while the class is open, or event check",
    ),
    MessageKind.HELP_REQUEST: KindFacts(
        "HelpInfo",
        _CLASSROOM,
        _CLASS,
        "teacher, or student if the room preset allows, asks support for help",
        "event help",
    ),
    MessageKind.CLASS_EXTENDED: KindFacts(
        "ClassLen",
        _NATURAL,
        _CLASS,
        (
            "the teacher lengthens the class between 8 and 3 minutes before its end; only if "
            "the room preset allows extension"
        ),
        "lengthening from the teacher's page 8 to 3 minutes before the end, or event extend",
    ),
    MessageKind.RECORDING_STARTED: KindFacts(
        "LiveDetail",
        _NATURAL,
        _CLASS,
        "each time recording starts",
        "a push of a recorded class begins, its scene too",
    ),
    MessageKind.BLACKBOARD_IMAGE: KindFacts(
        "EdbImg",
        _CLASSROOM,
        _CLASS,
        "the big blackboard is cleared (one jpg) and at class end (one jpg and one png)",
        "event board; at closing if the board was used",
    ),
    MessageKind.LIVE_LOGIN: KindFacts(
        "LiveWebLogin",
        _NATURAL,
        _CLASS,
        (
            "a viewer logs in on the live page while the class is live; logging in to a replay "
            "sends nothing"
        ),
        "login on the live page while the class can be live (Q96)",
    ),
    MessageKind.LIVE_RESERVE: KindFacts(
        "LiveReserve",
        _NATURAL,
        _CLASS,
        "a viewer books the live stream before it starts",
        "'remind me' on the countdown page (Q96)",
    ),
    MessageKind.LIVE_VIEW: KindFacts(
        "LiveDataDetail",
        _NATURAL,
        _CLASS,
        "a viewer closes the live page",
        "a visit of the live page ends (Q96)",
    ),
    MessageKind.LIVE_LIKE: KindFacts(
        "LiveLike",
        _NATURAL,
        _CLASS,
        "a viewer likes the stream",
        "a like that counts (Q96)",
    ),
    MessageKind.LIVE_GOODS_CLICK: KindFacts(
        "LiveGoodsClickDetail",
        _SANDBOX,
        _CLASS,
        "a viewer opens a product",
        "on request; there are no goods here",
    ),
    MessageKind.LIVE_CHAT: KindFacts(
        "LiveChatMsgDetail",
        _NATURAL,
        _CLASS,
        "a viewer posts in the live chat",
        "a viewer writes in the live chat (Q96)",
    ),
    MessageKind.CLASS_SUMMARY: KindFacts(
        "End",
        _NATURAL,
        _CLASS,
        (
            "once the class has closed, that is 20 minutes after the scheduled end; only if "
            "a person entered"
        ),
        "closing of the room, if anybody entered (Q47, Q95)",
    ),
    MessageKind.RATINGS: KindFacts(
        "Rating",
        _CLASSROOM,
        _CLASS,
        (
            "after someone leaves the room and rates: one message for all ratings by the "
            "teacher, one per rating student; repeated with the latest rating when a user rates"
            " again"
        ),
        "event rate",
    ),
    MessageKind.RECORDING_FILE: KindFacts(
        "Record",
        _NATURAL,
        _CLASS,
        (
            "each time a recording file is produced, also during class when recording is "
            "interrupted; a class may have several"
        ),
        "the flat file of a clip is ready",
    ),
    MessageKind.REPLAY_UPLOADED: KindFacts(
        "Upload",
        _NATURAL,
        _CLASS,
        "a replay file uploaded by hand in the console is ready",
        "a clip is added by hand",
    ),
    MessageKind.EDU_QUIZ: KindFacts(
        "EduDt",
        _SANDBOX,
        _CLASS,
        "after class, multi-question quiz results",
        "on request",
    ),
    MessageKind.WEB_REPLAY_VIEW: KindFacts(
        "ReplayDataDetail",
        _NATURAL,
        _CLASS,
        "a viewer closes the web replay",
        "a visit that began after the class was over ends (Q96)",
    ),
    MessageKind.CLIENT_REPLAY_VIEW: KindFacts(
        "ClientPlaybackDataDetail",
        _SANDBOX,
        _CLASS,
        "a user opens (1) or closes (3) a replay in the client, or the session times out (4)",
        "on request; the new form",
    ),
    MessageKind.CLASS_CHAT_ARCHIVE: KindFacts(
        "ChatContent",
        _NATURAL,
        _CLASS,
        "after class, chat is packed and its address pushed",
        "closing of the room, if anybody wrote in the chat",
    ),
    MessageKind.HOMEWORK_SUBMITTED: KindFacts(
        "HomeworkSubmit",
        _SANDBOX,
        _COURSE,
        "a student hands in homework",
        "on request, for an activity of type 2 where activityId is given",
    ),
    MessageKind.HOMEWORK_SCORE: KindFacts(
        "HomeworkScore",
        _SANDBOX,
        _COURSE,
        "a homework score appears or changes",
        "on request",
    ),
    MessageKind.TEST_SCORE: KindFacts(
        "ExamScore",
        _SANDBOX,
        _COURSE,
        "a complete test score appears or changes; partial scores are not sent",
        "on request",
    ),
    MessageKind.ANSWER_SHEET_SCORE: KindFacts(
        "AnswerSheetScore",
        _SANDBOX,
        _COURSE,
        "a complete answer-sheet score appears or changes",
        "on request",
    ),
    MessageKind.DISCUSSION_CHANGE: KindFacts(
        "DiscussionChangeInfo",
        _SANDBOX,
        _COURSE,
        "a comment, reply or like is added, removed or changed",
        "on request",
    ),
    MessageKind.FILE_CONVERTED: KindFacts(
        "FileCov",
        _NATURAL,
        _SCHOOL,
        "a file uploaded by the school account has been converted",
        "uploadFile",
    ),
    MessageKind.DEVICE_CHECK_OUTSIDE: KindFacts(
        "UserCheck",
        _NATURAL,
        _PERSON,
        (
            "a user finishes the device check outside class; about 10 seconds after login at "
            "the earliest"
        ),
        "device check on the teacher's page before the class is open",
    ),
    MessageKind.ACCOUNT_CANCELLED: KindFacts(
        "AccountCancellation",
        _NATURAL,
        _PERSON,
        "a user cancels the account in the client",
        "the operator cancels an account; to every school that has the person (Q88)",
    ),
    MessageKind.PHONE_CHANGED: KindFacts(
        "ReplacePhoneNumber",
        _NATURAL,
        _PERSON,
        "a user changes the phone number in the client",
        "the operator or the person changes the phone; to every school that has the person (Q88)",
    ),
    MessageKind.SUB_ACCOUNT_SET: KindFacts(
        "setSubAccount",
        _NATURAL,
        _SCHOOL,
        "a sub-account is added or edited in the console",
        "a sub-account is added or changed by command or console",
    ),
    MessageKind.COURSE_CHANGED: KindFacts(
        "eeoCourseInfoChange",
        _NATURAL,
        _COURSE,
        "a course is created or edited",
        "addCourse, editCourse, addCourseLabels, endCourse, a moved expiry, operator (Q94)",
    ),
    MessageKind.CLASS_CHANGED: KindFacts(
        "eeoClassInfoChange",
        _NATURAL,
        _CLASS,
        "a class is created, edited or deleted",
        "each class created, edited, deleted or closed early by any wire (Q94)",
    ),
    MessageKind.COURSE_STUDENTS_CHANGED: KindFacts(
        "eeoCourseStudentChange",
        _NATURAL,
        _COURSE,
        "course students are added, removed or changed",
        "students added to or removed from a course, one message per call (Q94)",
    ),
    MessageKind.CLASS_STUDENTS_CHANGED: KindFacts(
        "eeoClassStudentChange",
        _NATURAL,
        _CLASS,
        "students of a single class are added, removed or changed",
        "guests and transferred-out students, one message per call and class (Q94)",
    ),
}
