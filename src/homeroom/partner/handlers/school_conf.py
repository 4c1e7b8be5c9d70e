"""Handler of the settings of a school."""

from homeroom.contract.school_conf import ModifiedSchoolConf, ModifySchoolConf, NoFields
from homeroom.partner.routes import CallContext
from homeroom.usecases import school_conf


def modify_school_conf(call: CallContext[None], params: ModifySchoolConf) -> ModifiedSchoolConf:
    """Change settings of the school."""
    school_conf.change(
        call.uow,
        call.school,
        allows_replay=params.allow_view_replay,
        allows_replay_to_new_students=params.allow_new_student_view_replay,
    )
    return ModifiedSchoolConf(data=NoFields())
