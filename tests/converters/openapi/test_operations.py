"""Operations of an API become properties, actions and events."""

from typing import Any

import pytest

from tests.converters.openapi.documents import JSON_PET, api, convert, lost, operation


def test_what_is_read_without_input_is_a_property() -> None:
    td = convert(api({"/pets": {"get": operation(operationId="listPets", tags=["pet"])}})).td
    pets = td["properties"]["listPets"]
    assert pets["readOnly"] is True
    assert pets["type"] == "object"
    assert pets["wasm:tags"] == ["pet"]
    assert td["base"] == "https://pets.example/v1/"
    assert pets["forms"] == [
        {
            "href": "pets",
            "op": "readproperty",
            "contentType": "application/json",
            "htv:methodName": "GET",
        }
    ]


def test_get_and_put_of_the_same_value_are_one_property() -> None:
    put = {"operationId": "setName", "requestBody": {"required": True, **TEXT}, "responses": {}}
    get = {"operationId": "name", "responses": {"200": {"description": "x", **TEXT}}}
    conversion = convert(api({"/name": {"get": get, "put": put}}))
    name = conversion.td["properties"]["name"]
    assert name["readOnly"] is False
    assert [form["op"] for form in name["forms"]] == ["readproperty", "writeproperty"]
    assert "actions" not in conversion.td
    assert ("/paths/~1name/put/operationId", "operationId") in lost(conversion)


TEXT = {"content": {"application/json": {"schema": {"type": "string"}}}}


