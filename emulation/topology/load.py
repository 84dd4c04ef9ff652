"""Reads a topology from a file: Python with a function `topology`, or YAML or JSON."""

import importlib.machinery
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from emulation.errors import InvalidTopology
from emulation.topology.document import parse_topology
from emulation.topology.topology import Topology

YAML_SUFFIXES = (".yaml", ".yml")


def load_topology(file: Path) -> Topology:
    """Raises InvalidTopology; what a Python file raises is raised."""
    if not file.is_file():
        raise InvalidTopology(f"there is no file {file}")
    match file.suffix:
        case ".json":
            return parse_topology(_read_json(file), name=file.stem)
        case suffix if suffix in YAML_SUFFIXES:
            return parse_topology(_read_yaml(file), name=file.stem)
        case _:
            return _run(file)


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text())
    except ValueError as error:
        raise InvalidTopology(f"{file} is not JSON: {error}") from error


def _read_yaml(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text())
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidTopology(f"{file} is not YAML: {error}") from error


def _run(file: Path) -> Topology:
    name = f"topology_{file.stem}"
    loader = importlib.machinery.SourceFileLoader(name, str(file.resolve()))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None  # noqa: S101 - there is a loader
    module: Any = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.resolve().parent))
    try:
        loader.exec_module(module)
    finally:
        sys.path.pop(0)
    if not callable(getattr(module, "topology", None)):
        raise InvalidTopology(f"{file} defines no function `topology`")
    topology = module.topology()
    if not isinstance(topology, Topology):
        raise InvalidTopology(f"`topology` of {file} returns no Topology")
    return topology
