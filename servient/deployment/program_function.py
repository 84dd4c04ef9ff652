"""A program as the handler of an action: each invocation is a run of its own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from converters.plan import FunctionPlan
from converters.program import STDIN
from servient.deployment.calling import call_traced
from servient.deployment.files import input_files, to_outcome
from servient.errors import InvalidInput
from servient.wasm.perform import to_notes
from servient.wasm.running import Running
from servient.wasm.types import Call, CommandLine
from servient.wot.content import Content, Value, to_json
from servient.wot.thing import Outcome


@dataclass(frozen=True, slots=True)
class ProgramFunction:
    """Turns an action's input into a command line, and what the program prints into the output."""

    plan: FunctionPlan
    instance: Running
    deadline_seconds: float

    def begin(self, _: Value) -> None:
        """Its calls take longer than it would pay."""

    async def __call__(self, value: Value) -> Outcome:
        members: Mapping[str, Value] = value if isinstance(value, dict) else {}
        files = input_files(self.plan, members)
        stdin = files.pop(STDIN, b"") or _to_text(STDIN, members.get(STDIN, ""))
        result = await call_traced(
            self.instance,
            Call(
                function=self.plan.function,
                inputs=files,
                outputs=tuple(mount.path for mount in self.plan.outputs),
                deadline_seconds=self.deadline_seconds,
                command_line=CommandLine(tuple(self._arguments(members)), stdin),
            ),
        )
        notes = to_notes(result.stdout, result.stderr)
        return to_outcome(self.plan, self._printed(result.stdout), result.files, notes)

    def _printed(self, stdout: bytes) -> Value:
        if self.plan.is_file_result and self.plan.result_media_type:
            return Content(stdout, self.plan.result_media_type)
        return stdout.decode(errors="replace")

    def _arguments(self, members: Mapping[str, Value]) -> Iterator[str]:
        """The inputs in their order, each an argument, an array as many as it has elements."""
        for name in self.plan.parameters:
            if name == STDIN or members.get(name) is None:
                continue
            value = members[name]
            for each in value if isinstance(value, list) else [value]:
                argument = each if isinstance(each, str) else to_json(each).decode()
                if b"\0" in _to_text(name, argument):
                    raise _unfit(name, "an argument has a null character in it")
                yield argument


def _to_text(name: str, value: Value) -> bytes:
    if not isinstance(value, str):
        return b""
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise _unfit(name, "half a character has no encoding") from error


def _unfit(name: str, detail: str) -> InvalidInput:
    return InvalidInput(f"/{name}: {detail}", [{"pointer": f"/{name}", "detail": detail}])
