"""What a module's Thing offers, and from which document each detail is taken."""

from collections.abc import Mapping
from typing import Any

import pytest

from converters.deployment import Endpoint, Mount, Parameter, Stage
from converters.errors import ConversionError
from converters.manifest import parse_manifest
from converters.plan import FunctionPlan, Signature, is_only_program, plan_functions
from tests.converters.test_manifest import manifest_with
from tests.manifests import load_manifest

I64 = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}


def plans_of(
    document: dict[str, Any],
    signatures: Mapping[str, Signature] | None = None,
    endpoints: dict[str, Endpoint] | None = None,
) -> tuple[FunctionPlan, ...]:
    (module,) = parse_manifest(document).modules
    return plan_functions(module, endpoints=endpoints or {}, signatures=signatures or {})


def endpoint(**members: Any) -> Endpoint:
    fields: dict[str, Any] = {
        "method": "get",
        "parameters": (),
        "files": (),
        "response_media_type": "",
        "response_schema": {},
        "url": "",
        "path": "",
    }
    return Endpoint(**(fields | members))


def test_the_manifest_decides_which_functions_there_are() -> None:
    signatures = {"fibo": (("i64",), ("i64",)), "other": ((), ())}
    (plan,) = plans_of(load_manifest("deploy-fibo"), signatures)
    assert (plan.function, plan.action, plan.parameters) == ("fibo", "fibo", ("param0",))
    assert plan.inputs[0].schema == I64
    assert (plan.result_schema, plan.result_media_type) == (I64, "application/json")
    assert not plan.is_file_result


def test_the_description_is_preferred_for_the_details() -> None:
    named = endpoint(
        parameters=(Parameter("n", {"type": "integer", "minimum": 0}),), description="Counts."
    )
    (plan,) = plans_of(load_manifest("deploy-fibo"), endpoints={"fibo": named, "unnamed": named})
    assert plan.parameters == ("n",)
    assert plan.description == "Counts."
    # The description says nothing of a response, so the manifest's stands.
    assert plan.result_schema == {"type": "integer"}


def test_a_manifest_without_functions_leaves_them_to_the_description() -> None:
    sent = Mount("image", "image/jpeg", Stage.EXECUTION)
    brought = Mount("table.bin", "image/jpeg", Stage.EXECUTION)
    urls = {"binary": "http://h/m", "other": {"table.bin": "http://h/t"}}
    (plan,) = plans_of(
        manifest_with({"urls": urls}), endpoints={"look": endpoint(files=(sent, brought))}
    )
    assert plan.files == (sent,)


def test_else_the_exports_are_the_functions() -> None:
    signatures: dict[str, Signature] = {
        "divmod": (("i64", "f32"), ("i64", "i64")),
        "reset": ((), ()),
        "alloc": (("i32",), ("i32",)),
        "__wbindgen_free": (("i32",), ()),
        "_start": ((), ()),
        "_wasmiot_init": ((), ()),
        "vector": (("v128",), ()),
    }
    divmod_, reset, program = plans_of(manifest_with(), signatures)
    assert divmod_.parameters == ("param0", "param1")
    assert divmod_.inputs[1].schema == {"type": "number"}
    assert divmod_.result_schema
    assert divmod_.result_schema["type"] == "array"
    assert (reset.parameters, reset.result_schema, reset.result_media_type) == ((), None, None)
    assert (program.function, program.action, program.is_program) == ("_start", "run", True)


PROGRAM: dict[str, Signature] = {"_start": ((), ())}


def test_a_program_takes_a_command_line_and_gives_what_it_prints() -> None:
    (plan,) = plans_of(manifest_with(), PROGRAM)
    assert plan.parameters == ("arguments", "stdin")
    assert not any(parameter.required for parameter in plan.inputs)
    assert (plan.result_schema, plan.is_file_result) == ({"type": "string"}, False)
    assert is_only_program(PROGRAM)
    assert is_only_program({**PROGRAM, "__main_void": ((), ("i32",))})
    assert not is_only_program({**PROGRAM, "increment": ((), ("i32",))})
    assert not plans_of(manifest_with(), {**PROGRAM, "_initialize": ((), ())})  # a library
    assert not plans_of(manifest_with(), {"_start": (("i32",), ())})


def test_a_program_that_a_manifest_names() -> None:
    image = {"path": "a.ppm", "media_type": "image/x-portable-pixmap", "stage": "execution"}
    stdin = {"path": "stdin", "media_type": "image/png", "stage": "execution"}
    grey = {"path": "b.pgm", "media_type": "image/x-portable-graymap", "stage": "output"}
    mounts = {"mod": {"_start": {"execution": [image, stdin], "output": [grey]}}}
    (plan,) = plans_of(manifest_with(mounts=mounts), PROGRAM)
    assert (plan.action, plan.parameters) == ("_start", ("arguments",))
    assert plan.result_media_type == "image/x-portable-graymap"
    named = {"name": "times", "schema": {"type": "integer"}}
    request = {"parameters": [named]}
    response = {"media_type": "text/plain", "schema": {"type": "string"}}
    endpoints = {"mod": {"_start": {"request": request, "response": response}}}
    (plan,) = plans_of(manifest_with(endpoints=endpoints), PROGRAM)
    assert plan.parameters == ("times",)
    assert (plan.result_media_type, plan.is_file_result) == ("text/plain", True)