def test_what_needs_input_is_an_action() -> None:
    parameters = [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
        {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "page[size]", "in": "query", "schema": {"type": "integer"}, "required": True},
        {"name": "X-Kind", "in": "header", "required": True, "schema": {"enum": ["a"]}},
        {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
        {"name": "session", "in": "cookie", "schema": {"type": "string"}},
    ]
    paths = {"/pets/{id}": {"parameters": parameters, "get": operation(operationId="getPet")}}
    conversion = convert(api(paths))
    action = conversion.td["actions"]["getPet"]
    assert (action["safe"], action["idempotent"], action["synchronous"]) == (True, True, True)
    [form] = action["forms"]
    assert form["href"] == "pets/{id}{?tags*,page%5Bsize%5D}"
    assert form["htv:headers"] == [{"htv:fieldName": "X-Kind", "htv:fieldValue": "a"}]
    assert set(action["uriVariables"]) == {"id", "tags", "page%5Bsize%5D"}
    pointers = {loss.what: loss.pointer for loss in conversion.losses}
    assert pointers["X-Trace"] == "/paths/~1pets~1{id}/parameters/4"
    assert pointers["session"] == "/paths/~1pets~1{id}/parameters/5"
    assert pointers["required"] == "/paths/~1pets~1{id}/parameters/2/required"


@pytest.mark.parametrize(
    ("path", "parameter", "href"),
    [
        ("/x/{a}", {"in": "path", "style": "label", "explode": True}, "x/{.a*}"),
        ("/x/{a}", {"in": "path", "style": "matrix"}, "x/{;a}"),
        ("/x/{a}", {"in": "path"}, "x/{a}"),
        ("/x", {"in": "query", "explode": False}, "x{?a}"),
        ("/x", {"in": "query", "style": "deepObject"}, "x{?a}"),
        ("/x?b=1", {"in": "query"}, "x?b=1{&a*}"),
        ("/x#Action=y", {"in": "query"}, "x{?a*}#Action=y"),
        ("/v1:run/{+a}", {"in": "path", "name": "a"}, "./v1:run/{+a}"),
    ],
)
def test_styles_are_expressions(path: str, parameter: dict[str, Any], href: str) -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    declared = {"name": "a", "required": "path" in parameter["in"], "schema": schema, **parameter}
    conversion = convert(api({path: {"delete": operation(parameters=[declared])}}))
    [action] = conversion.td["actions"].values()
    assert action["forms"][0]["href"] == href
    assert action["idempotent"] is True


def test_bodies_have_a_form_for_each_media_type() -> None:
    schema = {
        "type": "object",
        "properties": {"note": {"type": "string"}, "file": {"type": "string", "format": "binary"}},
    }
    content = {
        "multipart/form-data": {
            "schema": schema,
            "encoding": {"file": {"contentType": "image/png"}},
        },
        "image/png": {"schema": {"type": "string", "format": "binary"}},
    }
    body = {"required": True, "content": content}
    answers = {"201": {"description": "x", "headers": {"Location": {}}, **JSON_PET}}
    conversion = convert(api({"/pictures": {"post": {"requestBody": body, "responses": answers}}}))
    action = conversion.td["actions"]["post_pictures"]
    assert action["synchronous"] is False
    assert action["input"]["properties"]["file"] == {
        "type": "string",
        "contentMediaType": "image/png",
    }
    assert [form["contentType"] for form in action["forms"]] == [
        "multipart/form-data",
        "image/png",
    ]
    assert action["forms"][1]["response"] == {"contentType": "application/json"}


def test_failures_are_additional_responses() -> None:
    problem = {"content": {"application/problem+json": {"schema": {"type": "object"}}}}
    responses = {
        "200": {"description": "Good", **JSON_PET},
        "204": {"description": "Nothing"},
        "404": {"description": "Gone", **problem},
        "default": {"description": "Bad", **problem},
    }
    conversion = convert(api({"/x": {"post": {"responses": responses}}}))
    [form] = conversion.td["actions"]["post_x"]["forms"]
    assert form["additionalResponses"] == [
        {
            "success": False,
            "htv:statusCodeValue": 404,
            "description": "Gone",
            "contentType": "application/problem+json",
            "schema": "response_404",
        },
        {
            "success": False,
            "description": "Bad",
            "contentType": "application/problem+json",
            "schema": "response_404",
        },
    ]
    assert conversion.td["schemaDefinitions"] == {"response_404": {"type": "object"}}
    assert ("/paths/~1x/post/responses/204", "204") in lost(conversion)


def test_several_outputs_are_alternatives() -> None:
    number = {"content": {"application/json": {"schema": {"type": "number"}}}}
    responses = {"200": {"description": "", **JSON_PET}, "202": {"description": "", **number}}
    td = convert(api({"/x": {"post": {"responses": responses}}})).td
    kinds = [option["type"] for option in td["actions"]["post_x"]["output"]["oneOf"]]
    assert kinds == ["object", "number"]


def test_further_servers_are_further_forms() -> None:
    servers = [
        {"url": "https://{region}.example/{v}", "variables": {
            "region": {"default": "eu"}, "v": {"default": "v2"}}},
        {"url": "/local"},
    ]  # fmt: skip
    document = api({"/x": {"get": operation()}}, servers=servers)
    conversion = convert(document, source_url="https://docs.example/api/openapi.json")
    assert conversion.td["base"] == "https://eu.example/v2/"
    hrefs = [form["href"] for form in conversion.td["properties"]["get_x"]["forms"]]
    assert hrefs == ["x", "https://docs.example/local/x"]
    assert ("/servers/0/variables", "variables") in lost(conversion)


def test_names_are_unique_whatever_the_kind() -> None:
    paths = {
        "/a": {"get": operation(operationId="do it"), "post": operation(operationId="do_it")},
        "/b": {"post": operation(operationId="Do-It")},
        "/ü": {"post": operation(operationId="ü")},
    }
    td = convert(api(paths)).td
    assert list(td["properties"]) == ["do_it"]
    assert list(td["actions"]) == ["do_it_2", "Do-It_3", "post__"]


def test_callbacks_and_webhooks_are_events() -> None:
    called = {"requestBody": {"content": {"application/json": {"schema": {"type": "integer"}}}},
              "responses": {"200": {"description": ""}}}  # fmt: skip
    callback = {"{$request.body#/url}": {"post": called}}
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    subscribe = operation(operationId="subscribe", requestBody=body, callbacks={"moved": callback})
    document = api(
        {"/subscribe": {"post": subscribe}}, openapi="3.1.0", webhooks={"born": {"post": called}}
    )
    conversion = convert(document)
    moved, born = conversion.td["events"]["moved"], conversion.td["events"]["born"]
    assert moved["data"] == {"type": "integer"}
    assert moved["subscription"] == {"type": "object"}
    assert moved["wasm:callback"] == "{$request.body#/url}"
    assert moved["forms"][0]["href"] == "subscribe"
    assert born["forms"] == [
        {"href": "https://pets.example/v1/", "op": "subscribeevent", "subprotocol": "webhook"}
    ]
    assert ("/webhooks/born/post", "webhook") in lost(conversion)
