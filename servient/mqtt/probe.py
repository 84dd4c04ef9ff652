"""Which version of MQTT a broker speaks."""

import asyncio
from contextlib import suppress

from servient.mqtt.errors import BrokerUnreachable
from servient.mqtt.message import Broker

ANSWER_SECONDS = 3.0
GOODBYE_SECONDS = 1.0

# CONNECT of MQTT 5 without properties, client id, will or name (section 3.1), and DISCONNECT.
_CONNECT = b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x00"
_DISCONNECT = b"\xe0\x00"
_ACCEPTED = 0
_UNSUPPORTED_VERSION = (0x84, 0x01)  # as MQTT 5 and as 3.1.1 say it


async def find_version(broker: Broker) -> int:
    """5, or 4 for 3.1.1.

    The barest of packets asks, on a connection of its own: a broker that knows only 3.1.1 may misread
    the properties of a fuller one and wait forever for the rest. Raises BrokerUnreachable.
    """
    try:
        reader, writer = await asyncio.open_connection(broker.host, broker.port)
    except OSError as error:
        raise BrokerUnreachable(f"{broker} cannot be reached: {error}") from error
    try:
        writer.write(_CONNECT)
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await reader.readexactly(4)
        if answer[3] == _ACCEPTED:
            writer.write(_DISCONNECT)
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await reader.read()  # the broker is the one to close (section 3.2.2.2)
    except (TimeoutError, OSError, asyncio.IncompleteReadError):
        return 4
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return 4 if answer[3] in _UNSUPPORTED_VERSION else 5
