"""Settings of schools in the read-back."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.contract.paged import ReadBack, SchoolsQuery
from homeroom.contract.rows import IdNumber, ReadBackRow, Switch


class ConfRow(ReadBackRow, frozen=True, kw_only=True):
    """The settings of a school that modifySchoolConf changes."""

    sid: IdNumber = msgspec.field(name="SID")
    allow_view_replay: Annotated[
        Switch, Meta(description="0: no page plays the recordings of a class that is over.")
    ]
    allow_new_student_view_replay: Annotated[
        Switch, Meta(description="0: a replay is not shown to students who joined after the class.")
    ]


CONF = ReadBack("listConf", "/conf", "Settings of the schools", SchoolsQuery, ConfRow, "by SID")
