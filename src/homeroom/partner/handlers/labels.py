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
from homeroom.partner.response import PartnerResponse, entry, summarize_refusals
from homeroom.partner.routes import CallContext
from homeroom.usecases import labels


def describe_existing_label(_hosts: Hosts, label: LabelId) -> PartnerResponse:
    """Answer with the label that has the name."""
    return PartnerResponse(data={"labelId": str(label)})


def add_school_label(call: CallContext, params: AddSchoolLabel) -> PartnerResponse:
    """Serve addSchoolLabel."""
    label = labels.add(call.uow, call.school, params.label_name)
    return PartnerResponse(data={"labelId": str(label)})


def update_school_label(call: CallContext, params: UpdateSchoolLabel) -> PartnerResponse:
    """Serve updateSchoolLabel."""
    labels.rename(call.uow, call.school, params.label_id, params.label_name)
    return PartnerResponse()


def delete_school_label(call: CallContext, params: LabelIdParams) -> PartnerResponse:
    """Serve deleteSchoolLabel."""
    labels.delete(call.uow, call.school, params.label_id)
    return PartnerResponse()


def add_course_labels(call: CallContext, params: AddCourseLabels) -> PartnerResponse:
    """Serve addCourseLabels; each result names its course as the request did (READINGS Q4)."""
    verdicts = labels.set_of_courses(
        call.uow,
        call.school,
        [
            (one.course_id, one.label_ids)
            if isinstance(one, CourseLabelsEntry)
            else Refusal(Errno.BAD_PARAMS, one.reason)
            for one in params.courses
        ],
    )
    entries = [
        entry(verdict, **_named(one)) for one, verdict in zip(params.courses, verdicts, strict=True)
    ]
    return PartnerResponse(data=entries, reason=summarize_refusals(verdicts))


def _named(one: CourseLabelsEntry | InvalidEntry) -> dict[str, int | str | None]:
    if isinstance(one, CourseLabelsEntry):
        return {"customColumn": one.custom_column, one.spelling: one.course_id}
    spelling = next((name for name in COURSE_SPELLINGS if one.get_value(name)), COURSE_SPELLINGS[0])
    course = one.get_value(spelling)
    shown = course if isinstance(course, int | str) else None
    return {"customColumn": one.custom_column, spelling: shown}
