"""The files that go into and come out of a function's call."""

from collections.abc import Mapping

from converters.plan import FunctionPlan
from servient.errors import ActionFailed
from servient.wot.content import OCTET_STREAM, Content, Value


def input_files(plan: FunctionPlan, members: Mapping[str, Value]) -> dict[str, bytes]:
    """The files among the members of an action's input."""
    given = {mount.path: members.get(mount.path) for mount in plan.files}
    return {path: file.body for path, file in given.items() if isinstance(file, Content)}


def output_file(plan: FunctionPlan, files: Mapping[str, bytes], returned: object = None) -> Content:
    """The file that the function wrote; where a manifest does not name it, the only one.

    Raises ActionFailed, which repeats what was `returned`, when there is none.
    """
    names = [mount.path for mount in plan.outputs[:1]] or sorted(files)[:1]
    if not names or names[0] not in files:
        named = f" {names[0]!r}" if names else ""
        said = "" if returned is None else f" and returned {returned}"
        raise ActionFailed(f"{plan.function!r} wrote no file{named}{said}")
    return Content(files[names[0]], plan.result_media_type or OCTET_STREAM)
