"""The members of MQTT forms (WoT Binding Templates: MQTT), and two of our own."""

CONTROL_PACKET = "mqv:controlPacket"
FILTER = "mqv:filter"
TOPIC = "mqv:topic"
QOS = "mqv:qos"
RETAIN = "mqv:retain"

# Where a client without Response Topics publishes its request: {request} is an id that it chooses, of
# 1 to 64 letters, digits, "-" and "_". The answer comes on `<that topic>/output`, a refusal on
# `<that topic>/problem`.
REQUEST_TOPIC = "wasm:requestTopic"
# Retained while the Thing exists: "online". An empty message ends every subscription to the Thing.
STATUS_TOPIC = "wasm:statusTopic"

REQUEST = "{request}"
OUTPUT, PROBLEM = "output", "problem"
ONLINE, OFFLINE = b"online", b"offline"
