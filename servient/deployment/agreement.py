"""Whether what is said of a module's functions agrees with what the module exports."""

from collections.abc import Mapping, Sequence

from converters.deployment import ModuleEntry
from converters.plan import FunctionPlan
from converters.reading import escape
from servient.deployment.pointers import Pointers, find_model
from servient.deployment.program import Program
from servient.errors import ManifestRejected


def check_functions(
    plans: Sequence[FunctionPlan],
    entry: ModuleEntry,
    program: Program,
    contents: Mapping[str, bytes],
) -> dict[str, Pointers]:
    """Returns what those functions are called with that take addresses, by their names.

    Raises ManifestRejected for a function that cannot be called as it is declared.
    """
    found: dict[str, Pointers] = {}
    for plan in plans:
        try:
            pointers = _check(plan, entry, program, contents)
        except ManifestRejected as error:
            pointer = f"/instructions/modules/{escape(entry.name)}/{escape(plan.function)}"
            faults = [{"pointer": pointer, "detail": error.detail}]
            raise ManifestRejected(error.detail, faults) from error
        if pointers:
            found[plan.function] = pointers
    return found


def _check(
    plan: FunctionPlan, entry: ModuleEntry, program: Program, contents: Mapping[str, bytes]
) -> Pointers | None:
    _check_exported(plan, entry, program)
    model = find_model(entry, plan.function)
    found = program.pointers(plan, contents[entry.files[model]] if model else None)
    if not found and not plan.is_program:
        _check_parameters(plan, entry, program)
    return found


def _check_exported(plan: FunctionPlan, entry: ModuleEntry, program: Program) -> None:
    if plan.function not in program.signatures:
        offered = ", ".join(sorted(program.signatures)) or "none"
        raise ManifestRejected(
            f"module {entry.name!r} exports no function {plan.function!r}; it exports {offered[:300]}"
        )


def _check_parameters(plan: FunctionPlan, entry: ModuleEntry, program: Program) -> None:
    count = program.parameter_count(plan.function)
    if len(plan.parameters) != count:
        raise ManifestRejected(
            f"function {plan.function!r} of module {entry.name!r} takes {count}"
            f" arguments, not {len(plan.parameters)}: {', '.join(plan.parameters) or 'none declared'}"
        )
