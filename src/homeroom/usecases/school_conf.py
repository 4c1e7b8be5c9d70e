"""Settings of a school that its own calls change."""

from homeroom.base.ids import SchoolId
from homeroom.base.values import replace
from homeroom.store.unit_of_work import UnitOfWork


def change(
    uow: UnitOfWork,
    school: SchoolId,
    *,
    allows_replay: bool | None,
    allows_replay_to_new_students: bool | None,
) -> None:
    """Change the settings of a school; None leaves one as it is."""
    conf = uow.schools.get_conf(school)
    if allows_replay is not None:
        conf = replace(conf, allows_replay=allows_replay)
    if allows_replay_to_new_students is not None:
        conf = replace(conf, allows_replay_to_new_students=allows_replay_to_new_students)
    uow.schools.save_conf(school, conf)
