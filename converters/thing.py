"""Makes the Thing Description of a module in a deployment."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from converters.deployment import Deployment, Endpoint, ModuleEntry
from converters.media_types import as_file
from converters.plan import FunctionPlan, Signature, plan_functions
from converters.schema import Schema, as_value, file_schema
from thing_descriptions.builder import AffordanceNames, without_empties
from thing_descriptions.models import MODULE_MODEL, fill, instantiate, load_model
from thing_descriptions.vocabulary import (
    FILE,
    FILE_PROPERTIES,
    GENERATION_PROPERTY,
    REPLACED_EVENT,
    RESULT_PROPERTY,
)

# What the affordances of a function are called in the Thing Model.
ACTION = "function"
RESULT = "function_result"
WRITTEN = "function_file"
COMPLETED = "function_completed"
FAILED = "function_failed"

_KINDS = ("actions", "properties", "events")


def to_thing_description(
    deployment: Deployment,
    module: ModuleEntry,
    *,
    endpoints: Mapping[str, Endpoint],
    signatures: Mapping[str, Signature],
    servient_id: str,
) -> dict[str, Any]:
    """The Thing Description, without forms, of one module of a deployment.

    `endpoints` are those of the module's description and may be empty; `signatures` are those of the
    module's exports. Raises ConversionError as `plan_functions` does.
    """
    plans = plan_functions(module, endpoints=endpoints, signatures=signatures)
    return describe(deployment.id, module, plans, servient_id=servient_id)


def describe(
    deployment_id: str, module: ModuleEntry, plans: Sequence[FunctionPlan], *, servient_id: str
) -> dict[str, Any]:
    """The Thing Description of functions that are planned already."""
    model = load_model(MODULE_MODEL)
    values = {
        "DEPLOYMENT": deployment_id,
        "MODULE": module.name,
        "MODULE_ID": module.id,
        "DEPLOYMENT_SEGMENT": quote(deployment_id, safe=""),
        "MODULE_SEGMENT": quote(module.name, safe=""),
        "SERVIENT_ID": quote(servient_id, safe=""),
    }
    document = instantiate({n: m for n, m in model.items() if n not in _KINDS}, values)
    affordances: dict[str, dict[str, Any]] = {kind: {} for kind in _KINDS}
    for plan in plans:
        _add(affordances, model, plan)
    names = AffordanceNames()  # the functions of a module come first: what we add gives way
    for name in (name for members in affordances.values() for name in members):
        names.take(name)
    for kind, term in (("properties", GENERATION_PROPERTY), ("events", REPLACED_EVENT)):
        name = document[term] = names.take(document[term])
        affordances[kind][name] = fill(model[kind][model[term]], {})
    return document | {kind: members for kind, members in affordances.items() if members}


def _add(
    affordances: dict[str, dict[str, Any]], model: Mapping[str, Any], plan: FunctionPlan
) -> None:
    values = {
        "FUNCTION": plan.function,
        "RESULT_PROPERTY": plan.result_property,
        "COMPLETED_EVENT": plan.completed_event,
        "FAILED_EVENT": plan.failed_event,
    }
    completed = fill(model["events"][COMPLETED], values)
    failed = fill(model["events"][FAILED], values)
    affordances["actions"][plan.action] = _action(fill(model["actions"][ACTION], values), plan)
    affordances["events"] |= {plan.completed_event: completed, plan.failed_event: failed}
    affordances["properties"] |= _written(model["properties"][WRITTEN], plan)
    if plan.result_schema is None:
        return
    general = fill(model["properties"][RESULT], values)
    del general["type"]
    # What a value is comes from the function; what the property is, from the model.
    affordances["properties"][plan.result_property] = without_empties(
        {**plan.result_schema, **general}
    )
    if plan.is_file_result and plan.outputs:
        affordances["properties"][plan.result_property][FILE] = plan.outputs[0].path
    if not plan.is_file_result:
        # Bytes have no place in an event: they are read from the property.
        completed["data"]["properties"]["output"] = without_empties(dict(plan.result_schema))


def _written(model: Mapping[str, Any], plan: FunctionPlan) -> dict[str, Any]:
    """The properties of the files that the function writes besides its result."""
    mounts = {mount.path: mount for mount in plan.outputs}
    return {
        name: fill(model, {"FUNCTION": plan.function, "FILE": path})
        | file_schema(as_file(mounts[path].media_type))
        for path, name in plan.file_properties.items()
    }


def _action(action: dict[str, Any], plan: FunctionPlan) -> dict[str, Any]:
    """The model's action with the function's own input and output."""
    members = _members(plan)
    required = [p.name for p in plan.inputs if p.required] + [file.path for file in plan.files]
    own = {
        "description": plan.description or action["description"],
        "input": {"type": "object", "properties": members, "required": required}
        if members
        else None,
        "output": None if plan.result_schema is None else dict(plan.result_schema),
        FILE_PROPERTIES: list(plan.file_properties.values()),
    }
    if plan.result_schema is None:
        del action[RESULT_PROPERTY]
    described: dict[str, Any] = without_empties(action | own)
    return described


def _members(plan: FunctionPlan) -> dict[str, Schema]:
    """The members of an action's input: a function's arguments, then its files."""
    members = {
        parameter.name: as_value(parameter.schema)
        | ({"description": parameter.description} if parameter.description else {})
        for parameter in plan.inputs
    }
    return members | {file.path: file_schema(file.media_type) for file in plan.files}
