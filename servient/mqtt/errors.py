"""What can go wrong between us and a broker."""


class MqttError(ConnectionError):
    """The broker could not be used, for the reason that the message names."""


class BrokerUnreachable(MqttError):
    """Nobody answers at the broker's address, or not in time."""


class BrokerRefused(MqttError):
    """The broker refused a connection, a subscription or a message."""


class ConnectionLost(MqttError):
    """The connection ended before the broker had acknowledged."""
