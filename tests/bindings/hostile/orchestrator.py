"""HTTP: the routes of orchestrators and of the device, and deployments that are not meant well."""

import copy
import json
from typing import Any

from hypothesis import strategies as st

from servient.app import App
from tests.bindings.hostile.http import HttpCase, HttpDriver, http_cases
from tests.bindings.hostile.strategies import BODIES, JSON, WORDS, Body, mostly, to_path

MANIFEST: dict[str, Any] = json.loads(
    """{"deploymentId": "hostile", "endpoints": {"fibonacci": {"fibo": {
      "url": "http://h/hostile/modules/fibonacci/fibo", "path": "/hostile/modules/fibonacci/fibo",
      "method": "get", "request": {"parameters": [
        {"name": "iterations", "in": "query", "schema": {"type": "integer"}}]},
      "response": {"media_type": "application/json", "schema": {"type": "integer"}}}}},
    "modules": [{"id": "1", "name": "fibonacci", "urls": {"binary": "http://127.0.0.1:9/x.wasm",
      "description": "http://127.0.0.1:9/d", "other": []}}],
    "mounts": {"fibonacci": {"fibo": {"execution": [], "deployment": [], "output": []}}},
    "instructions": {"modules": {"fibonacci": {"fibo": {"from": null, "to": null}}}}}"""
)
DEPLOYED = "live"
_MODULE = mostly(st.just("fibonacci"), WORDS)
_FUNCTION = mostly(st.just("fibo"), WORDS)
_DEPLOYMENT = mostly(st.just(DEPLOYED), WORDS)
_PATHS = st.one_of(
    st.sampled_from(
        [
            "/deploy", "/request-history", "/register", "/health", "/health?x",
            "/.well-known/wasmiot-device-description", "/.well-known/wot-thing-description",
        ]
    ),
    st.builds(to_path, st.just("deploy"), WORDS),
    st.builds(to_path, st.just("request-history"), WORDS),
    st.builds(to_path, st.just("request-history"), WORDS, WORDS),
    st.builds(to_path, st.just("module_results"), _MODULE, WORDS),
    st.builds(to_path, st.just("module_results"), _DEPLOYMENT, _MODULE, WORDS),
    st.builds(to_path, _DEPLOYMENT, st.just("modules"), _MODULE, _FUNCTION),
    st.builds(to_path, _DEPLOYMENT, st.just("modules"), _MODULE, _FUNCTION, WORDS),
)  # fmt: skip


@st.composite
def _manifests(draw: st.DrawFn) -> Body:
    """One that was good until somebody put other values in."""
    document = copy.deepcopy(MANIFEST)
    for _ in range(draw(st.integers(1, 3))):
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or draw(st.booleans()):
                place[key] = draw(JSON)
                break
            place = place[key]
    return Body(json.dumps(document).encode(), "application/json")


_RUNS = st.builds(
    lambda number, method: HttpCase(
        method, f"/{DEPLOYED}/modules/fibonacci/fibo", f"iterations={number}", {}, None
    ),
    st.integers(0, 40) | st.integers() | st.text(max_size=5),
    st.sampled_from(["GET", "POST"]),
)
_DEPLOYS = st.builds(
    lambda body: HttpCase("POST", "/deploy", "", {}, body), _manifests()
)  # none of its modules can be fetched


class OrchestratorDriver(HttpDriver):
    cases: st.SearchStrategy[HttpCase] = http_cases(_PATHS, BODIES) | _DEPLOYS | _RUNS
    # A function that takes too long or traps is none of the servient's failures; nor is what the
    # history tells of one.
    allowed: frozenset[int] = frozenset({500, 504})

    def __init__(self, app: App) -> None:
        super().__init__(app)
