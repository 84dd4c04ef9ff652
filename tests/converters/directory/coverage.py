"""Looks for what a conversion dropped in silence: each key of an operation is in the TD or reported.

It reads documents in its own way and shares nothing with the converter.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from converters.losses import Loss

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# What a data schema of TD 1.1 has a word for, or what says nothing of its own.
SCHEMA_WORDS = frozenset(
    {
        *("type", "format", "title", "description", "default", "nullable", "enum", "const"),
        *("properties", "required", "items", "allOf", "oneOf", "anyOf", "readOnly", "writeOnly"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern"),
        *("minLength", "maxLength", "minItems", "maxItems", "contentEncoding", "deprecated"),
        *("contentMediaType", "example", "discriminator", "externalDocs", "$ref", "x-nullable"),
        *("$schema", "$comment", "$defs", "definitions", "$id", "id", "$anchor"),
    }
)
SILENT: Mapping[str, tuple[Any, ...]] = {"additionalProperties": (True, {})}
FORMATS = frozenset(
    {
        *("date", "date-time", "duration", "email", "hostname", "int32", "int64", "ipv4", "ipv6"),
        *("json-pointer", "relative-json-pointer", "time", "uri", "uri-reference"),
        *("uri-template", "uuid", "binary", "byte", "base64"),
    }
)
ROOT = {"openapi", "info", "servers", "paths", "components", "security", "externalDocs", "webhooks"}
INFO = {"title", "description", "version", "license", "termsOfService", "contact"}


class Coverage:
    """Compares one document with what became of it."""

    def __init__(self, document: Any, td: Mapping[str, Any], losses: Collection[Loss]) -> None:
        self._document = document
        self._td = td
        self._lost = {loss.pointer for loss in losses}
        self._within = {
            pointer[:end]
            for pointer in self._lost
            for end in (m.start() for m in re.finditer("/", pointer))
        }
        self._seen: set[str] = set()
        self._by_id: dict[str, list[Mapping[str, Any]]] = {}
        self._by_path: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for kind in ("properties", "actions"):
            for affordance in td.get(kind, {}).values():
                self._by_id.setdefault(affordance.get("wasm:operationId", ""), []).append(
                    affordance
                )
                for form in affordance["forms"]:
                    key = (form["htv:methodName"], _shape(form["href"]))
                    self._by_path.setdefault(key, []).append(affordance)

    def gaps(self) -> Iterator[str]:
        """Pointers of what is neither in the TD nor in the report."""
        for owner, place, known in (
            (self._document, "", ROOT | {"jsonSchemaDialect"}),
            (self._document.get("info", {}), "/info", INFO),
        ):
            for key in owner.keys() - known:
                yield from self._unless_lost(f"{place}/{_escape(key)}")
        for index, server in enumerate(self._document.get("servers") or ()):
            for key in server.keys() - {"url"}:
                if server[key]:
                    yield from self._unless_lost(f"/servers/{index}/{_escape(key)}")
        paths = self._document.get("paths") or {}
        for path, item in paths.items():
            pointer = f"/paths/{_escape(path)}"
            if path.startswith("x-") or not isinstance(item, dict):
                continue
            item, pointer = self._resolved(item, pointer)
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    yield from self._operation(path, item, method, f"{pointer}/{method}")

    def _operation(self, path: str, item: Any, method: str, pointer: str) -> Iterator[str]:
        operation = item[method]
        if self._is_lost(pointer):
            return
        name = str(operation.get("operationId", ""))[:128]
        found = [
            affordance
            for affordance in (self._by_id.get(name, ()) if name else ())
            if any(f["htv:methodName"] == method.upper() for f in affordance["forms"])
        ] or self._by_path.get((method.upper(), _shape(path)), [])
        if not found:
            yield pointer
            return
        for key, value in operation.items():
            place = f"{pointer}/{_escape(key)}"
            if value is None or self._is_lost(place):
                continue
            check = getattr(self, f"_has_{key}", None)
            if check is None or not any(check(value, place, each) for each in found):
                yield place
        own = {self._key(each, "") for each in operation.get("parameters") or ()}
        for index, each in enumerate(item.get("parameters") or ()):
            place = f"{pointer.rpartition('/')[0]}/parameters/{index}"
            if self._key(each, "") not in own and not any(
                self._has_parameter(each, place, affordance) for affordance in found
            ):
                yield place
        yield from self._inner(operation, item, pointer)

    def _key(self, value: Any, pointer: str) -> tuple[Any, Any]:
        parameter, _ = self._resolved(value, pointer)
        return parameter.get("in"), parameter.get("name")

    # Each key of an operation

    def _has_operationId(self, value: Any, _: str, affordance: Any) -> bool:  # noqa: N802
        return bool(affordance.get("wasm:operationId", "") == value[:128])

    def _has_summary(self, value: Any, _: str, affordance: Any) -> bool:
        return not value or bool(affordance.get("title") == value[:2000])

    def _has_description(self, value: Any, _: str, affordance: Any) -> bool:
        return not value or bool(affordance.get("description") == value[:2000])

    def _has_tags(self, value: Any, _: str, affordance: Any) -> bool:
        return {tag for tag in value if tag} == set(affordance.get("wasm:tags", ()))

    def _has_deprecated(self, value: Any, _: str, affordance: Any) -> bool:
        return bool(value) is bool(affordance.get("wasm:deprecated"))

    def _has_externalDocs(self, value: Any, _: str, affordance: Any) -> bool:  # noqa: N802
        return bool(affordance.get("wasm:externalDocs") == value.get("url"))

    def _has_security(self, value: Any, place: str, affordance: Any) -> bool:
        wanted = {name for way in value for name in way} if value else set()
        for form in affordance["forms"]:
            names = set(self._schemes(form.get("security", self._td["security"])))
            plain = {re.sub(r"[^A-Za-z0-9_-]+", "_", name) for name in wanted}
            unknown = {p for p in plain if not any(name.startswith(p) for name in names)}
            if not unknown or f"{place}/0" in self._within | self._lost:
                return True
        return False

    def _schemes(self, names: Any, depth: int = 0) -> Iterator[str]:
        for name in [names] if isinstance(names, str) else names:
            definition = self._td["securityDefinitions"][name]
            yield name
            for how in ("oneOf", "allOf"):
                yield from self._schemes(definition.get(how, ()), depth + 1)

    def _has_servers(self, value: Any, _: str, affordance: Any) -> bool:
        return (
            not value
            or any("://" in form["href"] for form in affordance["forms"])
            or bool(self._td.get("base"))
        )

    def _has_callbacks(self, value: Any, place: str, _: Any) -> bool:
        events = str(self._td.get("events", ""))
        return all(
            not expression or str(expression)[:40] in events or place in self._within
            for callback in value.values()
            for expression in callback
        )

    def _has_parameters(self, value: Any, place: str, affordance: Any) -> bool:
        return all(
            self._has_parameter(element, f"{place}/{index}", affordance)
            for index, element in enumerate(value)
        )

    def _has_parameter(self, value: Any, place: str, affordance: Any) -> bool:
        parameter, pointer = self._resolved(value, place)
        name = str(parameter.get("name"))
        if self._is_lost(pointer) or self._is_lost(place):
            return True
        if parameter.get("in") in {"path", "query"}:
            known = {unquote(variable) for variable in affordance.get("uriVariables", {})}
            plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
            return name in known or any(k == plain or k.startswith(f"{plain}_") for k in known)
        headers = [
            h["htv:fieldName"] for f in affordance["forms"] for h in f.get("htv:headers", ())
        ]
        return name in headers

    def _has_requestBody(self, value: Any, place: str, affordance: Any) -> bool:  # noqa: N802
        body, pointer = self._resolved(value, place)
        if self._is_lost(pointer) and not body.get("content"):
            return True
        sent = {form.get("contentType") for form in affordance["forms"]}
        is_written = affordance.get("readOnly") is False
        return ("input" in affordance or is_written or not body.get("content")) and all(
            media_type.strip() in sent
            or "*" in media_type
            or self._is_lost(f"{pointer}/content/{_escape(media_type)}")
            for media_type in body.get("content") or {}
            if len(affordance["forms"]) < 16
        )

    def _has_responses(self, value: Any, place: str, affordance: Any) -> bool:
        told = {
            str(response.get("htv:statusCodeValue", "default"))
            for form in affordance["forms"]
            for response in form.get("additionalResponses", ())
        }
        for status, response in value.items():
            response, pointer = self._resolved(response, f"{place}/{_escape(status)}")
            if status.startswith("x-") or self._is_lost(pointer) or not isinstance(response, dict):
                continue
            is_output = status.startswith("2") or (
                status == "default" and not any(s.startswith("2") for s in value)
            )
            if is_output:
                is_read = affordance.get("forms", [{}])[0].get("op") == "readproperty"
                if response.get("content") and not ("output" in affordance or is_read):
                    return False
            elif status not in told:
                return False
        return True

    # What is inside

    def _inner(self, operation: Any, item: Any, pointer: str) -> Iterator[str]:
        for owner, place in ((operation, pointer), (item, pointer.rpartition("/")[0])):
            for index, each in enumerate(owner.get("parameters") or ()):
                parameter, at = self._resolved(each, f"{place}/parameters/{index}")
                known = {"name", "in", "required", "schema", "style", "explode", "description"}
                known |= {"deprecated", "content", "example"}
                if self._is_lost(at):
                    continue
                for key, value in parameter.items():
                    is_odd = key == "example" and isinstance(value, dict | list)
                    is_odd |= key == "required" and parameter.get("in") == "query" and value is True
                    if (key not in known and value not in (None, False)) or is_odd:
                        yield from self._unless_lost(f"{at}/{_escape(key)}")
                if parameter.get("in") in {"path", "query"}:
                    yield from self._schema(parameter.get("schema"), f"{at}/schema")
        body, at = self._resolved(operation.get("requestBody"), f"{pointer}/requestBody")
        if isinstance(body, dict) and body.get("content") and body.get("required") is not True:
            yield from self._unless_lost(at)
        yield from self._contents(body, at)
        for status, each in (operation.get("responses") or {}).items():
            response, at = self._resolved(each, f"{pointer}/responses/{_escape(status)}")
            if isinstance(response, dict) and not status.startswith("x-"):
                for key in response.keys() - {"description", "content", "headers"}:
                    yield from self._unless_lost(f"{at}/{_escape(key)}")
                for header in response.get("headers") or {}:
                    if header.lower() != "location":
                        declared = response["headers"][header]
                        _, target = self._resolved(declared, f"{at}/headers/{_escape(header)}")
                        if not self._is_lost(target):
                            yield from self._unless_lost(f"{at}/headers/{_escape(header)}")
                yield from self._contents(response, at)

    def _contents(self, owner: Any, pointer: str) -> Iterator[str]:
        if not isinstance(owner, dict) or self._is_lost(pointer):
            return
        for media_type, content in (owner.get("content") or {}).items():
            place = f"{pointer}/content/{_escape(media_type)}"
            if self._is_lost(place) or not isinstance(content, dict):
                continue
            for key in content.keys() - {"schema", "encoding"}:
                yield from self._unless_lost(f"{place}/{_escape(key)}")
            yield from self._schema(content.get("schema"), f"{place}/schema")

    def _schema(self, schema: Any, pointer: str) -> Iterator[str]:
        if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
            if len(schema) > 1 and str(self._document.get("openapi", "")).startswith("3.0"):
                for key in schema.keys() - {"$ref"}:
                    yield from self._unless_lost(f"{pointer}/{_escape(key)}")
            schema, pointer = self._resolved(schema, pointer)
        if not isinstance(schema, dict) or pointer in self._seen or self._is_lost(pointer):
            return
        self._seen.add(pointer)
        for key, value in schema.items():
            if value is None or value in SILENT.get(key, ()):
                continue
            is_odd = key == "format" and value not in FORMATS and "type" in schema
            is_odd |= key in {"example", "default"} and value in ([], {})
            is_odd |= key == "example" and isinstance(value, dict | list)
            if key not in SCHEMA_WORDS or is_odd:
                yield from self._unless_lost(f"{pointer}/{_escape(key)}")
        for name, member in (schema.get("properties") or {}).items():
            yield from self._schema(member, f"{pointer}/properties/{_escape(name)}")
        yield from self._schema(schema.get("items"), f"{pointer}/items")
        for key in ("allOf", "oneOf", "anyOf"):
            for index, member in enumerate(schema.get(key) or ()):
                yield from self._schema(member, f"{pointer}/{key}/{index}")

    def _unless_lost(self, pointer: str) -> Iterator[str]:
        if not self._is_lost(pointer):
            yield pointer

    def _is_lost(self, pointer: str) -> bool:
        """Whether it, or what it is in, is in the report."""
        while pointer:
            if pointer in self._lost:
                return True
            pointer = pointer.rpartition("/")[0]
        return False

    def _resolved(self, value: Any, pointer: str) -> tuple[Any, str]:
        for _ in range(32):
            reference = value.get("$ref") if isinstance(value, dict) else None
            if not isinstance(reference, str) or not reference.startswith("#"):
                break
            value, pointer = self._document, unquote(reference[1:])
            for token in pointer.split("/")[1:]:
                token = token.replace("~1", "/").replace("~0", "~")
                value = value[int(token)] if isinstance(value, list) else value.get(token, {})
        return value, pointer


def _shape(path: str) -> str:
    """A path without the names of its variables."""
    path = re.sub(r"^https?://[^/]*", "", re.sub(r"\{[?&][^{}]*\}", "", path))
    return re.sub(r"\{[^{}]*\}", "{}", unquote(path)).removeprefix("./").strip("/")


def _escape(name: str) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")
