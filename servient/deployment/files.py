"""The files that go into and come out of a function's call."""

from collections.abc import Mapping

from converters.media_types import as_file
from converters.plan import FunctionPlan
from servient.errors import ActionFailed
from servient.wot.content import OCTET_STREAM, Content, Value
from servient.wot.thing import Outcome


def input_files(plan: FunctionPlan, members: Mapping[str, Value]) -> dict[str, bytes]:
    """The files among the members of an action's input."""
    given = {mount.path: members.get(mount.path) for mount in plan.files}
    return {path: file.body for path, file in given.items() if isinstance(file, Content)}


def to_outcome(
    plan: FunctionPlan, returned: Value, written: Mapping[str, bytes], notes: Mapping[str, str]
) -> Outcome:
    """What the function returned, or the file that is its result, and every file that it wrote.

    The others of the declared files may be missing. Raises ActionFailed when the result is.
    """
    files = _typed(plan, written)
    output = returned
    if isinstance(returned, Content) and not plan.outputs:
        files = {plan.result_property: returned}  # a component's own bytes, which have no name
    elif plan.is_file_result:
        output = _result(plan, files, returned)
    properties = {
        name: Content(files[path].body, as_file(files[path].media_type))
        for path, name in plan.file_properties.items()
        if path in files
    }
    return Outcome(output, properties, files=files, notes=notes)


def _typed(plan: FunctionPlan, written: Mapping[str, bytes]) -> dict[str, Content]:
    """The files in the order of their mounts, each of its declared type."""
    types = {mount.path: mount.media_type for mount in plan.outputs}
    paths = [path for path in types if path in written] or list(written)
    return {path: Content(written[path], types.get(path, OCTET_STREAM)) for path in paths}


def _result(plan: FunctionPlan, files: dict[str, Content], returned: Value) -> Content:
    """The first of the mounts; where a manifest does not name it, the only file that was written."""
    path = next((mount.path for mount in plan.outputs), next(iter(files), None))
    if path is None or path not in files:
        named = f" {path!r}" if path else ""
        said = f" and returned {returned}" if isinstance(returned, int | float) else ""
        raise ActionFailed(f"{plan.function!r} wrote no file{named}{said}")
    result = Content(files[path].body, plan.result_media_type or OCTET_STREAM)
    if files[path].media_type == OCTET_STREAM:
        files[path] = result  # the function's response says what it is, or nobody does
    return result
