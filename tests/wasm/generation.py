"""Valid modules out of nothing, as hypothesis draws them."""

from hypothesis import strategies as st

TYPES = ("i32", "i64", "f32", "f64")
BINARY = {
    "i32": ("add", "sub", "mul", "div_s", "rem_u", "and", "xor", "shl", "rotr"),
    "i64": ("add", "sub", "mul", "div_u", "rem_s", "or", "xor", "shr_s", "rotl"),
    "f32": ("add", "sub", "mul", "div", "min", "copysign"),
    "f64": ("add", "sub", "mul", "div", "max", "copysign"),
}
UNARY = {
    "i32": ("i32.clz", "i32.eqz", "i32.popcnt"),
    "i64": ("i64.ctz", "i64.extend8_s"),
    "f32": ("f32.sqrt", "f32.nearest"),
    "f64": ("f64.neg", "f64.floor"),
}
TO_I32 = {
    "i32": "",
    "i64": "i32.wrap_i64",
    "f32": "i32.trunc_sat_f32_s",
    "f64": "i32.trunc_f64_u",
}
DEPTH_LIMIT = 4
STARTS = ("(drop (i32.const 1))", "unreachable")


@st.composite
def module_texts(draw: st.DrawFn) -> str:
    """Functions, some memory, a table, and at times a start function or an import."""
    functions = [_function(draw, number) for number in range(draw(st.integers(1, 4)))]
    imports = draw(
        st.sampled_from(
            (
                "",
                "",
                '(import "sys" "millis" (func $millis (result i32)))',
                '(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))',
                '(import "env" "abort" (func (param i32)))',
            )
        )
    )
    pages, most = draw(st.integers(0, 5000)), draw(st.integers(0, 70000))
    memory = draw(st.sampled_from(("(memory 1)", f"(memory {pages} {max(pages, most % 65536)})")))
    table = draw(st.sampled_from(("", "(table 10 funcref)", f"(table {most * 99} externref)")))
    # None that is endless: each would take all the seconds that a start may take.
    start = draw(st.sampled_from(("", "", *(f"(func $go {each}) (start $go)" for each in STARTS))))
    return f"(module {imports} {memory} {table} {' '.join(functions)} {start})"


def _function(draw: st.DrawFn, number: int) -> str:
    parameters = draw(st.lists(st.sampled_from(TYPES), max_size=4))
    result = draw(st.sampled_from(TYPES))
    head = " ".join(f"(param {each})" for each in parameters)
    body = _expression(draw, result, parameters, 0)
    return f'(func (export "f{number}") {head} (result {result}) {body})'


def _expression(draw: st.DrawFn, kind: str, parameters: list[str], depth: int) -> str:
    def inner(of: str) -> str:
        return _expression(draw, of, parameters, depth + 1)

    ways = 2 if depth >= DEPTH_LIMIT else 8
    match draw(st.integers(0, ways - 1)):
        case 0:
            return _constant(draw, kind)
        case 1:
            fitting = [number for number, each in enumerate(parameters) if each == kind]
            if not fitting:
                return _constant(draw, kind)
            return f"(local.get {draw(st.sampled_from(fitting))})"
        case 2:
            return f"({draw(st.sampled_from(UNARY[kind]))} {inner(kind)})"
        case 3:
            condition = inner("i32")
            return f"(if (result {kind}) {condition} (then {inner(kind)}) (else {inner(kind)}))"
        case 4:
            return f"({kind}.load offset={draw(st.integers(0, 2**32 - 1))} {inner('i32')})"
        case 5:
            other = draw(st.sampled_from(TYPES))
            step = f"({TO_I32[other]} {inner(other)})" if TO_I32[other] else inner(other)
            return f"(block (result {kind}) (drop {step}) {inner(kind)})"
        case 6:
            return f"(select {inner(kind)} {inner(kind)} (memory.grow {inner('i32')}))"
    operation = draw(st.sampled_from(BINARY[kind]))
    return f"({kind}.{operation} {inner(kind)} {inner(kind)})"


def _constant(draw: st.DrawFn, kind: str) -> str:
    if kind.startswith("f"):
        number = draw(st.floats(width=32, allow_nan=False, allow_infinity=False))
        return f"({kind}.const {number.hex()})"
    bits = int(kind[1:])
    return f"({kind}.const {draw(st.integers(-(2 ** (bits - 1)), 2**bits - 1))})"
