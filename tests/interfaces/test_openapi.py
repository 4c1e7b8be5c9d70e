"""Both OpenAPI documents are valid, and the server answers as they say."""

import re
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from homeroom.admin.openapi import Document
from homeroom.contract.action import Action
from homeroom.contract.catalogue import ACTIONS
from homeroom.domain.tokens import TokenScope
from homeroom.partner.openapi import describe_partner_api
from tests.support.given import Given
from tests.support.message_rows import add_endpoint
from tests.support.readback import ReadBack
from tests.support.serving import House

DOCUMENT = Document(describe_partner_api, client_profile=False).build()
CLIENT_PROFILE = Document(describe_partner_api, client_profile=True).build()
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


DONE_WITHOUT_BODY = ("/pause", "/skip")
REFUSED_WITHOUT_BODY = ("/resume", "/rotate", "/test")
"""The endpoint of these tests is active and of the format `classin`; nothing listens there."""


def make_ids(given: Given) -> dict[str, int]:
    """Return an id of each sort that a path may have."""
    endpoint = add_endpoint(given, kinds=("award",))
    ids = {"courseId": given.course(), "classId": given.lesson(), "endpointId": endpoint}
    message = given.store.read(lambda uow: uow.endpoints.find_newest_message(given.school.id))
    return ids | {"messageId": message}


def target_of(action: Action[Any, Any]) -> str:
    """Return the path of an action in the true document."""
    return action.v2.path if action.is_v2 else f"{action.v1.path}?action={action.name}"


DOCUMENTS = pytest.mark.parametrize(
    ("name", "document"),
    [("openapi.json", DOCUMENT), ("openapi-client.json", CLIENT_PROFILE)],
    ids=["true", "client"],
)


@DOCUMENTS
def test_the_document_is_valid(name: str, document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0", name
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


@DOCUMENTS
def test_the_document_is_served_without_a_token(
    name: str, document: dict[str, Any], house: House
) -> None:
    response = httpx.get(f"{house.url}/{name}", timeout=30)
    assert response.headers["content-type"] == "application/json"
    assert response.json() == document


def test_the_client_profile_has_no_query_in_a_path_and_one_encoding() -> None:
    for path, methods in CLIENT_PROFILE["paths"].items():
        assert "?" not in path
        for operation in methods.values():
            assert len(operation.get("requestBody", {}).get("content", "x")) == 1
            for response in operation["responses"].values():
                assert len(response.get("content", "x")) == 1


def test_the_client_profile_has_the_fields_and_responses_of_the_true_document() -> None:
    for action in ACTIONS:
        true = DOCUMENT["paths"][target_of(action)]["post"]
        profile = CLIENT_PROFILE["paths"][target_of(action).replace("?action=", "/")]["post"]
        schemas = [
            next(iter(operation["requestBody"]["content"].values()))["schema"]
            for operation in (true, profile)
        ]
        assert list(schemas[0]["properties"]) == list(schemas[1]["properties"])
        assert schemas[0].get("required") == schemas[1].get("required")
        assert profile["responses"] == true["responses"]


def test_a_response_is_described_by_the_type_of_the_result() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    added = schemas["AddCourseClassResponse"]["properties"]
    assert added["data"]["type"] == "integer"
    assert added["more_data"]["$ref"] == "#/components/schemas/LiveAddresses"
    assert set(schemas["LiveAddresses"]["properties"]) == {"live_url", "live_info"}
    registered = schemas["RegisterMultipleResponse"]["properties"]["data"]
    assert registered["items"] == {"$ref": "#/components/schemas/RegisteredEntry"}


def test_every_operation_has_a_name_of_its_own_and_a_known_tag() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    assert {tag for _, _, operation in OPERATIONS for tag in operation["tags"]} == tags


def test_every_action_is_described_as_the_contract_has_it() -> None:
    for action in ACTIONS:
        operation = DOCUMENT["paths"][target_of(action)]["post"]
        encoding = "application/json" if action.is_v2 else "application/x-www-form-urlencoded"
        form = operation["requestBody"]["content"][encoding]["schema"]
        fields = [field for field in action.reader().fields if not field.param.is_spelling]
        credentials = set() if action.is_v2 else {"SID", "safeKey", "timeStamp"}
        assert set(form["properties"]) == credentials | {field.names[0] for field in fields}
        assert set(form.get("required", ())) >= {
            field.names[0] for field in fields if field.required
        }
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
    read = ReadBack(given, of_operator=True, scopes=tuple(TokenScope))
    ids = make_ids(given) if "{" in path else {}
    place = path.format(**ids)
    headers = {"authorization": f"Bearer {read.token}"}
    needed = [field["name"] for field in operation.get("parameters", ()) if _needs_query(field)]
    if needed == ["sid", "class"]:
        place += f"?sid={given.school.id}&class={given.lesson()}"
    if method == "get":
        answer = httpx.get(given.house.url + place, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        _check_shape(answer, operation)
    else:
        # What would change something is only shown to be there: nothing was sent that it wants.
        answer = httpx.request(method, given.house.url + place, headers=headers, timeout=30)
        is_partner = any("Partner API" in tag for tag in operation["tags"])
        is_done = is_partner or method == "delete" or path.endswith(DONE_WITHOUT_BODY)
        expected = 409 if path.endswith(REFUSED_WITHOUT_BODY) else 200 if is_done else 400
        assert answer.status_code == expected, answer.text
    read.close()


def _needs_query(field: dict[str, Any]) -> bool:
    return field.get("in") == "query" and field.get("required", False)


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
