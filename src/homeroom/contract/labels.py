"""Labels of a school and of its courses on the wire."""

from typing import Annotated

from homeroom.base.ids import CourseId, LabelId
from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.contract.lists import InvalidEntry, read_entries_separately, read_ids
from homeroom.contract.params import (
    CUSTOM_COLUMN,
    ID,
    Params,
    ParamType,
    read_text,
    read_text_cut_to,
)

LABEL_NAME = ParamType(read_text_cut_to(20), "text, cut to 20 characters")
COURSE_SPELLINGS = ("CourseId", "courseId")


class CourseLabelsEntry(Params, frozen=True, kw_only=True):
    """One course and the labels it shall have; none given leaves them as they are."""

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
            read_entries_separately(CourseLabelsEntry),
            "JSON list of up to 1,000 courses",
            ("CourseList", "courseList"),
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


ADD_SCHOOL_LABEL = Action(
    name="addSchoolLabel",
    title="Create a school label",
    params=AddSchoolLabel,
    refuses=(Errno.LABEL_NAME_TAKEN, Errno.TOO_MANY_LABELS),
    faults=(Errno.FAILED,),
    answer="data: {labelId}, digits as text; with 353 the label that has the name",
    order="presence and format (100), a name in use (353 with its id), the limit of labels (354)",
)

UPDATE_SCHOOL_LABEL = Action(
    name="updateSchoolLabel",
    title="Rename a school label",
    params=UpdateSchoolLabel,
    refuses=(Errno.NO_SUCH_LABEL, Errno.LABEL_OF_ANOTHER_SCHOOL, Errno.LABEL_NAME_TAKEN),
    faults=(Errno.FAILED,),
    order=(
        "presence and format (100), no such label (356), another school's (355), a name that "
        "another label has (353)"
    ),
)

DELETE_SCHOOL_LABEL = Action(
    name="deleteSchoolLabel",
    title="Delete a school label",
    params=LabelIdParams,
    refuses=(Errno.NO_SUCH_LABEL, Errno.LABEL_OF_ANOTHER_SCHOOL),
    faults=(Errno.FAILED,),
    order="presence and format (100), no such label (356), another school's (355)",
)

ADD_COURSE_LABELS = Action(
    name="addCourseLabels",
    title="Set, replace or clear the labels of courses",
    params=AddCourseLabels,
    refuses=(Errno.LIST_EMPTY,),
    entries=(
        Errno.BAD_PARAMS,
        Errno.NO_SUCH_COURSE,
        Errno.COURSE_NOT_IN_SCHOOL,
        Errno.COURSE_DELETED,
        Errno.SOME_LABELS_MISSING,
        Errno.SOME_LABELS_FOREIGN,
        Errno.TOO_MANY_COURSE_LABELS,
    ),
    faults=(Errno.FAILED,),
    answer=(
        "data: one entry per entry asked for, in order: {customColumn, CourseId or courseId as "
        "it was asked, errno, error}"
    ),
    order=(
        "presence and format (100), an empty list (155); then each course in order: malformed "
        "(100), the course (147, 144, 149), labels that do not exist (358), labels of another "
        "school (359), more than ten different ones (399); any of these leaves the labels of that "
        "course as they were (READINGS Q8)"
    ),
)
