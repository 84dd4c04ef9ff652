"""Bytes that functions are called with: where they are put, how often, and whose memory it is."""

from typing import cast

import pytest

from servient.errors import ActionFailed, DeadlineExceeded, ModuleTrapped, TooLarge
from servient.wasm.instance import Instance
from servient.wasm.types import Buffer, Call, CallResult
from tests.wasm.conftest import KINDS, MIB, Kind, MakeInstance

MODEL = Buffer(bytes(range(200)), is_kept=True)

# Memory is given in a row from 1024 on, and grows; `allocated` counts the calls of alloc.
ALLOCATOR = """
    (memory (export "memory") 1)
    (global $at (mut i32) (i32.const 1024))
    (global $count (mut i32) (i32.const 0))
    (func (export "allocated") (result i32) (global.get $count))
    (func $alloc (export "alloc") (param $size i32) (result i32)
      (local $start i32)
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (local.set $start (global.get $at))
      (if (i32.gt_u (local.get $size) (i32.const 0x4000000)) (then (return (i32.const 0))))
      (global.set $at (i32.and (i32.const -16)
        (i32.add (i32.const 15) (i32.add (local.get $start) (local.get $size)))))
      (block $enough
        (loop $grow
          (br_if $enough (i32.le_u (global.get $at) (i32.mul (memory.size) (i32.const 65536))))
          (br_if $grow (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
          (global.set $at (local.get $start))
          (return (i32.const 0))))
      (local.get $start))
"""
# The sum of the bytes of a buffer.
SUM = """
    (func $sum (param $at i32) (param $length i32) (result i32)
      (local $sum i32)
      (block $end
        (loop $next
          (br_if $end (i32.eqz (local.get $length)))
          (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $length (i32.sub (local.get $length) (i32.const 1)))
          (br $next)))
      (local.get $sum))
"""
# Thousands of the model's sum, and the image's; and where the image lay.
INFER = """
    (func (export "infer") (param i32 i32 i32 i32) (result i32)
      (global.set $image (local.get 2))
      (i32.add (i32.mul (i32.const 1000) (call $sum (local.get 0) (local.get 1)))
               (call $sum (local.get 2) (local.get 3)))
      %s)
    (global $image (mut i32) (i32.const 0))
    (func (export "image_at") (result i32) (global.get $image))
"""
BORROWING = f"(module {ALLOCATOR} {SUM} {INFER % ''})"
GIVEN_BACK = f"""(module {ALLOCATOR} {SUM} {INFER % ""}
    (func (export "dealloc") (param i32 i32) (global.set $at (local.get 0))))"""
# Frees what it was called with, as a module does that owns it; and spoils it.
OWNING = f"""(module {ALLOCATOR} {SUM} {
    INFER % "(global.set $at (i32.const 1024)) (i64.store (i32.const 1024) (i64.const -1))"
})"""


async def infer(instance: Instance, image: bytes, model: Buffer = MODEL) -> CallResult:
    return await instance.call(Call("infer", buffers=(model, Buffer(image)), deadline_seconds=5))


async def ask(instance: Instance, function: str) -> int | float:
    return (await instance.call(Call(function))).values[0]


def expected(image: bytes) -> int:
    return 1000 * sum(MODEL.body) + sum(image)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """All of this holds wherever the module runs."""
    return cast(Kind, request.param)


@pytest.mark.parametrize("text", [BORROWING, GIVEN_BACK, OWNING])
async def test_buffers_are_passed_as_addresses_and_lengths(
    text: str, running: MakeInstance
) -> None:
    async with running(text) as instance:
        for image in (b"\1\2\3", b"", b"\5" * 70_000, b"\7", b"\1" * 3 * MIB, b"", b"\2" * 999):
            assert (await infer(instance, image)).values == (expected(image),)
        assert instance.generation == 0


async def test_the_model_is_put_there_once(running: MakeInstance) -> None:
    async with running(GIVEN_BACK) as instance:
        for count in range(1, 6):
            await infer(instance, b"image")
            assert await ask(instance, "allocated") == 1 + count  # the model, and each image


