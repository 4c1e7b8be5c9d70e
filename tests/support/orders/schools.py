"""Order of the checks of the settings of a school."""

from homeroom.contract.school_conf import MODIFY_SCHOOL_CONF
from tests.support.given import Given
from tests.support.orders import Chain, Order, caller, declare


def _modify_school_conf(given: Given) -> list[Chain]:
    call = caller(given, "modifySchoolConf")
    wrong = {"allowViewReplay": 2, "allowNewStudentViewReplay": "x"}
    return [
        Chain(call, {}, {121601030: {"allowViewReplay": 1}}),
        Chain(call, wrong, {121601020: {"allowViewReplay": 1, "allowNewStudentViewReplay": 0}}),
    ]


declare(MODIFY_SCHOOL_CONF, Order(_modify_school_conf))
