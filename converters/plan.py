"""Decides, for each function of a module, what it is called with, what it gives and how it is named."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from converters.component import component_schema, output_type, parameters_of
from converters.component_types import BYTES, FunctionType
from converters.deployment import Endpoint, Function, ModuleEntry, Mount, Parameter, Stage
from converters.errors import ConversionError
from converters.media_types import JSON, as_file, is_json
from converters.program import INITIALIZE, RUN, START, is_program, program_parameters
from converters.reading import escape
from converters.schema import as_value, file_schema, refine, wasm_results_schema, wasm_schema
from thing_descriptions.builder import AffordanceNames, affordance_name

# The WebAssembly types of a core export's parameters and of its results; or a component's function,
# whose types say everything.
Signature: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]] | FunctionType

# Run once when a module is deployed; never called by a consumer.
INITIALIZER = "_wasmiot_init"

# Exports by which hosts and runtimes manage an instance: no one's idea of a function of the module.
_RUNTIME_EXPORTS = frozenset(
    {
        INITIALIZE,
        START,
        INITIALIZER,
        "alloc",
        "calloc",
        "dealloc",
        "free",
        "malloc",
        "realloc",
    }
)
# What a component's toolchain leaves among the exports, by name and parameters. That of
# componentize-qjs would run whatever script a consumer sends.
_TOOLCHAIN_FUNCTIONS = frozenset({("init", ("shim", "script", "entry-path", "disable-gc"))})
_RUNTIME_PREFIXES = ("__", "cabi_", "asyncify_")

_NUMBERS = frozenset({"integer", "number", "boolean"})


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """A function of a module as an action, and how its call is made.

    `inputs` are in the order of the WebAssembly arguments; with `files` they are the members of the
    action's input. `result_schema` and `result_media_type` are both None when nothing comes out. A
    result whose media type is not JSON is a file: the first of `outputs`, or, where there are none
    (the older manifests do not name it), whichever file the module writes. `file_properties` names
    the property of each output that is not the result, by its path. The arguments of a program are
    those of its command line, and its result is what it prints unless there are `outputs`.
    """

    function: str
    action: str
    result_property: str
    completed_event: str
    failed_event: str
    inputs: tuple[Parameter, ...]
    files: tuple[Mount, ...]
    outputs: tuple[Mount, ...]
    file_properties: Mapping[str, str]
    result_schema: Mapping[str, Any] | None
    result_media_type: str | None
    description: str | None
    is_program: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the arguments, in their order."""
        return tuple(parameter.name for parameter in self.inputs)

    @property
    def is_file_result(self) -> bool:
        """Whether the output is a file that the function writes."""
        return _is_file(self.result_media_type)


def plan_functions(
    module: ModuleEntry,
    *,
    endpoints: Mapping[str, Endpoint],
    signatures: Mapping[str, Signature],
) -> tuple[FunctionPlan, ...]:
    """The functions that a module's Thing offers.

    They are those that the manifest names, else those that the description (`endpoints`) names, else
    the exports whose `signatures` JSON can express. Each detail is taken from the first of these
    that gives it: description, manifest, signature; but the mounts are always the manifest's, and
    the types of a component's function are always its own.
    Raises ConversionError when a parameter and a file of a function have one name.
    """
    functions = list(_choose(module, endpoints, signatures))
    sources = [(f, [e for e in (endpoints.get(f.name), f.endpoint) if e]) for f in functions]
    is_named = START in module.functions or START in endpoints
    actions, others = _action_names([f.name for f in functions], {} if is_named else {START: RUN})
    return tuple(
        _plan(module, function, declared, signatures, actions[function.name], others)
        for function, declared in sources
    )


def _choose(
    module: ModuleEntry, endpoints: Mapping[str, Endpoint], signatures: Mapping[str, Signature]
) -> Iterator[Function]:
    named = [function for name, function in module.functions.items() if _is_function(name)]
    if named:
        yield from named
    elif endpoints:
        for name, endpoint in endpoints.items():
            if not _is_function(name):
                continue
            # A request body lists the files of the deployment too: those are not sent.
            files = tuple(f for f in endpoint.files if f.path not in module.files)
            yield Function(name, None, files, None)
    else:
        for name, signature in signatures.items():
            if _is_offered(name, signature) or is_program(name, signatures):
                yield Function(name, None, (), None)


def is_only_program(signatures: Mapping[str, Signature]) -> bool:
    """Whether a module is a program and offers nothing else, so that there is no state to keep."""
    return is_program(START, signatures) and not any(
        _is_offered(name, signature) for name, signature in signatures.items()
    )


def _is_function(name: str) -> bool:
    return name != INITIALIZER


def _is_offered(export: str, signature: Signature) -> bool:
    if isinstance(signature, FunctionType):
        return (export, tuple(n for n, _ in signature.parameters)) not in _TOOLCHAIN_FUNCTIONS
    if export in _RUNTIME_EXPORTS or export.startswith(_RUNTIME_PREFIXES):
        return False
    return all(map(wasm_schema, (*signature[0], *signature[1])))


