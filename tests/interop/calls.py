"""The calls of the examples' functions as invocations of actions, and what is to come of them."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from servient.wot.schema import is_file
from tests.files import EXAMPLES

# Beyond it, JavaScript's numbers are no integers.
SAFE_INTEGER = 2**53
CALLS_OF_ONE_ACTION = 4
NO_INPUT = object()


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation. Its output is a value, the bytes of a file, or None; `fails` when there is none."""

    action: str
    input: Any = NO_INPUT
    output: Any = None
    fails: bool = False

    @property
    def inputs(self) -> tuple[Any, ...]:
        return () if self.input is NO_INPUT else (self.input,)


def _read(path: str) -> str:
    return base64.b64encode(EXAMPLES.joinpath(path).read_bytes()).decode()


# Where no expect.json has calls of functions, or those of it are not made through actions.
_OWN: Mapping[str, list[Call]] = {
    "camera": [Call("take_image", output=...), Call("take_image_predefined_path", output=...)],
    "digits": [
        Call("infer_from_ptrs", {"data": _read("digits/digit.png")}, 2),
        Call("infer_predefined_paths", {"image.jpeg": _read("digits/digit.png")}, 2),
        Call("infer_predefined_paths", {"image.jpeg": ""}, -4),
    ],
    "greeter": [
        Call(
            "greetings-greet",
            {"person": {"name": "Ada", "languages": ["swedish"]}, "occasion": {"visit": "Ekenäs"}},
            {"text": "Välkommen till Ekenäs, Ada!", "language": "swedish", "times": 1},
        ),
        Call("greetings-greet", {"person": {"name": "", "languages": []}}, fails=True),
        Call("greetings-visitors", output=[["Ada", 1]]),
        Call("greetings-forget", {"name": "Ada"}, True),
        Call("greetings-visitors", output=[]),
    ],
    "wordcount": [
        Call(
            "_start",
            {"text.txt": base64.b64encode(b"one two\n").decode()},
            b"1 2 8 text.txt\n",
        )
    ],
}


def calls_of(example: str, td: Mapping[str, Any]) -> list[Call]:
    """A few calls of each action, in the order in which they are to be made."""
    if example in _OWN:
        return _OWN[example]
    counts: dict[str, int] = {}
    found = []
    for call in _expected(example, td["actions"]):
        counts[call.action] = counts.get(call.action, 0) + 1
        # All of those that change a state, or none.
        if counts[call.action] <= CALLS_OF_ONE_ACTION or example == "counter":
            found.append(call)
    return found


def _expected(example: str, actions: Mapping[str, Any]) -> Iterator[Call]:
    for entry in json.loads(EXAMPLES.joinpath(example, "expect.json").read_text()):
        action = actions.get(entry["function"])
        if action is None:
            continue
        members = action.get("input", {}).get("properties", {})
        files = {name for name, schema in members.items() if is_file(schema)}
        numbers = [name for name in members if name not in files]
        arguments = entry["arguments"]
        if len(arguments) != len(numbers) or files != entry.get("files", {}).keys():
            continue
        if any(abs(argument) > SAFE_INTEGER for argument in arguments):
            continue
        value = {**dict(zip(numbers, arguments, strict=True)), **entry.get("files", {})}
        written = [text for text in entry.get("written", {}).values() if text is not None]
        if not is_file(action.get("output", {})):
            given = value if members else NO_INPUT
            yield Call(entry["function"], given, entry.get("result"), "trap" in entry)
        elif written:
            yield Call(entry["function"], value, base64.b64decode(written[0]))


def wrong_inputs(td: Mapping[str, Any]) -> list[Call]:
    """For each action that needs an input, one that is none."""
    return [
        Call(name, {action["input"]["required"][0]: {"no": "number"}}, fails=True)
        for name, action in td["actions"].items()
        if "required" in action.get("input", {})
    ]
