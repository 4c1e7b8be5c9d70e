"""Settings of schools in the read-back."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.base.ids import SchoolId
from homeroom.contract.paged import SID, PageQuery, ReadBack
from homeroom.contract.rows import IdNumber, ReadBackRow, Switch


class ConfQuery(PageQuery, frozen=True, kw_only=True):
    """The school."""

    sid: Annotated[SchoolId | None, SID] = None


class ConfRow(ReadBackRow, frozen=True, kw_only=True):
    """The settings of a school that modifySchoolConf changes."""

    sid: IdNumber = msgspec.field(name="SID")
    allow_view_replay: Annotated[
        Switch, Meta(description="0: no page plays the recordings of a class that is over.")
    ]
    allow_new_student_view_replay: Annotated[
        Switch, Meta(description="0: a replay is not shown to students who joined after the class.")
    ]


CONF = ReadBack("listConf", "/conf", "Settings of the schools", ConfQuery, ConfRow, "by SID")
