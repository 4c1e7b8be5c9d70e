"""The check of responses fails for what the contract does not have."""

import json
from typing import Any, Final

import msgspec
import pytest

from homeroom.base.ids import LessonId
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.errno import Errno
from homeroom.contract.lessons import AddedLesson
from homeroom.contract.results import EmptyResult, LiveAddresses, LiveInfo
from homeroom.partner.response import PartnerResponse
from homeroom.partner.wires.v1 import encode_envelope
from tests.support.responses import UndeclaredResponseError, check_response

DONE: Final = {"errno": 1, "error": Errno.DONE.zh}
LIVE: Final = {"live_url": "", "live_info": {"RTMP": "", "HLS": "", "FLV": ""}}
ADDED: Final = {"data": 1, "more_data": LIVE, "error_info": DONE}
ENTRY: Final = {"data": 1, "telephone": "", **DONE}


def _refusal(errno: Errno) -> dict[str, Any]:
    return {"error_info": {"errno": errno.number, "error": errno.zh}}


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("addCourseClass", ADDED),
        ("addCourseClass", ADDED | _refusal(Errno.IDENTITY_TAKEN)),
        ("addCourseClass", _refusal(Errno.BEING_CREATED)),
        ("registerMultiple", {"data": [ENTRY], "error_info": DONE}),
        ("addSchoolLabel", {"data": {"labelId": "7"}, "error_info": DONE}),
        ("modifyClassSeatNum", _refusal(Errno.FAILED)),
    ],
)
def test_a_response_as_the_contract_has_it_passes(action: str, body: dict[str, Any]) -> None:
    check_response(action, body)


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("addCourseClass", {"data": 1, "error_info": DONE}),
        ("addCourseClass", {"more_data": LIVE, "error_info": DONE}),
        ("addCourseClass", ADDED | {"more_data": {**LIVE, "live_info": {"RTMP": "", "HLS": ""}}}),
        ("addCourseClass", ADDED | {"data": "1"}),
        ("addCourseClass", ADDED | {"more": 1}),
        ("addCourseClass", ADDED | {"more_data": {**LIVE, "more": ""}}),
        ("addCourseClass", ADDED | _refusal(Errno.BEING_CREATED)),
        ("addCourseClass", _refusal(Errno.IDENTITY_TAKEN)),
        ("addCourseClass", {"data": 1, "more_data": LIVE}),
        ("addCourseClass", ADDED | {"error_info": {"errno": "1", "error": Errno.DONE.zh}}),
        ("addCourseClass", ADDED | {"error_info": {"errno": 1, "error": "ok"}}),
        ("addCourseClass", ADDED | {"error_info": {**DONE, "more": 1}}),
        ("registerMultiple", {"data": [{"data": 1, **DONE}], "error_info": DONE}),
        ("registerMultiple", {"data": [{**ENTRY, "errno": 398}], "error_info": DONE}),
        ("addSchoolLabel", {"data": {"labelId": 7}, "error_info": DONE}),
        ("endCourse", {"data": 1, "error_info": DONE}),
    ],
)
def test_a_response_that_the_contract_does_not_have_fails(
    action: str, body: dict[str, Any]
) -> None:
    with pytest.raises(UndeclaredResponseError):
        check_response(action, body)


def test_an_envelope_has_the_fields_of_the_result_and_the_error_info() -> None:
    live = LiveAddresses(live_url="", live_info=LiveInfo(rtmp="", hls="", flv=""))
    response = PartnerResponse(result=AddedLesson(data=LessonId(1), more_data=live))
    assert json.loads(encode_envelope(response)) == ADDED
    empty = PartnerResponse(result=EmptyResult())
    assert json.loads(encode_envelope(empty)) == {"error_info": DONE}
    refusal = PartnerResponse(Errno.BAD_PARAMS, reason="no form")
    assert json.loads(encode_envelope(refusal)) == _refusal(Errno.BAD_PARAMS)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_a_field_of_a_result_is_described(action: Any) -> None:  # noqa: ANN401  any action
    """Clients and pages show the description; that of a struct may be its own docstring."""
    _, components = msgspec.json.schema_components([action.result])
    for name, schema in components.items():
        assert schema.get("description"), name
        for field, about in schema.get("properties", {}).items():
            assert "description" in about or "$ref" in about or name.endswith("LiveInfo"), (
                name,
                field,
            )
