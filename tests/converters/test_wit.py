"""WIT says the same as the component that is made of it."""

import pytest

from converters.component_types import (
    FunctionType,
    ListType,
    OptionType,
    Primitive,
    RecordType,
    ResultType,
    TupleType,
)
from converters.errors import ConversionError
from converters.losses import Losses
from converters.wit import parse_wit
from servient.wasm.engine import Engine
from tests.files import EXAMPLES

TEXT = """
package local:demo@0.1.0;
/// A comment
@since(version = 0.1.0)
interface types { record point { x: f64, %type: option<string>, } resource file { read: func(); } }
interface shapes {
  use types.{point, file as handle};
  type points = list<point>;
  area: func(of: points) -> result<f64, string>;
  open: func(name: string) -> handle;
  pair: async func() -> tuple<u8, char>;
}
world demo {
  import wasi:cli/environment@0.2.0;
  import log: func(text: string);
  export shapes;
  export ping: func() -> result;
  export inner: interface { nothing: func(); }
  export wasi:http/incoming-handler@0.2.0;
}
"""
POINT = RecordType((("x", Primitive.F64), ("type", OptionType(Primitive.STRING))))


def test_functions_of_a_world() -> None:
    losses = Losses()
    found = parse_wit(TEXT, losses).functions
    assert found == {
        "ping": FunctionType((), ResultType(None, None)),
        "shapes-area": FunctionType(
            (("of", ListType(POINT)),), ResultType(Primitive.F64, Primitive.STRING)
        ),
        "shapes-pair": FunctionType((), TupleType((Primitive.U8, Primitive.CHAR))),
        "inner-nothing": FunctionType((), None),
    }
    assert {loss.what for loss in losses} == {"open", "incoming-handler"}


async def test_the_file_and_the_component_agree() -> None:
    folder = EXAMPLES / "greeter"
    written = parse_wit((folder / "greeter.wit").read_text(), Losses()).functions
    async with Engine() as engine:
        component = await engine.compile_component((folder / "greeter.wasm").read_bytes())
    assert written
    assert all(component.signatures[name] == kind for name, kind in written.items())


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", ""),
        ("interface a {", "line 1"),
        ("interface a {\n f: func(x u8);\n}", "line 2"),
        ("interface a { f: func(x: nothing); }", ""),
        ("interface a { type t = t; f: func(x: t); }", ""),
        ("interface a { f: func(x: " + "list<" * 99 + "u8" + ">" * 99 + "); }", "line 1"),
        ("interface a { f: func() -> list<u8, u8>; }", ""),
        ("world a { export f: func(x: own<y>); }", ""),
        ("§", "line 1"),
    ],
)
def test_what_is_no_wit_is_refused(text: str, place: str) -> None:
    with pytest.raises(ConversionError) as refusal:
        parse_wit(text, Losses())
    assert refusal.value.pointer == place
