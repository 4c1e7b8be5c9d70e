"""Bodies of the messages about homework, tests and discussions, and others on request alone."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from homeroom.base.clock import Moment
from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.kinds import MessageKind

Flag = Annotated[int, msgspec.Meta(ge=0, le=1)]


class _Person(msgspec.Struct, frozen=True, rename="pascal"):
    """A person of an activity; the fields begin with the role."""


class StudentInfo(_Person, frozen=True, rename="pascal"):
    """The student."""

    student_uid: int = 0
    student_name: str = ""
    student_account: str = ""


class TeacherInfo(_Person, frozen=True, rename="pascal"):
    """The teacher; 0 and empty where the marks are automatic."""

    teacher_uid: int = 0
    teacher_name: str = ""
    teacher_account: str = ""


class _OfActivity(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The activity and its unit."""

    unit_id: int = 0
    unit_name: str = ""
    activity_id: int = 0
    activity_name: str = ""


class _OfCourse(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A message about an activity of a course."""

    course_name: str


class HandedInFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of homework; the address and the name in both spellings (Q90)."""

    sample_address: str = msgspec.field(default="", name="src")
    address: str = msgspec.field(default="", name="Src")
    sample_name: str = msgspec.field(default="", name="fileName")
    name: str = msgspec.field(default="", name="FileName")
    extension: str = msgspec.field(default="", name="FileExtension")


class Submission(_OfActivity, frozen=True, kw_only=True, rename="pascal"):
    """Homework that was handed in."""

    student_total: int = 1
    submit_total: int = 1
    submission_time: Moment = 0
    is_submit_late: Flag = 0
    is_revision: Flag = 0
    content: str = ""
    files: list[HandedInFile] = []
    student_info: StudentInfo = StudentInfo()
    teacher_info: TeacherInfo = TeacherInfo()


class HomeworkSubmitted(_OfCourse, frozen=True, kw_only=True, rename="pascal"):
    """A student hands in homework."""

    kind: ClassVar[MessageKind] = MessageKind.HOMEWORK_SUBMITTED

    data: Submission


class ReviewDetails(msgspec.Struct, frozen=True, rename="pascal"):
    """The remarks of the teacher on homework."""

    correct: int = 0
    wrong: int = 0
    trophy: int = 0
    excellent: Flag = 0
    comment: str = ""


class HomeworkMarks(_OfActivity, frozen=True, kw_only=True, rename="pascal"):
    """The marks of homework."""

    score: float = 100.0
    """Full marks."""
    state: int = 40
    """40 marked, 50 returned."""
    student_info: StudentInfo = StudentInfo()
    submission_time: Moment = 0
    correction_time: Moment = 0
    student_scoring_rate: float = 0.0
    grading_plan: str = ""
    student_score: str = ""
    review_details: ReviewDetails = ReviewDetails()
    teacher_info: TeacherInfo = TeacherInfo()


class HomeworkScore(_OfCourse, frozen=True, kw_only=True, rename="pascal"):
    """A score of homework appears or changes."""

    kind: ClassVar[MessageKind] = MessageKind.HOMEWORK_SCORE

    data: HomeworkMarks


class SubTopic(msgspec.Struct, frozen=True, rename="pascal"):
    """A part of a question of a test."""

    sub_topic_id: int = 0
    sub_topic_type: str = "1"
    sub_topic_result: list[int] = []
    sub_topic_score: float = 0.0
    sub_topic_max_score: int = 0


class Topic(msgspec.Struct, frozen=True, rename="pascal"):
    """A question of a test; results are 0 pending, 1 right, 2 wrong, 3 half, 4 blank."""

    topic_id: int = 0
    topic_type: str = "1"
    topic_result: list[int] = []
    topic_score: float = 0.0
    topic_max_score: float = 0.0
    sub_topic_details: list[SubTopic] = []


class TestMarks(_OfActivity, frozen=True, kw_only=True, rename="pascal"):
    """The marks of a test."""

    __test__ = False

    class_id: int | UnsetType = UNSET
    """Of a test that was made in a class."""
    score: float = 100.0
    student_info: StudentInfo = StudentInfo()
    submission_time: Moment = 0
    answer_duration: int = 0
    """Seconds."""
    correction_time: Moment = 0
    student_scoring_rate: float = 0.0
    teacher_info: TeacherInfo = TeacherInfo()
    topic_details: list[Topic] = []


class TestScore(_OfCourse, frozen=True, kw_only=True, rename="pascal"):
    """A complete score of a test appears or changes."""

    __test__ = False
    kind: ClassVar[MessageKind] = MessageKind.TEST_SCORE

    data: TestMarks


class SheetMarks(TestMarks, frozen=True, kw_only=True, rename="pascal"):
    """The marks of an answer sheet; full marks in both spellings (Q90)."""

    class_id: int = 0
    maximum_score: float = 100.0


class AnswerSheetScore(_OfCourse, frozen=True, kw_only=True, rename="pascal"):
    """A complete score of an answer sheet appears or changes."""

    kind: ClassVar[MessageKind] = MessageKind.ANSWER_SHEET_SCORE

    data: SheetMarks


class DiscussionComment(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A comment, a reply or a like."""

    type: int = 1
    """1 comment, 2 reply, 3 like."""
    comment_id: int = 0
    comment_content: str | UnsetType = UNSET
    parent_id: int | UnsetType = UNSET
    like_count: int | UnsetType = UNSET
    top_reply_count: int | UnsetType = UNSET


class DiscussionDetails(_OfActivity, frozen=True, kw_only=True, rename="pascal"):
    """The change in a discussion."""

    teacher_uid: int = 0
    teacher_name: str = ""
    teacher_account: str = ""
    comment_detail: DiscussionComment = DiscussionComment()
    creator_uid: int = 0
    creator_name: str = ""
    creator_account: str = ""
    creator_role: int = 2
    """1 teacher, 2 student."""


class DiscussionChange(_OfCourse, frozen=True, kw_only=True, rename="pascal"):
    """A comment, reply or like is added, removed or changed."""

    kind: ClassVar[MessageKind] = MessageKind.DISCUSSION_CHANGE

    op_type: int
    """1 add, 2 delete, 3 change."""
    data: DiscussionDetails


class GoodsClick(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A viewer who opened a product."""

    telephone: str = "yk_0000000000000000"
    nickname: str = ""
    time: Moment = 0
    good_num: int = 0
    good_name: str = ""


class LiveGoodsClick(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A viewer opens a product on the live page."""

    kind: ClassVar[MessageKind] = MessageKind.LIVE_GOODS_CLICK

    data: GoodsClick


class QuizAnswer(msgspec.Struct, frozen=True):
    """The answer of one student."""

    nickname: str = ""
    answer: str = ""


class QuizQuestion(msgspec.Struct, frozen=True, rename="camel"):
    """A question of a quiz."""

    index: int = 0
    right_answer: str = ""
    student_answers: list[QuizAnswer] = []


class QuizResults(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The results of a quiz; its times are in milliseconds (Q90)."""

    type: str = "clientExam"
    start_time: int = 0
    end_time: int = 0
    question_list: list[QuizQuestion] = []


class EduQuiz(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The results of a quiz after the class."""

    kind: ClassVar[MessageKind] = MessageKind.EDU_QUIZ

    cid: int = msgspec.field(default=0, name="CID")
    """The class, as the sample names it."""
    data: QuizResults


class LatestDetails(msgspec.Struct, frozen=True, rename="pascal"):
    """The cause of the message: 1 opened, 3 closed, 4 timed out."""

    trigger_type: int = 3


class ClientReplay(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The part of a replay that a person has watched in the client."""

    uid: int = msgspec.field(default=0, name="UID")
    total_duration: int = 0
    valid_watch_count: int = 0
    total_look_vaild_time: int = 0
    """Seconds that were covered, repeats and skips aside."""
    latest_details: LatestDetails = LatestDetails()


class ClientReplayView(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A person opens or closes a replay in the client."""

    kind: ClassVar[MessageKind] = MessageKind.CLIENT_REPLAY_VIEW

    data: ClientReplay
