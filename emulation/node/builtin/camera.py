"""A camera: pictures of a video that it makes itself, as events."""

import asyncio
import base64
import random
import time
from typing import Any

import cv2
import numpy as np

JPEG_QUALITY = 60
WIDTH, HEIGHT = 320, 240

THING = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:org:fundacionctic:thing:wotemu:camera",
    "title": "Mock video camera",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
    "actions": {"controlPTZ": {"safe": True, "input": {"type": "object"}}},
    "events": {
        "jpgVideoFrame": {
            "data": {
                "type": "object",
                "properties": {"time_capture": {"type": "number"}, "b64_jpg": {"type": "string"}},
            }
        }
    },
}


async def app(wot: Any, conf: Any, loop: asyncio.AbstractEventLoop, fps: str = "2") -> None:
    """`fps`: pictures per second."""
    thing = wot.produce(THING)
    thing.set_action_handler("controlPTZ", turn)
    thing.expose()
    number = 0
    while True:
        due = loop.time() + 1 / float(fps)
        number += 1
        picture = base64.b64encode(make_picture(number)).decode()
        thing.emit_event("jpgVideoFrame", {"time_capture": time.time(), "b64_jpg": picture})
        await asyncio.sleep(max(0.0, due - loop.time()))


async def turn(value: Any) -> dict[str, Any]:
    """Takes as long as a motor would."""
    found = dict(value or {})
    if found.get("time_capture"):
        found["latency_ptz"] = time.time() - float(found["time_capture"])
    await asyncio.sleep(abs(random.gauss(0.0, 1.0)))
    return found


def make_picture(number: int) -> bytes:
    """A JPEG with a face, as drawings go, that walks through a room."""
    picture = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    noise = np.random.default_rng(number).integers(0, 40, (HEIGHT, WIDTH, 1), np.uint8)
    picture += noise
    x, y = 60 + number * 8 % (WIDTH - 120), HEIGHT // 2
    cv2.ellipse(picture, (x, y), (38, 50), 0, 0, 360, (140, 170, 220), -1)
    for side in (-15, 15):
        cv2.circle(picture, (x + side, y - 12), 6, (30, 30, 30), -1)
    cv2.ellipse(picture, (x, y + 20), (16, 7), 0, 0, 180, (40, 40, 120), 3)
    is_made, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert is_made  # noqa: S101 - a picture of this size always is
    return bytes(data)
