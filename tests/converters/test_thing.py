"""A module of a deployment becomes a Thing Description."""

from typing import Any

from jsonschema import Draft7Validator

from converters.manifest import parse_manifest
from converters.plan import Signature
from converters.thing import ACTION, COMPLETED, FAILED, RESULT, to_thing_description
from tests.converters.test_manifest import manifest_with
from tests.manifests import load_manifest
from thing_descriptions import vocabulary
from thing_descriptions.models import MODULE_MODEL, load_model
from thing_descriptions.validator import lint_td, validate_td


def thing(
    document: dict[str, Any], signatures: dict[str, Signature] | None = None
) -> dict[str, Any]:
    deployment = parse_manifest(document)
    description = to_thing_description(
        deployment,
        deployment.modules[0],
        endpoints={},
        signatures=signatures or {},
        servient_id="servient/1",
    )
    assert validate_td(description, partial=True) == []
    assert lint_td(description) == []
    return description


def test_the_thing_of_a_fibonacci_module() -> None:
    description = thing(load_manifest("old-fibo"), {"fibo": (("i64",), ("i64",))})
    assert description["title"] == "fiboMod (0)"
    assert description["id"] == "urn:wasm-servient:servient%2F1:0:fiboMod"
    assert description["@context"] == vocabulary.context()
    assert description["@type"] == vocabulary.MODULE_TYPE
    assert description[vocabulary.DEPLOYMENT] == "0"
    assert description[vocabulary.MODULE] == "fiboMod"
    assert description[vocabulary.MODULE_ID] == "0"
    action = description["actions"]["fibo"]
    assert action["input"]["required"] == ["iterations"]
    assert Draft7Validator(action["input"]).is_valid({"iterations": 7})
    assert not Draft7Validator(action["input"]).is_valid({"iterations": 2**63})
    assert (action["synchronous"], action["safe"], action["idempotent"]) == (True, False, False)
    assert action[vocabulary.FUNCTION] == "fibo"
    result = description["properties"][action[vocabulary.RESULT_PROPERTY]]
    assert (result["type"], result["readOnly"], result["observable"]) == ("integer", True, True)
    completed = description["events"][action[vocabulary.COMPLETED_EVENT]]["data"]
    assert completed["properties"]["output"] == action["output"]
    failed = description["events"][action[vocabulary.FAILED_EVENT]]["data"]
    problem = {"type": "urn:x", "title": "Module trapped", "status": 500, "detail": "unreachable"}
    assert Draft7Validator(failed).is_valid(problem)


def test_files_are_base64_inside_json() -> None:
    description = thing(load_manifest("deploy-bytes-invert"))
    action = description["actions"]["invert"]
    assert action["input"]["properties"]["image.jpeg"]["contentEncoding"] == "base64"
    assert action["input"]["required"] == ["image.jpeg"]
    assert action["output"]["contentMediaType"] == "image/jpeg"
    assert description["properties"]["invert_result"]["contentMediaType"] == "image/jpeg"
    assert "output" not in description["events"]["invert_completed"]["data"]["properties"]


def test_each_further_file_is_a_property_of_its_own() -> None:
    document = load_manifest("deploy-bytes-invert")
    outputs = document["mounts"]["bytes"]["invert"]["output"]
    outputs.append({"path": "log.json", "media_type": "application/json", "stage": "output"})
    description = thing(document)
    action = description["actions"]["invert"]
    assert action[vocabulary.FILE_PROPERTIES] == ["invert_log_json"]
    written = description["properties"]["invert_log_json"]
    assert written[vocabulary.FILE] == "log.json"
    # Consumers would take a body of JSON for the value itself, which is declared to be a file.
    assert written["contentMediaType"] == "application/octet-stream"
    assert (written["readOnly"], written["observable"]) == (True, True)
    assert description["properties"]["invert_result"][vocabulary.FILE] == "result.jpeg"


def test_a_function_without_inputs_and_outputs() -> None:
    description = thing(manifest_with(), {"reset": ((), ())})
    action = description["actions"]["reset"]
    assert not action.keys() & {"input", "output", vocabulary.RESULT_PROPERTY}
    assert list(description["properties"]) == ["generation"]
    assert list(description["events"]) == ["reset_completed", "reset_failed", "replaced"]


def test_a_module_without_functions() -> None:
    description = thing(manifest_with())
    assert "actions" not in description
    assert list(description["properties"]) == ["generation"]
    assert list(description["events"]) == ["replaced"]


def test_what_is_ours_gives_way_to_functions_of_its_name() -> None:
    description = thing(manifest_with(), {"generation": ((), ()), "replaced": ((), ())})
    assert set(description["actions"]) == {"generation", "replaced"}
    assert description["wasm:generationProperty"] == "generation_2"
    assert description["wasm:replacedEvent"] == "replaced_2"
    assert description["properties"]["generation_2"]["type"] == "integer"
    assert "replaced_2" in description["events"]


def test_what_people_write_is_not_taken_for_a_placeholder() -> None:
    endpoint = {"description": "{{MODULE}}", "request": {"parameters": [{"name": "{{X}}"}]}}
    description = thing(manifest_with(endpoints={"mod": {"f": endpoint}}))
    assert description["actions"]["f"]["description"] == "{{MODULE}}"
    assert "{{X}}" in description["actions"]["f"]["input"]["properties"]


def test_names_in_the_description_follow_the_model() -> None:
    """Whoever changes the model changes the Thing Descriptions, and the other way round."""
    model = load_model(MODULE_MODEL)
    description = thing(load_manifest("deploy-fibo"))
    general = {"actions", "properties", "events", "version", "tm:optional"}
    assert description.keys() - general == model.keys() - general
    pairs = [
        (model["actions"][ACTION], description["actions"]["fibo"]),
        (model["properties"][RESULT], description["properties"]["fibo_result"]),
        (model["events"][COMPLETED], description["events"]["fibo_completed"]),
        (model["events"][FAILED], description["events"]["fibo_failed"]),
    ]
    for expected, found in pairs:
        assert found.keys() == expected.keys()
