"""MQTT for the binding and the client: messages, a connection, and one that is kept up."""
