"""Labels of a school, of its courses and of their classes on the wire."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from homeroom.base.ids import CourseId, LabelId, LessonId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.checks import (
    COURSE_EXISTS,
    COURSE_KIND,
    COURSE_NOT_DELETED,
    COURSE_OF_SCHOOL,
    LIST_CHECK,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lessons import V1_LESSON
from homeroom.contract.lists import InvalidEntry, SeparateEntriesReader, read_ids
from homeroom.contract.params import (
    CUSTOM_COLUMN,
    ID,
    Params,
    ParamType,
    read_text,
    read_text_cut_to,
)
from homeroom.contract.results import (
    CustomColumn,
    EmptyResult,
    Entry,
    EntryErrno,
    EntryError,
    Result,
    TextId,
)

LABEL_NAME = ParamType(read_text_cut_to(20), "text, cut to 20 characters")
COURSE_SPELLINGS = ("CourseId", "courseId")


class CourseLabelsEntry(Params, frozen=True, kw_only=True):
    """One course and its new labels; without `labelIds` they stay as they are."""

    custom_column: Annotated[str | None, CUSTOM_COLUMN] = None
    course_id: Annotated[CourseId, ID.with_names(*COURSE_SPELLINGS)]
    spelling: Annotated[str, ParamType(read_text, "", COURSE_SPELLINGS, is_spelling=True)]
    label_ids: Annotated[
        tuple[LabelId, ...] | None, ParamType(read_ids, "JSON list of label ids")
    ] = None


class AddCourseLabels(Params, frozen=True, kw_only=True):
    """The parameters of addCourseLabels (READINGS Q4, Q8)."""

    courses: Annotated[
        tuple[CourseLabelsEntry | InvalidEntry, ...],
        ParamType(
            SeparateEntriesReader(CourseLabelsEntry),
            "JSON list of up to 1,000 courses",
            ("CourseList", "courseList"),
        ),
    ]


class LessonLabelsEntry(Params, frozen=True, kw_only=True):
    """One class and its new labels; without `classLabelId` they stay as they are."""

    class_id: Annotated[LessonId, ID]
    label_ids: Annotated[
        tuple[LabelId, ...] | None,
        ParamType(read_ids, "JSON list of label ids", ("classLabelId",)),
    ] = None
    custom_column: Annotated[str | None, CUSTOM_COLUMN] = None


class AddClassLabels(Params, frozen=True, kw_only=True):
    """The parameters of addClassLabels."""

    course_id: Annotated[CourseId, ID]
    lessons: Annotated[
        tuple[LessonLabelsEntry | InvalidEntry, ...],
        ParamType(
            SeparateEntriesReader(LessonLabelsEntry),
            "JSON list of up to 1,000 classes",
            ("classList",),
        ),
    ]


class AddSchoolLabel(Params, frozen=True, kw_only=True):
    """The parameters of addSchoolLabel."""

    label_name: Annotated[str, LABEL_NAME]


class LabelIdParams(Params, frozen=True, kw_only=True):
    """A label by id."""

    label_id: Annotated[LabelId, ID]


class UpdateSchoolLabel(LabelIdParams, frozen=True, kw_only=True):
    """The parameters of updateSchoolLabel."""

    label_name: Annotated[str, LABEL_NAME]


class LabelData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A label, by its id."""

    label_id: Annotated[TextId, Meta(description="The id of the label, digits as text.")]


class LabelResult(Result, frozen=True, kw_only=True):
    """Result of addSchoolLabel."""

    data: LabelData


class CourseLabelsResult(Entry, frozen=True, kw_only=True):
    """Result of one entry of addCourseLabels; it names the course in the entry's own spelling."""

    custom_column: CustomColumn = UNSET
    capital_course_id: Annotated[
        int | str | UnsetType, Meta(description="The course, where the entry said CourseId.")
    ] = msgspec.field(name="CourseId", default=UNSET)
    course_id: Annotated[
        int | str | UnsetType, Meta(description="The course, where the entry said courseId.")
    ] = UNSET
    errno: EntryErrno
    error: EntryError


