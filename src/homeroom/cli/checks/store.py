"""Jobs and schools."""

from homeroom.base.text import format_count
from homeroom.cli.checks.result import MAX_EXAMPLES, CheckResult, CheckStatus
from homeroom.store.records import JobCounts
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.usecases import jobs, schools


def check_jobs(store: Store) -> CheckResult:
    """Count the waiting jobs; name those that fail or are set aside."""

    def read(uow: UnitOfWork) -> tuple[JobCounts, list[str], list[str]]:
        failing = [
            f"{job.kind} {job.id}, {format_count(job.attempts, 'time')}: {error}"
            for job, error in jobs.list_failing(uow)
        ]
        set_aside = [f"{job.kind} {job.id}: {reason}" for job, reason in jobs.list_set_aside(uow)]
        return jobs.get_counts(uow), failing, set_aside

    counts, failing, set_aside = store.read(read)
    if set_aside:
        text = f"{counts.set_aside} set aside until the next start: "
        return CheckResult("jobs", CheckStatus.WARN, text + "; ".join(set_aside[:MAX_EXAMPLES]))
    if failing:
        text = format_count(len(failing), "fails", "fail")
        examples = "; ".join(failing[:MAX_EXAMPLES])
        return CheckResult("jobs", CheckStatus.WARN, f"{text}: {examples}")
    text = format_count(counts.pending, "waits", "wait")
    return CheckResult("jobs", CheckStatus.OK, f"{text}, none fails")


def check_schools(store: Store) -> CheckResult:
    """Count the schools."""
    count = len(store.read(schools.list_schools))
    if count == 0:
        return CheckResult("schools", CheckStatus.WARN, "none yet: homeroom school create")
    return CheckResult("schools", CheckStatus.OK, f"{count}")
