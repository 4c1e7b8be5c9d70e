"""Labels: wire to use case and back."""

from homeroom.base.ids import LabelId
from homeroom.contract.errno import Errno
from homeroom.contract.labels import (
    COURSE_SPELLINGS,
    AddCourseLabels,
    AddSchoolLabel,
    CourseLabelsEntry,
    LabelIdParams,
    UpdateSchoolLabel,
)
from homeroom.contract.lists import InvalidEntry
from homeroom.domain.refusal import Refusal
from homeroom.domain.webcasts import Hosts
from homeroom.partner.answers import Answer, entry, told
from homeroom.partner.routes import CallContext
from homeroom.usecases import labels


def known(_hosts: Hosts, label: LabelId) -> Answer:
    """Answer with the label that has the name."""
    return Answer(data={"labelId": str(label)})


def add_school_label(call: CallContext, asked: AddSchoolLabel) -> Answer:
    """Serve addSchoolLabel."""
    label = labels.add(call.uow, call.school, asked.label_name)
    return Answer(data={"labelId": str(label)})


def update_school_label(call: CallContext, asked: UpdateSchoolLabel) -> Answer:
    """Serve updateSchoolLabel."""
    labels.rename(call.uow, call.school, asked.label_id, asked.label_name)
    return Answer()


def delete_school_label(call: CallContext, asked: LabelIdParams) -> Answer:
    """Serve deleteSchoolLabel."""
    labels.delete(call.uow, call.school, asked.label_id)
    return Answer()


def add_course_labels(call: CallContext, asked: AddCourseLabels) -> Answer:
    """Serve addCourseLabels; each result names its course as the request did (READINGS Q4)."""
    verdicts = labels.set_of_courses(
        call.uow,
        call.school,
        [
            (one.course_id, one.label_ids)
            if isinstance(one, CourseLabelsEntry)
            else Refusal(Errno.BAD_PARAMS, one.reason)
            for one in asked.courses
        ],
    )
    entries = [
        entry(verdict, **_named(one)) for one, verdict in zip(asked.courses, verdicts, strict=True)
    ]
    return Answer(data=entries, reason=told(verdicts))


def _named(one: CourseLabelsEntry | InvalidEntry) -> dict[str, int | str | None]:
    if isinstance(one, CourseLabelsEntry):
        return {"customColumn": one.custom_column, one.spelling: one.course_id}
    spelling = next((name for name in COURSE_SPELLINGS if one.get_value(name)), COURSE_SPELLINGS[0])
    course = one.get_value(spelling)
    shown = course if isinstance(course, int | str) else None
    return {"customColumn": one.custom_column, spelling: shown}
