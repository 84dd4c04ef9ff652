"""Where pictures come from: a camera, files, or a constant one to test with."""

import contextlib
import importlib
import itertools
from pathlib import Path
from typing import Any, Protocol

from servient.errors import ActionFailed

TEST_PICTURE = "test-picture"
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".webp", ".tif", ".tiff"})
FILE_LIMIT_BYTES = 64 * 2**20
JPEG_START = b"\xff\xd8\xff"
TEST_PICTURE_SIDES = (240, 320)


class PictureSource(Protocol):
    """Blocking; used by one thread at a time."""

    def take(self) -> bytes:
        """A JPEG. Raises ActionFailed."""
        ...


def parse_picture_source(text: str) -> PictureSource:
    """`test-picture`, the number or path of a camera's device, or the path of a file or folder.

    Loads OpenCV: at the first picture, everything else would stand still for that half a second.
    """
    _opencv()
    if text == TEST_PICTURE:
        return TestPicture()
    if text.isdecimal():
        return Device(int(text))
    if text.startswith("/dev/"):
        return Device(text)
    return Files(Path(text))


class Device:
    """A camera, opened for each picture: nothing is held between them, and no picture is old."""

    def __init__(self, device: int | str) -> None:
        self._device = device

    def take(self) -> bytes:
        cv2 = _opencv()
        capture = cv2.VideoCapture(self._device)
        try:
            if not capture.isOpened():
                raise ActionFailed(f"the camera {self._device!r} cannot be opened")
            is_taken, picture = capture.read()
        finally:
            capture.release()
        if not is_taken:
            raise ActionFailed(f"the camera {self._device!r} gave no picture")
        return _to_jpeg(picture)


class Files:
    """One picture again and again, or those of a folder in turn, in the order of their names."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turns = itertools.count()

    def take(self) -> bytes:
        path = self._path
        try:
            path = self._next()
            if path.stat().st_size > FILE_LIMIT_BYTES:
                raise ActionFailed(f"the picture {path.name!r} is over {FILE_LIMIT_BYTES} bytes")
            content = path.read_bytes()
        except OSError as error:
            raise ActionFailed(
                f"the picture {path.name!r} cannot be read: {error.strerror}"
            ) from error
        if content.startswith(JPEG_START):
            return content
        return _to_jpeg(_decode(path.name, content))

    def _next(self) -> Path:
        if not self._path.is_dir():
            return self._path
        names = sorted(path for path in self._path.iterdir() if path.suffix.lower() in SUFFIXES)
        if not names:
            raise ActionFailed(f"there are no pictures in the folder {self._path.name!r}")
        return names[next(self._turns) % len(names)]


class TestPicture:
    """A gradient, always the same."""

    __test__ = False  # its name is no invitation to pytest

    def __init__(self) -> None:
        self._jpeg = b""

    def take(self) -> bytes:
        if not self._jpeg:
            numpy = importlib.import_module("numpy")
            rows, columns = numpy.indices(TEST_PICTURE_SIDES)
            planes = [rows % 256, columns % 256, (rows + columns) % 256]
            self._jpeg = _to_jpeg(numpy.stack(planes, axis=-1).astype(numpy.uint8))
        return self._jpeg


def _decode(name: str, content: bytes) -> Any:
    cv2, numpy = _opencv(), importlib.import_module("numpy")
    picture = None
    with contextlib.suppress(cv2.error):  # as for no bytes at all
        picture = cv2.imdecode(numpy.frombuffer(content, numpy.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ActionFailed(f"{name!r} is no picture that can be read")
    return picture


def _to_jpeg(picture: Any) -> bytes:
    is_encoded, encoded = _opencv().imencode(".jpg", picture)
    if not is_encoded:
        raise ActionFailed("the picture cannot be encoded as JPEG")
    return bytes(encoded)


def _opencv() -> Any:
    """Not at the top of this file: it is large, and most servients have no camera."""
    return importlib.import_module("cv2")
