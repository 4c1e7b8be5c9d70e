"""The description is OpenAPI 3.1, and what it describes is there."""

import re
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from homeroom.admin.openapi import described
from homeroom.contract.catalogue import ACTIONS
from tests.support.given import Given
from tests.support.readback import ReadBack
from tests.support.serving import House

DOCUMENT = described()
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def test_the_document_is_valid() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_the_document_is_served_without_a_token(house: House) -> None:
    answer = httpx.get(f"{house.url}/openapi.json", timeout=30)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == DOCUMENT


def test_every_operation_has_a_name_of_its_own_and_a_known_tag() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    assert {tag for _, _, operation in OPERATIONS for tag in operation["tags"]} == tags


def test_every_action_is_described_as_the_contract_has_it() -> None:
    for action in ACTIONS:
        operation = DOCUMENT["paths"][f"{action.v1.path}?action={action.name}"]["post"]
        form = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
        slots = [slot for slot in action.reader().fields if not slot.param.is_spelling]
        assert set(form["properties"]) == {
            "SID", "safeKey", "timeStamp", *(slot.names[0] for slot in slots)
        }  # fmt: skip
        assert set(form["required"]) >= {slot.names[0] for slot in slots if slot.required}
        for errno in action.errnos:
            assert f"| {errno.number} | " in operation["description"]
        assert "READINGS" not in operation["description"]


def test_a_list_in_a_form_is_described_by_its_entries() -> None:
    path = "/partner/api/course.api.php?action=addCourseLabels"
    content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]
    form = content["application/x-www-form-urlencoded"]
    assert form["encoding"] == {"CourseList": {"contentType": "application/json"}}
    entry = form["schema"]["properties"]["CourseList"]["items"]
    assert set(entry["properties"]) == {"customColumn", "CourseId", "labelIds"}
    assert entry["properties"]["labelIds"]["items"] == {"type": "integer"}


@pytest.mark.parametrize(
    ("path", "method", "operation"),
    OPERATIONS,
    ids=[each["operationId"] for *_, each in OPERATIONS],
)
def test_every_operation_answers_as_described(
    path: str, method: str, operation: dict[str, Any], given: Given
) -> None:
    read = ReadBack(given, of_operator=True)
    ids = {"courseId": given.course(), "classId": given.lesson()} if "{" in path else {}
    place = path.format(**ids)
    headers = {"authorization": f"Bearer {read.token}"}
    if method == "get":
        answer = httpx.get(given.house.url + place, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        _check_shape(answer, operation)
    else:
        # What would change something is only shown to be there: nothing was sent that it wants.
        answer = httpx.request(method, given.house.url + place, headers=headers, timeout=30)
        is_partner = place.startswith("/partner")
        assert answer.status_code == 200 if is_partner or method == "delete" else 400
    read.close()


def _check_shape(answer: httpx.Response, operation: dict[str, Any]) -> None:
    """Compare the fields of an answer with those described, one level into its rows."""
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind == next(iter(operation["responses"]["200"]["content"]))
    if kind != "application/json":
        return
    schema, shown = operation["responses"]["200"]["content"][kind]["schema"], answer.json()
    for _ in range(2):
        schema = _resolved(schema)
        if "properties" in schema:
            assert set(shown) <= set(schema["properties"])
        rows = shown.get("data") if isinstance(shown, dict) else None
        if not rows:
            break
        schema, shown = schema["properties"]["data"]["items"], rows[0]
        assert set(shown) == set(_resolved(schema)["properties"])


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = re.fullmatch(r"#/components/schemas/(\w+)", schema.get("$ref", ""))
    found: dict[str, Any] = (
        DOCUMENT["components"]["schemas"][reference[1]] if reference is not None else schema
    )
    return found
