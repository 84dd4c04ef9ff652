"""The routes that HTTP has besides those of Things."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from converters.openapi.writing import to_openapi
from servient.bindings.device import DeviceRoutes, Machine
from servient.bindings.fixed_paths import fixed_paths
from servient.bindings.http.documents import Documents
from servient.bindings.http.extension import Extension
from servient.bindings.http.probes import Probes
from servient.bindings.metrics import MetricsRoute
from servient.bindings.openapi import OpenApiRoute
from servient.bindings.orchestrator.routes import OrchestratorRoutes
from servient.composition.metrics import Metrics
from servient.composition.reporting import Reporting
from servient.console.assets import load_assets
from servient.console.routes import Console
from servient.version import VERSION
from servient.wot.content import Content
from servient.wot.servient import Servient
from thing_descriptions.models import load_vocabulary


def build_routes(
    servient: Servient,
    name: str,
    own_thing: str,
    machine: Machine,
    reporting: Reporting,
    metrics: Metrics,
) -> tuple[Extension, ...]:
    """`name` is what the servient is called, `own_thing` the name of its Thing in paths."""
    orchestrator, journal = reporting.orchestrator, reporting.journal
    return (
        OrchestratorRoutes(servient, own_thing, journal),
        DeviceRoutes(servient, own_thing, machine, orchestrator, journal),
        OpenApiRoute(servient, partial(_describe_api, name)),
        MetricsRoute(servient, own_thing, metrics.write),
        Probes(lambda: not servient.invocations.is_draining),
        Documents({"vocabulary": Content(load_vocabulary(), "application/ld+json")}),
        Console(servient, name, load_assets()),
    )


def _describe_api(name: str, things: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return to_openapi(things, title=name, version=VERSION, paths=fixed_paths())
