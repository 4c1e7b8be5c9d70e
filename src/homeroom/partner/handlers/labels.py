"""Handlers of labels."""

from msgspec import UNSET, UnsetType

from homeroom.base.ids import LessonId
from homeroom.contract.errno import Errno
from homeroom.contract.labels import (
    COURSE_SPELLINGS,
    AddClassLabels,
    AddCourseLabels,
    AddSchoolLabel,
    CourseLabelsEntry,
    CourseLabelsResult,
    CourseLabelsResults,
    LabelData,
    LabelIdParams,
    LabelResult,
    LessonLabelsEntry,
    LessonLabelsResult,
    LessonLabelsResults,
    UpdateSchoolLabel,
)
from homeroom.contract.lists import InvalidEntry
from homeroom.contract.params import ID, InvalidValueError
from homeroom.contract.results import EmptyResult
from homeroom.domain.refusal import Refusal
from homeroom.domain.webcasts import Hosts
from homeroom.partner.handlers.entries import get_errno, note_reasons, refuse_faulty
from homeroom.partner.routes import CallContext
from homeroom.usecases import labels
from homeroom.usecases.labels import LabelRequest


def describe_existing_label(_hosts: Hosts, label: object) -> LabelResult:
    """Return the label that has the name already."""
    return LabelResult(data=LabelData(label_id=str(label)))


def add_school_label(call: CallContext[None], params: AddSchoolLabel) -> LabelResult:
    """Create a label and return its id."""
    label = labels.add(call.uow, call.school, params.label_name)
    return LabelResult(data=LabelData(label_id=str(label)))


def update_school_label(call: CallContext[None], params: UpdateSchoolLabel) -> EmptyResult:
    """Rename a label."""
    labels.rename(call.uow, call.school, params.label_id, params.label_name)
    return EmptyResult()


def delete_school_label(call: CallContext[None], params: LabelIdParams) -> EmptyResult:
    """Delete a label."""
    labels.delete(call.uow, call.school, params.label_id)
    return EmptyResult()


def add_course_labels(call: CallContext[None], params: AddCourseLabels) -> CourseLabelsResults:
    """Set the labels of courses; each result names its course as its entry does (READINGS Q4)."""
    verdicts = labels.set_of_courses(
        call.uow,
        call.school,
        refuse_faulty(
            call,
            (
                LabelRequest(entry.course_id, entry.label_ids)
                if isinstance(entry, CourseLabelsEntry)
                else Refusal(Errno.BAD_PARAMS, entry.reason)
                for entry in params.courses
            ),
        ),
    )
    note_reasons(call.reasons, verdicts)
    return CourseLabelsResults(
        data=[
            _make_result(entry, get_errno(verdict))
            for entry, verdict in zip(params.courses, verdicts, strict=True)
        ]
    )


def add_class_labels(call: CallContext[None], params: AddClassLabels) -> LessonLabelsResults:
    """Set the labels of classes of a course, and return a result for each."""
    verdicts = labels.set_of_lessons(
        call.uow,
        call.school,
        params.course_id,
        refuse_faulty(
            call,
            (
                LabelRequest(entry.class_id, entry.label_ids)
                if isinstance(entry, LessonLabelsEntry)
                else Refusal(Errno.BAD_PARAMS, entry.reason)
                for entry in params.lessons
            ),
        ),
    )
    note_reasons(call.reasons, verdicts)
    return LessonLabelsResults(
        data=[
            LessonLabelsResult(
                custom_column=entry.custom_column if entry.custom_column is not None else UNSET,
                class_id=_get_lesson(entry),
                errno=errno.number,
                error=errno.zh,
            )
            for entry, errno in zip(params.lessons, map(get_errno, verdicts), strict=True)
        ]
    )


def _get_lesson(entry: LessonLabelsEntry | InvalidEntry) -> LessonId | UnsetType:
    """Return the class of an entry, also of one that is malformed in something else."""
    if isinstance(entry, LessonLabelsEntry):
        return entry.class_id
    try:
        return LessonId(ID.read(entry.get_value("classId")))
    except InvalidValueError:
        return UNSET


def _make_result(entry: CourseLabelsEntry | InvalidEntry, errno: Errno) -> CourseLabelsResult:
    course: int | str | UnsetType
    if isinstance(entry, CourseLabelsEntry):
        spelling, course = entry.spelling, entry.course_id
    else:
        spelling = next(
            (name for name in COURSE_SPELLINGS if entry.get_value(name)), COURSE_SPELLINGS[0]
        )
        value = entry.get_value(spelling)
        course = value if isinstance(value, int | str) else UNSET
    is_capital = spelling == COURSE_SPELLINGS[0]
    return CourseLabelsResult(
        custom_column=entry.custom_column if entry.custom_column is not None else UNSET,
        capital_course_id=course if is_capital else UNSET,
        course_id=UNSET if is_capital else course,
        errno=errno.number,
        error=errno.zh,
    )
