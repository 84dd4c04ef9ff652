"""A process is not believed: what it answers is checked, and the process replaced."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from servient.errors import Busy, DeadlineExceeded, ModuleTrapped
from servient.wasm.engine import Engine
from servient.wasm.isolated.child import Child
from servient.wasm.isolated.launch import launch
from servient.wasm.isolated.messages import HEADER_LIMIT_BYTES, Decoder, Malformed, to_bytes
from servient.wasm.isolated.setup import Isolation, make_setup
from tests.wasm.conftest import LIMITS
from tests.wasm.isolated.conftest import Isolate, call
from tests.wasm.isolated.programs import answering, program, starting

U32 = 2**32 - 1


def raw(header: bytes, frames: bytes = b"") -> bytes:
    return b"".join(len(each).to_bytes(4, "little") for each in (header, frames)) + header + frames


def result(frames: Sequence[bytes] = (), **changes: Any) -> bytes:
    """A good answer to `pair`, but for the changes."""
    return to_bytes({"values": [1.5, 1], "files": [], "seconds": 0.1, **changes}, frames)


def error(frames: Sequence[bytes] = (b"", b""), **changes: Any) -> bytes:
    return to_bytes({"error": "ModuleTrapped", "detail": "x", **changes}, frames)


ANSWERS: Mapping[str, bytes] = {
    "header too long": U32.to_bytes(4, "little") + bytes(4),
    "frames too long": bytes(4) + U32.to_bytes(4, "little"),
    "no JSON": raw(b"{"),
    "no text": raw(b"\xff"),
    "no object": raw(b"[1]"),
    "an empty object": raw(b"{}"),
    "nested": raw(b"[" * 100_000),
    "a long number": raw(b'{"values":[%s]}' % (b"9" * 10_000)),
    "sizes that are no list": raw(b'{"sizes":1}'),
    "sizes that are no numbers": raw(b'{"sizes":[true]}', b"x"),
    "sizes below nothing": raw(b'{"sizes":[2,-1]}', b"x"),
    "sizes of more": raw(b'{"sizes":[2]}', b"x"),
    "no results": result(values=None),
    "fewer results": result(values=[1.5]),
    "more results": result(values=[1.5, 1, 1]),
    "a text": result(values=[1.5, "1"]),
    "a boolean": result(values=[1.5, True]),
    "an integer for a float": result(values=[1, 1]),
    "a float for an integer": result(values=[1.5, 1.0]),
    "an integer too large": result(values=[1.5, 2**31]),
    "no time": result(seconds=None),
    "an integer's time": result(seconds=1),
    "time that is no number": result(seconds=math.nan),
    "a file that nobody wants": result((b"", b"", b"x"), files=["x"]),
    "more files than wanted": result((b"", b"", b"x", b"x"), files=["out", "out"]),
    "a file above": result((b"", b"", b"x"), files=["../out"]),
    "a file without a name": result((b"", b"", b"x"), files=[None]),
    "a huge file": result((b"", b"", bytes(LIMITS.output_bytes + 1)), files=["out"]),
    "a file that is missing": result(files=["out"]),
    "much output": result((bytes(LIMITS.stdout_bytes + 1), b"")),
    "frames for nothing": result((b"", b"", b"")),
    "an unknown error": error(error="SystemExit"),
    "an error of the servient's": error(error="NotFound"),
    "an error that is no text": error(error=["ModuleTrapped"]),
    "an error without detail": error(detail=None),
    "a long detail": error(detail="x" * 1001),
    "half a character": error(detail="\ud800"),
    "an error with files": error((b"", b"", b"")),
    "two answers": result() * 2,
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_that_is_none_costs_the_process(isolate: Isolate, answer: bytes) -> None:
    async with isolate(program=answering(answer)) as instance:
        before = instance.pid
        with pytest.raises(ModuleTrapped, match="'pair' trapped: its process sent nonsense: "):
            await call(instance, "pair", 1, 1.5, outputs=("out",))
        assert instance.generation == 1
        assert instance.pid != before


async def test_good_answers_of_the_same_make_pass(isolate: Isolate) -> None:
    good = result((b"printed", b"", b"x"), files=["out"])
    async with isolate(program=answering(good)) as instance:
        done = await call(instance, "pair", 1, 1.5, outputs=("out",))
        assert (done.values, done.files, done.stdout) == ((1.5, 1), {"out": b"x"}, b"printed")
    async with isolate(program=answering(error((b"a\xff", b"b")))) as instance:
        with pytest.raises(ModuleTrapped) as failed:
            await call(instance, "pair", 1, 1.5)
        assert failed.value.notes == {"stdout": "a\N{REPLACEMENT CHARACTER}", "stderr": "b"}


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ("channel.sendall(b'\\xff' * 100)", "its process sent nonsense"),
        ("channel.sendall(to_bytes({'ready': True}))", "its process sent nonsense"),
        ("sys.exit(3)", "its process ended with exit code 3"),
        ("os.abort()", "its process was ended by SIGABRT"),
        ("channel.close(); time.sleep(1000)", "its process closed its socket"),
    ],
)
async def test_a_process_that_does_not_start(isolate: Isolate, then: str, reason: str) -> None:
    with pytest.raises(ModuleTrapped, match=f"the start of the module trapped: {reason}"):
        async with isolate(program=starting(then)):
            pass


async def test_a_process_that_never_gets_ready(engine: Engine, tmp_path: Path) -> None:
    module = await engine.compile(bytes(wasmtime.wat2wasm("(module)")))
    limits = replace(LIMITS, start_seconds=0.1)
    setup = make_setup(module, tmp_path, limits, Isolation(), ())
    ended: list[Child] = []
    with pytest.raises(
        DeadlineExceeded, match=r"the start of the module did not end within 0\.1 s"
    ):
        await launch(
            "x", setup, lambda child, _: ended.append(child), starting("time.sleep(999)"), 0.2
        )
    assert not Path(f"/proc/{ended[0].pid}").exists()


async def test_a_program_that_is_not_there(isolate: Isolate) -> None:
    with pytest.raises(Busy, match="no process can be started"):
        async with isolate(program=("/nonexistent",)):
            pass


async def test_what_a_process_writes_is_logged_and_bounded(
    isolate: Isolate, caplog: pytest.LogCaptureFixture
) -> None:
    flood = (
        "for _ in range(3000):\n    os.write(1, bytes(10000)); os.write(2, b'out\\x1b' * 1000)\n"
    )
    answer = f"receive()\nchannel.sendall({result()!r})\ntime.sleep(1000)"
    async with isolate(program=program(flood + answer)) as instance:
        assert (await call(instance, "pair", 1, 1.5)).values == (1.5, 1)
    assert 0 < sum(len(record.getMessage()) for record in caplog.records) < 50_000
    assert "\x1b" not in caplog.text


def test_messages_in_pieces() -> None:
    message = to_bytes({"number": 1.5}, (b"", b"abc", b"d"))
    decoder = Decoder(4)
    found = [each for byte in message * 2 for each in decoder.feed(bytes([byte]))]
    assert [(each.header["number"], each.frames) for each in found] == [
        (1.5, (b"", b"abc", b"d"))
    ] * 2
    with pytest.raises(Malformed):
        list(Decoder(3).feed(message))
    with pytest.raises(Malformed):
        list(Decoder().feed((HEADER_LIMIT_BYTES + 1).to_bytes(8, "little")))
