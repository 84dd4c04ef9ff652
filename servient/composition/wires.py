"""The bindings, one for each protocol that the settings name."""

from collections.abc import Sequence
from dataclasses import dataclass

from servient.bindings.coap.binding import CoapBinding
from servient.bindings.http.binding import HttpBinding
from servient.bindings.http.extension import Extension
from servient.bindings.mqtt.binding import MqttBinding
from servient.bindings.websocket.binding import WebSocketBinding
from servient.composition.broker import Broker
from servient.config import BindingName, Config
from servient.entrance import Entrance
from servient.security.authenticator import Authenticator
from servient.wot.binding import Binding


@dataclass(frozen=True, slots=True)
class Wires:
    """`broker` is there where MQTT is spoken; `servient_thing` is the name of the servient's Thing."""

    config: Config
    entrance: Entrance
    authenticator: Authenticator | None
    broker: Broker | None
    routes: Sequence[Extension]
    servient_id: str
    servient_thing: str

    def build(self, name: BindingName) -> Binding:
        match name:
            case "http":
                return self._http()
            case "websocket":
                return self._websocket()
            case "coap":
                return self._coap()
            case "mqtt":
                assert self.broker is not None  # noqa: S101 - found before any binding is built
                return self._mqtt(self.broker)

    def _http(self) -> Binding:
        certificate = self.entrance.certificate
        return HttpBinding(
            self.config.reachable_host,
            self.config.host,
            self.config.port,
            directory_thing=self.servient_thing,
            extensions=self.routes,
            body_limit_bytes=self.config.body_limit_bytes,
            larger_bodies=self._larger_bodies(),
            authenticator=self.authenticator,
            tls=certificate.context if certificate else None,
        )

    def _larger_bodies(self) -> dict[str, int]:
        """The paths to which manifests go."""
        limit = max(self.config.body_limit_bytes, self.config.deploy_limit_bytes)
        return dict.fromkeys(("/deploy", f"/things/{self.servient_thing}/actions/deploy"), limit)

    def _websocket(self) -> Binding:
        certificate = self.entrance.certificate
        return WebSocketBinding(
            self.config.reachable_host,
            self.config.host,
            self.config.real_websocket_port,
            message_limit_bytes=self.config.body_limit_bytes,
            authenticator=self.authenticator,
            tls=certificate.context if certificate else None,
        )

    def _coap(self) -> Binding:
        return CoapBinding(
            self.config.reachable_host,
            self.config.host,
            self.config.coap_port,
            body_limit_bytes=self.config.body_limit_bytes,
            directory_thing=self.servient_thing,
            oscore=self.entrance.oscore,
        )

    def _mqtt(self, broker: Broker) -> Binding:
        return MqttBinding(
            broker.host,
            broker.port,
            prefix=self.config.topic_prefix,
            username=broker.username,
            password=broker.password,
            payload_limit_bytes=self.config.body_limit_bytes,
            client_id=f"servient{self.servient_id.replace('-', '')[:14]}",
            access=self.entrance.broker_access(broker.embedded),
        )
