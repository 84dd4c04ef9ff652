"""Who gets traces of invocations, where somebody is to."""

from contextlib import AsyncExitStack

from servient.config import Config, ConfigError
from servient.wot.servient import Servient


async def start_tracing(
    config: Config, servient: Servient, servient_id: str, stack: AsyncExitStack
) -> None:
    """Raises ConfigError when what it takes is not installed."""
    if config.otlp_endpoint is None:
        return
    try:
        # Here, since its library is an extra, and takes a while to import.
        from servient.telemetry.traces import Traces  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        raise ConfigError(
            "otlp_endpoint: traces need the extra otel: pip install 'wasm-servient[otel]'"
        ) from error
    traces = Traces(config.otlp_endpoint, config.name, servient_id)
    servient.tracer = await stack.enter_async_context(traces)