async def test_memory_is_used_again(running: MakeInstance) -> None:
    for text in (BORROWING, GIVEN_BACK):
        async with running(text) as instance:
            places = []
            for size in range(200):
                await infer(instance, bytes(size))
                places.append(await ask(instance, "image_at"))
            assert len(set(places[2:])) == 1
    async with running(BORROWING) as instance:
        for size in range(0, 50_000, 100):
            await infer(instance, bytes(size))
        assert await ask(instance, "allocated") < 15
        assert await ask(instance, "image_at") < 250_000


async def test_an_owning_module_gets_everything_anew(running: MakeInstance) -> None:
    async with running(OWNING) as instance:
        for _ in range(2000):
            assert (await infer(instance, b"image")).values == (expected(b"image"),)
        assert await ask(instance, "image_at") == 1024 + 208


async def test_the_state_of_the_memory_goes_with_the_instance(running: MakeInstance) -> None:
    trap = '(func (export "trap") unreachable)'
    async with running(BORROWING.replace("(module", f"(module {trap}")) as instance:
        await infer(instance, b"a")
        with pytest.raises(ModuleTrapped):
            await ask(instance, "trap")
        assert (await infer(instance, b"a")).values == (expected(b"a"),)
        assert await ask(instance, "allocated") == 2


async def test_what_is_too_large_is_refused_and_the_state_kept(running: MakeInstance) -> None:
    for text in (BORROWING, GIVEN_BACK, OWNING):
        async with running(text) as instance:
            for _ in range(3):
                with pytest.raises(TooLarge, match=r"`alloc` gave no memory for 6\d+ bytes"):
                    await infer(instance, bytes(64 * MIB - 100))
                assert (await infer(instance, b"image")).values == (expected(b"image"),)
            assert instance.generation == 0


def allocating(body: str) -> str:
    return f"""(module (memory (export "memory") 1) {SUM} {INFER % ""}
        (func (export "alloc") (param i32) (result i32) {body}))"""


FAULTS = {
    "beyond the memory": ("(i32.const 65500)", ModuleTrapped, "200 bytes at 65500 are outside"),
    "negative": ("(i32.const -8)", ModuleTrapped, "at 4294967288 are outside"),
    "a trap": ("unreachable", ModuleTrapped, "`alloc` trapped"),
    "endless": ("(loop (br 0)) unreachable", DeadlineExceeded, "did not end within 0.3 s"),
    "always the same": ("(i32.const 1024)", ActionFailed, "the same memory twice"),
    "nothing": ("(i32.const 0)", TooLarge, "gave no memory for 200 bytes"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_faulty_allocator_is_an_error(fault: str, running: MakeInstance) -> None:
    body, kind, message = FAULTS[fault]
    async with running(allocating(body)) as instance:
        for _ in range(2):
            with pytest.raises(kind, match=message):
                await instance.call(
                    Call("infer", buffers=(MODEL, Buffer(b"image")), deadline_seconds=0.3)
                )


async def test_one_static_buffer_is_enough_for_one_file(running: MakeInstance) -> None:
    text = f"""(module (memory (export "memory") 1) {SUM} (export "sum" (func $sum))
        (func (export "alloc") (param i32) (result i32) (i32.const 2048)))"""
    async with running(text) as instance:
        for image in (b"\1\2", b"\3" * 500, b"", b"\4"):
            result = await instance.call(Call("sum", buffers=(Buffer(image),)))
            assert result.values == (sum(image),)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ('(export "memory")', "exports no memory"),
        ('(export "alloc")', "exports no function `alloc"),
    ],
)
async def test_what_a_module_does_not_export_is_named(
    part: str, message: str, running: MakeInstance
) -> None:
    async with running(BORROWING.replace(part, "")) as instance:
        with pytest.raises(ActionFailed, match=message):
            await infer(instance, b"image")
