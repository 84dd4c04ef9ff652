"""A deployed module takes pictures with the camera of its host."""

from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy
import pytest

from servient.app import App
from servient.wasm.imports.pictures import TestPicture
from tests.files import FileServer


@pytest.fixture
def jpeg(tmp_path: Path) -> Path:
    """A picture that is large enough to need more memory than the module has at first."""
    path = tmp_path / "picture.jpg"
    noise = numpy.random.default_rng(1).integers(0, 255, (480, 640, 3), numpy.uint8)
    cv2.imwrite(str(path), noise)
    assert path.stat().st_size > 2 * 65536
    return path


async def test_a_picture_is_taken_over_http(settings: Any, files: FileServer, jpeg: Path) -> None:
    async with App(settings(camera_source=str(jpeg))) as app:
        client = httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30)
        async with client as http:
            answer = await http.post("/deploy", json=files.manifest("camera/manifest.json"))
            assert answer.status_code == 200, answer.text

            for name in ("take_image_predefined_path", "take_image"):
                thing = "/things/camera-1:camera"
                answer = await http.post(f"{thing}/actions/{name}")
                assert answer.headers["content-type"] == "image/jpeg"
                assert answer.content == jpeg.read_bytes()
                answer = await http.get(f"{thing}/properties/{name}_result")
                assert answer.content == jpeg.read_bytes()

                answer = await http.get(f"/camera-1/modules/camera/{name}")
                entry = (await http.get(answer.json()["resultUrl"])).json()
                answer = await http.get(entry["outputs"][0])
                assert answer.content == jpeg.read_bytes()


async def test_a_host_without_a_camera_says_what_to_set(settings: Any, files: FileServer) -> None:
    async with App(settings()) as app:
        client = httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30)
        async with client as http:
            answer = await http.post("/deploy", json=files.manifest("camera/manifest.json"))
            assert answer.status_code == 200, answer.text
            answer = await http.get("/camera-1/modules/camera/take_image")
            assert answer.json()["error"] == (
                "'take_image' failed in camera.takeImageDynamicSize: no camera is configured: the"
                " setting `camera_source` wants a device, a picture, a folder of pictures or"
                " `test-picture`"
            )


async def test_the_older_manifest_takes_a_picture(settings: Any, files: FileServer) -> None:
    async with App(settings(camera_source="test-picture")) as app:
        client = httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30)
        async with client as http:
            manifest = files.manifest("camera/manifest-readme.json")
            answer = await http.post("/deploy", json=manifest)
            assert answer.status_code == 200, answer.text
            answer = await http.post("/things/2:camera/actions/take_image")
            assert answer.headers["content-type"] == "image/jpeg", answer.text
            assert answer.content == TestPicture().take()