def test_a_function_named_run_keeps_its_name() -> None:
    plans = plans_of(manifest_with(), {**PROGRAM, "run": ((), ())})
    assert {plan.function: plan.action for plan in plans} == {"run": "run", "_start": "run_2"}


def test_parameters_that_nobody_declares_are_numbered() -> None:
    document = manifest_with(endpoints={"mod": {"f": {"request": {"parameters": []}}}})
    (plan,) = plans_of(document, {"f": (("f64", "i64"), ("i64",))})
    assert plan.parameters == ("param0", "param1")
    assert plan.result_schema == I64


def test_with_files_the_arguments_are_pointers() -> None:
    signatures: dict[str, Signature] = {"infer_from_ptrs": (("i32",) * 4, ("i32",))}
    (plan,) = plans_of(load_manifest("old-mobilenet"), signatures)
    assert plan.parameters == ()
    assert [mount.path for mount in plan.files] == ["data"]


def test_a_file_that_is_written_is_the_result() -> None:
    (plan,) = plans_of(load_manifest("deploy-bytes-invert"), {"invert": ((), ("i32",))})
    assert plan.is_file_result
    assert [mount.path for mount in plan.outputs] == ["result.jpeg"]
    assert plan.result_schema == {
        "type": "string",
        "contentEncoding": "base64",
        "contentMediaType": "image/jpeg",
    }


def test_the_older_shape_does_not_name_the_file_that_is_the_result() -> None:
    (plan,) = plans_of(load_manifest("old-camera"), {"take_image": ((), ("i32",))})
    assert (plan.is_file_result, plan.outputs) == (True, ())
    assert plan.result_media_type == "image/jpeg"


def test_an_output_mount_is_a_file_whatever_the_response_says() -> None:
    mount = {"path": "out.json", "media_type": "application/json", "stage": "output"}
    response = {"media_type": "application/json", "schema": {"type": "integer"}}
    document = manifest_with(
        mounts={"mod": {"f": {"output": [mount]}}}, endpoints={"mod": {"f": {"response": response}}}
    )
    (plan,) = plans_of(document, {"f": ((), ())})
    assert plan.result_media_type == "application/octet-stream"


OUTPUTS = [
    {"path": name, "media_type": media_type, "stage": "output"}
    for name, media_type in (("a.jpeg", "image/jpeg"), ("b.txt", "text/plain"))
]


def test_of_several_files_the_first_is_the_result() -> None:
    document = manifest_with(mounts={"mod": {"f": {"output": OUTPUTS}}})
    (plan,) = plans_of(document, {"f": ((), ("i32",))})
    assert plan.result_media_type == "image/jpeg"
    assert plan.file_properties == {"b.txt": "f_b_txt"}


def test_a_declared_number_is_the_result_and_files_are_written_besides() -> None:
    response = {"media_type": "application/json", "schema": {"type": "integer"}}
    document = manifest_with(
        mounts={"mod": {"f": {"output": OUTPUTS}}}, endpoints={"mod": {"f": {"response": response}}}
    )
    (plan,) = plans_of(document, {"f": ((), ("i64",))})
    assert (plan.is_file_result, plan.result_schema) == (False, I64)
    assert plan.file_properties == {"a.jpeg": "f_a_jpeg", "b.txt": "f_b_txt"}


def test_nothing_comes_out_of_a_function_without_results() -> None:
    (plan,) = plans_of(load_manifest("deploy-fibo"), {"fibo": (("i64",), ())})
    assert (plan.result_schema, plan.result_media_type) == (None, None)
    (plan,) = plans_of(manifest_with(endpoints={"mod": {"f": {}}}))
    assert plan.result_schema is None


def test_a_response_without_a_schema_is_any_json() -> None:
    document = manifest_with(
        endpoints={"mod": {"f": {"response": {"media_type": "application/json"}}}}
    )
    (plan,) = plans_of(document)
    assert plan.result_schema
    assert "oneOf" in plan.result_schema


def test_the_initializer_is_no_function() -> None:
    mounts = {"_wasmiot_init": {"output": [{"path": "model"}]}, "f": {}}
    (plan,) = plans_of(manifest_with(mounts={"mod": mounts}))
    assert plan.function == "f"
    assert plans_of(manifest_with(mounts={"mod": {"_wasmiot_init": {}}})) == ()


def test_names_are_unique_over_all_affordances() -> None:
    functions = ["a.b", "a-b", "A_b", "f", "f_result", "F_completed", "_"]
    plans = plans_of(manifest_with(endpoints={"mod": {name: {} for name in functions}}))
    assert [plan.function for plan in plans] == functions
    names = [
        name
        for plan in plans
        for name in (plan.action, plan.result_property, plan.completed_event, plan.failed_event)
    ]
    slugs = [name.lower().replace("_", "-") for name in names]
    assert len(set(slugs)) == len(slugs)
    by_function = {plan.function: plan for plan in plans}
    assert by_function["a-b"].action == "a-b"
    assert by_function["f_result"].action == "f_result"
    assert by_function["f"].result_property == "f_result_2"


def test_a_parameter_and_a_file_cannot_have_one_name() -> None:
    request = {"parameters": [{"name": "x", "in": "query", "schema": {}}]}
    document = manifest_with(
        endpoints={"mod": {"f": {"request": request}}},
        mounts={"mod": {"f": {"execution": [{"path": "x"}]}}},
    )
    with pytest.raises(ConversionError) as caught:
        plans_of(document)
    assert caught.value.pointer == "/mounts/mod/f"