class CourseLabelsResults(Result, frozen=True, kw_only=True):
    """Result of addCourseLabels."""

    data: Annotated[
        list[CourseLabelsResult], Meta(description="One result for each course, in their order.")
    ]


class LessonLabelsResult(Entry, frozen=True, kw_only=True):
    """Result of one entry of addClassLabels."""

    custom_column: CustomColumn = UNSET
    class_id: Annotated[
        LessonId | UnsetType, Meta(description="The class; absent where the entry has no id.")
    ] = UNSET
    errno: EntryErrno
    error: EntryError


class LessonLabelsResults(Result, frozen=True, kw_only=True):
    """Result of addClassLabels."""

    data: Annotated[
        list[LessonLabelsResult], Meta(description="One result for each class, in their order.")
    ]


OWN_LABEL = (
    Check(Errno.NO_SUCH_LABEL, "there is no such label"),
    Check(Errno.LABEL_OF_ANOTHER_SCHOOL, "the label belongs to another school"),
)

ADD_SCHOOL_LABEL = Action(
    name="addSchoolLabel",
    title="Create a school label",
    params=AddSchoolLabel,
    result=LabelResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        Check(
            Errno.LABEL_NAME_TAKEN,
            "a label of the school has this name; the answer is about that one",
            has_result=True,
        ),
        Check(Errno.TOO_MANY_LABELS, "the school's plan allows no further label"),
    ),
    faults=(Errno.FAILED,),
)

UPDATE_SCHOOL_LABEL = Action(
    name="updateSchoolLabel",
    title="Rename a school label",
    params=UpdateSchoolLabel,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(*OWN_LABEL, Check(Errno.LABEL_NAME_TAKEN, "another label of the school has this name")),
    faults=(Errno.FAILED,),
)

DELETE_SCHOOL_LABEL = Action(
    name="deleteSchoolLabel",
    title="Delete a school label",
    params=LabelIdParams,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=OWN_LABEL,
    faults=(Errno.FAILED,),
)

ADD_COURSE_LABELS = Action(
    name="addCourseLabels",
    title="Set, replace or clear the labels of courses",
    params=AddCourseLabels,
    result=CourseLabelsResults,
    entry=CourseLabelsResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(LIST_CHECK,),
    entry_checks=(
        Check(Errno.BAD_PARAMS, "the entry is malformed"),
        COURSE_EXISTS,
        COURSE_OF_SCHOOL,
        COURSE_NOT_DELETED,
        Check(Errno.SOME_LABELS_MISSING, "a label does not exist; the course keeps its labels"),
        Check(
            Errno.SOME_LABELS_FOREIGN,
            "a label belongs to another school; the course keeps its labels",
        ),
        Check(
            Errno.TOO_MANY_COURSE_LABELS,
            "there are more than ten different labels; the course keeps its labels",
        ),
    ),
    faults=(Errno.FAILED,),
)

ADD_CLASS_LABELS = Action(
    name="addClassLabels",
    title="Set, replace or clear the labels of classes",
    params=AddClassLabels,
    result=LessonLabelsResults,
    entry=LessonLabelsResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(LIST_CHECK, COURSE_EXISTS, COURSE_OF_SCHOOL, COURSE_NOT_DELETED, COURSE_KIND),
    entry_checks=(
        Check(Errno.BAD_PARAMS, "the entry is malformed"),
        *V1_LESSON,
        Check(Errno.KIND_NOT_SUPPORTED, "the class is one of dual-teacher classes"),
        Check(Errno.SOME_LABELS_MISSING, "a label does not exist; the class keeps its labels"),
        Check(
            Errno.SOME_LABELS_FOREIGN,
            "a label belongs to another school; the class keeps its labels",
        ),
        Check(
            Errno.TOO_MANY_LESSON_LABELS,
            "there are more than ten different labels; the class keeps its labels",
        ),
    ),
    faults=(Errno.FAILED,),
)
