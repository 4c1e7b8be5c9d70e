"""Handlers of activities."""

from homeroom.base.ids import UserId
from homeroom.contract.activities import (
    ActivityData,
    ActivityResult,
    ActivityStudent,
    AddActivityStudents,
    AddedActivityStudents,
    CreateActivity,
    CreatedActivity,
    DeleteActivity,
    DeleteActivityStudents,
    NewActivityData,
    ReleaseActivities,
    ReleasedActivities,
    ReleasedActivity,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lists import InvalidEntry
from homeroom.contract.results import EmptyResult
from homeroom.domain.activities import ActivityKind, NewActivity
from homeroom.domain.refusal import Refusal
from homeroom.partner.handlers.entries import get_errno, note_reasons, refuse_faulty
from homeroom.partner.routes import CallContext
from homeroom.usecases import activities


def create_activity(call: CallContext[None], params: CreateActivity) -> CreatedActivity:
    """Create a draft and return its name, its id and its unit."""
    new = NewActivity(
        ActivityKind(params.activity_type),
        params.name,
        params.teacher_uid,
        params.start_time,
        params.end_time,
    )
    activity = activities.add(call.uow, call.school, params.course_id, params.unit_id, new)
    return CreatedActivity(
        data=NewActivityData(name=params.name, activity_id=activity, unit_id=params.unit_id)
    )


def release_activities(call: CallContext[None], params: ReleaseActivities) -> ReleasedActivities:
    """Publish one activity, or several with a result for each (READINGS Q83)."""
    ids = params.activity_ids
    requests = refuse_faulty(call, ids)
    sent = [request for request in requests if not isinstance(request, Refusal)]
    released = iter(activities.release(call.uow, call.school, params.course_id, sent))
    verdicts = [
        ("", request) if isinstance(request, Refusal) else next(released) for request in requests
    ]
    if len(ids) == 1:
        name, refusal = verdicts[0]
        if refusal is not None:
            raise refusal
        return ReleasedActivities(data=ActivityData(activity_id=ids[0], name=name))
    note_reasons(call.reasons, (refusal for _, refusal in verdicts))
    return ReleasedActivities(
        data=[
            ReleasedActivity(activity_id=activity, name=name, code=errno.number, msg=errno.zh)
            for activity, (name, errno) in zip(
                ids, ((name, get_errno(refusal)) for name, refusal in verdicts), strict=True
            )
        ]
    )


def delete_activity(call: CallContext[None], params: DeleteActivity) -> ActivityResult:
    """Delete an activity and return its name."""
    activity, keeps_identity = activities.delete(
        call.uow, call.school, params.course_id, params.activity_id
    )
    if keeps_identity:
        call.reasons.append("the plan of the school keeps the identity of the class")
    return ActivityResult(data=ActivityData(activity_id=activity.id, name=activity.name))


def add_activity_students(
    call: CallContext[None], params: AddActivityStudents
) -> AddedActivityStudents:
    """Add members to an activity, and return a result for each."""
    verdicts = activities.add_students(
        call.uow,
        call.school,
        params.course_id,
        params.activity_id,
        refuse_faulty(
            call,
            (
                Refusal(Errno.BAD_VALUE, entry.reason) if isinstance(entry, InvalidEntry) else entry
                for entry in params.student_uids
            ),
        ),
    )
    note_reasons(call.reasons, verdicts)
    return AddedActivityStudents(
        data=[
            ActivityStudent(student_uid=_get_uid(entry), code=errno.number, msg=errno.zh)
            for entry, errno in zip(params.student_uids, map(get_errno, verdicts), strict=True)
        ]
    )


def _get_uid(entry: UserId | InvalidEntry) -> int | str:
    """Return the UID of an entry as it was sent; what is neither number nor text is empty."""
    if not isinstance(entry, InvalidEntry):
        return entry
    return entry.raw if isinstance(entry.raw, int | str) else ""


def delete_activity_students(
    call: CallContext[None], params: DeleteActivityStudents
) -> EmptyResult:
    """Take members out of an activity."""
    activities.delete_students(
        call.uow, call.school, params.course_id, params.activity_id, params.student_uids
    )
    return EmptyResult()
