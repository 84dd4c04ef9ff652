"""`camera`: pictures from all sources but a device, into memory that the module gives."""

import threading
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy
import pytest

from servient.errors import ActionFailed, DeadlineExceeded, ModuleTrapped
from servient.wasm.imports.caller import Caller
from servient.wasm.imports.camera import Camera
from servient.wasm.imports.host_function import HostFunction
from servient.wasm.imports.pictures import (
    Device,
    Files,
    PictureSource,
    TestPicture,
    parse_picture_source,
)
from servient.wasm.types import Signature, ValueType
from tests.wasm.conftest import call
from tests.wasm.imports.conftest import Run

I32 = ValueType.I32
CAMERA = """
(module
  (import "camera" "takeImageDynamicSize" (func $dynamic (param i32 i32)))
  (import "camera" "takeImageStaticSize" (func $static (param i32 i32)))
  (import "camera" "takeImage" (func $take (param i32 i32)))
  (import "sys" "print" (func $print (param i32 i32)))
  (memory (export "memory") 2)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dynamic") (param i32 i32) (result i32)
    (call $dynamic (local.get 0) (local.get 1))
    (call $print (i32.load (local.get 0)) (i32.load (local.get 1)))
    (i32.load (local.get 1)))
  (func (export "static") (param i32 i32) (result i32)
    (i32.store (i32.const 0) (local.get 1))
    (call $static (local.get 0) (i32.const 0))
    (call $print (local.get 0) (i32.const 16))
    (i32.load (i32.const 0)))
  (func (export "size_at") (param i32) (call $static (i32.const 0) (local.get 0)))
  (func (export "take") (param i32 i32)
    (call $take (local.get 0) (local.get 1)) (call $print (local.get 0) (i32.const 16))))
"""


class Prints:
    """A `sys.print` that keeps everything."""

    name = "sys"

    def __init__(self) -> None:
        self.printed = b""

    def functions(self) -> Mapping[str, HostFunction]:
        return {"print": HostFunction(Signature((I32, I32), ()), self._print)}

    def _print(self, caller: Caller, address: int, length: int) -> None:
        self.printed = caller.read(address, length)


def draw(path: Path, shade: int, side: int = 8) -> bytes:
    """A grey picture, written in the format of the path's suffix."""
    cv2.imwrite(str(path), numpy.full((side, side, 3), shade, numpy.uint8))
    return path.read_bytes()


def decoded(jpeg: bytes) -> numpy.ndarray:
    picture = cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR)
    assert jpeg.startswith(b"\xff\xd8\xff")
    assert picture is not None
    return numpy.asarray(picture)


async def test_a_picture_goes_where_the_modules_alloc_says(run: Run, tmp_path: Path) -> None:
    jpeg = draw(tmp_path / "a.jpg", 100)
    prints = Prints()
    async with run(CAMERA, Camera(Files(tmp_path / "a.jpg")), prints) as instance:
        assert (await call(instance, "dynamic", 16, 20)).values == (len(jpeg),)
        assert prints.printed == jpeg


async def test_a_picture_is_cut_to_the_size_that_was_asked_for(run: Run, tmp_path: Path) -> None:
    jpeg = draw(tmp_path / "a.jpg", 100)
    prints = Prints()
    async with run(CAMERA, Camera(Files(tmp_path / "a.jpg")), prints) as instance:
        for function, address in (("static", 100), ("take", 50_000)):
            await call(instance, function, address, 10)
            assert prints.printed == jpeg[:10] + bytes(6)
            await call(instance, function, address, -1)
            assert prints.printed == jpeg[:16]
            await call(instance, function, 70_000, 0)
            assert prints.printed == bytes(16)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("dynamic", (131072, 0)),
        ("dynamic", (0, 131070)),
        ("dynamic", (-1, 0)),
        ("dynamic", (0, -4)),
        ("static", (131072, 4)),
        ("static", (-1, 1)),
        ("size_at", (131071,)),
        ("size_at", (-2,)),
        ("take", (131071, 100)),
        ("take", (-(2**31), -1)),
    ],
)
async def test_hostile_addresses_end_the_guest(
    run: Run, function: str, arguments: tuple[int, ...]
) -> None:
    async with run(CAMERA, Camera(TestPicture()), Prints()) as instance:
        with pytest.raises(ModuleTrapped, match=r"failed in camera\.take.* outside its memory"):
            await call(instance, function, *arguments)


async def test_without_a_camera_the_setting_is_named(run: Run) -> None:
    async with run(CAMERA, Camera(None), Prints()) as instance:
        for function in ("dynamic", "static", "take"):
            with pytest.raises(ActionFailed, match=r"no camera is configured.*`camera_source`"):
                await call(instance, function, 0, 4)


async def test_a_slow_camera_is_waited_for_until_the_deadline(run: Run) -> None:
    class Slow(TestPicture):
        def take(self) -> bytes:
            ready.wait(30)
            return super().take()

    ready = threading.Event()
    camera, prints = Camera(Slow()), Prints()
    async with run(CAMERA, camera, prints) as first, run(CAMERA, camera, prints) as second:
        for instance in (first, second, first):  # the second finds the camera taken
            with pytest.raises(DeadlineExceeded):
                await call(instance, "take", 0, 4, deadline_seconds=0.2)
        assert sum(thread.name == "camera" for thread in threading.enumerate()) == 1
        ready.set()
        for instance in (first, second):
            await call(instance, "take", 0, 4)
            assert prints.printed.startswith(b"\xff\xd8\xff")


def test_a_folder_is_gone_through_in_turn(tmp_path: Path) -> None:
    shades = {"b.png": 50, "a.JPG": 10, "c.bmp": 200}
    for name, shade in shades.items():
        draw(tmp_path / name, shade)
    (tmp_path / "notes.txt").write_text("no picture")
    source = Files(tmp_path)
    seen = [int(decoded(source.take()).mean()) for _ in range(5)]
    assert [round(each, -1) for each in seen] == [10, 50, 200, 10, 50]


def test_the_test_picture_is_always_the_same() -> None:
    jpeg = TestPicture().take()
    assert decoded(jpeg).shape == (240, 320, 3)
    assert TestPicture().take() == jpeg


@pytest.mark.parametrize(
    ("text", "kind"),
    [("test-picture", TestPicture), ("0", Device), ("/dev/video9", Device), ("a/b.jpg", Files)],
)
def test_sources_by_their_settings(text: str, kind: type[PictureSource]) -> None:
    assert type(parse_picture_source(text)) is kind


def test_sources_that_have_no_picture_say_so(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.png").write_text("no picture")
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(65 * 2**20)
    for name, reason in [
        ("absent.jpg", "'absent.jpg' cannot be read: No such file"),
        ("folder", "no pictures in the folder 'folder'"),
        ("empty.jpg", "'empty.jpg' is no picture"),
        ("text.png", "'text.png' is no picture"),
        ("huge.jpg", "'huge.jpg' is over"),
    ]:
        with pytest.raises(ActionFailed, match=reason):
            Files(tmp_path / name).take()
    with pytest.raises(ActionFailed, match="camera '/dev/video99' cannot be opened"):
        Device("/dev/video99").take()
