"""Things over MQTT: values that the broker retains, events, and requests with answers."""
