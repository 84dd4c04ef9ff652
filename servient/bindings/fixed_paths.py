"""The HTTP routes that no form of a Thing has, in the words of OpenAPI 3.1 (section 4.8.8)."""

from collections.abc import Mapping
from typing import Any

_TEXT = {"type": "string"}
_OBJECT = {"type": "object"}
_PROBLEM = {"$ref": "#/components/responses/Problem"}
_STATUS = {"$ref": "#/components/schemas/ActionStatus"}
_SUCCESS = {"type": "object", "properties": {"status": {"const": "success"}}}
_RECORD = {
    "type": "object",
    "properties": {
        "request_id": _TEXT,
        "deployment_id": _TEXT,
        "module_name": _TEXT,
        "function_name": _TEXT,
        "success": {"type": "boolean"},
    },
}


def fixed_paths() -> dict[str, Any]:
    """Discovery, invocations, and what orchestrators ask."""
    return {**_things(), **_machine(), **_deployments(), **_history(), **_functions()}


def _things() -> dict[str, Any]:
    """As of WoT Discovery, and what an invocation has besides forms."""
    return {
        "/.well-known/wot": {"get": _reading("own-td", "The servient's Thing.", _TD)},
        "/things": {
            "get": _reading(
                "list-things",
                "The Things.",
                {"application/ld+json": {"schema": {"type": "array", "items": _OBJECT}}},
                parameters=[_query("limit"), _query("offset")],
            )
        },
        "/things/{thing}": {"get": _reading("read-td", "A Thing.", _TD, [_segment("thing")])},
        "/things/{thing}/actions/{action}/{invocation}": _invocation(),
    }


def _machine() -> dict[str, Any]:
    """How an orchestrator gets to know it."""
    return {
        "/.well-known/wot-thing-description": {
            "get": _reading("device-td", "The servient's Thing, for orchestrators.", _TD)
        },
        "/.well-known/wasmiot-device-description": {
            "get": _reading("describe-device", "The machine and what modules may import.")
        },
        "/health": {"get": _reading("read-health", "How the machine is.")},
        "/metrics": {"get": _reading("read-metrics", "What is counted, for Prometheus.", _METRICS)},
        "/register": {
            "post": _sending(
                "register",
                "Make an orchestrator known, which then gets the logs.",
                {"type": "object", "properties": {"url": _TEXT}, "required": ["url"]},
            )
        },
    }


def _deployments() -> dict[str, Any]:
    """By manifests."""
    return {
        "/deploy": {
            "get": _reading("list-deployments", "The deployments."),
            "post": _sending("deploy-manifest", "Deploy by a manifest.", _OBJECT),
        },
        "/deploy/{deployment}": {
            "delete": {
                **_words("undeploy-deployment", "Remove a deployment."),
                "parameters": [_segment("deployment")],
                "responses": {"200": _answer(_json(_SUCCESS)), "default": _PROBLEM},
            }
        },
    }


def _history() -> dict[str, Any]:
    """Executions, and what they wrote."""
    return {
        "/request-history": {
            "get": _reading(
                "list-executions",
                "The executions, newest first.",
                _json({"type": "array", "items": _RECORD}),
            )
        },
        "/request-history/{execution}": {
            "get": _reading(
                "read-execution", "An execution.", _json(_RECORD), [_segment("execution")]
            )
        },
        "/request-history/{execution}/{file}": {
            "get": _reading(
                "read-execution-file",
                "A file that it wrote.",
                _BYTES,
                [_segment("execution"), _segment("file")],
            )
        },
    }


def _functions() -> dict[str, Any]:
    """Executing them, and the newest files that they wrote."""
    return {
        "/{deployment}/modules/{module}/{function}": {
            method: _execution(method) for method in ("get", "post", "put")
        },
        "/{deployment}/modules/{module}/{function}/{file}": {
            "get": _reading(
                "read-function-file",
                "A file that a function wrote.",
                _BYTES,
                [_segment(name) for name in ("deployment", "module", "function", "file")],
            )
        },
        "/module_results/{module}/{file}": {
            "get": _reading(
                "read-module-file",
                "A file that a module wrote.",
                _BYTES,
                [_segment("module"), _segment("file")],
            )
        },
        "/module_results/{deployment}/{module}/{file}": {
            "get": _reading(
                "read-deployment-file",
                "A file that a module of a deployment wrote.",
                _BYTES,
                [_segment(name) for name in ("deployment", "module", "file")],
            )
        },
    }


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


_TD = {"application/td+json": {"schema": _OBJECT}}
_BYTES: dict[str, Any] = {"*/*": {}}
_METRICS = {
    media_type: {"schema": _TEXT} for media_type in ("text/plain", "application/openmetrics-text")
}


def _invocation() -> dict[str, Any]:
    segments = [_segment(name) for name in ("thing", "action", "invocation")]
    return {
        "parameters": segments,
        "get": _reading("query-invocation", "How an invocation goes.", _json(_STATUS)),
        "delete": {
            **_words("cancel-invocation", "Cancel an invocation."),
            "responses": {"204": {"description": "Done."}, "default": _PROBLEM},
        },
    }


def _execution(method: str) -> dict[str, Any]:
    """Parameters are the function's own, in the query or in a form."""
    described = {
        **_words(f"execute-{method}", "Execute a function of a module."),
        "parameters": [_segment(name) for name in ("deployment", "module", "function")],
        "responses": {"200": _answer(_json(_OBJECT)), "default": _PROBLEM},
    }
    if method != "get":
        described["requestBody"] = {"content": {"multipart/form-data": {"schema": _OBJECT}}}
    return described


def _reading(
    name: str,
    words: str,
    content: Mapping[str, Any] | None = None,
    parameters: list[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    return {
        **_words(name, words),
        **({"parameters": parameters} if parameters else {}),
        "responses": {"200": _answer(content or _json(_OBJECT)), "default": _PROBLEM},
    }


def _sending(name: str, words: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_words(name, words),
        "requestBody": {"content": _json(schema), "required": True},
        "responses": {"200": _answer(_json(_SUCCESS)), "default": _PROBLEM},
    }


def _words(name: str, words: str) -> dict[str, Any]:
    return {"operationId": name, "summary": words}


def _answer(content: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": "Done.", "content": content}


def _segment(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {**_TEXT, "minLength": 1}}


def _query(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0}}
