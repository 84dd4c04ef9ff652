"""Answers each request with its own payload, through paho: the ceiling of a Python client at a broker."""

import sys
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

REQUESTS = "echo/request"


def answer(client: paho.Client, _: Any, message: paho.MQTTMessage) -> None:
    asked = message.properties
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's
    properties.CorrelationData = asked.CorrelationData  # type: ignore[union-attr] # set at run time
    topic = asked.ResponseTopic  # type: ignore[union-attr] # likewise
    client.publish(topic, message.payload, properties=properties)


def subscribe(client: paho.Client, *_: Any) -> None:
    client.subscribe(REQUESTS)


def main(port: int) -> None:
    version = CallbackAPIVersion.VERSION2
    client = paho.Client(version, "echo", protocol=MQTTProtocolVersion.MQTTv5)
    client.on_connect = subscribe
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.on_message = answer
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
