"""Looks for faces in the pictures of cameras, and turns those where there are any."""

import asyncio
import base64
import json
import logging
import time
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from emulation.node.catalogue import consume_from_catalogue, wait_node

logger = logging.getLogger(__name__)

CAMERA = "urn:org:fundacionctic:thing:wotemu:camera"
FRAME_EVENT = "jpgVideoFrame"
WAITING_LIMIT_PICTURES = 5
AGE_LIMIT_SECONDS = 10.0

THING = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:org:fundacionctic:thing:wotemu:detector",
    "title": "Camera detection",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
    "properties": {
        "cameras": {"readOnly": True, "type": "array"},
        "latestDetections": {"readOnly": True, "type": "array"},
    },
}


@dataclass(frozen=True, slots=True)
class Picture:
    """What a camera sent, and when."""

    camera: str
    thing: Any
    jpeg: str
    captured_at: float
    arrived_at: float


async def app(wot: Any, conf: Any, loop: Any, cameras: str) -> None:
    """`cameras`: a JSON array of objects with `servient_host`, and `thing_id` and `frame_event`."""
    sources: list[dict[str, str]] = json.loads(cameras)
    detections: dict[str, dict[str, Any]] = {}
    thing = wot.produce(THING)

    async def read_cameras() -> Any:
        return sources

    async def read_detections() -> Any:
        return list(detections.values())

    thing.set_property_read_handler("cameras", read_cameras)
    thing.set_property_read_handler("latestDetections", read_detections)
    thing.expose()
    # The newest first: what had to wait too long is passed over.
    waiting: asyncio.LifoQueue[Picture] = asyncio.LifoQueue(WAITING_LIMIT_PICTURES)
    async with asyncio.TaskGroup() as tasks:
        for source in sources:
            tasks.create_task(_watch(wot, conf, source, waiting), name=source["servient_host"])
        tasks.create_task(_detect(waiting, detections), name="detection")


async def _watch(
    wot: Any, conf: Any, source: dict[str, str], waiting: asyncio.LifoQueue[Picture]
) -> None:
    host, thing_id = source["servient_host"], source.get("thing_id", CAMERA)
    while True:
        await wait_node(conf=conf, name=host)
        camera = await consume_from_catalogue(wot, conf.port_catalogue, host, thing_id)
        failed = asyncio.Event()

        def on_next(item: Any, camera: Any = camera) -> None:
            data = item.data
            picture = Picture(
                f"{host} :: {thing_id}", camera, data["b64_jpg"], data["time_capture"], time.time()
            )
            if not waiting.full():
                waiting.put_nowait(picture)

        def on_error(error: Exception, failed: asyncio.Event = failed) -> None:
            logger.warning("%s broke off: %r", host, error)
            failed.set()

        event = camera.events[source.get("frame_event", FRAME_EVENT)]
        subscription = event.subscribe(on_next=on_next, on_error=on_error)
        try:
            await failed.wait()
        finally:
            subscription.dispose()


async def _detect(
    waiting: asyncio.LifoQueue[Picture], detections: dict[str, dict[str, Any]]
) -> None:
    while True:
        picture = await waiting.get()
        if time.time() - picture.arrived_at > AGE_LIMIT_SECONDS:
            continue
        faces = await asyncio.to_thread(find_faces, base64.b64decode(picture.jpeg))
        if not faces:
            continue
        detections[picture.camera] = {
            "cameraId": picture.camera,
            "jpgB64": picture.jpeg,
            "faceLocations": faces,
            "unixTime": picture.captured_at,
        }
        try:
            await picture.thing.actions["controlPTZ"].invoke({"time_capture": picture.captured_at})
        except Exception as error:  # noqa: BLE001 - whatever it is, the next picture is looked at
            logger.warning("%s could not be turned: %r", picture.camera, error)


def find_faces(jpeg: bytes) -> list[list[int]]:
    """Left, top, width and height of what has the colour and the shape of a face."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return []
    hue = cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb)
    skin = cv2.inRange(hue, np.array((80, 135, 85)), np.array((255, 180, 135)))
    contours, _ = cv2.findContours(skin, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = [list(map(int, cv2.boundingRect(each))) for each in contours]
    return [box for box in boxes if box[2] * box[3] > 1000 and 0.8 < box[3] / box[2] < 2.0]
