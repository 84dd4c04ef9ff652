"""What one step of a chain hands to the next: its result, in the way that the next endpoint declares."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from converters.deployment import Endpoint
from servient.errors import InvalidInput, NextStepFailed
from servient.wot.content import JSON_MEDIA_TYPE, Content, Value, essence, parse_json, to_json
from servient.wot.thing import Outcome

# What a file is called that has no name of its own where the next endpoint declares none either.
RESULT = "result"


@dataclass(frozen=True, slots=True)
class Handover:
    """Values by the names of parameters, files by the names of form fields."""

    parameters: Mapping[str, Value] = field(default_factory=dict)
    files: Mapping[str, Content] = field(default_factory=dict)

    def query(self, endpoint: Endpoint) -> dict[str, str]:
        """The parameters as texts: JSON, but a string as it is where a string is wanted."""
        schemas = {parameter.name: parameter.schema for parameter in endpoint.parameters}
        return {
            name: value
            if isinstance(value, str) and schemas[name].get("type") == "string"
            else to_json(value).decode()
            for name, value in self.parameters.items()
        }


def hand_over(outcome: Outcome, endpoint: Endpoint) -> Handover:
    """A value goes to the first parameter; files go by the names that they were written under.

    Where the endpoint takes the other kind only, JSON and text change sides. An endpoint that takes
    nothing gets nothing but the call, though a file always comes along where no parameter is wanted.
    Raises NextStepFailed for a file of another media type where only parameters are taken.
    """
    if isinstance(outcome.output, Content):
        if endpoint.parameters and not endpoint.files:
            return _as_parameter(_value_of(outcome.output), endpoint)
        return Handover(files=_named(outcome.files or {"": outcome.output}, endpoint))
    if outcome.output is None:
        return Handover()
    if endpoint.parameters:
        return _as_parameter(outcome.output, endpoint)
    if endpoint.files:
        content = Content(to_json(outcome.output), JSON_MEDIA_TYPE)
        return Handover(files={endpoint.files[0].path: content})
    return Handover()


def _as_parameter(value: Value, endpoint: Endpoint) -> Handover:
    return Handover(parameters={endpoint.parameters[0].name: value})


def _named(files: Mapping[str, Content], endpoint: Endpoint) -> dict[str, Content]:
    """Files by the fields that they go to: their own names, but an odd one takes the place left."""
    declared = [mount.path for mount in endpoint.files]
    odd = [name for name in files if name not in declared]
    left = [name for name in declared if name not in files]
    field_of = {odd[0]: left[0]} if len(odd) == len(left) == 1 else {}
    return {field_of.get(name, name) or RESULT: content for name, content in files.items()}


def _value_of(content: Content) -> Value:
    """What a file of text says."""
    try:
        if content.is_json:
            return parse_json(content.body)
        if essence(content.media_type).startswith("text/"):
            return content.body.decode()
    except (InvalidInput, UnicodeDecodeError) as error:
        kind = content.media_type[:100]
        raise NextStepFailed(f"the result is not the {kind} that it should be") from error
    name = json.dumps(content.media_type[:100])
    raise NextStepFailed(f"the result is a file of {name}, and the next step takes no file")