def _action_names(
    functions: Sequence[str], others: Mapping[str, str]
) -> tuple[dict[str, str], AffordanceNames]:
    """The action of each function. Actions come first, and of them those whose names need no change.

    Those of some `others` are not named after them.
    """
    names = AffordanceNames()
    ordered = sorted(functions, key=lambda name: (name in others, affordance_name(name) != name))
    return {name: names.take(others.get(name, name)) for name in ordered}, names


def _plan(
    module: ModuleEntry,
    function: Function,
    declared: Sequence[Endpoint],
    signatures: Mapping[str, Signature],
    action: str,
    names: AffordanceNames,
) -> FunctionPlan:
    signature, runs = signatures.get(function.name), is_program(function.name, signatures)
    files = function.at(Stage.EXECUTION)
    inputs = program_parameters(declared, files) if runs else _inputs(declared, files, signature)
    if both := {parameter.name for parameter in inputs} & {mount.path for mount in files}:
        pointer = f"/mounts/{escape(module.name)}/{escape(function.name)}"
        raise ConversionError(pointer, f"a parameter is named {min(both)!r} too")
    outputs = function.at(Stage.OUTPUT)
    schema, media_type = _result(declared, outputs, None if runs else signature)
    if runs and not _is_file(media_type):
        schema, media_type = {"type": "string"}, JSON
    further = outputs[1:] if _is_file(media_type) else outputs
    return FunctionPlan(
        function=function.name,
        action=action,
        result_property=names.take(f"{action}_result"),
        completed_event=names.take(f"{action}_completed"),
        failed_event=names.take(f"{action}_failed"),
        inputs=inputs,
        files=files,
        outputs=outputs,
        file_properties={mount.path: names.take(f"{action}_{mount.path}") for mount in further},
        result_schema=schema,
        result_media_type=media_type,
        description=next((e.description for e in declared if e.description), None),
        is_program=runs,
    )


def _inputs(
    declared: Sequence[Endpoint], files: Sequence[Mount], signature: Signature | None
) -> tuple[Parameter, ...]:
    if isinstance(signature, FunctionType):
        return _described(parameters_of(signature), declared)
    value_types = signature[0] if signature else ()
    parameters = next((e.parameters for e in declared if e.parameters), ())
    if parameters and len(parameters) == len(value_types):
        return tuple(
            Parameter(p.name, refine(p.schema, value_type), p.required, p.description)
            for p, value_type in zip(parameters, value_types, strict=True)
        )
    if parameters or files:
        # With files and nothing else declared, the arguments are pointers that the caller fills in.
        return parameters
    return tuple(
        Parameter(f"param{index}", as_value(wasm_schema(value_type) or {}))
        for index, value_type in enumerate(value_types)
    )


def _described(
    parameters: Sequence[Parameter], declared: Sequence[Endpoint]
) -> tuple[Parameter, ...]:
    """A component's parameters with what is said about them elsewhere."""
    said = {p.name: p.description for e in reversed(declared) for p in e.parameters}
    return tuple(replace(p, description=said.get(p.name)) for p in parameters)


def _result(
    declared: Sequence[Endpoint], outputs: Sequence[Mount], signature: Signature | None
) -> tuple[Mapping[str, Any] | None, str | None]:
    """The schema and the media type of what comes out: a number that is declared, else a file."""
    responses = [(e.response_media_type, e.response_schema) for e in declared]
    # A response that is JSON and has no schema says no more than that there is one.
    telling = [(m, schema) for m, schema in responses if m and (schema or not is_json(m))]
    media_type, schema = telling[0] if telling else (JSON, {})
    if outputs and not _returns_number(schema, signature):
        media_type = as_file(outputs[0].media_type if is_json(media_type) else media_type)
        return file_schema(media_type), media_type
    if isinstance(signature, FunctionType):
        return _component_result(signature, media_type)
    if not is_json(media_type):
        return file_schema(media_type), media_type
    results = wasm_results_schema(signature[1]) if signature else None
    if results is None and (signature or not any(m for m, _ in responses)):
        return None, None
    if signature and schema and len(signature[1]) == 1:
        return refine(schema, signature[1][0], is_result=True), media_type
    return as_value(schema or results or {}), media_type


def _returns_number(schema: Mapping[str, Any], signature: Signature | None) -> bool:
    """Whether the function returns what is declared to be no file, whatever it writes besides."""
    if schema.get("type") not in _NUMBERS or signature is None:
        return False
    return bool(signature.result if isinstance(signature, FunctionType) else signature[1])


def _is_file(media_type: str | None) -> bool:
    return media_type is not None and not is_json(media_type)


def _component_result(
    function: FunctionType, declared: str
) -> tuple[Mapping[str, Any] | None, str | None]:
    """What the function's type says; of bytes, what media type they are is declared, if anywhere."""
    kind = output_type(function)
    if kind is None:
        return None, None
    if kind != BYTES:
        return component_schema(kind), JSON
    media_type = as_file(declared)
    return file_schema(media_type), media_type
